"""Clinics' tokens end, and wrong guesses are counted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import peewee

from core.foundation.database import InstantField

DAYS = 365


def up(migrator: Any, db: peewee.Database) -> None:
    """Let the tokens that there are end in a year."""
    ends = (datetime.now(UTC) + timedelta(days=DAYS)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    db.execute_sql("ALTER TABLE office_clinic ADD COLUMN token_ends_at TEXT")
    mark = "?" if isinstance(db, peewee.SqliteDatabase) else "%s"
    db.execute_sql(f"UPDATE office_clinic SET token_ends_at = {mark}", (ends,))  # noqa: S608  # its own mark for a value

    class OfficeFailure(peewee.Model):
        id = peewee.AutoField()
        source = peewee.CharField(max_length=64)
        at = InstantField()

        class Meta:
            database = db
            table_name = "office_failure"
            indexes = ((("source", "at"), False),)

    db.create_tables([OfficeFailure])
