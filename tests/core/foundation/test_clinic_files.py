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
def own_words(tmp_path: Path) -> Settings:
    """Settings of a clinic with words of its own, which take a third of a second to compile."""
    own = tmp_path / "own.toml"
    own.write_text(GOOD)
    return Settings(home=tmp_path, vocabulary=str(own))


@pytest.fixture
def shipped_words(tmp_path: Path) -> Settings:
    """Settings of a clinic without; these words are compiled once a process."""
    return Settings(home=tmp_path)


def started(settings: Settings) -> Clinic:
    clinic = Clinic.without_database(settings)
    clinic.read_files()
    return clinic


def was_compiled(clinic: Clinic) -> bool:
    return "vocabulary" in vars(clinic)


def test_words_found_sound_are_compiled_when_they_are_needed(own_words: Settings) -> None:
    assert was_compiled(started(own_words))
    again = started(own_words)
    assert not was_compiled(again)
    assert "gusi cenat-cenut" in again.vocabulary.concepts["toothache"]
    assert (own_words.home / SOUND_WORDS).stat().st_mode & 0o077 == 0
    Path(own_words.vocabulary).write_text(GOOD + "# another\n")
    assert was_compiled(started(own_words))


def test_a_mistake_stops_the_start_whatever_was_sound_before(own_words: Settings) -> None:
    started(own_words)
    Path(own_words.vocabulary).write_text(BAD)
    for _ in range(2):
        with pytest.raises(SettingsError, match="LOKET_VOCABULARY"):
            started(own_words)
    Path(own_words.vocabulary).unlink()
    with pytest.raises(SettingsError, match="LOKET_VOCABULARY"):
        started(own_words)


def test_other_code_checks_again(shipped_words: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    started(shipped_words)
    assert not was_compiled(started(shipped_words))
    monkeypatch.setattr("sys.version", "another Python")
    assert was_compiled(started(shipped_words))


@pytest.mark.parametrize("kept", [b"", b"\xff", b"0" * 64])
def test_a_note_that_says_something_else_is_not_believed(shipped_words: Settings, kept: bytes) -> None:
    started(shipped_words)
    (shipped_words.home / SOUND_WORDS).write_bytes(kept)
    assert was_compiled(started(shipped_words))
    assert not was_compiled(started(shipped_words))


def test_a_folder_that_cannot_be_written_does_not_stop_the_start(shipped_words: Settings) -> None:
    (shipped_words.home / SOUND_WORDS).mkdir()
    for _ in range(2):
        assert was_compiled(started(shipped_words))
