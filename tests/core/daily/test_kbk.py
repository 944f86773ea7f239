"""The three figures of the capitation, against a month that was worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from core.daily.reports import report_tables
from core.daily.reports.kbk import UNKNOWN
from core.daily.reports.report_tables import Cell
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, OrderStatus, Payer
from core.foundation.identifiers import new_id
from core.models import BpjsListItem, BpjsVisit, Encounter, Order, Patient, Visit
from tests.core.days import Days

DAY = date(2026, 3, 16)
JKN: dict[str, Any] = {"payer": Payer.JKN_PBI, "cluster": "UMUM"}


@pytest.fixture
def days(clinic: Clinic) -> Days:
    return Days(clinic)


def rows_of(clinic: Clinic) -> dict[str, tuple[Cell, ...]]:
    report = report_tables.build(clinic, "kbk", DAY)
    return {str(row[0]): row[1:] for row in report.rows}


def set_up(clinic: Clinic, **changes: object) -> None:
    """Give the clinic other settings."""
    object.__setattr__(clinic, "settings", clinic.settings.model_copy(update=changes))


def measured(days: Days, patient: Patient, *vitals: dict[str, int]) -> None:
    """One visit of the month for each blood pressure, a day after the other."""
    for number, values in enumerate(vitals):
        visit = days.visit(DAY + timedelta(days=number), patient, codes=["I10"], **JKN)
        Encounter.update(vitals=values).where(Encounter.visit == visit.id).execute()


def with_result(days: Days, patient: Patient, code: str, result: str) -> None:
    """A visit of the month with a result of the laboratory."""
    visit = days.visit(DAY, patient, codes=["E11.9"], **JKN)
    contact = Encounter.get(Encounter.visit == visit.id)
    Order.create(
        id=new_id(), visit=visit, encounter=contact, test="x", code=code, status=OrderStatus.COMPLETED,
        ordered_at=clock.now(), ordered_by=days.account, result=result, resulted_at=clock.now(),
    )  # fmt: skip


def referred(days: Days, code: str, **form: str) -> Visit:
    visit = days.visit(DAY, codes=[code], disposition=Disposition.REFERRED, **JKN)
    if form:
        Encounter.update(form={"bpjs": form}).where(Encounter.visit == visit.id).execute()
    return visit


def test_each_member_who_came_is_one_contact(clinic: Clinic, days: Days) -> None:
    set_up(clinic, bpjs_members=4000, bpjs_provider="0114A026")
    twice = days.patient()
    days.visit(DAY, twice, **JKN)
    days.visit(DAY + timedelta(days=3), twice, **JKN)
    days.visit(DAY, payer=Payer.JKN_NON_PBI, cluster="GIGI")
    days.visit(DAY, payer=Payer.GENERAL, cluster="UMUM")
    days.visit(DAY - timedelta(days=31), **JKN)
    elsewhere = days.visit(DAY, **JKN)
    BpjsVisit.create(visit=elsewhere, status="sent", provider="0999X001", updated_at=clock.now())
    assert rows_of(clinic)["Angka kontak"] == (2, 4000, 2, 0.5, "per mil", ">= 150")


def test_whom_bpjs_knows_as_a_member_is_read(clinic: Clinic, days: Days) -> None:
    set_up(clinic, bpjs_members=1000, bpjs_provider="0114A026")
    for provider in ("0114A026", ""):
        visit = days.visit(DAY, **JKN)
        BpjsVisit.create(visit=visit, status="sent", provider=provider, updated_at=clock.now())
    assert rows_of(clinic)["Angka kontak"][:4] == (2, 1000, 1, 2.0)


def test_without_the_number_of_members_no_rate_is_made_up(clinic: Clinic, days: Days) -> None:
    days.visit(DAY, **JKN)
    assert rows_of(clinic)["Angka kontak"][:4] == (1, UNKNOWN, 1, UNKNOWN)


def test_a_referral_that_primary_care_could_have_treated(clinic: Clinic, days: Days) -> None:
    for code, flag in (("J06.9", True), ("I21.9", False)):
        BpjsListItem.create(kind="diagnosis", code=code, flag=flag, read_at=clock.now())
    referred(days, "J06.9")
    referred(days, "J06.9", tacc="1", tacc_time="tiga kali berobat")
    referred(days, "I21.9")
    referred(days, "Q99.9")  # BPJS has not said
    days.visit(DAY, codes=["J06.9"], disposition=Disposition.REFERRED, payer=Payer.GENERAL)
    assert rows_of(clinic)["Rasio rujukan kasus non spesialistik"] == (1, 4, 1, 25.0, "%", "<= 2")


def test_chronic_illness_is_controlled_by_the_last_value_of_the_month(clinic: Clinic, days: Days) -> None:
    measured(days, days.patient(), {"systolic": 160, "diastolic": 95}, {"systolic": 138, "diastolic": 86})
    measured(days, days.patient(), {"systolic": 130, "diastolic": 80}, {"systolic": 150, "diastolic": 80})
    measured(days, days.patient(), {"systolic": 120})  # half a blood pressure
    days.visit(DAY - timedelta(days=200), codes=["I10"], **JKN)  # did not come this month
    days.visit(DAY - timedelta(days=500), codes=["I10"], **JKN)  # too long ago
    with_result(days, days.patient(), "1558-6", "118")
    with_result(days, days.patient(), "1558-6", "<200")  # may be either
    with_result(days, days.patient(), "4548-4", "8,1")
    found = rows_of(clinic)
    assert found["Prolanis: hipertensi"][:4] == (1, 4, 2, 25.0)
    assert found["Prolanis: diabetes melitus"][:4] == (1, 3, 1, 33.33)
    assert found["Rasio peserta prolanis terkendali"][3] == 29.17
