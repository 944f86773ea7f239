"""The closing hour at the dentist's screen: asked above the queue, answered by keys, taken back in the morning."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.daily import backup, closing
from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import connection
from core.queues import day_end
from server.run import Background
from tests.tui.conftest import Counter, press, until
from tests.tui.looking import said, save_picture, screen_of, screen_text
from tests.tui.queues import someone
from tui.screens import stray_keys
from tui.screens.day_end import DayEndDialog
from tui.screens.stray_keys import StrayKeys
from tui.screens.work import WorkScreen

LONG = 60.0  # seconds: as long as a slow machine may take between two keys that are typed fast
CLOSES = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)  # 15:00 at the clinic


class Clock:
    """A clock that can be set, and goes."""

    def __init__(self) -> None:
        self.set(CLOSES - timedelta(minutes=30))

    def set(self, at: datetime) -> None:
        self._at, self._since = at, time.monotonic()

    def now(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._since)


@pytest.fixture(scope="module")
def hour() -> Iterator[Clock]:
    made = Clock()
    with clock.frozen(made.now):
        yield made


@pytest.fixture(scope="module")
def counter(hour: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    home: Path = tmp_path_factory.mktemp("clinic")
    with Background(Settings(home=home)) as server:
        backup.create_recovery_key(home)
        yield Counter(server)


async def test_the_hour_is_told_above_the_queue_and_answered(
    counter: Counter, hour: Clock, tmp_path: Path
) -> None:
    hour.set(CLOSES - timedelta(minutes=30))
    first, second = someone(counter), someone(counter)
    numbers = [first["ticket"]["number"], second["ticket"]["number"]]
    async with counter.at("dentist") as (app, pilot):
        await until(pilot, lambda: numbers[1] in screen_text(app), "the queue")
        assert "still here" not in screen_text(app)
        hour.set(CLOSES - timedelta(minutes=9))
        day_end.remind(counter.clinic)
        await until(pilot, lambda: "! 15:00: 2 still here - E" in screen_text(app), "the question")
        save_picture(app, tmp_path / "asked.png")
        await press(pilot, "e")
        assert isinstance(app.screen, DayEndDialog)
        shown = " ".join(screen_text(app).replace("\u2502", " ").split())
        assert "Closing hour 15:00: 2 still here. Without an answer they are ended at 16:00." in shown
        await press(pilot, "enter")
        assert isinstance(app.screen, DayEndDialog), "a reflex Enter answers nothing"
        await press(pilot, "1")
        assert "You go on until 15:5" in said(app)
        assert "still here - E" not in screen_text(app)
        await press(pilot, "e", "2")
        assert "End 2 people" in screen_text(app)
        save_picture(app, tmp_path / "end.png")
        await press(pilot, "escape")
        assert counter.open_numbers("GIGI") == numbers
        await press(pilot, "e", "2", "enter")
        assert counter.open_numbers("GIGI") == []
        assert "E brings people back" in said(app)


@pytest.mark.parametrize("text", ["edema 2", "e 2", "e2 hari", "e22"])
async def test_a_note_typed_into_the_queue_at_the_closing_hour_ends_nobody(
    counter: Counter, hour: Clock, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour.set(CLOSES - timedelta(minutes=5))
    counter._tokens.clear()
    receipt = someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await until(pilot, lambda: "still here - E" in screen_text(app), "the question")
        with monkeypatch.context() as patch:
            patch.setattr(stray_keys, "QUIET_SECONDS", LONG)
            patch.setattr(stray_keys, "TYPING_SECONDS", LONG)
            screen_of(app, WorkScreen)._stray = StrayKeys()
            await press(pilot, *("space" if key == " " else key for key in text), "enter")
        assert isinstance(app.screen, WorkScreen)
        assert "set aside" in said(app) or "looked like typing" in said(app)
    assert counter.open_numbers("GIGI") == [receipt["ticket"]["number"]]
    with counter.api("dentist") as api:
        api.post(f"queue-entries/{receipt['ticket']['id']}/leave", json={}).raise_for_status()


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_in_the_morning_those_whom_the_closing_ended_are_brought_back(
    counter: Counter, hour: Clock, size: tuple[int, int], language: str, tmp_path: Path
) -> None:
    hour.set(hour.now() + timedelta(days=1))
    day = counter.clinic.today()
    closes = datetime(day.year, day.month, day.day, 7, 0, tzinfo=UTC)
    hour.set(closes - timedelta(hours=2))
    counter._tokens.clear()
    number = someone(counter)["ticket"]["number"]
    hour.set(closes + timedelta(hours=1, minutes=1))
    with connection():
        closing.run(counter.clinic)
    assert counter.open_numbers("GIGI") == []
    hour.set(closes + timedelta(hours=17))
    counter._tokens.clear()
    words = {"id": "diakhiri penutupan - E", "en": "ended by the closing - E"}[language]
    async with counter.at("dentist", size, language) as (app, pilot):
        assert isinstance(screen_of(app, WorkScreen), WorkScreen)
        await until(pilot, lambda: words in screen_text(app), "what the closing did")
        await press(pilot, "e")
        assert number in screen_text(app)
        save_picture(app, tmp_path / "morning.png")
        await press(pilot, "3")
        await until(pilot, lambda: number in counter.open_numbers("GIGI"), "brought back")
        await press(pilot, "e", "escape")
        await until(pilot, lambda: words not in screen_text(app), "it is told once")
        with counter.api("dentist") as api:
            api.post(f"queue-entries/{someone_open(counter)}/leave", json={}).raise_for_status()


def someone_open(counter: Counter) -> str:
    """The one entry that is open at the dentist's."""
    with counter.api("clerk") as api:
        entries = api.get("queues/GIGI?open=true").json()["entries"]
    (entry,) = entries
    return str(entry["id"])
