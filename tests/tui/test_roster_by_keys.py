"""The roster by the admin's keys: hours, closed days and weekdays are added, changed and taken away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.foundation.database import connection
from core.models import RosterVersion
from core.visits import roster_versions
from core.visits.roster import WEEKDAYS
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import focused_id, said, save_picture, screen_of, screen_text
from tui.screens.roster import RosterScreen
from tui.text.roster_words import weekdays_text, weekdays_typed
from tui.widgets import TextField


@pytest.fixture(autouse=True)
def no_roster(counter: Counter) -> Iterator[None]:
    """Leave the clinic without a roster, as the other tests have it."""
    yield
    with connection():
        RosterVersion.delete().execute()


async def typed(pilot, *values: str) -> None:
    """Type each value into its field, one after the other."""
    for value in values:
        await type_text(pilot, value)
        await press(pilot, "enter")


@pytest.mark.parametrize(("size", "language"), [((80, 24), "id"), ((80, 24), "en"), ((120, 40), "id")])
async def test_hours_and_closed_days(
    counter: Counter, tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    async with counter.at("admin", size, language) as (app, pilot):
        await press(pilot, "j")
        screen = screen_of(app, RosterScreen)
        await settle(pilot)
        await press(pilot, "a")
        await typed(pilot, "gigi", "drg. Contoh", "4711", "sen-kam, sab", "8.00-12.00", "20", "446/SIP/17")
        save_picture(app, tmp_path / "session.png")
        await press(pilot, "f10")
        await settle(pilot)
        days = "Sen-Kam, Sab" if language == "id" else "Mon-Thu, Sat"
        assert "08:00-12:00" in screen_text(app)
        assert days in screen_text(app)
        await press(pilot, "t")
        await type_text(pilot, "17-8-2027")
        await press(pilot, "enter")
        await settle(pilot)
        await press(pilot, "w")
        await type_text(pilot, "-")
        await press(pilot, "enter")
        await settle(pilot)
        assert "17-08-2027" in screen_text(app)
        save_picture(app, tmp_path / "roster.png")
        now = roster_versions.current(counter.clinic)
        assert now.closed_weekdays == frozenset()
        assert [(each.name, each.quota, each.licence) for each in now.sessions] == [
            ("drg. Contoh", 20, "446/SIP/17")
        ]
        screen._list.focus()
        await press(pilot, "home", "x", "enter")
        await settle(pilot)
        assert roster_versions.current(counter.clinic).sessions == ()


async def test_what_cannot_be_read_is_named_and_stays(counter: Counter) -> None:
    async with counter.at("admin") as (app, pilot):
        await press(pilot, "j")
        await settle(pilot)
        await press(pilot, "a")
        await typed(pilot, "GIGI", "drg. Contoh", "4711", "someday", "8-12", "x")
        await press(pilot, "f10")
        assert "Days: such as Mon-Thu, Sat" in screen_text(app)
        assert app.screen.query_one("#hours", TextField).value == "8-12"
        assert focused_id(app) == "weekdays"
        await press(pilot, "escape")
        await press(pilot, "t")
        await type_text(pilot, "31-2-2027")
        await press(pilot, "enter")
        assert "no date: 31-2-2027" in said(app)
        with connection():
            assert not RosterVersion.select().exists()


@given(st.sets(st.sampled_from(WEEKDAYS)))
def test_days_are_read_as_they_are_shown(days: set[str]) -> None:
    assert weekdays_typed(weekdays_text(list(days))) == [day for day in WEEKDAYS if day in days]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", []),
        ("senin", ["monday"]),
        ("Sab-Min", ["saturday", "sunday"]),
        ("sab - sen", ["monday", "saturday", "sunday"]),
        ("mon tue;wed", ["monday", "tuesday", "wednesday"]),
        ("someday", None),
        ("sen-", None),
        ("sen-rab-kam", None),
    ],
)
def test_days_as_people_type_them(text: str, days: list[str] | None) -> None:
    assert weekdays_typed(text) == days


def on_duty(counter: Counter, name: str, version: int) -> None:
    """Save a roster in which one person works in UMUM all day, every day."""
    session = {
        "cluster": "UMUM",
        "doctor": "101",
        "name": name,
        "weekdays": list(WEEKDAYS),
        "hours": "00:00-23:59",
    }
    with counter.api("admin") as api:
        body = {"version": version, "closed_weekdays": [], "closed_on": [], "sessions": [session]}
        saved = api.put("roster", json=body)
        assert saved.is_success, saved.text


@pytest.mark.parametrize(("size", "language"), [((80, 24), "id"), ((80, 24), "en")])
async def test_the_panes_heading_says_who_works_there_now(
    counter: Counter, tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    on_duty(counter, "dr. Contoh Jaga", 0)
    async with counter.at("doctor", size, language) as (app, pilot):
        await until(pilot, lambda: "dr. Contoh Jaga -23:59" in screen_text(app), "who works now")
        save_picture(app, tmp_path / "pane.png")
        on_duty(counter, "dr. Pengganti", 1)
        await until(pilot, lambda: "dr. Pengganti -23:59" in screen_text(app), "the change")
    async with counter.at("clerk", size, language) as (app, pilot):
        await press(pilot, "f3")
        await until(pilot, lambda: "dr. Pengganti" in screen_text(app), "the counter's panes")
        save_picture(app, tmp_path / "panes.png")
