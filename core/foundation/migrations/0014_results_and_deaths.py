"""Results: version, critical values, who was told, earlier values. Patients: the day of death."""

from peewee import *

from core.foundation.database import DayField, FlagField, InstantField


def up(migrator, db):
    class Stub(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db

    class Account(Stub):
        class Meta:
            table_name = "account"

    migrator.migrate(
        migrator.add_column("patient", "deceased_on", DayField(null=True)),
        migrator.add_column("order_version", "cause", CharField(max_length=12, default="corrected")),
        migrator.add_column("order_version", "reason", CharField(max_length=200, default="")),
        migrator.add_column("order", "version", IntegerField(default=1)),
        migrator.add_column("order", "is_critical", FlagField(default=False)),
        migrator.add_column("order", "entered_as", CharField(max_length=80, default="")),
        migrator.add_column("order", "told", CharField(max_length=80, default="")),
        migrator.add_column("order", "acknowledged_at", InstantField(null=True)),
        migrator.add_column(
            "order", "acknowledged_by_id", ForeignKeyField(Account, field=Account.id, null=True)
        ),
    )
