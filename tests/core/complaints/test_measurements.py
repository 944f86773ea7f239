"""Figures written into a complaint: read in every usual spelling, and only where they are figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.complaints.facts import RoutingFacts
from core.complaints.reading.reader import read
from core.complaints.vocabulary import Vocabulary
from core.queues.clusters import load_clusters
from core.routing import route

POLI = load_clusters("poli")
VOCABULARY = Vocabulary.load()


def flags(complaint, years=40.0, sex=None, pregnant=False):
    decision = route(RoutingFacts(complaint, int(years * 365.25 + 1), sex, pregnant), None, POLI)
    return {flag.code: flag.word for flag in decision.red_flags}


@pytest.mark.parametrize(
    "complaint",
    [
        "tensi 210/120",
        "TD: 210/120 mmHg",
        "td210/120",
        "tensi tadi pagi 210 per 120",
        "tekanan darah 210-120",
        "210/120",
        "kontrol, tensinya 210/120",
    ],
)
def test_blood_pressure_is_read_however_it_is_written(complaint):
    assert "hypertension_crisis" in flags(complaint)


@pytest.mark.parametrize(
    ("complaint", "years", "code"),
    [
        ("suhu 40,5", 5, "high_fever"),
        ("panas 40.5 derajat", 30, "high_fever"),
        ("40,5 c menggigil", 30, "high_fever"),
        ("suhu 35", 0.02, "low_temperature"),
        ("bayi suhu 38", 0.1, "newborn_fever"),
        ("gds 35", 60, "low_sugar"),
        ("gula darah sewaktu: 42", 60, "low_sugar"),
        ("gds 520", 60, "high_sugar"),
        ("gds high", 60, "high_sugar"),
        ("saturasi 85", 60, "low_oxygen"),
        ("SpO2 82%", 60, "low_oxygen"),
        ("nadi 160", 40, "pulse"),
        ("rr 40", 40, "breathless"),
        ("napas 55 kali", 0.5, "breathless"),
        ("hb 5,2", 30, "severe_anaemia"),
        ("trombosit 45.000", 15, "dengue_warning"),
        ("trombosit 45 ribu", 15, "dengue_warning"),
        ("gcs 9", 50, "unconscious"),
        ("tensi 70/40 lemas", 50, "low_pressure"),
        ("tensi 190/115 pusing", 50, "hypertension_crisis"),
    ],
)
def test_a_dangerous_value_is_a_danger_sign(complaint, years, code):
    assert code in flags(complaint, years)


def test_pregnancy_lowers_the_limit():
    assert "preeclampsia" in flags("tensi 160/110", 28, "female", True)
    assert "preeclampsia" in flags("hamil 8 bulan td 170/110", 28, "female")
    assert flags("tensi 160/100", 58) == {}


@pytest.mark.parametrize(
    ("complaint", "years"),
    [
        ("tensi 130/80", 50),
        ("tensi 180 tidak pusing", 60),
        ("suhu 36,5", 0.1),
        ("suhu 38", 20),
        ("panas 40 hari", 20),
        ("demam 3 hari", 20),
        ("gds 140", 60),
        ("spo2 98", 60),
        ("nadi 88", 30),
        ("rr 40", 2 / 12),
        ("hb 11", 30),
        ("trombosit 250.000", 30),
        ("trombosit 150 ribu", 30),
        ("kontrol 24/11/2026", 60),
        ("umur 40 tahun pusing", 40),
        ("riwayat tensi 210/120", 60),
    ],
)
def test_other_values_and_other_numbers_are_none(complaint, years):
    assert flags(complaint, years) == {}


def test_the_reason_is_what_the_clerk_typed():
    assert flags("kontrol, tensi 210/120")["hypertension_crisis"] == "tensi 210/120"


def test_a_result_is_no_wish_for_a_test():
    for complaint in ("gds 140", "kolesterol 260", "asam urat 9,1", "tensi 150/90", "spo2 97"):
        assert route(RoutingFacts(complaint, 18_000), None, POLI).proposal == "UMUM"
    assert route(RoutingFacts("cek gula", 18_000), None, POLI).proposal == "LAB"


@given(
    name=st.sampled_from(["tensi", "suhu", "gds", "spo2", "nadi", "rr", "hb", "trombosit", "gcs", ""]),
    first=st.decimals(0, 99_999_999, places=1, allow_nan=False) | st.integers(0, 10**30),
    second=st.none() | st.integers(0, 10**30),
)
def test_any_number_can_be_read(name, first, second):
    text = f"{name} {first}" + (f"/{second}" if second is not None else "")
    assert read(text, VOCABULARY) == read(text, VOCABULARY)
