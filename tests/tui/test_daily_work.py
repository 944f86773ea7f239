"""What the admin does with the keyboard: close the day, see what went wrong, read and write reports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.daily.reports.registry import REPORTS
from core.schemas.clinic import ClosingOut, ClosingStepOut, SyncOut
from server.text.problem_words import closing_in_words, sync_in_words
from server.text.translation import speaking
from tests.people import release_file
from tests.server.offices import Office
from tests.tui.conftest import Counter, press, type_text, until
from tests.tui.looking import said, save_picture, screen_text
from tui.app import LoketApp
from tui.client.clinic import ClinicClient
from tui.screens.administration import AdministrationScreen
from tui.screens.reasons import LineDialog
from tui.screens.reports import ReportsScreen


@asynccontextmanager
async def admin(
    counter: Counter, size: tuple[int, int] = (80, 24), language: str = "en"
) -> AsyncIterator[tuple]:
    async with counter.at("admin", size, language) as (app, pilot):
        assert isinstance(app.screen, AdministrationScreen)
        yield app, pilot


def closing(counter: Counter) -> dict:
    with counter.api("admin") as api:
        return api.get("closing").json()


async def test_the_admin_closes_the_day_by_one_key_and_watches_it(
    counter: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.administration.FOLLOW_SECONDS", 0.5)
    office = Office(tmp_path / "office")
    settings = counter.clinic.settings.model_copy(
        update={"office_url": office.fhir, "office_token": office.token}
    )
    object.__setattr__(counter.clinic, "settings", settings)
    try:
        counter.register("Aisyah Lestari", "6371014101900021", "batuk", "UMUM")
        async with admin(counter) as (app, pilot):
            await until(pilot, lambda: "C begins it" in screen_text(app), "the closing's block")
            await press(pilot, "c")
            assert "registering goes on" in said(app)
            await until(pilot, lambda: "same set on both sides: yes" in screen_text(app), "the proof")
            await until(pilot, lambda: "backup whole, other end agrees" in screen_text(app), "the last step")
            shown = screen_text(app)
            assert "opened again and compared" in shown
            assert f"{len(REPORTS)} written as CSV and XLSX" in shown
            assert "refused 0" in shown
        assert {step["status"] for step in closing(counter)["steps"]} <= {"done", "skipped"}
        assert "Encounter" in {key.split("/")[0] for key in office.held()}
    finally:
        office.stop()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("language", ["en", "id"])
async def test_what_went_wrong_stands_there_with_what_to_do(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], language: str, tmp_path: Path
) -> None:
    steps = [
        ClosingStepOut(name="queues", status="done", detail={"ended": 3}),
        ClosingStepOut(name="backup", status="failed", error="disk_full"),
        ClosingStepOut(name="reports", status="done", detail={"reports": 7, "folder": "/var/lib/loket/r"}),
        ClosingStepOut(name="synchronise", status="running", done=120, total=400),
        ClosingStepOut(name="verify", status=None),
    ]

    async def half(self: ClinicClient) -> ClosingOut:
        shape = ClosingOut(
            day=date(2026, 3, 2),
            running=True,
            status="running",
            done=3,
            total=5,
            seconds_left=200,
            steps=steps,
        )
        with speaking(language):
            return closing_in_words(shape)

    async def refused(self: ClinicClient) -> SyncOut:
        listed = [
            {"kind": "visit", "target": "x", "error": "value: code has no ICD-10 coding (Condition.code)", "remedy": remedy}
            for remedy in ("choose_another_code", "complete_the_nik", "enter_a_diagnosis", "tell_the_maintainer")
        ]  # fmt: skip
        shape = SyncOut(
            pending=280,
            sent=120,
            refused=4,
            running=True,
            done=120,
            total=400,
            seconds_left=30,
            refusals=listed,
        )
        with speaking(language):
            return sync_in_words(shape)

    monkeypatch.setattr(ClinicClient, "closing_status", half)
    monkeypatch.setattr(ClinicClient, "sync_status", refused)
    words = {
        "en": ("about 3 min left", "The disk is full", "120 of 400", "Enter the patient's NIK"),
        "id": ("sekitar 3 menit lagi", "Disk penuh", "120 dari 400", "Isi NIK pasien"),
    }
    async with admin(counter, size, language) as (app, pilot):
        await until(pilot, lambda: words[language][0] in screen_text(app), "the bar")
        shown = screen_text(app)
        for text in words[language]:
            assert text in shown
        # 3 steps and 120 of 400 of the fourth: 3.3 of 5.
        assert "[" + "#" * 13 + "." * 7 + "]" in shown
        assert ("2 more" in shown or "2 lagi" in shown) == (size[1] < 30)
        save_picture(app, tmp_path / "closing.png")


@pytest.mark.parametrize("language", ["en", "id"])
async def test_reports_are_read_and_written_with_the_keyboard(counter: Counter, language: str) -> None:
    counter.register("Budi Hidayat", f"63710117088000{31 + (language == 'id')}", "sakit gigi", "GIGI")
    with counter.api("admin") as asking, counter.api("supervisor") as deciding:
        release_file(asking, deciding)
    async with admin(counter, language=language) as (app, pilot):
        await press(pilot, "r")
        assert isinstance(app.screen, ReportsScreen)
        await until(pilot, lambda: "Budi Hidayat" in screen_text(app), "the register")
        shown = screen_text(app)
        assert "Semua kunjungan yang didaftarkan" in shown
        assert "Pendaftaran di loket" in shown
        assert "GIGI" not in shown
        for _ in range(12):
            await press(pilot, "right")
        await until(pilot, lambda: "GIGI" in screen_text(app), "the columns to the right")
        assert "Jumlah" in screen_text(app)  # the first column stays
        await press(pilot, "w")
        await until(pilot, lambda: ".csv" in said(app), "the files")
        day = counter.clinic.today()
        folder = counter.clinic.settings.home / "reports" / day.isoformat()
        assert "Budi Hidayat" in (folder / "daily-register.csv").read_text("utf-8-sig")
        assert (folder / "daily-register.xlsx").stat().st_size > 1000

        await press(pilot, "o", "down", "enter")
        await until(pilot, lambda: "LB1" in screen_text(app), "LB1")
        await press(pilot, "d")
        await press(pilot, *(["backspace"] * 10), *"32132026", "enter")
        assert said(app)
        await press(pilot, "d")
        await press(pilot, *(["backspace"] * 10), *"02032026", "enter")
        await until(pilot, lambda: "2026-03" in screen_text(app), "March")
        await press(pilot, "escape")
        assert isinstance(app.screen, AdministrationScreen)


WITHOUT_SUM = {"kbk": "Rasio peserta prolanis", "identity": "Status perkawinan"}
"""Report -> its last row, where that is no sum."""


def _shows(app: LoketApp, words: str) -> bool:
    return words in screen_text(app)


def _says(app: LoketApp, beginnings: tuple[str, ...]) -> bool:
    return said(app).startswith(beginnings)


@pytest.mark.parametrize("language", ["en", "id"])
async def test_a_file_with_names_is_asked_for_with_the_keyboard(
    counter: Counter, language: str, tmp_path: Path
) -> None:
    days_back = 1 + (language == "id")  # a release of one language is none for the other
    async with admin(counter, language=language) as (app, pilot):
        await press(pilot, "r", *["comma"] * days_back)
        for answer in (("Asked.", "Sudah diminta."), ("The same is", "Hal yang sama")):
            await press(pilot, "w")
            await until(pilot, lambda: isinstance(app.screen, LineDialog), "the reason")
            save_picture(app, tmp_path / f"leave-{language}.png")
            await type_text(pilot, "rapat dinas kesehatan")
            await press(pilot, "enter")
            await until(pilot, partial(_says, app, answer), answer[0])
        with counter.api("supervisor") as api:
            [asked] = [row for row in api.get("approvals").json() if row["outcome"] is None]
            assert api.post(f"approvals/{asked['id']}/approve").status_code == 200
        await press(pilot, "w")
        await until(pilot, lambda: ".csv" in said(app), "the files")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_report_fits_the_screen(counter: Counter, size: tuple[int, int]) -> None:
    async with admin(counter, size) as (app, pilot):
        await press(pilot, "r")
        for number, name in enumerate(REPORTS):
            last = WITHOUT_SUM.get(name, "Jumlah")
            await press(pilot, "o", *(["down"] * number), "enter", "end")
            await until(pilot, partial(_shows, app, last), f"the end of {name}")
            assert all(len(line) <= size[0] for line in screen_text(app).splitlines())


async def examined(app: LoketApp, pilot: Pilot[None], shown: Callable[[], bool]) -> None:
    """Wait for an examination, which is done by a process of its own."""
    async with asyncio.timeout(120):
        while not shown():
            await asyncio.sleep(0.1)
            await pilot.pause()


async def test_the_admin_examines_the_machine_by_one_key(counter: Counter, tmp_path: Path) -> None:
    async with admin(counter) as (app, pilot):
        await press(pilot, "k")
        await examined(app, pilot, lambda: "ask for something" in said(app) or "in order (" in said(app))
        shown = screen_text(app)
        assert "No second place" in shown
        assert shown.index("!") < shown.index(" v ")
        save_picture(app, tmp_path / "doctor.png")
        await press(pilot, "escape")
        assert isinstance(app.screen, AdministrationScreen)


async def test_the_admin_mends_by_one_key_what_needs_no_decision(counter: Counter) -> None:
    token = counter.clinic.settings.door_token_file
    token.chmod(0o644)
    async with admin(counter) as (app, pilot):
        await press(pilot, "k")
        await examined(app, pilot, lambda: "R mends" in said(app))
        assert "[R]" in screen_text(app)
        assert "Mend" in screen_text(app).splitlines()[-1], "the footer names the key"
        await press(pilot, "r")
        await examined(app, pilot, lambda: "Mended." in screen_text(app))
        assert "+  secrets" in screen_text(app)
    assert token.stat().st_mode & 0o077 == 0
