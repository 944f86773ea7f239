"""Records of the journal that wait for the second place."""

from peewee import *


def up(migrator, db):
    class JournalRecord(Model):
        number = IntegerField()
        part = IntegerField()
        frame = BlobField()

        class Meta:
            database = db
            table_name = "journal_record"
            primary_key = CompositeKey("number", "part")

    db.create_tables([JournalRecord])
