"""Every step on a queue entry is one key away and can be taken back; the slower of two is told what is true."""

from __future__ import annotations

from typing import Any

import pytest

from core.accounts import service as accounts
from core.foundation.codes import Role
from core.foundation.database import connection
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import pane_of, said, screen_text, session_of
from tests.tui.queues import choose, empty_queues, entry_of, someone
from tui.screens.record.record import RecordScreen

__all__ = ["empty_queues"]

KEPT = ("status", "priority", "priority_reason", "service_point", "practitioner", "call_count", "called_at",
        "served_at", "ended_at")  # fmt: skip
STEPS: dict[str, tuple[list[str], list[str], str]] = {
    "call the chosen one": ([], ["c"], "called"),
    "call next": ([], ["n"], "called"),
    "call again": (["c"], ["r"], "called"),
    "skip": (["c"], ["s"], "skipped"),
    "call who was skipped": (["c", "s"], ["c"], "called"),
    "start": (["c"], ["enter", "escape"], "in_service"),
    "hold": (["c"], ["h"], "on_hold"),
    "go on": (["c", "h"], ["h"], "in_service"),
    "finish": (["c"], ["d", "p", "enter"], "done"),
    "move": (["c"], ["t", "a", "enter"], "transferred"),
    "send and back": (["c"], ["b", "d", "enter"], "transferred"),
    "has left": ([], ["l", "enter"], "left"),
    "cancel": ([], ["x", "2", "enter"], "cancelled"),
    "priority": ([], ["p", "1", "1"], "waiting"),
}
"""Step -> keys before it, its own keys, the status afterwards."""


def looks(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in KEPT}


@pytest.mark.parametrize("step", list(STEPS))
async def test_every_step_and_its_undo_by_keys(counter: Counter, step: str):
    before_keys, keys, status = STEPS[step]
    receipt = someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await choose(pilot, app, receipt)
        await press(pilot, *before_keys)
        before = looks(entry_of(counter, receipt))
        await press(pilot, *keys)
        after = looks(entry_of(counter, receipt))
        assert after["status"] == status, screen_text(app)
        assert after != before
        await press(pilot, "u")
        assert "Undone" in said(app)
        assert looks(entry_of(counter, receipt)) == before
        for _ in before_keys:
            await press(pilot, "u")
        assert entry_of(counter, receipt)["status"] == "waiting"
        assert entry_of(counter, receipt)["call_count"] == 0


async def test_a_step_that_does_not_fit_says_so_and_blames_nobody(counter: Counter):
    receipt = someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await choose(pilot, app, receipt)
        await press(pilot, "s")
        assert said(app) == f"{receipt['ticket']['number']} is waiting: that step is not possible now."
        await press(pilot, "u")
        assert said(app) == "There is no step to take back."


async def test_two_dentists_call_the_same_patient(counter: Counter):
    with connection():
        accounts.create_account(
            "dentist2", "drg. Bayu Anggara", Role.CLINICIAN, "demo", ["GIGI"], check_password=False
        )
    receipt = someone(counter)
    async with counter.at("dentist") as (first, one), counter.at("dentist2") as (second, two):
        await choose(one, first, receipt)
        await choose(two, second, receipt)
        session_of(second).hub.unsubscribe(second)  # a slow line: this screen has not heard of the call yet
        await press(one, "c")
        assert f"Called: {receipt['ticket']['number']}" in said(first)
        await press(two, "c")
        assert f"drg. Maya Lestari was faster: {receipt['ticket']['number']} is CALLED now" in said(second)
        line = next(
            line
            for line in screen_text(second).splitlines()
            if line[1:].startswith(receipt["ticket"]["number"])
        )
        assert "CALLED" in line


async def test_the_undo_of_what_somebody_else_changed_since_is_refused(counter: Counter):
    receipt = someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await choose(pilot, app, receipt)
        await press(pilot, "c", "s")
        session_of(app).hub.unsubscribe(app)
        with counter.api("dentist") as api:
            called = api.post(f"queue-entries/{receipt['ticket']['id']}/call", json={}).json()
        await press(pilot, "u")
        assert "was faster" in said(app)
        assert entry_of(counter, receipt)["version"] == called["version"]


async def test_a_room_is_chosen_once_and_goes_with_every_call(counter: Counter):
    first, second = someone(counter), someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await choose(pilot, app, first)
        await press(pilot, "o")
        await type_text(pilot, "Ruang 3")
        await press(pilot, "enter", "c")
        assert "(Ruang 3)" in screen_text(app)
        assert entry_of(counter, first)["service_point"] == "Ruang 3"
    async with counter.at("dentist") as (app, pilot):
        await choose(pilot, app, second)
        await press(pilot, "c")
        assert entry_of(counter, second)["service_point"] == "Ruang 3"
        await press(pilot, "o", *["backspace"] * 7, "enter")
        assert "without a room" in said(app)


async def test_the_end_of_a_service_in_the_record_can_be_undone_from_the_queue(counter: Counter):
    receipt = someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await choose(pilot, app, receipt)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
        await settle(pilot)
        await press(pilot, "f10", "p", "enter")
        await until(pilot, lambda: entry_of(counter, receipt)["status"] == "done", "the end")
        await settle(pilot)
        await press(pilot, "u")
        assert "Undone" in said(app)
        assert entry_of(counter, receipt)["status"] == "in_service"


async def test_long_waits_are_marked_without_colour(counter: Counter):
    receipt = someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await choose(pilot, app, receipt)
        clinic = session_of(app).clinic
        for limit, sign in ((0, "0'!!"), (1, "0'! "), (2, "0'  ")):
            warning = 0 if limit < 2 else 1
            session_of(app).clinic = clinic.model_copy(
                update={"wait_limit_minutes": limit, "wait_warning_minutes": warning}
            )
            pane_of(app).minute_passed()
            await pilot.pause()
            assert sign in screen_text(app)


DANGER = "nyeri dada kiri menjalar ke lengan, keringat dingin"


@pytest.mark.parametrize(
    ("cluster", "complaint", "asked"), [("GIGI", "sakit gigi", False), ("IGD", DANGER, True)]
)
async def test_the_counter_moves_nobody_against_the_complaint_unawares(
    counter: Counter, cluster: str, complaint: str, asked: bool
):
    receipt = someone(counter, cluster, complaint)
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f3")
        await press(pilot, session_of(app).prefix_of(cluster).lower())
        await choose(pilot, app, receipt)
        await press(pilot, "t", "a", "enter")
        if asked:
            await until(pilot, lambda: "points to another cluster" in screen_text(app), "the question")
            assert "!! " in screen_text(app)
            assert entry_of(counter, receipt)["status"] == "waiting"
            await press(pilot, "2")
        await until(pilot, lambda: "Moved: " in said(app), "the move")
        if not asked:
            assert "The complaint points elsewhere" in said(app)
        assert entry_of(counter, receipt)["status"] == "transferred"
        await press(pilot, "u")
        assert entry_of(counter, receipt)["status"] == "waiting"
