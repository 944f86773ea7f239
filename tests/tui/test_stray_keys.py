"""Whoever types where no field is acts on nobody: letters are commands only with their patient in view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.terminal.conftest import until as happens
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import pane_of, said, screen_of, screen_text
from tests.tui.queues import choose, empty_queues, entry_of, someone
from tests.tui.test_thin import CounterTerminal, open_terminal
from tui.app import LoketApp
from tui.screens import stray_keys
from tui.screens.base import Dialog
from tui.screens.entry_actions import ActingScreen
from tui.screens.queues import QueuesScreen
from tui.screens.record.record import RecordScreen
from tui.screens.stray_keys import StrayKeys
from tui.screens.work import WorkScreen

__all__ = ["empty_queues"]

LONG = 60.0  # seconds: as long as a slow machine may take between two keys that are typed fast
NAMES = (
    "lina",
    "xaverius",
    "tuti",
    "putri",
    "udin",
    "lukman",
    "pratiwi",
    "tamrin",
    "latifah",
    "ulfa",
    "Lia",
    "pak li",
)
SENTENCES = (
    "demam 3 hari, mencret", "diare sejak kemarin", "luka di kaki", "lemas, pusing", "dada terasa panas",
    "datang untuk kontrol", "lapar terus", "tidak bisa tidur", "ulu hati nyeri", "perut kembung", "dari rsud",
    "ada ruam di tangan", "xray sudah ada",
)  # fmt: skip


@pytest.fixture(autouse=True)
def hurried(unhurried: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key comes within the second of quiet, and right behind the one before."""
    hurry(monkeypatch)


@pytest.fixture
def rest() -> Iterator[Any]:
    """Call it: the second of quiet is over."""
    with pytest.MonkeyPatch.context() as patch:

        def over() -> None:
            patch.setattr(stray_keys, "QUIET_SECONDS", 0.0)
            patch.setattr(stray_keys, "TYPING_SECONDS", 0.0)

        yield over


def hurry(patch: pytest.MonkeyPatch, app: LoketApp | None = None) -> None:
    """Every key comes too soon from here on; with an app, a long time has passed before it."""
    patch.setattr(stray_keys, "QUIET_SECONDS", LONG)
    patch.setattr(stray_keys, "TYPING_SECONDS", LONG)
    if app is not None:
        screen_of(app, ActingScreen)._stray = StrayKeys()


def state(counter: Counter, receipt: dict[str, Any]) -> tuple[str, int]:
    entry = entry_of(counter, receipt)
    return entry["status"], entry["version"]


def chosen_number(app: LoketApp) -> str | None:
    entry = pane_of(app).chosen
    return entry.number if entry is not None else None


async def write(pilot: Pilot[None], text: str) -> None:
    """Type a text where it does not belong, and Enter behind it.

    Each key is given when the one before has had its effects, as `OrderedKeys` gives them.
    """
    for character in text:
        await type_text(pilot, character)
        await settle(pilot)
    await press(pilot, "enter")


async def on_queues(pilot: Pilot[None], app: LoketApp) -> None:
    await press(pilot, "f3", "b")
    assert isinstance(app.screen, QueuesScreen)


async def test_names_typed_into_the_queues_act_on_nobody(counter: Counter, rest: Any):
    receipt = someone(counter)
    before = state(counter, receipt)
    async with counter.at("clerk") as (app, pilot):
        rest()
        await on_queues(pilot, app)
        await until(pilot, lambda: pane_of(app).entries, "the patient")
        for name in NAMES:
            await write(pilot, name)
            assert "set aside" in said(app), name
            assert state(counter, receipt) == before, name


async def test_names_typed_over_a_chosen_patient_end_nothing(counter: Counter, rest: Any):
    receipt = someone(counter)
    before = state(counter, receipt)
    async with counter.at("clerk") as (app, pilot):
        for name in NAMES:
            rest()
            await on_queues(pilot, app)
            await choose(pilot, app, receipt)
            with pytest.MonkeyPatch.context() as patch:
                hurry(patch, app)
                await write(pilot, name)
            assert not isinstance(app.screen, Dialog), name
            assert "set aside" in said(app) or "looked like typing" in said(app), name
            assert state(counter, receipt) == before, name


async def test_one_escape_too_many_and_the_rest_of_the_note_acts_on_nobody(counter: Counter, rest: Any):
    receipt = someone(counter)
    async with counter.at("dentist") as (app, pilot):
        for sentence in SENTENCES:
            rest()
            await choose(pilot, app, receipt)
            await press(pilot, "enter")
            await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
            await settle(pilot)
            before = state(counter, receipt)
            with pytest.MonkeyPatch.context() as patch:
                hurry(patch)
                await press(pilot, "escape")
                await write(pilot, sentence)
            assert isinstance(app.screen, WorkScreen), sentence
            assert "set aside" in said(app), sentence
            assert state(counter, receipt) == before, sentence
        rest()
        await press(pilot, "h")
        assert state(counter, receipt)[0] == "on_hold"


