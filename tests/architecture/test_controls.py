"""The lists of security controls and findings: counted as they say, and every place that they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.findings import ATTACKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/controls.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d+ \|", line)
]
FINDINGS = (ROOT / "docs/reference/security-findings.md").read_text(encoding="utf-8")
FOUND = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in FINDINGS.splitlines()
    if re.match(r"\| [ABC]\d+|\| S4", line)
]
PLACE = re.compile(r"`([\w./-]+\.?\w*(?:::\w+)?)`")
NAMED = sorted({place for row in (*ROWS, *FOUND) for place in PLACE.findall(row[3])})


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


def test_every_finding_of_the_review_has_a_row_and_a_test() -> None:
    numbers = [row[0] for row in FOUND]
    reviewed = [
        *(f"A{n}" for n in range(1, 5)),
        *(f"B{n}" for n in range(1, 15)),
        *(f"C{n}" for n in range(1, 14)),
    ]
    assert numbers == [*reviewed, "S4"]
    assert [row[0] for row in FOUND if "::" not in row[3]] == []


def test_every_attack_of_the_bench_is_of_a_finding() -> None:
    assert {number.split()[0].rstrip("abc") for number in ATTACKS} <= {row[0] for row in FOUND}


@pytest.mark.parametrize("place", NAMED)
def test_a_named_place_is_there(place: str) -> None:
    path, _, test = place.partition("::")
    assert (ROOT / path).is_file(), place
    if test:
        assert re.search(rf"^(async )?def {test}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), place
