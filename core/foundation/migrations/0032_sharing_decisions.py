"""Whether patients let their records go to SATUSEHAT."""

from peewee import *

from core.foundation.database import FlagField, InstantField


def up(migrator, db):
    class Patient(Model):
        id = CharField(max_length=36, primary_key=True)

        class Meta:
            database = db
            table_name = "patient"

    class Account(Model):
        id = CharField(max_length=36, primary_key=True)

        class Meta:
            database = db
            table_name = "account"

    class SharingDecision(Model):
        id = CharField(max_length=36, primary_key=True)
        patient = ForeignKeyField(Patient, backref="+")
        agreed = FlagField()
        decided_at = InstantField()
        decided_by = ForeignKeyField(Account, backref="+")

        class Meta:
            database = db
            table_name = "sharing_decision"

    db.create_tables([SharingDecision])
