"""Rows of imported lists that wait for a person to mend them."""

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

    class Patient(Stub):
        class Meta:
            table_name = "patient"

    class SetAsideRow(Stub):
        list_name = CharField(max_length=120)
        line = IntegerField()
        values = DocumentField()
        reasons = DocumentField()
        alike = ForeignKeyField(Patient, null=True)
        set_aside_at = InstantField()
        set_aside_by = ForeignKeyField(Account)
        settled_at = InstantField(null=True, index=True)
        settled_by = ForeignKeyField(Account, null=True)
        outcome = CharField(max_length=12, null=True)
        reason = CharField(max_length=200, default="")
        patient = ForeignKeyField(Patient, null=True)

        class Meta:
            table_name = "set_aside_row"

    db.create_tables([SetAsideRow])
