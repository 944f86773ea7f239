"""Chooses a text in the reader's language. A text in several languages is `{language: text}`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

LocalizedText = Mapping[str, str]
"""Language code (`id`, `en`) -> text. Empty texts count as missing."""

DEFAULT_LANGUAGE = "id"
"""The language that every text has."""
SOURCE_LANGUAGE = "en"
"""Language of the msgids, which needs no catalogue; texts that another language lacks are shown in it."""


def in_language(texts: LocalizedText, language: str) -> str:
    """Return the text in `language`, else in English, else in the default language; empty when there is none."""
    wanted = (language, SOURCE_LANGUAGE, DEFAULT_LANGUAGE)
    return next((texts[each] for each in wanted if texts.get(each)), "")


@cache
def data_table(file: str) -> Mapping[str, Any]:
    """Return a TOML file of `core/data`, in which the program's lists and their texts stand.

    Args:
        file: Its name, such as `reports.toml`.

    Raises:
        ValueError: It is no TOML; the file and the line are named.
    """
    text = resources.files("core.data").joinpath(file).read_text(encoding="utf-8")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"core/data/{file}: {error}") from None
