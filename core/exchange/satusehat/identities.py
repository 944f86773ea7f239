"""Ids that SATUSEHAT gave to what was sent: without them nothing there could be corrected, only sent again."""

from __future__ import annotations

from core.foundation import clock
from core.foundation.database import transaction
from core.models import RemoteResource


class Identities:
    """The ids at one server."""

    def __init__(self, server: str) -> None:
        self._server = server.rstrip("/")

    def find(self, kind: str, value: str) -> RemoteResource | None:
        """Return the kept id of one of our resources, by type and business identifier."""
        found: RemoteResource | None = RemoteResource.get_or_none(*self._is(kind, value))
        return found

    def of(self, kind: str) -> dict[str, str]:
        """Return all of a type: business identifier -> id."""
        rows = RemoteResource.select().where(
            RemoteResource.server == self._server, RemoteResource.type == kind
        )
        return {row.value: row.remote_id for row in rows}

    def parts(self, kind: str, visit_id: str) -> dict[str, str]:
        """Return a visit's resources of a type: business identifier -> id."""
        rows = RemoteResource.select().where(
            RemoteResource.server == self._server,
            RemoteResource.type == kind,
            RemoteResource.value.startswith(f"{visit_id}-"),
        )
        return {row.value: row.remote_id for row in rows}

    def remember(self, kind: str, value: str, remote_id: str, digest: str) -> None:
        """Keep an id as soon as it is known; `digest` is of what was sent, empty to send it again.

        Args:
            kind: The resource type.
            value: Our business identifier.
            remote_id: The id that SATUSEHAT gave.
            digest: Hash of what was sent; empty to send it again.
        """
        with transaction():
            RemoteResource.insert(
                server=self._server,
                type=kind,
                value=value,
                remote_id=remote_id,
                digest=digest,
                at=clock.now(),
            ).on_conflict(
                conflict_target=[RemoteResource.server, RemoteResource.type, RemoteResource.value],
                preserve=[RemoteResource.remote_id, RemoteResource.digest, RemoteResource.at],
            ).execute()

    def reopen(self, visit_id: str) -> None:
        """Make all resources of a visit be sent again, as they are."""
        own = (RemoteResource.value == visit_id) | RemoteResource.value.startswith(f"{visit_id}-")
        with transaction():
            RemoteResource.update(digest="").where(RemoteResource.server == self._server, own).execute()

    def forget(self, kind: str, value: str) -> None:
        """Forget an id under which the server no longer has the resource."""
        with transaction():
            RemoteResource.delete().where(*self._is(kind, value)).execute()

    def _is(self, kind: str, value: str) -> tuple[object, ...]:
        return (
            RemoteResource.server == self._server,
            RemoteResource.type == kind,
            RemoteResource.value == value,
        )
