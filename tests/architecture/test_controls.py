"""The list of security controls: counted as it says, and every place that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/controls.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d+ \|", line)
]
NAMED = sorted({place for row in ROWS for place in re.findall(r"`([\w./-]+\.?\w*(?:::\w+)?)`", row[3])})


def test_the_controls_are_numbered_and_counted_as_the_page_says() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 41))
    states = [row[2].partition(":")[0] for row in ROWS]
    counted = {state: states.count(state) for state in ("met", "partly", "not met")}
    assert sum(counted.values()) == len(ROWS)
    said = re.search(r"\*\*Met (\d+), partly (\d+), not met (\d+)\.\*\*", PAGE)
    assert said is not None
    assert counted == dict(zip(("met", "partly", "not met"), map(int, said.groups()), strict=True))


def test_every_control_names_a_place_and_what_lacks_is_said() -> None:
    assert [row[0] for row in ROWS if "`" not in row[3]] == []
    assert [row[0] for row in ROWS if not row[2].startswith("met") and ":" not in row[2]] == []


@pytest.mark.parametrize("place", NAMED)
def test_a_named_place_is_there(place: str) -> None:
    path, _, test = place.partition("::")
    assert (ROOT / path).is_file(), place
    if test:
        assert re.search(rf"^(async )?def {test}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), place
