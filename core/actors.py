"""Who acts, and what each role may do. Deny by default."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import NotAllowedError
from core.models import Account
from core.schemas.accounts import AccountShape
from core.vocabulary import Permission as P
from core.vocabulary import Role

ROLE_PERMISSIONS: dict[Role, frozenset[P]] = {
    Role.CLERK: frozenset({P.REGISTER, P.READ_PATIENTS, P.EDIT_PATIENTS, P.READ_QUEUES, P.READ_DISPLAY, P.PRINT}),
    Role.CLINICIAN: frozenset(
        {P.READ_PATIENTS, P.READ_QUEUES, P.WORK_QUEUE, P.READ_RECORDS, P.WRITE_RECORDS, P.READ_DISPLAY, P.PRINT}
    ),
    Role.LAB: frozenset(
        {P.READ_PATIENTS, P.READ_QUEUES, P.WORK_QUEUE, P.READ_RECORDS, P.ENTER_RESULTS, P.READ_DISPLAY, P.PRINT}
    ),
    Role.PHARMACIST: frozenset(
        {P.READ_PATIENTS, P.READ_QUEUES, P.WORK_QUEUE, P.READ_RECORDS, P.DISPENSE, P.READ_DISPLAY, P.PRINT}
    ),
    Role.ADMIN: frozenset(
        {
            P.REGISTER, P.READ_PATIENTS, P.EDIT_PATIENTS, P.MERGE_PATIENTS, P.READ_QUEUES,
            P.READ_REPORTS, P.ADMINISTER, P.READ_DISPLAY, P.PRINT,
        }
    ),
    Role.DISPLAY: frozenset({P.READ_DISPLAY}),
    Role.DOOR: frozenset({P.OPEN_DOOR, P.READ_QUEUES, P.READ_DISPLAY}),
}  # fmt: skip
"""The whole of it: what is not here is refused. The admin runs the system and does not read records."""


@dataclass(frozen=True)
class Actor:
    """Who acts, from where. Every core function that reads or changes records takes one."""

    account_id: str
    username: str
    name: str
    role: Role
    clusters: tuple[str, ...] = ()
    origin: str = ""
    """Where the request came from, for the audit log."""
    service_point: str = ""
    """The room where this person calls patients."""

    def can(self, permission: P) -> bool:
        """Whether the role has this right."""
        return permission in ROLE_PERMISSIONS[self.role]

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

    def shape(self) -> AccountShape:
        """As sent to the terminal."""
        return AccountShape(
            id=self.account_id,
            username=self.username,
            name=self.name,
            role=self.role,
            clusters=list(self.clusters),
            service_point=self.service_point,
        )


def actor_of(account: Account, origin: str = "") -> Actor:
    """The actor that an account stands for."""
    return Actor(
        account_id=account.id,
        username=account.username,
        name=account.name,
        role=Role(account.role),
        clusters=tuple(account.clusters),
        origin=origin,
        service_point=account.service_point,
    )
