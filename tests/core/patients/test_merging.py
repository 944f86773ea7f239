"""Two records become one and two again; both rows come back to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts.service import system_actor
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Role, Sex
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.foundation.errors import NotAllowedError, NotFoundError, RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.linkage import review_queue
from core.models import Allergy, Merge, Outbox, Patient, PatientKey, PatientVersion, Visit
from core.patients import clerical_review, duplicate_check, merging
from core.patients import service as patients
from core.patients import views as patient_views
from core.schemas.patients import DuplicateQuery, PatientFields, PatientPatch

NIKS = ("6371015708900002", "6371015708900003")


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    opened = Clinic.open(Settings(home=tmp_path_factory.mktemp("merging")))
    with connection():
        yield opened
    database.close()


@pytest.fixture
def actor(clinic: Clinic) -> Actor:
    Patient.update(voided_at=clock.now(), void_reason="between tests").where(
        Patient.voided_at.is_null()
    ).execute()
    PatientKey.delete().execute()
    return system_actor("test")


def person(clinic: Clinic, actor: Actor, **changes: Any) -> Patient:
    values = {"name": "Siti Aminah", "sex": Sex.FEMALE, "birth_date": date(1990, 8, 17), **changes}
    with transaction():
        return patients.create(clinic, actor, PatientFields(**values), clock.now())


def visit(actor: Actor, patient: Patient) -> Visit:
    return Visit.create(
        id=new_id(), patient=patient, service_on=date(2026, 11, 2), status="arrived", payer="general",
        chief_complaint="batuk", started_at=clock.now(), registered_by=actor.account_id,
    )  # fmt: skip


def rows(*ids: str) -> list[tuple[Any, ...]]:
    """The patients' rows and keys as they are stored, byte for byte."""
    marks = ", ".join("?" * len(ids))
    stored = []
    for table, column in (
        ("patient", "id"),
        ("patient_key", "patient_id"),
        ("visit", "patient_id"),
        ("allergy", "patient_id"),
    ):
        text = f"SELECT * FROM {table} WHERE {column} IN ({marks}) ORDER BY 1, 2, 3"
        stored += database.execute_sql(text, ids).fetchall()
    return stored


def test_the_survivor_gains_what_it_lacked_and_keeps_what_it_had(clinic: Clinic, actor: Actor) -> None:
    one = person(clinic, actor, nik=NIKS[0], phone="0811", identity_verified=True)
    other = person(clinic, actor, name="St. Aminah", address="Jl. Mawar 3", phone="0822")
    came = visit(actor, one)
    made = merging.merge(clinic, actor, one.id, other.id)
    survivor = patients.find(one.id)
    assert survivor.id == other.id == made.survivor_id
    assert (survivor.nik, survivor.phone, survivor.name) == (NIKS[0], "0822", "St. Aminah")
    assert survivor.identity_verified_at is not None
    assert survivor.no_identifier_reason is None
    assert Visit.get_by_id(came.id).patient_id == other.id
    assert {row.target for row in Outbox.select()} >= {one.id, other.id, came.id}
    # The number is found, and leads to one person only.
    assert [found.id for found in patient_views.search(clinic, actor, NIKS[0])] == [other.id]
    assert [found.id for found in patient_views.search(clinic, actor, "siti aminah")] == [other.id]


def test_undo_brings_back_both_rows_to_the_byte(clinic: Clinic, actor: Actor) -> None:
    whole_second = datetime(2026, 11, 2, 1, 2, 3, tzinfo=UTC)  # stored with all its zeros
    with clock.frozen(lambda: whole_second):
        one = person(clinic, actor, nik=NIKS[0], identity_verified=True, phone="0811")
    other = person(clinic, actor, name="Aminah")
    child = person(clinic, actor, name="Rizki Hidayat", birth_date=date(2020, 1, 2), mother_id=one.id)
    visit(actor, one), visit(actor, other)
    Allergy.create(
        id=new_id(),
        patient=one,
        substance="Amoxicillin",
        recorded_at=clock.now(),
        recorded_by=actor.account_id,
    )
    before = rows(one.id, other.id, child.id)
    made = merging.merge(clinic, actor, one.id, other.id)
    assert rows(one.id, other.id, child.id) != before
    assert Patient.get_by_id(child.id).mother_id == other.id
    merging.undo(clinic, actor, made.id)
    assert rows(one.id, other.id, child.id) == before
    versions = (
        PatientVersion.select().where(PatientVersion.patient == one.id).order_by(PatientVersion.version)
    )
    assert [version.cause for version in versions] == ["merge", "unmerge"]


