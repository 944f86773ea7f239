"""Words on the screen: gettext with English msgids, one language for each session.

Many sessions share a process, so the language is no setting of the process: each app puts its own `Translator`
into a context variable before its screens are made, and every message pump of that app inherits it.
"""

from __future__ import annotations

from contextvars import ContextVar

from core.foundation.catalogues import catalogue, installed_languages
from core.foundation.languages import DEFAULT_LANGUAGE

PACKAGE = "tui"
LANGUAGES = installed_languages()
"""Languages offered, the default one first. A catalogue in `tui/locale` or `server/locale` adds one."""


class Translator:
    """The language of one session; it may change while the session lives."""

    def __init__(self, language: str = DEFAULT_LANGUAGE) -> None:
        self._language = language if language in LANGUAGES else DEFAULT_LANGUAGE

    @property
    def language(self) -> str:
        """One of `LANGUAGES`; another value is ignored."""
        return self._language

    @language.setter
    def language(self, language: str) -> None:
        if language in LANGUAGES:
            self._language = language

    @property
    def next_language(self) -> str:
        """The language after the present one; after the last comes the first."""
        return LANGUAGES[(LANGUAGES.index(self._language) + 1) % len(LANGUAGES)]

    def activate(self) -> None:
        """Use this language for all that runs in the present context from now on."""
        _current.set(self)


_current: ContextVar[Translator] = ContextVar("translator")


def language() -> str:
    """Return the language of the session in whose context this runs."""
    translator = _current.get(None)
    return translator.language if translator is not None else DEFAULT_LANGUAGE


def _(msgid: str) -> str:
    """Return the text for an English msgid in the session's language."""
    return catalogue(PACKAGE, language()).gettext(msgid)


def N_(msgid: str) -> str:  # gettext's own name for "translated later"
    """Mark a msgid for the catalogue; `_` translates it when it is shown."""
    return msgid


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the singular or plural text for a number, in the session's language.

    Args:
        singular: English msgid for one.
        plural: English msgid for other numbers.
        number: The number.

    Returns:
        The text; placeholders are the caller's to fill.
    """
    return catalogue(PACKAGE, language()).ngettext(singular, plural, number)
