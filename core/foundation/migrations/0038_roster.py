"""The roster as it is kept on the screen: closed days, and who works when."""

from peewee import *

from core.foundation.database import DocumentField, InstantField


def up(migrator, db):
    class Account(Model):
        id = CharField(max_length=36, primary_key=True)

        class Meta:
            database = db
            table_name = "account"

    class RosterVersion(Model):
        number = IntegerField(primary_key=True)
        document = DocumentField()
        changed_at = InstantField()
        changed_by = ForeignKeyField(Account, backref="+")

        class Meta:
            database = db
            table_name = "roster_version"

    db.create_tables([RosterVersion])
