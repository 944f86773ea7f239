"""Official texts of codes that a clinic imported."""

from peewee import *

from core.foundation.database import InstantField


def up(migrator, db):
    class OfficialDisplay(Model):
        system = CharField(max_length=80)
        code = CharField(max_length=24)
        display = TextField()
        source = CharField(max_length=120)
        imported_at = InstantField()

        class Meta:
            database = db
            table_name = "official_display"
            primary_key = CompositeKey("system", "code")

    db.create_tables([OfficialDisplay])
