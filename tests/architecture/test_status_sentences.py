"""A sentence of the status line is never cut off at 80 columns, in any language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from core.foundation.catalogues import catalogue
from core.foundation.config import LANGUAGES
from tui.screens.entry_actions import KEY_WORDS
from tui.text import problem_words

ROOT = Path(__file__).parents[2]
CELLS = 80 - 3  # beside the sign of an error and a blank at each end


def said_by(source: str) -> Iterator[str]:
    """Yield the sentences without filled-in parts that a screen says."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr == "say" and node.args:
            yield from sentences(node.args[0])


def sentences(node: ast.expr) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "_":
            text = call.args[0]
            if isinstance(text, ast.Constant) and isinstance(text.value, str) and "{" not in text.value:
                yield text.value


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_screen_says_fits(language: str) -> None:
    texts = catalogue("tui", language)
    files = sorted((ROOT / "tui" / "screens").rglob("*.py"))
    said = {sentence for file in files for sentence in said_by(file.read_text(encoding="utf-8"))}
    assert len(said) > 50, "the sentences were not found"
    assert [texts.gettext(text) for text in said if cell_len(texts.gettext(text)) > CELLS] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_a_key_was_set_aside_fits(language: str) -> None:
    texts = catalogue("tui", language)
    longest = max((texts.gettext(word) for word in KEY_WORDS.values()), key=cell_len)
    told = [texts.gettext(text).format(key=longest) for text in problem_words.STRAY_KEYS.values()]
    assert [text for text in told if cell_len(text) > CELLS] == []
