"""Takes referral, return and answers of forms of a visit to SATUSEHAT, and back again where they were taken back here."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.exchange import outbox
from core.exchange.satusehat.follow_ups import LONGEST_WORDS, read_follow_up
from core.foundation.clinic import Clinic
from core.foundation.codes import AppointmentStatus, Disposition
from core.foundation.database import transaction
from core.foundation.identifiers import new_id
from core.models import Appointment, Encounter, Letter, Patient, Visit
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import DAY, held, known, send
from tests.server.satusehat import Satusehat


@pytest.fixture
def patient(days: Days, ministry: Satusehat) -> Patient:
    made = days.patient(nik="6371019000000901", birth_date=date(1980, 5, 1), sex="female")
    known(ministry, made)
    return made


def write(visit: Visit, **changes: Any) -> None:
    with transaction():
        Encounter.update(**changes).where(Encounter.visit == visit.id).execute()
        outbox.enqueue("visit", visit.id)


def end(visit: Visit, **changes: Any) -> None:
    with transaction():
        Visit.update(**changes).where(Visit.id == visit.id).execute()
        outbox.enqueue("visit", visit.id)


def letter(days: Days, visit: Visit, **answers: str) -> None:
    Letter.create(
        id=new_id(), visit=visit, encounter=Encounter.get(Encounter.visit == visit.id), kind="referral", year=2026,
        sequence=1, number="001", data=answers, text="x", issued_at=visit.ended_at, issued_by=days.account,
    )  # fmt: skip


def section(ministry: Satusehat, visit: Visit, title: str) -> dict[str, Any]:
    summary = held(ministry)[f"Composition/{visit.id}-RESUME"]
    return next((part for part in summary["section"] if part["title"] == title), {})


def test_a_referral_says_where_to_why_and_when_and_is_taken_back(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["I10"], disposition=Disposition.REFERRED)
    letter(days, visit, hospital="RSUD Contoh", department="Penyakit Dalam", reason="krisis hipertensi")
    write(visit, plan="", form={"bpjs": {"refer_on": (DAY + timedelta(days=4)).isoformat()}})
    assert send(clinic).refused == 0
    there = held(ministry)
    referral = there[f"ServiceRequest/{visit.id}-RUJUK"]
    assert referral["category"][0]["coding"][0]["display"] == "Patient referral"
    assert referral["code"]["coding"][0]["display"] == "Outpatient care management"
    assert referral["code"]["text"] == "Dirujuk ke RSUD Contoh, Penyakit Dalam"
    assert referral["reasonCode"] == [{"text": "krisis hipertensi"}]
    assert there[f"Condition/{visit.id}-I10"]["id"] in referral["reasonReference"][0]["reference"]
    assert referral["occurrenceDateTime"] == "2026-03-06T04:00:00+00:00", "noon at Banjarmasin"
    assert len(section(ministry, visit, "Rencana Tindak Lanjut")["entry"]) == 1
    outcome = there[f"Encounter/{visit.id}"]["hospitalization"]["dischargeDisposition"]["coding"][0]
    assert outcome["code"] == "other-hcf"
    end(visit, disposition=Disposition.HOME)
    assert send(clinic).refused == 0
    assert held(ministry)[f"ServiceRequest/{visit.id}-RUJUK"]["status"] == "entered-in-error"
    assert section(ministry, visit, "Rencana Tindak Lanjut") == {}


def test_a_return_goes_with_its_day_moves_with_the_plan_and_is_taken_back(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["I10"], disposition=Disposition.HOME)
    key = f"ServiceRequest/{visit.id}-UMUM-KONTROL"
    write(visit, plan="Amlodipin 1x1. Diet rendah garam. Kontrol 3 hari lagi")
    assert send(clinic).refused == 0
    first = held(ministry)[key]
    assert (first["intent"], first["code"]["text"]) == ("plan", "kontrol 3 hari lagi")
    assert first["code"]["coding"][0]["display"] == "Follow-up visit"
    assert first["occurrenceDateTime"][:10] == "2026-03-05"
    assert "Amlodipin" not in str(first), "the plan itself stays"
    write(visit, plan="Kontrol ulang bila keluhan memberat")
    assert send(clinic).refused == 0
    later = held(ministry)[key]
    assert later["id"] == first["id"]
    assert "occurrenceDateTime" not in later
    write(visit, plan="Amlodipin 1x1")
    assert send(clinic).refused == 0
    assert held(ministry)[key]["status"] == "entered-in-error"


def test_a_return_date_given_in_the_room_stands_before_the_plan_and_goes_back_with_its_cancelling(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["I10"], disposition=Disposition.HOME)
    write(visit, plan="kontrol bila perlu")
    given = Appointment.create(
        id=new_id(), patient=patient, cluster="UMUM", service_on=DAY + timedelta(days=7), sequence=1, number="A-001",
        status=AppointmentStatus.BOOKED, chief_complaint="kontrol tensi", booked_at=visit.ended_at, from_visit=visit,
    )  # fmt: skip
    assert send(clinic).refused == 0
    key = f"ServiceRequest/{visit.id}-UMUM-KONTROL"
    there = held(ministry)[key]
    assert (there["code"]["text"], there["occurrenceDateTime"][:10]) == ("kontrol tensi", "2026-03-09")
    Appointment.update(status=AppointmentStatus.CANCELLED).where(Appointment.id == given.id).execute()
    write(visit, plan="")
    assert send(clinic).refused == 0
    assert held(ministry)[key]["status"] == "entered-in-error"


def test_a_referral_without_a_letter_names_what_was_chosen_from_the_lists_of_bpjs(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["I10"], disposition=Disposition.REFERRED)
    chosen = {"refer_provider_name": "RS Contoh", "refer_subspecialist_name": "Jantung", "refer_urgent": True}
    write(visit, form={"bpjs": chosen})
    assert send(clinic).refused == 0
    referral = held(ministry)[f"ServiceRequest/{visit.id}-RUJUK"]
    assert (referral["code"]["text"], referral["priority"]) == ("Dirujuk ke RS Contoh, Jantung", "urgent")


@pytest.mark.parametrize("outcome", [Disposition.DIED, Disposition.ADMITTED])
def test_nobody_is_asked_to_come_back_who_died_or_lies_in_a_hospital(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient, outcome: Disposition
) -> None:
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["I10"], disposition=Disposition.HOME)
    write(visit, plan="kontrol seminggu lagi")
    send(clinic)
    end(visit, disposition=outcome)
    assert send(clinic).refused == 0
    assert held(ministry)[f"ServiceRequest/{visit.id}-UMUM-KONTROL"]["status"] == "entered-in-error"


def test_a_voided_visit_takes_referral_and_return_back(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["I10"], disposition=Disposition.REFERRED)
    write(visit, plan="kontrol 2 minggu")
    send(clinic)
    assert {item["status"] for item in ministry.of("ServiceRequest")} == {"active"}
    end(visit, voided_at=visit.ended_at)
    assert send(clinic).refused == 0
    assert [item["status"] for item in ministry.of("ServiceRequest")] == ["entered-in-error"] * 2


def test_answers_of_a_form_go_in_words_without_what_its_own_programme_tells(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    visit = days.visit(
        DAY, patient, cluster="KIA", codes=["Z34.9"], disposition=Disposition.HOME, pregnant=True
    )
    answers = {
        "gravida": 2, "last_period": "2025-09-01", "bleeding": False, "fundal_height": 24.5, "hiv": "reactive",
        "presentation": "head",
    }  # fmt: skip
    write(visit, form={"pregnancy": answers, "bpjs": {"other_therapy": "rahasia"}})
    assert send(clinic).refused == 0
    words = section(ministry, visit, "Kehamilan (ANC)")["text"]["div"]
    for line in ("G (hamil ke-): 2", "HPHT: 01-09-2025", "24,5 cm", ": tidak"):
        assert line in words
    assert "HIV" not in words
    assert "rahasia" not in str(held(ministry))


DAYS = [
    ("kontrol 3 hari lagi", 3),
    ("KONTROL ULANG 1 MINGGU", 7),
    ("Kontrol kembali tgl 9-3-2026", 7),
    ("kontrol tanggal 09/03/26", 7),
    ("kontrol 9 Maret 2026", 7),
    ("datang kembali 2 minggu lagi", 14),
    ("kontrol besok", 1),
    ("kontrol seminggu lagi", 7),
    ("kontrol 1 bulan", 30),
    ("kontrol tiga hari lagi bila belum membaik", 3),
    ("obat habis, kontrol H+3", None),
    ("kontrol 3-5 hari lagi", None),
    ("kontrol 3 hari lagi, kontrol 1 minggu di gigi", None),
    ("kontrol ulang bila memberat", None),
    ("kontrol tgl 1-1-2020", None),
    ("kontrol 31-2-2026", None),
    ("kontrol 900 hari", None),
    ("kontrol tiap bulan", None),
]


@pytest.mark.parametrize(("plan", "days_later"), DAYS, ids=[plan for plan, _ in DAYS])
def test_a_day_is_read_only_where_the_plan_names_exactly_one(plan: str, days_later: int | None) -> None:
    found = read_follow_up(plan, DAY)
    day = DAY + timedelta(days=days_later) if days_later is not None else None
    if "1 bulan" in plan:
        day = date(2026, 4, 2)
    if plan.endswith("H+3"):
        day = DAY + timedelta(days=3)
    assert found is not None
    assert found.on == day


@pytest.mark.parametrize(
    "plan",
    [
        "",
        "tidak perlu kontrol",
        "gula tidak terkontrol",
        "kontrol makan",
        "pantau",
        "tdk perlu kontrol ulang 3 hari",
    ],
)
def test_what_is_no_return_is_none(plan: str) -> None:
    assert read_follow_up(plan, DAY) is None


@given(plan=st.text(alphabet="kontrolulagi 0123456789-/.hrmgbnd;,\n", max_size=80), day=st.dates())
def test_a_plan_never_breaks_the_reading_and_a_day_lies_ahead(plan: str, day: date) -> None:
    if day.year > 9000:
        day = day.replace(year=9000, day=1)
    found = read_follow_up(f"kontrol {plan}", day)
    assert found is None or (len(found.words) <= LONGEST_WORDS and (found.on is None or found.on > day))
