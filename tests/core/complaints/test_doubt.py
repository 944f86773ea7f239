"""The doubt: a danger sign that the whole sentence makes unlikely is asked about, and counts until it is denied."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import train_doubt
from core.complaints.doubt import features, shipped_doubt
from core.complaints.facts import RoutingFacts
from core.foundation.codes import DoubtAnswer, Priority, Verdict
from core.queues.clusters import load_clusters
from core.routing import route

POLI = load_clusters("poli")
DOUBTFUL = RoutingFacts("nyeri dada sebelah karena pegal angkat galon", age_days=10_000, sex="male")


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
    assert 0 <= shipped_doubt().likelihood(RoutingFacts(text, age_days=days)) <= 1


def test_a_doubt_alone_raises_nothing():
    for complaint in ("batuk pilek", "sakit gigi", "kontrol tensi", "", "xyz"):
        decision = route(RoutingFacts(complaint, age_days=12_000), None, POLI)
        assert (decision.doubt, decision.red_flags) == (None, ())


def test_the_trainer_learns_what_the_words_tell():
    def labelled(complaint, *, is_danger):
        facts = RoutingFacts(complaint, 12_000)
        return train_doubt.Labelled(facts, "0", is_danger, tuple(sorted(set(features(facts)))))

    rows = [labelled(f"kejang {n}", is_danger=True) for n in ("tadi", "terus", "lama")]
    rows += [labelled(f"minta surat {n}", is_danger=False) for n in ("sehat", "sakit", "kerja")]
    model = train_doubt.as_model(*train_doubt.fit(rows * 5), 0.5)
    assert not model.doubts(RoutingFacts("anak kejang", 12_000))
    assert model.doubts(RoutingFacts("minta surat izin", 12_000))


def test_at_most_the_share_asked_for_lies_below_the_threshold():
    likelihoods = [n / 1000 for n in range(1000)]
    threshold = train_doubt.threshold_of(likelihoods)
    assert sum(value < threshold for value in likelihoods) <= train_doubt.MOST_TOUCHED * len(likelihoods)
