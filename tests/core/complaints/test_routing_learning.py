"""Learning from corrections: helps where the rules know too little, never touches danger and constraints."""

import json

import pytest

from core.complaints.facts import RoutingFacts, reason_text
from core.complaints.learned.corrections import Example, NaiveBayes, evaluate, train
from core.foundation.codes import Verdict
from core.queues.clusters import load_clusters
from core.routing import route

POLI = load_clusters("poli")


def facts(complaint, years=30, **more):
    return RoutingFacts(complaint, age_days=int(years * 366), **more)


def corrections():
    """A word only this clinic uses, many times moved to the dentist, beside ordinary visits."""
    local = [
        Example(facts(f"{word} galumbir", years), "GIGI")
        for word in ("", "sakit", "lawas")
        for years in range(10, 30)
    ]
    plain = [
        Example(facts(word, years), "UMUM")
        for word in ("demam", "batuk", "pusing")
        for years in range(10, 30)
    ]
    return [example for pair in zip(local, plain, strict=True) for example in pair]


def test_a_word_learnt_from_corrections_answers_what_the_rules_could_not():
    model = train(corrections(), POLI)
    alone = route(facts("galumbir"), None, POLI)
    taught = route(facts("galumbir"), "UMUM", POLI, model=model)
    assert alone.verdict is Verdict.UNSURE
    assert (taught.verdict, taught.proposal) == (Verdict.MISMATCH, "GIGI")
    assert reason_text(taught.reasons[0], "en", POLI) == "galumbir (learnt from corrections) → Poli Gigi"


def test_the_model_never_overrides_danger_constraints_or_service_words():
    model = train([*corrections(), *(Example(facts("nyeri dada", y), "GIGI") for y in range(10, 60))], POLI)
    assert route(facts("nyeri dada galumbir"), None, POLI, model=model).proposal == "IGD"
    assert (
        route(facts("galumbir", sex="male", pregnant=True), None, POLI, model=model).verdict
        is Verdict.BLOCKED
    )
    assert route(facts("suntik kb galumbir", sex="female"), None, POLI, model=model).proposal == "KIA"


def test_one_correction_is_not_enough_to_speak():
    few = [Example(facts("galumbir"), "GIGI"), *(Example(facts("demam", y), "UMUM") for y in range(10, 30))]
    assert route(facts("galumbir"), None, POLI, model=train(few, POLI)).verdict is Verdict.UNSURE


def test_a_model_switched_off_or_empty_says_nothing():
    learnt = train(corrections(), POLI)
    off = NaiveBayes(learnt.totals, learnt.counts, enabled=False)
    for model in (off, train([], POLI)):
        assert route(facts("galumbir"), None, POLI, model=model).verdict is Verdict.UNSURE


def test_evaluation_passes_what_helps_and_refuses_what_harms_or_is_too_little():
    helping = evaluate(None, corrections(), POLI)
    assert helping.passed
    assert (helping.helped, helping.harmed) == (60, 0)
    assert helping.together_share == 1.0
    moved = [Example(facts("demam", years), "GIGI") for years in range(10, 40)]
    wrong = train([*moved, *(Example(facts("pusing", years), "UMUM") for years in range(10, 40))], POLI)
    harmful = evaluate(wrong, [Example(facts("demam", years), "UMUM") for years in range(10, 50)], POLI)
    assert harmful.harmed > 0
    assert not harmful.passed
    assert not evaluate(None, corrections()[:20], POLI).passed


def test_a_model_is_saved_as_readable_json_and_read_back(tmp_path):
    model = train(corrections(), POLI)
    model.save(tmp_path / "model.json")
    assert json.loads((tmp_path / "model.json").read_text())["counts"]["word:galumbir"] == {"GIGI": 60}
    assert NaiveBayes.load(tmp_path / "model.json") == model


@pytest.mark.parametrize("text", ['{"format": 99}', '{"format": 2, "totals": 3}', "[]", "not json"])
def test_a_file_that_is_no_model_is_refused(tmp_path, text):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(ValueError):
        NaiveBayes.load(tmp_path / "model.json")
