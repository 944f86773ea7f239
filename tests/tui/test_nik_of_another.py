"""A NIK that is plainly another person's, typed at the counter: asked about on the form, in line mode, on a card."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from core.foundation.codes import Sex
from core.patients.national_ids import compose_nik
from tests.tui.conftest import Counter, press, settle, type_text
from tests.tui.looking import focused_id, screen_of, screen_text
from tests.tui.test_line_mode import NO_MORE, heard, number_in
from tui.screens.base import LoketScreen
from tui.screens.registration.confirm import ConfirmDialog
from tui.screens.registration.nik_holder import NikHolderDialog
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.registration_form import RegistrationScreen


def number(serial: int, born: date, sex: Sex = Sex.FEMALE) -> str:
    return compose_nik("637101", born, sex, serial)


def stored(counter: Counter, name: str) -> dict[str, Any]:
    with counter.api() as api:
        found = api.get("patients", params={"q": name}).json()
    return next(one for one in found if one["name"] == name)


def age_of(counter: Counter, days: int) -> tuple[str, date]:
    born = counter.clinic.today() - timedelta(days=days)
    return born.strftime("%d%m%Y"), born


@pytest.mark.parametrize("language", ["en", "id"])
async def test_a_mothers_card_on_her_newborn_is_kept_as_hers(counter: Counter, language: str):
    serial = 501 if language == "en" else 502
    nik, name = (
        number(serial, date(1996, 4, serial % 28)),
        "Bayi Fatimah" if serial == 501 else "Bayi Rosmawati",
    )
    async with counter.at("clerk", language=language) as (app, pilot):
        male = "l" if language == "id" else "m"
        text, born = age_of(counter, serial - 411)
        await press(pilot, "f2")
        await type_text(pilot, nik)
        await press(pilot, "enter", "enter")
        await type_text(pilot, name)
        await press(pilot, "enter", "ctrl+u")
        await type_text(pilot, text)
        await press(pilot, "enter", male)
        await press(pilot, "f4")
        await type_text(pilot, "batuk pilek")
        await settle(pilot)
        shown = screen_text(app)
        assert ("Whose NIK?" if language == "en" else "NIK milik siapa?") in shown
        await press(pilot, "f10")
        screen_of(app, NikHolderDialog)
        assert nik in screen_text(app)
        await press(pilot, "enter")
        screen_of(app, NikHolderDialog)  # Enter decides nothing
        await press(pilot, "1")
        screen_of(app, ConfirmDialog)
        await press(pilot, "enter")
        screen_of(app, ReceiptScreen)
    saved = stored(counter, name)
    assert (saved["nik"], saved["mother_nik"]) == (None, nik)
    assert (saved["sex"], saved["birth_date"]) == ("male", born.isoformat())
    assert saved["no_identifier_reason"] == "newborn"


async def test_a_number_that_another_patient_has_opens_that_patient_or_is_the_mothers(counter: Counter):
    nik = number(510, date(1995, 5, 7))
    counter.register("Khadijah Putri", nik, "sakit gigi", "GIGI")
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        await type_text(pilot, nik)
        await press(pilot, "enter", "enter")
        await type_text(pilot, "By Ny Khadijah")
        await press(pilot, "f4")
        await type_text(pilot, "batuk pilek")
        await press(pilot, "f10")
        screen_of(app, NikHolderDialog)
        shown = screen_text(app)
        assert "It is the NIK of Khadijah Putri" in shown
        assert "own" not in shown.split("Whose NIK is this?")[1]
        await press(pilot, "1")  # the mother's: what the number had filled in goes with it
        assert focused_id(app) == "no_identifier_reason"
        await press(pilot, "1", "f10")
        assert focused_id(app) == "birth_date"
        values = screen_of(app, LoketScreen).field_values()
        assert (values["nik"], values["birth_date"], values["sex"]) == ("", "", "")
        assert values["mother_name"] == "Khadijah Putri"
        await type_text(pilot, age_of(counter, 30)[0])
        await press(pilot, "enter", "m", "f10")
        screen_of(app, ConfirmDialog)
        await press(pilot, "enter")
        screen_of(app, ReceiptScreen)
    child = stored(counter, "By Ny Khadijah")
    assert child["mother_nik"] == nik
    assert child["mother_id"] == stored(counter, "Khadijah Putri")["id"]
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        await type_text(pilot, nik)
        await press(pilot, "enter", "enter")
        await type_text(pilot, "Zubaidah")
        await press(pilot, "f4")
        await type_text(pilot, "sakit gigi")
        await press(pilot, "f10")
        assert "2  Khadijah Putri is the patient" in screen_text(app)
        await press(pilot, "2")
        assert screen_of(app, RegistrationScreen).known is not None


async def test_a_husbands_card_in_line_mode(counter: Counter):
    nik = number(520, date(1988, 2, 3), Sex.MALE)
    answers = [
        nik,
        "Nur Aini Sulastri",
        "<sex",
        "f",
        "",
        "x",
        "1",
        "3",
        "12-03-1990",
        *NO_MORE,
        "sakit gigi",
        "",
        "",
    ]
    text = await heard(counter, *answers)
    assert "NIK says the other sex" in text
    assert "1 a relative's" in text
    number_in(text)
    saved = stored(counter, "Nur Aini Sulastri")
    assert (saved["nik"], saved["guardian_nik"], saved["sex"]) == (None, nik, "female")
    assert saved["birth_date"] == "1990-03-12"  # asked anew: the husband's had been filled in


async def test_on_a_card_the_number_is_asked_about_too(counter: Counter):
    nik = number(530, date(1991, 6, 8), Sex.MALE)
    counter.register("Wahyu Pratama", number(531, date(1985, 6, 8), Sex.MALE), "sakit gigi", "GIGI")
    async with counter.at("clerk") as (app, pilot):
        await type_text(pilot, "wahyu pratama")
        await settle(pilot)
        await press(pilot, "f9")
        screen_of(app, LoketScreen).query_one("#nik").focus()
        await press(pilot, "ctrl+u")
        await type_text(pilot, nik)
        await press(pilot, "f10")
        screen_of(app, NikHolderDialog)
        await press(pilot, "escape")
        assert stored(counter, "Wahyu Pratama")["nik"] != nik
        await press(pilot, "f10", "1")
    assert stored(counter, "Wahyu Pratama")["nik"] == nik  # a court corrected the birth date: read again, own
