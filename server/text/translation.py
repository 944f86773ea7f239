"""The server's sentences in several languages, with English msgids; one language a command or request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from core.foundation.catalogues import catalogue, installed_languages
from core.foundation.languages import DEFAULT_LANGUAGE

PACKAGE = "server"
LANGUAGES = installed_languages()
"""Languages offered, the default one first. A catalogue in `server/locale` or `tui/locale` adds one."""

_language: ContextVar[str] = ContextVar("language", default=DEFAULT_LANGUAGE)


def speak(language: str) -> None:
    """Set the language of all further sentences: one of `LANGUAGES`."""
    _language.set(language)


def language() -> str:
    """Return the language of the sentences: one of `LANGUAGES`."""
    return _language.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Use a language within the block."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def _(msgid: str) -> str:
    return catalogue(PACKAGE, _language.get()).gettext(msgid)


def N_(msgid: str) -> str:  # gettext's own name for "translated later"
    """Mark a sentence for the catalogue."""
    return msgid
