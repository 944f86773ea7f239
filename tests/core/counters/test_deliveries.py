"""What a counter registered without the core: taken once as it was given out, or asked about; nothing is lost between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.accounts import service as accounts
from core.accounts import sign_ins
from core.counters import chains, copies, deliveries, machines
from core.foundation import clock, high_water
from core.foundation.clinic import Clinic
from core.foundation.codes import (
    NoIdentifierReason,
    NumberSeries,
    NumberStatus,
    PendingStatus,
    Priority,
    Role,
    Sex,
)
from core.foundation.database import connection, transaction
from core.foundation.errors import ConflictError, NotAllowedError, NotSignedInError, RuleError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor, actor_of
from core.models import (
    Account,
    AuditEvent,
    Counter,
    CounterDelivery,
    CounterEvent,
    LentNumber,
    Patient,
    Ticket,
    TicketCounter,
    Visit,
)
from core.queues import lent_blocks, views
from core.schemas.counters import ChainFields, ChainRow, CopyAsked, DeliveryFields, MadeHere, StoreCopy
from core.schemas.patients import PatientFields
from core.schemas.registration import RegistrationRequest
from core.visits import registration
from tests.core.days import open_clinic

MORNING = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)  # 08:00 in the clinic
NOW = MORNING + timedelta(hours=1)


class Counterpart:
    """The core, with one counter's machine and the people at it."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        with connection():
            machines.add("Loket 1")
            self.machine = actor_of(Counter.get().account)
            self.clerk = actor_of(accounts.create_account("petugas", "Petugas", Role.CLERK, "rahasia-sekali"))
            self.head = actor_of(
                accounts.create_account("kepala", "Kepala", Role.SUPERVISOR, "rahasia-sekali")
            )
        self.copy()
        self._free = self.lent("GIGI")

    def copy(self, **asked: Any) -> StoreCopy:
        with connection():
            return copies.fresh(self.clinic, self.machine, CopyAsked(has_secret=True, **asked))

    def lent(self, cluster: str) -> list[str]:
        with connection():
            rows = LentNumber.select().where(
                LentNumber.cluster == cluster,
                LentNumber.service_on == self.clinic.today(),
                LentNumber.status == NumberStatus.LENT,
            )
            return [row.number for row in rows.order_by(LentNumber.sequence)]

    def request(self, **changes: Any) -> RegistrationRequest:
        serial = new_id()[-6:]
        letters = "".join(chr(ord("a") + int(digit, 16)) for digit in serial)
        person = PatientFields(
            name=f"{letters} {letters[::-1]}", sex=Sex.MALE,
            birth_date=date(1970, 1, 1) + timedelta(days=int(serial[:4], 16) % 9000), no_identifier_reason=NoIdentifierReason.FORGOTTEN,
        )  # fmt: skip
        values = {"id": new_id(), "patient": person, "chief_complaint": "sakit gigi", "cluster": "GIGI"}
        return RegistrationRequest(**{**values, **changes})

    def fields(self, request: RegistrationRequest | None = None, **changes: Any) -> DeliveryFields:
        made: dict[str, Any] = {
            "patient_id": new_id(), "visit_id": new_id(), "entry_id": new_id(), "ticket_id": new_id(),
            "number": self._free.pop(0), "medical_record_number": "",
        }  # fmt: skip
        made |= changes.pop("made", {})
        values = {"account_id": self.clerk.account_id, "arrived_at": MORNING + timedelta(minutes=30)}
        return DeliveryFields(
            request=request or self.request(), made=MadeHere(**made), **{**values, **changes}
        )

    def deliver(self, fields: DeliveryFields) -> Any:
        with connection():
            return deliveries.deliver(self.clinic, self.machine, fields)

    def save(self, **changes: Any) -> Any:
        with connection():
            return registration.register(self.clinic, self.clerk, self.request(**changes))[0]


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Counterpart]:
    with clock.frozen(lambda: NOW):
        yield Counterpart(open_clinic(tmp_path / "clinic"))


