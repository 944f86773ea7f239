"""Accounts by keys: added, changed, barred and let in again, with passwords, keys and sign-ins; each in the audit log."""

from __future__ import annotations

import asyncssh
import httpx
from textual.pilot import Pilot

from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import said, screen_of, screen_text
from tui.app import LoketApp
from tui.screens.accounts.accounts import AccountsScreen
from tui.screens.accounts.keys import KeysScreen
from tui.screens.accounts.sessions import SessionsScreen

NAME, FIRST, SECOND = "bidan-dua", "kuda baterai lampu", "gerbong hijau sepeda"
DONE = (
    "account_created", "account_edited", "password_set", "key_added", "key_removed", "session_ended",
    "sessions_ended", "account_disabled", "account_enabled",
)  # fmt: skip
"""Actions of this test, in their order."""


def signs_in(counter: Counter, password: str) -> int:
    body = {"username": NAME, "password": password}
    return httpx.post(f"{counter.url}/api/v1/tokens", json=body).status_code


async def chooses(app: LoketApp, pilot: Pilot[None]) -> None:
    accounts = screen_of(app, AccountsScreen)
    for _ in accounts._items:
        if accounts._list.chosen == NAME:
            return
        await press(pilot, "down")
    raise AssertionError(f"{NAME} is not in the list")


async def adds(app: LoketApp, pilot: Pilot[None]) -> None:
    await press(pilot, "a")
    await type_text(pilot, NAME)
    await press(pilot, "enter")
    await type_text(pilot, "Bidan Dua")
    await press(pilot, "enter", "3", "enter")
    await type_text(pilot, "KIA")
    await press(pilot, "enter")
    await type_text(pilot, FIRST)
    await press(pilot, "f10")
    await until(pilot, lambda: said(app) == "Bidan Dua is saved.", "the account")


async def test_every_task_of_accounts_goes_by_keys(counter: Counter) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    async with counter.at("admin") as (app, pilot):
        await press(pilot, "a")
        await until(pilot, lambda: "supervisor" in screen_text(app), "the accounts")
        await adds(app, pilot)
        await until(pilot, lambda: NAME in screen_text(app), "the new row")
        await chooses(app, pilot)
        assert "new password" in screen_text(app), "it has to choose a password"

        await press(pilot, "e", "enter", "enter")
        await type_text(pilot, ",UMUM")
        await press(pilot, "f10")
        await until(pilot, lambda: "KIA,UMUM" in screen_text(app), "the clusters")

        await chooses(app, pilot)
        await press(pilot, "p")
        await type_text(pilot, SECOND)
        await press(pilot, "enter")
        await until(pilot, lambda: said(app).startswith("Bidan Dua signs in with it"), "the password")
        assert (signs_in(counter, FIRST), signs_in(counter, SECOND)) == (401, 201)

        await press(pilot, "k")
        screen_of(app, KeysScreen)
        await press(pilot, "a")
        await type_text(pilot, f"{key} laptop")
        await press(pilot, "enter")
        await until(pilot, lambda: "SHA256:" in screen_text(app), "the key")
        assert "laptop" in screen_text(app)
        await press(pilot, "x")
        await until(pilot, lambda: "SHA256:" not in screen_text(app), "no key")
        await press(pilot, "escape")

        assert signs_in(counter, SECOND) == 201
        await press(pilot, "s")
        await until(pilot, lambda: "127.0.0.1" in screen_text(app), "the sign-ins")
        screen_of(app, SessionsScreen)
        await press(pilot, "x")
        await until(pilot, lambda: screen_text(app).count("127.0.0.1") == 1, "one less")
        await press(pilot, "z")
        await until(pilot, lambda: "127.0.0.1" not in screen_text(app), "none")
        await press(pilot, "escape")

        await press(pilot, "d")
        await until(pilot, lambda: "BARRED" in row_of(app), "it is barred")
        assert signs_in(counter, SECOND) == 401
        await press(pilot, "d")
        await until(pilot, lambda: "BARRED" not in row_of(app), "it is let in")
        assert signs_in(counter, SECOND) == 201
        await settle(pilot)
    with counter.api("supervisor") as supervisor:
        rows = supervisor.get("audit", params={"account": "admin", "log": "changes", "limit": 1000}).json()
        watched = supervisor.get("audit", params={"watched": True, "limit": 1000}).json()
    assert [row["action"] for row in reversed(rows) if row["action"] in DONE] == list(DONE)
    named = [row for row in watched if row["detail"].get("username") == NAME]
    assert {row["action"] for row in named} >= {
        "account_created",
        "account_edited",
        "password_set",
        "key_added",
    }


def row_of(app: LoketApp) -> str:
    return next(line for line in screen_text(app).splitlines() if NAME in line)
