"""Contraindications name where they were read, and the reference page says so of each."""

from __future__ import annotations

from pathlib import Path

from core.orders.medicines.catalogue import document
from core.orders.medicines.checks import counted_sources

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "medicines.md"


def test_each_rule_that_was_read_stands_on_the_page_and_the_others_are_counted() -> None:
    rules = document("contraindications.toml")["rule"]
    read = [rule["code"] for rule in rules if "seen" in rule]
    named = [
        line.split("`")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    assert sorted(read) == sorted(named)
    assert all(rule["seen"].startswith("http") for rule in rules if "seen" in rule)
    assert all(rule["source"] for rule in rules)
    assert counted_sources() == (len(rules), len(read))
