"""The kelurahan comes from the region list by its first letters, own area first; what is not in it has no code."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.foundation.codes import Sex
from core.foundation.database import connection
from core.models import Patient
from core.patients import villages
from core.patients.national_ids import compose_nik
from tests.tui.conftest import Counter, press, settle, type_text
from tests.tui.looking import screen_of, screen_text
from tests.tui.test_line_mode import heard, number_in
from tui.registration.form_values import village_in
from tui.screens.base import LoketScreen
from tui.screens.patients.village import VillageDialog
from tui.screens.registration.confirm import ConfirmDialog
from tui.screens.registration.receipt import ReceiptScreen


def names(counter: Counter, text: str, **more: Any) -> list[tuple[str, str]]:
    with counter.api() as api:
        found = api.get("villages", params={"q": text, **more}).json()
    return [(village["name"], village["code"]) for village in found]


def test_own_area_comes_first(counter: Counter):
    found = names(counter, "pekauman")
    assert found[0] == ("Pekauman", "6371011003")  # Banjarmasin, where the clinic is; Java has others
    assert len(found) > 3
    own = names(counter, "", limit=50)
    assert own
    assert all(code.startswith("637101") for _name, code in own)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("kelayan sel", "Kelayan Selatan"),
        ("selatan kelayan", "Kelayan Selatan"),  # words in any order, as far as they stand in the name
        ("kel. Pekauman", "Pekauman"),
        ("KELURAHAN MANTUIL", "Mantuil"),
        ("pekauman banjarmasin", "Pekauman"),  # a further word may be of the district
        ("6371011003", "Pekauman"),
        ("63.71.01.1003", "Pekauman"),
        ("keude bakongan", "Keude Bakongan"),  # the other end of the country
    ],
)
def test_a_village_is_found_by_words_and_code(counter: Counter, text: str, name: str):
    assert names(counter, text)[0][0] == name


def test_nothing_is_found_by_what_is_no_village(counter: Counter):
    assert names(counter, "xyzzy") == names(counter, "99") == []


def test_the_area_is_where_the_patients_live(counter: Counter):
    assert villages.own_area(counter.clinic) == "637101"
    with connection():
        before = {row.id: row.village_code for row in Patient.select()}
        Patient.update(village_code="1101012001").execute()
        assert villages.own_area(counter.clinic) == "110101"
        for known, code in before.items():
            Patient.update(village_code=code).where(Patient.id == known).execute()


@pytest.mark.parametrize(
    ("address", "village"),
    [
        ("Jl. Mawar 5 kel. Pekauman", "Pekauman"), ("Jl. Mawar 5, Kelurahan Kelayan Selatan", "Kelayan Selatan"),
        ("desa Sungai Tabuk", "Sungai Tabuk"), ("ds Handil", "Handil"), ("Jl. Kelapa 3", ""), ("Jl. Desa Indah, Gang 2", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_the_village_that_an_address_names(address: str, village: str):
    assert village_in(address) == village


async def fill_and_find(pilot, nik: str, name: str, words: str) -> None:
    await press(pilot, "f2")
    await type_text(pilot, nik)
    await press(pilot, "enter", "enter")
    await type_text(pilot, name)
    pilot.app.screen.query_one("#address").focus()
    await settle(pilot)
    assert ("F6" in screen_of(pilot.app, LoketScreen).said) is (pilot.app.size.width >= 120)
    await type_text(pilot, "Jl. Mawar 5")
    await press(pilot, "f6")
    screen_of(pilot.app, VillageDialog)
    await type_text(pilot, words)
    await settle(pilot)


async def test_chosen_by_keys_it_is_stored_with_its_code(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_and_find(pilot, "6371014107900611", "Sri Wahyuni", "pek")
        assert "Pekauman" in screen_text(app)
        await press(pilot, "enter")
        assert "Kelurahan: Pekauman, Banjarmasin Selatan" in screen_text(app)
        await press(pilot, "f4")
        await type_text(pilot, "sakit gigi")
        await press(pilot, "f10")
        screen_of(app, ConfirmDialog)
        await press(pilot, "enter")
        screen_of(app, ReceiptScreen)
    with counter.api() as api:
        (saved,) = api.get("patients", params={"q": "6371014107900611"}).json()
    assert (saved["village_code"], saved["village"]) == ("6371011003", "Pekauman, Banjarmasin Selatan")
    async with counter.at("clerk") as (app, pilot):
        await type_text(pilot, "sri wahyuni")
        await settle(pilot)
        await press(pilot, "f9")
        assert "Kelurahan: Pekauman" in screen_text(app)
        await press(pilot, "f6")
        await type_text(pilot, "mantuil")
        await settle(pilot)
        await press(pilot, "enter", "f10")
    with counter.api() as api:
        (saved,) = api.get("patients", params={"q": "6371014107900611"}).json()
    assert saved["village_code"] == "6371011001"


async def test_a_name_that_is_not_in_the_list_stands_in_the_address_without_a_code(counter: Counter):
    async with counter.at("clerk", (120, 40)) as (app, pilot):
        await fill_and_find(pilot, "6371014107900622", "Tuti Alawiyah", "kampung hulu sekali")
        await press(pilot, "enter")
        screen = screen_of(app, LoketScreen)
        assert "without a code" in screen.said
        values = screen.field_values()
        assert values["address"] == "Jl. Mawar 5, Kel. kampung hulu sekali"
        assert values["village_code"] == ""


async def test_in_line_mode_the_address_names_it(counter: Counter):
    def nik(serial: int) -> str:
        return compose_nik("637101", date(1980, 1, 1 + serial % 27), Sex.FEMALE, serial)

    rest = ["sakit gigi", "", ""]
    text = await heard(
        counter, nik(6130), "Wati Rohani", "", "", "", "", "Jl. Mawar 5 kel. mantuil RT 3/2", "1", *rest
    )
    number_in(text)
    assert "Kelurahan: Mantuil, Banjarmasin Selatan" in text
    text = await heard(
        counter, nik(6144), "Yuli Sartika", "", "", "", "", "Jl. Mawar 5 kel. pekauman", "x", "1", *rest
    )
    number_in(text)
    assert "1 Pekauman, Banjarmasin Selatan, Kota Banjarmasin" in text
    text = await heard(counter, nik(6155), "Zahra Munawarah", "", "", "", "", "desa antah berantah", *rest)
    number_in(text)
    assert "without a code" in text
    with counter.api() as api:
        codes = [
            api.get("patients", params={"q": nik(n)}).json()[0]["village_code"] for n in (6130, 6144, 6155)
        ]
    assert codes == ["6371011001", "6371011003", ""]
