"""A real server in a thread, and apps of its demo accounts."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import textual.app
import textual.pilot
from textual.app import App
from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from core.foundation.config import Settings
from core.foundation.identifiers import new_id
from core.patients.national_ids import check_nik
from server.run import Background
from tests.tui.looking import screen_text
from tui import change_stream
from tui.app import LoketApp, build_app
from tui.client.core_client import CoreClient
from tui.screens import administration, board, doctor, stray_keys
from tui.screens.patients import mother, person_form
from tui.screens.record import search_dialog
from tui.screens.registration import search
from tui.session import Session, open_session
from tui.terminal.textual_internals import prepare_process

prepare_process()

PASSWORD = "demo"
IDLE_TURNS = 3
"""Turns of the event loop in a row with nobody else ready; each looks at the sockets too."""
PATIENCE_SECONDS = 60.0
"""How long is waited for what must come; nothing is asserted about speed."""
PANES_SECONDS = 5.0
"""Longest wait for the panes of a screen that has just opened."""
PAUSE_SECONDS = 0.05  # longer than the time between two keys that a test types
SOON_SECONDS = 0.4
"""Longest wait for a next key; longer timers look again at what goes on elsewhere."""


class Counter:
    """The clinic's server, and people at it."""

    def __init__(self, server: Background) -> None:
        self.url = server.url
        self.clinic = server.clinic
        self._tokens: dict[str, str] = {}

    def api(self, username: str = "clerk") -> httpx.Client:
        """Somebody's calls, beside the screens: their sign-in outlives those of the screens."""
        if username not in self._tokens:
            self._tokens[username] = self._sign_in(username)
        headers = {"Authorization": f"Bearer {self._tokens[username]}"}
        return httpx.Client(base_url=self.url + "/api/v1/", headers=headers, timeout=20)

    def _sign_in(self, username: str) -> str:
        body = {"username": username, "password": PASSWORD}
        answer = httpx.post(f"{self.url}/api/v1/tokens", json=body, timeout=20)
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["token"]
        return token

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
        """Somebody signed in anew: a screen may end its sign-in, or get another when it is unlocked."""
        client = CoreClient(self.url, self._sign_in(username), language=language)
        return await open_session(client, await client.accounts.me(), language=language, owns_client=True)

    @asynccontextmanager
    async def at(
        self, username: str, size: tuple[int, int] = (80, 24), language: str = "en"
    ) -> AsyncIterator[tuple[LoketApp, Pilot[None]]]:
        """Somebody at a terminal, signed in."""
        app = build_app(await self.session(username, language))
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            yield app, pilot


async def nothing_left_to_do(*_: float) -> None:
    """Give the event loop turns until nobody in it could go on without waiting for a timer or an answer.

    Textual's own `wait_for_idle` watches the processor's time in steps of 20 ms, twice a key: with a server in
    the same process, or on a loaded machine, it waits up to a second and even then knows nothing. For handlers
    that wait for an answer its pilot waits afterwards.
    """
    loop = asyncio.get_running_loop()
    idle_turns = 0
    while idle_turns < IDLE_TURNS:
        await asyncio.sleep(0)
        idle_turns = 0 if loop._ready else idle_turns + 1  # type: ignore[attr-defined]


@pytest.fixture(scope="session", autouse=True)
def keys_without_pauses() -> Iterator[None]:
    """Let a pressed key wait for its effects instead of for a quiet processor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(textual.app, "wait_for_idle", nothing_left_to_do)
        patch.setattr(textual.pilot, "wait_for_idle", nothing_left_to_do)
        yield


def about_to_act(app: App[Any]) -> bool:
    """Whether something waits a moment for the next key, such as a search while its words are typed."""
    pumps = [app, *app.screen_stack, *app.screen.walk_children()]
    timers = [timer for pump in pumps for timer in pump._timers]
    return any(
        timer._repeat == 0
        and timer._interval <= SOON_SECONDS
        and not (timer._task is None or timer._task.done())
        for timer in timers
    )


def awaits_panes(app: App[Any]) -> bool:
    """Whether a screen follows the queues and has yet to read one of them for the first time."""
    session = getattr(app, "session", None)
    if session is None or app not in session.hub._following or not session.hub._panes:
        return False
    return not session.panes <= set(session.hub.queues)


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until workers and screens have come to rest."""
    with contextlib.suppress(TimeoutError):  # where the server is gone no pane comes
        async with asyncio.timeout(PANES_SECONDS):
            while awaits_panes(pilot.app):  # noqa: ASYNC110 - the feed has no event for it
                await asyncio.sleep(0.005)
    while about_to_act(pilot.app):  # noqa: ASYNC110 - a timer of Textual has no event
        await asyncio.sleep(0.005)
    for _ in range(10):
        # An exclusive worker that a newer one replaced ends cancelled; the newer one is waited for next.
        with contextlib.suppress(WorkerCancelled):
            await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        # What a worker's result led to may have started another one.
        if all(worker.is_finished for worker in pilot.app.workers):
            return


async def until(pilot: Pilot[Any], condition: Callable[[], Any], what: str = "") -> None:
    """Wait until something has become true without a key."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
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


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test presses keys faster than any hand: each counts as pressed after the second of quiet.

    `test_stray_keys.py` tests that second.
    """
    monkeypatch.setattr(stray_keys, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(stray_keys, "TYPING_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the core be asked, and a busy pane be read, after a shorter pause than a person makes between two words.

    Each key of these tests is followed by whatever it leads to, so most of their time went into such pauses.
    """
    for module in (mother, person_form, search, search_dialog):
        monkeypatch.setattr(module, "DEBOUNCE_SECONDS", PAUSE_SECONDS)
    for module in (administration, doctor):
        monkeypatch.setattr(module, "FOLLOW_SECONDS", PAUSE_SECONDS)
    monkeypatch.setattr(board, "PAUSE_SECONDS", PAUSE_SECONDS)
    monkeypatch.setattr(change_stream, "COALESCE_SECONDS", PAUSE_SECONDS)


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Iterator[Counter]:
    """A demo clinic, one for a module: its tests use different people."""
    home = tmp_path_factory.mktemp("clinic") / "home"
    shutil.copytree(demo_home, home)
    with Background(Settings(home=home)) as server:
        yield Counter(server)


@pytest.fixture
def no_parked_forms(counter: Counter) -> None:
    """No form that an earlier test left unfinished."""
    with counter.api() as api:
        for draft in api.get("drafts", params={"kind": "registration"}).json():
            api.delete(f"drafts/{draft['key']}").raise_for_status()
