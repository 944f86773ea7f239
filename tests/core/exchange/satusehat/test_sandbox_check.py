"""`loket sync check`: each fact of the guide is confirmed by the strict stand-in, and told where a server does otherwise."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from core.exchange import service as synchronisation
from core.exchange.satusehat.sandbox_check import PRODUCTION, TEST_PATIENT
from core.foundation import clock
from core.foundation.clinic import Clinic
from server.commands import console, sync
from server.text.sync_sentences import FACTS, FACTS_FILE
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import changed
from tests.server.satusehat import Refusal, Satusehat


@pytest.fixture(autouse=True)
def test_patient(ministry: Satusehat) -> None:
    ministry.now = clock.now() + timedelta(hours=1)
    ministry.citizen(TEST_PATIENT, "2003-12-20")


def walk(clinic: Clinic) -> dict[str, tuple[str, str]]:
    found, problem = synchronisation.check_sandbox(clinic)
    assert problem is None
    return {fact.code: (fact.outcome, fact.words) for fact in found}


def test_every_fact_is_confirmed_and_nothing_made_up_stays(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    found = walk(clinic)
    assert list(found) == list(FACTS), "each fact has its sentence, in order"
    assert {code: outcome for code, outcome in found.items() if outcome[0] != "confirmed"} == {}
    made = [item for kind in ("Encounter", "ServiceRequest") for item in ministry.of(kind)]
    assert {item["status"] for item in made} == {"entered-in-error"}
    codes = {item["verificationStatus"]["coding"][0]["code"] for item in ministry.of("Condition")}
    assert codes == {"entered-in-error"}
    assert {item["subject"]["reference"] for item in [*made, *ministry.of("Condition")]} == {
        "Patient/P00000000001"
    }
    assert {code for code, _ in walk(clinic).items()} == set(FACTS), "it can be walked again"


def test_a_server_that_does_otherwise_is_told_with_its_own_words(
    clinic: Clinic, days: Days, ministry: Satusehat, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ministry._check

    def otherwise(kind: str, resource: dict[str, Any], pending: set[str]) -> None:
        if kind == "ServiceRequest" and "Practitioner" in resource["performer"][0]["reference"]:
            raise Refusal("the day lies ahead", "10132")
        if kind == "Condition" and resource["code"]["coding"][0]["display"] == "Batuk saja":
            return
        whole(kind, resource, pending)

    monkeypatch.setattr(ministry, "_check", otherwise)
    found = walk(clinic)
    assert found["return_lies_ahead"] == ("different", "value: the day lies ahead (RuleNumber: 10132)")
    assert found["display_is_compared"][0] == "different"
    assert found["facility_may_perform"][0] == "confirmed"


def test_what_stands_on_something_missing_is_not_tried(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    ministry.population.clear()
    found = walk(clinic)
    assert found["patient_by_nik"] == ("different", "0 patients")
    assert found["visit_is_opened"] == ("not_tried", "patient_by_nik")
    assert found["error_is_entered"] == ("not_tried", "visit_is_opened")
    assert not ministry.of("Encounter")


def test_the_server_with_peoples_records_is_never_walked(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    found, problem = synchronisation.check_sandbox(
        changed(clinic, satusehat_url=f"https://{PRODUCTION.upper()}/")
    )
    assert (found, problem.code if problem else "") == ([], "sandbox_only")
    assert not ministry.log


def test_a_cut_line_tells_what_was_found_before(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    synchronisation.make_places(clinic)
    ministry.mischief.extend(["", "", "cut"])
    found, problem = synchronisation.check_sandbox(clinic)
    assert [fact.code for fact in found] == ["facility_is_ours", "practitioner_by_nik"]
    assert problem is not None


def test_the_command_writes_the_facts_down(
    clinic: Clinic, days: Days, ministry: Satusehat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "open_clinic", lambda: clinic)
    done = CliRunner().invoke(sync.app, ["check"])
    assert done.exit_code == 0, done.output
    assert "sesuai" in done.output
    written = json.loads((clinic.settings.home / FACTS_FILE).read_text(encoding="utf-8"))
    assert {fact["code"] for fact in written["facts"]} == set(FACTS)
    assert {fact["outcome"] for fact in written["facts"]} == {"confirmed"}
