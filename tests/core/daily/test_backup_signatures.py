"""Backups are signed: a planted one is told from the clinic's (C11), and plain copies do not lie about for ever."""

from __future__ import annotations

import json
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.daily import backup
from core.daily.backup import archives, retention
from core.foundation import clock, signatures
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.errors import BackupError
from core.models import AuditEvent
from tests.core.days import BECAUSE, Days, open_clinic

WHY = "found in the drawer of the old machine"


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    opened = open_clinic(tmp_path / "clinic")
    with connection():
        Days(opened).fill(date(2026, 3, 2), 5)
    yield opened
    database.close()


@pytest.fixture
def key(clinic: Clinic) -> str:
    return backup.create_recovery_key(clinic.settings.home)


def secret_of(key: str) -> str:
    return key.splitlines()[-1]


def refused(file: Path, key: str, settings: Settings, because: str = "") -> str:
    with pytest.raises(BackupError) as error:
        backup.restore(file, key, settings, because, because=BECAUSE)
    return str(error.value.reason)


def repacked(file: Path, key: str, folder: Path, change: Callable[[Path], None]) -> Path:
    """The archive of a backup, opened with its key, changed, and encrypted to the same key again."""
    work = folder / "members"
    plain = folder / "plain.tar.gz"
    identity = archives.identity(key)
    plain.write_bytes(pyrage.decrypt(file.read_bytes(), [identity]))
    with tarfile.open(plain) as archive:
        archive.extractall(work, filter="data")
    change(work)
    with tarfile.open(plain, "w:gz") as archive:
        for member in sorted(work.rglob("*")):
            if member.is_file():
                archive.add(member, member.relative_to(work).as_posix())
    planted = folder / file.name
    planted.write_bytes(pyrage.encrypt(plain.read_bytes(), [identity.to_public()]))
    return planted


def without_signature(work: Path) -> None:
    (work / signatures.MEMBER).unlink()


def signed_by_another(work: Path) -> None:
    (work / signatures.MEMBER).unlink()
    parts = [(file, file.relative_to(work).as_posix()) for file in work.rglob("*") if file.is_file()]
    (work / signatures.MEMBER).write_text(signatures.sign(Ed25519PrivateKey.generate(), parts))


def one_account_more(work: Path) -> None:
    data = work / archives.SQLITE_MEMBER
    data.write_bytes(data.read_bytes() + b"\0")


def another_manifest(work: Path) -> None:
    manifest = json.loads((work / archives.MANIFEST).read_text())
    (work / archives.MANIFEST).write_text(json.dumps(manifest | {"facility_code": "P9"}))


def a_form_more(work: Path) -> None:
    (work / "home" / "forms").mkdir(parents=True, exist_ok=True)
    (work / "home" / "forms" / "planted.toml").write_text("x")


def another_claim(work: Path) -> None:
    document = json.loads((work / signatures.MEMBER).read_text())
    document["members"]["home/forms/planted.toml"] = "0" * 64
    (work / signatures.MEMBER).write_text(json.dumps(document))


def no_signature_at_all(work: Path) -> None:
    (work / signatures.MEMBER).write_text("{}")


