"""The journal: each saved action is on the second place before its answer, and comes back when the disk is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import apsw
import pytest

from core.daily import backup, closing_actions
from core.daily.backup import journal_proof, journal_status
from core.daily.backup.journal_status import JournalStatus
from core.foundation import clock, state
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.foundation.errors import BackupError, DatabaseError, JournalError
from core.foundation.journal import attachment, capture, positions, proof_keys, shipping
from core.foundation.journal.frames import frames_of, segments_in
from core.foundation.journal.positions import Position
from core.foundation.journal.shipping import Carrier
from core.foundation.migrations import copy_sqlite
from core.models import State, TicketCounter, Visit
from tests.core.days import Days

DAY = date(2026, 3, 2)
WHY = "the disk died"
UNLIKE = {"journal_record"}
"""Tables that a restored database need not have alike."""

Rows = dict[str, list[str]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "second"
    folder.mkdir()
    return folder


@pytest.fixture
def clinic(tmp_path: Path, place: Path) -> Iterator[Clinic]:
    settings = Settings(home=tmp_path / "first", journal_dir=str(place))
    yield Clinic.open(settings)
    attachment.detach()
    database.close()


@pytest.fixture
def key(clinic: Clinic) -> str:
    """The recovery sheet, which nobody keeps on the machine."""
    return backup.create_recovery_key(clinic.settings.home)


@pytest.fixture
def fresh(tmp_path: Path) -> Settings:
    """A new machine."""
    return Settings(home=tmp_path / "fresh")


def rows_of(file: Path) -> Rows:
    """Return every row of every table, but for the journal's own and the epoch, which each restore begins anew."""
    with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as opened:
        tables = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {table: sorted(map(repr, opened.execute(f'SELECT * FROM "{table}"'))) for table in tables}
    found["state"] = [row for row in found["state"] if "'journal'" not in row and "'epoch'" not in row]
    return {table: rows for table, rows in found.items() if table not in UNLIKE}


def file_of(settings: Settings) -> Path:
    return settings.home / "loket.sqlite3"


def work(clinic: Clinic, number: int, seed: int = 1) -> None:
    """Record visits, each in a transaction of its own."""
    with connection():
        days = Days(clinic, seed=seed)
        for _ in range(number):
            with transaction():
                days.visit(DAY)


def shipped() -> int:
    """Return the number of the last record that is known to be on the second place."""
    journal = attachment.attached()
    assert journal is not None
    position = positions.read(database.connection())
    return journal.shipper.on_place(position.line) if position is not None else 0


def newest_number() -> int:
    position = positions.read(database.connection())
    assert position is not None
    return position.number


def test_after_the_disk_is_lost_every_table_comes_back(
    clinic: Clinic, key: str, place: Path, fresh: Settings
) -> None:
    work(clinic, 5)
    backup.make(clinic)
    work(clinic, 12, seed=2)
    before = rows_of(file_of(clinic.settings))
    database.close()
    shutil.rmtree(clinic.settings.home)
    seen = backup.preview(place, key, fresh)
    assert (seen.counts["visit"], seen.journal_records, seen.journal_unread) == (17, 12, 0)
    restored = backup.restore(place, key, fresh, because=WHY)
    assert restored.counts["visit"] == 17
    assert rows_of(file_of(fresh)) == before


def test_an_action_is_on_the_second_place_before_it_is_answered(clinic: Clinic, key: str) -> None:
    backup.make(clinic)
    for seed in range(5):
        work(clinic, 1, seed=seed)
        assert shipped() == newest_number()


def test_back_to_any_moment_and_no_number_is_given_twice(
    clinic: Clinic, key: str, place: Path, fresh: Settings
) -> None:
    backup.make(clinic)
    moments, contents = [], []
    for number in range(1, 4):
        later = clock.now() + timedelta(minutes=number)
        with clock.frozen(lambda: later), transaction():  # noqa: B023
            day = clinic.today()
            TicketCounter.insert(cluster="GIGI", service_on=day, last_number=number).on_conflict(
                conflict_target=[TicketCounter.cluster, TicketCounter.service_on],
                update={TicketCounter.last_number: number},
            ).execute()
            moments.append(clock.now())
        contents.append(rows_of(file_of(clinic.settings))["ticket_counter"])
    database.close()
    backup.restore(place, key, fresh, aim=backup.Aim(until=moments[0]), because=WHY)
    assert rows_of(file_of(fresh))["ticket_counter"] == contents[-1]  # the next is 4


