"""Paper forms and late entries by keys: printed by the head of the clinic, typed in at the counter after the outage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.errors import PrinterError
from core.foundation.identifiers import new_id
from core.models import LateEntry, LentNumber
from core.patients.national_ids import check_nik
from core.printing.documents import PrintDocument
from core.schemas.record import VisitOut
from server import printer as printing
from server.run import Background
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import said, screen_of, screen_text
from tests.tui.test_line_mode import NO_MORE, heard, nik
from tests.tui.test_record import open_record, visit_of
from tests.tui.test_registration import fill_new_patient
from tui.screens.oversight.paper_forms import PaperFormsScreen
from tui.screens.registration.confirm import ConfirmDialog
from tui.screens.registration.late_dialog import LateDialog
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.registration_form import RegistrationScreen
from tui.text.visit_words import late_lines

pytestmark = pytest.mark.usefixtures("no_parked_forms")


@pytest.fixture(scope="module")
def printer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("printer") / "forms.txt"


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory, demo_home: Path, printer: Path) -> Iterator[Counter]:
    home = tmp_path_factory.mktemp("clinic") / "home"
    shutil.copytree(demo_home, home)
    with Background(Settings(home=home, printer=str(printer))) as server:
        made = Counter(server)
        for cluster, count in (("GIGI", 5), ("UMUM", 2)):
            body = {"cluster": cluster, "count": count}
            with made.api("supervisor") as api:
                assert api.post("paper-forms", json=body).status_code == 201
        yield made


def minutes_ago(counter: Counter, minutes: float) -> str:
    """A time of day as a clerk types it, with the day where midnight lies between."""
    zone = ZoneInfo(counter.clinic.settings.timezone.key)
    at = (clock.now() - timedelta(minutes=minutes)).astimezone(zone)
    return f"{at:%d-%m %H:%M}"


@pytest.mark.parametrize(("who", "way"), [("supervisor", ("f6", "f")), ("admin", ("f6", "f"))])
async def test_forms_are_printed_and_ended_by_keys(
    counter: Counter, printer: Path, who: str, way: tuple[str, ...]
):
    async with counter.at(who) as (app, pilot):
        await press(pilot, *way)
        screen_of(app, PaperFormsScreen)
        await press(pilot, "n", "e", "enter", *["backspace"] * 2, "2", "enter")
        await until(pilot, lambda: "2 forms printed" in said(app))
        first, last = said(app).split(": ")[1].rstrip(".").split(" to ")
        assert first in screen_text(app)
        assert "printed" in screen_text(app)
        await press(pilot, "home", "v")
        await type_text(pilot, "kena hujan")
        await press(pilot, "enter")
        assert said(app) == f"{first}: voided"
        assert "kena hujan" in screen_text(app)
        await press(pilot, "v")
        assert "still out" in said(app)
        await press(pilot, "o")
        assert first not in screen_text(app)
        assert last in screen_text(app)
    rows = [row.strip() for row in printer.read_text().splitlines()]  # noqa: ASYNC240 - a short file
    assert rows.count(first) == rows.count(last) == 1
    assert "ENTRY (Ctrl+T) as soon as the" in rows


async def test_what_the_printer_does_not_print_is_voided(counter: Counter, monkeypatch: pytest.MonkeyPatch):
    real = printing.print_document
    left = iter([None])

    def runs_out(name: str, columns: int, document: PrintDocument) -> None:
        if next(left, "empty") == "empty":
            raise PrinterError("printer_no_paper")
        real(name, columns, document)

    monkeypatch.setattr(printing, "print_document", runs_out)
    async with counter.at("supervisor") as (app, pilot):
        await press(pilot, "f6", "f", "n", "c", "enter", *["backspace"] * 2, "3", "enter")
        await until(pilot, lambda: "2 not printed and voided" in said(app))
    with connection():
        made = LentNumber.select().where(LentNumber.cluster == "KIA").order_by(LentNumber.sequence)
    assert [(form.status, form.reason) for form in made] == [
        ("lent", ""), ("voided", "not printed"), ("voided", "not printed"),
    ]  # fmt: skip


async def test_a_stack_of_paper_is_typed_in_by_keys(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f7", "l")
        screen_of(app, LateDialog)
        await type_text(pilot, minutes_ago(counter, 40))
        await press(pilot, "enter")
        await type_text(pilot, "Rina")
        await press(pilot, "enter")
        await type_text(pilot, "bk1")
        await press(pilot, "enter")
        screen_of(app, RegistrationScreen)
        assert "LATE ENTRY" in screen_text(app)
        assert "BK1" in screen_text(app)
        await type_text(pilot, nik(801))
        await press(pilot, "enter", "enter")
        await type_text(pilot, "Salma Putri")
        await press(pilot, "f4")
        await type_text(pilot, "sakit gigi geraham")
        await press(pilot, "f10")
        screen_of(app, ConfirmDialog)
        assert "Late entry" in screen_text(app)
        assert "written by Rina" in screen_text(app)
        await press(pilot, "enter")
        assert screen_of(app, ReceiptScreen).receipt.ticket.number == "B-K01"
        # The next one begins as usual, and becomes a late entry on the way; the same form is refused.
        await press(pilot, "enter")
        await fill_new_patient(pilot, nik(802), "Tomi Wijaya", "sakit gigi geraham")
        await press(pilot, "ctrl+t")
        await type_text(pilot, minutes_ago(counter, 50))
        await press(pilot, "enter", "enter")  # Rina still
        await type_text(pilot, "B-K01")
        await press(pilot, "enter")
        await press(pilot, "f10", "enter")
        screen_of(app, LateDialog)
        assert "was entered before" in screen_text(app)
        await press(pilot, "tab", "tab", *["backspace"] * 5)
        await type_text(pilot, "bk02")
        await press(pilot, "enter", "f10", "enter")
        assert screen_of(app, ReceiptScreen).receipt.ticket.number == "B-K02"
    numbers = [number for number in counter.open_numbers("GIGI") if "-K" in number]
    assert numbers == ["B-K02", "B-K01"]
    with connection():
        assert {entry.written_by for entry in LateEntry.select()} == {"Rina"}


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("25:10", "type hours and minutes"), ("pagi", "type hours and minutes"), ("31-02 08:00", "type hours")],
)
async def test_what_is_no_time_is_asked_again(counter: Counter, typed: str, answer: str):
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f7", "l")
        for character in typed:
            await type_text(pilot, character) if character != ":" else await pilot.press("colon")
        await press(pilot, "f10")
        assert answer in screen_text(app)
        await press(pilot, *["backspace"] * 12, "f10")
        assert not isinstance(app.screen, LateDialog | RegistrationScreen)


async def test_a_draft_keeps_what_is_known_of_a_late_entry(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, nik(803), "Umar Faruk", "sakit gigi geraham")
        await press(pilot, "ctrl+t")
        await type_text(pilot, minutes_ago(counter, 30))
        await press(pilot, "enter")
        await press(pilot, *["backspace"] * 10)
        await type_text(pilot, "Rina")
        await press(pilot, "enter")
        await type_text(pilot, "bk3")
        await press(pilot, "enter", "escape", "f8")
        await settle(pilot)
        assert "LATE ENTRY" in screen_text(app)
        assert "BK3" in screen_text(app)
        await press(pilot, "f10", "enter")
        assert screen_of(app, ReceiptScreen).receipt.ticket.number == "B-K03"


async def test_line_mode_types_paper_in_too(counter: Counter):
    text = await heard(
        counter, "l", "8 pagi", minutes_ago(counter, 20), "Rina", "bk4",
        nik(804), "Vina Lestari", *NO_MORE, "sakit gigi geraham", "", "",
        "l", minutes_ago(counter, 25), "", "bk4",
        nik(805), "Wawan Setiadi", *NO_MORE, "sakit gigi geraham", "", "", "", "", "bk5", "",
    )  # fmt: skip
    assert "type hours and minutes" in text
    assert "LATE ENTRY" in text
    assert "written by Rina" in text
    assert "SAVED: B-K04" in text
    assert "was entered before" in text
    assert "SAVED: B-K05" in text


async def test_the_record_says_that_it_was_entered_late(counter: Counter):
    body = {
        "id": new_id(), "chief_complaint": "sakit gigi geraham", "cluster": "GIGI", "duplicate_decision": "new",
        "patient": {"name": "Xena Maharani", "nik": nik(806), "sex": "female", "birth_date": None},
        "late": {
            "arrived_at": (clock.now() - timedelta(minutes=90)).isoformat(), "written_by": "Relawan Joko",
        },
    }  # fmt: skip
    check = check_nik(nik(806), today=counter.clinic.today())
    assert check.birth_date is not None
    body["patient"] |= {"birth_date": check.birth_date.isoformat()}  # type: ignore[operator]
    with counter.api() as api:
        receipt = api.post("registrations", json=body).json()
    async with counter.at("dentist") as (app, pilot):
        await open_record(app, pilot, receipt)
        assert "LATE ENTRY" in screen_text(app).splitlines()[3]
    visit = visit_of(counter, "dentist", receipt)
    assert (visit["late_entry"]["written_by"], visit["late_entry"]["paper_number"]) == ("Relawan Joko", "")
    shown = late_lines(VisitOut.model_validate(visit), counter.clinic.settings.timezone.key)
    assert "written by Relawan Joko; typed" in shown[0]
