"""The audit log: what a record said after a change, found by record, and closed against changes.

Rows that are there stay as they are; the keyed chain begins with a row of its own at the next start.
"""

from peewee import *

from core.foundation.database import DocumentField, InstantField

TABLE = "audit_event"


def up(migrator, db):
    for column in ("record_version INTEGER", "record_hash VARCHAR(80)"):
        db.execute_sql(f"ALTER TABLE {TABLE} ADD COLUMN {column}")
    db.execute_sql(f"CREATE INDEX audit_event_target ON {TABLE} (target)")
    close_on_sqlite(db) if isinstance(db, SqliteDatabase) else close_on_postgresql(db)

    class Stub(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db

    class Order(Stub):
        class Meta:
            table_name = "order"

    class Account(Stub):
        class Meta:
            table_name = "account"

    class OrderVersion(Model):
        order = ForeignKeyField(Order)
        version = IntegerField()
        data = DocumentField()
        changed_at = InstantField()
        changed_by = ForeignKeyField(Account)

        class Meta:
            database = db
            table_name = "order_version"

    db.create_tables([OrderVersion])


def close_on_sqlite(db):
    for action in ("UPDATE", "DELETE"):
        db.execute_sql(
            f"CREATE TRIGGER {TABLE}_no_{action.lower()} BEFORE {action} ON {TABLE} "
            f"BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END"
        )


def close_on_postgresql(db):
    db.execute_sql(
        f"CREATE FUNCTION {TABLE}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{TABLE} is append-only'; END $$"
    )
    for action in ("UPDATE", "DELETE", "TRUNCATE"):
        each = "STATEMENT" if action == "TRUNCATE" else "ROW"
        db.execute_sql(
            f"CREATE TRIGGER {TABLE}_no_{action.lower()} BEFORE {action} ON {TABLE} "
            f"FOR EACH {each} EXECUTE FUNCTION {TABLE}_is_append_only()"
        )
