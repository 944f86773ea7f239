"""The registration form as a busy clerk uses it: parked forms, second scans, what was only proposed, the receipt."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from core.foundation.database import connection
from core.models import Patient
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import focused_id, said, screen_of, screen_text, session_of
from tests.tui.queues import NAMES
from tests.tui.test_registration import fill_new_patient
from tui.app import LoketApp
from tui.client.errors import UnreachableError
from tui.screens import draft_autosave
from tui.screens.base import LoketScreen
from tui.screens.patients.edit import EditScreen
from tui.screens.registration.drafts_dialog import DraftsDialog
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.registration_form import RegistrationScreen
from tui.screens.registration.search import SearchScreen
from tui.widgets import TextField

pytestmark = pytest.mark.usefixtures("no_parked_forms")


def values(app: LoketApp) -> dict[str, str]:
    return screen_of(app, LoketScreen).field_values()


async def park(pilot: Pilot[None], app: LoketApp, name: str, complaint: str) -> None:
    """Begin a form and leave it: the patient fetches the family card."""
    await press(pilot, "f2", "tab", "tab")
    while focused_id(app) != "name":
        await press(pilot, "tab")
    await type_text(pilot, name)
    await press(pilot, "f4")
    await type_text(pilot, complaint)
    await press(pilot, "escape")
    assert isinstance(app.screen, SearchScreen)


async def throw_all_away(counter: Counter) -> None:
    with counter.api() as api:
        for draft in api.get("drafts", params={"kind": "registration"}).json():
            api.delete(f"drafts/{draft['key']}").raise_for_status()


async def test_several_forms_are_parked_and_none_overwrites_another(counter: Counter):
    await throw_all_away(counter)
    people = [(f"{name} Parkir", f"sakit gigi {name.lower()}") for name in NAMES[:10]]
    async with counter.at("clerk") as (app, pilot):
        for name, complaint in people:
            await park(pilot, app, name, complaint)
        await until(pilot, lambda: "10 forms were left unfinished" in said(app), "the offer")
        for name, complaint in people:
            await press(pilot, "f8")
            dialog = screen_of(app, DraftsDialog)
            shown = screen_text(app)
            assert all(each in shown for each, _ in people)
            rows = [row.key for row in dialog.query_one("#forms").rows]  # type: ignore[attr-defined]
            wanted = next(key for key in rows if name in dialog._line(dialog._drafts[key]))
            for _ in range(rows.index(wanted)):
                await press(pilot, "down")
            await press(pilot, "enter")
            assert isinstance(app.screen, RegistrationScreen)
            assert (values(app)["name"], values(app)["chief_complaint"]) == (name, complaint)
            await press(pilot, "escape")
        await press(pilot, "f8", "x", "enter")  # the newest
        await press(pilot, "escape", "escape")
        await until(pilot, lambda: "9 forms were left unfinished" in said(app), "one less")
    await throw_all_away(counter)


async def test_opening_a_returning_patient_leaves_the_parked_form_alone(counter: Counter):
    await throw_all_away(counter)
    with counter.api() as api:
        known = next(person for person in api.get("patients").json() if not person["open_entry"])
    async with counter.at("clerk") as (app, pilot):
        await park(pilot, app, "Amat Parkir", "demam")
        await type_text(pilot, known["medical_record_number"])
        await press(pilot, "enter")
        await type_text(pilot, "batuk")
        await press(pilot, "escape", "f8")
        text = screen_text(app)
        assert "Amat Parkir" in text
        assert known["name"][:20] in text
    await throw_all_away(counter)


async def test_a_saved_form_ends_its_own_draft_only(counter: Counter):
    await throw_all_away(counter)
    async with counter.at("clerk") as (app, pilot):
        await park(pilot, app, "Bahri Parkir", "demam")
        await fill_new_patient(pilot, "6371015412830141", "Wati Simpan", "sakit gigi")
        await press(pilot, "f10", "enter")
        assert isinstance(app.screen, ReceiptScreen)
        await press(pilot, "enter")
        with counter.api() as api:
            kept = api.get("drafts", params={"kind": "registration"}).json()
        assert [draft["data"]["label"] for draft in kept] == ["Bahri Parkir"]
    await throw_all_away(counter)


async def test_what_is_typed_is_kept_when_typing_pauses_in_mid_word(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
):
    await throw_all_away(counter)
    monkeypatch.setattr(draft_autosave, "STILL_SECONDS", 0.05)
    async with counter.at("clerk") as (_app, pilot):
        await press(pilot, "f2", "f4")
        await type_text(pilot, "sakit gi")

        def kept() -> Any:
            with counter.api() as api:
                found = api.get("drafts", params={"kind": "registration"}).json()
            return found and found[0]["data"]["values"].get("chief_complaint") == "sakit gi"

        await until(pilot, kept, "the half word on the server")
    await throw_all_away(counter)


async def test_a_form_that_cannot_be_kept_says_so_until_it_can(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(draft_autosave, "STILL_SECONDS", 0.05)
    monkeypatch.setattr(draft_autosave, "RETRY_SECONDS", 0.1)
    async with counter.at("clerk") as (app, pilot):
        client = session_of(app).client
        save = client.drafts.save

        async def away(*_: Any) -> None:
            raise UnreachableError

        await press(pilot, "f2", "f4")
        monkeypatch.setattr(client.drafts, "save", away)
        await type_text(pilot, "demam")
        await until(pilot, lambda: "NOT KEPT" in said(app), "the warning")
        monkeypatch.setattr(client.drafts, "save", save)
        await until(pilot, lambda: "Kept again" in said(app), "the end of the warning")
    await throw_all_away(counter)


@pytest.mark.parametrize(
    ("first", "second"),
    [("6371014509900011", "6371014509900022"), ("0001112223334", "0001112223335"), ("99999998", "99999997")],
)
async def test_a_second_scan_replaces_the_first(counter: Counter, first: str, second: str):
    async with counter.at("clerk") as (app, pilot):
        for number in (first, second, first):
            await type_text(pilot, number)
            await press(pilot, "enter")
            assert "Nobody found" in said(app)
            assert app.screen.query_one("#search", TextField).text == number


async def test_a_name_that_nobody_has_can_be_typed_on(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await type_text(pilot, "zzyzx")
        await press(pilot, "enter")
        await type_text(pilot, "ab")
        assert app.screen.query_one("#search", TextField).text == "zzyzxab"


async def test_typing_replaces_the_mothers_name_that_was_only_proposed(counter: Counter):
    counter.register("Norhasanah Binti Udin", "6371014506910151", "sakit gigi", "GIGI")
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        while focused_id(app) != "name":
            await press(pilot, "tab")
        await type_text(pilot, "By Ny Nurhasanah")
        await press(pilot, "f8")
        await type_text(pilot, "norhasanah")
        assert app.screen.query_one("#mother", TextField).text == "norhasanah"
        await until(pilot, lambda: "Norhasanah Binti Udin" in screen_text(app), "the mother")


async def test_one_key_leads_to_the_complaint(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        assert focused_id(app) == "nik"
        assert "F4=Complaint" in screen_text(app)
        await press(pilot, "f4")
        assert focused_id(app) == "chief_complaint"


@pytest.mark.parametrize(
    ("nik", "name", "complaint", "sign", "priority"),
    [
        ("6371014505920161", "Rahma Nyeri", "nyeri dada sesak berat keringat dingin", "!!", "RED"),
        ("6371014505450162", "Nenek Lina", "sakit gigi", "*", "elderly"),
        ("6371014505920163", "Sinta Biasa", "sakit gigi", "", ""),
    ],
)
async def test_the_receipt_shows_the_record_number_and_the_priority(
    counter: Counter, nik: str, name: str, complaint: str, sign: str, priority: str
):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, nik, name, complaint)
        await press(pilot, "f10", "enter")
        receipt = screen_of(app, ReceiptScreen).receipt
        with counter.api() as api:
            number = api.get(f"patients/{receipt.patient_id}").json()["medical_record_number"]
        text = screen_text(app)
        assert f"RM {number}" in text
        assert (f"Priority: {priority}" in text) if priority else ("Priority" not in text)
        assert sign in text


OLD_PASSPORTS = ("A1", "12", "C-1", "A 1 2", "A-B", "B2é", "Ж1234567", "X", "99", "P/12")


async def test_a_card_with_a_passport_older_than_the_rule_can_be_corrected(counter: Counter):
    receipt = counter.register("Marta Asing", "6371014505930171", "sakit gigi", "GIGI")
    async with counter.at("clerk") as (app, pilot):
        for serial, passport in enumerate(OLD_PASSPORTS):
            with connection():
                Patient.update(passport_number=passport).where(Patient.id == receipt["patient_id"]).execute()
            await press(pilot, "escape")
            await type_text(pilot, "6371014505930171")
            await until(pilot, lambda: "Marta Asing" in screen_text(app), "the patient")
            await press(pilot, "down", "f9")
            assert isinstance(app.screen, EditScreen)
            while focused_id(app) != "phone":
                await press(pilot, "tab")
            await press(pilot, "ctrl+u")
            await type_text(pilot, f"08125550{serial:03d}")
            await press(pilot, "f10")
            await settle(pilot)
            assert isinstance(app.screen, SearchScreen), screen_text(app)
            with counter.api() as api:
                stored = api.get(f"patients/{receipt['patient_id']}").json()
            assert (stored["passport_number"], stored["phone"]) == (passport, f"08125550{serial:03d}")


async def test_a_changed_passport_keeps_to_the_rule(counter: Counter):
    receipt = counter.register("Marta Baru", "6371014505940172", "sakit gigi", "GIGI")
    with counter.api() as api:
        answer = api.patch(f"patients/{receipt['patient_id']}", json={"passport_number": "A1"})
    assert answer.json()["fields"] == {"passport_number": "passport_format"}
