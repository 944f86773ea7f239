"""What broke in the daily work is told by the doctor, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core import backup, closing
from core.clinic import Clinic
from core.database import connection
from server import words
from server.doctor import Finding, examine
from tests.core.days import Days, open_clinic


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    monkeypatch.setattr(words, "_language", "en")
    made = open_clinic(tmp_path / "clinic", backup_second=str(tmp_path / "disk"), language="en")
    with connection():
        yield made


def told(clinic: Clinic, subject: str) -> list[Finding]:
    return [finding for finding in examine(clinic.settings) if finding.subject == subject]


def test_a_missing_key_and_a_missing_disk_are_told(clinic: Clinic, tmp_path: Path) -> None:
    assert any("recovery key" in finding.words for finding in told(clinic, "backup"))
    backup.create_recovery_key(clinic.settings.home)
    backup.make(clinic)
    partly = [finding.words for finding in told(clinic, "backup") if finding.level == "error"]
    assert any("partly" in text and "second place" in text for text in partly)
    (tmp_path / "disk").mkdir()
    backup.make(clinic)
    assert all(finding.level == "ok" for finding in told(clinic, "backup"))


def test_a_closing_that_failed_or_never_was_is_told(clinic: Clinic, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    yesterday = clinic.today() - timedelta(days=1)
    Days(clinic).fill(yesterday, 2)
    assert "never closed" in told(clinic, "closing")[0].words
    closing.run(clinic)  # without a recovery key
    failed = told(clinic, "closing")[0]
    assert failed.level == "error"
    assert "no_recovery_key" in failed.words
    backup.create_recovery_key(clinic.settings.home)
    closing.run(clinic)
    assert [finding.level for finding in told(clinic, "closing")] == ["ok"]
