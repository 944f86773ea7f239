"""Late entries: somebody who came while no computer answered has the place that the arrival earned."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.accounts import service as accounts
from core.daily import closing
from core.daily.reports.report_tables import build
from core.foundation import clock, high_water
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryAction, NumberStatus, Priority, Role, Sex
from core.foundation.database import connection, database
from core.foundation.errors import CoreError, NotAllowedError, RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor, actor_of
from core.models import AuditEvent, LateEntry, LentNumber, Ticket, Visit
from core.queues import paper_forms, undo, views
from core.queues import service as queueing
from core.schemas.patients import PatientFields
from core.schemas.queues import EntryCommand
from core.schemas.registration import LateEntryFields, Receipt, RegistrationRequest
from core.visits import registration
from tests.core.days import open_clinic

MORNING = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)  # 08:00 in the clinic


class Hours:
    """The clock of a test."""

    def __init__(self) -> None:
        self.at = MORNING

    def __call__(self) -> datetime:
        return self.at

    def set(self, minutes: float) -> None:
        self.at = MORNING + timedelta(minutes=minutes)


@pytest.fixture
def hours() -> Iterator[Hours]:
    source = Hours()
    with clock.frozen(source):
        yield source


@pytest.fixture
def clinic(tmp_path: Path, hours: Hours) -> Clinic:
    return open_clinic(tmp_path / "clinic")


@pytest.fixture
def clerk(clinic: Clinic) -> Actor:
    with connection():
        return actor_of(accounts.create_account("petugas", "Petugas", Role.CLERK, "rahasia-sekali"))


@pytest.fixture
def head(clinic: Clinic) -> Actor:
    with connection():
        return actor_of(accounts.create_account("kepala", "Kepala", Role.SUPERVISOR, "rahasia-sekali"))


@pytest.fixture
def dentist(clinic: Clinic) -> Actor:
    with connection():
        return actor_of(accounts.create_account("gigi", "Drg", Role.CLINICIAN, "rahasia-sekali", ["GIGI"]))


_serial = iter(range(10_000))


def request(**changes: Any) -> RegistrationRequest:
    number = next(_serial)
    letters = "".join(chr(ord("a") + number // 26**place % 26) for place in range(3))
    fields = PatientFields(
        name=f"{letters * 2} {letters[::-1]}", sex=Sex.MALE,
        birth_date=date(1970, 1, 1) + timedelta(days=37 * number % 9000),
    )  # fmt: skip
    values = {
        "id": new_id(), "patient": fields, "chief_complaint": "sakit gigi", "cluster": "GIGI",
        "duplicate_decision": "new",
    }  # fmt: skip
    return RegistrationRequest(**{**values, **changes})


def late(minutes: float, paper: str | None = None, by: str = "Sukarelawan Rina") -> LateEntryFields:
    return LateEntryFields(arrived_at=MORNING + timedelta(minutes=minutes), written_by=by, paper_number=paper)


Save = Callable[..., Receipt]


@pytest.fixture
def save(clinic: Clinic, clerk: Actor) -> Save:
    def saved(**changes: Any) -> Receipt:
        return registration.register(clinic, clerk, request(**changes))[0]

    return saved


def numbers(clinic: Clinic, reader: Actor) -> list[str]:
    return [entry.number for entry in views.queue(clinic, reader, "GIGI").entries]


def test_who_came_on_paper_has_the_place_of_the_arrival(
    clinic: Clinic, head: Actor, dentist: Actor, hours: Hours, save: Save
) -> None:
    forms = paper_forms.print_forms(clinic, head, "GIGI", 3)
    assert [form.number for form in forms] == ["B-K01", "B-K02", "B-K03"]
    for minutes in (0, 10, 20, 30):
        hours.set(minutes)
        save()
    hours.set(35)
    third = save(late=late(25, "b-k2"))
    first = save(late=late(5, "BK1"))
    second = save(late=late(7))  # a plain sheet: a number of the counter
    assert [receipt.ticket.number for receipt in (first, second, third)] == ["B-K01", "B-005", "B-K02"]
    expected = ["B-001", "B-K01", "B-005", "B-002", "B-003", "B-K02", "B-004"]
    assert numbers(clinic, dentist) == expected
    assert third.ticket.position == 4  # the others came after it was given
    called = [queueing.call_next(clinic, dentist, "GIGI", "1") for _number in expected]
    assert [entry.number for entry in called if entry is not None] == expected


def test_a_red_one_entered_late_goes_before_all(
    clinic: Clinic, dentist: Actor, hours: Hours, save: Save
) -> None:
    save()
    hours.set(30)
    receipt = save(late=late(20), priority=Priority.RED)
    assert receipt.ticket.position == 1
    assert numbers(clinic, dentist)[0] == receipt.ticket.number


@pytest.mark.parametrize("seed", range(5))
def test_both_ways_to_order_agree_however_late_entries_fall(
    clinic: Clinic, head: Actor, dentist: Actor, hours: Hours, save: Save, seed: int
) -> None:
    """A receipt counts, a pane sorts, a call looks for one: the three never differ."""
    chance = random.Random(seed)
    forms = [form.number for form in paper_forms.print_forms(clinic, head, "GIGI", 20)]
    arrived: dict[str, float] = {}
    for step in range(14):
        hours.set(10 * step)
        came = chance.choice([None, 10 * step * chance.random(), max(0, 10 * step - 1)])
        paper = forms.pop() if came is not None and chance.random() < 0.5 else None
        receipt = save(late=late(came, paper) if came is not None else None)
        arrived[receipt.ticket.number] = came if came is not None else 10 * step
        shown = numbers(clinic, dentist)
        assert receipt.ticket.position == shown.index(receipt.ticket.number) + 1
        assert shown == sorted(shown, key=arrived.__getitem__)
    order = numbers(clinic, dentist)
    for number in order[:6]:
        entry = queueing.call_next(clinic, dentist, "GIGI", "1")
        assert entry is not None
        assert entry.number == number


def test_what_is_known_is_kept_and_audited(
    clinic: Clinic, head: Actor, clerk: Actor, hours: Hours, save: Save
) -> None:
    paper_forms.print_forms(clinic, head, "GIGI", 1)
    hours.set(45)
    receipt = save(late=late(5, "B-K01"))
    with connection():
        visit, entry = Visit.get_by_id(receipt.visit_id), LateEntry.get_by_id(receipt.visit_id)
        form, event = LentNumber.get(), AuditEvent.get(AuditEvent.action == "registered")
    came = MORNING + timedelta(minutes=5)
    assert (visit.started_at, entry.arrived_at, entry.entered_at) == (came, came, hours.at)
    assert (entry.written_by, entry.entered_by_id) == ("Sukarelawan Rina", clerk.account_id)
    assert (form.status, form.visit_id, entry.paper_id) == (NumberStatus.USED, receipt.visit_id, form.id)
    assert (event.detail["written_by"], event.detail["form"]) == ("Sukarelawan Rina", "B-K01")
    assert event.detail["late"].startswith("2026-03-02T00:05")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"late": late(10)}, {"late.arrived_at": "in_future"}),
        ({"late": late(-7 * 24 * 60 - 1)}, {"late.arrived_at": "too_long_ago"}),
        ({"late": late(0, "B-K09")}, {"late.paper_number": "paper_unknown"}),
        ({"late": late(0, "B-001")}, {"late.paper_number": "paper_unknown"}),
        ({"late": late(0, "?")}, {"late.paper_number": "paper_unknown"}),
        ({"late": late(0, "B-K02")}, {"late.paper_number": "paper_voided"}),
        ({"late": late(0, "B-K03")}, {"late.paper_number": "paper_returned"}),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_saved(
    clinic: Clinic, head: Actor, save: Save, changes: dict[str, Any], problem: dict[str, str]
) -> None:
    paper_forms.print_forms(clinic, head, "GIGI", 3)
    paper_forms.end(clinic, head, "BK2", NumberStatus.VOIDED, "basah kena hujan")
    paper_forms.end(clinic, head, "B-K03", NumberStatus.RETURNED, "tidak terpakai")
    with pytest.raises(ValidationError) as refused:
        save(**changes)
    assert refused.value.fields == problem
    with connection():
        assert not Visit.select().exists()
        assert not Ticket.select().exists()


def test_a_form_is_used_once_though_it_is_sent_twice(
    clinic: Clinic, head: Actor, clerk: Actor, save: Save
) -> None:
    paper_forms.print_forms(clinic, head, "GIGI", 1)
    first = request(late=late(0, "B-K01"))
    receipt, made = registration.register(clinic, clerk, first)
    again, made_again = registration.register(clinic, clerk, first)
    assert (made, made_again, again.ticket.number) == (True, False, receipt.ticket.number)
    with pytest.raises(ValidationError) as refused:
        save(late=late(0, "B-K01"))
    assert refused.value.fields == {"late.paper_number": "paper_used"}
    with pytest.raises(RuleError, match="paper_ended"):
        paper_forms.end(clinic, head, "B-K01", NumberStatus.VOIDED, "hilang")


def test_a_form_of_another_cluster_is_used_up_and_the_patient_gets_a_number_there(
    clinic: Clinic, head: Actor, dentist: Actor, hours: Hours, save: Save
) -> None:
    paper_forms.print_forms(clinic, head, "UMUM", 1)
    hours.set(10)
    save()
    receipt = save(late=late(5, "A-K01"))
    assert receipt.ticket.number == "B-002"
    assert numbers(clinic, dentist) == ["B-002", "B-001"]
    with connection():
        assert LentNumber.get().status == NumberStatus.USED


def test_it_is_taken_back_within_two_minutes_of_the_save_not_of_the_arrival(
    clinic: Clinic, clerk: Actor, hours: Hours, save: Save
) -> None:
    hours.set(60)
    receipt = save(late=late(0))
    hours.set(61)
    undo.undo_registration(clinic, clerk, receipt.visit_id)
    receipt = save(late=late(0))
    hours.set(64)
    with pytest.raises(RuleError, match="undo_too_late"):
        undo.undo_registration(clinic, clerk, receipt.visit_id)


def test_yesterdays_paper_belongs_to_yesterday_whose_reports_are_written_again(
    clinic: Clinic, head: Actor, dentist: Actor, hours: Hours, save: Save
) -> None:
    paper_forms.print_forms(clinic, head, "GIGI", 1)
    hours.set(9 * 60)
    closing.run(clinic)
    hours.set(24 * 60)
    yesterday = clinic.today() - timedelta(days=1)
    receipt = save(late=late(5, "B-K01"))
    with connection():
        assert Visit.get_by_id(receipt.visit_id).service_on == yesterday
        assert closing.changed_days(clinic) == [yesterday]
    assert numbers(clinic, dentist) == ["B-K01"]  # still to be written up, or ended with an outcome
    register = build(clinic, "daily-register", yesterday)
    row, total = (dict(zip(register.columns, cells, strict=True)) for cells in register.rows)
    assert (row["Jam"], row["Nomor antrean"]) == ("08:05", "B-K01")
    assert row["Entri susulan"] == "03-03 08:00 B-K01, ditulis Sukarelawan Rina"
    assert total["Entri susulan"] == 1
    waits = build(clinic, "waits", yesterday)
    by_cluster = {row[0]: dict(zip(waits.columns, row, strict=True)) for row in waits.rows}
    assert (by_cluster["GIGI"]["Nomor"], by_cluster["GIGI"]["Susulan"]) == (1, 1)


def test_waits_leave_late_entries_out(clinic: Clinic, dentist: Actor, hours: Hours, save: Save) -> None:
    hours.set(30)
    save(late=late(0))
    queueing.call_next(clinic, dentist, "GIGI", "1")
    table = build(clinic, "waits", clinic.today())
    row = next(dict(zip(table.columns, cells, strict=True)) for cells in table.rows if cells[0] == "GIGI")
    assert (row["Nomor"], row["Susulan"], row["Dipanggil"], row["Tunggu terlama"]) == (1, 1, 0, 0)


def test_a_number_is_never_given_twice_after_a_loss(clinic: Clinic, head: Actor, save: Save) -> None:
    """The forms in the drawer were printed after the backup: their rows are gone, the mark knows them."""
    paper_forms.print_forms(clinic, head, "GIGI", 30)
    mark = high_water.read(clinic.settings.home)
    assert mark is not None
    with connection():
        database.execute_sql("DELETE FROM lent_number")
        database.execute_sql("DELETE FROM ticket_counter")
        high_water.skip_ahead(database.obj, mark, clinic.today())
    assert save(late=late(0, "B-K30")).ticket.number == "B-K30"
    later = paper_forms.print_forms(clinic, head, "GIGI", 1)
    assert later[0].sequence > 30
    with pytest.raises(ValidationError):
        save(late=late(0, f"B-K{later[0].sequence + 1}"))


def test_a_patient_whose_registration_was_lost_keeps_the_number_in_hand(
    clinic: Clinic, dentist: Actor, hours: Hours, save: Save
) -> None:
    """After a loss the numbers are left out, and those who wait with them come back with them."""
    first = save()
    clinic.note_mark()
    mark = high_water.read(clinic.settings.home)
    assert mark is not None
    lost = replace(mark, counters={**mark.counters, f"GIGI {clinic.today()}": 4})
    with connection():
        high_water.skip_ahead(database.obj, lost, clinic.today())
    hours.set(30)
    later = save()
    assert later.ticket.number == "B-025"
    for number in ("B-003", "b-2"):
        save(late=late(10, number))
    assert numbers(clinic, dentist) == [first.ticket.number, "B-002", "B-003", "B-025"]
    for taken in ("B-003", first.ticket.number, later.ticket.number, "B-026", "B-000", "A-004", "B-"):
        with pytest.raises(ValidationError) as refused:
            save(late=late(10, taken))
        assert refused.value.fields == {"late.paper_number": "paper_unknown"}


def test_a_promoted_core_goes_on_exactly_after_the_last_form(clinic: Clinic, head: Actor) -> None:
    paper_forms.print_forms(clinic, head, "GIGI", 7)
    mark = high_water.read(clinic.settings.home)
    assert mark is not None
    with connection():
        high_water.go_on_after(database.obj, mark, clinic.today())
    assert [form.number for form in paper_forms.print_forms(clinic, head, "GIGI", 2)] == ["B-K08", "B-K09"]


@pytest.mark.parametrize(
    "call",
    [
        lambda clinic, actor: paper_forms.print_forms(clinic, actor, "GIGI", 1),
        lambda clinic, actor: paper_forms.end(clinic, actor, "B-K01", NumberStatus.VOIDED, "basah"),
        lambda clinic, actor: paper_forms.listed(actor),
    ],
)
def test_the_counter_reserves_no_numbers(
    clinic: Clinic, clerk: Actor, call: Callable[[Clinic, Actor], object]
) -> None:
    with pytest.raises(NotAllowedError):
        call(clinic, clerk)


@pytest.mark.parametrize(("cluster", "count"), [("FARMASI", 1), ("LAIN", 1), ("GIGI", 0), ("GIGI", 101)])
def test_what_cannot_be_printed_is_refused(clinic: Clinic, head: Actor, cluster: str, count: int) -> None:
    with pytest.raises(CoreError):
        paper_forms.print_forms(clinic, head, cluster, count)
    with connection():
        assert not LentNumber.select().exists()


def test_a_move_gives_a_number_of_the_other_cluster_and_back_the_form_holds(
    clinic: Clinic, head: Actor, clerk: Actor, save: Save
) -> None:
    paper_forms.print_forms(clinic, head, "GIGI", 1)
    receipt = save(late=late(0, "B-K01"))
    command = EntryCommand(cluster="UMUM", reason="salah poli, pasien demam")
    moved = queueing.act(clinic, clerk, receipt.ticket.id, EntryAction.TRANSFER, command)
    assert moved.number == "A-001"
