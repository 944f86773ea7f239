"""Rows of imported lists mended by keys: found under F7, opened, corrected, stored, left out and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.accounts.service import system_actor
from core.foundation.database import connection
from core.imports import service as importing
from core.imports import set_aside
from core.models import Patient
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import focused_id, screen_of, screen_text
from tui.screens.patients.set_aside import MendScreen, SetAsideScreen
from tui.screens.registration.search import SearchScreen

IDENTITIES = {
    "records": ("Zubaidah Kamsiah", 77501),
    "admin": ("Jumiati Raudah", 88501),
    "": ("Norhayati Helda", 99501),
}
"""Who mends -> the name and the number of the paper file in the list: the clinic is shared by the tests."""


def write_list(file: Path, who: str) -> None:
    name, number = IDENTITIES[who]
    lines = (
        "No RM;Nama;JK;Tgl Lahir;NIK;Ibu;No HP",
        f"{number};{name};P;0000-00-00;;Rusmini;08112{number}",
        f"{number + 1};Hasbullah Arsyad;;1-2-1980;;;",
        f";JUMLAH {who};;;;;",
    )
    file.write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def imported(counter: Counter, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Counter]:
    call = getattr(request.node, "callspec", None)
    write_list(tmp_path / "pasien.csv", call.params["who"] if call is not None else "")
    with connection():
        actor = system_actor("import")
        importing.run(counter.clinic, actor, tmp_path / "pasien.csv", dry_run=False)
    yield counter
    with connection():
        for row in set_aside.waiting(actor).rows:
            set_aside.leave_out(actor, row.id, "the test has ended")


@pytest.mark.parametrize("who", ["records", "admin"])
async def test_a_row_is_mended_by_keys(imported: Counter, who: str) -> None:
    name, number = IDENTITIES[who]
    async with imported.at(who) as (app, pilot):
        if who == "admin":
            await press(pilot, "f2")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen), "the search")
        await press(pilot, "f7", "r")
        await until(pilot, lambda: "3 rows to mend" in screen_text(app), "the rows")
        assert isinstance(app.screen, SetAsideScreen)
        shown = screen_text(app)
        assert "pasien.csv" in shown
        assert name in shown
        assert "birth date was never entered" in shown
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, MendScreen), "the form")
        assert focused_id(app) == "birth_date"
        values = screen_of(app, MendScreen).field_values()
        assert (values["name"], values["mother_name"], values["birth_date"]) == (
            name,
            "Rusmini",
            "",
        )
        assert "line 2" in screen_text(app)
        assert "0000-00-00" in screen_text(app)
        await press(pilot, "f10")
        assert isinstance(app.screen, MendScreen)  # no date yet: nothing is stored
        await type_text(pilot, "17081990")
        await press(pilot, "escape")
        assert isinstance(app.screen, MendScreen)  # what was typed is not thrown away by one key
        assert "Not saved yet" in screen_text(app)
        await press(pilot, "f10")
        await until(pilot, lambda: f"Stored: {name}, RM 000{number}" in screen_text(app), "the message")
        await until(pilot, lambda: "Hasbullah" in screen_text(app), "the next row")
        assert f"{name}  " not in screen_text(app)
    with connection():
        stored = Patient.get(Patient.name == name)
        assert (stored.birth_date.isoformat(), stored.medical_record_number, stored.phone) == (
            "1990-08-17", f"000{number}", f"08112{number}",
        )  # fmt: skip


async def test_a_row_that_is_nobody_is_left_out_and_taken_back(imported: Counter) -> None:
    async with imported.at("records") as (app, pilot):
        await press(pilot, "f7", "r")
        await until(pilot, lambda: "3 rows to mend" in screen_text(app), "the rows")
        await press(pilot, "down", "down", "x", "1")
        await until(pilot, lambda: "Left out: line 4" in screen_text(app), "the message")
        assert "JUMLAH" not in screen_text(app)
        await press(pilot, "u")
        await until(pilot, lambda: "JUMLAH" in screen_text(app), "the row again")


async def test_a_clerk_is_not_offered_the_rows(imported: Counter) -> None:
    async with imported.at("clerk") as (app, pilot):
        await press(pilot, "f7")
        await settle(pilot)
        assert "look-alikes" in screen_text(app)
        assert "rows of imported lists" not in screen_text(app)
