"""A real server in a thread, and apps of its demo accounts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from core.config import Settings
from core.identifiers import new_id
from core.identity import check_nik
from server.run import Background
from tests.tui.looking import screen_text
from tui.app import LoketApp, build_app
from tui.client import CoreClient
from tui.session import Session, open_session
from tui.terminal.textual_internals import prepare_process

prepare_process()

PASSWORD = "demo"


class Counter:
    """The clinic's server, and people at it."""

    def __init__(self, server: Background) -> None:
        self.url = server.url
        self.clinic = server.clinic
        self._tokens: dict[str, dict[str, Any]] = {}

    def api(self, username: str = "clerk") -> httpx.Client:
        """Somebody's calls, beside the screens."""
        token = self._token(username)["token"]
        return httpx.Client(
            base_url=self.url + "/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=20
        )

    def _token(self, username: str) -> dict[str, Any]:
        if username not in self._tokens:
            body = {"username": username, "password": PASSWORD}
            answer = httpx.post(f"{self.url}/api/v1/tokens", json=body)
            self._tokens[username] = answer.json()
        return self._tokens[username]

    def register(self, name: str, nik: str, complaint: str, cluster: str) -> dict[str, Any]:
        """Somebody registered at another counter; gives the receipt."""
        check = check_nik(nik, today=self.clinic.today())
        assert check.birth_date is not None
        assert check.sex is not None
        body = {
            "id": new_id(),
            "patient": {
                "name": name,
                "nik": nik,
                "sex": check.sex.value,
                "birth_date": check.birth_date.isoformat(),
            },
            "chief_complaint": complaint,
            "cluster": cluster,
            "duplicate_decision": "new",
        }
        with self.api() as api:
            answer = api.post("registrations", json=body)
        assert answer.status_code == 201, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt

    def open_numbers(self, cluster: str) -> list[str]:
        """Numbers in a cluster's queue, by the API."""
        with self.api() as api:
            entries = api.get(f"queues/{cluster}").json()["entries"]
        return [entry["number"] for entry in entries if entry["ended_at"] is None]

    async def session(self, username: str, language: str = "en") -> Session:
        client = CoreClient(self.url, self._token(username)["token"], language=language)
        return await open_session(client, await client.me(), language=language, owns_client=True)

    @asynccontextmanager
    async def at(
        self, username: str, size: tuple[int, int] = (80, 24), language: str = "en"
    ) -> AsyncIterator[tuple[LoketApp, Pilot[None]]]:
        """Somebody at a terminal, signed in."""
        app = build_app(await self.session(username, language))
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            yield app, pilot


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until workers and screens have come to rest."""
    for _ in range(3):
        # An exclusive worker that a newer one replaced ends cancelled; the newer one is waited for next.
        with contextlib.suppress(WorkerCancelled):
            await pilot.app.workers.wait_for_complete()
        await pilot.pause()


async def until(pilot: Pilot[Any], condition: Callable[[], Any], what: str = "") -> None:
    """Wait until something has become true without a key."""
    try:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.02)
                await pilot.pause()
    except TimeoutError:
        raise AssertionError(f"never happened: {what}; the screen shows\n{screen_text(pilot.app)}") from None


async def type_text(pilot: Pilot[Any], text: str) -> None:
    """Type characters into whatever has the focus."""
    names = {" ": "space", "-": "minus", ".": "full_stop", ",": "comma", "/": "slash", "'": "apostrophe"}
    await pilot.press(*(names.get(character, character) for character in text))


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys one by one, each after the one before has had its effect."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """A demo clinic, one for a module: its tests use different people."""
    home: Path = tmp_path_factory.mktemp("clinic")
    with Background(Settings(home=home)) as server:
        yield Counter(server)
