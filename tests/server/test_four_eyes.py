"""Two people means two people: not one of them with an account that they made, or took over, for the purpose."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import httpx
import pytest

from core.accounts import service as accounts
from core.foundation.codes import Role
from core.foundation.config import Settings
from server.run import Background
from tests.people import Caller

KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()


@dataclass
class Reasons:
    """What is asked for with words, and by whom."""

    people: dict[str, Caller]
    asked: list[tuple[str, str, dict[str, Any]]]


@pytest.fixture(scope="module")
def reasons(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reasons]:
    home = tmp_path_factory.mktemp("reasons") / "home"
    shutil.copytree(demo_home, home)
    with Background(Settings(home=home)) as server, ExitStack() as stack:
        people = {
            name: stack.enter_context(Caller(server.url, name))
            for name in ("clerk", "dentist", "supervisor", "admin")
        }
        visit = people["clerk"].registered()["visit_id"]
        yield Reasons(people, [
            ("admin", "rights/changes", REQUEST),
            ("admin", "reports/daily-register/requests", {}),
            ("dentist", f"visits/{visit}/release-requests", {}),
            ("supervisor", f"visits/{visit}/release", {}),
        ])  # fmt: skip


REQUEST = {"role": "pharmacist", "permission": "read_notes", "granted": True, "reason": "uji coba saja"}
NEW_HEAD = {
    "username": "kepala2",
    "name": "Kepala Dua",
    "role": "supervisor",
    "password": "kuda laut terbang",
}


@pytest.mark.parametrize("way", ["made", "made a head", "password", "key", "after the head was disabled"])
def test_nobody_approves_their_own_request_by_an_account_that_they_took_in_hand(
    server: Background, admin: Caller, way: str
) -> None:
    name, password = "kepala2", "kuda laut terbang"
    if way in {"password", "key"}:
        name, password = "supervisor", "demo"
    ways: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
        "made": [("POST", "accounts", NEW_HEAD)],
        "made a head": [
            ("POST", "accounts", {**NEW_HEAD, "role": "clerk"}),
            ("PATCH", "accounts/kepala2", {"role": "supervisor"}),
        ],
        "password": [("POST", "accounts/supervisor/password", {"password": "gajah naik sepeda"})],
        "key": [("POST", "accounts/supervisor/keys", {"public_key": KEY, "label": "meja"})],
        "after the head was disabled": [
            ("POST", "accounts/supervisor/disable", {}), ("POST", "accounts", NEW_HEAD),
        ],
    }  # fmt: skip
    if way == "password":
        password = "gajah naik sepeda"
    for method, path, body in ways[way]:
        assert admin.request(method, path, json=body).is_success
    asked = admin.post("rights/changes", json=REQUEST).json()
    file = admin.post("reports/daily-register/requests", json={"reason": "untuk dinas kesehatan"}).json()
    with Caller(server.url, name, password) as head:
        if way != "key":
            own = {"old_password": password, "new_password": "burung hantu malam"}
            assert head.post("account/password", json=own).is_success
        for path in (f"rights/changes/{asked['id']}/approve", f"approvals/{file['id']}/approve"):
            assert _code_of(head.post(path)) == (403, "approver_of_today")


def test_nobody_takes_the_accounts_of_the_system_and_of_doors_in_hand(
    server: Background, admin: Caller
) -> None:
    accounts.system_actor()
    for name in ("system", "door"):
        for method, path, body in (
            ("POST", "keys", {"public_key": KEY, "label": "meja"}),
            ("POST", "password", {"password": "gajah naik sepeda"}),
            ("POST", "enable", {}),
        ):
            answer = admin.request(method, f"accounts/{name}/{path}", json=body)
            assert (answer.status_code, answer.json()["fields"]) == (422, {"account": "not_a_choice"}), (
                name,
                path,
            )
    for change in ({"role": "clerk"}, {"name": "Orang"}, {"clusters": ["UMUM"]}):
        assert admin.patch("accounts/system", json=change).json()["fields"] == {"account": "not_a_choice"}


@pytest.mark.parametrize("reason", ["", ".......", "aaaaaaa", "ya ya ya", "12345678"])
def test_words_that_say_nothing_ask_for_nothing(reasons: Reasons, reason: str) -> None:
    for who, path, body in reasons.asked:
        answer = reasons.people[who].post(path, json={**body, "reason": reason})
        assert answer.json()["fields"] == {"reason": "required"}, path


def test_a_new_clinics_first_head_approves_at_once(tmp_path: Path) -> None:
    with Background(Settings(home=tmp_path / "new"), demo=False) as server:
        accounts.create_account("budi", "Budi", Role.ADMIN, "panjang sekali 1")
        with Caller(server.url, "budi", "panjang sekali 1") as budi:
            assert budi.post("accounts", json=NEW_HEAD).is_success
            asked = budi.post("rights/changes", json=REQUEST).json()
            with Caller(server.url, "kepala2", NEW_HEAD["password"]) as head:
                own = {"old_password": NEW_HEAD["password"], "new_password": "burung hantu malam"}
                assert head.post("account/password", json=own).is_success
                assert head.post(f"rights/changes/{asked['id']}/approve").is_success


def _code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["code"])
