"""Languages do not leak between sessions, and every code of the core has a word on the screen."""

from __future__ import annotations

import contextvars

import pytest

from core.foundation.catalogues import catalogue
from core.foundation.codes import (
    Disposition,
    EntryStatus,
    NoIdentifierReason,
    Payer,
    Priority,
    Role,
    Sex,
    VisitStatus,
)
from core.linkage.weights import MATCH_WEIGHTS
from core.schemas.base import Problem
from tui.text import problem_words, translation
from tui.text.translation import LANGUAGES, Translator, _, ngettext


def test_each_context_has_its_own_language():
    def say(language: str) -> str:
        Translator(language).activate()
        return _("Help")

    indonesian, english = contextvars.Context(), contextvars.Context()
    assert indonesian.run(say, "id") == "Bantuan"
    assert english.run(say, "en") == "Help"
    assert indonesian.run(_, "Help") == "Bantuan"


def test_a_change_of_language_reaches_contexts_made_before_it():
    translator = Translator("id")
    context = contextvars.Context()
    context.run(translator.activate)
    later = context.run(contextvars.copy_context)
    translator.language = "en"
    assert later.run(_, "Help") == "Help"


def test_languages_follow_each_other_in_a_circle():
    translator = Translator(LANGUAGES[0])
    seen = []
    for _turn in LANGUAGES:
        seen.append(translator.language)
        translator.language = translator.next_language
    assert seen == list(LANGUAGES)
    assert translator.language == LANGUAGES[0]


def test_a_catalogue_is_all_that_another_language_needs(monkeypatch):
    monkeypatch.setattr(translation, "LANGUAGES", ("id", "en", "jv"))
    translator = Translator("en")
    assert translator.next_language == "jv"
    translator.language = "jv"
    assert translator.next_language == "id"


def test_plurals():
    context = contextvars.Context()
    context.run(Translator("en").activate)
    arguments = ("{number} patient found", "{number} patients found")
    assert context.run(ngettext, *arguments, 1) == "{number} patient found"
    assert context.run(ngettext, *arguments, 2) == "{number} patients found"
    assert catalogue("tui", "id").ngettext(*arguments, 2) == "{number} pasien ditemukan"


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (problem_words.STATUSES, EntryStatus),
        (problem_words.PRIORITIES, Priority),
        (problem_words.SEXES, Sex),
        (problem_words.PAYERS, Payer),
        (problem_words.NO_IDENTIFIER_REASONS, NoIdentifierReason),
        (problem_words.DISPOSITIONS, Disposition),
        (problem_words.ROLES, Role),
        (problem_words.VISIT_STATUSES, VisitStatus),
        (problem_words.LIKENESS, [code for code, weight in MATCH_WEIGHTS.items() if weight > 0]),
    ],
)
def test_every_code_of_the_core_has_a_word(table, codes):
    assert [str(code) for code in codes if str(code) not in table] == []


def test_every_red_flag_of_the_rules_has_a_word():
    from core.complaints.vocabulary import Vocabulary

    rules = [rule.id for rule in Vocabulary.load().rules if rule.kind == "red"]
    codes = {rule.removeprefix("red.").partition(".")[0] for rule in rules}
    assert codes - set(problem_words.RED_FLAGS) == set()


def test_every_question_of_the_rules_has_words():
    from core.complaints.vocabulary import Vocabulary

    asked = {rule.question for rule in Vocabulary.load().rules if rule.question}
    assert asked - set(problem_words.QUESTIONS) == set()


FACTS = {"number": "B-001", "other": "B-002", "cluster": "FARMASI", "closes": "15:40"}
SAID = {"both_in_queue": ["B-001", "B-002", "FARMASI"], "not_closing_yet": ["15:40"]}
"""What a refusal must say of its facts, by its code."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", problem_words.PROBLEMS)
def test_every_refusal_is_a_sentence_whatever_facts_come_with_it(code, language):
    """A sentence that names a fact nobody fills in ends the screen instead of being read."""

    def told(**details: str) -> str:
        Translator(language).activate()
        problem = Problem(title="", status=409, code=code, details=details)
        return problem_words.problem_text(problem)

    sentence = contextvars.Context().run(told, **FACTS)
    assert "{" not in sentence + contextvars.Context().run(told)
    assert code not in SAID or len(sentence) <= 78, "it fits the status line at 80 columns"
    for fact in SAID.get(code, []):
        assert fact in sentence
