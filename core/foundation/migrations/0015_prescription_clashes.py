"""Prescriptions: which one replaces which, which questions were answered, allergies that became known later."""

from peewee import *

from core.foundation.database import DocumentField, InstantField

ANSWERED = [
    "contraindication",
    "dose_too_much",
    "dose_too_little",
    "weight_needed",
    "medicine_twice",
    "interaction",
]
"""All that was written before is taken as answered: the version that took it had asked."""


def up(migrator, db):
    class Stub(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db

    class Account(Stub):
        class Meta:
            table_name = "account"

    class Prescription(Stub):
        class Meta:
            table_name = "prescription"

    def relation(table):
        return ForeignKeyField(table, field=table.id, null=True, backref="+")

    migrator.migrate(
        migrator.add_column("prescription", "confirmed", DocumentField(default=ANSWERED)),
        migrator.add_column("prescription", "replaces_id", relation(Prescription)),
        migrator.add_column("prescription", "clash", CharField(max_length=200, default="")),
        migrator.add_column("prescription", "clash_known_at", InstantField(null=True)),
        migrator.add_column("prescription", "clash_known_by_id", relation(Account)),
    )
