"""Signatures under the danger signs of the complaint rules."""

from peewee import *

from core.foundation.database import DocumentField, InstantField


def up(migrator, db):
    class Account(Model):
        id = CharField(max_length=36, primary_key=True)

        class Meta:
            database = db
            table_name = "account"

    class DangerSignature(Model):
        id = CharField(max_length=36, primary_key=True)
        code = CharField(max_length=80, index=True)
        digest = CharField(max_length=64)
        page = DocumentField(default=list)
        signed_at = InstantField()
        signed_by = ForeignKeyField(Account, backref="+")
        taken_back_at = InstantField(null=True)
        taken_back_by = ForeignKeyField(Account, backref="+", null=True)
        taken_back_because = CharField(max_length=200, default="")

        class Meta:
            database = db
            table_name = "danger_signature"

    db.create_tables([DangerSignature])
