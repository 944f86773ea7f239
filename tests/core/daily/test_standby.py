"""A second machine follows the journal by its folder, takes over, and the old core learns of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from core.daily import backup, superseded
from core.daily.backup import journal_status, rebuilding
from core.daily.standby import following, promotion
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.foundation.errors import BackupError, DatabaseError, JournalError
from core.foundation.journal import attachment, epochs, standbys
from core.foundation.journal.epoch_places import EpochPlaces
from core.models import AuditEvent, Change, TicketCounter, Visit
from tests.core.daily.test_journal import file_of, rows_of, work

WHY = "the machine does not start any more"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "second"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(tmp_path: Path, place: Path) -> Settings:
    return Settings(home=tmp_path / "first", journal_dir=str(place))


@pytest.fixture
def clinic(settings: Settings) -> Iterator[Clinic]:
    yield Clinic.open(settings)
    attachment.detach()
    database.close()


@pytest.fixture
def key(clinic: Clinic) -> str:
    sheet = backup.create_recovery_key(clinic.settings.home)
    work(clinic, 1, seed=99)
    backup.make(clinic)
    return sheet


@pytest.fixture
def laptop(tmp_path: Path, place: Path) -> Settings:
    return Settings(home=tmp_path / "laptop", journal_dir=str(place))


@pytest.fixture
def paired(clinic: Clinic, key: str, laptop: Settings, place: Path) -> Settings:
    following.pair(laptop, place, key, "laptop")
    return laptop


def copy_of(settings: Settings) -> Path:
    return next((settings.home / standbys.FOLDER).glob("*/loket.sqlite3"))


def leave(clinic: Clinic) -> None:
    """Let the core's machine go, as far as one process can."""
    attachment.detach()
    database.close()


def test_it_holds_every_table_as_the_core_does(clinic: Clinic, paired: Settings) -> None:
    work(clinic, 6)
    standing = following.catch_up(paired)
    assert (standing.applied, standing.waiting, standing.is_new_base) == (6, 0, False)
    assert rows_of(copy_of(paired)) == rows_of(file_of(clinic.settings))
    assert following.catch_up(paired).applied == 0


def test_the_recovery_key_is_not_kept_and_no_new_base_asks_for_it(
    clinic: Clinic, paired: Settings, key: str
) -> None:
    secret = key.splitlines()[-1].encode()
    for seed in range(1, 4):
        work(clinic, 3, seed=seed)
        backup.make(clinic)  # each with a new secret
        following.catch_up(paired)
        with transaction():
            attachment.end_line(database.obj)
        backup.make(clinic)  # and another line
        work(clinic, 2, seed=seed + 10)
        standing = following.catch_up(paired)
        assert (standing.is_new_base, standing.applied) == (True, 2)
        assert rows_of(copy_of(paired)) == rows_of(file_of(clinic.settings))
    assert [file for file in paired.home.rglob("*") if file.is_file() and secret in file.read_bytes()] == []