def test_the_clinics_own_backup_is_restored_here_and_with_the_sheet_elsewhere(
    clinic: Clinic, key: str, tmp_path: Path
) -> None:
    file = Path(backup.make(clinic).path)
    database.close()
    assert backup.restore(file, secret_of(key), clinic.settings, because=BECAUSE).verified
    with backup.prepared(file, key, Settings(home=tmp_path / "fresh")) as ready:
        assert ready.restore(BECAUSE, old_is_off=True).verified  # each restore makes its machine the core
    other = Settings(home=tmp_path / "other")
    assert refused(file, secret_of(key), other) == "signer_unknown"
    assert not (other.home / "loket.sqlite3").exists()
    # The restored machine signs as the same one: the sheet in the drawer stays right.
    assert backup.signer_line(tmp_path / "fresh") == key.splitlines()[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_signature, "unsigned"),
        (signed_by_another, "other_signer"),
        (one_account_more, "damaged"),
        (another_manifest, "damaged"),
        (a_form_more, "damaged"),
        (another_claim, "damaged"),
        (no_signature_at_all, "damaged"),
    ],
)
@pytest.mark.parametrize("place", ["here", "elsewhere"])
def test_a_planted_backup_is_refused(
    clinic: Clinic, key: str, tmp_path: Path, change: Callable[[Path], None], reason: str, place: str
) -> None:
    """C11: it opens with the recovery key, and brings its own accounts, forms or numbers."""
    planted = repacked(Path(backup.make(clinic).path), key, tmp_path, change)
    database.close()
    settings = clinic.settings if place == "here" else Settings(home=tmp_path / "fresh")
    assert refused(planted, key, settings) == reason
    with pytest.raises(BackupError):
        backup.preview(planted, key, settings)


@pytest.mark.parametrize("change", [without_signature, signed_by_another])
def test_words_take_it_all_the_same_and_stand_in_the_audit_log(
    clinic: Clinic, key: str, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    planted = repacked(Path(backup.make(clinic).path), key, tmp_path, change)
    database.close()
    assert refused(planted, key, clinic.settings, "x") == "words_missing"
    assert backup.restore(planted, key, clinic.settings, WHY, because=BECAUSE).verified
    Clinic.open(clinic.settings)
    with connection():
        told = AuditEvent.select().order_by(AuditEvent.sequence.desc()).limit(5)
        assert any(WHY in str(event.detail) for event in told)


def test_no_words_take_a_backup_whose_signature_does_not_fit(
    clinic: Clinic, key: str, tmp_path: Path
) -> None:
    planted = repacked(Path(backup.make(clinic).path), key, tmp_path, one_account_more)
    database.close()
    assert refused(planted, key, clinic.settings, WHY) == "damaged"


def test_the_signers_key_is_private_and_its_fingerprint_short_enough_for_paper(tmp_path: Path) -> None:
    line = backup.signer_line(tmp_path)
    assert line == backup.signer_line(tmp_path)
    assert len(line) == len("# signer ") + 8 * 5 - 1
    assert stat.S_IMODE((tmp_path / signatures.KEY_FILE).stat().st_mode) == 0o600
    (tmp_path / signatures.KEY_FILE).write_text("no key")
    with pytest.raises(BackupError, match="no_signer"):
        backup.signer_line(tmp_path)


@pytest.mark.parametrize("typed", ["# signer: {}", "#signer {}", "# SIGNER {}".replace("SIGNER", "signer")])
def test_the_sheet_may_be_typed_in_small_letters(
    clinic: Clinic, key: str, tmp_path: Path, typed: str
) -> None:
    file = Path(backup.make(clinic).path)
    database.close()
    print_ = key.splitlines()[0].removeprefix("# signer ").lower()
    sheet = f"{typed.format(print_)}\n{secret_of(key)}\n"
    assert backup.restore(file, sheet, Settings(home=tmp_path / "fresh"), because=BECAUSE).verified


def test_plain_copies_of_the_database_go_in_time(clinic: Clinic, key: str) -> None:
    base = clinic.settings.home / "loket.sqlite3"
    kept: list[Path] = []
    gone: list[Path] = []
    for kind, days in retention.PLAIN_COPIES.items():
        for age, where in ((days - 1, kept), (days + 1, gone)):
            for suffix in ("", "-wal"):
                file = base.with_name(f"{base.name}.{kind}-{age}{suffix}")
                file.write_text("patients")
                at = (clock.now() - timedelta(days=age)).timestamp()
                os.utime(file, (at, at))
                where.append(file)
    backup.make(clinic)
    assert all(file.exists() for file in [base, *kept])
    assert not any(file.exists() for file in gone)
