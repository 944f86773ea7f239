"""Vaccines that were given at visits."""

from peewee import *

from core.foundation.database import DayField, InstantField


def up(migrator, db):
    class Account(Model):
        id = CharField(max_length=36, primary_key=True)

        class Meta:
            database = db
            table_name = "account"

    class Visit(Model):
        id = CharField(max_length=36, primary_key=True)

        class Meta:
            database = db
            table_name = "visit"

    class Encounter(Model):
        id = CharField(max_length=36, primary_key=True)

        class Meta:
            database = db
            table_name = "encounter"

    class Immunisation(Model):
        id = CharField(max_length=36, primary_key=True)
        visit = ForeignKeyField(Visit)
        encounter = ForeignKeyField(Encounter)
        vaccine = CharField(max_length=120)
        product = CharField(max_length=8, default="")
        dose_number = IntegerField()
        lot_number = CharField(max_length=40)
        expires_on = DayField()
        site = CharField(max_length=2, default="")
        given_at = InstantField()
        given_by = ForeignKeyField(Account)
        override_reason = CharField(max_length=200, default="")
        voided_at = InstantField(null=True)
        voided_by = ForeignKeyField(Account, null=True)
        void_reason = CharField(max_length=200, null=True)

        class Meta:
            database = db
            table_name = "immunisation"

    db.create_tables([Immunisation])
