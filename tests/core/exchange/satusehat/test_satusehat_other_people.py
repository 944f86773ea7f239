"""Consent and identity that change under way: nothing goes of who withdraws, nothing stays under another person's number."""

from __future__ import annotations

from datetime import date

import pytest

from core.exchange import outbox
from core.exchange.satusehat.ihs_lookup import IhsLookup
from core.exchange.satusehat.satusehat_target import SatusehatTarget
from core.foundation.clinic import Clinic
from core.foundation.codes import Role
from core.foundation.database import transaction
from core.models import Encounter, Patient, Visit
from core.patients import merging
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import DAY, held, known, send
from tests.core.exchange.satusehat.test_satusehat_consent import actor_of, answer
from tests.server.satusehat import Satusehat


def person(days: Days, ministry: Satusehat, serial: int, **changes: object) -> Patient:
    made = days.patient(**{"nik": f"6371019000000{serial:03d}", "birth_date": date(1980, 5, 1), **changes})
    if made.nik:
        known(ministry, made)
    return made


def correct(patient: Patient, **changes: object) -> None:
    with transaction():
        Patient.update(**changes).where(Patient.id == patient.id).execute()
        outbox.enqueue("patient", patient.id)


def subjects(ministry: Satusehat) -> dict[str, str]:
    """`Type/identifier value` -> whose it is there, of what is not entered in error."""
    found = {}
    for key, item in held(ministry).items():
        verified = item.get("verificationStatus", {}).get("coding", [{}])[0].get("code")
        whose = item.get("subject") or item.get("patient")
        if whose and "entered-in-error" not in (item.get("status"), verified):
            found[key] = whose["reference"]
    return found


def test_a_withdrawal_in_the_middle_of_a_batch_stops_the_rest(
    clinic: Clinic, days: Days, ministry: Satusehat, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = person(days, ministry, 811), person(days, ministry, 812)
    kept, stopped = (days.visit(DAY, each, cluster="UMUM", codes=["I10"]) for each in (first, second))
    whole = SatusehatTarget._visit

    def and_then_withdraws(self: SatusehatTarget, record: object) -> None:
        whole(self, record)  # type: ignore[arg-type]
        answer(days, second, agreed=False)

    monkeypatch.setattr(SatusehatTarget, "_visit", and_then_withdraws)
    outcome = send(clinic)
    assert (outcome.error, outcome.refused, outcome.pending) == (None, 0, 0)
    there = " ".join(held(ministry))
    assert kept.id in there
    assert stopped.id not in there


@pytest.mark.parametrize(
    "looked_up_before", [False, True], ids=["by-the-sending", "by-the-background-lookup"]
)
def test_after_a_corrected_nik_everything_stands_under_the_right_person(
    clinic: Clinic, days: Days, ministry: Satusehat, monkeypatch: pytest.MonkeyPatch, looked_up_before: bool
) -> None:
    patient = person(days, ministry, 821)
    right = ministry.citizen("6371019000000822", "1980-05-01", patient.sex)
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["I10"])
    send(clinic)
    assert set(subjects(ministry).values()) == {"Patient/P00000000001"}
    correct(patient, nik="6371019000000822", version=2)
    if looked_up_before:
        monkeypatch.setattr(Clinic, "today", lambda _: DAY)
        IhsLookup(clinic).look()
    assert send(clinic, runs=2).refused == 0
    now = subjects(ministry)
    assert set(now.values()) == {f"Patient/{right}"}
    assert f"Encounter/{visit.id}" in now
    before = dict(ministry.asked)
    send(clinic)
    assert dict(ministry.asked) == before, "it is done once"


@pytest.mark.parametrize("nik", ["6371019000000899", None], ids=["unknown-and-nowhere-to-make", "taken-away"])
def test_what_stands_under_a_number_that_was_wrong_is_taken_back_where_nobody_else_is_found(
    clinic: Clinic, days: Days, ministry: Satusehat, nik: str | None
) -> None:
    patient = person(days, ministry, 831)
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["I10"])
    send(clinic)
    correct(patient, nik=nik, village_code="")
    send(clinic, runs=2)
    assert subjects(ministry) == {}, "the stranger's record says that none of it was theirs"
    days.visit(DAY, patient, cluster="UMUM", codes=["J00"])
    send(clinic)
    assert subjects(ministry) == {}, "nothing more goes under the wrong number"
    right = ministry.citizen("6371019000000832", "1980-05-01", patient.sex)
    correct(patient, nik="6371019000000832")
    with transaction():
        outbox.enqueue("visit", visit.id)
    assert send(clinic, runs=2).error is None
    assert subjects(ministry)[f"Encounter/{visit.id}"] == f"Patient/{right}"