def test_what_was_given_out_stays_and_a_second_delivery_changes_nothing(core: Counterpart) -> None:
    record = core.copy().tables["lent_number"]
    number = next(row["number"] for row in record if row["series"] == NumberSeries.RECORD)
    fields = core.fields(made={"medical_record_number": number})
    first, again = core.deliver(fields), core.deliver(fields)
    assert first.outcome == again.outcome == PendingStatus.DELIVERED
    assert first.receipt == again.receipt
    made = fields.made
    assert first.receipt.visit_id == made.visit_id
    assert (first.receipt.ticket.id, first.receipt.ticket.number) == (made.entry_id, "B-L01")
    with connection():
        assert Ticket.get().id == made.ticket_id
        assert Patient.get_by_id(made.patient_id).medical_record_number == number
        assert Visit.get().started_at == fields.arrived_at
        used = LentNumber.select().where(LentNumber.status == NumberStatus.USED)
        assert {row.number for row in used} == {"B-L01", number}
        assert CounterDelivery.select().count() == 1


def test_who_came_earlier_is_called_earlier_whenever_it_is_delivered(core: Counterpart) -> None:
    core.save()  # at 09:00, while the counter was away
    late, early = core.fields(), core.fields(arrived_at=MORNING + timedelta(minutes=5))
    core.deliver(late)
    core.deliver(early)
    shown = [entry.number for entry in views.queue(core.clinic, core.clerk, "GIGI").entries]
    assert shown == [early.made.number, late.made.number, "B-001"]


@pytest.mark.parametrize(("priority", "place"), [(None, 1), (Priority.RED, 0)])
def test_an_arrival_that_nobody_knows_goes_behind_who_waits_unless_red(
    core: Counterpart, priority: Priority | None, place: int
) -> None:
    core.save()
    request = core.request(**({"priority": priority} if priority else {}))
    fields = core.fields(request, is_uncertain=True, arrived_at=NOW + timedelta(hours=30))
    assert core.deliver(fields).outcome == PendingStatus.DELIVERED
    shown = [entry.number for entry in views.queue(core.clinic, core.clerk, "GIGI").entries]
    assert shown.index(fields.made.number) == place


Conflict = Callable[[Counterpart], DeliveryFields]


def _known_person(core: Counterpart) -> DeliveryFields:
    request = core.request()
    core.save(patient=request.patient)
    return core.fields(request)


def _taken(column: str, value: str, **person: Any) -> Conflict:
    def make(core: Counterpart) -> DeliveryFields:
        given = {"birth_date": date(1990, 1, 1), column: value, "no_identifier_reason": None, **person}
        both = [core.request().patient, core.request().patient]
        one, other = (item.model_copy(update=given) for item in both if item is not None)
        core.save(patient=one, duplicate_decision="new")
        return core.fields(core.request(patient=other, duplicate_decision="new"))

    return make


def _in_queue(core: Counterpart) -> DeliveryFields:
    receipt = core.save()
    return core.fields(core.request(patient=None, patient_id=receipt.patient_id))


def _patient(**columns: Any) -> Conflict:
    def make(core: Counterpart) -> DeliveryFields:
        receipt = core.save()
        with connection(), transaction():
            Patient.update(**columns).where(Patient.id == receipt.patient_id).execute()
        return core.fields(core.request(patient=None, patient_id=receipt.patient_id, cluster="UMUM",
                                        chief_complaint="batuk pilek demam"))  # fmt: skip

    return make


def _asked_for(**changes: Any) -> Conflict:
    return lambda core: core.fields(core.request(**changes))


def _number(status: NumberStatus | None) -> Conflict:
    def make(core: Counterpart) -> DeliveryFields:
        fields = core.fields()
        with connection(), transaction():
            LentNumber.update(status=status).where(LentNumber.number == fields.made.number).execute()
        return fields

    return make


def _unknown_number(core: Counterpart) -> DeliveryFields:
    return core.fields(made={"number": "B-L99"})


def _arrived(shift: timedelta) -> Conflict:
    return lambda core: core.fields(arrived_at=NOW + shift)


