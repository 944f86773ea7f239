"""Characters that no file may hold are refused wherever text comes in, and nothing fails over them."""

from __future__ import annotations

import io

import httpx
import openpyxl
import pytest

from core.schemas.base import clean_line
from server.run import Background
from tests.people import Caller, patient, release_file

UNSAFE = ("\ufffe", "\uffff", "\U0001fffe", "\u0378", "\x1b", "\x9b", "\u202e", "\ue000")


@pytest.mark.parametrize("character", UNSAFE)
def test_a_name_with_an_unsafe_character_is_refused(clerk: Caller, character: str) -> None:
    refused = clerk.register(patient=patient(name=f"N a{character}b"))
    assert refused.status_code == 422
    assert refused.json()["fields"] == {"patient.name": "control_characters"}


def test_letters_of_all_scripts_are_welcome() -> None:
    assert clean_line("Nguyễn 王小明 محمد") == "Nguyễn 王小明 محمد"


def test_the_days_register_opens_after_a_try_to_spoil_it(
    server: Background, clerk: Caller, admin: Caller
) -> None:
    with Caller(server.url, "supervisor") as supervisor:
        release_file(admin, supervisor)
    clerk.register(patient=patient(name="N a\ufffeb"))
    clerk.registered()
    answer = admin.get("reports/daily-register", params={"format": "xlsx"})
    assert answer.status_code == 200, answer.text
    assert openpyxl.load_workbook(io.BytesIO(answer.content)).active is not None


def test_drafts_of_one_account_are_bounded(clerk: Caller) -> None:
    small = [clerk.put(f"drafts/d{number}", json={"data": {"a": "b"}}).status_code for number in range(60)]
    assert small.count(204) == 50
    assert set(small[50:]) == {422}
    assert clerk.put("drafts/d1", json={"data": {"a": "c"}}).status_code == 204  # one that is kept may change
    assert clerk.get("drafts/d1").json()["data"] == {"a": "c"}


def test_large_drafts_of_one_account_are_bounded(clerk: Caller) -> None:
    text = "x" * 60_000
    taken = [clerk.put(f"drafts/d{number}", json={"data": {"a": text}}).status_code for number in range(25)]
    assert 10 <= taken.count(204) <= 18


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"keluhan": "\\ud800"}', b'{"keluhan": "a\\u001bb"}', b"\xff"]
)
def test_mobile_jkn_answers_any_text(server: Background, body: bytes) -> None:
    answer = httpx.post(f"{server.url}/antrean", content=body, timeout=30)
    assert answer.status_code < 500
