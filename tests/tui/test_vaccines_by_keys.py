"""A vaccine is recorded by keys alone, shown in the record, asked about when it has expired, and struck out."""

from __future__ import annotations

import pytest

from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import focused_id, screen_text
from tests.tui.test_record import open_record, visit_of
from tui.screens.reasons import LettersDialog, LineDialog
from tui.screens.record.record import RecordScreen
from tui.screens.record.vaccine_dialog import VaccineDialog, read_expiry


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("31122027", "2027-12-31"), ("03-2027", "2027-03-31"), ("022028", "2028-02-29"), ("2027", None),
        ("13-2027", None), ("besok", None),
    ],
)  # fmt: skip
def test_an_expiry_is_read_as_labels_say_it(typed: str, day: str | None) -> None:
    read = read_expiry(typed)
    assert (read.isoformat() if read else None) == day


async def test_a_vaccine_is_recorded_by_keys_and_an_expired_one_needs_a_reason(counter: Counter) -> None:
    receipt = counter.register("Anak Vaksin", "6371015507250001", "imunisasi", "KIA")
    async with counter.at("midwife", (80, 24)) as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f2", "i")
        await until(pilot, lambda: isinstance(app.screen, VaccineDialog), "the vaccines")
        await type_text(pilot, "bcg")
        await until(pilot, lambda: "Vaksin polio" not in screen_text(app), "the list to answer")
        await press(pilot, "enter")
        await until(pilot, lambda: focused_id(app) == "dose_number", "the dose")
        await type_text(pilot, "1")
        await press(pilot, "enter")
        await press(pilot, "f10")
        assert focused_id(app) == "lot_number", "no lot, no record"
        await type_text(pilot, "AB12")
        await press(pilot, "enter")
        await type_text(pilot, "01-2020")
        await press(pilot, "enter", "1", "enter")
        await until(pilot, lambda: isinstance(app.screen, LettersDialog), "whether there are allergies")
        await press(pilot, "t", "enter")
        await until(pilot, lambda: "31-01-2020" in screen_text(app), "the question about the expiry")
        await press(pilot, "y")
        await until(pilot, lambda: isinstance(app.screen, LineDialog), "the reason")
        await type_text(pilot, "tidak ada lain")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
        await settle(pilot)
        assert "Vaksin BCG dose 1, lot AB12" in screen_text(app)
        (given,) = visit_of(counter, "midwife", receipt)["immunisations"]
        assert (given["site"], given["override_reason"]) == ("LA", "tidak ada lain")
        await press(pilot, "f2", "c")
        await until(pilot, lambda: "Vaksin BCG dose 1" in screen_text(app), "what can be struck out")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, LineDialog), "why")
        await type_text(pilot, "salah anak")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record again")
        await settle(pilot)
        assert visit_of(counter, "midwife", receipt)["immunisations"] == []
