"""Actors, and the rights of each role. Deny by default."""

from __future__ import annotations

from dataclasses import dataclass

from core.foundation.codes import Permission as P
from core.foundation.codes import Role
from core.foundation.errors import NotAllowedError
from core.foundation.statements import Statement, given
from core.models import Account, RolePermission
from core.schemas.accounts import AccountOut

SYSTEM_USERNAME = "system"
"""Account under which jobs and commands act; nobody can sign in as it."""
_PANES = frozenset({P.READ_PATIENTS, P.READ_QUEUES, P.READ_DISPLAY, P.PRINT})
ROLE_PERMISSIONS: dict[Role, frozenset[P]] = {
    Role.CLERK: _PANES | {P.REGISTER, P.EDIT_PATIENTS, P.READ_COMPLAINTS},
    Role.NURSE: _PANES | {P.READ_COMPLAINTS, P.READ_RECORDS, P.WRITE_VITALS},
    Role.CLINICIAN: _PANES | {P.WORK_QUEUE, P.READ_RECORDS, P.READ_NOTES, P.WRITE_RECORDS, P.WRITE_VITALS},
    Role.LAB: _PANES | {P.WORK_QUEUE, P.READ_RECORDS, P.ENTER_RESULTS},
    Role.PHARMACIST: _PANES | {P.WORK_QUEUE, P.READ_RECORDS, P.DISPENSE},
    Role.RECORDS: _PANES | {P.EDIT_PATIENTS, P.MERGE_PATIENTS, P.READ_RECORDS, P.READ_NOTES},
    Role.SUPERVISOR: _PANES
    | {
        P.READ_COMPLAINTS, P.READ_RECORDS, P.READ_NOTES, P.RELEASE_RECORDS, P.READ_REPORTS, P.READ_AUDIT,
        P.APPROVE, P.RESERVE_NUMBERS,
    },
    Role.ADMIN: _PANES
    | {P.REGISTER, P.EDIT_PATIENTS, P.MERGE_PATIENTS, P.READ_REPORTS, P.READ_AUDIT, P.ADMINISTER}
    | {P.RESERVE_NUMBERS},
    Role.DISPLAY: frozenset({P.READ_DISPLAY}),
    Role.DOOR: frozenset({P.OPEN_DOOR, P.READ_QUEUES, P.READ_COMPLAINTS, P.READ_DISPLAY}),
    Role.COUNTER: frozenset({P.SERVE_COUNTER, P.READ_DISPLAY}),
}  # fmt: skip
"""Rights of each role until the clinic changes them (`core.accounts.rights`); what is not here is refused.

The admin runs the system and does not read records. The door reads the panes of everybody who is signed in at
it, and shows each what their account may see.
"""


def rights_of(role: Role) -> frozenset[P]:
    """Return what a role may do now: its defaults with the clinic's approved changes."""
    changed: dict[str, bool] = dict(_CHANGED.rows(role=role))
    known = set(P)
    granted = {P(name) for name, is_granted in changed.items() if is_granted and name in known}
    taken = {name for name, is_granted in changed.items() if not is_granted}
    return frozenset(ROLE_PERMISSIONS[role] - taken | granted)


_CHANGED = Statement(
    lambda: RolePermission.select(RolePermission.permission, RolePermission.granted).where(
        RolePermission.role == given("role")
    )
)


@dataclass(frozen=True)
class Actor:
    """Account that acts, and its origin. Every core function that reads or changes records takes one."""

    account_id: str
    username: str
    name: str
    role: Role
    clusters: tuple[str, ...] = ()
    origin: str = ""
    """Where the request came from, for the audit log."""
    service_point: str = ""
    """The room where this person calls patients."""
    rights: frozenset[P] | None = None
    """Rights of the role in this clinic; None: the defaults of the role."""
    session_id: str = ""
    """Id of the sign-in; empty for jobs and commands."""
    needs_code: bool = False
    """True if nothing is allowed but to give the code of the second factor."""
    must_change_password: bool = False
    """Whether nothing is allowed but to choose a password."""

    def can(self, permission: P) -> bool:
        """Return whether the role has this right."""
        return permission in (ROLE_PERMISSIONS[self.role] if self.rights is None else self.rights)

    def works_in(self, cluster: str) -> bool:
        """Return whether this person treats a cluster's patients: the right, and one's own cluster."""
        return cluster in self.clusters and self.can(P.WORK_QUEUE)

    def sees_complaints(self, cluster: str) -> bool:
        """Return whether complaints in a cluster's queue are shown: in one's own clusters, or by right."""
        return cluster in self.clusters or self.can(P.READ_COMPLAINTS)

    def require(self, permission: P) -> None:
        """Go on, or refuse.

        Raises:
            NotAllowedError: The role lacks the right.
        """
        if not self.can(permission):
            raise NotAllowedError(permission)

    def require_cluster(self, cluster: str) -> None:
        """Refuse work in a cluster that is not the actor's.

        Raises:
            NotAllowedError: The right or the cluster is missing.
        """
        self.require(P.WORK_QUEUE)
        if cluster not in self.clusters:
            raise NotAllowedError(f"{P.WORK_QUEUE}:{cluster}")

    def shape(self) -> AccountOut:
        """As sent to the terminal."""
        return AccountOut(
            id=self.account_id,
            username=self.username,
            name=self.name,
            role=self.role,
            clusters=list(self.clusters),
            service_point=self.service_point,
            rights=sorted(permission for permission in P if self.can(permission)),
            needs_code=self.needs_code,
            must_change_password=self.must_change_password,
        )


def actor_of(account: Account, origin: str = "") -> Actor:
    """The actor that an account stands for, with the rights that its role has now."""
    return Actor(
        account_id=account.id,
        username=account.username,
        name=account.name,
        role=Role(account.role),
        clusters=tuple(account.clusters),
        origin=origin,
        service_point=account.service_point,
        rights=rights_of(Role(account.role)),
        must_change_password=account.must_change_password,
    )
