"""The HTTP contract as `/openapi.json` tells it, tried by every role with whatever fits its shapes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from server.run import Background
from tests.people import Caller, patient, registration

ROLES = ("clerk", "nurse", "dentist", "lab", "pharmacist", "records", "supervisor", "admin", "display")
LEFT_OUT = {
    ("GET", "/api/v1/changes"),  # never ends
    ("DELETE", "/api/v1/tokens"),  # ends the sign-in that the others need
    ("POST", "/api/v1/sync/run"),  # these two start processes
    ("POST", "/api/v1/closing/run"),
}
WHAT_HOLDS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
CONTRACT = {
    "POST tokens", "GET clusters", "GET patients", "POST patients/duplicates", "GET patients/{patient_id}",
    "PATCH patients/{patient_id}", "GET patients/{patient_id}/history", "POST patients/{patient_id}/merge",
    "POST merges/{merge_id}/undo", "POST routing", "POST registrations", "GET queues/{cluster}",
    "POST queues/{cluster}/call-next", "GET changes", "GET visits/{visit_id}", "PUT visits/{visit_id}/encounter",
    "POST visits/{visit_id}/diagnoses", "POST visits/{visit_id}/prescriptions", "POST visits/{visit_id}/orders",
    "GET diagnoses", "GET sync", "POST sync/run", "GET backups", "GET reports/{name}", "GET audit",
    *(f"POST queue-entries/{{entry_id}}/{action}"
      for action in ("recall", "skip", "start", "finish", "transfer", "cancel", "undo")),
}  # fmt: skip
"""What tools outside rely on."""


@pytest.fixture
def callers(server: Background) -> Iterator[dict[str, Caller]]:
    made = {role: Caller(server.url, role) for role in ROLES}
    yield made
    for caller in made.values():
        caller.close()


@pytest.fixture
def document(server: Background) -> dict[str, Any]:
    return httpx.get(f"{server.url}/openapi.json", timeout=60).json()


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_every_call_of_the_contract_is_there(document: dict[str, Any]) -> None:
    offered = {f"{method} {path.removeprefix('/api/v1/')}" for method, path, _ in _operations(document)}
    assert offered >= CONTRACT


def test_every_call_but_the_sign_in_asks_for_a_token_and_may_answer_a_problem(
    clerk: Caller, document: dict[str, Any]
) -> None:
    for method, path, operation in _operations(document):
        problem = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/Problem"}
        if (method, path) == ("POST", "/api/v1/tokens"):
            continue
        assert operation["security"], path
        call = re.sub(r"\{\w+\}", "x", path.removeprefix("/api/v1/"))
        answer = clerk.request(method, call, headers={"Authorization": ""})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), path


def test_no_role_finds_anything_but_what_is_promised(server: Background, callers: dict[str, Caller]) -> None:
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    examples = max(1, hypothesis.settings().max_examples // 25)  # some eighty calls share one test
    unpromised: list[str] = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if (operation.method.upper(), operation.path) in LEFT_OUT:
            continue

        @hypothesis.settings(
            max_examples=examples, database=None, suppress_health_check=list(hypothesis.HealthCheck)
        )
        @hypothesis.given(case=operation.as_strategy(), role=st.sampled_from(ROLES))
        def holds(case: schemathesis.Case, role: str) -> None:
            response = case.call(headers={"Authorization": callers[role].headers["Authorization"]})
            problem = response.json() if "problem" in response.headers.get("content-type", [""])[0] else {}
            assert response.status_code < 500 or problem.get("code") == "no_printer"
            case.validate_response(response, checks=WHAT_HOLDS)

        try:
            holds()
        except AssertionError as error:
            unpromised.append(f"{operation.method.upper()} {operation.path}: {error}")
    assert not unpromised, "\n\n".join(unpromised)


def test_ids_are_text_that_can_be_looked_for(clerk: Caller, admin: Caller) -> None:
    known = clerk.registered()["patient_id"]
    asked: list[tuple[Caller, str, str, dict[str, Any], str]] = [
        (clerk, "POST", "registrations", registration(patient_id="?", patient=None), "patient_id"),
        (clerk, "POST", "registrations", registration(patient=patient(mother_id="?")), "patient.mother_id"),
        (clerk, "POST", "patients/duplicates", {"exclude_id": "?"}, "exclude_id"),
        (clerk, "POST", f"patients/{known}/not-same", {"other": "?"}, "other"),
        (admin, "POST", f"patients/{known}/merge", {"into": "?"}, "into"),
    ]
    for caller, method, path, body, field in asked:
        content = json.dumps(body).replace("?", "\\ud800").encode()
        answer = caller.request(method, path, content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["fields"]) == (422, {field: "control_characters"}), path


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_what_is_empty_is_said_to_be_missing(clerk: Caller, empty: str | None) -> None:
    answer = clerk.register(patient=patient(name=empty), chief_complaint=empty)
    assert answer.json()["fields"] == {"patient.name": "required", "chief_complaint": "required"}


def test_a_card_keeps_what_it_must_have(clerk: Caller) -> None:
    known = clerk.registered()["patient_id"]
    for field in ("name", "sex", "birth_date", "birth_date_estimated"):
        answer = clerk.patch(f"patients/{known}", json={field: None})
        assert (answer.status_code, answer.json()["fields"]) == (422, {field: "required"})


def test_what_shows_nothing_is_left_out_of_a_name_and_joiners_stay(clerk: Caller) -> None:
    receipt = clerk.registered(patient=patient(name="\ufeffSiti\u200b Aminah\u00ad \U000e0041"))
    assert clerk.get(f"patients/{receipt['patient_id']}").json()["name"] == "Siti Aminah"
    for nothing in (
        "\u200b\ufeff",
        "\u3164",
        "\u2063\u2800",
        "\u115f\u1160",
        "\uffa0",
        "\u200d",
        "\ufe0f\U000e0100",
        "\u200d \u200c",
    ):
        answer = clerk.register(patient=patient(name=nothing))
        assert answer.json()["fields"] == {"patient.name": "required"}, ascii(nothing)
    joined = "می\u200cخواهم"
    receipt = clerk.registered(patient=patient(name=joined))
    assert clerk.get(f"patients/{receipt['patient_id']}").json()["name"] == joined


def test_a_body_too_big_is_refused_whether_or_not_it_says_its_length(clerk: Caller) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 20_000

    for content in (b" " * 600_000, pieces()):
        answer = clerk.post("registrations", content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
