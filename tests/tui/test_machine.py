"""The machine by the admin's keys: settings, the log, the room on the disks, and a restart under a half-typed form."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.foundation import log_files
from core.foundation.config import Settings
from tests.people import Caller
from tests.ports import free_port
from tests.processes import ServerProcess
from tests.tui.conftest import PASSWORD, Counter, press, settle, type_text, until
from tests.tui.half_typed import half_typed, save
from tests.tui.looking import said, save_picture, screen_of, screen_text
from tui.app import build_app
from tui.client.core_client import CoreClient
from tui.screens.machine.machine_state import MachineScreen
from tui.screens.machine.server_log import ServerLogScreen
from tui.screens.machine.settings import SettingsScreen
from tui.session import open_session

SIZES = [((80, 24), "en"), ((80, 24), "id"), ((120, 40), "en")]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder from which the server reads `.env`."""
    folder = tmp_path / "program"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(("size", "language"), SIZES)
async def test_the_room_on_the_disks_is_shown(
    counter: Counter, tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    async with counter.at("admin", size, language) as (app, pilot):
        assert ("M=Machine" if language == "en" else "M=Mesin") in screen_text(app)
        await press(pilot, "m")
        screen_of(app, MachineScreen)
        shown = screen_text(app)
        assert str(counter.clinic.settings.home)[:20] in shown
        assert ("free of" if language == "en" else "kosong dari") in shown
        save_picture(app, tmp_path / "machine.png")


@pytest.mark.parametrize(("size", "language"), SIZES)
async def test_the_time_zone_is_changed_by_keys(
    counter: Counter, own_folder: Path, tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    async with counter.at("admin", size, language) as (app, pilot):
        await press(pilot, "m", "s")
        screen_of(app, SettingsScreen)
        first = next(line for line in screen_text(app).splitlines() if "Asia/Makassar" in line)
        assert ">" in first
        assert ("default" if language == "en" else "bawaan") in first
        await press(pilot, "enter")
        await type_text(pilot, "Mars/Olympus")
        await press(pilot, "enter")
        assert ("must be a time zone" if language == "en" else "harus zona waktu") in said(app)
        assert not (own_folder / ".env").exists(), "a wrong value is not written"
        await press(pilot, "enter")
        await type_text(pilot, "Asia/Jayapura")
        await press(pilot, "enter")
        assert ("next start" if language == "en" else "mulai berikutnya") in said(app)
        assert (own_folder / ".env").read_text() == "LOKET_TIMEZONE=Asia/Jayapura\n"
        changed = next(line for line in screen_text(app).splitlines() if "Asia/Jayapura" in line)
        assert ".env" in changed
        assert "Asia/Makassar" in changed, "what runs until then is told too"
        save_picture(app, tmp_path / "settings.png")
        await press(pilot, "escape")
        assert "LOKET_TIMEZONE" in screen_text(app), "the machine's screen says that it waits"


async def test_what_is_the_machines_says_so_and_asks_nothing(counter: Counter, own_folder: Path) -> None:
    (own_folder / ".env").write_text("LOKET_OFFICE_TOKEN=sangat-rahasia\n")
    async with counter.at("admin", (120, 40)) as (app, pilot):
        await press(pilot, "m", "s", "end")
        shown = screen_text(app)
        await press(pilot, "enter")
        assert "is changed on the machine" in said(app)
        for _ in range(4):
            await press(pilot, "pageup")
            shown += screen_text(app)
        assert "LOKET_OFFICE_TOKEN" in shown
        assert "(hidden)" in shown
        assert "sangat-rahasia" not in shown


async def test_an_env_that_is_wrong_by_hand_is_told_before_a_restart(
    counter: Counter, own_folder: Path
) -> None:
    (own_folder / ".env").write_text("LOKET_CLOSE_AT=25:61\n")
    async with counter.at("admin") as (app, pilot):
        await press(pilot, "m")
        assert "would not start" in screen_text(app)
        assert "LOKET_CLOSE_AT" in screen_text(app)
        await press(pilot, "s")
        assert "LOKET_CLOSE_AT" in said(app)


@pytest.mark.parametrize(("size", "language"), SIZES)
async def test_the_log_is_read_and_narrowed_by_keys(
    counter: Counter, tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    (counter.clinic.settings.home / log_files.FILE).write_text(
        "2026-01-31 08:00:00,000 INFO server.run core on http://127.0.0.1:8460\n"
        "2026-01-31 08:01:00,000 ERROR server.problems GET /x failed\n"
        "2026-01-31 08:02:00,000 WARNING core.foundation.journal the place is away\n"
    )
    async with counter.at("admin", size, language) as (app, pilot):
        await press(pilot, "m", "l")
        screen_of(app, ServerLogScreen)
        assert "core on http" in screen_text(app)
        save_picture(app, tmp_path / "log.png")
        await press(pilot, "w")
        assert "core on http" not in screen_text(app)
        assert "place is away" in screen_text(app)
        await press(pilot, "w")
        assert "place is away" not in screen_text(app)
        await press(pilot, "w", "t")
        await type_text(pilot, "PLACE")
        await press(pilot, "enter")
        assert "place is away" in screen_text(app)
        assert "GET /x" not in screen_text(app)


async def test_where_nothing_would_start_it_again_the_key_says_so(counter: Counter) -> None:
    async with counter.at("admin") as (app, pilot):
        await press(pilot, "m", "x")
        assert "nothing would start it again" in said(app)


@pytest.fixture
def clinic(settings: Settings) -> Iterator[str]:
    """A clinic's server in a process of its own; gives its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "LOKET_HOME": str(settings.home), "LOKET_HTTP": f"127.0.0.1:{port}"}
    process = ServerProcess("--demo", "--no-door", environment=environment)
    while True:
        assert process.poll() is None, "the server did not start"
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.05)
    yield url
    process.send_signal(signal.SIGTERM)
    process.wait()


def token_of(url: str, username: str) -> str:
    body = {"username": username, "password": PASSWORD}
    return str(httpx.post(f"{url}/api/v1/tokens", json=body, timeout=60).json()["token"])


async def test_the_server_is_restarted_by_a_key_and_a_half_typed_form_is_saved_after_it(
    clinic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.machine.machine_state.LOOK_SECONDS", 0.2)
    clerk = CoreClient(clinic, token_of(clinic, "clerk"), language="en")
    async with half_typed(clerk) as (form, form_pilot):
        client = CoreClient(clinic, token_of(clinic, "admin"), language="en")
        session = await open_session(client, await client.accounts.me(), language="en", owns_client=True)
        app = build_app(session)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            await press(pilot, "m", "x")
            assert "Restart the server?" in screen_text(app)
            await press(pilot, "escape")
            assert "starts again" not in said(app)
            await press(pilot, "x")
            await pilot.press("enter")
            await until(pilot, lambda: "has started again" in said(app), "the restart")
        await save(form, form_pilot, "B-001")
    with Caller(clinic, "clerk") as caller:
        assert [entry["number"] for entry in caller.get("queues/GIGI").json()["entries"]] == ["B-001"]
