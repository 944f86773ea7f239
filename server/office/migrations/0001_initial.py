"""The first schema, frozen: later steps change it, this file stays."""

from typing import Any

import peewee

from core.foundation.database import DayField, FlagField, InstantField


def up(migrator: Any, db: peewee.Database) -> None:
    """Make the tables."""

    class Clinic(peewee.Model):
        code = peewee.CharField(max_length=32, primary_key=True)
        name = peewee.CharField(max_length=120)
        token_hash = peewee.CharField(max_length=64, unique=True)
        created_at = InstantField()
        disabled_at = InstantField(null=True)
        last_heard_at = InstantField(null=True)
        bundles = peewee.IntegerField(default=0)
        wire_bytes = peewee.BigIntegerField(default=0)
        refused = peewee.IntegerField(default=0)

        class Meta:
            database = db
            table_name = "office_clinic"

    class Resource(peewee.Model):
        id = peewee.AutoField()
        clinic = peewee.ForeignKeyField(Clinic, column_name="clinic")
        type = peewee.CharField(max_length=24)
        value = peewee.CharField(max_length=80)
        body = peewee.TextField()
        digest = peewee.CharField(max_length=64)
        version = peewee.IntegerField(default=1)
        day = DayField(null=True)
        subject = peewee.CharField(max_length=80, null=True)
        code = peewee.CharField(max_length=40, null=True)
        nik = peewee.CharField(max_length=16, null=True)
        wait_minutes = peewee.IntegerField(null=True)
        updated_at = InstantField()

        class Meta:
            database = db
            table_name = "office_resource"
            indexes = (
                (("clinic", "type", "value"), True),
                (("clinic", "day", "type"), False),
                (("type", "code", "day"), False),
            )

    Resource.add_index(
        Resource.index(Resource.nik, where=(Resource.nik.is_null(False)), name="office_resource_nik")
    )

    class Manifest(peewee.Model):
        clinic = peewee.ForeignKeyField(Clinic, column_name="clinic")
        day = DayField()
        agrees = FlagField()
        visits = peewee.IntegerField(default=0)
        audit_hash = peewee.CharField(max_length=64, default="")
        at = InstantField()

        class Meta:
            database = db
            table_name = "office_manifest"
            primary_key = peewee.CompositeKey("clinic", "day")

    db.create_tables([Clinic, Resource, Manifest])
