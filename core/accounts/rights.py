"""Rights of roles as data: the admin asks for a change, the supervisor decides; never one person alone.

A role without a row in `role_permission` has its defaults. A change holds from the next request on; a right that is
taken away ends the sign-ins of the role, so that no open screen goes on showing what may no longer be seen.
"""

from __future__ import annotations

from core.accounts import sign_ins
from core.foundation import audit, clock, four_eyes
from core.foundation.codes import MACHINE_ROLES, RightsOutcome, Role
from core.foundation.codes import Permission as P
from core.foundation.database import connection, transaction
from core.foundation.errors import ConflictError, NotFoundError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import ROLE_PERMISSIONS, Actor, rights_of
from core.models import Account, RightsChange, RolePermission
from core.schemas.accounts import RightsChangeFields, RightsChangeOut, RightsOut

NEWEST = 200  # requests that are listed
ONLY: dict[P, Role] = {
    P.ADMINISTER: Role.ADMIN,
    P.APPROVE: Role.SUPERVISOR,
    P.OPEN_DOOR: Role.DOOR,
    P.SERVE_COUNTER: Role.COUNTER,
}
"""Rights that stay with one role: whoever asks must not decide, and no clinic may lock itself out."""
CLINICAL = frozenset(
    {
        P.READ_RECORDS,
        P.READ_NOTES,
        P.WRITE_RECORDS,
        P.WRITE_VITALS,
        P.ENTER_RESULTS,
        P.DISPENSE,
        P.RELEASE_RECORDS,
    }
)
"""Rights that the admin is never given."""
MACHINES = MACHINE_ROLES
"""Roles whose rights are part of the program."""


def table(actor: Actor) -> list[RightsOut]:
    """Return what every role may do now, and what it may do by default.

    Raises:
        NotAllowedError: The role neither administers nor approves.
    """
    _require_reader(actor)
    with connection():
        return [
            RightsOut(role=role, rights=sorted(rights_of(role)), defaults=sorted(ROLE_PERMISSIONS[role]))
            for role in Role
        ]


def changes(actor: Actor) -> list[RightsChangeOut]:
    """Return the requests, newest first; those that wait have no outcome.

    Raises:
        NotAllowedError: The role neither administers nor approves.
    """
    _require_reader(actor)
    with connection():
        rows = RightsChange.select().order_by(RightsChange.requested_at.desc()).limit(NEWEST)
        return [_out(row) for row in rows]


def _require_reader(actor: Actor) -> None:
    if not actor.can(P.APPROVE):
        actor.require(P.ADMINISTER)


def request(actor: Actor, fields: RightsChangeFields) -> RightsChangeOut:
    """Ask for a right to be given to a role, or taken from it.

    Args:
        actor: The admin.
        fields: Role, right, which way, and why.

    Raises:
        NotAllowedError: The role does not administer.
        ValidationError: `permission`: `fixed` (it is never changed for this role), or `same` as now.
        ConflictError: `already_requested`.
    """
    actor.require(P.ADMINISTER)
    if _is_fixed(fields):
        raise ValidationError({"permission": "fixed"})
    with transaction():
        if (fields.permission in rights_of(fields.role)) == fields.granted:
            raise ValidationError({"permission": "same"})
        waiting = RightsChange.select().where(
            RightsChange.role == fields.role,
            RightsChange.permission == fields.permission,
            RightsChange.outcome.is_null(),
        )
        if waiting.exists():
            raise ConflictError("already_requested")
        row = RightsChange.create(
            id=new_id(), requested_at=clock.now(), requested_by=actor.account_id, **fields.model_dump()
        )
        _record(actor, "rights_change_requested", row)
        return _out(row)


def _is_fixed(fields: RightsChangeFields) -> bool:
    is_clinical_admin = fields.role is Role.ADMIN and fields.permission in CLINICAL
    return fields.role in MACHINES or fields.permission in ONLY or is_clinical_admin


def decide(actor: Actor, change_id: str, *, approved: bool) -> RightsChangeOut:
    """Approve or refuse a request; an approved one holds from the next request of anybody on.

    Args:
        actor: The supervisor, who is another person than the one who asked.
        change_id: The request.
        approved: Whether it is approved.

    Raises:
        NotAllowedError: The role does not approve; as `four_eyes.require_another_person`.
        NotFoundError: There is no such request.
        ConflictError: It was decided already.
    """
    actor.require(P.APPROVE)
    with transaction():
        row = _waiting(change_id)
        four_eyes.require_another_person(actor, row.requested_by_id)
        _close(actor, row, RightsOutcome.APPROVED if approved else RightsOutcome.REFUSED)
        if approved:
            RolePermission.delete().where(
                RolePermission.role == row.role, RolePermission.permission == row.permission
            ).execute()
            RolePermission.create(role=row.role, permission=row.permission, granted=row.granted, change=row)
            if not row.granted:
                _end_sign_ins(actor, Role(row.role))
        return _out(RightsChange.get_by_id(row.id))


def _end_sign_ins(actor: Actor, role: Role) -> None:
    """End the sign-ins of a role but the actor's own: a door shows panes by the rights that it saw at the sign-in."""
    for account in Account.select().where(Account.role == role, Account.disabled_at.is_null()):
        sign_ins.end_all(account, "role", but=actor.session_id)


def withdraw(actor: Actor, change_id: str) -> RightsChangeOut:
    """Take a request back that nobody has decided on.

    Raises:
        NotAllowedError: The role does not administer.
        NotFoundError: There is no such request.
        ConflictError: It was decided already.
    """
    actor.require(P.ADMINISTER)
    with transaction():
        row = _waiting(change_id)
        _close(actor, row, RightsOutcome.WITHDRAWN)
        return _out(RightsChange.get_by_id(row.id))


def _waiting(change_id: str) -> RightsChange:
    row: RightsChange | None = RightsChange.get_or_none(RightsChange.id == change_id)
    if row is None:
        raise NotFoundError("rights_change", change_id)
    if row.outcome is not None:
        raise ConflictError(status=row.outcome, changed_by=row.decided_by.name if row.decided_by else "")
    return row


def _close(actor: Actor, row: RightsChange, outcome: RightsOutcome) -> None:
    audit.about_to_change("rights_change", row.id)
    RightsChange.update(outcome=outcome, decided_at=clock.now(), decided_by=actor.account_id).where(
        RightsChange.id == row.id
    ).execute()
    _record(actor, f"rights_change_{outcome}", row)


def _record(actor: Actor, action: str, row: RightsChange) -> None:
    audit.record(
        actor, action, "rights_change", row.id, role=row.role, permission=row.permission, granted=row.granted
    )


def _out(row: RightsChange) -> RightsChangeOut:
    return RightsChangeOut(
        id=row.id,
        role=Role(row.role),
        permission=P(row.permission),
        granted=row.granted,
        reason=row.reason,
        requested_at=row.requested_at,
        requested_by=row.requested_by.username,
        decided_at=row.decided_at,
        decided_by=row.decided_by.username if row.decided_by else None,
        outcome=RightsOutcome(row.outcome) if row.outcome else None,
    )
