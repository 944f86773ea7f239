"""The machine for the admin over HTTP: disks, settings, the server's log, and a restart of the real process."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.foundation import log_files
from core.foundation.config import Settings
from core.foundation.database import connection
from core.models import AuditEvent
from server.run import Background
from tests.people import Caller
from tests.ports import free_port
from tests.processes import ServerProcess


@pytest.fixture
def server(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Background]:
    """A clinic whose `.env` is a file of this test's own."""
    folder = tmp_path / "program"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with Background(settings) as running:
        yield running


@pytest.fixture
def admin(server: Background) -> Iterator[Caller]:
    with Caller(server.url, "admin") as caller:
        yield caller


def test_a_setting_is_changed_written_down_and_waits_for_the_start(admin: Caller, tmp_path: Path) -> None:
    changed = admin.put("settings/LOKET_TIMEZONE", json={"value": "Asia/Jayapura"})
    assert changed.status_code == 200, changed.text
    now = changed.json()
    assert (now["running"], now["value"], now["waits"]) == ("Asia/Makassar", "Asia/Jayapura", True)
    file = tmp_path / "program" / ".env"
    assert file.read_text() == "LOKET_TIMEZONE=Asia/Jayapura\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "LOKET_TIMEZONE" in admin.get("machine").json()["waiting"]
    with connection():
        row = AuditEvent.select().where(AuditEvent.action == "setting_changed").get()
    assert row.target == "LOKET_TIMEZONE"
    assert (row.detail["before"], row.detail["after"]) == ("Asia/Makassar", "Asia/Jayapura")


@pytest.mark.parametrize(("language", "said"), [("id", "harus zona waktu"), ("en", "must be a time zone")])
def test_a_wrong_value_is_refused_in_words_and_nothing_is_written(
    admin: Caller, tmp_path: Path, language: str, said: str
) -> None:
    answer = admin.put(
        "settings/LOKET_TIMEZONE", json={"value": "Mars"}, headers={"Accept-Language": language}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "setting_refused")
    assert said in answer.json()["details"]["words"]
    assert not (tmp_path / "program" / ".env").exists()
    with connection():
        assert not AuditEvent.select().where(AuditEvent.action == "setting_changed").exists()


def test_where_records_go_is_not_changed_by_a_sign_in(admin: Caller, tmp_path: Path) -> None:
    for name in ("LOKET_OFFICE_URL", "LOKET_BACKUP_COMMAND", "LOKET_HOME", "LOKET_OFFICE_TOKEN"):
        assert admin.put(f"settings/{name}", json={"value": "https://evil.example"}).status_code == 422
    assert admin.put("settings/LOKET_NOTHING", json={"value": "1"}).status_code == 404
    assert not (tmp_path / "program" / ".env").exists()


def test_no_secret_leaves_the_server(admin: Caller, tmp_path: Path) -> None:
    (tmp_path / "program" / ".env").write_text("LOKET_OFFICE_TOKEN=sangat-rahasia\n")
    answer = admin.get("settings")
    assert answer.status_code == 200
    assert "sangat-rahasia" not in answer.text
    token = next(s for s in answer.json()["settings"] if s["variable"] == "LOKET_OFFICE_TOKEN")
    assert token["is_set"]
    assert token["is_hidden"]


def test_the_demo_leaves_a_clinics_settings_alone(admin: Caller, tmp_path: Path) -> None:
    before = "LOKET_FACILITY_CODE=P6371010102\n"
    (tmp_path / "program" / ".env").write_text(before)
    answer = admin.put("settings/LOKET_CLOSE_AT", json={"value": "14:00"})
    assert answer.json()["code"] == "setting_refused"
    assert (tmp_path / "program" / ".env").read_text() == before


