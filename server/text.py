"""The server's sentences in two languages, with English msgids; one language a command or request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from core.catalogues import catalogue

_language: ContextVar[str] = ContextVar("language", default="id")


def speak(language: str) -> None:
    """Set the language of what is said from here on: `id` or `en`."""
    _language.set(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Say what is said within the block in a language."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def _(msgid: str) -> str:
    return catalogue("server", _language.get()).gettext(msgid)


def N_(msgid: str) -> str:  # gettext's own name for "translated later"
    """Mark a sentence for the catalogue."""
    return msgid
