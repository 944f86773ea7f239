"""From the scanned card to the visit's number, and what was set aside: by keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.exchange.bpjs import day_comparison, pcare_run
from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.identifiers import new_id
from core.models import Account, BpjsCode, BpjsListItem, BpjsVisit, Encounter, Prescription
from core.schemas.record import VisitOut
from server.bpjs_stand_in import Books, PcareHost
from server.run import Background
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import focused_id, screen_of, screen_text
from tui.app import LoketApp
from tui.screens.patients.bpjs_codes import BpjsCodesScreen
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.registration_form import RegistrationScreen
from tui.text import outcomes

CARD, NIK = "0001234567890", "6371014107900001"


@pytest.fixture(scope="module")
def pcare() -> Iterator[PcareHost]:
    books = Books(lambda: clock.now().astimezone(ZoneInfo("Asia/Makassar")))
    books.add_participant(CARD, NIK, "SITI AMINAH", "P", date(1990, 7, 1))
    host = PcareHost(books)
    yield host
    host.close()


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory, pcare: PcareHost) -> Iterator[Counter]:
    home: Path = tmp_path_factory.mktemp("clinic")
    with Background(Settings(home=home, **pcare.settings())) as server:
        yield Counter(server)


def cursor_row(app: object) -> str:
    """The title of the chosen row."""
    screen = screen_of(app, BpjsCodesScreen)  # type: ignore[arg-type]
    chosen = screen._chosen
    return f"{chosen.title} {'' if chosen.code else 'NONE YET'}" if chosen is not None else ""


def shows(app: LoketApp, words: str) -> bool:
    return words in screen_text(app)


def send(counter: Counter) -> None:
    """What the server does twice a minute."""
    pcare_run.run(counter.clinic)


async def test_from_the_scanned_card_to_the_visits_number(counter: Counter, pcare: PcareHost):
    async with counter.at("clerk") as (app, pilot):
        await type_text(pilot, CARD)
        await press(pilot, "f2")
        await until(
            pilot, lambda: screen_of(app, RegistrationScreen).field_values()["name"], "the answer of BPJS"
        )
        await press(pilot, "f5")
        while focused_id(app) != "chief_complaint":
            await press(pilot, "enter")
        await type_text(pilot, "batuk pilek")
        for _ in range(12):
            if isinstance(app.screen, ReceiptScreen):
                break
            await press(pilot, "enter")
        receipt = screen_of(app, ReceiptScreen).receipt
        await press(pilot, "enter")
    send(counter)
    [(card, _day, poli)] = pcare.books.registrations
    assert (card, poli) == (CARD, "001")
    with counter.api("doctor") as api:
        called = api.post("queues/UMUM/call-next", json={"service_point": "1"})
        assert called.status_code == 200, called.text
    async with counter.at("doctor") as (app, pilot):
        await press(pilot, "f4", "enter")
        await until(pilot, lambda: "JKN PBI A1" in screen_text(app), "the number of the registration")
        assert "BPJS (P-Care)" in screen_text(app)
    with connection():
        assert BpjsVisit.get_by_id(receipt.visit_id).registration_number == "A1"


async def test_a_referral_of_a_primary_care_diagnosis_asks_for_the_tacc_at_every_door(counter: Counter):
    with connection():
        row = BpjsVisit.get()
        BpjsListItem.insert(
            kind="diagnosis", code="J06.9", name="ISPA", flag=True, read_at=clock.now()
        ).execute()
    with counter.api("doctor") as api:
        [entry] = [
            item for item in api.get("queues/UMUM").json()["entries"] if item["visit_id"] == row.visit_id
        ]
        made = api.post(f"visits/{row.visit_id}/diagnoses", json={"code": "J06.9"})
        assert made.is_success, made.text
        done = api.post(
            f"queue-entries/{entry['id']}/finish",
            json={
                "disposition": "referred",
                "expected_version": api.get(f"queue-entries/{entry['id']}").json()["version"],
            },
        )
        assert {"consciousness", "prognosis", "refer_provider", "tacc"} <= set(done.json()["warnings"]), (
            done.text
        )
        assert api.post(f"queue-entries/{entry['id']}/undo", json={}).is_success
        visit = VisitOut.model_validate(api.get(f"visits/{row.visit_id}").json())
    assert "tacc" in outcomes.lacking(visit, "referred", asks_bpjs=True), (
        "line mode and the list of work ask it"
    )
    assert "tacc" not in outcomes.lacking(visit, "home", asks_bpjs=True)
    async with counter.at("doctor") as (app, pilot):
        await press(pilot, "f4", "enter")
        await until(pilot, lambda: "JKN PBI A1" in screen_text(app), "the record")
        await press(pilot, "f10")
        await settle(pilot)
        assert "The form BPJS still asks for: consciousness, prognosis." in screen_text(app)
        assert "TACC" not in screen_text(app)
        await press(pilot, "r")
        await settle(pilot)
        assert "a referral needs a TACC (form BPJS)" in screen_text(app)
        assert "still asks for: hospital, subspecialist, referral date." in screen_text(app)
        await press(pilot, "escape")


async def test_what_was_refused_is_shown_in_the_words_of_bpjs_and_sent_again(
    counter: Counter, pcare: PcareHost
):
    person = pcare.books.participants[CARD]
    with connection():
        visit = BpjsVisit.get()
        BpjsVisit.update(registration_number=None, change=0).where(
            BpjsVisit.visit == visit.visit_id
        ).execute()
    pcare.books.registrations.clear()
    person.update(aktif=False, ketAktif="PREMI BELUM DIBAYAR")
    send(counter)
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f7", "b")
        await settle(pilot)
        assert "BPJS says: PREMI BELUM DIBAYAR" in screen_text(app)
        assert "1 visit set aside, 0 waiting" in screen_text(app)
        await press(pilot, "enter")
        assert "PREMI BELUM DIBAYAR" in screen_text(app)
        await press(pilot, "a")
        await settle(pilot)
        assert "0 visits set aside, 1 waiting" in screen_text(app)
        person.update(aktif=True)
        send(counter)
        # Nobody presses a key: the list follows the feed.
        await until(pilot, partial(shows, app, "0 visits set aside, 0 waiting, 1 sent today"), "the run")
        assert len(pcare.books.registrations) == 1
        day_comparison.compare_days(counter.clinic)
        await until(pilot, partial(shows, app, "the same as at BPJS"), "the proof")
        pcare.books.registrations.clear()
        day_comparison.compare_days(counter.clinic)
        await until(pilot, partial(shows, app, "DIFFERS: 1 sent again."), "the difference")
        send(counter)
    assert len(pcare.books.registrations) == 1


async def test_the_admin_maps_what_has_no_code_from_the_lists_of_bpjs(counter: Counter):
    async with counter.at("admin") as (app, pilot):
        await press(pilot, "f2", "f7", "k")
        await settle(pilot)
        assert "NONE YET" in screen_text(app).splitlines()[3], "what has no code stands on top"
        assert "dr. Yusuf Hakim" in screen_text(app)
        assert "D001" in screen_text(app)
        assert "3 without a code" in screen_text(app)
        await press(pilot, "home", "enter")
        await until(pilot, lambda: "POLI UMUM" in screen_text(app), "the polis of BPJS")
        assert "Laboratorium" in screen_text(app)
        await press(pilot, "enter")
        assert "POLI UMUM" in screen_text(app), "Enter by reflex maps nothing"
        await type_text(pilot, "labor")
        await until(pilot, lambda: "POLI UMUM" not in screen_text(app), "what was searched for")
        await press(pilot, "enter")
        await until(pilot, lambda: "2 without a code" in screen_text(app), "the code")
        assert "004 LABORATORIUM" in screen_text(app)
    with connection():
        row = BpjsCode.get(BpjsCode.kind == "poli", BpjsCode.ours == "LAB")
        assert (row.theirs, row.name) == ("004", "LABORATORIUM")


async def test_a_medicine_is_looked_for_at_bpjs_and_may_be_outside_its_list(counter: Counter):
    with connection():
        visit = BpjsVisit.get().visit_id
        contact = Encounter.get_or_none(Encounter.visit == visit)
        account = Account.get(Account.username == "doctor")
        contact = contact or Encounter.create(
            id="e", visit=visit, cluster="UMUM", practitioner=account, started_at=clock.now(), entered_at=clock.now(),
        )  # fmt: skip
        for name in ("Metformin 500 mg", "Obat Lain"):
            Prescription.create(
                id=name, visit=visit, encounter=contact, medicine=name, dose="1 tablet", frequency="3x1",
                amount="10 tablet", status="active", prescribed_at=clock.now(), prescribed_by=account,
            )  # fmt: skip
    async with counter.at("admin") as (app, pilot):
        await press(pilot, "f2", "f7", "k")
        await until(pilot, lambda: "Metformin 500 mg" in screen_text(app), "the medicine without a code")
        while "Metformin" not in cursor_row(app):
            await press(pilot, "down")
        await press(pilot, "enter")
        await type_text(pilot, "metformin")
        await until(pilot, lambda: "130000006" in screen_text(app), "BPJS's answer")
        await press(pilot, "enter")
        await until(pilot, lambda: "130000006 Metformin 500 mg" in screen_text(app), "the code")
        while "Obat Lain" not in cursor_row(app):
            await press(pilot, "down" if "NONE YET" in cursor_row(app) else "home")
        await press(pilot, "enter")
        await until(pilot, lambda: "does not have it" in screen_text(app), "the answer that there is none")
        await press(pilot, "pagedown", "enter")
        await settle(pilot)
        assert "not in BPJS's list" in screen_text(app)
    with connection():
        held = {row.ours: row.theirs for row in BpjsCode.select().where(BpjsCode.kind == "medicine")}
        assert held == {"metformin 500 mg": "130000006", "obat lain": "-"}


async def test_the_list_names_the_cluster_that_lacks_a_code(counter: Counter, pcare: PcareHost):
    """In the row itself, at 80 columns and in both languages: nobody has to open each visit to see which."""
    pcare.books.add_participant("0001234567899", "6371014107550009", "MARIAM", "P", date(1955, 7, 1))
    with counter.api() as api:
        receipt = api.post(
            "registrations",
            json={
                "id": new_id(), "payer": "jkn_pbi", "chief_complaint": "nyeri lutut", "cluster": "LANSIA",
                "duplicate_decision": "new",
                "patient": {
                    "name": "Mariam", "sex": "female", "birth_date": "1955-07-01", "nik": "6371014107550009",
                    "bpjs_number": "0001234567899",
                },
            },
        )  # fmt: skip
        assert receipt.status_code == 201, receipt.text
    send(counter)
    for language, words in (("en", "Poli Lansia has no code"), ("id", "Poli Lansia belum punya kode")):
        async with counter.at("clerk", language=language) as (app, pilot):
            await press(pilot, "f7", "b")
            await until(pilot, partial(shows, app, words), "the row")
    with counter.api() as api:
        api.post(f"registrations/{receipt.json()['registration_id']}/undo", json={})
    send(counter)
