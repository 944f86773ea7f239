"""PostgreSQL's own archive by the shipped units: the doctor says what it lacks, and a lost disk takes nothing with it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.foundation.config import Settings
from server.run import Background
from tests.loket_command import loket
from tests.people import Caller
from tests.postgres import Cluster, machine, new_database

DEPLOY = Path(__file__).parents[2] / "deploy"
PLACE = "/media/backup/postgres"
"""The archive's folder in the units and in the manual."""
pytestmark = pytest.mark.skipif(
    shutil.which("pg_receivewal") is None or sys.platform != "linux", reason="no PostgreSQL client here"
)


def commands(unit: str, key: str, place: Path) -> list[list[str]]:
    """What a unit runs, with another folder for the archive and the program where this repository is."""
    text = (DEPLOY / unit).read_text()
    found = re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)
    return [
        shlex.split(line.replace(PLACE, str(place)).replace("/srv/loket/app/deploy", str(DEPLOY)))
        for line in found
    ]


class Archive:
    """The folder on the second place, and what writes into it."""

    def __init__(self, place: Path, database: Cluster) -> None:
        (place / "wal").mkdir(parents=True)
        self.place = place
        self.environment = {
            **os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(database.port), "PGUSER": "loket_archive"
        }  # fmt: skip
        self._receiving: subprocess.Popen[bytes] | None = None

    def receive(self) -> None:
        """`systemctl start loket-wal`."""
        for command in commands("loket-wal.service", "ExecStartPre", self.place):
            subprocess.run(command, env=self.environment, check=True, capture_output=True)
        (command,) = commands("loket-wal.service", "ExecStart", self.place)
        self._receiving = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        if self._receiving is not None:
            self._receiving.terminate()
            self._receiving.wait()
            self._receiving = None

    def make_base(self) -> None:
        """`systemctl start loket-base`."""
        (command,) = commands("loket-base.service", "ExecStart", self.place)
        done = subprocess.run(command, env=self.environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def first() -> Iterator[Cluster]:
    with machine() as made:
        made.make()
        made.start()
        with psycopg.connect(f"{made.url}postgres", autocommit=True) as administrator:
            administrator.execute("CREATE ROLE loket_archive REPLICATION LOGIN")
        yield made


@pytest.fixture
def archive(first: Cluster, tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "place", first)
    yield made
    made.stop()


@pytest.fixture
def settings(first: Cluster, archive: Archive, tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path / "home", database_url=new_database(first.url), wal_archive=str(archive.place)
    )


def found(settings: Settings) -> list[tuple[str, str]]:
    """What `loket doctor` says of the archive: level and words."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")} | {
        "LOKET_HOME": str(settings.home), "LOKET_DATABASE_URL": settings.database_url, "LOKET_LANGUAGE": "en",
        "LOKET_WAL_ARCHIVE": settings.wal_archive,
    }  # fmt: skip
    done = loket("doctor", "--json", environment=environment)
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return [(finding["level"], finding["words"]) for finding in told if finding["subject"] == "journal"]


def only(settings: Settings) -> str:
    ((level, words),) = found(settings)
    return f"{level}: {words}"


def test_the_doctor_follows_the_archive_from_nothing_to_in_step_and_back(
    settings: Settings, archive: Archive
) -> None:
    with Background(settings) as server, Caller(server.url, "clerk") as clerk:
        assert only(settings).startswith("warning: Nothing receives PostgreSQL's log")
        archive.receive()
        clerk.registered()
        assert only(settings).startswith("error: The archive has no base")
        archive.make_base()
        clerk.registered()
        assert only(settings).startswith("ok: in step")
        assert only(settings.model_copy(update={"wal_archive": ""})).startswith(
            "warning: PostgreSQL's log is"
        )
        assert "cannot be read" in only(settings.model_copy(update={"wal_archive": "/nowhere"}))
        archive.stop()
        clerk.registered()
        assert only(settings).startswith("error: Nobody receives PostgreSQL's log now")
        archive.receive()
        clerk.registered()
        assert only(settings).startswith("ok: in step"), "the slot kept what was not received"
        with psycopg.connect(settings.database_url, autocommit=True) as administrator:
            administrator.execute("SELECT pg_switch_wal()")
        clerk.registered()
        assert only(settings).startswith("ok: in step")
        whole = sorted(file for file in (archive.place / "wal").iterdir() if file.suffix != ".partial")
        whole[-1].rename(archive.place / "lost")
        assert only(settings).startswith(
            f"error: A file of PostgreSQL's log is missing from the archive: {whole[-1].name}"
        )
        archive.make_base()
        assert only(settings).startswith("ok: in step"), "a new base needs nothing of what is missing"


def test_two_bases_are_kept_with_the_log_since_the_older(settings: Settings, archive: Archive) -> None:
    with Background(settings) as server, Caller(server.url, "clerk") as clerk:
        archive.receive()
        for _base in range(3):
            clerk.registered()
            archive.make_base()
            time.sleep(1.1)  # a base is named by its second
        clerk.registered()
        assert only(settings).startswith("ok: in step")
    names = sorted(path.name for path in archive.place.iterdir())
    assert len(names) == 3
    assert names[-1] == "wal"


def test_the_databases_disk_is_gone_and_the_last_acknowledged_registration_is_there(
    settings: Settings, first: Cluster, archive: Archive
) -> None:
    """By the words of docs/running.md: base, log, a start; nothing that was acknowledged while in step is missing."""
    acknowledged = []
    with Background(settings) as server, Caller(server.url, "clerk") as clerk:
        acknowledged.append(clerk.registered()["ticket"]["number"])
        archive.receive()
        archive.make_base()
        for _visit in range(12):
            acknowledged.append(clerk.registered()["ticket"]["number"])
        assert only(settings).startswith("ok: in step")
        first.die()
        assert clerk.get("queues/GIGI").status_code == 503
    archive.stop()
    with machine() as second:
        restore(archive, second)
        second.start()
        wait_writable(second)
        url = settings.database_url.replace(first.url, second.url)
        again = settings.model_copy(update={"database_url": url})
        with Background(again) as server, Caller(server.url, "clerk") as clerk:
            entries = clerk.get("queues/GIGI").json()["entries"]
            assert sorted(entry["number"] for entry in entries) == sorted(acknowledged)
            follows = clerk.registered()["ticket"]["number"]
            assert follows == f"B-{len(acknowledged) + 1:03d}", "no number is left out, none given twice"
            assert only(again).startswith("warning: Nothing receives PostgreSQL's log"), (
                "the slot is made anew"
            )
            archive.environment["PGPORT"] = str(second.port)
            archive.receive()
            assert only(again).startswith("error: The archive has no base"), "the old one is of another log"
            archive.make_base()
            assert only(again).startswith("ok: in step")


def restore(archive: Archive, target: Cluster) -> None:
    """Run the manual's own lines, with this test's folders."""
    manual = (DEPLOY.parent / "docs" / "running.md").read_text()
    lines = re.search(r"<!-- restore -->\n```\n(.*?)```", manual, re.DOTALL)
    assert lines is not None
    script = (
        lines[1].replace(PLACE, str(archive.place)).replace("/var/lib/postgresql/15/main", str(target.data))
    )
    script = re.sub(r"sudo (-u postgres )?", "", script)
    done = subprocess.run(["sh", "-euc", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if os.getuid() == 0:
        subprocess.run(["chown", "-R", "postgres", str(target.data)], check=True)
        subprocess.run(["chmod", "-R", "a+rX", str(archive.place)], check=True)
        for folder in archive.place.parents:
            if folder.stat().st_uid == 0 and "pytest" in str(folder):
                folder.chmod(0o755)


def wait_writable(target: Cluster) -> None:
    until = time.monotonic() + 60
    while True:
        with psycopg.connect(f"{target.url}postgres", autocommit=True) as session:
            row = session.execute("SELECT pg_is_in_recovery()").fetchone()
        if row == (False,):
            return
        assert time.monotonic() < until, "it does not leave recovery"
        time.sleep(0.1)
