"""Allergies with severity and source, struck out by whom and why; who was asked and has none; overrides."""

from peewee import *

from core.foundation.database import InstantField


def up(migrator, db):
    class Account(Model):
        id = CharField(max_length=36, primary_key=True)

        class Meta:
            database = db
            table_name = "account"

    def person():
        return ForeignKeyField(Account, field=Account.id, null=True, backref="+")

    migrator.migrate(
        migrator.add_column("allergy", "severity", CharField(max_length=12, default="")),
        migrator.add_column("allergy", "source", CharField(max_length=20, default="")),
        migrator.add_column("allergy", "voided_by_id", person()),
        migrator.add_column("allergy", "void_reason", CharField(max_length=200, null=True)),
        migrator.add_column("patient", "no_known_allergies_at", InstantField(null=True)),
        migrator.add_column("patient", "no_known_allergies_by_id", person()),
        migrator.add_column("prescription", "override_reason", CharField(max_length=200, default="")),
        migrator.add_column(
            "prescription", "dispense_override_reason", CharField(max_length=200, default="")
        ),
    )
