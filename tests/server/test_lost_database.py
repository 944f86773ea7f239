"""A database that is gone, empty, another's or shorter than it was: the start refuses and says what to do."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from core.foundation import high_water, known_clinic, lost_data
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import database
from core.foundation.errors import CoreError, DatabaseError
from core.foundation.journal import attachment
from server.run import Background
from server.text import translation
from server.text.failures import failure
from tests.people import Caller
from tests.server.test_command import Command


def registered(settings: Settings, count: int = 1) -> list[str]:
    with Background(settings) as server, Caller(server.url, "clerk") as clerk:
        numbers = [clerk.registered()["ticket"]["number"] for _ in range(count)]
    database.close()
    return numbers


def refused(settings: Settings) -> str:
    """Open the clinic as every process does, and return the sentence with which that is refused."""
    translation.speak("en")
    try:
        Clinic.open(settings)
    except CoreError as error:
        return failure(error)
    finally:
        database.close()
        translation.speak("id")
    return ""


@pytest.fixture
def clinic(settings: Settings) -> Command:
    """A clinic with registrations, stopped; `older` is a copy of its database from before the last three."""
    registered(settings, 2)
    shutil.copy(settings.home / "loket.sqlite3", settings.home.parent / "older")
    registered(settings, 3)
    return Command(settings.home)


def remove(file: Path) -> None:
    file.unlink()


def empty(file: Path) -> None:
    file.write_bytes(b"")


def without_tables(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as made:
        made.execute("CREATE TABLE something (id)")


@pytest.mark.parametrize("lose", [remove, empty, without_tables])
def test_no_empty_clinic_is_made_over_a_lost_one(settings: Settings, lose: Callable[[Path], None]) -> None:
    file = settings.home / "loket.sqlite3"
    lose(file)
    size = file.stat().st_size if file.exists() else None
    said = refused(settings)
    assert "database is not there" in said
    assert "loket restore FILE" in said
    assert "--new-clinic" in said
    assert (file.stat().st_size if file.exists() else None) == size


@pytest.mark.parametrize("command", ["serve", "doctor"])
def test_the_commands_say_in_one_line_that_the_database_is_gone(settings: Settings, command: str) -> None:
    (settings.home / "loket.sqlite3").unlink()
    code, told, failed = Command(settings.home)(command)
    assert code == 1
    assert "database is not there" in told + failed
    assert not (settings.home / "loket.sqlite3").exists()


def test_the_backups_are_listed_when_the_database_is_gone_or_holds_less(settings: Settings) -> None:
    clinic = Command(settings.home)
    (settings.home / "recovery.pub").unlink(missing_ok=True)
    assert clinic("backup", "key")[0] == 0
    assert clinic("backup", "now")[0] == 0
    (settings.home / "loket.sqlite3").unlink()
    code, told, _failed = clinic("backup", "list")
    assert code == 0
    assert ".tar.gz.age" in told


@pytest.mark.parametrize(
    "sign", ["recovery.pub", "door.token", "backups/loket-X-20260101T000000Z.tar.gz.age"]
)
def test_a_folder_of_a_clinic_is_known_without_its_mark(tmp_path: Path, sign: str) -> None:
    (tmp_path / "home" / sign).parent.mkdir(parents=True)
    (tmp_path / "home" / sign).write_text("x")
    assert "database is not there" in refused(Settings(home=tmp_path / "home"))
    assert not (tmp_path / "home" / "loket.sqlite3").exists()


def test_a_new_clinic_is_begun_only_when_asked_and_deletes_nothing(
    clinic: Command, settings: Settings
) -> None:
    token = (clinic.home / "door.token").read_text()
    code, _, said = clinic("serve", "--demo", "--no-door", "--new-clinic", typed="")
    assert code == 1
    assert "There is a clinic in this database already" in said
    (clinic.home / "loket.sqlite3").unlink()
    folder = lost_data.begin_anew(settings)
    assert folder is not None
    assert (folder / "door.token").read_text() == token
    assert registered(settings) == ["B-001"]
    assert (clinic.home / "door.token").read_text() != token


def put_back(clinic: Command) -> None:
    for suffix in ("", "-wal", "-shm"):
        (clinic.home / f"loket.sqlite3{suffix}").unlink(missing_ok=True)
    shutil.copy(clinic.older, clinic.home / "loket.sqlite3")


def test_a_database_that_holds_less_is_refused_and_the_loss_is_told(
    clinic: Command, settings: Settings
) -> None:
    put_back(clinic)
    said = refused(settings)
    assert "The database holds less than was there" in said
    assert "--accept-loss" in said
    assert "holds less" in clinic("doctor")[1]


def test_only_typed_words_accept_a_loss_and_then_no_number_comes_twice(
    clinic: Command, settings: Settings
) -> None:
    put_back(clinic)
    code, _, said = clinic("serve", "--demo", "--no-door", "--accept-loss", typed="y\n")
    assert code == 1
    assert "nothing was changed" in said
    missing = lost_data.what_is_missing(settings)
    assert missing is not None
    assert missing.reason == "database_less"
    lost_data.accept_loss(settings, missing)
    database.close()
    assert lost_data.what_is_missing(settings) is None
    assert registered(settings, 2) == ["B-026", "B-027"]  # 5 were given out, 20 are left out
    with sqlite3.connect(clinic.home / "loket.sqlite3") as opened:
        record_numbers = [row[0] for row in opened.execute("SELECT medical_record_number FROM patient")]
        assert opened.execute(
            "SELECT COUNT(*) FROM audit_event WHERE action = 'loss_accepted'"
        ).fetchone() == (1,)
    assert len(record_numbers) == len(set(record_numbers))


def test_a_lost_log_is_noticed(settings: Settings) -> None:
    """Everything since the last checkpoint is in the -wal: without it the rest looks whole."""
    numbers = []
    with Background(settings) as server, Caller(server.url, "clerk") as clerk:
        numbers = [clerk.registered()["ticket"]["number"] for _ in range(4)]
        high_water.note(database.obj, settings.home, server.clinic.today())
        copy = settings.home.parent / "after the crash"
        shutil.copytree(settings.home, copy)
    database.close()
    assert numbers == ["B-001", "B-002", "B-003", "B-004"]
    assert (copy / "loket.sqlite3-wal").stat().st_size > 0
    for suffix in ("-wal", "-shm"):
        (copy / f"loket.sqlite3{suffix}").unlink()
    assert "holds less" in refused(settings.model_copy(update={"home": copy}))


def test_a_damaged_frame_in_the_log_is_noticed(settings: Settings) -> None:
    with Background(settings) as server, Caller(server.url, "clerk") as clerk:
        for _ in range(4):
            clerk.registered()
        high_water.note(database.obj, settings.home, server.clinic.today())
        copy = settings.home.parent / "after the crash"
        shutil.copytree(settings.home, copy)
    database.close()
    (copy / "loket.sqlite3-shm").unlink()
    log = bytearray((copy / "loket.sqlite3-wal").read_bytes())
    log[len(log) // 2] ^= 0xFF
    (copy / "loket.sqlite3-wal").write_bytes(log)
    assert "holds less" in refused(settings.model_copy(update={"home": copy}))


def test_the_mark_follows_while_the_server_runs_and_at_its_end(settings: Settings) -> None:
    registered(settings, 3)
    mark = high_water.read(settings.home)
    assert mark is not None
    with sqlite3.connect(settings.home / "loket.sqlite3") as opened:
        assert opened.execute("SELECT MAX(sequence) FROM change").fetchone() == (mark.newest_change,)
        assert opened.execute("SELECT MAX(sequence) FROM audit_event").fetchone() == (mark.newest_audit,)
    assert 3 in mark.counters.values()
    assert high_water.file_of(settings.home).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", '{"unknown": 1}'])
def test_a_mark_that_cannot_be_read_is_not_taken_for_none(settings: Settings, content: str) -> None:
    high_water.file_of(settings.home).write_text(content)
    assert "cannot be read how much" in refused(settings)


def test_another_clinics_database_is_refused(settings: Settings) -> None:
    mark = json.loads(high_water.file_of(settings.home).read_text())
    high_water.file_of(settings.home).write_text(json.dumps({**mark, "clinic": "another"}))
    assert "another clinic's" in refused(settings)


def test_a_restore_rewrites_the_mark_and_gives_no_number_twice(
    settings: Settings,
) -> None:
    assert registered(settings, 2) == ["B-001", "B-002"]
    loket = Command(settings.home)
    (settings.home / "recovery.pub").unlink(missing_ok=True)
    loket.key.write_text(loket("backup", "key")[1])
    assert loket("backup", "now")[0] == 0
    [made] = json.loads(loket("backup", "list", "--json")[1])
    assert registered(settings, 3) == ["B-003", "B-004", "B-005"]
    assert (
        loket("restore", made["path"], "--key", loket.key, "--yes", "--because", "cakram lama rusak")[0] == 0
    )
    assert registered(settings) == ["B-026"]


def test_an_empty_folder_is_no_new_clinic_where_a_second_place_knows_one(tmp_path: Path) -> None:
    # The data disk is not mounted on its folder, or LOKET_HOME is mistyped: the folder itself has no sign of a clinic.
    second, place = tmp_path / "second", tmp_path / "place"
    for folder in (second, place):
        folder.mkdir()
    (second / "loket-P6371010101-20260301T080000Z.tar.gz.age").write_bytes(b"age")
    (place / f"journal-P6371010101-{'0' * 32}-000000000001-000.journal").write_bytes(b"")
    home = tmp_path / "home"
    for settings in (
        Settings(home=home, backup_second=str(second)),
        Settings(home=home, journal_dir=str(place)),
    ):
        for migrates in (True, False):
            with pytest.raises(DatabaseError) as stopped:
                Clinic.open(settings, migrates=migrates)
            assert stopped.value.reason == "database_elsewhere"
            database.close()
    other = Settings(home=tmp_path / "other", backup_second=str(second), facility_code="P6371010102")
    assert Clinic.open(other)
    database.close()
    assert lost_data.begin_anew(settings) is None  # loket serve --new-clinic
    assert Clinic.open(settings)
    database.close()
    assert Clinic.open(settings)  # and from then on as any clinic
    attachment.detach()
    database.close()
    assert not (settings.home / known_clinic.DECIDED).exists()
