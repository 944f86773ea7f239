"""What is said of a disk that fails and of a damaged database, and what still goes on then."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import apsw
import httpx
import peewee
import pytest

from core.foundation import database as storage
from core.foundation.config import Settings
from core.foundation.database import connection, database, unusable
from server.run import Background
from server.text.problem_words import PROBLEMS
from tests.people import Caller, registration
from tui.text import problem_words as told_at_the_counter


@pytest.mark.parametrize(
    ("code", "step"),
    [
        (apsw.SQLITE_IOERR_READ, "read"),
        (apsw.SQLITE_IOERR_CORRUPTFS, "read"),
        (apsw.SQLITE_IOERR_WRITE, "write"),
        (apsw.SQLITE_IOERR_FSYNC, "sync"),
    ],
)
def test_a_failing_disk_is_not_called_a_damaged_database(code: int, step: str) -> None:
    error = peewee.OperationalError("disk I/O error")
    error.__cause__ = apsw.exception_for(code)
    known = unusable(error)
    assert known is not None
    assert (known.reason, known.detail) == ("disk_error", step)


@pytest.mark.parametrize("words", ["database disk image is malformed", "file is not a database"])
def test_what_cannot_be_read_once_is_not_called_damaged(words: str) -> None:
    known = unusable(peewee.DatabaseError(words))
    assert known is not None
    assert known.reason == "database_unread"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_the_systems_own_words_are_known(number: int) -> None:
    assert unusable(peewee.OperationalError(os.strerror(number))) is not None


@pytest.mark.parametrize("words", ['could not fsync file "base/1"', 'could not read block 3 in file "x"'])
def test_postgresqls_disk_errors_are_known(words: str) -> None:
    known = unusable(peewee.OperationalError(words))
    assert known is not None
    assert known.reason == "disk_error"


def test_every_reason_has_words_for_the_counter_and_for_the_admin() -> None:
    for reason, _marks in storage.UNUSABLE:
        assert reason in PROBLEMS
        assert reason in told_at_the_counter.PROBLEMS


def damaged(settings: Settings) -> None:
    """Spoil a page of an index that only the check reads."""
    with connection():
        page = database.execute_sql("SELECT rootpage FROM sqlite_master WHERE name = 'addendum'").fetchone()[
            0
        ]
        size = database.execute_sql("PRAGMA page_size").fetchone()[0]
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with Path(settings.home / "loket.sqlite3").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\x99" * size)


def test_a_damaged_database_is_read_but_not_saved_to(settings: Settings) -> None:
    with Background(settings):
        damaged(settings)
    database.close()
    with Background(settings) as server:
        answer = httpx.get(f"{server.url}/readyz")
        assert (answer.status_code, answer.text) == (503, "database_damaged\n")
    database.close()


def test_whoever_is_signed_in_goes_on_reading_a_damaged_database(settings: Settings) -> None:
    with Background(settings) as server, Caller(server.url, "clerk") as clerk:
        queue = clerk.registered()["ticket"]["cluster"]
        assert httpx.get(f"{server.url}/readyz").status_code == 200
        damaged(settings)
        assert storage.check() is not None
        assert clerk.get(f"queues/{queue}").status_code == 200
        refused = clerk.put("drafts/registration", json={"data": {"name": "x"}})
        assert (refused.status_code, refused.json()["code"]) == (503, "database_damaged")
        assert httpx.get(f"{server.url}/readyz").status_code == 503
    database.close()


def test_a_data_folder_that_cannot_be_written_is_told_by_readyz(settings: Settings) -> None:
    with Background(settings) as server:
        keeper = server._server.config.loaded_app_state.keeper  # type: ignore[attr-defined]
        assert keeper.problem == ""
        (settings.home / "clinic.probe").mkdir()
        keeper._look()
        answer = httpx.get(f"{server.url}/readyz")
        assert answer.status_code == 503
        (settings.home / "clinic.probe").rmdir()
        keeper._look()
        assert httpx.get(f"{server.url}/readyz").status_code == 200


def test_a_full_disk_is_told_although_the_files_that_are_there_have_room(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk still takes what is written over a file of the same size; only new bytes are refused."""
    with Background(settings) as server:
        keeper = server._server.config.loaded_app_state.keeper  # type: ignore[attr-defined]
        monkeypatch.setattr("server.mark_keeper.os.write", lambda handle, data: min(len(data), 4096))
        keeper._look()
        answer = httpx.get(f"{server.url}/readyz")
        assert (answer.status_code, answer.text) == (503, "disk_full\n")
        assert not (settings.home / "clinic.probe").exists()


def test_a_data_folder_that_goes_while_people_work_is_no_fault_inside_loket(settings: Settings) -> None:
    """Its disk was unplugged: what is open goes on, the files beside it are not found."""
    with Background(settings) as running, Caller(running.url, "clerk") as clerk:
        away = settings.home.with_name("unplugged")
        settings.home.rename(away)
        try:
            answer = clerk.post("registrations", json=(body := registration()))
            assert (answer.status_code, answer.json()["code"]) == (503, "database_denied")
        finally:
            away.rename(settings.home)
        again = clerk.post("registrations", json=body)
        assert again.status_code in {200, 201}
        assert clerk.post("registrations", json=body).json()["ticket"] == again.json()["ticket"]
