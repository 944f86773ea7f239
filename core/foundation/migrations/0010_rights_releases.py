"""Rights of roles as data, releases of locked records, and when a result was first entered."""

from peewee import *

from core.foundation.database import FlagField, InstantField


def up(migrator, db):
    class Stub(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db

    class Account(Stub):
        class Meta:
            table_name = "account"

    class Visit(Stub):
        class Meta:
            table_name = "visit"

    class RightsChange(Model):
        id = CharField(primary_key=True, max_length=36)
        role = CharField(max_length=16)
        permission = CharField(max_length=24)
        granted = FlagField()
        reason = CharField(max_length=200)
        requested_at = InstantField()
        requested_by = ForeignKeyField(Account)
        decided_at = InstantField(null=True)
        decided_by = ForeignKeyField(Account, null=True)
        outcome = CharField(max_length=12, null=True)

        class Meta:
            database = db
            table_name = "rights_change"

    class RolePermission(Model):
        role = CharField(max_length=16)
        permission = CharField(max_length=24)
        granted = FlagField()
        change = ForeignKeyField(RightsChange)

        class Meta:
            database = db
            table_name = "role_permission"
            primary_key = CompositeKey("role", "permission")

    class RecordRelease(Model):
        id = CharField(primary_key=True, max_length=36)
        visit = ForeignKeyField(Visit)
        cluster = CharField(max_length=12, null=True)
        reason = CharField(max_length=200)
        released_at = InstantField()
        released_by = ForeignKeyField(Account)
        until = InstantField()

        class Meta:
            database = db
            table_name = "record_release"

    db.create_tables([RightsChange, RolePermission, RecordRelease])
    migrator.migrate(migrator.add_column("order", "first_resulted_at", InstantField(null=True)))
    db.execute_sql('UPDATE "order" SET first_resulted_at = resulted_at')
