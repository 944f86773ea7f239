"""The second factor: a code of six digits that an app on a telephone makes (TOTP), optional for admin and supervisor.

A sign-in by password or key is good for nothing but giving the code until the code was given, at every
door alike. Each code is taken once; wrong ones count as wrong passwords do.

Source: RFC 6238 (TOTP), section 5.2 for the step, the tolerance and taking a code once.
"""

from __future__ import annotations

import binascii
import secrets
from base64 import b32decode, b32encode
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from core.accounts import guessing
from core.foundation import audit, clock
from core.foundation.codes import Role
from core.foundation.database import transaction
from core.foundation.errors import NotAllowedError, NotFoundError, NotSignedInError, ValidationError
from core.foundation.permissions import Actor
from core.models import Account, Token

DIGITS = 6
STEP_SECONDS = 30
TOLERANCE = 1  # steps before and after this one: the telephone's clock and the typing
SECRET_BYTES = 20  # as long as the hash, RFC 4226 section 4
ROLES = frozenset({Role.ADMIN, Role.SUPERVISOR})
"""Roles that may set one up."""


def new_secret() -> str:
    """Return a secret in base32, as authenticator apps take it."""
    return b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def address(username: str, secret: str) -> str:
    """Return what a QR code for an authenticator app says; short, so that it fits on a terminal."""
    return f"otpauth://totp/Loket:{quote(username)}?secret={secret}"


def _generator(secret: str) -> TOTP:
    return TOTP(b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303  # what the apps can do


def code_at(secret: str, seconds: float) -> str:
    """Return the code of a moment, in seconds since 1970."""
    return _generator(secret).generate(seconds).decode()


def _step_of(secret: str, code: str) -> int | None:
    """Return the step whose code this is, within the tolerance; None when it is none of them."""
    now = int(clock.now().timestamp()) // STEP_SECONDS
    typed = "".join(code.split())
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        if secrets.compare_digest(code_at(secret, step * STEP_SECONDS).encode(), typed.encode()):
            return step
    return None


def _require_role(actor: Actor) -> None:
    """Refuse a role that has no second factor.

    Raises:
        NotAllowedError: It is neither admin nor supervisor.
    """
    if actor.role not in ROLES:
        raise NotAllowedError("second_factor")


def offer(actor: Actor) -> str:
    """Return a new secret for the actor's own account; it holds once a code of it is given.

    Raises:
        NotAllowedError: The role has no second factor.
    """
    _require_role(actor)
    return new_secret()


def set_up(actor: Actor, secret: str, code: str) -> None:
    """Ask for a code at every sign-in of the actor's own account from now on.

    Args:
        actor: The admin or the supervisor.
        secret: What `offer` gave.
        code: A code of it, which proves that the app has it.

    Raises:
        NotAllowedError: The role has no second factor.
        ValidationError: `secret`: `format`; `code`: `wrong`.
    """
    _require_role(actor)
    if not _is_secret(secret):
        raise ValidationError({"secret": "format"})
    step = _step_of(secret, code)
    if step is None:
        raise ValidationError({"code": "wrong"})
    with transaction():
        audit.about_to_change("account", actor.account_id)
        Account.update(second_factor=secret, second_factor_step=step).where(
            Account.id == actor.account_id
        ).execute()
        audit.record(actor, "second_factor_set", "account", actor.account_id)


def _is_secret(text: str) -> bool:
    try:
        return len(b32decode(text)) == SECRET_BYTES
    except (binascii.Error, ValueError):
        return False


def give(actor: Actor, code: str, source: str) -> None:
    """Give the code of a sign-in that waits for it; then the sign-in is whole. One that is whole needs none.

    Args:
        actor: Whose sign-in.
        code: As typed.
        source: Address of the person, by which guesses are counted.

    Raises:
        NotSignedInError: It is not the code, or was used before.
        TooManyAttemptsError: Too many wrong guesses.
    """
    if not actor.needs_code:
        return
    account = Account.get_by_id(actor.account_id)
    guess = guessing.of_account(account, account.username, source)
    guessing.check(guess)
    if not take(account, code):
        guessing.failed(guess)
        raise NotSignedInError("wrong code")
    with transaction():
        guessing.succeeded(guess)
        Token.update(needs_code=False).where(Token.id == actor.session_id).execute()
        audit.record(actor, "second_factor_given", "account", account.id)


def take(account: Account, code: str) -> bool:
    """Use a code up; return whether it was good. Of two who give the same one, one is refused."""
    step = _step_of(account.second_factor, code) if account.second_factor else None
    if step is None:
        return False
    newer = Account.second_factor_step.is_null() | (Account.second_factor_step < step)
    with transaction():
        taken = (
            Account.update(second_factor_step=step)
            .where(Account.id == account.id, Account.second_factor == account.second_factor, newer)
            .execute()
        )
    return bool(taken)


def reset(actor: Actor, username: str) -> None:
    """Take another person's second factor away, whose telephone is lost.

    Args:
        actor: An admin.
        username: Of the other account.

    Raises:
        NotFoundError: There is no such account.
        NotAllowedError: It is the actor's own: another admin does that.
    """
    account = Account.get_or_none(Account.username == username.strip().lower())
    if account is None:
        raise NotFoundError("account", username)
    if account.id == actor.account_id:
        raise NotAllowedError("second_factor", "own_second_factor")
    with transaction():
        audit.about_to_change("account", account.id)
        Account.update(second_factor=None, second_factor_step=None).where(Account.id == account.id).execute()
        audit.record(actor, "second_factor_reset", "account", account.id, username=account.username)
