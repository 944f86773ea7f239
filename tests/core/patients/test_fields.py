"""The table of patient fields agrees with the tables, requests and resources that are written by hand."""

from __future__ import annotations

import json
from datetime import date

import pytest

from core.exchange.fhir import people
from core.exchange.fhir.systems import Names
from core.foundation.codes import NoIdentifierReason
from core.imports.row_reader import HEADINGS, MUST_HAVE, NAME_PARTS
from core.linkage.scoring import COMPARED
from core.models import Patient
from core.patients.fields import (
    CODED,
    COLUMNS,
    IMPORTABLE,
    OF_MOBILE_JKN,
    PATIENT_FIELDS,
    REQUIRED,
    UNIQUE_NUMBERS,
)
from core.patients.national_ids import Outcome, check_passport_number
from core.schemas.patients import DuplicateQuery, PatientFields, PatientOut, PatientPatch
from tui.lines.questions import QUESTIONS
from tui.screens.patients.person_form import RELATIVES_NIKS

OF_THE_RECORD = {
    "id", "medical_record_number", "identity_verified_at", "version", "created_at", "created_by", "updated_at",
    "merged_into", "voided_at", "voided_by", "void_reason", "deceased_on", "death_reported_on", "no_known_allergies_at",
    "no_known_allergies_by", "no_known_allergies_by_id", "passport_doubtful",
}  # fmt: skip
"""Columns that no one enters."""

EXAMPLE = {
    "name": "Ana Mendoza", "other_names": "Mbak Ani", "sex": "female", "birth_date": date(1990, 8, 17), "nik": "6371015708900002",
    "bpjs_number": "0001234567890", "family_card_number": "6371010101150001", "passport_number": "C1234567",
    "mother_name": "Rusmini", "birth_order": 2, "phone": "081122334455", "address": "Jl. Mawar 3", "rt": "7",
    "rw": "4", "village_code": "6371011001", "birth_date_estimated": False, "mother_nik": "6371015203940077",
    "marital_status": "2",
}  # fmt: skip
SENT_AS = {"marital_status": "Married"}
"""Field -> what the resource says for the code of the example."""


def test_each_column_that_is_entered_is_a_field():
    columns = {getattr(field, "object_id_name", field.name) for field in Patient._meta.sorted_fields}
    assert columns - {"created_by_id", "merged_into_id", "voided_by_id"} - OF_THE_RECORD == set(COLUMNS)


def test_null_and_unique_are_as_in_the_table():
    for field in PATIENT_FIELDS:
        column = Patient._meta.combined[field.name]
        assert column.null == field.nullable, field.name
    unique = {
        index._expressions[0].name
        for index in Patient._meta.indexes
        if hasattr(index, "_expressions") and index._unique
    }
    # Clinics may have stored a passport twice before it became unique: no index could be made there. Whoever stores a
    # patient looks for the number while nobody else may write.
    assert set(UNIQUE_NUMBERS) == unique | {"passport_number"}


@pytest.mark.parametrize("schema", [PatientFields, PatientPatch, PatientOut])
def test_each_field_is_in_the_requests(schema):
    assert set(COLUMNS) - set(schema.model_fields) == set()


def test_the_duplicate_check_compares_the_fields_it_says():
    compared = {field.name for field in PATIENT_FIELDS if field.compared}
    assert compared == set(COMPARED)
    assert compared <= set(DuplicateQuery.model_fields)


def test_a_list_brings_what_a_record_must_have():
    assert set(MUST_HAVE) == {field.name for field in IMPORTABLE} & REQUIRED
    of_lists_alone = {"age", "record_number", "estimated", "deceased", *NAME_PARTS}
    assert {field.name for field in IMPORTABLE} | of_lists_alone == set(HEADINGS)


@pytest.mark.parametrize(
    "field", [field for field in PATIENT_FIELDS if field.fhir], ids=lambda field: field.name
)
def test_the_fhir_patient_carries_the_field(field):
    resource = people.patient(
        Names("P6371010101"),
        Patient(**EXAMPLE, medical_record_number="00000001"),
        mother_nik=None,
        survivor_number=None,
    )
    value = SENT_AS.get(field.name, EXAMPLE[field.name])
    text = value.isoformat() if isinstance(value, date) else str(value)
    assert text in json.dumps(resource[field.fhir])


@pytest.mark.parametrize(
    "field", [field for field in PATIENT_FIELDS if field.digits], ids=lambda field: field.name
)
def test_a_number_of_another_length_than_its_row_says_is_refused(field):
    for length in (field.digits - 1, field.digits + 1):
        check = field.checked("1" * length, {**EXAMPLE, "nik": None}, date(2026, 3, 2))
        assert check.outcome is Outcome.REJECT


def test_what_a_check_looks_at_beside_the_number_is_a_field_or_the_day():
    beside = {name for field in PATIENT_FIELDS for name in field.checked_with}
    assert beside <= {*COLUMNS, "today"}
    assert all(field.check for field in PATIENT_FIELDS if field.checked_with or field.digits)


def test_mobile_jkn_sends_nothing_that_has_no_sentence_for_its_refusal():
    cut_or_free = {"phone", "address", "rt", "rw"}  # what is too long is cut
    assert {field.name for field in OF_MOBILE_JKN if not field.jkn_refused} == cut_or_free


def test_each_field_of_a_form_is_asked_for_in_line_mode():
    asked = {question.field for question in QUESTIONS}
    beside_another = {"rt", "rw", "other_names"}  # behind the address, and behind the name after `alias`
    assert {field.name for field in PATIENT_FIELDS if field.label} - asked == {
        *beside_another,
        *RELATIVES_NIKS,
        *CODED,  # asked after the save
    }


def test_passport_and_village_are_asked_of_foreigners_only():
    rare = {field.name: field.only_for for field in PATIENT_FIELDS if field.only_for}
    assert rare == dict.fromkeys(("passport_number", "village_code"), NoIdentifierReason.FOREIGNER)


@pytest.mark.parametrize(
    ("text", "value", "outcome"),
    [
        ("c 123-4567", "C1234567", Outcome.OK), ("AB123", "AB123", Outcome.OK), ("1" * 20, "1" * 20, Outcome.OK),
        ("1234", "1234", Outcome.REJECT), ("1" * 21, "1" * 21, Outcome.REJECT), ("C123456É", "C123456É", Outcome.REJECT),
    ],
)  # fmt: skip
def test_a_passport_number_is_letters_and_digits(text, value, outcome):
    check = check_passport_number(text)
    assert (check.value, check.outcome) == (value, outcome)
    assert check.rejected_for == ("passport_format" if outcome is Outcome.REJECT else "")
