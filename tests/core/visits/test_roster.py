"""The clinic's roster: what its file may say, and what it answers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.foundation.errors import SettingsError
from core.visits.roster import Hours, Roster, load_roster

CLUSTERS = {"UMUM": object(), "GIGI": object()}
SESSION = '[[session]]\ncluster = "GIGI"\ndoctor = 4711\nname = "drg. C"\nweekdays = ["monday"]\nhours = "08:00-12:00"\n'
MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 8)


def loaded(folder: Path, text: str) -> Roster:
    file = folder / "roster.toml"
    file.write_text(text, encoding="utf-8")
    return load_roster(str(file), CLUSTERS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", "Invalid"),
        ("holidays = []", "unknown field holidays"),
        ('closed_weekdays = ["minggu"]', "weekdays must be"),
        ('closed_weekdays = "sunday"', "weekdays must be"),
        ('closed_on = ["2026-08-17"]', "without quotation marks"),
        ("closed_on = [2026-08-17T08:00:00]", "without quotation marks"),
        ("session = 1", "[[session]]"),
        (SESSION.replace("4711", '"x"'), "drg. C: doctor"),
        (SESSION.replace("08:00-12:00", "25:00-26:00"), "hours must be"),
        (SESSION.replace("08:00-12:00", "12:00-08:00"), "hours must be"),
        (SESSION.replace("GIGI", "JANTUNG"), "unknown cluster JANTUNG"),
        (SESSION.replace("monday", "mon"), "weekdays must be"),
        (SESSION.replace('name = "drg. C"', ""), "name is missing"),
        (SESSION + "quota = -1", "quota must be"),
        (SESSION + "quota = true", "quota must be"),
        (SESSION + "room = 1", "unknown field room"),
        (SESSION * 2, "stands twice"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=r"LOKET_ROSTER: .*roster\.toml") as caught:
        loaded(tmp_path, text)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load_roster("/nowhere/roster.toml", CLUSTERS)


def test_without_a_file_sundays_are_closed_and_nothing_else_is_known() -> None:
    roster = load_roster("", CLUSTERS)
    assert (roster.is_closed(SUNDAY), roster.is_closed(MONDAY), roster.sessions) == (True, False, ())


def test_days_and_sessions(tmp_path: Path) -> None:
    roster = loaded(tmp_path, "closed_weekdays = []\nclosed_on = [2026-03-02]\n" + SESSION)
    assert (roster.is_closed(SUNDAY), roster.is_closed(MONDAY)) == (False, True)
    assert [session.doctor for session in roster.of_day("GIGI", MONDAY)] == ["4711"]
    assert roster.of_day("GIGI", SUNDAY) == roster.of_day("UMUM", MONDAY) == ()


@pytest.mark.parametrize("text", ["08:00-12:00", "08.00 - 12.00", "8:00-12:00", "08:00:00-12:00:00"])
def test_hours_are_read_as_they_are_written(text: str) -> None:
    assert str(Hours.read(text)) == "08:00-12:00"


@pytest.mark.parametrize(
    "text", ["", "pagi", "08:00", "24:00-25:00", "12:00-12:00", "08:60-09:00", "08:00-12:00x"]
)
def test_other_words_are_no_hours(text: str) -> None:
    assert Hours.read(text) is None
