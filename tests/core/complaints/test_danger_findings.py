"""Each danger sign has a source and examples that hold, and the page that a doctor signs shows them."""

import csv
from pathlib import Path

import pytest

from core.complaints.danger_examples import example_facts, example_faults
from core.complaints.facts import RoutingFacts
from core.complaints.rules.shipped_rules import overlay, shipped_document
from core.complaints.vocabulary import Vocabulary, compile_vocabulary
from core.queues.clusters import load_clusters
from core.routing import route
from docs import draw_triage

ROOT = Path(__file__).parents[3]
POLI = load_clusters("poli")


def test_every_danger_sign_has_a_source_and_examples_that_hold():
    assert [fault.text for fault in example_faults(Vocabulary.load(), POLI)] == []


def test_the_page_that_a_doctor_signs_is_what_is_drawn():
    assert (ROOT / "docs" / "reference" / "triage.md").read_text(encoding="utf-8") == draw_triage.page()


def test_an_example_that_does_not_hold_is_told():
    own = {
        "dangers": {
            "stroke": {"source": "FAST", "examples": ["batuk pilek | 60y"], "not": ["mulut mencong | 60y m"]},
            "gone": {"source": "none", "examples": ["mulut mencong"]},
        }
    }
    vocabulary = compile_vocabulary(overlay(shipped_document(), own), "a test's")
    said = [fault.text for fault in example_faults(vocabulary, POLI)]
    assert said == [
        "[dangers.stroke] the example 'batuk pilek | 60y' does not raise it",
        "[dangers.stroke] 'mulut mencong | 60y m' raises 'stroke' although it is no danger",
        "[dangers.gone] no red rule raises the danger sign 'gone'",
        "[dangers.gone] 'mulut mencong' does not end with | and the person, such as | 60y m",
    ]


@pytest.mark.parametrize(
    ("example", "days", "sex", "pregnant"),
    [
        ("x | 3d m", 3, "male", False),
        ("a | b | 30y f pregnant", 10958, "female", True),
        ("x | 60y", 21916, None, False),
    ],
)
def test_an_example_names_its_person(example, days, sex, pregnant):
    facts = example_facts(example)
    assert (facts.age_days, facts.sex, facts.pregnant) == (days, sex, pregnant)


def test_no_danger_that_was_seen_before_is_lost():
    """Every labelled danger is seen but those of the list, which only ever grows shorter."""
    missed = set()
    for name in ("complaints.csv", "complaints_later.csv"):
        with (ROOT / "bench" / "data" / name).open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                facts = RoutingFacts(
                    row["complaint"], int(row["age_days"]), row["sex"] or None, row["pregnant"] == "yes"
                )
                if row["red_flag"] == "yes" and not route(facts, None, POLI).red_flags:
                    missed.add(row["complaint"])
    known = (ROOT / "bench" / "data" / "dangers_missed.txt").read_text(encoding="utf-8").splitlines()
    assert missed == set(known)
