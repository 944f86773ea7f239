"""SSH doors: each has a credential of its own, which ends, can be revoked, and signs nobody in by itself."""

from __future__ import annotations

from datetime import timedelta

from core.accounts import sign_ins
from core.foundation import audit, clock
from core.foundation.codes import Role
from core.foundation.database import transaction
from core.foundation.errors import NotFoundError, NotSignedInError, ValidationError
from core.foundation.identifiers import new_id, new_secret
from core.foundation.permissions import Actor, actor_of
from core.models import Account, Token

DAYS = 90
"""Life of a door's credential."""
RENEWED_BEFORE = timedelta(days=45)
"""The door beside the server gets another credential so long before the old one ends."""
LOCAL = "local"
"""Name of the door beside the server."""
USERNAME = "door"


def add(name: str, *, address: str = "", days: int = DAYS, by: Actor | None = None) -> str:
    """Return the credential of a new door.

    Args:
        name: For people; of the doors that are open, no two have the same.
        address: The one address that may use it; empty: any.
        days: Its life.
        by: Actor of the audit event; None for a command.

    Raises:
        ValidationError: `name`: `required` or `taken`.
    """
    name = name.strip()
    with transaction():
        if not name:
            raise ValidationError({"name": "required"})
        if any(door.label == name for door in list_doors()):
            raise ValidationError({"name": "taken"})
        return _issue(name, address, days, by)


def renew(name: str, *, days: int = DAYS) -> str:
    """Return another credential of a door, beside those it has: it reads the new one while the old one still works."""
    with transaction():
        return _issue(name, "", days, None)


def _issue(name: str, address: str, days: int, by: Actor | None) -> str:
    account, secret, now = _account(), new_secret(), clock.now()
    Token.create(
        id=new_id(),
        token_hash=sign_ins.hash_of(secret),
        account=account,
        created_at=now,
        expires_at=now + timedelta(days=days),
        method=sign_ins.DOOR,
        label=name[:80],
        bound_to=address.strip()[:64],
    )
    audit.record(by or actor_of(account, "door"), "door_added", "account", account.id, door=name)
    return secret


def _account() -> Account:
    account: Account | None = Account.get_or_none(Account.username == USERNAME)
    return account or Account.create(
        id=new_id(),
        username=USERNAME,
        name="SSH",
        role=Role.DOOR,
        password_hash="!",
        created_at=clock.now(),
        disabled_at=clock.now(),  # no password will ever sign it in
    )


def list_doors() -> list[Token]:
    """Return the credentials that have not ended, the oldest first."""
    return list(
        Token.select()
        .join(Account)
        .where(Account.role == Role.DOOR, Token.revoked_at.is_null(), Token.expires_at > clock.now())
        .order_by(Token.created_at)
    )


def revoke(name: str, by: Actor | None = None) -> None:
    """End the credentials of a door; its screens lock.

    Raises:
        NotFoundError: There is no such door.
    """
    with transaction():
        found = [door for door in list_doors() if door.label == name.strip()]
        if not found:
            raise NotFoundError("door", name)
        for door in found:
            sign_ins.end_session(door.account, door.id, by)
        audit.record(by, "door_revoked", "account", found[0].account_id, door=name)


def is_fresh(secret: str) -> bool:
    """Return whether a door's credential is good for a while yet."""
    try:
        token = sign_ins.live_token(secret)
    except NotSignedInError:
        return False
    if sign_ins.is_unreal(token):
        return False
    return token.account.role == Role.DOOR and token.expires_at - clock.now() > RENEWED_BEFORE
