"""A referral chosen from BPJS's lists by keys, its letter with and without a number; a return date from the room."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.exchange.bpjs import pcare_run
from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.identifiers import new_id
from core.models import Appointment, BpjsListItem, BpjsVisit, Letter
from server.bpjs_stand_in import Books, PcareHost
from server.run import Background
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import screen_text
from tui.app import LoketApp

PEOPLE = (
    ("0001234567801", "6371014107900001", "SITI AMINAH"),
    ("0001234567802", "6371014107850002", "NURHAYATI"),
    ("0001234567803", "6371014107800003", "MARIAM"),
    ("0001234567804", "6371014107750004", "SULASTRI"),
)
SUNDAY = 6
"""No hospital takes anybody then."""


@pytest.fixture(scope="module")
def pcare() -> Iterator[PcareHost]:
    books = Books(lambda: clock.now().astimezone(ZoneInfo("Asia/Makassar")))
    for card, nik, name in PEOPLE:
        books.add_participant(card, nik, name, "P", date(1900 + int(nik[10:12]), 7, 1))
    books.participants[PEOPLE[0][0]]["pstPrb"] = "PRB DIABETES MELITUS"
    host = PcareHost(books)
    yield host
    host.close()


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory, pcare: PcareHost) -> Iterator[Counter]:
    home: Path = tmp_path_factory.mktemp("clinic")
    with Background(Settings(home=home, close_at=time(23, 59), **pcare.settings())) as server:
        yield Counter(server)


def shows(app: LoketApp, *words: str) -> bool:
    return all(word in screen_text(app) for word in words)


def in_the_room(counter: Counter, person: tuple[str, str, str], diagnosis: str) -> str:
    """Somebody insured who is called, diagnosed and known to BPJS; returns the visit."""
    card, nik, name = person
    with counter.api() as api:
        body: dict[str, Any] = {
            "id": new_id(), "payer": "jkn_pbi", "chief_complaint": "pusing", "cluster": "UMUM", "duplicate_decision": "new",
            "patient": {"name": name, "sex": "female", "birth_date": f"19{nik[10:12]}-07-01", "nik": nik, "bpjs_number": card},
        }  # fmt: skip
        receipt = api.post("registrations", json=body)
        assert receipt.status_code == 201, receipt.text
    visit: str = receipt.json()["visit_id"]
    pcare_run.run(counter.clinic)
    with counter.api("doctor") as api:
        assert api.post("queues/UMUM/call-next", json={"service_point": "1"}).status_code == 200
        assert api.post(f"visits/{visit}/diagnoses", json={"code": diagnosis}).is_success
        form = {"bpjs": {"consciousness": "01", "prognosis": "02"}}
        note = api.put(f"visits/{visit}/encounter", json={"cluster": "UMUM", "form": form, "vitals": {}})
        assert note.is_success, note.text
    return visit


async def refer(app: LoketApp, pilot: Any, *, tacc: bool = False) -> None:
    """From the end of the visit to the last question of the referral."""
    await press(pilot, "f10")
    await settle(pilot)
    await press(pilot, "r")
    await settle(pilot)
    await press(pilot, "enter")
    await until(pilot, partial(shows, app, "Referral: specialist", "MATA"), "the specialists")
    await choose(app, pilot, tacc=tacc)


async def choose(app: LoketApp, pilot: Any, *, tacc: bool = False) -> None:
    """Answer each question of a referral up to the last."""
    await type_text(pilot, "dalam")
    await until(pilot, lambda: "MATA" not in screen_text(app), "those that fit")
    await press(pilot, "enter")
    await until(pilot, partial(shows, app, "Referral: subspecialist", "GINJAL"), "the subspecialists")
    await press(pilot, "down", "enter")
    await until(pilot, partial(shows, app, "Referral: means", "any"), "the means")
    await press(pilot, "enter")
    await until(pilot, partial(shows, app, "Referral: day"), "the days")
    assert app.session is not None
    await press(pilot, *(["down"] if app.session.clinic.today.weekday() == SUNDAY else []), "enter")
    await until(pilot, partial(shows, app, "Referral: hospital", "RSUD KOTA"), "the hospitals")
    await press(pilot, "enter")
    if tacc:
        await until(pilot, partial(shows, app, "(TACC)", "complication"), "the question why")
        await press(pilot, "down", "down", "enter")
        await until(pilot, partial(shows, app, "reason of the TACC"), "its reason")
        await type_text(pilot, "I10 - krisis")
        await until(pilot, partial(shows, app, "I10 - krisis", "Type code and name"), "the words")
        await press(pilot, "enter")
    await until(pilot, partial(shows, app, "Referral: ready", "RSUD KOTA"), "the end")


async def test_a_referral_from_the_lists_to_the_letter_with_its_number(counter: Counter, pcare: PcareHost):
    visit = in_the_room(counter, PEOPLE[0], "N18.9")
    async with counter.at("doctor") as (app, pilot):
        await press(pilot, "f4", "enter")
        await until(pilot, partial(shows, app, "JKN PBI A1"), "the record")
        assert "REFERRED BACK (PRB): PRB DIABETES MELITUS" in screen_text(app)
        await refer(app, pilot)
        await press(pilot, "enter")
        await until(pilot, partial(shows, app, "My queue"), "the queue")
        pcare_run.run(counter.clinic)
        await until(pilot, partial(shows, app, "J: referral numbers come: 1"), "the word to whoever referred")
        [number] = pcare.books.visits
        await press(pilot, "j")
        await until(pilot, partial(shows, app, number, "no letter"), "the list")
        await press(pilot, "enter")
        await settle(pilot)
        await press(pilot, "l")
        await until(pilot, partial(shows, app, "SURAT RUJUKAN FKTP", number), "the letter")
        await press(pilot, "escape")
        await until(pilot, partial(shows, app, "001/RJB", number), "the letter in the list")
        await press(pilot, "escape")
        await until(pilot, lambda: "J: referral numbers" not in screen_text(app), "nothing waits any more")
    with connection():
        letter = Letter.get(Letter.visit == visit, Letter.kind == "bpjs_referral")
        assert letter.data == {
            "bpjs_number": number,
            "hospital": "RSUD KOTA",
            "department": "PENYAKIT DALAM",
        }
        assert "RSUD KOTA" in letter.text
        assert BpjsVisit.get_by_id(visit).referral["until"] in letter.text


async def test_an_urgent_referral_leaves_at_once_and_its_number_follows(counter: Counter, pcare: PcareHost):
    visit = in_the_room(counter, PEOPLE[1], "I10")
    with connection():
        BpjsListItem.insert(
            kind="diagnosis", code="I10", name="I10", flag=True, read_at=clock.now()
        ).on_conflict_ignore().execute()
        before = Letter.select().count()
    async with counter.at("doctor") as (app, pilot):
        await press(pilot, "f4", "enter")
        await until(pilot, partial(shows, app, "JKN PBI A2"), "the record")
        pcare.is_down = True
        await refer(app, pilot, tacc=True)
        await press(pilot, "down", "enter")
        await until(pilot, partial(shows, app, "My queue", "LETTER NOT PRINTED: J."), "no printer is here")
        with connection():
            letter = Letter.get(Letter.visit == visit)
        assert "No. rujukan BPJS  : MENYUSUL" in letter.text
        assert "TACC: Complication I10 - krisis" in letter.text
        await press(pilot, "j")
        await until(
            pilot, partial(shows, app, "number follows", "/".join(letter.number.split("/")[:2])), "the list"
        )
        pcare.is_down = False
        pcare_run.run(counter.clinic)
        number = list(pcare.books.visits)[-1]
        await until(pilot, partial(shows, app, number, "print again"), "the number that followed")
        await press(pilot, "p")
        await until(pilot, lambda: "print again" not in screen_text(app), "the letter with its number")
    with connection():
        letters = Letter.select().where(Letter.visit == visit).order_by(Letter.issued_at)
        assert [row.data["bpjs_number"] for row in letters] == ["", number]
        assert Letter.select().count() == before + 2


async def test_without_any_list_the_hospital_is_typed_and_said_to_be_open(counter: Counter, pcare: PcareHost):
    visit = in_the_room(counter, PEOPLE[2], "N18.9")
    with connection():
        BpjsListItem.delete().where(BpjsListItem.kind.startswith("rs/")).execute()
    async with counter.at("doctor") as (app, pilot):
        await press(pilot, "f4", "enter")
        await until(pilot, partial(shows, app, "JKN PBI A3"), "the record")
        pcare.is_down = True
        await press(pilot, "f2", "j")
        await until(pilot, partial(shows, app, "Referral: specialist", "MATA"), "what is known of the lists")
        await type_text(pilot, "mata")
        await until(pilot, lambda: "BEDAH" not in screen_text(app), "those that fit")
        await press(pilot, "enter")
        await until(pilot, partial(shows, app, "Referral: subspecialist"), "the subspecialists")
        await press(pilot, "enter")
        await until(pilot, partial(shows, app, "Referral: means", "any"), "the means")
        await press(pilot, "enter")
        await until(pilot, partial(shows, app, "Referral: day"), "the days")
        await press(pilot, "enter")
        await until(pilot, partial(shows, app, "BPJS does not answer: type the name"), "no list")
        await type_text(pilot, "RS Mata")
        await until(pilot, partial(shows, app, "nothing found"), "no such hospital")
        await press(pilot, "enter")
        await until(pilot, partial(shows, app, "Referral: ready", "RS Mata"), "the end")
        await press(pilot, "enter")
        await until(pilot, partial(shows, app, "Referral to RS Mata"), "the record")
        await press(pilot, "f2", "d")
        await until(pilot, partial(shows, app, "Return date", "in 7 days"), "the days")
        await type_text(pilot, "8")
        await until(pilot, partial(shows, app, "in 8 days"), "the day that was typed")
        await press(pilot, "enter")
        await settle(pilot)
        pcare.is_down = False
        day = counter.clinic.today() + timedelta(days=8)
        if day.weekday() == SUNDAY:
            assert "closed" in screen_text(app).lower()
        else:
            await until(pilot, partial(shows, app, f"{day:%d-%m-%Y} (A-001"), "the number")
            with connection():
                assert Appointment.get(Appointment.from_visit == visit).service_on == day
        await press(pilot, "escape")


async def test_a_referral_that_was_left_open_is_chosen_afterwards_and_then_gets_its_number(
    counter: Counter, pcare: PcareHost
):
    """The visit ended at the pane, where no list is offered: the list of referrals says what lacks and where to mend it."""
    visit = in_the_room(counter, PEOPLE[3], "N18.9")
    with counter.api("doctor") as api:
        entries = api.get("queues/UMUM").json()["entries"]
        [entry] = [one for one in entries if one["visit_id"] == visit]
        for other in entries:
            if other["id"] != entry["id"] and other["status"] == "in_service":
                ended = {"disposition": "home", "expected_version": other["version"]}
                left = api.post(f"queue-entries/{other['id']}/finish", json=ended)
                assert left.is_success, left.text
        done = api.post(f"queue-entries/{entry['id']}/start", json={"service_point": "1"})
        assert done.is_success, done.text
    async with counter.at("doctor") as (app, pilot):
        await press(pilot, "f4", "enter")
        await until(pilot, partial(shows, app, "Record", "SULASTRI"), "the record")
        await press(pilot, "escape")
        await settle(pilot)
        with counter.api("doctor") as api:
            version = api.get(f"queue-entries/{entry['id']}").json()["version"]
            ended = {"disposition": "referred", "expected_version": version}
            assert api.post(f"queue-entries/{entry['id']}/finish", json=ended).is_success
        pcare_run.run(counter.clinic)
        await until(pilot, partial(shows, app, "J: REFERRALS NOT TAKEN: "), "the word to whoever referred")
        await press(pilot, "j")
        await until(pilot, partial(shows, app, "SULASTRI", "The hospital is missing"), "what lacks")
        await press(pilot, "escape", "space")
        await until(pilot, partial(shows, app, "Record", "SULASTRI"), "the record again")
        await press(pilot, "f2", "j")
        await until(pilot, partial(shows, app, "Referral: specialist", "MATA"), "the specialists")
        await choose(app, pilot)
        await press(pilot, "enter")
        await until(pilot, partial(shows, app, "Ctrl+S saves it"), "the record with the referral")
        await press(pilot, "ctrl+s")
        await until(pilot, partial(shows, app, "Saved."), "the save")
    pcare_run.run(counter.clinic)
    with connection():
        held = BpjsVisit.get_by_id(visit)
        assert (held.gaps, held.referral["number"]) == ([], held.visit_number)
