"""Backups: made while in use, opened again at once, restored on a fresh machine, refused when wrong."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.daily import backup
from core.daily.backup import archives, home_files
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.foundation.errors import BackupError
from core.models import Change, Visit
from tests.core.days import BECAUSE, Days, open_clinic

DAY = date(2026, 3, 2)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    opened = open_clinic(tmp_path / "clinic")
    with connection():
        Days(opened).fill(DAY, 40)
        with transaction():
            Change.create(kind="test", at=clock.now())
    yield opened
    database.close()


@pytest.fixture
def key(clinic: Clinic) -> str:
    return backup.create_recovery_key(clinic.settings.home)


def test_without_a_recovery_key_no_backup_is_made(clinic: Clinic) -> None:
    with pytest.raises(BackupError) as refused:
        backup.make(clinic)
    assert refused.value.reason == "no_recovery_key"


def test_the_secret_half_is_not_kept_and_no_second_key_replaces_it(clinic: Clinic, key: str) -> None:
    for file in clinic.settings.home.rglob("*"):
        if file.is_file():
            assert b"AGE-SECRET-KEY" not in file.read_bytes()
    with pytest.raises(BackupError) as refused:
        backup.create_recovery_key(clinic.settings.home)
    assert refused.value.reason == "key_exists"


def test_a_backup_is_proven_and_listed(clinic: Clinic, key: str) -> None:
    info = backup.make(clinic)
    assert info.verified
    assert info.counts["visit"] == 40
    assert backup.list_backups(clinic) == [info]
    assert backup.verify(Path(info.path), key).counts == info.counts
    # No patient's name is readable in the file, and nothing unencrypted is left.
    with connection():
        name = Visit.select().first().patient.name
    assert name.encode() not in Path(info.path).read_bytes()
    left = {path.name for path in (clinic.settings.home / "backups").iterdir()}
    assert left == {Path(info.path).name, Path(info.path).name + ".json"}


def test_a_backup_during_writing_is_whole(clinic: Clinic, key: str) -> None:
    stop = threading.Event()

    def write() -> None:
        with connection():
            days = Days(clinic, seed=2)
            while not stop.is_set():
                with transaction():
                    days.visit(DAY)
        database.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [backup.make(clinic) for _ in range(3)]
    finally:
        stop.set()
        writer.join()
    for info in made:
        # Every visit was written with its ticket in one transaction.
        assert info.counts["visit"] == info.counts["ticket"]
    assert made[-1].counts["visit"] >= made[0].counts["visit"]


def test_restored_on_a_fresh_machine_everything_is_there(clinic: Clinic, key: str, tmp_path: Path) -> None:
    info = backup.make(clinic)
    fresh = Settings(home=tmp_path / "fresh")
    seen = backup.preview(Path(info.path), key, fresh)
    assert (seen.present_counts, seen.changes_lost) == ({}, 0)
    restored = backup.restore(Path(info.path), key, fresh, because=BECAUSE)
    assert restored.counts == info.counts
    assert restored.newest_change == info.newest_change
    database.close()
    again = Clinic.open(fresh)
    with connection():
        assert Visit.select().where(Visit.service_on == DAY).count() == 40
    assert again.settings.home == fresh.home


def test_a_fresh_machine_is_the_same_one_to_its_counters_afterwards(
    clinic: Clinic, key: str, tmp_path: Path
) -> None:
    home, fresh = clinic.settings.home, Settings(home=tmp_path / "fresh")
    (home / "forms").mkdir()
    for name in ("ssh_host_ed25519_key", "door.token", "routing-model.json", "forms/gizi.toml", "server.log"):
        (home / name).write_text(f"the old {name}")
    info = backup.make(clinic)
    fresh.home.mkdir(mode=0o700)
    for name in ("ssh_host_ed25519_key", "door.token"):  # the server was started once before the restore
        (fresh.home / name).write_text("new")
    database.close()
    backup.restore(Path(info.path), key, fresh, because=BECAUSE)
    held = {file.relative_to(fresh.home).as_posix(): file for file in fresh.home.rglob("*") if file.is_file()}
    assert held["forms/gizi.toml"].read_text() == "the old forms/gizi.toml"
    assert held["routing-model.json"].stat().st_mode & 0o777 == 0o600
    assert held["ssh_host_ed25519_key"].read_text() == "new"  # what is there stays,
    assert "door.token" not in held  # but a door's credential belongs to the database it was issued from
    assert "server.log" not in held
    # Later backups are for the same key, without anybody having to think of it.
    again = backup.make(Clinic.open(fresh))
    assert backup.verify(Path(again.path), key, fresh).verified


def test_an_archive_puts_nothing_anywhere_else(tmp_path: Path) -> None:
    packed = tmp_path / "made.tar"
    with tarfile.open(packed, "w") as archive:
        for name in ("home/../../outside", "home/.bashrc", "/etc/outside", "home/forms/good.toml"):
            member = tarfile.TarInfo(name)
            member.size = 2
            archive.addfile(member, io.BytesIO(b"ab"))
    (tmp_path / "in").mkdir()
    with tarfile.open(packed) as archive:
        home_files.extract(archive, tmp_path / "in")
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["made.tar", "good.toml"]


def test_the_command_gets_the_path_where_it_wants_it(clinic: Clinic, key: str, tmp_path: Path) -> None:
    script = tmp_path / "take.sh"
    script.write_text(
        '#!/bin/sh\n[ "$2" = there ] || { echo no such place >&2; exit 3; }\ncp "$1" "$0.taken"\n'
    )
    script.chmod(0o755)
    settings = clinic.settings.model_copy(update={"backup_command": f"{script} {{file}} there"})
    info = backup.make(replace(clinic, settings=settings))
    assert info.problems == ()
    assert (tmp_path / "take.sh.taken").read_bytes() == Path(info.path).read_bytes()
    settings = clinic.settings.model_copy(update={"backup_command": str(script)})
    with clock.frozen(lambda: datetime(2030, 1, 1, tzinfo=UTC)):
        assert backup.make(replace(clinic, settings=settings)).problems == (
            "command: exit code 3 no such place",
        )


def test_a_backup_made_after_the_clock_went_back_stays(clinic: Clinic, key: str) -> None:
    settings = clinic.settings.model_copy(update={"backup_keep_daily": 2, "backup_keep_monthly": 0})
    short = replace(clinic, settings=settings)
    for day in (3, 4, 5):
        with clock.frozen(lambda day=day: datetime(2026, 3, day, 8, tzinfo=UTC)):  # type: ignore[misc]
            backup.make(short, "closing")
    with clock.frozen(lambda: datetime(2020, 1, 1, tzinfo=UTC)):
        made = backup.make(short, "closing")
    assert [info.made_at.day for info in backup.list_backups(short)] == [5, 4, 1]
    assert Path(made.path).exists()


def test_days_of_the_rotation_are_the_clinics_own(clinic: Clinic, key: str) -> None:
    settings = clinic.settings.model_copy(update={"backup_keep_daily": 2, "backup_keep_monthly": 0})
    short = replace(clinic, settings=settings)
    # In Makassar 23:00 UTC is the next morning: three days there, two in UTC.
    for at in (datetime(2026, 3, 3, 8, tzinfo=UTC), datetime(2026, 3, 3, 23, tzinfo=UTC)):
        with clock.frozen(lambda at=at: at):  # type: ignore[misc]
            backup.make(short)
    assert len(backup.list_backups(short)) == 2


def test_a_restore_says_what_is_lost_and_keeps_the_replaced_database(clinic: Clinic, key: str) -> None:
    info = backup.make(clinic)
    with connection(), transaction():
        for _ in range(3):
            Change.create(kind="test", at=clock.now())
        Days(clinic, seed=3).visit(DAY)
    assert backup.preview(Path(info.path), key, clinic.settings).changes_lost == 3
    database.close()
    backup.restore(Path(info.path), key, clinic.settings, because=BECAUSE)
    file = clinic.settings.home / "loket.sqlite3"
    aside = [
        path
        for path in file.parent.glob("loket.sqlite3.replaced-*")
        if not path.name.endswith(("wal", "shm"))
    ]
    assert len(aside) == 1
    with sqlite3.connect(aside[0]) as kept:
        assert kept.execute("select count(*) from visit").fetchone()[0] == 41


def test_a_running_server_is_not_pulled_from_under(clinic: Clinic, key: str) -> None:
    info = backup.make(clinic)
    with connection():
        before = Visit.select().count()
        with pytest.raises(BackupError) as refused:
            backup.restore(Path(info.path), key, clinic.settings, because=BECAUSE)
        assert refused.value.reason == "in_use"
        assert Visit.select().count() == before


def damaged(data: bytes) -> list[bytes]:
    middle = len(data) // 2
    flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    return [b"", b"not a backup", data[:middle], flipped, data[:-1]]


def test_damaged_files_and_wrong_keys_are_refused_and_nothing_is_touched(
    clinic: Clinic, key: str, tmp_path: Path
) -> None:
    info = backup.make(clinic)
    good = Path(info.path).read_bytes()
    database.close()
    file = clinic.settings.home / "loket.sqlite3"
    before = file.read_bytes()
    for number, data in enumerate(damaged(good)):
        bad = tmp_path / f"bad-{number}.age"
        bad.write_bytes(data)
        with pytest.raises(BackupError) as refused:
            backup.restore(bad, key, clinic.settings, because=BECAUSE)
        assert refused.value.reason == "damaged"
    other = backup.create_recovery_key(tmp_path / "other")
    for wrong in (other, "nonsense", ""):
        with pytest.raises(BackupError) as refused:
            backup.restore(Path(info.path), wrong, clinic.settings, because=BECAUSE)
        assert refused.value.reason == "wrong_key"
    with pytest.raises(BackupError) as refused:
        backup.restore(tmp_path / "nowhere.age", key, clinic.settings, because=BECAUSE)
    assert refused.value.reason == "missing"
    assert file.read_bytes() == before
    assert not list(clinic.settings.home.glob("loket.sqlite3.replaced-*"))
    assert not list(clinic.settings.home.glob(".work-*"))


def test_a_newer_schema_is_refused(clinic: Clinic, key: str) -> None:
    with connection():
        database.execute_sql(
            "INSERT INTO schema_migration (name, applied) VALUES ('9999_from_the_future', '2030-01-01')"
        )
    info = backup.make(clinic)
    database.close()
    with pytest.raises(BackupError) as refused:
        backup.restore(Path(info.path), key, clinic.settings, because=BECAUSE)
    assert refused.value.reason == "newer_schema"


def test_a_full_disk_is_said_and_leaves_nothing_half_made(
    clinic: Clinic, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyrage.encrypt_io", full)
    with pytest.raises(BackupError) as refused:
        backup.make(clinic)
    assert refused.value.reason == "disk_full"
    assert list((clinic.settings.home / "backups").iterdir()) == []


def test_the_second_place_gets_the_same_file_and_its_absence_is_told(
    clinic: Clinic, key: str, tmp_path: Path
) -> None:
    second = tmp_path / "disk"
    elsewhere = Clinic(clinic.settings.model_copy(update={"backup_second": str(second)}), clinic.clusters)
    info = backup.make(elsewhere)
    assert "missing" in info.problems[0]
    assert backup.list_backups(elsewhere)[0].problems == info.problems
    second.mkdir()
    with clock.frozen(lambda: datetime.now(UTC) + timedelta(seconds=5)):
        info = backup.make(elsewhere)
    assert info.problems == ()
    assert archives.sha256_of(second / Path(info.path).name) == info.sha256


def test_the_command_gets_the_path_and_its_failure_is_told(clinic: Clinic, key: str, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    script = tmp_path / "take.sh"
    script.write_text(f'#!/bin/sh\necho "$1" > {taken}\n')
    script.chmod(0o755)
    settings = clinic.settings.model_copy(update={"backup_command": str(script)})
    info = backup.make(Clinic(settings, clinic.clusters))
    assert taken.read_text().strip() == info.path
    failing = clinic.settings.model_copy(update={"backup_command": "false"})
    with clock.frozen(lambda: datetime.now(UTC) + timedelta(seconds=5)):
        assert "exit code 1" in backup.make(Clinic(failing, clinic.clusters)).problems[0]


def test_rotation_deletes_only_what_the_rule_does_not_keep(clinic: Clinic, key: str, tmp_path: Path) -> None:
    settings = clinic.settings.model_copy(update={"backup_keep_daily": 2, "backup_keep_monthly": 2})
    folder = settings.home / "backups"
    folder.mkdir()
    names = [
        "loket-P6371010101-20260131T070000Z.tar.gz.age",
        "loket-P6371010101-20260130T070000Z.tar.gz.age",
        "loket-P6371010101-20251215T070000Z.tar.gz.age",
        "loket-P6371010101-20260301T070000Z.tar.gz.age",
        "loket-P6371010101-20260302T070000Z.tar.gz.age",
        "loket-P6371010101-20260302T060000Z.tar.gz.age",
        "loket-OTHER-20200101T070000Z.tar.gz.age",
        "notes.txt",
    ]
    for name in names:
        (folder / name).write_text("x")
        if name.endswith(".age"):
            describe(folder / name)
    backup.rotate(folder, settings, describe(folder / names[4]))
    left = {path.name for path in folder.iterdir() if path.suffix != ".json"}
    assert left == {names[0], names[3], names[4], names[6], names[7]}


def describe(path: Path, **known: Any) -> backup.BackupInfo:
    """Write a backup's file and what is known of it."""
    at = datetime.strptime(path.name.split("-")[2][:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    values: dict[str, Any] = {
        "counts": {},
        "newest_change": 0,
        "made_for": "closing",
        "clinic": "here",
        **known,
    }
    info = backup.BackupInfo(str(path), at, 1, "", schema=[], verified=True, **values)
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    Path(f"{path}.json").write_text(json.dumps(info.document()))
    return info


def rotated(clinic: Clinic, *made: tuple[str, dict[str, Any]]) -> list[str]:
    """Write backups, rotate after the last of them with a rule that keeps one, and return the times left."""
    settings = clinic.settings.model_copy(update={"backup_keep_daily": 1, "backup_keep_monthly": 0})
    folder = settings.home / "backups"
    infos = [describe(folder / f"loket-P6371010101-{at}Z.tar.gz.age", **known) for at, known in made]
    backup.rotate(folder, settings, infos[-1])
    return sorted(path.name[18:33] for path in folder.glob("*.age"))


@pytest.mark.parametrize(
    "known",
    [{"newest_change": 9}, {"counts": {"patient": 61}}, {"counts": {"visit": 1}}, {"clinic": "another"}],
)
def test_the_last_backup_that_holds_more_than_the_new_one_is_never_dropped(
    clinic: Clinic, known: dict[str, Any]
) -> None:
    """An empty clinic started over a lost one makes a backup: the good one of the same day must stay."""
    now = ("20260302T070000", {"newest_change": 1})
    assert rotated(clinic, ("20260302T060000", known), now) == ["20260302T060000", now[0]]


def test_one_that_holds_less_is_dropped_and_of_several_that_hold_more_the_last_stays(clinic: Clinic) -> None:
    more = {"newest_change": 9}
    left = rotated(
        clinic,
        ("20260301T060000", more),
        ("20260302T050000", more),
        ("20260302T060000", {}),
        ("20260302T070000", {"newest_change": 1}),
    )
    assert left == ["20260302T050000", "20260302T070000"]


@pytest.mark.parametrize("purpose", ["hand", "upgrade"])
def test_the_newest_five_made_by_hand_and_before_upgrades_stay(clinic: Clinic, purpose: str) -> None:
    earlier = [(f"2026020{day}T070000", {"made_for": purpose}) for day in range(1, 8)]
    left = rotated(clinic, *earlier, ("20260302T060000", {}), ("20260302T070000", {}))
    assert left == [*(at for at, _ in earlier[-5:]), "20260302T070000"]


def test_a_backup_of_which_nothing_is_known_stays(clinic: Clinic) -> None:
    folder = clinic.settings.home / "backups"
    folder.mkdir()
    (folder / "loket-P6371010101-20260101T070000Z.tar.gz.age").write_text("x")
    assert rotated(clinic, ("20260302T070000", {})) == ["20260101T070000", "20260302T070000"]


def test_the_manifest_says_why_a_backup_was_made_and_of_which_clinic(clinic: Clinic, key: str) -> None:
    for number, purpose in enumerate(("closing", "hand", "upgrade")):
        with clock.frozen(lambda n=number: datetime(2026, 3, 2 + n, tzinfo=UTC)):  # type: ignore[misc]
            made = backup.make(clinic, purpose)  # type: ignore[arg-type]
        assert (made.made_for, bool(made.clinic)) == (purpose, True)
    assert {info.made_for for info in backup.list_backups(clinic)} == {"closing", "hand", "upgrade"}


def test_a_backup_from_the_future_is_not_the_newest(clinic: Clinic, key: str) -> None:
    with clock.frozen(lambda: datetime(2028, 1, 5, tzinfo=UTC)):
        ahead = backup.make(clinic)
    made = backup.make(clinic)
    assert [info.path for info in backup.list_backups(clinic)] == [made.path, ahead.path]


@given(
    st.lists(
        st.integers(0, 6 * 365 * 24).map(
            lambda hours: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
        )
    ),
    st.integers(1, 40),
    st.integers(0, 14),
)
def test_the_newest_always_stays_and_the_rule_bounds_the_rest(
    times: list[datetime], daily: int, monthly: int
) -> None:
    stay = backup.kept(times, daily, monthly)
    assert stay <= set(times)
    assert len(stay) <= daily + monthly
    if times:
        assert max(times) in stay
    days = sorted({at.date() for at in times}, reverse=True)[:daily]
    assert {at.date() for at in stay} >= set(days)
