"""The patient's own copy: a FHIR document that stands alone and that two validators accept, and the same in words."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from core.daily.backup.retention import PATIENT_COPY_DAYS, drop_plain_copies
from core.exchange import patient_copy
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import CopyForm, OrderStatus, Role
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import Addendum, Allergy, Diagnosis, Encounter, Order, Patient, Prescription, Visit
from core.schemas.record import CopyFields, CopyOut
from tests import fhir_validator
from tests.core.days import Days, open_clinic
from tests.core.exchange.test_fhir import DAY, everything_odd

STRUCK = ("Udang", "R51", "secukupnya")
"""Words of the odd record that a copy must not hold."""


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return open_clinic(tmp_path / "clinic")


def copy_of(clinic: Clinic, patient: Patient, account: Any, form: CopyForm) -> CopyOut:
    actor = Actor(account.id, "records", "Rekam Medis", Role.RECORDS)
    fields = CopyFields(form=form, reason="diminta oleh pasien")
    return patient_copy.give(clinic, actor, patient.id, fields)


def document_of(clinic: Clinic, patient: Patient, account: Any) -> dict[str, Any]:
    made = copy_of(clinic, patient, account, CopyForm.DOCUMENT).document
    assert made is not None
    return made


def whole(days: Days) -> Patient:
    """Somebody with one of each unusual thing, notes with signs of markup among them."""
    everything_odd(days)
    patient: Patient = Allergy.get(Allergy.substance == "Udang").patient
    contact: Encounter = (
        Encounter.select().join(Visit).where(Visit.patient == patient).order_by(Encounter.id).get()
    )
    contact.subjective, contact.plan = "nyeri <b>dada</b> & sesak\nsejak kemarin", "istirahat"
    contact.save()
    Addendum.create(
        id=new_id(), encounter=contact, text="hasil menyusul", written_at=clock.now(), written_by=days.account
    )
    return patient


def test_a_document_stands_alone_and_two_validators_accept_it(clinic: Clinic, days: Days) -> None:
    patient = whole(days)
    days.fill(DAY, 10)  # other people's visits
    empty = days.patient()
    for one in (patient, empty):
        made = document_of(clinic, one, days.account)
        get_fhir_model_class("Bundle").model_validate(made)
        assert fhir_validator.problems([made]) == [[]]
        for entry in made["entry"]:
            get_fhir_model_class(entry["resource"]["resourceType"]).model_validate(entry["resource"])
        kinds = [entry["resource"]["resourceType"] for entry in made["entry"]]
        assert kinds[0] == "Composition"
        assert kinds.count("Patient") == 1
        urls = [entry["fullUrl"] for entry in made["entry"]]
        assert len(set(urls)) == len(urls)
        assert set(references(made)) <= set(urls), "every mention leads to something in the document"
    assert fhir_validator.problems([{**made, "type": "neither"}])[0], "it accepts anything"


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, found in value.items():
            if name == "reference":
                yield found
            yield from references(found)
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def test_what_was_struck_out_is_in_no_form_of_the_copy(clinic: Clinic, days: Days) -> None:
    patient = whole(days)
    stands = {"Penisilin", "I10", "hasil menyusul", "sejak kemarin", "sesak"}
    texts = {
        form: copy_of(clinic, patient, days.account, form) for form in (CopyForm.TEXT, CopyForm.DOCUMENT)
    }
    for form, copy in texts.items():
        said = copy.text or str(copy.document)
        assert [word for word in stands if word not in said] == [], form
        assert [word for word in STRUCK if word in said] == [], form
        assert "entered-in-error" not in said


def test_every_allergy_diagnosis_medicine_and_result_that_stands_is_in_both_forms(
    clinic: Clinic, days: Days
) -> None:
    for _ in range(5):
        days.visit(DAY, codes=["I10", "J06.9"], cluster="UMUM")
    for patient in Patient.select():
        text = copy_of(clinic, patient, days.account, CopyForm.TEXT).text
        made = str(document_of(clinic, patient, days.account))
        visits = Visit.select().where(Visit.patient == patient)
        for visit in visits:
            for row in Diagnosis.select().where(Diagnosis.visit == visit, Diagnosis.voided_at.is_null()):
                assert row.code in text
                assert row.code in made
            for item in Prescription.select().where(
                Prescription.visit == visit, Prescription.status != OrderStatus.REVOKED
            ):
                assert item.medicine in text
                assert item.medicine in made
            for order in Order.select().where(Order.visit == visit, Order.result.is_null(False)):
                assert order.test in text
                assert str(order.result) in text


def test_the_text_fits_the_paper(clinic: Clinic, days: Days) -> None:
    text = copy_of(clinic, whole(days), days.account, CopyForm.TEXT).text
    assert max(map(len, text.splitlines())) <= 72


def test_a_file_is_for_its_owner_only_and_goes_after_a_week(clinic: Clinic, days: Days) -> None:
    patient = whole(days)
    file = Path(copy_of(clinic, patient, days.account, CopyForm.FILE).file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert patient.name in file.read_text(encoding="utf-8")
    assert drop_plain_copies(clinic.settings) == []
    old = (clock.now() - timedelta(days=PATIENT_COPY_DAYS, minutes=1)).timestamp()
    os.utime(file, (old, old))
    assert drop_plain_copies(clinic.settings) == [file]
