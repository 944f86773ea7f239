"""Every sentence that people read exists in Indonesian, word for word with its placeholders."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import server
import tui
from core.foundation.database import UNUSABLE
from core.patients.fields import PATIENT_FIELDS
from server import cli
from server.text import command_help, problem_words, routing_sentences
from tui.door.contracts import DoorTexts
from tui.text import problem_words as counter_words

PACKAGES = {package.__name__: Path(str(package.__file__)).parent for package in (server, tui)}
each_package = pytest.mark.parametrize("package", PACKAGES)


def used(package: str) -> set[str | tuple[str, ...]]:
    keywords = {"_": None, "N_": None, "ngettext": (1, 2)}
    found = extract_from_dir(PACKAGES[package], method_map=[("**.py", "python")], keywords=keywords)
    msgids: set[str | tuple[str, ...]] = {message for _file, _line, message, _comments, _context in found}
    if package == "server":
        msgids |= command_help.sentences(cli.composed())
        msgids |= routing_sentences.CORE_MSGIDS
    if package == "tui":
        plain = DoorTexts()
        msgids |= {getattr(plain, name) for name in DoorTexts.__dataclass_fields__}
        texts = {text for field in PATIENT_FIELDS for text in (field.label, field.hint)}
        msgids |= texts - {""}
    return msgids


def translated(package: str) -> dict[str | tuple[str, ...], str]:
    with (PACKAGES[package] / "locale/id/LC_MESSAGES/loket.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    return {_key(message.id): str(message.string) for message in messages}


def _key(msgid: str | tuple[str, ...] | list[str]) -> str | tuple[str, ...]:
    return tuple(msgid) if isinstance(msgid, list) else msgid


@each_package
def test_every_msgid_has_an_indonesian_translation(package):
    known = translated(package)
    assert [msgid for msgid in used(package) if not known.get(msgid)] == []


@each_package
def test_translations_keep_the_placeholders(package):
    def names(text: str) -> set[str]:
        return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}

    known = translated(package)
    assert [i for i, text in known.items() if isinstance(i, str) and names(i) != names(text)] == []


@each_package
def test_the_catalogue_holds_nothing_that_is_not_used(package):
    assert set(translated(package)) - used(package) == set()


def test_whatever_keeps_the_database_from_working_has_words_for_the_admin_and_for_the_counter():
    for reason, _marks in UNUSABLE:
        assert reason in problem_words.PROBLEMS
        assert reason in counter_words.PROBLEMS