def test_a_corrected_nik_of_who_refuses_is_looked_up_for_nobody_and_taken_back(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    patient = person(days, ministry, 841)
    days.visit(DAY, patient, cluster="UMUM", codes=["I10"])
    send(clinic)
    answer(days, patient, agreed=False)
    correct(patient, nik="6371019000000842")
    asked = ministry.asked["GET Patient"]
    assert send(clinic, runs=2).error is None
    assert ministry.asked["GET Patient"] == asked
    assert subjects(ministry) == {}


@pytest.mark.parametrize("refuses", [False, True])
def test_after_the_undo_of_a_merge_nothing_stays_under_the_other_person(
    clinic: Clinic, days: Days, ministry: Satusehat, refuses: bool
) -> None:
    survivor, other = person(days, ministry, 851), person(days, ministry, 852)
    visit = days.visit(DAY, other, cluster="UMUM", codes=["I10"])
    actor = actor_of(clinic, days, Role.RECORDS)
    made = merging.merge(clinic, actor, other.id, survivor.id)
    send(clinic)
    assert set(subjects(ministry).values()) == {"Patient/P00000000001"}
    merging.undo(clinic, actor, made.id)
    if refuses:
        answer(days, Patient.get_by_id(other.id), agreed=False)
    assert send(clinic, runs=2).error is None
    left = subjects(ministry)
    assert set(left.values()) == (set() if refuses else {"Patient/P00000000002"})
    assert (f"Encounter/{visit.id}" in left) is not refuses


def test_of_two_records_of_one_person_the_newest_answer_counts_and_the_undo_gives_each_its_own(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    survivor, other = person(days, ministry, 861), person(days, ministry, 862)
    days.visit(DAY, survivor, cluster="UMUM", codes=["I10"])
    answer(days, survivor, agreed=True, hour=8)
    answer(days, other, agreed=False, hour=9)
    actor = actor_of(clinic, days, Role.RECORDS)
    made = merging.merge(clinic, actor, other.id, survivor.id)
    send(clinic)
    assert subjects(ministry) == {}
    merging.undo(clinic, actor, made.id)
    send(clinic)
    assert set(subjects(ministry).values()) == {"Patient/P00000000001"}, "what was kept back goes by itself"


def test_an_agreement_that_comes_with_a_merge_sends_what_the_survivor_kept_back(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    survivor, other = person(days, ministry, 863), person(days, ministry, 864)
    visit = days.visit(DAY, survivor, cluster="UMUM", codes=["I10"])
    answer(days, survivor, agreed=False, hour=8)
    send(clinic)
    assert subjects(ministry) == {}
    answer(days, other, agreed=True, hour=9)
    merging.merge(clinic, actor_of(clinic, days, Role.RECORDS), other.id, survivor.id)
    assert send(clinic).error is None
    assert f"Encounter/{visit.id}" in subjects(ministry)


def test_a_newborn_who_gets_a_nik_is_the_child_of_the_registry_then(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    mother = person(days, ministry, 871, sex="female")
    child = days.patient(
        nik=None, no_identifier_reason="newborn", mother=mother, birth_order=0, birth_date=date(2026, 3, 1), rt="001", rw="002",
    )  # fmt: skip
    visit = days.visit(DAY, child, cluster="KIA", codes=["I10"])
    send(clinic)
    (born,) = set(subjects(ministry).values()) - {"Patient/P00000000001"}
    right = ministry.citizen("6371010103260001", "2026-03-01", child.sex)
    correct(child, nik="6371010103260001", no_identifier_reason=None)
    assert send(clinic, runs=2).refused == 0
    assert subjects(ministry)[f"Encounter/{visit.id}"] == f"Patient/{right}" != born


def test_a_new_name_or_a_death_after_the_sending_changes_no_persons_number(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    patient = person(days, ministry, 881)
    days.visit(DAY, patient, cluster="UMUM", codes=["I10"])
    send(clinic)
    before = subjects(ministry)
    correct(patient, name="Nama Baru", deceased_on=DAY)
    with transaction():
        Encounter.update(vitals={"pulse": 71}).execute()
        outbox.enqueue("visit", *[row.id for row in Visit.select()])
    assert send(clinic).refused == 0
    assert set(subjects(ministry).values()) == set(before.values())
    assert {item["subject"]["display"] for item in ministry.of("Encounter")} == {"Nama Baru"}
