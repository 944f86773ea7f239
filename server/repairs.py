"""The doctor's findings that it can mend by itself: nothing that a person has to decide, nothing that loses data.

Each repair is a function of the clinic under the code that a finding names. A repair that finds nothing to do does nothing.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from core.accounts import service as accounts
from core.accounts import sign_ins
from core.daily import backup, closing
from core.daily.backup.retention import drop_plain_copies
from core.exchange import service as synchronisation
from core.foundation import audit, clock, shared_files, signatures
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database, is_sqlite, transaction
from core.foundation.errors import BackupError
from core.models import ALL_TABLES, Patient
from server import first_start

LEFT_HOURS = 24
"""Age from which unfinished files are nobody's any more."""
UNFINISHED = (".work-*", "*.part", "*.new")
"""Patterns of files and folders that work leaves behind only when it is cut off."""
MANY_PATIENTS = 1000
"""Patients from which on searches go by statistics of the tables."""


def open_to_others(settings: Settings) -> list[Path]:
    """Return the secrets, and the data folder, that others on this machine could read."""
    home = settings.home
    files = (
        settings.door_token_file,
        home / "ssh_host_ed25519_key",
        home / first_start.FILE,
        home / signatures.KEY_FILE,
        home / shared_files.KEY_FILE,
        settings.certificate_files.authority_key,
        Path(".env"),
        home,
    )
    return [file for file in files if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077]


def close_to_others(clinic: Clinic) -> None:
    """Let nobody but Loket's user read its secrets."""
    for file in open_to_others(clinic.settings):
        file.chmod(0o700 if file.is_dir() else 0o600)


def leftovers(settings: Settings) -> list[Path]:
    """Return what work that was cut off has left behind, a day ago or longer."""
    folders = {settings.home, settings.home / "backups", settings.daily_folder / "backups"}
    if settings.backup_second:
        folders.add(Path(settings.backup_second))
    oldest = clock.now().timestamp() - LEFT_HOURS * 3600
    found = (path for folder in sorted(folders) for pattern in UNFINISHED for path in folder.glob(pattern))
    return [path for path in found if path.stat().st_mtime < oldest]


def remove_leftovers(clinic: Clinic) -> None:
    """Remove them, and unencrypted copies of the database whose time is over."""
    for path in leftovers(clinic.settings):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    drop_plain_copies(clinic.settings)


def missing_indexes() -> Iterator[tuple[type, object]]:
    """Yield each table with an index of its model that the database does not have."""
    for table in ALL_TABLES:
        there = {tuple(index.columns) for index in database.get_indexes(table._meta.table_name)}
        for index in table._meta.fields_to_index():
            if tuple(part.column_name for part in index._expressions) not in there:
                yield table, index


def lacks_statistics() -> bool:
    """Return whether SQLite plans its searches without having counted a large clinic's tables."""
    if not is_sqlite() or "sqlite_stat1" in database.get_tables():
        return False
    return int(Patient.select().count()) > MANY_PATIENTS


def renew_searches(clinic: Clinic) -> None:
    """Make missing indexes and count the tables: searches are quick again."""
    with connection():
        for _table, index in list(missing_indexes()):
            with transaction():
                database.execute(index)
        database.execute_sql("ANALYZE")


def unreal_sign_ins() -> int:
    """Return how many sign-ins a clock that ran ahead has made."""
    return len(sign_ins.unreal())


def end_unreal_sign_ins(clinic: Clinic) -> None:
    """End them; whoever has one signs in again. The door beside the server gets another credential."""
    with connection():
        sign_ins.end_unreal()
        first_start.renew_door_token(clinic)


def send_again(clinic: Clinic) -> None:
    """Send what waits for the other end."""
    synchronisation.run(clinic)


def make_backup(clinic: Clinic) -> None:
    """Take the newest backup to the second place, or make one where it does not hold everything.

    Raises:
        BackupError: It cannot be made.
    """
    newest = next(iter(backup.list_backups(clinic)), None)
    hours = (clock.now() - newest.made_at).total_seconds() / 3600 if newest else 0
    if newest is None or not newest.verified or not 0 <= hours < LEFT_HOURS:
        newest = backup.make(clinic)
    else:
        newest = backup.take_elsewhere(clinic.settings, replace(newest, problems=()))
    if newest.problems:
        raise BackupError(*newest.problems[0].split(": ", 1))


def close_days(clinic: Clinic) -> None:
    """Close the days that were never wholly closed."""
    closing.run(clinic, send=closing.is_its_turn(clinic))


def protect_log(clinic: Clinic) -> None:
    """Have the database refuse changes of the audit logs again; that it did not stays in them."""
    audit.protect(accounts.system_actor())


REPAIRS: Mapping[str, Callable[[Clinic], None]] = {
    "permissions": close_to_others,
    "leftovers": remove_leftovers,
    "searches": renew_searches,
    "log": protect_log,
    "sign_ins": end_unreal_sign_ins,
    "backup": make_backup,
    "closing": close_days,
    "sync": send_again,
}
"""Code of a finding -> what mends it, in the order in which it is done."""


def mend(clinic: Clinic, codes: Iterable[str], by: str) -> Iterator[tuple[str, Exception | None]]:
    """Do some repairs, one after the other; yield each with why it failed, None when it did not.

    Args:
        clinic: The clinic.
        codes: Names in `REPAIRS`.
        by: Who asked for it, for the audit log.
    """
    wanted = set(codes)
    for code in [code for code in REPAIRS if code in wanted]:
        try:
            REPAIRS[code](clinic)
            with connection():
                audit.record(
                    accounts.system_actor(by),
                    "repaired",
                    "clinic",
                    clinic.settings.facility_code,
                    repair=code,
                )
        except Exception as error:  # the edge of one repair: the others are done all the same
            yield code, error
        else:
            yield code, None
