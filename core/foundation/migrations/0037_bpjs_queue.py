"""The calls that the queue of Mobile JKN got about a visit's numbers."""

from peewee import *

from core.foundation.database import DocumentField, InstantField


def up(migrator, db):
    class Visit(Model):
        id = CharField(max_length=36, primary_key=True)

        class Meta:
            database = db
            table_name = "visit"

    class BpjsQueue(Model):
        visit = ForeignKeyField(Visit, primary_key=True)
        change = IntegerField(default=0)
        status = CharField(max_length=8, index=True)
        calls = DocumentField(default=list)
        numbers = DocumentField(default=dict)
        doubt = CharField(max_length=80, default="")
        gaps = DocumentField(default=list)
        error = TextField(null=True)
        attempts = IntegerField(default=0)
        updated_at = InstantField()

        class Meta:
            database = db
            table_name = "bpjs_queue"

    db.create_tables([BpjsQueue])
