"""A line that is longer than its row says so: a word cut off looks like another word."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.style import Style

from tui.widgets.painting import paint


@pytest.mark.parametrize(
    ("parts", "width", "shown"),
    [
        (["Jl. Kelayan A No. 97"], 10, "Jl. Kelay…"), (["Jl. Kelayan"], 11, "Jl. Kelayan"), (["Jl.", " Kelayan"], 6, "Jl. K…"),
        (["A-001   "], 5, "A-001"), (["漢字漢字"], 5, "漢字…"), (["ab"], 1, "a"), (["short"], 8, "short   "),
    ],
)  # fmt: skip
def test_what_is_cut_ends_in_an_ellipsis(parts: list[str], width: int, shown: str) -> None:
    strip = paint([(part, Style()) for part in parts], width)
    assert strip.text == shown
    assert cell_len(strip.text) == width