FIELDS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(("Siti Aminah", "Aminah", "By. Ny. Siti", "M. Noor, S.Pd")),
        "birth_date": st.dates(date(1950, 1, 1), date(2025, 1, 1)),
        "sex": st.sampled_from(Sex),
        "mother_name": st.sampled_from(("", "Rusmini", "Hj. Halimah")),
        "phone": st.sampled_from(("", "0811223344")),
        "address": st.sampled_from(("", "Jl. Mawar 3 RT 02", "日本 'x\"")),
        "rt": st.sampled_from(("", "07")),
        "identity_verified": st.booleans(),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FIELDS, FIELDS, st.booleans(), st.booleans())
def test_merge_then_undo_gives_the_same_rows(
    clinic: Clinic, actor: Actor, left: dict[str, Any], right: dict[str, Any], numbered: bool, kept: bool
) -> None:
    Patient.update(voided_at=clock.now()).where(Patient.voided_at.is_null()).execute()
    numbers = (
        {"nik": NIKS[0], "bpjs_number": "0001234567890"} if numbered else {},
        {"nik": NIKS[1]} if kept else {},
    )
    one, other = (
        person(clinic, actor, **fields, **number)
        for fields, number in zip((left, right), numbers, strict=True)
    )
    before = rows(one.id, other.id)
    merging.undo(clinic, actor, merging.merge(clinic, actor, one.id, other.id).id)
    assert rows(one.id, other.id) == before


def test_nothing_is_undone_twice(clinic: Clinic, actor: Actor) -> None:
    made = merging.merge(clinic, actor, person(clinic, actor).id, person(clinic, actor).id)
    merging.undo(clinic, actor, made.id)
    with pytest.raises(RuleError, match="already_undone"):
        merging.undo(clinic, actor, made.id)
    with pytest.raises(NotFoundError):
        merging.undo(clinic, actor, new_id())


def test_a_chain_is_undone_from_its_end(clinic: Clinic, actor: Actor) -> None:
    a, b, c = (person(clinic, actor) for _ in range(3))
    before = rows(a.id, b.id, c.id)
    first = merging.merge(clinic, actor, a.id, b.id)
    second = merging.merge(clinic, actor, b.id, c.id)
    assert patients.find(a.id).id == c.id
    with pytest.raises(RuleError, match="undo_not_possible"):
        merging.undo(clinic, actor, first.id)
    merging.undo(clinic, actor, second.id)
    merging.undo(clinic, actor, first.id)
    assert rows(a.id, b.id, c.id) == before


def test_a_later_correction_outlives_the_undo(clinic: Clinic, actor: Actor) -> None:
    one = person(clinic, actor, nik=NIKS[0], phone="0811")
    other = person(clinic, actor, name="Aminah")
    made = merging.merge(clinic, actor, one.id, other.id)
    patients.edit(clinic, actor, other.id, PatientPatch(address="Jl. Baru 9", phone="0833"))
    merging.undo(clinic, actor, made.id)
    survivor, merged = Patient.get_by_id(other.id), Patient.get_by_id(one.id)
    assert (survivor.address, survivor.phone, survivor.nik) == ("Jl. Baru 9", "0833", None)
    assert (merged.nik, merged.phone, merged.voided_at) == (NIKS[0], "0811", None)


