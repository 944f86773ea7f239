"""What a machine can know of another one that took over: in the doctor, and when an older backup is restored.

And what a clinic that was begun by mistake does to the folder of the real one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from core.daily import backup
from core.daily.standby import following, promotion
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.journal import attachment
from server.doctor import journal_checks
from server.text.translation import speaking
from tests.loket_command import loket


def told(clinic: Clinic) -> str:
    with speaking("en"), connection():
        return " ".join(finding.words for finding in journal_checks.check_journal(clinic))


def test_without_the_folder_the_doctor_says_that_a_promotion_cannot_be_seen(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    clinic = Clinic.open(Settings(home=tmp_path / "home", journal_dir=str(place)))
    try:
        backup.create_recovery_key(clinic.settings.home)
        backup.make(clinic)
        assert "cannot know" not in told(clinic)
        place.rename(tmp_path / "away")
        assert "cannot know whether another one took over" in told(clinic)
        (tmp_path / "away").rename(place)
        assert "cannot know" not in told(clinic)
    finally:
        attachment.detach()
        database.close()


def test_the_command_restores_a_backup_of_before_a_promotion_only_after_the_words(tmp_path: Path) -> None:
    place, laptop = (
        tmp_path / "place",
        Settings(home=tmp_path / "laptop", journal_dir=str(tmp_path / "place")),
    )
    place.mkdir()
    clinic = Clinic.open(Settings(home=tmp_path / "home", journal_dir=str(place)))
    try:
        key = backup.create_recovery_key(clinic.settings.home)
        backup.make(clinic)
        (before,) = place.glob("loket-*.age")
        following.pair(laptop, place, key, "laptop")
    finally:
        attachment.detach()
        database.close()
    promotion.promote(laptop, "the machine is gone")
    sheet = tmp_path / "sheet"
    sheet.write_text(key)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
    environment = plain | {
        "LOKET_HOME": str(tmp_path / "fresh"), "LOKET_JOURNAL_DIR": str(place), "LOKET_LANGUAGE": "en"
    }  # fmt: skip
    words = ("restore", before, "--key", sheet, "--because", "the laptop is gone too")
    refused = loket(*words, environment=environment)
    assert refused.returncode == 1
    assert "--old-is-off" in refused.stderr
    unsure = loket(*words, "--old-is-off", environment=environment, typed="yes\n")
    assert unsure.returncode == 1
    assert not (tmp_path / "fresh" / "loket.sqlite3").exists()
    done = loket(*words, "--old-is-off", environment=environment, typed="the old machine is off\nyes\n")
    assert done.returncode == 0, done.stderr
    told = loket("backup", "now", environment=environment)
    assert told.returncode == 0, told.stdout + told.stderr
    assert (
        "took over"
        in loket("backup", "now", environment=environment | {"LOKET_HOME": str(laptop.home)}).stderr
    )


def test_a_clinic_that_was_begun_by_mistake_does_not_hide_the_real_ones_backup(tmp_path: Path) -> None:
    """Found by walking disaster 3: the service was started before the restore, and made a backup with a key of its own."""
    place = tmp_path / "place"
    place.mkdir()
    keys = []
    for name in ("real", "mistaken"):
        Clinic.open(Settings(home=tmp_path / name))  # the second place was not written down yet
        database.close()
        clinic = Clinic.open(Settings(home=tmp_path / name, backup_second=str(place)))
        try:
            keys.append(backup.create_recovery_key(clinic.settings.home))
            assert not backup.make(clinic).problems
        finally:
            attachment.detach()
            database.close()
        for file in place.glob("loket-*"):  # names tell the second in which they were made
            if name == "real":
                file.rename(file.with_name(re.sub("-[0-9]{8}T", "-20260101T", file.name)))
    sheet = tmp_path / "sheet"
    sheet.write_text(keys[0])
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
    environment = plain | {"LOKET_HOME": str(tmp_path / "fresh"), "LOKET_LANGUAGE": "en"}
    done = loket(
        "restore", place, "--key", sheet, "--because", "the disk died", environment=environment, typed="yes\n"
    )
    assert done.returncode == 0, done.stderr
    assert "1 newer backups of the folder ARE NOT OPENED" in done.stdout
    sheet.write_text(keys[1].splitlines()[0] + "\nAGE-SECRET-KEY-1" + "Q" * 58)
    assert loket("restore", place, "--key", sheet, "--yes", environment=environment).returncode == 1
