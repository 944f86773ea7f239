"""Requests that a second person approves; the second factor of an account."""

from peewee import *

from core.foundation.database import DocumentField, InstantField


def up(migrator, db):
    class Stub(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db

    class Account(Stub):
        class Meta:
            table_name = "account"

    class Approval(Model):
        id = CharField(primary_key=True, max_length=36)
        kind = CharField(max_length=12)
        target = CharField(max_length=80)
        reason = CharField(max_length=200)
        detail = DocumentField()
        requested_at = InstantField(index=True)
        requested_by = ForeignKeyField(Account)
        decided_at = InstantField(null=True)
        decided_by = ForeignKeyField(Account, null=True)
        outcome = CharField(max_length=12, null=True)

        class Meta:
            database = db
            table_name = "approval"

    db.create_tables([Approval])
    migrator.migrate(
        migrator.add_column("account", "second_factor", CharField(max_length=64, null=True)),
        migrator.add_column("account", "second_factor_step", IntegerField(null=True)),
    )
