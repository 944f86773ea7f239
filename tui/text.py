"""Words on the screen: gettext with English msgids, one language a session.

Many sessions share a process, so the language is no setting of the process: each app puts its
own `Translator` into a context variable before its screens are made, and every message pump of
that app inherits it.
"""

from __future__ import annotations

from contextvars import ContextVar

from core.catalogues import catalogue

LANGUAGES = ("id", "en")
"""Languages offered; msgids are English, so `en` needs no catalogue."""


class Translator:
    """The language of one session; it may change while the session lives."""

    def __init__(self, language: str = "id") -> None:
        self._language = language if language in LANGUAGES else "id"

    @property
    def language(self) -> str:
        """`id` or `en`."""
        return self._language

    @language.setter
    def language(self, language: str) -> None:
        if language in LANGUAGES:
            self._language = language

    @property
    def other(self) -> str:
        """The language that a change would give."""
        return "en" if self._language == "id" else "id"

    def activate(self) -> None:
        """Use this language for all that runs in the present context from now on."""
        _current.set(self)


_current: ContextVar[Translator] = ContextVar("translator")


def language() -> str:
    """The language of the session in whose context this runs."""
    translator = _current.get(None)
    return translator.language if translator is not None else "id"


def _(msgid: str) -> str:
    """The session's words for an English msgid."""
    return catalogue("tui", language()).gettext(msgid)


def N_(msgid: str) -> str:  # gettext's own name for "translated later"
    """Mark a msgid for the catalogue; `_` translates it when it is shown."""
    return msgid


def ngettext(singular: str, plural: str, number: int) -> str:
    """The session's words for a number of things."""
    return catalogue("tui", language()).ngettext(singular, plural, number)
