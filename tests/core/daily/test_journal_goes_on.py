"""After a restore or a promotion the journal goes on from where that was: nothing waits for a new base, nothing is lost."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.daily import backup
from core.daily.backup import journal_status
from core.daily.backup.journal_ways import Ways
from core.daily.backup.retention import backups_in, drop_journal, rotate
from core.daily.standby import following, promotion
from core.foundation import clock, private_files
from core.foundation.clinic import Clinic
from core.foundation.codes import ApprovalKind
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.foundation.errors import BackupError, DatabaseError
from core.foundation.journal import attachment, epochs, positions, second_place
from core.foundation.journal.frames import segments_in
from core.models import TicketCounter, Visit
from tests.core.daily.test_journal import Rows, file_of, rows_of, work

WHY = "the disk died"


class Place:
    """A second place, its recovery sheet, and the machines that come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "second"
        self.path.mkdir()
        self.first = self.machine("first")
        clinic = Clinic.open(self.first)
        self.facility = self.first.facility_code
        self.key = backup.create_recovery_key(self.first.home)
        work(clinic, 2, seed=99)
        backup.make(clinic)
        work(clinic, 3)

    def machine(self, name: str) -> Settings:
        return Settings(home=self.folder / name, journal_dir=str(self.path))

    def restored(self, name: str, aim: backup.Aim = backup.TO_THE_END) -> Settings:
        """Restore on a new machine."""
        settings = self.machine(name)
        backup.restore(self.path, self.key, settings, aim=aim, because=WHY)
        return settings


def leave() -> None:
    attachment.detach()
    database.close()


def lost(settings: Settings) -> Rows:
    """Let the machine's disk die; return what it held."""
    leave()
    held = rows_of(file_of(settings))
    shutil.rmtree(settings.home)
    return held


def visits() -> int:
    with connection():
        return Visit.select().count()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    yield Place(tmp_path)
    leave()


def test_the_disk_may_die_again_before_there_is_a_new_base(place: Place) -> None:
    held = lost(place.first)
    for number in range(1, 4):
        settings = place.restored(f"machine-{number}")
        assert rows_of(file_of(settings)) == held
        work(Clinic.open(settings), number, seed=number + 20)
        held = lost(settings)
    assert len(list(place.path.glob("loket-*.age"))) == 1
    last = place.restored("last")
    assert rows_of(file_of(last)) == held
    assert visits_in(last) == 2 + 3 + 1 + 2 + 3


def visits_in(settings: Settings) -> int:
    return len(rows_of(file_of(settings))["visit"])


def test_it_is_in_step_from_the_first_moment_on_and_a_base_still_follows(place: Place) -> None:
    lost(place.first)
    settings = place.restored("fresh")
    clinic = Clinic.open(settings)
    assert not journal_status.is_unprotected()
    work(clinic, 2, seed=5)
    found = journal_status.examine(settings)
    assert found is not None
    assert found.problem == ""
    assert journal_status.lag() == 0
    assert journal_status.base_is_due()
    backup.make(clinic, "journal")
    assert not journal_status.base_is_due()
    work(clinic, 2, seed=6)
    held = lost(settings)
    assert rows_of(file_of(place.restored("later"))) == held


def test_what_was_given_up_by_going_back_stays_given_up(place: Place) -> None:
    """A backup and records of after the moment that was gone back to are younger than what it goes on from."""
    moment = clock.now()
    clinic = Clinic.open(place.first)
    with clock.frozen(lambda: moment + timedelta(minutes=10)):
        work(clinic, 4, seed=7)
        backup.make(clinic)
        work(clinic, 1, seed=8)
    past = lost(place.first)
    later = moment + timedelta(minutes=20)
    with clock.frozen(lambda: later):
        settings = place.restored("back", backup.Aim(until=moment))
        clinic = Clinic.open(settings)
        assert visits() == 5
        work(clinic, 2, seed=9)
    held = lost(settings)
    assert rows_of(file_of(place.restored("again"))) == held
    # Before it was gone back, the clinic was where it was.
    until = backup.Aim(until=later - timedelta(minutes=1))
    with backup.prepared(place.path, place.key, place.machine("earlier"), aim=until) as ready:
        ready.restore(WHY, old_is_off=True)
    assert rows_of(file_of(place.machine("earlier")))["visit"] == past["visit"]


