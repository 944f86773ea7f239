"""The end of the day on PostgreSQL, clinic and office alike."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from core.daily import backup, closing
from core.daily.backup import archives
from core.exchange import service as synchronisation
from core.foundation import clock
from core.foundation.codes import RunStatus
from core.foundation.database import connection, database, transaction
from core.foundation.errors import BackupError
from core.models import Visit
from tests.core.days import BECAUSE, Days, open_clinic
from tests.core.exchange.test_synchronisation import QUICK, everything
from tests.postgres import new_database
from tests.server.offices import Office

DAY = date(2026, 3, 2)


def test_a_password_is_not_shown_to_who_lists_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "pg_dump"
    tool.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" "$PGPASSWORD" > {tmp_path}/seen\n')
    tool.chmod(0o755)
    archives.postgres_tool(
        [str(tool), "--file=x"], "postgresql://loket:se%2Fcret@db:5433/clinic?sslmode=require"
    )
    assert (tmp_path / "seen").read_text().splitlines() == [
        "--file=x --dbname=postgresql://loket@db:5433/clinic?sslmode=require&connect_timeout=5&keepalives=1"
        "&keepalives_idle=10&keepalives_interval=5&keepalives_count=3&tcp_user_timeout=15000",
        "se/cret",
    ]


def test_closing_backup_restore_and_sending(postgres: str, tmp_path: Path) -> None:
    office = Office(tmp_path / "office", database_url=new_database(postgres))
    clinic = open_clinic(
        tmp_path / "clinic",
        database_url=new_database(postgres),
        office_url=office.fhir,
        office_token=office.token,
    )
    key = backup.create_recovery_key(clinic.settings.home)
    with connection():
        days = Days(clinic)
        days.fill(DAY, 30)
        with clock.frozen(lambda: datetime(2026, 3, 2, 9, tzinfo=UTC)):
            status = closing.run(clinic)
        assert status.status == RunStatus.DONE, status
        assert office.held() == everything(clinic)
        assert synchronisation.run(clinic, pace=QUICK).sent == 0
        (info,) = backup.list_backups(clinic)
        with transaction():
            days.visit(DAY)
    assert backup.verify(Path(info.path), key, clinic.settings).counts["visit"] == 30
    with pytest.raises(BackupError) as refused:
        backup.restore(
            Path(info.path), key, clinic.settings.model_copy(update={"database_url": ""}), because=BECAUSE
        )
    assert refused.value.reason == "other_engine"
    with connection():
        assert Visit.select().count() == 31
        with pytest.raises(BackupError) as refused:  # this session stands for a running server
            backup.restore(Path(info.path), key, clinic.settings, because=BECAUSE)
        assert refused.value.reason == "in_use"
        assert Visit.select().count() == 31
    database.obj.close_all()
    assert backup.restore(Path(info.path), key, clinic.settings, because=BECAUSE).counts["visit"] == 30
    with connection():
        assert Visit.select().count() == 30
    database.obj.close_all()
    # What was there before is kept beside it, and no scratch database is left.
    with psycopg.connect(f"{postgres.rstrip('/')}/postgres") as session:
        names = {row[0] for row in session.execute("SELECT datname FROM pg_database")}
    restored = clinic.settings.database_url.rpartition("/")[2]
    (aside,) = (name for name in names if name.startswith(f"{restored}_2"))  # a name with the day behind it
    assert not any(name.startswith("loket_scratch") for name in names)
    with psycopg.connect(f"{postgres.rstrip('/')}/{aside}") as session:
        assert session.execute("SELECT count(*) FROM visit").fetchone() == (31,)
    office.stop()