def test_what_was_written_past_the_journal_needs_a_new_base(clinic: Clinic, key: str) -> None:
    """A statement outside of every transaction is in no changeset: nothing fails, and the line ends."""
    backup.make(clinic)
    with connection():
        State.create(key="unseen", value={})
    work(clinic, 1)
    assert positions.read(database.connection()) is None
    backup.make(clinic)
    work(clinic, 1, seed=2)
    assert shipped() == newest_number()


def test_a_changeset_larger_than_memory_holds_goes_in_parts(
    clinic: Clinic, key: str, place: Path, fresh: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup.make(clinic)
    monkeypatch.setattr(capture, "SPILL_BYTES", 2048)
    monkeypatch.setattr(capture, "PART_BYTES", 1024)
    with connection(), transaction():
        days = Days(clinic, seed=3)
        for _ in range(20):
            days.visit(DAY)
    (segment,) = segments_in(place, clinic.settings.facility_code)
    with segment.path.open("rb") as reader:
        assert max(frame.header.parts for frame in frames_of(reader) if frame.header) > 20
    before = rows_of(file_of(clinic.settings))
    database.close()
    assert backup.restore(place, key, fresh, because=WHY).counts["visit"] == 20
    assert rows_of(file_of(fresh)) == before


def test_a_record_that_was_cut_off_is_left_out_and_what_is_before_it_comes_back(
    clinic: Clinic, key: str, place: Path, fresh: Settings
) -> None:
    backup.make(clinic)
    work(clinic, 3)
    database.close()
    (segment,) = segments_in(place, clinic.settings.facility_code)
    content = segment.path.read_bytes()
    segment.path.write_bytes(content[:-40])
    assert backup.restore(place, key, fresh, because=WHY).counts["visit"] == 2


def test_after_a_cut_off_record_the_journal_goes_on_in_another_file(
    clinic: Clinic, key: str, place: Path, fresh: Settings
) -> None:
    backup.make(clinic)
    work(clinic, 3)
    (segment,) = segments_in(place, clinic.settings.facility_code)
    with segment.path.open("ab") as file:
        file.write(b'{"line": "half a frame')
    work(clinic, 2, seed=2)
    assert len(segments_in(place, clinic.settings.facility_code)) == 2
    database.close()
    assert backup.restore(place, key, fresh, because=WHY).counts["visit"] == 5


def test_a_journal_of_another_signer_is_refused(
    clinic: Clinic, key: str, place: Path, fresh: Settings, tmp_path: Path
) -> None:
    backup.make(clinic)
    (clinic.settings.home / "backup-signer.key").unlink()  # whoever knows the public key only
    proof_keys.keep(clinic.settings.home, proof_keys.made())
    work(clinic, 2)
    database.close()
    with pytest.raises(BackupError) as refused:
        backup.restore(place, key, fresh, because=WHY)
    assert refused.value.reason == "other_signer"
    assert not file_of(fresh).exists()


def test_the_second_place_holds_nothing_readable(clinic: Clinic, key: str, place: Path) -> None:
    backup.make(clinic)
    work(clinic, 5)
    names = {row.patient.name for row in Visit.select()}
    content = b"".join(file.read_bytes() for file in place.iterdir())
    assert names
    assert not [name for name in names if name.encode() in content]


def test_a_second_place_that_is_gone_holds_nobody_up_and_gets_what_waits(
    clinic: Clinic, key: str, place: Path, fresh: Settings, tmp_path: Path
) -> None:
    backup.make(clinic)
    work(clinic, 2)
    place.rename(tmp_path / "unplugged")
    work(clinic, 3, seed=2)
    journal = attachment.attached()
    assert journal is not None
    assert journal.shipper.set_aside == "place_missing"
    place.mkdir()  # the empty mount point: nothing is written there
    work(clinic, 1, seed=3)
    assert not list(place.iterdir())
    place.rmdir()
    (tmp_path / "unplugged").rename(place)
    journal.shipper.stop()
    journal.shipper.start()
    work(clinic, 1, seed=4)
    while journal.shipper.set_aside:
        pass  # the test's own limit of time
    database.close()
    assert backup.restore(place, key, fresh, because=WHY).counts["visit"] == 7


def test_a_database_that_holds_less_than_its_journal_is_not_served(
    clinic: Clinic, key: str, tmp_path: Path
) -> None:
    backup.make(clinic)
    work(clinic, 1)
    old = tmp_path / "old.sqlite3"
    copy_sqlite(file_of(clinic.settings), old)
    work(clinic, 2, seed=2)
    attachment.detach()
    database.close()
    for rest in clinic.settings.home.glob("loket.sqlite3*"):
        rest.unlink()
    shutil.copy(old, file_of(clinic.settings))
    (clinic.settings.home / "clinic.mark").unlink()
    with pytest.raises(DatabaseError) as refused:
        Clinic.open(clinic.settings)
    assert refused.value.reason == "database_less"


def test_a_gap_ends_the_line(clinic: Clinic, key: str, place: Path) -> None:
    backup.make(clinic)
    work(clinic, 3)
    for segment in segments_in(place, clinic.settings.facility_code):
        segment.path.unlink()
    work(clinic, 1, seed=2)
    assert positions.read(database.connection()) is None
    info = backup.make(clinic)
    assert (info.line, info.problems) != ("", ())


def test_without_the_setting_a_line_ends(clinic: Clinic, key: str) -> None:
    """A write without the journal is in none: it goes on from a new base only."""
    backup.make(clinic)
    database.close()
    without = clinic.settings.model_copy(update={"journal_dir": ""})
    Clinic.open(without)
    assert positions.read(database.connection()) is None


def test_every_table_can_be_journaled(clinic: Clinic) -> None:
    """SQLite's sessions see no table without a primary key, no row with NULL in it, and no virtual table."""
    raw = database.connection()
    tables = list(raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    assert not [name for name, sql in tables if sql.upper().startswith("CREATE VIRTUAL")]
    for name, _ in tables:
        columns = list(raw.execute(f'PRAGMA table_info("{name}")'))
        key = [(kind, required) for _, _, kind, required, _, part in columns if part]
        assert key, name
        assert all(required or kind == "INTEGER" for kind, required in key), name


def test_a_change_of_the_schema_needs_a_new_base(clinic: Clinic, key: str) -> None:
    backup.make(clinic)
    work(clinic, 1)
    raw = database.connection()
    with transaction():
        raw.execute("CREATE TABLE later (id INTEGER PRIMARY KEY, word TEXT)")
        raw.execute("INSERT INTO later VALUES (1, 'x')")
    assert positions.read(raw) is None


def test_the_proof_rebuilds_every_table_without_the_recovery_key(clinic: Clinic, key: str) -> None:
    backup.make(clinic)
    work(clinic, 4)
    found = journal_proof.prove(clinic.settings)
    assert found is not None
    assert found.records >= 4
    assert found.tables == len(rows_of(file_of(clinic.settings)))


def test_what_somebody_changed_past_the_journal_is_found_by_the_proof_and_a_new_base_holds_it(
    clinic: Clinic, key: str
) -> None:
    line = backup.make(clinic).line
    work(clinic, 2)
    with closing(apsw.Connection(str(file_of(clinic.settings)))) as intruder:
        intruder.execute("UPDATE patient SET name = 'Other' WHERE id = (SELECT MIN(id) FROM patient)")
    with pytest.raises(JournalError) as found:
        journal_proof.prove(clinic.settings)
    assert (found.value.code, found.value.detail) == ("journal_differs", "patient")
    assert positions.read(database.connection()) is None
    again = backup.make(clinic)
    assert again.line not in {line, ""}
    assert journal_proof.prove(clinic.settings) is not None


def test_doctor_says_in_step_only_while_it_is(
    clinic: Clinic, key: str, monkeypatch: pytest.MonkeyPatch, place: Path, tmp_path: Path
) -> None:
    assert journal_status.examine(clinic.settings) == JournalStatus("place_other: " + str(place))
    backup.make(clinic)
    work(clinic, 2)
    in_step = journal_status.examine(clinic.settings)
    assert in_step == JournalStatus("", is_on_first_disk=True)
    assert journal_status.lag() == 0
    place.rename(tmp_path / "unplugged")
    work(clinic, 2, seed=2)
    assert journal_status.examine(clinic.settings) == JournalStatus(f"place_missing: {place}")
    assert journal_status.lag() == 2
    with monkeypatch.context() as broken:
        broken.setattr(Carrier, "ship", refuse_to_ship)
        broken.setattr(journal_status, "CATCH_UP_SECONDS", 0.1)
        (tmp_path / "unplugged").rename(place)
        behind = journal_status.examine(clinic.settings)
    assert behind == JournalStatus("journal_behind: 2", is_on_first_disk=True)
    # The shipper looks at the place again by itself; the doctor waits for that.
    assert journal_status.examine(clinic.settings) == in_step


def refuse_to_ship(carrier: Carrier) -> Position | None:
    raise OSError("the place takes no writing")


def test_a_journal_without_its_base_is_not_in_step(clinic: Clinic, key: str, place: Path) -> None:
    backup.make(clinic)
    for file in place.glob("loket-*"):
        file.unlink()
    assert journal_status.examine(clinic.settings) == JournalStatus("base_due", is_on_first_disk=True)
    assert journal_status.base_is_due()
    backup.make(clinic, "journal")
    assert not journal_status.base_is_due()


def test_a_place_that_hangs_holds_nobody_up(
    clinic: Clinic, key: str, monkeypatch: pytest.MonkeyPatch, place: Path, fresh: Settings
) -> None:
    backup.make(clinic)
    is_back = threading.Event()
    ship = Carrier.ship

    def hang(carrier: Carrier) -> Position | None:
        is_back.wait()
        return ship(carrier)

    monkeypatch.setattr(Carrier, "ship", hang)
    work(clinic, 3)  # returns although nothing is there
    journal = attachment.attached()
    assert journal is not None
    assert journal.shipper.set_aside == "place_slow"
    assert shipped() < newest_number()
    is_back.set()
    work(clinic, 1, seed=2)
    while journal.shipper.set_aside:
        pass  # the test's own limit of time
    database.close()
    assert backup.restore(place, key, fresh, because=WHY).counts["visit"] == 4


def test_records_are_synced_before_they_are_acknowledged(
    clinic: Clinic, key: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: dict[int, int] = {}

    def sync(handle: int) -> None:
        status = os.fstat(handle)
        synced[status.st_ino] = status.st_size
        real(handle)

    real = os.fsync
    monkeypatch.setattr(os, "fsync", sync)
    backup.make(clinic)
    for seed in range(4):
        work(clinic, 1, seed=seed)
        (segment,) = segments_in(place, clinic.settings.facility_code)
        status = segment.path.stat()
        assert synced[status.st_ino] == status.st_size


def test_what_a_killed_process_left_is_shipped_by_the_next(
    clinic: Clinic, key: str, place: Path, fresh: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup.make(clinic)
    journal = attachment.attached()
    assert journal is not None
    journal.shipper.stop()
    with monkeypatch.context() as patch:
        patch.setattr(journal.shipper, "wait", lambda position: None)  # ends between commit and shipping
        work(clinic, 3)
    attachment.detach()
    database.close()
    again = Clinic.open(clinic.settings)
    work(again, 1, seed=2)
    assert shipped() == newest_number()
    database.close()
    assert backup.restore(place, key, fresh, because=WHY).counts["visit"] == 4


WRITER = """
import sys
from pathlib import Path
from core.foundation import state
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
Clinic.open(Settings(home=Path(sys.argv[1]), journal_dir=sys.argv[2]), migrates=False)
for number in range(15):
    state.note(f"{sys.argv[3]}-{number}", number=number)
"""


def test_processes_write_one_line_between_them(
    clinic: Clinic, key: str, place: Path, fresh: Settings
) -> None:
    backup.make(clinic)
    begun = newest_number()
    arguments = [sys.executable, "-c", WRITER, str(clinic.settings.home), str(place)]
    others = [subprocess.Popen([*arguments, name]) for name in ("one", "two")]
    for number in range(15):
        state.note(f"here-{number}", number=number)
    assert [process.wait() for process in others] == [0, 0]
    assert newest_number() == begun + 45
    assert journal_status.examine(clinic.settings) == JournalStatus(is_on_first_disk=True)
    before = rows_of(file_of(clinic.settings))
    database.close()
    backup.restore(place, key, fresh, because=WHY)
    assert rows_of(file_of(fresh)) == before


def test_the_closing_proves_the_journal(clinic: Clinic, key: str) -> None:
    backup.make(clinic)
    work(clinic, 4)
    done = closing_actions.make_backup(clinic, DAY)
    assert done.problems == []
    assert done.detail["journal"] >= 4


def test_a_spool_that_is_full_ends_the_line_and_the_counters_go_on(
    clinic: Clinic, key: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup.make(clinic)
    monkeypatch.setattr(capture, "SPOOL_BYTES", 4096)
    monkeypatch.setattr(capture, "LOOKED_EVERY", 1)
    place.rename(tmp_path / "unplugged")
    work(clinic, 12)
    assert positions.read(database.connection()) is None
    assert database.execute_sql("SELECT COUNT(*) FROM journal_record").fetchone()[0] == 0
    assert not journal_status.base_is_due()  # not before the place is back
    (tmp_path / "unplugged").rename(place)
    assert journal_status.base_is_due()
    backup.make(clinic, "journal")
    assert journal_status.examine(clinic.settings) == JournalStatus(is_on_first_disk=True)


def test_the_journal_goes_with_the_backups_that_it_goes_on_from(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "SEGMENT_BYTES", 1)  # a file for each record
    settings = Settings(home=tmp_path / "first", journal_dir=str(place), backup_keep_daily=2)
    clinic = Clinic.open(settings)
    backup.create_recovery_key(settings.home)
    try:
        at, first = clock.now(), 0
        for day in range(4):
            later = at + timedelta(days=day)
            with clock.frozen(lambda: later):  # noqa: B023
                made = backup.make(clinic, "closing")
                first = first if day < 2 else first or made.number
                work(clinic, 2, seed=day)
        kept = [segment.first for segment in segments_in(place, settings.facility_code)]
        assert kept == list(range(first + 1, newest_number() + 1))
        line = made.line
        with transaction():
            positions.end_line(database.connection())
        with clock.frozen(lambda: at + timedelta(days=4)):
            backup.make(clinic, "closing")
        with clock.frozen(lambda: at + timedelta(days=5)):
            backup.make(clinic, "closing")
        assert line not in {segment.line for segment in segments_in(place, settings.facility_code)}
    finally:
        attachment.detach()
        database.close()


def test_a_line_without_its_base_is_not_said_to_be_in_step(clinic: Clinic, key: str, place: Path) -> None:
    # Found by `bench.disk_dies`: the disk died while the base was being made, and the metrics had said "nothing waits".
    attachment.prepare_base(adopts=True)
    work(clinic, 2)
    assert shipped() == newest_number()
    assert journal_status.base_is_due()
    assert journal_status.lag() == -1
    backup.make(clinic)
    assert not journal_status.base_is_due()
    assert journal_status.lag() == 0
    with transaction():
        attachment.end_line(database.obj)
    assert journal_status.lag() == -1