def test_going_back_to_before_a_restore_gives_no_number_of_after_it_again(place: Place) -> None:
    moment = clock.now()
    lost(place.first)
    with clock.frozen(lambda: moment + timedelta(minutes=1)):
        settings = place.restored("other")
        day = Clinic.open(settings).today()
        with transaction():
            TicketCounter.insert(cluster="GIGI", service_on=day, last_number=17).execute()
    lost(settings)
    with backup.prepared(
        place.path, place.key, place.machine("third"), aim=backup.Aim(until=moment)
    ) as ready:
        ready.restore(WHY, old_is_off=True)
    Clinic.open(place.machine("third"))
    with connection():
        assert TicketCounter.get(TicketCounter.cluster == "GIGI").last_number == 17


def test_a_standby_follows_over_a_restore(place: Place) -> None:
    following.pair(place.machine("laptop"), place.path, place.key, "laptop")
    lost(place.first)
    settings = place.restored("fresh")
    work(Clinic.open(settings), 3, seed=4)
    standing = following.catch_up(place.machine("laptop"))
    assert (standing.waiting, standing.is_new_base) == (0, False)
    (copy,) = (place.folder / "laptop" / "standby").glob("*/loket.sqlite3")
    assert rows_of(copy) == rows_of(file_of(settings))


def test_who_was_promoted_may_lose_the_disk_before_there_is_a_base(place: Place) -> None:
    laptop = place.machine("laptop")
    following.pair(laptop, place.path, place.key, "laptop")
    lost(place.first)
    promotion.promote(laptop, WHY)
    work(Clinic.open(laptop), 3, seed=4)
    assert not journal_status.is_unprotected()
    held = lost(laptop)
    assert rows_of(file_of(place.restored("fresh"))) == held


def test_the_machine_before_refuses_after_a_restore_elsewhere(place: Place) -> None:
    """It was repaired: nobody had promoted anything, and yet it is not the core any more."""
    leave()
    place.restored("fresh")
    with pytest.raises(DatabaseError, match="superseded"):
        Clinic.open(place.first)
    leave()
    Clinic.open(place.machine("fresh"))


def test_the_machine_before_acknowledges_nothing_that_runs_on(place: Place) -> None:
    running = Clinic.open(place.first)
    place_copy = place.machine("fresh")
    before = visits()
    with backup.prepared(place.path, place.key, place_copy) as ready:
        ready.restore(WHY)
    with pytest.raises(DatabaseError, match="superseded"):
        work(running, 1, seed=8)
    leave()
    Clinic.open(place_copy)
    assert visits() == before


def test_a_restore_that_is_refused_leaves_the_core_what_it_is(place: Place) -> None:
    clinic = Clinic.open(place.first)
    with pytest.raises(BackupError, match="in_use"):
        backup.restore(place.path, place.key, place.first, because=WHY)
    work(clinic, 1, seed=8)
    assert epochs.promotions(place.path) == []


