"""Tokens for Mobile JKN, signed with its password: they survive a restart and end with the password."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from core.accounts import guessing
from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.errors import NotSignedInError

SUBJECT = "mobile-jkn"
"""Under which guesses at the password are counted: by address only, so that a stranger keeps nobody out."""


def sign_in(settings: Settings, username: str, password: str, source: str) -> str:
    """Return a token for the right name and password.

    Args:
        settings: The clinic's.
        username: As given.
        password: As given.
        source: Address of the caller.

    Raises:
        NotSignedInError: Name or password is wrong.
        TooManyAttemptsError: There were too many wrong attempts.
    """
    guess = guessing.of_subject(SUBJECT, source, counted_together=False)
    guessing.check(guess)
    if not (_same(username, settings.jkn_username) and _same(password, settings.jkn_password)):
        guessing.failed(guess)
        raise NotSignedInError("wrong name or password")
    guessing.succeeded(guess)
    ends = int((clock.now() + timedelta(hours=settings.token_hours)).timestamp())
    return f"{ends}.{_signature(settings, ends)}"


def check(settings: Settings, username: str, token: str) -> None:
    """Accept a valid token.

    Args:
        settings: Settings with the agreed name and password.
        username: Name given by the caller.
        token: Token given by the caller.

    Raises:
        NotSignedInError: The token is not one of Loket's, belongs to another name, or has expired.
    """
    ends, _, signature = token.partition(".")
    if not (ends.isascii() and ends.isdigit() and len(ends) <= 12) or not _same(
        username, settings.jkn_username
    ):
        raise NotSignedInError("no token")
    if not _same(signature, _signature(settings, int(ends))):
        raise NotSignedInError("not our token")
    if clock.now() >= datetime.fromtimestamp(int(ends), clock.now().tzinfo):
        raise NotSignedInError("token over")


def _signature(settings: Settings, ends: int) -> str:
    text = f"mobile-jkn {settings.jkn_username} {ends}"
    return hmac.new(settings.jkn_password.encode(), text.encode(), hashlib.sha256).hexdigest()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
