"""Tokens for Mobile JKN: signed with the password, so they outlive a restart and end with it."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from core import clock
from core.accounts import Attempts
from core.config import Settings
from core.errors import NotSignedInError

_attempts = Attempts()


def sign_in(settings: Settings, username: str, password: str) -> str:
    """A token for the right name and password.

    Raises:
        NotSignedInError: One of them is wrong.
        TooManyAttemptsError: Too often.
    """
    _attempts.check(settings.jkn_username)
    if not (_same(username, settings.jkn_username) and _same(password, settings.jkn_password)):
        _attempts.failed(settings.jkn_username)
        raise NotSignedInError("wrong name or password")
    _attempts.forget(settings.jkn_username)
    ends = int((clock.now() + timedelta(hours=settings.token_hours)).timestamp())
    return f"{ends}.{_signature(settings, ends)}"


def check(settings: Settings, username: str, token: str) -> None:
    """Let a call pass.

    Raises:
        NotSignedInError: The token is not ours, not this name's, or over.
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
