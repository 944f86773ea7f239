"""The question about a doubted danger sign, by keys and in line mode."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.complaints.learned.doubt import shipped_doubt
from core.foundation.codes import Priority
from tests.tui.conftest import Counter, press
from tests.tui.looking import screen_of, screen_text
from tests.tui.test_line_mode import NO_MORE, heard, nik
from tests.tui.test_registration import fill_new_patient
from tui.screens.registration.receipt import ReceiptScreen

DOUBTFUL = "nyeri dada sebelah karena pegal angkat galon"


async def test_a_no_by_key_saves_in_yellow(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371015206900631", "Dina Ragu", DOUBTFUL)
        await press(pilot, "f10")
        assert "Is it there now?" in screen_text(app)
        assert "priority RED" in screen_text(app)
        await press(pilot, "n")
        assert "Denied: chest pain" in screen_text(app)
        assert "priority RED" not in screen_text(app)
        await press(pilot, "enter")
        receipt = screen_of(app, ReceiptScreen).receipt
    assert (receipt.ticket.cluster, receipt.ticket.priority) == ("UMUM", Priority.YELLOW)


async def test_a_yes_and_no_answer_save_in_red(counter: Counter):
    for number, keys in (("6371015306900632", ["y", "enter"]), ("6371015406900633", ["enter"])):
        async with counter.at("clerk") as (app, pilot):
            await fill_new_patient(pilot, number, f"Dewi {len(keys)} Ragu", DOUBTFUL)
            await press(pilot, "f10", *keys)
            receipt = screen_of(app, ReceiptScreen).receipt
        assert (receipt.ticket.cluster, receipt.ticket.priority) == ("IGD", Priority.RED)


async def test_line_mode_asks_the_same(counter: Counter):
    text = await heard(counter, nik(631), "Dian Ragu", *NO_MORE, DOUBTFUL, "", "n", "")
    assert "Danger sign now (chest pain)?" in text
    assert "Denied: chest pain" in text
    assert "SAVED: A-" in text


async def test_line_mode_without_an_answer_keeps_the_emergency(counter: Counter):
    text = await heard(counter, nik(632), "Dono Ragu", *NO_MORE, DOUBTFUL, "", "", "")
    assert "SAVED: F-" in text


@pytest.fixture
def suspicious(monkeypatch):
    """Let the core find a danger likely where no rule sees one."""
    eager = replace(shipped_doubt(), suspicion=0.0)
    monkeypatch.setattr("core.routing.shipped_doubt", lambda: eager)


HARMLESS = "pegal linu di punggung"


@pytest.mark.parametrize(
    ("number", "keys", "cluster", "priority"),
    [
        ("6371015506900634", [], "UMUM", Priority.REGULAR),
        ("6371015606900635", ["n"], "UMUM", Priority.REGULAR),
        ("6371015706900636", ["y"], "IGD", Priority.RED),
    ],
    ids=["enter", "no", "yes"],
)
async def test_only_a_yes_raises_a_suspicion(counter: Counter, suspicious, number, keys, cluster, priority):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, number, f"Sari {len(keys)} Curiga {number[-1]}", HARMLESS)
        await press(pilot, "f10")
        assert "These words are like those of a danger" in screen_text(app)
        assert "priority RED" not in screen_text(app)
        await press(pilot, *keys)
        assert ("priority RED" in screen_text(app)) is (priority is Priority.RED)
        assert ("Asked: no emergency now" in screen_text(app)) is (keys == ["n"])
        await press(pilot, "enter")
        receipt = screen_of(app, ReceiptScreen).receipt
    assert (receipt.ticket.cluster, receipt.ticket.priority) == (cluster, priority)


@pytest.mark.parametrize(
    ("number", "answer", "saved"), [(637, "y", "SAVED: F-"), (638, "n", "SAVED: A-"), (639, "", "SAVED: A-")]
)
async def test_line_mode_asks_about_a_suspicion(counter: Counter, suspicious, number, answer, saved):
    text = await heard(counter, nik(number), f"Tini Curiga {number}", *NO_MORE, HARMLESS, "", answer, "")
    assert "These words are like those of a danger" in text
    assert saved in text