def test_a_look_that_is_cut_off_changes_nothing_and_the_next_goes_on(
    clinic: Clinic, paired: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(clinic, 5)
    before, apply, seen = rows_of(copy_of(paired)), rebuilding._apply, []

    def cut_off(opened: object, record: object) -> None:
        seen.append(record)
        if len(seen) == 3:
            raise KeyboardInterrupt
        apply(opened, record)  # type: ignore[arg-type]

    monkeypatch.setattr(rebuilding, "_apply", cut_off)
    with pytest.raises(KeyboardInterrupt):
        following.catch_up(paired)
    monkeypatch.undo()
    assert rows_of(copy_of(paired)) == before
    assert following.catch_up(paired).applied == 5
    assert rows_of(copy_of(paired)) == rows_of(file_of(clinic.settings))


def test_the_core_is_told_how_far_it_is(clinic: Clinic, paired: Settings) -> None:
    work(clinic, 4)
    following.catch_up(paired)
    work(clinic, 3, seed=2)
    status = journal_status.examine(clinic.settings)
    assert status is not None
    assert [(lag.name, lag.actions) for lag in status.standbys] == [("laptop", 3)]
    assert journal_status.standbys_lag() == 3
    following.catch_up(paired)
    assert journal_status.standbys_lag() == 0


def test_whoever_can_write_into_the_folder_gets_no_key_by_it(
    clinic: Clinic, paired: Settings, place: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    standbys.pair(place, theirs, "theirs", _stranger())
    assert len(list(place.glob("standby-*.pairing"))) == 2
    assert len(standbys.recipients(place, clinic.settings.home)) == 1


def _stranger() -> str:
    import pyrage

    return str(pyrage.x25519.Identity.generate().to_public())


def test_nobody_is_served_from_it(clinic: Clinic, paired: Settings) -> None:
    leave(clinic)
    with pytest.raises(DatabaseError) as refused:
        Clinic.open(paired)
    assert refused.value.code == "standby"


def test_it_is_no_standby_where_a_clinic_is(clinic: Clinic, key: str, place: Path) -> None:
    with pytest.raises(DatabaseError) as refused:
        following.pair(clinic.settings, place, key, "here")
    assert refused.value.code == "clinic_exists"


def test_the_wrong_recovery_key_pairs_nothing(
    clinic: Clinic, key: str, laptop: Settings, place: Path
) -> None:
    import pyrage

    wrong = f"{key.splitlines()[0]}\n{pyrage.x25519.Identity.generate()}"
    with pytest.raises(BackupError):
        following.pair(laptop, place, wrong, "laptop")
    assert not following.is_paired(laptop.home)
    following.pair(laptop, place, key, "laptop")
    assert following.is_paired(laptop.home)


def test_promoted_it_is_the_core_with_all_and_the_numbers_go_on(
    clinic: Clinic, paired: Settings, place: Path
) -> None:
    day = clinic.today()
    work(clinic, 4)
    with transaction():
        TicketCounter.insert(cluster="GIGI", service_on=day, last_number=17).execute()
    before = rows_of(file_of(clinic.settings))
    leave(clinic)
    done = promotion.promote(paired, WHY, "test")
    assert done.epoch == 1
    core = Clinic.open(paired)
    with connection():
        counter = TicketCounter.get(TicketCounter.cluster == "GIGI", TicketCounter.service_on == day)
        assert counter.last_number == 17
        actions = [row.action for row in AuditEvent.select().order_by(AuditEvent.sequence.desc()).limit(2)]
        assert "promoted" in actions
    after = rows_of(file_of(paired))
    assert {table for table in before if before[table] != after[table]} == {"audit_event"}
    assert not following.is_paired(paired.home)
    assert standbys.notes(place) == []
    backup.make(core, "journal")  # as the server does at its start
    work(core, 2, seed=9)
    assert journal_status.examine(paired) == journal_status.JournalStatus("", True)
    leave(core)


def test_the_old_core_refuses_what_it_saves_and_its_next_start(
    clinic: Clinic, paired: Settings, settings: Settings
) -> None:
    work(clinic, 2)
    begun = EpochPlaces(settings).begin(0, "2026-03-02T01:00:00.000000Z")
    assert begun.epoch == 1
    with pytest.raises(DatabaseError) as refused:
        work(clinic, 1, seed=2)
    assert refused.value.code == "superseded"
    with pytest.raises(DatabaseError), transaction():
        pass
    leave(clinic)
    for migrates in (True, False):
        with pytest.raises(DatabaseError) as refused:
            Clinic.open(settings, migrates=migrates)
        assert refused.value.code == "superseded"


def test_what_the_old_core_saved_without_the_folder_is_listed_not_merged(
    clinic: Clinic, paired: Settings, settings: Settings, place: Path
) -> None:
    _save(clinic, 3)
    following.catch_up(paired)
    held = _visits(clinic)
    away = place.with_name("unplugged")
    place.rename(away)
    _save(clinic, 2, seed=5)  # the first waits half a second, then the place is set aside
    left = _visits(clinic) - held
    leave(clinic)  # it goes before the place is back
    away.rename(place)
    promotion.promote(paired, WHY)
    with pytest.raises(DatabaseError) as refused:
        Clinic.open(settings)  # it meets the epoch now
    assert refused.value.code == "superseded"
    found = superseded.left_behind(settings)
    assert len(found.rows) == len(left) == 2
    assert found.file is not None
    assert found.file.stat().st_mode & 0o777 == 0o600
    text = found.file.read_text("utf-8-sig")
    assert all(row.name in text for row in found.rows)
    with closing(apsw.Connection(str(file_of(paired)))) as opened:
        assert {visit for (visit,) in opened.execute("SELECT id FROM visit")} == held


def _save(clinic: Clinic, number: int, seed: int = 1) -> None:
    """Record visits that the feed tells of."""
    before = _visits(clinic)
    work(clinic, number, seed=seed)
    for visit in sorted(_visits(clinic) - before):
        with transaction():
            Change.create(kind="entry", visit=visit, data={}, at=clock.now())


def _visits(clinic: Clinic) -> set[str]:
    with connection():
        return {visit.id for visit in Visit.select()}


def test_where_nobody_took_over_nothing_is_listed(clinic: Clinic) -> None:
    leave(clinic)
    with pytest.raises(BackupError) as refused:
        superseded.left_behind(clinic.settings)
    assert refused.value.reason == "not_superseded"


def test_a_promotion_that_was_cut_off_is_done_again(
    clinic: Clinic, paired: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(clinic, 3)
    before = rows_of(file_of(clinic.settings))["visit"]
    leave(clinic)
    for step in ("_prepare_home", "_prepare_copy", "_put_in_place"):
        with monkeypatch.context() as patched:
            patched.setattr(promotion, step, _cut_off)
            with pytest.raises(KeyboardInterrupt):
                promotion.promote(paired, WHY)
        with pytest.raises(DatabaseError):
            Clinic.open(paired)
    promotion.promote(paired, WHY)
    assert rows_of(file_of(paired))["visit"] == before
    leave(Clinic.open(paired))


def _cut_off(*_: object) -> None:
    raise KeyboardInterrupt


def test_the_core_that_was_promoted_stays_it_after_a_restore_to_an_earlier_moment(
    clinic: Clinic, paired: Settings, key: str, place: Path
) -> None:
    work(clinic, 2)
    leave(clinic)
    base = next(place.glob("loket-*.age"))
    promotion.promote(paired, WHY)
    backup.restore(base, key, paired, aim=backup.BACKUP_ALONE, because=WHY)
    leave(Clinic.open(paired))


def test_who_took_over_is_never_guessed(place: Path) -> None:
    (place / epochs.FILE).write_text("{half")
    with pytest.raises(JournalError):
        epochs.newer(place, 0)


def test_no_base_takes_the_place_of_another_machines_of_the_same_second(
    clinic: Clinic, paired: Settings, place: Path
) -> None:
    now = clock.now()
    with clock.frozen(lambda: now):
        work(clinic, 2)
        backup.make(clinic, "journal")
        first = {file.name: file.read_bytes() for file in place.glob("loket-*.age")}
        leave(clinic)
        promotion.promote(paired, WHY)
        core = Clinic.open(paired)
        backup.make(core, "journal")
        backup.make(core, "hand")
    leave(core)
    there = {file.name: file.read_bytes() for file in place.glob("loket-*.age")}
    assert len(there) >= len(first) + 2
    assert {name: there[name] for name in first} == first


def test_a_third_machine_follows_the_one_that_took_over(
    clinic: Clinic, paired: Settings, key: str, place: Path, tmp_path: Path
) -> None:
    third = Settings(home=tmp_path / "third", journal_dir=str(place))
    following.pair(third, place, key, "third")
    work(clinic, 2)
    leave(clinic)
    promotion.promote(paired, WHY)
    core = Clinic.open(paired)
    backup.make(core, "journal")
    work(core, 3, seed=4)
    standing = following.catch_up(third)
    # Over into the line of the one that took over, record by record: no base has to be opened.
    assert (standing.is_new_base, standing.waiting) == (False, 0)
    assert rows_of(copy_of(third)) == rows_of(file_of(paired))
    leave(core)
    assert promotion.promote(third, WHY).epoch == 2
    leave(Clinic.open(third))


def test_a_backup_of_before_a_promotion_makes_a_core_only_where_the_other_machine_is_off(
    clinic: Clinic, paired: Settings, key: str, place: Path, tmp_path: Path
) -> None:
    work(clinic, 3)
    (before,) = place.glob("loket-*.age")
    leave(clinic)
    promotion.promote(paired, WHY)
    fresh = Settings(home=tmp_path / "fresh", journal_dir=str(place))
    with pytest.raises(BackupError, match="taken_over"):
        backup.restore(before, key, fresh, because=WHY)
    assert not file_of(fresh).exists()
    assert epochs.kept(fresh.home) == 0
    with backup.prepared(before, key, fresh) as ready:
        ready.restore(WHY, old_is_off=True)
    again = Clinic.open(fresh)
    work(again, 1, seed=7)
    backup.make(again)
    with connection():
        assert epochs.own(database.connection()) == 2
    leave(again)
    with pytest.raises(DatabaseError, match="superseded"):
        Clinic.open(paired)
    leave(again)
    # What is restored once more on the same data folder is that core's own.
    backup.restore(before, key, fresh, because=WHY)
    assert Clinic.open(fresh)
    leave(again)
