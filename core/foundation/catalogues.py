"""Reads translations from their `.po` files, so that no compiled catalogue can be out of date (ADR 3).

The format is the part of GNU gettext's that Loket's catalogues use: comments, `msgid`, `msgid_plural`, `msgstr`
and `msgstr[0]`, with strings that go on in the next lines. Anything else is refused.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from gettext import NullTranslations
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from core.foundation.languages import DEFAULT_LANGUAGE, SOURCE_LANGUAGE

PACKAGES = ("server", "tui")
"""Packages with sentences of their own."""

ENTRY_LINE = re.compile(r'(?:(msgid|msgid_plural|msgstr|msgstr\[0\]) +)?("(?:[^"\\]|\\.)*")')
"""A keyword with the first line of its string, or a further line of it."""


class Catalogue(NullTranslations):
    """Translations into one language with one plural form, as Indonesian has; others stay as they are."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def gettext(self, message: str) -> str:
        """Return the translation of a message, or the message itself."""
        return self._texts.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the translation of a message with a number, or the English form for that number.

        Args:
            msgid1: The English form for one.
            msgid2: The English form for several.
            n: The number.
        """
        return self._texts.get(msgid1) or (msgid1 if n == 1 else msgid2)


@cache
def installed_languages(*packages: str) -> tuple[str, ...]:
    """Return the languages that have a catalogue, the default one first; each folder in a `locale` is one.

    Args:
        *packages: Those whose catalogues are looked at; by default all `PACKAGES`. What one of them has no
            catalogue for is English there.
    """
    # The places are asked for without importing the packages: the terminal never loads the server.
    specs = [find_spec(package) for package in packages or PACKAGES]
    places = [place for spec in specs if spec is not None for place in spec.submodule_search_locations or ()]
    found = {entry.parent.name for place in places for entry in Path(place).glob("locale/*/LC_MESSAGES")}
    first = (DEFAULT_LANGUAGE, SOURCE_LANGUAGE)
    return (*first, *sorted(found.difference(first)))


@cache
def catalogue(package: str, language: str) -> NullTranslations:
    """Return a package's translations, read once a process.

    Args:
        package: `tui` or `server`; holds `locale/<language>/LC_MESSAGES/loket.po`.
        language: One of `installed_languages`; msgids are English, so English has no file.

    Raises:
        ValueError: The file is not a catalogue of the expected format.
    """
    source = resources.files(package).joinpath(f"locale/{language}/LC_MESSAGES/loket.po")
    if not source.is_file():
        return NullTranslations()
    return Catalogue(read_catalogue(source.read_text(encoding="utf-8")))


def read_catalogue(text: str) -> dict[str, str]:
    """Return message -> translation of a `.po` file, without its header and without empty translations.

    Raises:
        ValueError: A line is no comment and no part of an entry, or an entry has no translation.
    """
    texts: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", text):
        entry = _entry(block)
        if not entry:
            continue
        if "msgid" not in entry:
            raise ValueError("an entry without msgid")
        translation = entry.get("msgstr", entry.get("msgstr[0]"))
        if translation is None:
            raise ValueError(f"an entry without translation: {entry['msgid']}")
        if entry["msgid"] and translation:
            texts[entry["msgid"]] = translation
    return texts


def _entry(block: str) -> dict[str, str]:
    """Return keyword -> string of one entry; empty where the block holds comments alone."""
    strings: dict[str, str] = {}
    keyword = ""
    for line in block.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        found = ENTRY_LINE.fullmatch(line.strip())
        if found is None or not (found[1] or keyword):
            raise ValueError(f"not a line of a catalogue: {line}")
        if found[1] in strings:
            raise ValueError(f"{found[1]} twice in one entry: {line}")
        keyword = found[1] or keyword
        strings[keyword] = strings.get(keyword, "") + _unquoted(found[2])
    return strings


def _unquoted(text: str) -> str:
    if "\\" not in text:
        return text[1:-1]
    # Escapes of .po files are those of C, which for the ones in use are Python's.
    try:
        return str(ast.literal_eval(text))
    except SyntaxError:
        raise ValueError(f"not a string: {text}") from None
