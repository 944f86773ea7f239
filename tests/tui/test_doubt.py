"""The question about a doubted danger sign, by keys and in line mode."""

from __future__ import annotations

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