async def test_a_note_typed_into_the_own_queue_ends_no_visit(counter: Counter, rest: Any):
    receipt = someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await until(pilot, lambda: pane_of(app).entries, "the patient")
        for sentence in SENTENCES:
            rest()
            await choose(pilot, app, receipt)
            with pytest.MonkeyPatch.context() as patch:
                hurry(patch, app)
                await write(pilot, sentence)
            assert not isinstance(app.screen, Dialog), sentence
            assert entry_of(counter, receipt)["ended_at"] is None, sentence


async def test_a_key_right_behind_a_closed_screen_says_that_it_was_set_aside(counter: Counter, rest: Any):
    receipt = someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await choose(pilot, app, receipt)
        for key in ("d", "l", "x", "t", "b", "p", "c", "r", "s", "h", "enter"):
            with pytest.MonkeyPatch.context() as patch:
                hurry(patch, app)
                await press(pilot, "f1", "escape")
                before = state(counter, receipt)
                await press(pilot, key)
            name = "Enter" if key == "enter" else key.upper()
            assert said(app).startswith(f"{name} set aside: another screen has only just closed")
            assert state(counter, receipt) == before
        rest()
        await press(pilot, "c")
        assert state(counter, receipt)[0] == "called"


async def test_a_letter_without_a_meaning_says_so(counter: Counter, rest: Any):
    receipt = someone(counter)
    async with counter.at("dentist") as (app, pilot):
        rest()
        await choose(pilot, app, receipt)
        await press(pilot, "i")
        assert said(app) == "I set aside: it means nothing here."


async def test_keys_that_act_on_nobody_work_in_an_empty_queue(counter: Counter, rest: Any):
    async with counter.at("dentist") as (app, pilot):
        rest()
        await until(pilot, lambda: "nobody waits" in screen_text(app), "an empty queue")
        await press(pilot, "c")
        assert said(app).startswith("C set aside: nobody is chosen")
        await press(pilot, "n")
        assert said(app) == "Nobody waits."
        await press(pilot, "space")
        assert said(app) == "Nobody was served here yet."
        for key, question in (("e", "The day's end"), ("o", "In which room do you call?")):
            await press(pilot, key)
            assert isinstance(app.screen, Dialog), key
            assert question in screen_text(app), key
            await press(pilot, "escape")


async def test_who_moved_up_because_another_left_is_not_acted_on(counter: Counter, rest: Any):
    first, second = someone(counter), someone(counter)
    async with counter.at("dentist") as (app, pilot):
        rest()
        await choose(pilot, app, first)
        with pytest.MonkeyPatch.context() as patch:
            hurry(patch, app)
            with counter.api("dentist") as api:
                api.post(f"queue-entries/{first['ticket']['id']}/leave", json={}).raise_for_status()
            number = second["ticket"]["number"]
            await until(pilot, lambda: chosen_number(app) == number, "who moved up")
            await settle(pilot)
            await press(pilot, "c")
            assert said(app).startswith("C set aside: another patient has moved up here")
        assert entry_of(counter, second)["status"] == "waiting"
        await press(pilot, "c")
        assert entry_of(counter, second)["status"] == "called"


# What ends a visit needs Enter


async def test_done_of_a_complete_record_needs_enter(counter: Counter, rest: Any):
    rest()
    receipt = someone(counter)
    visit = f"visits/{receipt['visit_id']}"
    async with counter.at("dentist") as (app, pilot):
        await choose(pilot, app, receipt)
        await press(pilot, "enter")
        with counter.api("dentist") as api:
            api.put(f"{visit}/encounter", json={"subjective": "nyeri"}).raise_for_status()
            api.post(f"{visit}/diagnoses", json={"code": "K02.9"}).raise_for_status()
        await press(pilot, "escape", "d", "p")
        assert entry_of(counter, receipt)["ended_at"] is None
        await press(pilot, "escape")
        assert entry_of(counter, receipt)["ended_at"] is None
        await press(pilot, "d", "p", "enter")
        assert entry_of(counter, receipt)["status"] == "done"


@pytest.mark.parametrize(("who", "cluster"), [("lab", "LAB"), ("pharmacist", "FARMASI")])
async def test_done_by_laboratory_and_pharmacy_needs_enter(
    counter: Counter, rest: Any, who: str, cluster: str
):
    rest()
    receipt = someone(counter)
    with counter.api("dentist") as api:
        moved = api.post(
            f"queue-entries/{receipt['ticket']['id']}/transfer", json={"cluster": cluster}
        ).json()
    here = {**receipt, "ticket": {**receipt["ticket"], "number": moved["number"]}}
    async with counter.at(who) as (app, pilot):
        await choose(pilot, app, here)
        await press(pilot, "c", "d")
        assert entry_of(counter, receipt, cluster)["ended_at"] is None
        await press(pilot, "enter")
        assert entry_of(counter, receipt, cluster)["status"] == "done"


