"""Every sentence of the screen exists in Indonesian, and languages do not leak between sessions."""

from __future__ import annotations

import contextvars
import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import tui
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
from tui.door.contracts import DoorTexts
from tui.text import Translator, _, catalogue, ngettext

FOLDER = Path(tui.__file__).parent
CATALOGUE = FOLDER / "locale/id/LC_MESSAGES/loket.po"


def used_msgids() -> set[str | tuple[str, ...]]:
    keywords = {"_": None, "N_": None, "ngettext": (1, 2)}
    found = extract_from_dir(FOLDER, method_map=[("**.py", "python")], keywords=keywords)
    msgids: set[str | tuple[str, ...]] = {message for _file, _line, message, _comments, _context in found}
    plain = DoorTexts()
    return msgids | {getattr(plain, name) for name in DoorTexts.__dataclass_fields__}


def test_every_msgid_has_an_indonesian_translation():
    with CATALOGUE.open("rb") as file:
        known = {message.id: message.string for message in read_po(file) if message.id}
    missing = [msgid for msgid in used_msgids() if not known.get(msgid)]
    assert missing == []


def test_translations_keep_the_placeholders():
    with CATALOGUE.open("rb") as file:
        messages = [message for message in read_po(file) if message.id and isinstance(message.id, str)]

    def names(text: str) -> set[str]:
        return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}

    assert [m.id for m in messages if names(m.id) != names(str(m.string))] == []


def test_the_catalogue_holds_nothing_that_is_not_used():
    with CATALOGUE.open("rb") as file:
        known = {message.id for message in read_po(file) if message.id}
    assert known - used_msgids() == set()


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
    assert catalogue("id").ngettext(*arguments, 2) == "{number} pasien ditemukan"


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
