"""Questions of P-Care about a visit that ends, judged by the rows and by BPJS's own lists."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, Payer
from core.models import BpjsListItem, Diagnosis, Encounter, Visit
from core.records.pcare_needs import open_questions
from tests.core.days import Days, open_clinic

DAY = date(2026, 3, 2)
READ_AT = datetime(2026, 3, 1, tzinfo=UTC)
ANSWERED = {"consciousness": "01", "prognosis": "01"}
REFERRAL = ["refer_provider", "refer_subspecialist", "refer_on"]


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return open_clinic(tmp_path / "clinic", bpjs_url="https://bpjs.example/pcare")


def ended(days: Days, disposition: Disposition = Disposition.REFERRED, **changes: Any) -> Visit:
    return days.visit(DAY, codes=["I10", "J06.9"], disposition=disposition, payer=Payer.JKN_PBI, **changes)


def answer(visit: Visit, **answers: str) -> None:
    Encounter.update(form={"bpjs": answers}).where(Encounter.visit == visit).execute()


def test_a_referral_of_what_primary_care_treats_asks_why(clinic: Clinic, days: Days) -> None:
    BpjsListItem.create(kind="diagnosis", code="I10", flag=True, read_at=READ_AT)
    visit = ended(days)
    assert open_questions(clinic, visit) == ["consciousness", "prognosis", *REFERRAL, "tacc"]
    answer(visit, **ANSWERED, refer_provider="1", refer_subspecialist="2", refer_on="2026-03-03", tacc="1")
    assert open_questions(clinic, visit) == ["tacc_reason"]


def test_the_first_diagnosis_that_stands_decides(clinic: Clinic, days: Days) -> None:
    BpjsListItem.create(kind="diagnosis", code="I10", flag=True, read_at=READ_AT)
    BpjsListItem.create(kind="diagnosis", code="J06.9", flag=False, read_at=READ_AT)
    visit = ended(days)
    Diagnosis.update(voided_at=READ_AT).where(Diagnosis.visit == visit, Diagnosis.code == "I10").execute()
    assert "tacc" not in open_questions(clinic, visit)


def test_what_bpjs_does_not_say_is_not_asked_for(clinic: Clinic, days: Days) -> None:
    BpjsListItem.create(kind="diagnosis", code="I10", flag=None, read_at=READ_AT)
    assert "tacc" not in open_questions(clinic, ended(days))


def test_whoever_goes_home_is_asked_for_nothing_of_a_referral(clinic: Clinic, days: Days) -> None:
    visit = ended(days, Disposition.HOME)
    answer(visit, **ANSWERED)
    assert open_questions(clinic, visit) == []


def test_nothing_is_asked_where_bpjs_does_not_pay_or_is_not_there(
    clinic: Clinic, days: Days, tmp_path: Path
) -> None:
    visit = ended(days)
    Visit.update(payer=Payer.GENERAL).where(Visit.id == visit.id).execute()
    assert open_questions(clinic, Visit.get_by_id(visit.id)) == []
    without = Clinic(clinic.settings.model_copy(update={"bpjs_url": ""}), clinic.clusters)
    assert open_questions(without, visit) == []