def test_a_restore_that_fails_leaves_the_core_what_it_is(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.daily.backup import restoration

    def fail(*_: object) -> None:
        raise BackupError("disk_full")

    leave()
    monkeypatch.setattr(restoration, "_replace_file", fail)
    with pytest.raises(BackupError, match="disk_full"):
        backup.restore(place.path, place.key, place.first, because=WHY)
    work(Clinic.open(place.first), 1, seed=8)


def test_a_core_that_was_cut_off_in_a_restore_is_the_core_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.daily.backup import restoration

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    leave()
    monkeypatch.setattr(restoration.PreparedRestore, "_put_in_place", end)  # as kill -9 would
    with pytest.raises(KeyboardInterrupt):
        backup.restore(place.path, place.key, place.first, because=WHY)
    work(Clinic.open(place.first), 1, seed=8)
    with connection():
        assert epochs.own(database.obj) == 1


def test_a_backup_from_elsewhere_needs_a_base_first(place: Place) -> None:
    """Its journal is not in the second place of the settings."""
    leave()
    other = place.folder / "other"
    other.mkdir()
    settings = Settings(home=place.folder / "fresh", journal_dir=str(other))
    backup.restore(place.path, place.key, settings, because=WHY)
    Clinic.open(settings)
    assert journal_status.is_unprotected()
    with connection():
        assert positions.read(database.connection()) is None


def test_a_base_stays_while_another_line_rests_on_it(place: Place) -> None:
    lost(place.first)
    settings = place.restored("fresh")
    clinic = Clinic.open(settings)
    work(clinic, 2, seed=4)
    few = settings.model_copy(update={"backup_keep_daily": 1, "backup_keep_monthly": 0})
    (base,) = backups_in(place.path, place.facility)
    elsewhere = backup.BackupInfo(
        **{**base.__dict__, "made_at": clock.now(), "line": "", "made_for": "closing"}
    )
    for _ in range(2):
        rotate(place.path, few, elsewhere)
        drop_journal(few)
    held = lost(settings)
    assert rows_of(file_of(place.restored("again"))) == held
    clinic = Clinic.open(place.machine("again"))
    backup.make(clinic, "closing")
    clinic = Clinic.open(place.machine("again"))
    drop_journal(few)
    held = lost(place.machine("again"))
    assert rows_of(file_of(place.restored("last"))) == held


def test_a_line_that_names_another_past_is_refused(place: Place) -> None:
    """Its first record says in its seal what it goes on from, and changes exactly that."""
    lost(place.first)
    settings = place.restored("fresh")
    Clinic.open(settings)
    leave()
    line = max(segment.line for segment in segments_in(place.path, place.facility))
    (segment,) = segments_in(place.path, place.facility, line)
    origin = Ways(place.path, place.facility).links[line].origin
    content = segment.path.read_bytes()
    forged = content.replace(origin.text().encode(), f"{origin.line}:{origin.number - 1}".encode())
    assert forged != content
    segment.path.write_bytes(forged)
    with pytest.raises(BackupError, match="damaged"):
        place.restored("other")


def test_the_head_of_the_clinic_is_asked_about_each_restore(place: Place) -> None:
    lost(place.first)
    Clinic.open(place.restored("fresh"))
    backup.put_on_list()
    from core.models import Approval

    with connection():
        assert Approval.select().where(Approval.kind == ApprovalKind.RESTORE).count() == 1


def test_a_database_that_cannot_be_read_is_not_called_missing(place: Place) -> None:
    leave()
    file_of(place.first).write_bytes(b"not a database" * 1000)
    seen = backup.preview(place.path, place.key, place.first)
    assert (seen.present_counts, seen.present_unread) == ({}, True)
    assert not backup.preview(place.path, place.key, place.machine("fresh")).present_unread


def test_going_back_into_a_past_that_was_given_up_makes_it_the_present(place: Place) -> None:
    """The younger branch is not the one that the clinic came on."""
    moment = clock.now()
    clinic = Clinic.open(place.first)
    with clock.frozen(lambda: moment + timedelta(minutes=10)):
        work(clinic, 2, seed=7)
    lost(place.first)
    with clock.frozen(lambda: moment + timedelta(minutes=20)):
        back = place.restored("back", backup.Aim(until=moment))
        backup.make(Clinic.open(back))
        work(Clinic.open(back), 1, seed=8)
    leave()
    with clock.frozen(lambda: moment + timedelta(minutes=30)):
        again = place.machine("again")
        until = backup.Aim(until=moment + timedelta(minutes=15))
        with backup.prepared(place.path, place.key, again, aim=until) as ready:
            ready.restore(WHY, old_is_off=True)
        work(Clinic.open(again), 1, seed=9)
        assert visits() == 5 + 2 + 1
    held = lost(again)
    assert rows_of(file_of(place.restored("last"))) == held


@pytest.mark.parametrize("failing", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_second_place_that_takes_nothing_can_be_restored_from_where_the_other_machine_is_off(
    place: Place, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """It is full, or was mounted to be read only: the base and the journal on it are good."""
    held = lost(place.first)
    write = private_files.write_private

    def refuse(file: Path, content: bytes) -> None:
        if file.is_relative_to(place.path):
            raise OSError(failing, os.strerror(failing))
        write(file, content)

    for module in (epochs, second_place):
        monkeypatch.setattr(module, "write_private", refuse)
    with pytest.raises(BackupError, match="place_unwritten"):
        place.restored("fresh")
    assert not file_of(place.machine("fresh")).exists()
    with backup.prepared(place.path, place.key, place.machine("fresh")) as ready:
        ready.restore(WHY, old_is_off=True)
    assert rows_of(file_of(place.machine("fresh"))) == held
    monkeypatch.undo()
    clinic = Clinic.open(place.machine("fresh"))
    assert journal_status.is_unprotected()
    backup.make(clinic)
    work(clinic, 1, seed=60)
    held = lost(place.machine("fresh"))
    assert rows_of(file_of(place.restored("last"))) == held
