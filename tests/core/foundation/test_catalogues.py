"""Catalogues are read as gettext's own tools read them, and wrong ones are refused."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from core.foundation.catalogues import Catalogue, catalogue, installed_languages, read_catalogue


@pytest.mark.parametrize("package", ["server", "tui"])
def test_the_shipped_catalogues_are_read_as_babel_reads_them(package: str) -> None:
    source = resources.files(package).joinpath("locale/id/LC_MESSAGES/loket.po")
    with source.open("rb") as file:
        messages = [message for message in read_po(file, locale="id") if message.id]
    expected = {}
    for message in messages:
        assert message.string is not None
        is_plural = isinstance(message.id, tuple)
        expected[message.id[0] if is_plural else message.id] = (
            message.string[0] if is_plural else message.string
        )
    assert read_catalogue(source.read_text(encoding="utf-8")) == expected
    assert len(expected) > 100


def test_strings_go_on_in_the_next_lines_and_escapes_are_read() -> None:
    text = 'msgid ""\nmsgstr "Language: id\\n"\n\n# why\nmsgid ""\n"a \\"b\\"\\n"\n"c"\nmsgstr "d\\\\"\n"e"\n'
    assert read_catalogue(text) == {'a "b"\nc': "d\\e"}


def test_numbers_have_one_form_and_unknown_messages_stay() -> None:
    read = Catalogue(read_catalogue('msgid "{n} day"\nmsgid_plural "{n} days"\nmsgstr[0] "{n} hari"\n'))
    assert [read.ngettext("{n} day", "{n} days", n) for n in (1, 2)] == ["{n} hari", "{n} hari"]
    assert [read.ngettext("one", "many", n) for n in (1, 2)] == ["one", "many"]
    assert read.gettext("unknown") == "unknown"
    assert catalogue("tui", "en").gettext("unknown") == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        'msgid "a"\nmsgstr "b',
        'msgid "a"\n',
        'msgstr "b"\n',
        '"b"\n',
        'msgid "a"\nmsgstr "b"\nmsgid "c"\nmsgstr "d"\n',
        'msgctxt "x"\nmsgid "a"\nmsgstr "b"\n',
        'msgid "a" "b"\nmsgstr "c" + "d"\n',
        "msgid a\nmsgstr b\n",
    ],
)
def test_what_is_no_catalogue_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_catalogue(text)


def test_each_catalogue_adds_a_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "package_with_catalogues"
    for language in ("jv", "id"):
        (package / "locale" / language / "LC_MESSAGES").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    assert installed_languages("package_with_catalogues") == ("id", "en", "jv")