def _id_reused(core: Counterpart) -> DeliveryFields:
    receipt = core.save()
    return core.fields(core.request(id=receipt.registration_id))


def _account(role: Role | None) -> Conflict:
    def make(core: Counterpart) -> DeliveryFields:
        if role is None:
            return core.fields(account_id=new_id())
        with connection(), transaction():
            Account.update(role=role).where(Account.id == core.clerk.account_id).execute()
        return core.fields()

    return make


def _person(**fields: Any) -> Conflict:
    def make(core: Counterpart) -> DeliveryFields:
        person = core.request().patient
        assert person is not None
        return core.fields(core.request(patient=person.model_copy(update=fields), duplicate_decision="new"))

    return make


CONFLICTS: dict[str, tuple[Conflict, str]] = {
    "a known patient": (_known_person, "duplicate_decision_required"),
    "the NIK is somebody else's": (_taken("nik", "6371010101900001"), "nik_of_another"),
    "the BPJS number is somebody else's": (_taken("bpjs_number", "0001234567890"), "validation"),
    "waits in this queue already": (_in_queue, "already_in_queue"),
    "the card was voided": (_patient(voided_at=NOW), "validation"),
    "died meanwhile": (_patient(deceased_on=date(2026, 3, 1)), "patient_deceased"),
    "the cluster is gone": (_asked_for(cluster="TIDAKADA"), "validation"),
    "not a cluster to send to": (_asked_for(cluster="FARMASI"), "validation"),
    "another cluster now": (_asked_for(cluster="KIA"), "override_reason_required"),
    "blocked by a rule": (_asked_for(cluster="KIA", pregnant=True, chief_complaint="hamil"), "cluster_blocked"),
    "the number is used": (_number(NumberStatus.USED), "validation"),
    "the number was voided": (_number(NumberStatus.VOIDED), "validation"),
    "the number was taken back": (_number(NumberStatus.RETURNED), "validation"),
    "the number was never lent": (_unknown_number, "validation"),
    "came too long ago": (_arrived(-timedelta(days=8)), "validation"),
    "comes tomorrow": (_arrived(timedelta(hours=20)), "validation"),
    "another registration has the id": (_id_reused, "registration_id_reused"),
    "nobody has the account": (_account(None), "account_unknown"),
    "the account may not register any more": (_account(Role.NURSE), "not_allowed"),
    "the NIK tells of somebody else": (
        _person(nik="6371014101900001", birth_date=date(1990, 1, 1), no_identifier_reason=None), "nik_of_another"),
    "born in the future": (_person(birth_date=date(2026, 5, 1)), "cluster_blocked"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CONFLICTS)
def test_what_the_core_cannot_take_is_asked_and_nothing_of_it_is_saved(core: Counterpart, kind: str) -> None:
    make, code = CONFLICTS[kind]
    fields = make(core)
    with connection():
        before = (Visit.select().count(), Patient.select().count(), Ticket.select().count())
    answer = core.deliver(fields)
    assert (answer.outcome, answer.code) == (PendingStatus.ASKED, code)
    assert answer.fields or answer.details or code in {"account_unknown", "not_allowed"}
    with connection():
        assert (Visit.select().count(), Patient.select().count(), Ticket.select().count()) == before


@pytest.mark.parametrize("kind", ["the NIK is somebody else's", "waits in this queue already"])
def test_a_question_shows_the_other_side(core: Counterpart, kind: str) -> None:
    fields = CONFLICTS[kind][0](core)
    other = core.deliver(fields).details["patient"]
    with connection():
        assert other["name"] == Patient.select().order_by(Patient.created_at).first().name


def test_an_account_that_was_disabled_since_delivers_and_the_head_sees_it(core: Counterpart) -> None:
    with connection():
        accounts.disable("petugas")
    answer = core.deliver(core.fields())
    assert answer.outcome == PendingStatus.DELIVERED
    (flagged,) = machines.flagged(core.head)
    assert (flagged.flag, flagged.account, flagged.number) == ("account_disabled", "Petugas", "B-L01")
    with connection():
        machines.look_at(core.head, flagged.id)
    assert machines.flagged(core.head) == []


# Numbers


def test_each_lent_number_is_a_row_and_a_used_one_is_replaced(core: Counterpart) -> None:
    assert len(core.lent("GIGI")) == lent_blocks.BLOCK
    for _number in range(lent_blocks.BLOCK // 2):
        core.deliver(core.fields())
    core.copy()
    with connection():
        rows = LentNumber.select().where(
            LentNumber.cluster == "GIGI", LentNumber.service_on == core.clinic.today()
        )
        assert {row.status for row in rows} == {NumberStatus.LENT, NumberStatus.USED}
        assert len({row.number for row in rows}) == len(rows) == lent_blocks.BLOCK * 3 // 2
    assert len(core.lent("GIGI")) == lent_blocks.BLOCK


def test_what_is_left_of_a_day_comes_back_but_not_what_is_still_in_use(core: Counterpart) -> None:
    today = core.clinic.today()
    kept = core.lent("GIGI")[0]
    with clock.frozen(lambda: NOW + timedelta(days=1)):
        core.copy(holds=[kept])
        with connection():
            rows = {row.number: row for row in LentNumber.select().where(LentNumber.service_on == today,
                                                                         LentNumber.cluster == "GIGI")}  # fmt: skip
    assert rows.pop(kept).status == NumberStatus.LENT
    assert {row.status for row in rows.values()} == {NumberStatus.RETURNED}
    assert all(row.reason for row in rows.values())


def test_while_something_waits_no_number_is_taken_back(core: Counterpart) -> None:
    with clock.frozen(lambda: NOW + timedelta(days=1)):
        core.copy(waiting=1)
        with connection():
            assert not LentNumber.select().where(LentNumber.status == NumberStatus.RETURNED).exists()


def test_a_lent_number_whose_row_a_restore_has_lost_is_known_and_is_not_lent_again(core: Counterpart) -> None:
    fields = core.fields()
    mark = high_water.read(core.clinic.settings.home)
    assert mark is not None
    assert mark.counters[f"LENT B {core.clinic.today()}"] == lent_blocks.BLOCK
    with connection(), transaction():
        LentNumber.delete().where(LentNumber.series == NumberSeries.LENT).execute()
    assert core.deliver(fields).outcome == PendingStatus.DELIVERED
    core.copy()
    assert min(core.lent("GIGI")) == f"B-L{lent_blocks.BLOCK + 1}"


def test_lent_and_printed_and_ordinary_numbers_never_meet(core: Counterpart) -> None:
    numbers = [core.save().ticket.number, core.deliver(core.fields()).receipt.ticket.number]
    assert numbers == ["B-001", "B-L01"]
    with connection():
        sequences = [row.sequence for row in Ticket.select().order_by(Ticket.sequence)]
        assert sequences == [-(lent_blocks.ABOVE_FORMS + 1), 1]
        last = TicketCounter.get(TicketCounter.cluster == "GIGI")
    assert last.last_number == 1  # an ordinary day has no gap


# What the machine holds


def test_a_copy_has_no_diagnoses_complaints_or_passwords_and_each_row_once(core: Counterpart) -> None:
    receipt = core.save(chief_complaint="sakit gigi berlubang")
    copy = core.copy()
    assert copy.is_whole
    assert [row["id"] for row in copy.tables["patient"]] == [receipt.patient_id]
    assert {row["chief_complaint"] for row in copy.tables["visit"]} == {"-"}
    assert {row["password_hash"] for row in copy.tables["account"]} == {"!"}
    assert "diagnosis" not in copy.tables
    assert "encounter" not in copy.tables
    again = core.copy(after=copy.sequence, day=copy.day, has=copy.digests)
    assert not again.is_whole
    sent = {name: rows for name, rows in again.tables.items() if rows}
    assert set(sent) <= {"patient", "allergy"}  # the last seconds' cards


def test_what_moves_is_sent_and_nothing_else(core: Counterpart) -> None:
    core.save()
    copy = core.copy()
    receipt = core.save()
    with clock.frozen(lambda: NOW + timedelta(minutes=1)):
        new = core.copy(after=copy.sequence, day=copy.day, has=copy.digests)
    assert [row["id"] for row in new.tables["visit"]] == [receipt.visit_id]
    assert receipt.patient_id in [row["id"] for row in new.tables["patient"]]


def test_without_a_secret_of_the_machine_only_todays_people_are_held(core: Counterpart) -> None:
    with clock.frozen(lambda: NOW - timedelta(days=3)):
        core.save()
    receipt = core.save()
    with connection():
        narrow = copies.fresh(core.clinic, core.machine, CopyAsked(has_secret=False))
        assert [row["id"] for row in narrow.tables["patient"]] == [receipt.patient_id]
        assert len(core.copy().tables["patient"]) == 2


def test_a_lost_machine_is_revoked_and_whom_it_held_is_named(core: Counterpart) -> None:
    core.save()
    core.copy()
    with connection():
        machine, people = machines.lose("Loket 1")
        assert [person.name for person in people] == [Patient.get().name]
        assert machine.store_key == ""
        lent = LentNumber.select().where(LentNumber.status == NumberStatus.LENT, LentNumber.cluster != "")
        assert not lent.exists()
        with pytest.raises(NotAllowedError):
            copies.fresh(core.clinic, core.machine, CopyAsked())
        with pytest.raises(RuleError):
            machines.lose("Loket 1")


def test_its_credential_ends_with_it(core: Counterpart) -> None:
    with connection():
        secret = machines.add("Loket 2")
        assert sign_ins.authenticate(secret).role == Role.COUNTER
        machines.lose("Loket 2")
        with pytest.raises(NotSignedInError):
            sign_ins.authenticate(secret)


# The chain


def rows_of(*details: str) -> list[ChainRow]:
    rows, head = [], ""
    for detail in details:
        row = {"action": "registered", "detail": detail}
        head = chains.hash_of(head, row)
        rows.append(ChainRow(row=row, hash=head))
    return rows


def test_a_chain_goes_on_where_it_stopped_and_its_head_is_in_the_cores(core: Counterpart) -> None:
    rows = rows_of("a", "b", "c")
    with connection():
        assert chains.take(core.machine, ChainFields(after=0, rows=rows[:2])) == 2
        assert chains.take(core.machine, ChainFields(after=2, rows=rows[2:])) == 3
        event = (
            AuditEvent.select()
            .where(AuditEvent.action == "counter_chain")
            .order_by(AuditEvent.sequence.desc())
        )
        assert event.first().detail["head"] == rows[2].hash
        assert list(chains.breaks()) == []


def test_what_does_not_follow_is_refused(core: Counterpart) -> None:
    rows = rows_of("a", "b")
    with connection():
        chains.take(core.machine, ChainFields(after=0, rows=rows[:1]))
        for fields in (
            ChainFields(after=0, rows=rows),
            ChainFields(after=2, rows=rows[1:]),
            ChainFields(after=1, rows=[ChainRow(row={"action": "x"}, hash=rows[1].hash)]),
        ):
            with pytest.raises(ConflictError):
                chains.take(core.machine, fields)
        assert CounterEvent.select().count() == 1


@pytest.mark.parametrize("harm", ["changed", "removed", "cut off"])
def test_a_changed_chain_is_found(core: Counterpart, harm: str) -> None:
    with connection():
        chains.take(core.machine, ChainFields(after=0, rows=rows_of("a", "b", "c")))
        with transaction():
            if harm == "changed":
                CounterEvent.update(row={"action": "registered", "detail": "z"}).where(
                    CounterEvent.number == 2
                ).execute()
            else:
                CounterEvent.delete().where(CounterEvent.number == (2 if harm == "removed" else 3)).execute()
        assert len(list(chains.breaks())) == 1


def test_nobody_but_a_machine_delivers(core: Counterpart) -> None:
    with connection(), pytest.raises(NotAllowedError):
        deliveries.deliver(core.clinic, core.clerk, core.fields())
    actor: Actor = core.head
    with connection(), pytest.raises(NotAllowedError):
        copies.fresh(core.clinic, actor, CopyAsked())
