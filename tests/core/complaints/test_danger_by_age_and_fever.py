"""Danger signs that are told by hours of life, or by two complaints together."""

import pytest

from core.complaints.facts import RoutingFacts
from core.foundation.codes import Priority
from core.queues.clusters import load_clusters
from core.routing import route

POLI = load_clusters("poli")


def decide(complaint: str, days: int | None):
    return route(RoutingFacts(complaint, days), None, POLI)


@pytest.mark.parametrize("days", [0, 1])
@pytest.mark.parametrize(
    "complaint",
    [
        "bayi kuning",
        "ikterus",
        "kontrol bayi baru lahir, ikterus?",
        "kuning",
        "mata kuning",
        "badan bayi menguning",
        "kulitnya kuning",
        "ikterik",
        "kontrol bayi, badan kuning",
        "imunisasi hb0, kelihatan kuning",
        "bayi kunig",
        "awak kuning",
        "hiperbilirubin",
    ],
)
def test_jaundice_that_may_be_of_the_first_24_hours_is_a_danger(complaint: str, days: int) -> None:
    decision = decide(complaint, days)
    assert "newborn_jaundice" in {flag.code for flag in decision.red_flags}
    assert decision.proposal == "IGD"
    assert decision.proposed_priority is Priority.RED


@pytest.mark.parametrize(
    ("complaint", "days"),
    [
        ("bayi kuning", 2),
        ("bayi kuning", 9),
        ("kuning", 30 * 365),
        ("kontrol bayi baru lahir", 0),
        ("imunisasi hb0, tidak kuning", 0),
        ("imunisasi hb0, ibu hbsag positif", 0),
        ("kuning", None),
    ],
)
def test_jaundice_of_another_age_or_denied_is_decided_as_before(complaint: str, days: int | None) -> None:
    assert "newborn_jaundice" not in {flag.code for flag in decide(complaint, days).red_flags}


@pytest.mark.parametrize(
    "complaint",
    [
        "panas 4 hari, mimisan",
        "demam, mimisan",
        "mimisan, badan panas",
        "demam tinggi 3 hari hidung berdarah",
        "panas dan keluar darah dari hidung",
        "demam sudah 5 hari, tadi pagi mimisan",
        "mariap, hidung badarah",
        "epistaksis, febris",
        "anak demam dan mimisan dua kali",
        "panas naik turun, mimisen",
        "dbd, mimisan",
    ],
)
@pytest.mark.parametrize("years", [3, 40, 70])
def test_fever_with_a_nosebleed_warns_of_dengue(complaint: str, years: int) -> None:
    decision = decide(complaint, years * 366)
    assert "dengue_warning" in {flag.code for flag in decision.red_flags}
    assert decision.proposal == "IGD"


@pytest.mark.parametrize(
    "complaint",
    ["mimisan", "mimisan, tidak demam", "demam, tidak mimisan", "kepanasan, mimisan", "mimisan kena panas matahari",
     "riwayat mimisan, sekarang demam", "demam 2 hari"],
)  # fmt: skip
def test_one_of_the_two_alone_does_not(complaint: str) -> None:
    assert "dengue_warning" not in {flag.code for flag in decide(complaint, 40 * 366).red_flags}
