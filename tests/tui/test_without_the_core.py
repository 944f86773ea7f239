"""The line is cut in mid-form: the counter writes on, form by form, and enters all of it when the core is back."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.foundation.config import Settings
from core.foundation.database import connection
from core.models import LateEntry, Registration
from server.run import Background
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import said, screen_of, screen_text
from tests.tui.test_client import Cable
from tests.tui.test_kept_drafts import at_the_counter, kept
from tests.tui.test_line_mode import nik
from tests.tui.test_registration import fill_new_patient
from tui.app import LoketApp, build_app
from tui.client.drafts import DraftsClient
from tui.client.errors import UnreachableError
from tui.screens.registration import registration_form, search
from tui.screens.registration.confirm import ConfirmDialog
from tui.screens.registration.late_dialog import LateDialog
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.registration_form import RegistrationScreen
from tui.screens.registration.search import SearchScreen
from tui.session import open_session

PEOPLE = ("Gita Permata", "Hilman Yasin", "Intan Kirana", "Joko Susilo", "Kirana Dewi")


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again after a shorter pause than a person makes."""
    monkeypatch.setattr(search, "RETRY_SECONDS", 0.5)


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Iterator[Counter]:
    home = tmp_path_factory.mktemp("clinic") / "home"
    shutil.copytree(demo_home, home)
    with Background(Settings(home=home)) as server:
        made = Counter(server)
        with made.api("supervisor") as api:
            assert api.post("paper-forms", json={"cluster": "GIGI", "count": 9}).status_code == 201
        yield made


@asynccontextmanager
async def clerk_at(
    url: str, folder: Path, language: str = "en"
) -> AsyncIterator[tuple[LoketApp, Pilot[None]]]:
    """The clerk at the counter's own machine."""
    client = await at_the_counter(url, folder)
    session = await open_session(client, await client.accounts.me(), language=language, owns_client=True)
    app = build_app(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        yield app, pilot


async def write_one(app: LoketApp, pilot: Pilot[None], name: str, number: str, form: str) -> None:
    """A patient while nothing answers: the form, F10, the number of the paper that the patient gets."""
    await fill_new_patient(pilot, number, name, "sakit gigi geraham")
    await give_paper(app, pilot, form)


async def give_paper(app: LoketApp, pilot: Pilot[None], form: str) -> None:
    await press(pilot, "f10")
    await until(pilot, lambda: isinstance(app.screen, LateDialog), "the offer of paper")
    assert "NOT SAVED" in screen_text(app)
    await press(pilot, "tab", "tab")
    await type_text(pilot, form)
    await press(pilot, "f10")
    await until(pilot, lambda: isinstance(app.screen, SearchScreen), "the next patient")


async def test_five_people_are_written_without_the_core_and_each_is_there_once(
    counter: Counter, tmp_path: Path
):
    cable = Cable(int(counter.url.rsplit(":", 1)[1]))
    async with cable.lay() as url, clerk_at(url, tmp_path) as (app, pilot):
        await fill_new_patient(pilot, nik(901), PEOPLE[0], "sakit gigi geraham")
        cable.cut()
        await give_paper(app, pilot, "bk1")
        for place, name in enumerate(PEOPLE[1:], start=2):
            await until(pilot, lambda: "No answer since" in said(app), "the truth")
            assert f"{place - 1} form" in said(app)
            assert "NOT SAVED" in said(app)
            await write_one(app, pilot, name, nik(900 + place), f"bk{place}")
        await until(pilot, lambda: "5 forms here, NOT SAVED." in screen_text(app), "the count")
        assert len(kept(tmp_path).all("registration")) == 5
        with connection():
            before = Registration.select().count()
        # While nothing answers they can be looked at again; the line is tried each time.
        await press(pilot, "f8")
        assert "BK5    Kirana Dewi" in screen_text(app)
        await press(pilot, "enter")
        assert PEOPLE[4] in screen_text(app)
        await press(pilot, "escape")
        cable.is_cut = False
        await until(pilot, lambda: "5 forms were left unfinished" in said(app), "the offer")
        numbers = []
        for _name in PEOPLE:
            await press(pilot, "f8")
            if not isinstance(app.screen, RegistrationScreen):
                await press(pilot, "end", "enter")  # the oldest first
            await until(pilot, lambda: isinstance(app.screen, RegistrationScreen), "the form")
            assert "LATE ENTRY" in screen_text(app)
            await press(pilot, "f10")
            await until(pilot, lambda: isinstance(app.screen, ConfirmDialog), "the confirmation")
            await press(pilot, "enter")
            numbers.append(screen_of(app, ReceiptScreen).receipt.ticket.number)
            await press(pilot, "enter")
        assert numbers == [f"B-K0{place}" for place in range(1, 6)]
        assert kept(tmp_path).all("registration") == []
    with connection():
        assert Registration.select().count() == before + 5
        assert {entry.written_by for entry in LateEntry.select()} == {"Rina Pertiwi"}
    called = [number for number in counter.open_numbers("GIGI") if "-K" in number]
    assert called == numbers  # by arrival


async def test_a_line_that_is_only_silent_offers_paper_too(
    counter: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(registration_form, "SILENT_SECONDS", 0.2)
    async with clerk_at(counter.url, tmp_path) as (app, pilot):
        await fill_new_patient(pilot, nik(911), "Lukman Hakim", "sakit gigi geraham")

        async def never(*_arguments: object, **_options: object) -> None:
            await asyncio.sleep(30)

        form = screen_of(app, RegistrationScreen)
        form.checks.forget()
        monkeypatch.setattr(type(form), "ask", never)
        await press(pilot, "f10")
        await until(pilot, lambda: isinstance(app.screen, LateDialog), "the offer of paper")
        await press(pilot, "escape")
        assert "Lukman Hakim" in screen_text(app)


async def test_at_the_servers_own_door_nothing_is_promised(counter: Counter, monkeypatch: pytest.MonkeyPatch):
    """Over ssh the terminal goes down with the core: there is no disk of the counter's to keep a form on."""
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, nik(912), "Mulyadi Putra", "sakit gigi geraham")
        form = screen_of(app, RegistrationScreen)
        form.checks.forget()

        async def refused(*_arguments: object, **_options: object) -> None:
            raise UnreachableError("gone")

        monkeypatch.setattr(type(form), "ask", refused)
        await press(pilot, "f10")
        assert not isinstance(app.screen, LateDialog)
        assert "does not answer" in said(app)


async def test_nothing_kept_here_is_an_error_as_before(counter: Counter):
    session = await counter.session("clerk")
    drafts: DraftsClient = session.client.drafts
    assert drafts.kept_here("registration") == []
    await session.client.close()
