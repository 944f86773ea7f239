"""BPJS at the counter, by keys: its answer comes when it comes, and is never in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.foundation import clock
from core.foundation.codes import InsuranceStatus
from core.foundation.config import Settings
from core.schemas.insurance import InsuranceOut
from server.bpjs_stand_in import Books, PcareHost
from server.run import Background
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import focused_id, screen_text
from tests.tui.test_line_mode import Person, talk
from tui.client.insurance import InsuranceClient
from tui.lines.insurance_lines import InsuranceLines
from tui.screens.registration.registration_form import RegistrationScreen

CARD, NIK = "0001234567890", "6371014107900001"


@pytest.fixture(scope="module")
def pcare() -> Iterator[PcareHost]:
    books = Books(lambda: clock.now().astimezone(ZoneInfo("Asia/Makassar")))
    books.add_participant(CARD, NIK, "SITI AMINAH", "P", date(1990, 7, 1))
    books.add_participant(
        "0001234567891",
        "6371010203850002",
        "BUDI SANTOSO",
        "L",
        date(1985, 3, 2),
        aktif=False,
        ketAktif="PREMI",
    )
    host = PcareHost(books)
    yield host
    host.close()


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory, pcare: PcareHost) -> Iterator[Counter]:
    home: Path = tmp_path_factory.mktemp("clinic")
    with Background(Settings(home=home, **pcare.settings())) as server:
        yield Counter(server)


@pytest.fixture(autouse=True)
def quick(pcare: PcareHost) -> None:
    pcare.delay = 0.0


def values(app) -> dict[str, str]:
    return app.screen.field_values()


async def test_a_scanned_card_fills_what_is_empty_and_untouched(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await type_text(pilot, CARD)
        await press(pilot, "f2")
        await until(pilot, lambda: values(app)["birth_date"], "the answer of BPJS")
        filled = values(app)
        # The focus was in the NIK: it stands beside, the others are filled.
        assert focused_id(app) == "nik"
        assert (filled["nik"], filled["name"], filled["sex"]) == ("", "SITI AMINAH", "female")
        assert (filled["birth_date"], filled["payer"]) == ("01-07-1990", "jkn_pbi")
        assert "ACTIVE" in screen_text(app)
        assert "F5 takes it" in screen_text(app)
        await press(pilot, "f5")
        assert values(app)["nik"] == NIK
        assert "F5 takes it" not in screen_text(app)


async def test_a_late_answer_takes_no_key_and_overwrites_nothing(counter: Counter, pcare: PcareHost):
    pcare.delay = 1.5
    async with counter.at("clerk", language="id") as (app, pilot):
        await pilot.press("f2")
        await pilot.pause()
        await until(pilot, lambda: isinstance(app.screen, RegistrationScreen), "the form")
        await type_text(pilot, NIK)
        await pilot.press("enter", "enter")
        await type_text(pilot, "Siti Aminahh")
        assert values(app)["name"] == "Siti Aminahh"
        assert not app.screen.query_one("#insurance").display
        await until(pilot, lambda: app.screen.query_one("#insurance").display, "the answer of BPJS")
        assert (values(app)["name"], focused_id(app)) == ("Siti Aminahh", "name")
        assert "SITI AMINAH, 01-07-1990" in screen_text(app)
        assert values(app)["bpjs_number"] == CARD
        await press(pilot, "f5")
        assert values(app)["name"] == "SITI AMINAH"
        await press(pilot, "escape")


async def test_a_field_that_was_left_empty_stays_empty(counter: Counter, pcare: PcareHost):
    pcare.delay = 1.0
    async with counter.at("clerk") as (app, pilot):
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, RegistrationScreen), "the form")
        await type_text(pilot, NIK)
        await pilot.press("enter", "enter", "enter")
        assert focused_id(app) == "birth_date"
        await until(pilot, lambda: app.screen.query_one("#insurance").display, "the answer of BPJS")
        assert values(app)["name"] == ""
        await press(pilot, "escape")


async def test_a_membership_that_is_not_active_is_said_with_the_reason(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        await type_text(pilot, "6371010203850002")
        await settle(pilot)
        assert "! BPJS: NOT ACTIVE, PREMI" in screen_text(app)
        assert values(app)["payer"] == "general"
        await press(pilot, "escape")


async def test_no_answer_is_said_and_stops_nobody(counter: Counter, pcare: PcareHost):
    async with counter.at("clerk") as (app, pilot):
        pcare.mischief.append("lose_request")
        await press(pilot, "f2")
        await type_text(pilot, "6371014509880003")
        await settle(pilot)
        assert "no answer" in screen_text(app)
        await press(pilot, "enter", "enter")
        await type_text(pilot, "Nur Asiah")
        assert values(app)["name"] == "Nur Asiah"
        await press(pilot, "escape")


async def test_line_mode_hears_the_answer_before_a_later_question(counter: Counter):
    person, _status = await talk(counter, NIK, "", "Siti Aminahh", "", "", "", "<<", "")
    assert "BPJS: ACTIVE" in person.heard
    assert "BPJS has: SITI AMINAH" in person.heard


async def test_line_mode_takes_the_nik_of_a_scanned_card_with_one_key(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
):
    """A scanned card passes over no question: the NIK is asked, and after BPJS's answer `<` and Enter take its own."""
    asked: list[asyncio.Task[None] | None] = []
    ask, readline = InsuranceLines._ask, Person.readline

    async def noted(lines: InsuranceLines, numbers: tuple[str, str]) -> None:
        asked.append(asyncio.current_task())
        await ask(lines, numbers)

    async def after_the_answer(person: Person) -> str | None:
        await asyncio.sleep(0)  # lets the question begin
        await asyncio.gather(*filter(None, asked))  # this clerk is slower than BPJS
        return await readline(person)

    monkeypatch.setattr(InsuranceLines, "_ask", noted)
    monkeypatch.setattr(Person, "readline", after_the_answer)
    person, _status = await talk(counter, CARD, "", "", "<", "", "<<", "")
    assert person.heard.count("NIK") >= 2
    assert f"NIK [{NIK}]" in person.heard
    assert "01-07-1990" in person.heard


async def test_another_facilitys_member_is_said_within_80_columns(counter: Counter, pcare: PcareHost):
    elsewhere = {"kdProvider": "0114U999", "nmProvider": "PUSKESMAS SEBERANG SUNGAI"}
    pcare.books.add_participant(
        "0001234567892", "6371015512720004", "NURHAYATI", "P", date(1972, 12, 15), kdProviderPst=elsewhere
    )
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        await type_text(pilot, "6371015512720004")
        await settle(pilot)
        assert "! BPJS: ACTIVE, NOT OUR MEMBER: three visits a month, registered at" in screen_text(app)
        await press(pilot, "escape")


async def test_a_clinic_without_bpjs_sends_no_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[str, str]] = []

    async def check(_client: InsuranceClient, nik: str, card: str) -> InsuranceOut:
        asked.append((nik, card))
        return InsuranceOut(status=InsuranceStatus.NOT_SET_UP)

    monkeypatch.setattr(InsuranceClient, "check", check)
    with Background(Settings(home=tmp_path / "plain")) as server:
        async with Counter(server).at("clerk") as (app, pilot):
            await press(pilot, "f2")
            await type_text(pilot, NIK)
            await settle(pilot)
            assert values(app)["birth_date"] == "01-07-1990"
    assert asked == []
