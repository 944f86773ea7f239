"""Two people for weighty deeds: who decides is not who asks, nor an account that whoever asks has just taken in hand."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.foundation import clock
from core.foundation.codes import Permission, Role
from core.foundation.database import tuples
from core.foundation.errors import NotAllowedError
from core.foundation.permissions import SYSTEM_USERNAME, Actor
from core.models import Account, AuditEvent

HANDLED = timedelta(days=1)
"""Time in which the head of the clinic sees on the list of the day that an account was changed."""
TAKEN_OVER = frozenset({"account_edited", "account_enabled", "password_set", "second_factor_reset"})
"""Actions by which somebody else could have come into an account."""


def require_another_person(actor: Actor, asker: str) -> None:
    """Refuse whoever decides on a request of their own, also by an account that they have just made or taken over.

    An account that the asker, or a command, gave a password, a key or another role decides on nothing of the asker's
    for a day: the head of the clinic sees it on the list of that day. A newly made one may where there is no other
    head: somebody has to be the first.

    Args:
        actor: Who decides.
        asker: Account of who asked.

    Raises:
        NotAllowedError: It is the actor's own request; `approver_of_today`.
    """
    if asker == actor.account_id:
        raise NotAllowedError(Permission.APPROVE)
    since = clock.now() - HANDLED
    system = Account.select(Account.id).where(Account.username == SYSTEM_USERNAME)
    handled = AuditEvent.select(AuditEvent.action).where(
        AuditEvent.at >= since,
        AuditEvent.account.in_([asker, *(row[0] for row in tuples(system))]),
    )
    of_account = (AuditEvent.kind == "account") & (AuditEvent.target == actor.account_id)
    actions: set[str] = {row[0] for row in tuples(handled.where(of_account))}
    keys = handled.where(AuditEvent.action == "key_added").select(AuditEvent.detail)
    has_key = any(detail.get("username") == actor.username for (detail,) in tuples(keys))
    is_new = "account_created" in actions and _has_other_head(actor, since)
    if has_key or is_new or actions & TAKEN_OVER:
        raise NotAllowedError(Permission.APPROVE, "approver_of_today")


def _has_other_head(actor: Actor, since: datetime) -> bool:
    """Return whether another account could decide, or could within the last day before it was changed."""
    others = Account.select().where(Account.id != actor.account_id, Account.username != SYSTEM_USERNAME)
    heads = others.where(
        Account.role == Role.SUPERVISOR, Account.disabled_at.is_null() | (Account.disabled_at >= since)
    )
    if heads.exists():
        return True
    edited = AuditEvent.select(AuditEvent.target, AuditEvent.detail).where(
        AuditEvent.action == "account_edited", AuditEvent.at >= since, AuditEvent.target != actor.account_id
    )
    return any("role" in detail for _target, detail in tuples(edited))
