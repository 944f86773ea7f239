"""The machine for the admin over HTTP: disks, settings, the server's log, and a restart of the real process."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

import core
from core.foundation import log_files
from core.foundation.clinic import Clinic
from core.foundation.config import HostPort, Settings
from core.foundation.database import connection, database
from core.foundation.errors import DatabaseError, SettingsError
from core.models import AuditEvent
from server import starting
from server.run import Background
from server.text.failures import expected_failure
from tests.people import Caller
from tests.ports import free_port
from tests.processes import ROOT, ServerProcess


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


class OwnProcess:
    """A server in a process of its own that may start again."""

    def __init__(self, home: Path, folder: Path | None = None) -> None:
        """Start it.

        Args:
            home: The data folder.
            folder: That of the program, with its `.env`; None: where the tests run.
        """
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {**os.environ, "LOKET_HOME": str(home), "LOKET_HTTP": f"127.0.0.1:{port}"}
        self.process = self._begun(folder)
        self.wait_ready()

    def _begun(self, folder: Path | None) -> ServerProcess | subprocess.Popen[bytes]:
        words = ("--demo", "--no-door")
        if folder is None:
            return ServerProcess(*words, environment=self.environment)
        command = [sys.executable, "-m", "server", *words]
        return subprocess.Popen(command, env={**self.environment, "PYTHONPATH": str(ROOT)}, cwd=folder)

    def wait_ready(self) -> None:
        while True:
            assert self.process.poll() is None, "the server has ended"
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)


def test_a_restart_begins_the_same_process_again_with_all_that_was_saved(settings: Settings) -> None:
    clinic = OwnProcess(settings.home)
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


CLUSTERS = Path(core.__file__).parent / "data" / "clusters_poli.toml"


def faults_of_a_start() -> Iterator[tuple[str, str, str]]:
    """Yield files that would stop a start: name, content, and words of the refusal."""
    ours = CLUSTERS.read_text("utf-8")
    lines = ours.splitlines()
    wrong = next(number for number, line in enumerate(lines, 1) if line.startswith("prefix"))
    half = "\n".join([*lines[: wrong - 1], 'prefix = "A', *lines[wrong:]])
    yield "clusters.toml", half, f"line {wrong}"
    second = [number for number, line in enumerate(lines, 1) if line.startswith("[[cluster]]")][1]
    lines.insert(second, 'colour = "blue"')
    yield "clusters.toml", "\n".join(lines), f"line {second}"
    yield "words.toml", '[words]\nfever = "demam"\n[rule\n', "line 3"
    yield "words.toml", '# ours\n\n[[rule]]\nnames = "x"\n', "line 3"
    yield "home/forms/ours.toml", 'code = "ours"\ntitle = {id = "A"\n', "line 2"
    yield "roster.toml", '[[session]]\ncluster = "UMUM"\n\n[[session]]\nhours = "8-9"\n', "line 1"
    session = '[[session]]\ncluster = "UMUM"\ndoctor = "1"\nname = "A"\nhours = "08:00-09:00"\nweekdays = ["monday"]\n'
    yield "roster.toml", session + '\n[[session]]\ndoctor = "x"\n', "line 8"
    yield "server.pem", "no certificate", "LOKET_TLS_CERTIFICATE"


SETTING_OF = {
    "clusters.toml": "clusters", "words.toml": "vocabulary", "roster.toml": "roster", "server.pem": "tls_certificate",
}  # fmt: skip


def stopped(settings: Settings, **changes: object) -> str:
    with pytest.raises((SettingsError, DatabaseError)) as refused:
        starting.require_startable(settings.model_copy(update=changes), with_door=False)
    return str(expected_failure(refused.value))


@pytest.mark.parametrize(("name", "text", "said"), faults_of_a_start())
def test_what_would_stop_a_start_is_told_with_file_and_line(
    settings: Settings, name: str, text: str, said: str
) -> None:
    file = settings.home / name.removeprefix("home/")
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_text(text, "utf-8")
    words = stopped(settings, **({SETTING_OF[name]: str(file)} if name in SETTING_OF else {}))
    assert said in words, words
    assert file.name in words, words
    assert not (settings.home / "loket.sqlite3").exists() or settings.home.joinpath("clinic.mark").exists()


def test_a_taken_port_and_another_database_stop_a_start(settings: Settings, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = HostPort(host="127.0.0.1", port=taken.getsockname()[1])
        assert f"LOKET_DISPLAY_HTTP: 127.0.0.1:{address.port}" in stopped(settings, display_http=address)
    assert stopped(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    database.close()
    Clinic.open(settings)
    database.close()
    other = tmp_path / "other.sqlite3"
    assert "other.sqlite3" in stopped(settings, database_url=f"sqlite:///{other}")
    assert not other.exists()


def test_a_restart_is_refused_by_whatever_would_stop_the_start(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "program"
    folder.mkdir()
    running = OwnProcess(settings.home, folder)
    env, file = folder / ".env", folder / "clusters.toml"
    file.write_text(
        CLUSTERS.read_text("utf-8").replace("[[cluster]]", '[[cluster]]\ncolour = "blue"', 1), "utf-8"
    )
    line = file.read_text("utf-8").splitlines().index("[[cluster]]") + 1
    try:
        with Caller(running.url, "admin") as admin:
            before = admin.get("machine").json()["started_at"]
            env.write_text(f"LOKET_CLUSTERS={file}\n")
            answer = admin.post("machine/restart", headers={"Accept-Language": "en"})
            assert (answer.status_code, answer.json()["code"]) == (422, "setting_refused"), answer.text
            assert f"{file}, line {line}" in answer.json()["details"]["words"]
            assert admin.get("machine").json()["started_at"] == before
            env.unlink()
            assert admin.post("machine/restart").status_code == 202
            while True:
                running.wait_ready()
                with suppress(httpx.TransportError):
                    if admin.get("machine").json()["started_at"] != before:
                        break
    finally:
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait() == 0