def test_the_room_of_each_folder_is_told(
    admin: Caller, server: Background, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = str(tmp_path / "away")
    settings = server.clinic.settings.model_copy(update={"backup_second": away, "journal_dir": str(tmp_path)})
    monkeypatch.setitem(server.clinic.__dict__, "settings", settings)
    places = {place["use"]: place for place in admin.get("machine").json()["places"]}
    assert places["data"]["free_bytes"] > 0
    assert places["journal_dir"]["total_bytes"] > 0
    assert not places["backup_second"]["is_there"]


def test_a_folder_that_hangs_holds_nobody_up(admin: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.foundation.journal.patience.PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: time.sleep(5))
    place = admin.get("machine").json()["places"][0]
    assert not place["answers"]
    assert place["free_bytes"] is None


def test_the_log_is_read_by_gravity_and_letters(admin: Caller, settings: Settings) -> None:
    (settings.home / log_files.FILE).write_text(
        "2026-01-31 08:00:00,000 INFO server.run core on http://127.0.0.1:8460\n"
        "2026-01-31 08:01:00,000 ERROR server.problems GET /x failed: ValueError\n"
        "  builtins.ValueError at server/x.py:1 f\n"
        "2026-01-31 08:02:00,000 WARNING core.journal the place \x1b[2Jis away\n"
    )

    def lines(**asked: str) -> list[str]:
        answer = admin.get("log", params=asked)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["lines"])

    assert len(lines()) == 4
    assert [line.split()[-1] for line in lines(level="ERROR")] == ["ValueError", "f"]
    assert len(lines(level="WARNING")) == 3
    assert len(lines(text="PLACE")) == 1
    assert "\x1b" not in "".join(lines())
    assert len(lines(limit="1")) == 1


def test_a_server_in_a_thread_says_that_nobody_would_start_it_again(admin: Caller) -> None:
    assert not admin.get("machine").json()["can_restart"]
    assert admin.post("machine/restart").json()["code"] == "restart_not_possible"


def test_the_log_is_kept_in_the_data_folder_and_does_not_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_files, "MOST_BYTES", 2000)
    root = logging.getLogger()
    before = root.handlers[:]
    log_files.keep(tmp_path)
    log_files.keep(tmp_path)
    try:
        added = [handler for handler in root.handlers if handler not in before]
        assert len(added) == 1
        for number in range(100):
            root.warning("line %s", number)
        added[0].close()
    finally:
        for handler in added:
            root.removeHandler(handler)
    files = sorted(file.name for file in tmp_path.iterdir())
    assert files == [log_files.FILE, f"{log_files.FILE}.1"]
    assert all(file.stat().st_size < 3000 for file in tmp_path.iterdir())
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in tmp_path.iterdir())
    assert log_files.newest_lines(tmp_path, 2)[-1].endswith("line 99")


class Clinic:
    """A server in a process of its own that may start again."""

    def __init__(self, home: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {**os.environ, "LOKET_HOME": str(home), "LOKET_HTTP": f"127.0.0.1:{port}"}
        self.process = ServerProcess("--demo", "--no-door", environment=self.environment)
        self.wait_ready()

    def wait_ready(self) -> None:
        while True:
            assert self.process.poll() is None, "the server has ended"
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)


def test_a_restart_begins_the_same_process_again_with_all_that_was_saved(settings: Settings) -> None:
    clinic = Clinic(settings.home)
    try:
        with Caller(clinic.url, "admin") as admin, Caller(clinic.url, "clerk") as clerk:
            before = admin.get("machine").json()
            assert before["can_restart"]
            receipt = clerk.registered()
            asked = admin.post("machine/restart")
            assert asked.status_code == 202, asked.text
            until = time.monotonic() + 120
            while True:
                assert time.monotonic() < until, "the server does not come back"
                clinic.wait_ready()
                try:
                    now = admin.get("machine").json()
                except httpx.TransportError:
                    continue
                if now["started_at"] != before["started_at"]:
                    break
            entries = clerk.get("queues/GIGI").json()["entries"]
            assert [entry["number"] for entry in entries] == [receipt["ticket"]["number"]]
            lines = admin.get("log").json()["lines"]
            assert any("the server begins again" in line for line in lines)
    finally:
        clinic.process.send_signal(signal.SIGTERM)
        assert clinic.process.wait() == 0
