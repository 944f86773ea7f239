"""Orders: when a result was corrected, and who read of it first."""

from peewee import *

from core.foundation.database import InstantField


def up(migrator, db):
    class Account(Model):
        id = CharField(max_length=36, primary_key=True)

        class Meta:
            database = db
            table_name = "account"

    person = ForeignKeyField(Account, field=Account.id, null=True, backref="+")
    migrator.migrate(
        migrator.add_column("order", "corrected_at", InstantField(null=True)),
        migrator.add_column("order", "correction_known_at", InstantField(null=True)),
        migrator.add_column("order", "correction_known_by_id", person),
    )
