"""What a clock that ran ahead leaves behind once it was set right: nothing that rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.accounts import doors, sign_ins
from core.accounts.service import create_account
from core.daily import backup, closing
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Role
from core.foundation.database import connection
from core.foundation.errors import NotSignedInError
from core.models import Token
from server import scheduler
from tests.core.days import open_clinic

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PASSWORD = "sebuah kalimat panjang"
YEAR = timedelta(days=365)


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    opened = open_clinic(tmp_path / "clinic")
    backup.create_recovery_key(opened.settings.home)
    with connection():
        create_account("rina", "Rina", Role.CLERK, PASSWORD)
    return opened


def signed_in() -> str:
    with connection():
        return sign_ins.sign_in("rina", PASSWORD, hours=12)[0]


@pytest.mark.parametrize(
    ("ahead", "is_good"),
    [(timedelta(), True), (timedelta(hours=1), True), (timedelta(hours=3), False), (YEAR, False)],
)
def test_a_sign_in_of_that_time_ends_with_it(clinic: Clinic, ahead: timedelta, is_good: bool) -> None:
    with clock.frozen(lambda: NOW + ahead):
        secret = signed_in()
    with clock.frozen(lambda: NOW), connection():
        if is_good:
            assert sign_ins.authenticate(secret).username == "rina"
            return
        with pytest.raises(NotSignedInError):
            sign_ins.authenticate(secret)
        scheduler._look_at_tokens(clinic)
    then = NOW + ahead + timedelta(minutes=1)
    with clock.frozen(lambda: then), connection(), pytest.raises(NotSignedInError):
        sign_ins.authenticate(secret)


def test_the_servers_door_goes_on_and_gets_a_credential_of_the_right_time(clinic: Clinic) -> None:
    file = clinic.settings.door_token_file
    with clock.frozen(lambda: NOW + YEAR):
        scheduler._look_at_tokens(clinic)
    made_ahead = file.read_text().strip()
    with clock.frozen(lambda: NOW), connection():
        assert sign_ins.authenticate(made_ahead).role is Role.DOOR
        assert not doors.is_fresh(made_ahead)
        scheduler._look_at_tokens(clinic)
        renewed = file.read_text().strip()
        assert doors.is_fresh(renewed)
        assert Token.get(Token.token_hash == sign_ins.hash_of(renewed)).expires_at < NOW + YEAR


def test_status_and_backups_of_that_time_do_not_count_as_the_newest(clinic: Clinic) -> None:
    with clock.frozen(lambda: NOW + YEAR), connection():
        closing.run(clinic)
    with clock.frozen(lambda: NOW), connection():
        real = closing.run(clinic)
        assert closing.status(clinic).day == real.day == clinic.today()
        made = backup.make(clinic, "hand")
        assert backup.list_backups(clinic)[0].path == made.path
        assert closing.missed_day(clinic) is None
