"""A mistake in a clinic's own file is told with its line."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.foundation.toml_lines import at_line, line_of

FORM = """code = "x"

[[section]]
title = "one"

[[section.field]]
name = "a"

[[section.field]]
name = "b"
kind = "odd"

[[section]]
title = "two"

[[section.field]]
name = "c"
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("code",), 1), (("section", 0), 3), (("section", 0, "title"), 4), (("section", 0, "field", 1), 9),
        (("section", 0, "field", 1, "kind"), 11), (("section", 1, "title"), 14),
        (("section", 1, "field", 0, "name"), 17), (("section", 1, "field", 0, "none"), 16), ((), 0), (("none",), 0),
        (("section", 7), 0),
    ],
)  # fmt: skip
def test_a_place_is_found(place: tuple[str | int, ...], line: int) -> None:
    assert line_of(FORM, place) == line
    assert at_line(FORM, place) == (f"line {line}: " if line else "")


@given(st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=9))
def test_each_table_of_an_array_is_on_its_own_line(codes: list[str]) -> None:
    text = "\n".join(f'# one more\n[[row]]\ncode = "{code}"\n' for code in codes)
    assert [row["code"] for row in tomllib.loads(text)["row"]] == codes
    lines = text.splitlines()
    for index, code in enumerate(codes):
        assert lines[line_of(text, ("row", index)) - 1] == "[[row]]"
        assert lines[line_of(text, ("row", index, "code")) - 1] == f'code = "{code}"'
