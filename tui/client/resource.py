"""Base of the modules that hold the calls of one resource."""

from __future__ import annotations

from core.schemas.record import StatedReason
from tui.client.connection import CoreConnection


class ResourceClient:
    """The calls of one resource over one connection.

    Each call raises `RefusedError` when the core says no and `UnreachableError` when it does not answer.
    """

    def __init__(self, connection: CoreConnection) -> None:
        self._connection = connection


def stated(reason: StatedReason) -> dict[str, str]:
    """Return the parameters that say why a record outside one's own queue is opened."""
    return {"reason": reason.words, "reason_code": reason.code.value}
