"""The doubt: a danger sign that the whole sentence makes unlikely is asked about, and counts until it is denied."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import train_doubt
from core.complaints.facts import RoutingFacts
from core.complaints.learned.doubt import shipped_doubt
from core.complaints.vocabulary import Vocabulary
from core.foundation.codes import DoubtAnswer, Priority, Verdict
from core.queues.clusters import load_clusters
from core.routing import read_of_patient, route

POLI = load_clusters("poli")
DOUBTFUL = RoutingFacts("nyeri dada sebelah karena pegal angkat galon", age_days=10_000, sex="male")


def reading_of(facts):
    return read_of_patient(facts, Vocabulary.load())[0]


def answered(facts, answer, cluster=None):
    return route(replace(facts, doubt_answer=answer), cluster, POLI)


def test_a_doubt_that_is_not_answered_keeps_the_danger_sign():
    decision = route(DOUBTFUL, None, POLI)
    assert decision.doubt == decision.red_flags[0]
    assert (decision.proposal, decision.proposed_priority) == ("IGD", Priority.RED)


def test_a_yes_keeps_it_and_asks_no_more():
    decision = answered(DOUBTFUL, DoubtAnswer.YES)
    assert decision.doubt is None
    assert (decision.proposal, decision.proposed_priority) == ("IGD", Priority.RED)


def test_a_no_makes_it_yellow_and_never_an_ordinary_visit():
    decision = answered(DOUBTFUL, DoubtAnswer.NO, "UMUM")
    assert (decision.red_flags, decision.doubt) == ((), None)
    assert [flag.code for flag in decision.cleared] == ["chest_pain"]
    assert (decision.verdict, decision.proposed_priority) == (Verdict.MATCH, Priority.YELLOW)


@pytest.mark.parametrize(
    ("complaint", "days", "why"),
    [
        ("muntah darah banyak sejak tadi pagi", 15_000, "no doubt"),
        ("nyeri dada menjalar ke lengan kiri keringat dingin", 20_000, "no doubt"),
        ("minta obat pegal, tensi 230/130", 20_000, "measured"),
        ("mau konsultasi gizi, ingin bunuh diri", 10_000, "before others"),
        ("mau timbang, bayi tidak mau menyusu", 20, "newborn"),
        ("nyeri dada dan sesak minta surat", 16_000, "two signs: an answer to one says nothing of the other"),
        ("minta surat, sesak napas, nyeri dada sebelah karena pegal angkat galon", 10_000, "two signs"),
    ],
)
def test_a_no_to_a_question_that_was_not_asked_changes_nothing(complaint, days, why):
    facts = RoutingFacts(complaint, age_days=days)
    decision = answered(facts, DoubtAnswer.NO)
    assert decision.red_flags, why
    assert (decision.cleared, decision.proposed_priority) == ((), Priority.RED)
    assert route(facts, None, POLI).doubt is None


@given(st.text(max_size=200), st.integers(-5, 40_000))
def test_any_text_has_a_likelihood(text, days):
    facts = RoutingFacts(text, age_days=days)
    assert 0 <= shipped_doubt().likelihood(facts, reading_of(facts)) <= 1


@pytest.fixture
def suspicious(monkeypatch):
    """A model that finds everything likely, where the rules see no danger."""
    eager = replace(shipped_doubt(), suspicion=0.0)
    monkeypatch.setattr("core.routing.shipped_doubt", lambda: eager)
    return RoutingFacts("batuk pilek", age_days=12_000, sex="male")


def test_a_danger_that_no_rule_sees_is_asked_about_and_changes_nothing_until_then(suspicious):
    decision = route(suspicious, "UMUM", POLI)
    assert (decision.verdict, decision.proposal, decision.proposed_priority) == (Verdict.MATCH, "UMUM", None)
    assert (decision.red_flags, decision.cleared) == ((), ())
    assert decision.doubt is not None
    assert (decision.doubt.code, decision.doubt.word) == ("suspected", "batuk")


def test_a_yes_raises_it_and_a_no_leaves_what_the_rules_say(suspicious):
    raised = answered(suspicious, DoubtAnswer.YES, "UMUM")
    assert (raised.verdict, raised.doubt) == (Verdict.MISMATCH, None)
    assert (raised.proposal, raised.proposed_priority) == ("IGD", Priority.RED)
    assert [flag.code for flag in raised.red_flags] == ["suspected"]
    denied = answered(suspicious, DoubtAnswer.NO, "UMUM")
    assert (denied.verdict, denied.proposal, denied.red_flags) == (Verdict.MATCH, "UMUM", ())
    assert (denied.doubt, denied.cleared, denied.proposed_priority) == (None, (), None)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"chief_complaint": "muntah darah banyak"}, "a rule sees a danger"),
        ({"chief_complaint": "digigit kucing di kaki"}, "a rule sends there anyway"),
        ({"age_days": -3}, "the facts contradict each other"),
        ({"pregnant": True}, "the facts contradict each other"),
    ],
)
def test_nothing_is_suspected_where_rules_or_contradictions_speak(suspicious, change, why):
    changed = replace(suspicious, **change)
    for answer in (None, DoubtAnswer.YES):
        decision = answered(changed, answer)
        named = [flag.code for flag in (*decision.red_flags, *([decision.doubt] if decision.doubt else []))]
        assert "suspected" not in named, why


def test_ordinary_words_are_not_suspected():
    for complaint in ("batuk pilek", "sakit gigi", "kontrol tensi", "", "xyz", "sakit", "mau imunisasi"):
        decision = route(RoutingFacts(complaint, age_days=12_000), None, POLI)
        assert (decision.doubt, decision.red_flags) == (None, ())


def test_the_model_knows_the_concepts_of_the_rules_only():
    """A concept that was renamed would leave its weight unused: fit the model again."""
    vocabulary = Vocabulary.load()
    known = {*vocabulary.concepts, *(rule.says for rule in vocabulary.signs)}
    known |= {level for kind in vocabulary.measures for level in (*kind.levels, *(kind.pair or {}))}
    named = {
        part for name in shipped_doubt().weights if name[:2] in ("k:", "p:") for part in name[2:].split("|")
    }
    assert {name for name in named - known if not name.endswith("_known")} == set()


def test_the_trainer_learns_what_the_words_and_findings_tell():
    def labelled(complaint, *, is_danger):
        return train_doubt.of_facts(RoutingFacts(complaint, 12_000), "0", is_danger)

    rows = [labelled(f"kejang {n}", is_danger=True) for n in ("tadi", "terus", "lama")]
    rows += [labelled(f"minta surat {n}", is_danger=False) for n in ("sehat", "sakit", "kerja")]
    model = train_doubt.as_model(*train_doubt.fit(rows * 5), 0.5)
    # "sawan" says seizure in other letters: only the reading knows.
    for complaint, is_doubted in (("anak kejang", False), ("anak sawan", False), ("minta surat izin", True)):
        facts = RoutingFacts(complaint, 12_000)
        assert model.doubts(facts, reading_of(facts)) is is_doubted, complaint


def test_at_most_the_share_asked_for_lies_below_the_threshold():
    likelihoods = [n / 1000 for n in range(1000)]
    threshold = train_doubt.threshold_of(likelihoods)
    assert sum(value < threshold for value in likelihoods) <= train_doubt.MOST_TOUCHED * len(likelihoods)
