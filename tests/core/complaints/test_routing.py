"""Routing: the verdicts of the design, the order of the rules, and that nothing is guessed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.complaints.facts import RoutingFacts, reason_text
from core.foundation.codes import Priority, Verdict
from core.foundation.errors import NotFoundError
from core.queues.clusters import load_clusters
from core.routing import route

POLI = load_clusters("poli")
ILP = load_clusters("ilp")
DAYS = 365.25


def person(complaint, years=30.0, sex=None, pregnant=False):
    return RoutingFacts(complaint, age_days=int(years * DAYS + 1), sex=sex, pregnant=pregnant)


@pytest.mark.parametrize(
    ("complaint", "years", "poli", "ilp"),
    [
        pytest.param("sakit gigi geraham", 72, "GIGI", "GIGI", id="a service word before age"),
        pytest.param("demam 3 hari", 4, "KIA", "K2", id="sick child under five"),
        pytest.param("demam 3 hari", 5, "UMUM", "K2", id="sick child from five"),
        pytest.param("demam 3 hari", 17, "UMUM", "K2", id="under eighteen"),
        pytest.param("demam 3 hari", 18, "UMUM", "K3", id="eighteen"),
        pytest.param("demam 3 hari", 60, "LANSIA", "K3", id="sixty"),
        pytest.param("cek gula darah", 70, "LAB", "LAB", id="a test"),
        pytest.param("suntik kb", 28, "KIA", "K3", id="family planning"),
        pytest.param("imunisasi campak", 0.8, "KIA", "K2", id="immunisation"),
        pytest.param("batuk sudah 3 minggu", 40, "UMUM", "K4", id="cough of two weeks or more"),
        pytest.param("batuk pilek 3 hari", 40, "UMUM", "K3", id="short cough"),
        pytest.param("luka kena parang", 40, "IGD", "IGD", id="injury"),
        pytest.param("minta rujukan", 65, "LANSIA", "K3", id="paper"),
    ],
)
def test_the_proposal_follows_complaint_and_age(complaint, years, poli, ilp):
    assert route(person(complaint, years), None, POLI).proposal == poli
    assert route(person(complaint, years), None, ILP).proposal == ilp


def test_agreeing_is_a_match_and_another_cluster_a_mismatch():
    facts = person("sakit gigi")
    assert route(facts, "GIGI", POLI).verdict is Verdict.MATCH
    other = route(facts, "UMUM", POLI)
    assert (other.verdict, other.proposal) == (Verdict.MISMATCH, "GIGI")


@pytest.mark.parametrize("chosen", [None, "UMUM"])
@pytest.mark.parametrize(
    ("words", "question"),
    [
        ("sakit", "where"),
        ("kontrol", "what_for"),
        ("periksa", "what_for"),
        ("mau periksa", "what_for"),
        ("", "which_complaint"),
        ("   -  ", "which_complaint"),
        ("sakit sudah 3 hari", "where"),
        ("obat", "which_medicine"),
        ("qwrtp zxcvb", "which_complaint"),
    ],
)
def test_words_that_say_too_little_are_asked_about(words, question, chosen):
    decision = route(person(words), chosen, POLI)
    assert (decision.verdict, decision.question, decision.proposal) == (Verdict.UNSURE, question, None)


def test_an_unknown_age_is_asked_for_only_where_it_decides():
    assert route(RoutingFacts("demam"), None, POLI).question == "age"
    assert route(RoutingFacts("sakit gigi"), None, POLI).proposal == "GIGI"
    assert route(RoutingFacts("bayi demam"), None, POLI).proposal == "KIA"


@pytest.mark.parametrize(
    ("facts", "chosen", "field"),
    [
        pytest.param(person("periksa hamil", 30, "male", True), "KIA", "pregnant", id="pregnant man"),
        pytest.param(person("periksa hamil", 30, "male"), "KIA", "sex", id="pregnancy check for a man"),
        pytest.param(person("kontrol hamil", 70, "female", True), "KIA", "pregnant", id="pregnant at 70"),
        pytest.param(person("imunisasi dasar", 30), "KIA", "birth_date", id="adult, infant immunisation"),
        pytest.param(RoutingFacts("demam", age_days=-1), "UMUM", "birth_date", id="birth date in the future"),
        pytest.param(person("demam", 125), "LANSIA", "birth_date", id="older than anyone"),
        pytest.param(
            RoutingFacts("demam", age_days=0), "LANSIA", "birth_date", id="born today, elderly cluster"
        ),
    ],
)
def test_contradictions_block_and_name_the_field(facts, chosen, field):
    decision = route(facts, chosen, POLI)
    assert (decision.verdict, decision.blocked_field) == (Verdict.BLOCKED, field)


def test_someone_born_today_is_not_let_into_an_adult_cluster_of_ilp():
    decision = route(RoutingFacts("demam", age_days=0), "K3", ILP)
    assert (decision.verdict, decision.blocked_code) == (Verdict.BLOCKED, "born_today_in_adult_cluster")


def test_a_red_flag_comes_first_with_emergency_and_priority_red():
    decision = route(person("sakit gigi, dada terasa nyeri dan sesak"), "GIGI", POLI)
    assert (decision.verdict, decision.proposal) == (Verdict.MISMATCH, "IGD")
    assert decision.proposed_priority is Priority.RED
    assert {flag.code for flag in decision.red_flags} == {"chest_pain", "breathless"}
    assert "GIGI" in [suggestion.cluster for suggestion in decision.suggestions]


def test_words_that_cannot_concern_the_person_never_hold_up_an_emergency():
    decision = route(person("imunisasi bayi, tiba-tiba pingsan", 30), "KIA", POLI)
    assert (decision.verdict, decision.proposal) == (Verdict.MISMATCH, "IGD")


def test_pregnancy_moves_general_complaints_but_not_teeth():
    assert route(person("demam", 25, "female", True), None, POLI).proposal == "KIA"
    assert route(person("sakit gigi", 25, "female", True), None, POLI).proposal == "GIGI"
    assert route(person("kontrol", 25, "female", True), None, POLI).proposal == "KIA"


def test_ages_are_exact_on_birthdays():
    born, eve, day = date(1966, 3, 2), date(2026, 3, 1), date(2026, 3, 2)
    assert route(RoutingFacts("demam", birth_date=born, visit_date=eve), None, POLI).proposal == "UMUM"
    assert route(RoutingFacts("demam", birth_date=born, visit_date=day), None, POLI).proposal == "LANSIA"


def test_reasons_are_the_clerks_own_words():
    decision = route(person("Geraham sebelah kiri sakit", 72), None, POLI)
    assert reason_text(decision.reasons[0], "id", POLI) == "geraham → Poli Gigi"
    age = route(person("demam", 72), None, POLI).reasons[-1]
    assert reason_text(age, "id", POLI) == "72 tahun → Poli Lansia"
    assert reason_text(age, "en", POLI) == "72 years → Poli Lansia"


def test_an_unknown_cluster_is_not_found():
    with pytest.raises(NotFoundError):
        route(person("demam"), "XRAY", POLI)


@given(
    complaint=st.one_of(st.text(), st.text(alphabet="abdegiknrstu 0123,.-()/2", max_size=80)),
    age_days=st.none() | st.integers(-400, 60_000),
    sex=st.sampled_from([None, "male", "female"]),
    pregnant=st.booleans(),
    chosen=st.sampled_from([None, "UMUM", "KIA", "IGD", "FARMASI"]),
)
def test_no_input_crashes_routing_and_every_answer_is_whole(complaint, age_days, sex, pregnant, chosen):
    decision = route(RoutingFacts(complaint, age_days, sex, pregnant), chosen, POLI)
    assert (decision.verdict is Verdict.BLOCKED) == (decision.blocked_field is not None)
    assert (decision.verdict is Verdict.UNSURE) == (decision.question is not None)
    if decision.verdict in (Verdict.MATCH, Verdict.MISMATCH):
        assert decision.proposal is not None
        assert decision.proposal in POLI
        assert POLI[decision.proposal].stage == "first"
        assert decision.suggestions[0].reasons
        assert (decision.verdict is Verdict.MATCH) == (chosen in (None, decision.proposal))
    scores = [suggestion.score for suggestion in decision.suggestions]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@pytest.mark.parametrize(
    "complaint", ["cek darah lengkap", "cek golongan darah", "cek gula darah", "hasil darah"]
)
def test_an_idiom_of_blood_is_a_test_and_no_bleeding(complaint):
    decision = route(person(complaint, 30, "female", True), None, POLI)
    assert (decision.proposal, decision.red_flags) == ("LAB", ())