def test_a_number_given_to_somebody_else_cannot_go_back(clinic: Clinic, actor: Actor) -> None:
    one, other = person(clinic, actor, nik=NIKS[0]), person(clinic, actor, nik=NIKS[1])
    made = merging.merge(clinic, actor, one.id, other.id)
    third = person(clinic, actor, nik=NIKS[0])
    before = rows(one.id, other.id, third.id)
    with pytest.raises(RuleError, match="undo_not_possible"):
        merging.undo(clinic, actor, made.id)
    assert rows(one.id, other.id, third.id) == before


def test_who_was_judged_two_people_is_not_merged(clinic: Clinic, actor: Actor) -> None:
    one, other = person(clinic, actor), person(clinic, actor)
    clerical_review.mark_non_match(actor, one.id, other.id)
    with pytest.raises(RuleError, match="judged_two_people"):
        merging.merge(clinic, actor, one.id, other.id)
    with pytest.raises(ValidationError):
        merging.merge(clinic, actor, one.id, one.id)


def test_only_who_may_merge_merges(clinic: Clinic, actor: Actor) -> None:
    clerk = replace(actor, role=Role.CLERK, rights=None)
    one, other = person(clinic, actor), person(clinic, actor)
    with pytest.raises(NotAllowedError):
        merging.merge(clinic, clerk, one.id, other.id)
    with pytest.raises(NotAllowedError):
        merging.undo(clinic, clerk, new_id())
    assert Merge.select().where(Merge.survivor == other.id).count() == 0


@pytest.mark.parametrize(
    ("changes", "merges"),
    [
        ({}, True),
        ({"name": "St. Aminah"}, True),
        ({"name": "Siti Rahmah"}, False),
        ({"birth_date": date(1991, 8, 17)}, False),
        ({"mother_name": "Halimah"}, False),
        ({"sex": Sex.MALE}, False),
        ({"bpjs_number": "0001111111111"}, False),
    ],
)
def test_a_card_merges_by_itself_only_without_contradiction(
    clinic: Clinic, actor: Actor, changes: dict[str, Any], merges: bool
) -> None:
    owner = person(
        clinic, actor, nik=NIKS[0], identity_verified=True, mother_name="Rusmini", bpjs_number="0002222222222"
    )
    other = person(clinic, actor, **changes)
    made = merging.merge_by_card(clinic, replace(actor, role=Role.CLERK, rights=None), other.id, NIKS[0])
    assert (made is not None) == merges
    assert (patients.find(other.id).id == owner.id) == merges


@pytest.mark.parametrize("name", ["Rina Lestari", "Aminah", "Siti Aminah"])
def test_a_card_merges_whatever_kind_of_name_is_the_same(clinic: Clinic, actor: Actor, name: str) -> None:
    owner = person(clinic, actor, name=name, nik=NIKS[0], identity_verified=True)
    other = person(clinic, actor, name=name)
    assert merging.merge_by_card(clinic, actor, other.id, NIKS[0]) is not None
    assert patients.find(other.id).id == owner.id


def test_a_card_that_was_never_seen_merges_nothing(clinic: Clinic, actor: Actor) -> None:
    person(clinic, actor, nik=NIKS[0])
    assert merging.merge_by_card(clinic, actor, person(clinic, actor).id, NIKS[0]) is None
    assert merging.merge_by_card(clinic, actor, person(clinic, actor).id, NIKS[1]) is None


def test_after_an_undo_the_pair_is_suspected_again(clinic: Clinic, actor: Actor) -> None:
    one, other = person(clinic, actor, mother_name="Rusmini"), person(clinic, actor, mother_name="Rusmini")
    made = merging.merge(clinic, actor, one.id, other.id)
    assert review_queue.candidate_pairs() == []
    assert review_queue.compare_changed(clinic) == {"looked_at": 1}
    merging.undo(clinic, actor, made.id)
    assert [{pair.left.id, pair.right.id} for pair in review_queue.candidate_pairs()] == [{one.id, other.id}]
    result = duplicate_check.duplicates(
        clinic, DuplicateQuery(name="siti aminah", birth_date=date(1990, 8, 17))
    )
    assert len(result.candidates) == 2
