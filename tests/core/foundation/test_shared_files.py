"""Servers of one PostgreSQL come to the same keys, forms and routing model, and whichever closes the day can."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.daily import backup, closing
from core.foundation import audit, audit_check, jobs, shared_files, signatures
from core.foundation.clinic import Clinic
from core.foundation.codes import RunStatus
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.errors import SettingsError
from tests.postgres import new_database

FORM = "forms/gizi.toml"


@pytest.fixture
def url(postgres: str) -> str:
    return new_database(postgres)


class Servers:
    """Two servers of one database, each with a data folder of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        shared = folder / "shared"
        shared.mkdir()
        self.first, self.second = (
            Settings(home=folder / name, database_url=url, shared=str(shared)) for name in ("first", "second")
        )

    def hand_over_the_key(self) -> None:
        self.second.home.mkdir(exist_ok=True)
        shutil.copy(self.first.home / shared_files.KEY_FILE, self.second.home)

    def exchange(self) -> None:
        """Let both exchange, the first one once more."""
        for settings in (self.first, self.second, self.first):
            shared_files.exchange_unopened(settings)


@pytest.fixture
def servers(url: str, tmp_path: Path) -> Iterator[Servers]:
    """The first one has opened its clinic and made its keys; the second one was given the servers' key."""
    made = Servers(url, tmp_path)
    clinic = Clinic.open(made.first)
    backup.create_recovery_key(made.first.home)
    clinic.share_files()
    made.hand_over_the_key()
    yield made
    database.close()


def content(settings: Settings, name: str) -> str | None:
    file = settings.home / name
    return file.read_text() if file.exists() else None


def put(settings: Settings, name: str, words: str) -> None:
    file = settings.home / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(words)


def test_a_server_without_the_servers_key_is_refused(servers: Servers) -> None:
    (servers.second.home / shared_files.KEY_FILE).unlink()
    with pytest.raises(SettingsError, match=r"Copy servers\.key"):
        Clinic.open(servers.second)
    assert not (servers.second.home / "audit.key").exists(), "and has made no key of its own"


def test_the_database_alone_tells_no_key(servers: Servers) -> None:
    secret = content(servers.first, "audit.key")
    assert secret is not None
    with connection():
        rows = database.execute_sql("SELECT value FROM state").fetchall()
    assert any("audit.key" in value for (value,) in rows)
    assert not any(secret.strip() in value for (value,) in rows)


def test_the_second_server_has_the_keys_and_the_chain_stays_whole(servers: Servers) -> None:
    Clinic.open(servers.second)
    for name in ("audit.key", "recovery.pub", "backup-signer.key"):
        assert content(servers.first, name) == content(servers.second, name), name
        assert (servers.second.home / name).stat().st_mode & 0o077 == 0
    for settings in (servers.second, servers.first, servers.second):
        Clinic.open(settings)
        with connection():
            audit.record(None, "tried", "clinic", "")
            assert audit_check.verify().problems == []


def test_keys_that_a_server_made_before_it_joined_stay_beside(servers: Servers) -> None:
    put(servers.second, "audit.key", "ab" * 32)
    Clinic.open(servers.second)
    assert content(servers.second, "audit.key") == content(servers.first, "audit.key")
    (aside,) = servers.second.home.glob("audit.key.before-*")
    assert aside.read_text() == "ab" * 32
    with connection():
        assert audit_check.verify().problems == []


def test_a_form_goes_everywhere_and_so_does_its_removal(servers: Servers) -> None:
    put(servers.first, FORM, "one")
    servers.exchange()
    assert content(servers.second, FORM) == "one"
    put(servers.second, FORM, "two")
    servers.exchange()
    assert content(servers.first, FORM) == "two"
    (servers.first.home / FORM).unlink()
    servers.exchange()
    assert content(servers.second, FORM) is None


def test_changed_on_both_the_databases_wins_and_nothing_is_lost(servers: Servers) -> None:
    servers.exchange()
    put(servers.first, "routing-model.json", "the first one's")
    put(servers.second, "routing-model.json", "the second one's")
    servers.exchange()
    assert content(servers.first, "routing-model.json") == content(servers.second, "routing-model.json")
    kept = [file.read_text() for file in servers.second.home.glob("routing-model.json*")]
    assert sorted(kept) == ["the first one's", "the second one's"]


def test_a_key_that_is_gone_comes_back_and_is_taken_from_nobody(servers: Servers) -> None:
    servers.exchange()
    key = content(servers.first, "backup-signer.key")
    (servers.second.home / "backup-signer.key").unlink()
    servers.exchange()
    assert content(servers.first, "backup-signer.key") == content(servers.second, "backup-signer.key") == key


def test_whichever_server_closes_makes_the_backup_that_both_know(servers: Servers) -> None:
    second = Clinic.open(servers.second)
    made = backup.make(second)
    assert made.verified
    assert signatures.fingerprint(
        signatures.signer_of(servers.first.home).public_key()
    ) in backup.signer_line(servers.second.home)
    first = Clinic.open(servers.first)
    assert [info.path for info in backup.list_backups(first)] == [made.path]
    closing.run(first)
    closed = closing.run(Clinic.open(servers.second))
    steps = {step.name: step for step in closed.steps}
    assert steps["backup"].status == RunStatus.DONE
    folder = Path(servers.first.shared) / "backups"
    assert steps["backup"].detail["path"].startswith(str(folder))
    assert Path(steps["reports"].detail["folder"]).parent == Path(servers.first.shared) / "reports"


def test_a_common_folder_that_is_not_there_is_not_made(servers: Servers) -> None:
    away = replace_shared(servers.first, "/nowhere/loket")
    with pytest.raises(SettingsError, match="LOKET_SHARED"):
        backup.make(Clinic.open(away))
    assert not Path("/nowhere").exists()


def replace_shared(settings: Settings, folder: str) -> Settings:
    return settings.model_copy(update={"shared": folder})


HOLDER = """
import sys
from pathlib import Path
from core.foundation import jobs
from core.foundation.database import open_database

open_database(sys.argv[1])
with jobs.alone(Path(sys.argv[2]), "closing") as first:
    print(first, flush=True)
    sys.stdin.readline()
"""
"""Another server that closes the day."""


def test_a_job_runs_on_one_server_at_a_time_and_its_lock_ends_with_it(servers: Servers) -> None:
    Clinic.open(servers.first)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, servers.second.database_url, str(servers.second.home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert other.stdout is not None
    assert other.stdout.readline() == "True\n"
    assert jobs.is_running(servers.first.home, "closing"), "also the one that does not do it knows"
    with jobs.alone(servers.first.home, "closing") as here:
        assert not here
    other.send_signal(signal.SIGKILL)
    other.wait()
    while jobs.is_running(servers.first.home, "closing"):
        pass  # until PostgreSQL has noticed
    with jobs.alone(servers.first.home, "closing") as here:
        assert here
    assert not jobs.is_running(servers.first.home, "closing"), "no session keeps the lock"
