"""Which ids another FHIR server gave to the clinic's resources."""

from peewee import *

from core.foundation.database import InstantField


def up(migrator, db):
    class RemoteResource(Model):
        server = CharField(max_length=120)
        type = CharField(max_length=24)
        value = CharField(max_length=80)
        remote_id = CharField(max_length=64)
        digest = CharField(max_length=64)
        at = InstantField()

        class Meta:
            database = db
            table_name = "remote_resource"
            primary_key = CompositeKey("server", "type", "value")

    db.create_tables([RemoteResource])
