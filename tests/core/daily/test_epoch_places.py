"""A promotion is met by every door, wherever its epoch stands: beside the backup, on the second disk, in the data folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.daily import backup, moving, superseded, upgrading
from core.daily.standby import following, promotion
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.foundation.errors import BackupError, DatabaseError
from core.foundation.journal import attachment, epochs
from core.foundation.journal.epoch_places import EpochPlaces
from core.models import TicketCounter
from tests.core.daily.test_journal import file_of, work

WHY = "the machine does not start any more"


class Machines:
    """A clinic whose core was taken over by a laptop, and the disks that each of them saw."""

    def __init__(self, folder: Path) -> None:
        self.place, self.second = folder / "place", folder / "second"
        for made in (self.place, self.second):
            made.mkdir()
        self.first = Settings(
            home=folder / "first", journal_dir=str(self.place), backup_second=str(self.second)
        )
        self.laptop = Settings(home=folder / "laptop", journal_dir=str(self.place))
        clinic = Clinic.open(self.first)
        self.key = backup.create_recovery_key(clinic.settings.home)
        work(clinic, 1, seed=99)
        with transaction():
            TicketCounter.insert(cluster="GIGI", service_on=clinic.today(), last_number=17).execute()
        backup.make(clinic)
        self.before = next(self.place.glob("loket-*.age"))
        following.pair(self.laptop, self.place, self.key, "laptop")
        work(clinic, 2)
        leave()

    def move(self) -> None:
        promotion.promote(self.laptop, WHY)


def leave() -> None:
    attachment.detach()
    database.close()


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    yield Machines(tmp_path)
    leave()


def carried(machines: Machines, folder: Path) -> Path:
    """Return the backup on a disk that is mounted elsewhere, with what stood beside it."""
    shutil.copytree(machines.place, folder)
    return folder / machines.before.name


def test_a_backup_disk_that_is_mounted_elsewhere_tells_of_the_promotion(
    machines: Machines, tmp_path: Path
) -> None:
    machines.move()
    before = carried(machines, tmp_path / "carried")
    for settings in (
        Settings(home=tmp_path / "fresh"),
        Settings(home=tmp_path / "fresh", journal_dir=str(tmp_path / "not-there")),
    ):
        for file in (before, before.parent):
            with pytest.raises(BackupError, match="taken_over"):
                backup.restore(file, machines.key, settings, because=WHY)
    assert not file_of(Settings(home=tmp_path / "fresh")).exists()


def test_who_takes_over_by_a_restore_tells_every_place(machines: Machines, tmp_path: Path) -> None:
    machines.move()
    before = carried(machines, tmp_path / "carried")
    fresh = Settings(
        home=tmp_path / "fresh", journal_dir=str(machines.place), backup_second=str(machines.second)
    )
    with backup.prepared(before, machines.key, fresh) as ready:
        ready.restore(WHY, old_is_off=True)
    for folder in (machines.place, machines.second, before.parent):
        assert [known.epoch for known in epochs.promotions(folder)] == [1, 2]
        assert epochs.promotions(folder)[-1].is_settled
    leave()
    with pytest.raises(DatabaseError, match="superseded"):
        Clinic.open(machines.laptop)
    assert Clinic.open(fresh)


def the_start(settings: Settings) -> object:
    return Clinic.open(settings)


def a_command(settings: Settings) -> object:
    return Clinic.open(settings, migrates=False)


def the_rollback(settings: Settings) -> object:
    return upgrading.way_back(settings)


def the_upgrade(settings: Settings) -> object:
    return upgrading.upgrade(settings)


def the_move(settings: Settings) -> object:
    return moving.move_clinic(settings, f"sqlite:///{settings.home / 'other.sqlite3'}")


@pytest.mark.parametrize("door", [the_start, a_command, the_rollback, the_upgrade, the_move])
def test_every_door_of_the_old_core_asks_every_place(
    machines: Machines, door: Callable[[Settings], object]
) -> None:
    # The journal's setting was taken out; only the second disk for backups, plugged in again, knows.
    machines.move()
    shutil.copy(machines.place / epochs.FILE, machines.second)
    old = machines.first.model_copy(update={"journal_dir": ""})
    with pytest.raises(DatabaseError, match="superseded"):
        door(old)
    leave()
    assert epochs.superseded_by(old.home) is not None
    assert not (old.home / "other.sqlite3").exists()
    (machines.second / epochs.FILE).unlink()
    with pytest.raises(DatabaseError, match="superseded"):  # it is remembered
        Clinic.open(old)


def test_the_old_cores_own_memory_is_asked_before_a_restore(machines: Machines, tmp_path: Path) -> None:
    machines.move()
    with pytest.raises(DatabaseError, match="superseded"):
        Clinic.open(machines.first)
    leave()
    alone = tmp_path / "alone"
    alone.mkdir()
    before = Path(shutil.copy(machines.before, alone))
    away = machines.first.model_copy(update={"journal_dir": "", "backup_second": ""})
    with pytest.raises(BackupError, match="taken_over"):
        backup.restore(before, machines.key, away, because=WHY)
    (away.home / epochs.SUPERSEDED).write_text("{half")
    with pytest.raises(BackupError, match="taken_over"):
        backup.restore(before, machines.key, away, because=WHY)


def test_a_backup_tells_the_other_places_what_one_of_them_knows(machines: Machines) -> None:
    machines.move()
    core = Clinic.open(machines.laptop.model_copy(update={"backup_second": str(machines.second)}))
    backup.make(core, "journal")
    own = machines.laptop.home / "backups"
    assert epochs.promotions(machines.second) == epochs.promotions(own) == epochs.promotions(machines.place)


def test_another_clinics_promotion_on_the_same_disk_says_nothing(machines: Machines) -> None:
    EpochPlaces(machines.first).begin(6, "2026-03-02T01:00:00.000000Z", "another-clinic")
    assert Clinic.open(machines.first)
    leave()
    machines.move()
    assert [(known.epoch, known.machine) for known in epochs.promotions(machines.place)] == [
        (1, "laptop"),
        (7, ""),
    ]
    with pytest.raises(DatabaseError, match="superseded"):
        Clinic.open(machines.first)


def test_a_broken_second_disk_does_not_close_the_clinic_but_stops_a_restore(machines: Machines) -> None:
    (machines.second / epochs.FILE).write_text("{half")
    assert Clinic.open(machines.first)
    leave()
    with pytest.raises(BackupError, match="place_failed"):
        backup.restore(machines.before, machines.key, machines.first, because=WHY)


def test_a_standby_that_holds_nothing_of_a_later_core_leaves_numbers_out(
    machines: Machines, tmp_path: Path
) -> None:
    third = Settings(home=tmp_path / "third", journal_dir=str(machines.place))
    following.pair(third, machines.place, machines.key, "third")
    assert promotion.later_core(third) is None
    machines.move()
    found = promotion.later_core(third)
    assert found is not None
    assert found.machine == "laptop"
    promotion.promote(third, WHY)
    clinic = Clinic.open(third)
    with connection():
        counter = TicketCounter.get(
            TicketCounter.cluster == "GIGI", TicketCounter.service_on == clinic.today()
        )
    assert counter.last_number == 17 + 20


def test_a_list_of_before_there_were_clinics_in_it_is_read(machines: Machines) -> None:
    old = {"epoch": 1, "at": "2026-03-02T01:00:00.000000Z", "line": "", "number": 0, "newest_change": 4}
    (machines.place / epochs.FILE).write_text(json.dumps([old]))
    with pytest.raises(DatabaseError, match="superseded"):
        Clinic.open(machines.first)
    leave()
    assert superseded.left_behind(machines.first).promotion.epoch == 1
