"""Signing in at a counter while the core is away: clerk, nurse and clinician, known here, for as long as the window lasts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeGuard

from core.accounts import sign_ins
from core.counters.copies import ROLES
from core.counters.fresh_copy import LOCAL
from core.foundation import audit, clock
from core.foundation.database import connection, transaction
from core.foundation.errors import NotSignedInError
from core.foundation.identifiers import new_id, new_secret
from core.foundation.permissions import Actor, actor_of
from core.models import Account, Token


def may_sign_in(account: Account | None) -> TypeGuard[Account]:
    """Return whether an account signs in without the core: never the admin, the supervisor, or one with a second factor."""
    return (
        account is not None
        and account.role in ROLES
        and account.disabled_at is None
        and account.second_factor is None
        and not account.must_change_password
    )


def remember(secret: str, account_id: str, session_id: str, expires_at: datetime) -> bool:
    """Let a sign-in that the core has given go on here when the core is away; return whether the account may.

    Args:
        secret: The token.
        account_id: Its account.
        session_id: Its name.
        expires_at: Its end.
    """
    with connection():
        account = Account.get_or_none(Account.id == account_id)
        if not may_sign_in(account):
            return False
        with transaction():
            Token.insert(
                id=session_id or new_id(), token_hash=sign_ins.hash_of(secret), account=account_id,
                created_at=clock.now(), expires_at=expires_at, method=sign_ins.PASSWORD, source="", label="",
                bound_to="", needs_code=False,
            ).on_conflict_ignore().execute()  # fmt: skip
    return True


def allow(account_id: str, left: timedelta, origin: str) -> tuple[str, Token, Actor]:
    """Sign in whose password has opened the store; return the token's secret, its row and the actor.

    Args:
        account_id: The account.
        left: For how long people can sign in without the core.
        origin: The address.

    Raises:
        NotSignedInError: The account does not sign in without the core.
    """
    with connection():
        account = Account.get_or_none(Account.id == account_id)
        if not may_sign_in(account) or left <= timedelta():
            raise NotSignedInError("not without the core")
        secret, now = new_secret(), clock.now()
        with transaction():
            token = Token.create(
                id=new_id(),
                token_hash=sign_ins.hash_of(secret),
                account=account,
                created_at=now,
                expires_at=now + left,
                method=LOCAL,
                source=origin[:64],
            )
            audit.record(actor_of(account, origin), "signed_in", "account", account.id, method=LOCAL)
        return secret, token, actor_of(account, origin)


def end(secret: str) -> None:
    """End a sign-in that was allowed here: the core does not know its password any more."""
    sign_ins.sign_out(secret, "core")
