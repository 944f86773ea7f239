"""The end of each clinic's audit log, as it was told last."""

from typing import Any

import peewee


def up(migrator: Any, db: peewee.Database) -> None:
    """Add what is kept of it."""
    for column in ("audit_count BIGINT NOT NULL DEFAULT 0", "audit_hash VARCHAR(64) NOT NULL DEFAULT ''"):
        db.execute_sql(f"ALTER TABLE office_clinic ADD COLUMN {column}")
    db.execute_sql("ALTER TABLE office_clinic ADD COLUMN audit_refused_at TEXT")
