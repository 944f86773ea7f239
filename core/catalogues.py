"""Translations, read from their `.po` files so that no compiled one can be stale."""

from __future__ import annotations

import io
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


@cache
def catalogue(package: str, language: str) -> NullTranslations:
    """A package's translations, read once a process.

    Args:
        package: `tui` or `server`; holds `locale/<language>/LC_MESSAGES/loket.po`.
        language: `id` or `en`; msgids are English, so English has none.
    """
    source = resources.files(package).joinpath(f"locale/{language}/LC_MESSAGES/loket.po")
    if not source.is_file():
        return NullTranslations()
    compiled = io.BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
