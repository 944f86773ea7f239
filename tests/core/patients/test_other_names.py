"""Somebody is known by another name besides: it is kept at every door, searched and compared."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import DuplicateBand, Sex
from core.foundation.database import transaction
from core.foundation.errors import ValidationError
from core.foundation.permissions import Actor
from core.imports import service as importing
from core.linkage.names import joined_names, without_alias
from core.models import Patient
from core.patients import duplicate_check
from core.patients import service as patients
from core.patients import views as patient_views
from core.schemas.patients import DuplicateQuery, PatientFields, PatientPatch

BORN = date(1979, 4, 23)


def store(clinic: Clinic, actor: Actor, **values: Any) -> Patient:
    given: dict[str, Any] = {"name": "Nuraini Hasanah", "sex": Sex.FEMALE, "birth_date": BORN, **values}
    with transaction():
        return patients.create(clinic, actor, PatientFields(**given), clock.now())


@pytest.mark.parametrize(
    ("typed", "name", "others"),
    [
        ("Nuraini Hasanah alias Mbak Nun", "Nuraini Hasanah", "Mbak Nun"),
        ("Nuraini ALIAS Ny. Rudi Hartono, Nunung", "Nuraini", "Ny. Rudi Hartono, Nunung"),
        ("Muhammad Als. Amat", "Muhammad", "Amat"),
        ("Alias", "Alias", ""),
        ("alias Nun", "alias Nun", ""),
        ("Aliasuddin Rahman", "Aliasuddin Rahman", ""),
    ],
)
def test_what_stands_behind_alias_is_another_name(
    clinic: Clinic, actor: Actor, typed: str, name: str, others: str
) -> None:
    assert without_alias(typed) == (name, others)
    stored = store(clinic, actor, name=typed)
    assert (stored.name, stored.other_names) == (name, others)


def test_a_name_is_kept_once_however_it_is_written() -> None:
    assert joined_names("Mbak Nun, Yati", "mbak nun; Ani / YATI") == "Mbak Nun, Yati, Ani"


@pytest.mark.parametrize("said", ["Mbak Nunung", "nunung", "Ny. Rudi Hartono", "bu rudi", "hasanah", "nunug"])
def test_each_name_is_searched(clinic: Clinic, actor: Actor, said: str) -> None:
    known = store(clinic, actor, other_names="Nunung, Ny. Rudi Hartono")
    store(clinic, actor, name="Sulastri")
    assert patient_views.search(clinic, actor, said)[0].id == known.id


@pytest.mark.parametrize("said", ["Ny. Rudi Hartono", "Bu Nunung", "Nuraini alias Nunung", "Rudi Hartono"])
@pytest.mark.parametrize("on_file", [True, False])
def test_each_name_is_compared_from_either_side(
    clinic: Clinic, actor: Actor, said: str, on_file: bool
) -> None:
    called = {"other_names": "Nunung, Ny. Rudi Hartono"}
    known = store(clinic, actor, **called) if on_file else store(clinic, actor, name=said)
    asked: dict[str, Any] = {"name": said} if on_file else {"name": "Nuraini Hasanah", **called}
    result = duplicate_check.duplicates(clinic, DuplicateQuery(birth_date=BORN, **asked))
    assert result.band is not DuplicateBand.NEW
    assert result.candidates[0].patient.id == known.id


def test_another_name_alone_opens_nobody(clinic: Clinic, actor: Actor) -> None:
    store(clinic, actor, other_names="Rudi Hartono", phone="081234567")
    query = DuplicateQuery(name="Rudi Hartono", birth_date=BORN, phone="081234567")
    assert duplicate_check.duplicates(clinic, query).band is DuplicateBand.REVIEW


def test_a_correction_adds_and_takes_away(clinic: Clinic, actor: Actor) -> None:
    known = store(clinic, actor)
    edited = patients.edit(clinic, actor, known.id, PatientPatch(name="Nuraini Hasanah alias Nun"))
    assert (edited.name, edited.other_names) == ("Nuraini Hasanah", "Nun")
    assert [found.id for found in patient_views.search(clinic, actor, "nun")] == [known.id]
    cleared = patients.edit(clinic, actor, known.id, PatientPatch(other_names=None))
    assert cleared.other_names == ""
    with pytest.raises(ValidationError):
        patients.edit(clinic, actor, known.id, PatientPatch(name="A alias B", other_names="x" * 199))


def test_a_list_brings_them(clinic: Clinic, actor: Actor, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("nama;jk;tgl lahir;nama panggilan\nNuraini als Ani;P;23-04-1979;Nunung", encoding="utf-8")
    importing.run(clinic, actor, file, dry_run=False)
    stored = Patient.get()
    assert (stored.name, stored.other_names) == ("Nuraini", "Nunung, Ani")
