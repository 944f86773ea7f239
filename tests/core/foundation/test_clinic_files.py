"""A clinic's own words are checked at each start, and sound ones are not compiled for that again."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.foundation.clinic import SOUND_WORDS, Clinic
from core.foundation.config import Settings
from core.foundation.errors import SettingsError

GOOD = '[words]\ntoothache = "gusi cenat-cenut"\n'
BAD = "[words]\nno_such_concept = 7\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    own = tmp_path / "own.toml"
    own.write_text(GOOD)
    return Settings(home=tmp_path, vocabulary=str(own))


def started(settings: Settings) -> Clinic:
    clinic = Clinic.without_database(settings)
    clinic.read_files()
    return clinic


def was_compiled(clinic: Clinic) -> bool:
    return "vocabulary" in vars(clinic)


def test_words_found_sound_are_compiled_when_they_are_needed(settings: Settings) -> None:
    assert was_compiled(started(settings))
    again = started(settings)
    assert not was_compiled(again)
    assert "gusi cenat-cenut" in again.vocabulary.concepts["toothache"]
    assert (settings.home / SOUND_WORDS).stat().st_mode & 0o077 == 0


def test_a_mistake_stops_the_start_whatever_was_sound_before(settings: Settings) -> None:
    started(settings)
    Path(settings.vocabulary).write_text(BAD)
    for _ in range(2):
        with pytest.raises(SettingsError, match="LOKET_VOCABULARY"):
            started(settings)
    Path(settings.vocabulary).unlink()
    with pytest.raises(SettingsError, match="LOKET_VOCABULARY"):
        started(settings)


def test_another_file_and_other_code_are_checked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    started(settings)
    Path(settings.vocabulary).write_text(GOOD + "# another\n")
    assert was_compiled(started(settings))
    assert not was_compiled(started(settings))
    monkeypatch.setattr("sys.version", "another Python")
    assert was_compiled(started(settings))


@pytest.mark.parametrize("kept", [b"", b"\xff", b"0" * 64])
def test_a_note_that_says_something_else_is_not_believed(settings: Settings, kept: bytes) -> None:
    started(settings)
    (settings.home / SOUND_WORDS).write_bytes(kept)
    assert was_compiled(started(settings))
    assert not was_compiled(started(settings))


def test_a_folder_that_cannot_be_written_does_not_stop_the_start(settings: Settings) -> None:
    (settings.home / SOUND_WORDS).mkdir()
    assert was_compiled(started(settings))
    assert was_compiled(started(settings))