async def test_a_digit_only_chooses_why_an_entry_is_cancelled(counter: Counter, rest: Any):
    rest()
    receipt = someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await choose(pilot, app, receipt)
        await press(pilot, "x", "2")
        assert "The patient's own wish" in screen_text(app)
        assert entry_of(counter, receipt)["ended_at"] is None
        await press(pilot, "backspace", "1", "enter")
        assert entry_of(counter, receipt)["status"] == "cancelled"
    with counter.api("admin") as api:
        assert "Registered by mistake" in api.get("audit").text


# One packet


async def at_queue(terminal: CounterTerminal) -> None:
    terminal.type("\x1bOR")  # F3
    await happens(lambda: isinstance(terminal.app.screen, QueuesScreen), "the queues")
    await terminal.quiet()


DOWN = "\x1b[B"
BURSTS: dict[str, str] = {
    "an arrow and L": DOWN + "l",
    "an arrow and L and Enter": DOWN + "l\r",
    "an arrow and X": DOWN + "x2\r",
    "an arrow and T": DOWN + "ta\r",
    "an arrow and P": DOWN + "p11",
    "a cluster's letter, an arrow, L": "a" + "b" + DOWN + "l\r",
    "two arrows and L": DOWN + DOWN + "l\r",
    "L alone": "l\r",
    "a name": "lina\r",
    "a name behind an arrow": DOWN + "latifah\r",
}


async def test_a_choice_and_its_letter_in_one_packet_act_on_nobody(counter: Counter, rest: Any):
    receipt = someone(counter)
    before = state(counter, receipt)
    async with open_terminal(counter, "clerk") as terminal:
        rest()
        await at_queue(terminal)
        for name, burst in BURSTS.items():
            terminal.type("ab")  # another cluster and back: nobody is chosen
            await terminal.quiet()
            terminal.type(burst)
            await terminal.quiet()
            assert "set aside" in terminal.sink.emulator.text(), name
            assert state(counter, receipt) == before, name


async def shown(terminal: CounterTerminal, receipt: dict[str, Any]) -> None:
    """Wait until somebody stands in the queue on the screen: before, the keys would be about nobody."""
    number = receipt["ticket"]["number"]
    await happens(lambda: number in terminal.sink.emulator.text(), "the patient")


@pytest.mark.parametrize("keys", ["l\r", "dp\r", "da\r", "x2\r", "dr\r"])
async def test_letter_and_enter_in_one_packet_end_no_visit(counter: Counter, rest: Any, keys: str):
    receipt = someone(counter)
    with counter.api("dentist") as api:
        api.post(f"queue-entries/{receipt['ticket']['id']}/call", json={}).raise_for_status()
    async with open_terminal(counter, "dentist") as terminal:
        await shown(terminal, receipt)
        rest()
        terminal.type(keys)
        said_so = "Enter came before this question was in view"
        await happens(lambda: said_so in terminal.sink.emulator.text(), "the Enter set aside")
        assert entry_of(counter, receipt)["ended_at"] is None
        terminal.type("\r")
        await happens(
            lambda: entry_of(counter, receipt)["ended_at"] is not None, "the end, by an Enter of its own"
        )


async def test_two_calls_in_one_packet_call_one_patient(counter: Counter, rest: Any):
    first, second = someone(counter), someone(counter)
    async with open_terminal(counter, "dentist") as terminal:
        await shown(terminal, second)
        rest()
        terminal.type(DOWN)
        await terminal.quiet()
        terminal.type("nn")
        await terminal.quiet()
        assert "N set aside: it came before the choice was in view" in terminal.sink.emulator.text()
    assert [entry_of(counter, each)["status"] for each in (first, second)] == ["called", "waiting"]


async def test_call_and_open_still_go_in_one_packet(counter: Counter, rest: Any):
    receipt = someone(counter)
    async with open_terminal(counter, "dentist") as terminal:
        await shown(terminal, receipt)
        rest()
        terminal.type("n\r")
        await happens(lambda: isinstance(terminal.app.screen, RecordScreen), "the record")
    assert entry_of(counter, receipt)["status"] == "in_service"


async def test_whoever_was_called_into_an_empty_queue_is_opened_at_once(counter: Counter, rest: Any):
    async with counter.at("dentist") as (app, pilot):
        await until(pilot, lambda: not pane_of(app).entries, "nobody there")
        rest()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stray_keys, "QUIET_SECONDS", LONG)
            screen_of(app, ActingScreen)._stray = StrayKeys()
            receipt = someone(counter)
            await until(pilot, lambda: pane_of(app).entries, "who has just come")
            await press(pilot, "enter")
            assert "set aside" in said(app), "nobody was chosen a moment ago"
            await press(pilot, "n")
            assert receipt["ticket"]["number"] in said(app)
            await press(pilot, "enter")
            await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
