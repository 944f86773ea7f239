"""Return dates given in the room: numbers of the clinic's own beside those taken from home."""

from peewee import *


def up(migrator, db):
    class Visit(Model):
        id = CharField(max_length=36, primary_key=True)

        class Meta:
            database = db
            table_name = "visit"

    migrator.migrate(
        migrator.add_column("appointment", "origin", CharField(max_length=8, default="home")),
        migrator.add_column(
            "appointment", "from_visit_id", ForeignKeyField(Visit, field=Visit.id, null=True)
        ),
    )
