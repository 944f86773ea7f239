"""Languages do not leak between sessions, and every code of the core has a word on the screen."""

from __future__ import annotations

import contextvars

import pytest

from core.catalogues import catalogue
from core.likeness import WEIGHTS
from core.vocabulary import (
    Disposition,
    EntryStatus,
    NoIdentifierReason,
    Payer,
    Priority,
    Role,
    Sex,
    VisitStatus,
)
from tui import words
from tui.text import Translator, _, ngettext


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
        (words.STATUSES, EntryStatus),
        (words.PRIORITIES, Priority),
        (words.SEXES, Sex),
        (words.PAYERS, Payer),
        (words.NO_IDENTIFIER_REASONS, NoIdentifierReason),
        (words.DISPOSITIONS, Disposition),
        (words.ROLES, Role),
        (words.VISIT_STATUSES, VisitStatus),
        (words.LIKENESS, [code for code, weight in WEIGHTS.items() if weight > 0]),
    ],
)
def test_every_code_of_the_core_has_a_word(table, codes):
    assert [str(code) for code in codes if str(code) not in table] == []


def test_every_red_flag_of_the_rules_has_a_word():
    from core.routing import Vocabulary

    rules = [rule.id for rule in Vocabulary.load().rules if rule.kind == "red"]
    codes = {rule.removeprefix("red.").partition(".")[0] for rule in rules}
    assert codes - set(words.RED_FLAGS) == set()


def test_every_question_of_the_rules_has_words():
    from core.routing import Vocabulary

    asked = {rule.question for rule in Vocabulary.load().rules if rule.question}
    assert asked - set(words.QUESTIONS) == set()
