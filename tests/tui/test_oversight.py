"""Oversight by keys: who opened a patient, what an account did, the list of the day, rights that two people change."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.foundation import clock
from core.foundation.database import connection
from core.foundation.identifiers import new_id
from core.models import Account, CounterDelivery, Encounter
from core.models import Counter as CounterMachine
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import said, save_picture, screen_of, screen_text
from tui.app import LoketApp
from tui.screens.base import LoketScreen
from tui.screens.board import BoardScreen
from tui.screens.oversight.dangers import DangersScreen
from tui.screens.oversight.day_list import DayListScreen
from tui.screens.oversight.log import AuditLogScreen
from tui.screens.oversight.rights import RightsScreen
from tui.screens.record.record import RecordScreen

WHY = "pasien menelepon minta hasil"
NIKS = (f"63710141{month:02}9001{last:02}" for month in range(1, 13) for last in range(31, 40))
"""National ids of women born on the first of some month, each used once: the clinic is one for all of these tests."""


@pytest.fixture
def opened(counter: Counter) -> dict[str, Any]:
    """Somebody in UMUM whose record the midwife has opened for a reason."""
    nik = next(NIKS)
    receipt = {**counter.register("Rahmah Salsabila", nik, "batuk", "UMUM"), "nik": nik}
    with counter.api("midwife") as api:
        query = {"reason": WHY, "reason_code": "patient"}
        assert api.get(f"visits/{receipt['visit_id']}", params=query).status_code == 200
    return receipt


async def test_who_opened_this_patient(counter: Counter, opened: dict[str, Any]):
    async with counter.at("admin") as (app, pilot):
        await press(pilot, "l")
        screen_of(app, AuditLogScreen)
        await press(pilot, "p")
        await type_text(pilot, opened["nik"])
        await until(pilot, lambda: "Rahmah Salsabila" in screen_text(app), "the patient")
        await press(pilot, "enter")
        await until(pilot, lambda: said(app).startswith("Rahmah Salsabila"), "the patient's rows")
        rows = screen_text(app)
        assert "midwife" in rows
        assert "BROKE THE GLASS" in rows
        glass = next(number for number, row in enumerate(rows.splitlines()) if "BROKE" in row)
        await press(pilot, *["down"] * (glass - 1), "enter")
        await until(pilot, lambda: "Row of the log" in screen_text(app), "the row in full")
        assert f"reason: {WHY}" in screen_text(app)
        assert "code: Asked by the patient" in screen_text(app)


async def test_what_did_this_account_do_and_what_before_that(
    counter: Counter, opened: dict[str, Any], monkeypatch
):
    monkeypatch.setattr("tui.screens.oversight.log.PAGE_ROWS", 2)
    async with counter.at("supervisor") as (app, pilot):
        await press(pilot, "f6")
        await press(pilot, "l", "a")
        await type_text(pilot, "midwife")
        await press(pilot, "enter")
        await until(pilot, lambda: said(app) == "midwife: 2 rows", "the first page")
        await press(pilot, "o")
        await until(pilot, lambda: said(app) in {"midwife: 3 rows", "midwife: 4 rows"}, "the older rows")
        rows = screen_text(app)
        assert "OPENED THE RECORD" in rows
        assert "BROKE THE GLASS" in rows
        for _ in range(10):
            await press(pilot, "o")
        assert said(app) == "There are no older rows."
        await press(pilot, "e")
        await until(pilot, lambda: said(app).startswith("everybody"), "everybody again")


async def test_the_supervisor_sees_the_days_broken_glass_and_merges(counter: Counter, opened: dict[str, Any]):
    other = counter.register("Rahma Salsabilla", next(NIKS), "sakit gigi", "GIGI")
    with counter.api("records") as api:
        into = {"into": opened["patient_id"]}
        assert api.post(f"patients/{other['patient_id']}/merge", json=into).status_code == 201
    async with counter.at("supervisor") as (app, pilot):
        screen_of(app, BoardScreen)
        assert "F6=Today's list" in screen_text(app)
        await press(pilot, "f6")
        await until(pilot, lambda: "of them broken glass" in said(app), "the day")
        rows = screen_text(app)
        assert rows.count("MERGED TWO RECORDS") == 1, "one row for one merge, whatever it touched"
        assert "BROKE THE GLASS" in rows
        assert "Asked by the pati" in rows
        await press(pilot, "g")
        await until(pilot, lambda: "MERGED" not in screen_text(app), "broken glass alone")
        await press(pilot, "comma")
        await until(pilot, lambda: "0 rows" in said(app), "the day before")


async def test_a_merged_record_takes_its_readers_along(counter: Counter, opened: dict[str, Any]):
    other = counter.register("Rahma Salsabilla", next(NIKS), "sakit gigi", "GIGI")
    with counter.api("records") as api:
        merged = api.post(f"patients/{opened['patient_id']}/merge", json={"into": other["patient_id"]})
        assert merged.status_code == 201
    with counter.api("supervisor") as api:
        rows = api.get("audit", params={"patient_id": other["patient_id"], "limit": 1000}).json()
    assert "midwife" in {row["account"] for row in rows}


async def test_two_people_change_a_right_by_keys(counter: Counter):
    async with counter.at("admin") as (app, pilot):
        await press(pilot, "g")
        screen_of(app, RightsScreen)
        assert "Y=Approve" not in screen_text(app), "who asks does not decide"
        await press(pilot, "a", "down", "enter")
        await until(pilot, lambda: "Which right" in screen_text(app), "the rights of the triage")
        await press(pilot, *["down"] * 11, "enter")
        await type_text(pilot, "triase membaca catatan")
        await press(pilot, "enter")
        await until(pilot, lambda: said(app).startswith("Asked."), "the request")
    async with counter.at("supervisor") as (app, pilot):
        await press(pilot, "f6", "r")
        await until(pilot, lambda: "asked: admin" in screen_text(app), "the request")
        assert "A=Ask" not in screen_text(app)
        await press(pilot, "y")
        await until(pilot, lambda: said(app).startswith("Approved"), "the decision")
        await press(pilot, "y")
        assert said(app).startswith("Choose a request that waits")
        await press(pilot, "l")
        await until(pilot, lambda: "All rights" in screen_text(app), "the table")
    with counter.api("nurse") as api:
        rights = api.get("accounts/me").json()["rights"]
    assert "enter_results" in rights
    with counter.api("supervisor") as api:
        actions = [row["action"] for row in api.get("audit", params={"watched": True}).json()]
    assert actions[:2] == ["rights_change_approved", "rights_change_requested"]


@pytest.mark.parametrize("language", ["en", "id"])
async def test_the_head_of_the_clinic_reads_and_signs_a_danger_sign(counter: Counter, language: str):
    words = {
        "en": ("danger signs are not signed", "S: sign this page", "Signed.", "Taken back.", "(23 yr, F)"),
        "id": ("tanda bahaya belum", "S: tanda tangani", "Ditandatangani.", "Ditarik", "(23 th, P)"),
    }
    waiting, sign_key, done, back, person = words[language]
    async with counter.at("supervisor", language=language) as (app, pilot):
        await press(pilot, "f6", "s")
        screen_of(app, DangersScreen)
        await until(pilot, lambda: waiting in said(app), "the danger signs")
        before = said(app)
        await press(pilot, "enter")
        await until(pilot, lambda: sign_key in screen_text(app), "the page")
        assert "SATS" in screen_text(app), "the source stands first"
        assert person in screen_text(app), "an example tells of whom"
        await press(pilot, "s")
        await until(pilot, lambda: said(app).startswith(done), "the signature")
        await press(pilot, "f5")
        await until(pilot, lambda: waiting in said(app) and said(app) != before, "one sign fewer")
        await press(pilot, "end")
        await press(pilot, "enter")
        await until(pilot, lambda: "SATS" in screen_text(app), "the signed page")
        assert sign_key not in screen_text(app), "it is signed"
        await press(pilot, "escape", "x")
        await type_text(pilot, "belum dibaca semua")
        await press(pilot, "enter")
        await until(pilot, lambda: said(app).startswith(back), "the signature is gone")
    async with counter.at("admin", language=language) as (app, pilot):
        await press(pilot, "s")
        screen_of(app, DangersScreen)
        await until(pilot, lambda: said(app) == before, "the admin reads them")
        assert "X=" not in screen_text(app).splitlines()[-1]
        await press(pilot, "enter")
        await until(pilot, lambda: "SATS" in screen_text(app), "the page")
        assert sign_key not in screen_text(app), "and does not sign"


async def test_a_locked_record_is_corrected_with_the_supervisors_leave(counter: Counter):
    receipt = counter.register("Siti Hajar Munawarah", next(NIKS), "batuk", "UMUM")
    with counter.api("doctor") as api:
        api.post(f"queue-entries/{receipt['ticket']['id']}/start", json={}).raise_for_status()
        api.put(
            f"visits/{receipt['visit_id']}/encounter", json={"subjective": "batuk 3 hari"}
        ).raise_for_status()
        api.post(f"queue-entries/{receipt['ticket']['id']}/finish", json={}).raise_for_status()
    _age(receipt["visit_id"])
    async with counter.at("doctor") as (app, pilot):
        await _open_visit(app, pilot, receipt)
        assert "C: correct" not in screen_text(app)
        await press(pilot, "l")
        await type_text(pilot, "lama batuk salah tulis")
        await press(pilot, "enter")
        await until(pilot, lambda: said(app).startswith("Asked."), "the request")
    async with counter.at("supervisor") as (app, pilot):
        await press(pilot, "f6")
        await until(pilot, lambda: "Leave to correct" in screen_text(app), "the request on the list")
        assert "Siti Hajar" in screen_text(app)
        await press(pilot, "y")
        await until(pilot, lambda: "RELEASED A RECORD" in screen_text(app), "the release")
    async with counter.at("doctor") as (app, pilot):
        await _open_visit(app, pilot, receipt)
        await press(pilot, "c")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
        await settle(pilot)
        assert "F10" not in screen_text(app).splitlines()[-1], "the visit has ended; it cannot end again"
        app.screen.query_one("#subjective").focus()
        await type_text(pilot, "ralat 5 hari, bukan ")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: said(app).startswith("Saved."), "the correction")
    with counter.api("doctor") as api:
        visit = api.get(f"visits/{receipt['visit_id']}").json()
    assert visit["encounters"][0]["subjective"] == "ralat 5 hari, bukan batuk 3 hari"


def _age(visit_id: str) -> None:
    """Let a contact be three days old."""
    contact = Encounter.get(Encounter.visit == visit_id)
    entered = contact.entered_at - timedelta(days=3)
    with connection():
        Encounter.update(entered_at=entered).where(Encounter.id == contact.id).execute()


async def _open_visit(app: LoketApp, pilot: Pilot[None], receipt: dict[str, Any]) -> None:
    """Find the patient of a receipt and open that visit."""
    await press(pilot, "f2")
    await type_text(pilot, "Siti Hajar Munawarah")
    await until(pilot, lambda: " RM" in screen_text(app) or "Siti Hajar" in screen_text(app), "the patient")
    await settle(pilot)
    await press(pilot, "enter")
    await until(pilot, lambda: "Enter: read it" in screen_text(app), "the visits")
    await press(pilot, "enter")
    await until(pilot, lambda: "arrows: read on" in screen_text(app), "the visit")


@pytest.mark.parametrize("language", ["en", "id"])
async def test_every_screen_names_its_keys_within_eighty_columns(
    counter: Counter, opened: dict[str, Any], language: str
):
    async with counter.at("supervisor", language=language) as (app, pilot):
        await press(pilot, "f6")
        screens = (("", DayListScreen), ("l", AuditLogScreen), ("r", RightsScreen), ("s", DangersScreen))
        for key, kind in screens:
            if key:
                await press(pilot, key)
            shown = screen_of(app, LoketScreen)
            assert isinstance(shown, kind)
            await settle(pilot)
            text = screen_text(app)
            missing = [
                binding.key
                for binding in shown.shown_keys()
                if binding.key in "aegloprsdyx"
                and f"{binding.key.upper()}=" not in "".join(text.splitlines()[-shown.KEY_ROWS :])
            ]
            assert missing == []
            if key:
                await press(pilot, "escape")


async def test_the_supervisor_releases_a_file_with_names_by_a_key(counter: Counter, tmp_path: Path):
    with counter.api("admin") as api:
        asked = api.post("reports/daily-register/requests", json={"reason": "rapat dinas kesehatan"})
        assert asked.status_code == 201
    async with counter.at("supervisor") as (app, pilot):
        await press(pilot, "f6")
        await until(pilot, lambda: "File with patients" in screen_text(app), "the request")
        assert "rapat dinas" in screen_text(app)
        save_picture(app, tmp_path / "list.png")
        await press(pilot, "enter")
        await until(pilot, lambda: "Daily register" in screen_text(app), "the request in full")
        await press(pilot, "escape", "y")
        await until(pilot, lambda: said(app).startswith("Approved"), "the decision")
    with counter.api("admin") as api:
        assert api.get("reports/daily-register", params={"format": "csv"}).status_code == 200


@pytest.fixture
def flagged(counter: Counter, opened: dict[str, Any]) -> str:
    """A registration of an account that had been disabled, delivered by a counter's own machine; its number."""
    with connection():
        account = Account.get(Account.username == "clerk")
        machine = Account.get(Account.username == "door")
        now = clock.now()
        own = CounterMachine.create(id=new_id(), name="Loket 9", account=machine, created_at=now)
        CounterDelivery.create(
            id=new_id(), counter=own, account=account, visit=opened["visit_id"], flag="account_disabled",
            arrived_at=now, delivered_at=now,
        )  # fmt: skip
    return str(opened["ticket"]["number"])


async def test_what_a_disabled_account_registered_without_the_core_is_looked_at(
    counter: Counter, flagged: str, tmp_path: Path
):
    async with counter.at("supervisor") as (app, pilot):
        await press(pilot, "f6")
        await until(pilot, lambda: "its account was disabled" in screen_text(app), "the delivery")
        assert flagged in screen_text(app)
        assert "1 wait for a decision" in said(app)
        save_picture(app, tmp_path / "flagged.png")
        await press(pilot, "home", "y")
        await until(pilot, lambda: said(app).startswith("Noted"), "that it is noted")
        assert "its account was disabled" not in screen_text(app)
