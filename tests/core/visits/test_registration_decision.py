"""The routing decision at the save: written out only where the save is refused for it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.accounts import service as accounts
from core.foundation.clinic import Clinic
from core.foundation.codes import Role, Sex
from core.foundation.database import connection
from core.foundation.errors import RuleError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor, actor_of
from core.schemas.patients import PatientFields
from core.schemas.registration import RegistrationRequest
from core.visits import registration, routing_check
from tests.core.days import open_clinic


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return open_clinic(tmp_path / "clinic")


@pytest.fixture
def clerk(clinic: Clinic) -> Actor:
    with connection():
        return actor_of(accounts.create_account("petugas", "Petugas", Role.CLERK, "rahasia-sekali"))


def request(**changes: Any) -> RegistrationRequest:
    patient = PatientFields(name="Siti Aminah", sex=Sex.FEMALE, birth_date=date(1990, 3, 2))
    values = {"id": new_id(), "patient": patient, "chief_complaint": "sakit gigi", "cluster": "GIGI"}
    return RegistrationRequest(**{**values, **changes})


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The decisions that were written out as they are sent to terminals."""
    decisions: list[object] = []
    routing_out = routing_check.routing_out

    def counted(clinic: Clinic, decision: Any, language: str) -> Any:
        decisions.append(decision)
        return routing_out(clinic, decision, language)

    monkeypatch.setattr(routing_check, "routing_out", counted)
    return decisions


def test_a_save_that_agrees_with_the_rules_writes_no_decision_out(
    clinic: Clinic, clerk: Actor, written: list[object]
) -> None:
    receipt, created = registration.register(clinic, clerk, request())
    assert created
    assert receipt.ticket.cluster == "GIGI"
    assert written == []


def test_a_refused_save_carries_the_decision(clinic: Clinic, clerk: Actor, written: list[object]) -> None:
    with pytest.raises(RuleError, match="override_reason_required") as refused:
        registration.register(clinic, clerk, request(cluster="UMUM"))
    routing: Any = refused.value.details["routing"]
    assert routing["suggestions"][0]["cluster"] == "GIGI"
    assert len(written) == 1
