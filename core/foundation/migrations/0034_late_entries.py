"""Numbered paper forms, late entries, and the place of a ticket by arrival."""

from peewee import *

from core.foundation.database import DayField, InstantField

TURNS_A_NUMBER = 4294967296  # as `core.queues.turns` counts


def up(migrator, db):
    migrator.migrate(migrator.add_column("ticket", "turn", BigIntegerField(default=0)))
    db.execute_sql(f"UPDATE ticket SET turn = sequence * {TURNS_A_NUMBER}")  # noqa: S608 - a number
    db.execute_sql("CREATE UNIQUE INDEX ticket_cluster_service_on_turn ON ticket (cluster, service_on, turn)")

    class Stub(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db

    class Account(Stub):
        class Meta:
            table_name = "account"

    class Visit(Stub):
        class Meta:
            table_name = "visit"

    class LentNumber(Stub):
        series = CharField(max_length=8)
        cluster = CharField(max_length=12)
        service_on = DayField()
        sequence = IntegerField()
        number = CharField(max_length=8)
        status = CharField(max_length=8)
        lent_at = InstantField()
        lent_by = ForeignKeyField(Account)
        ended_at = InstantField(null=True)
        ended_by = ForeignKeyField(Account, null=True)
        reason = CharField(max_length=200, default="")
        visit = ForeignKeyField(Visit, null=True)

        class Meta:
            table_name = "lent_number"
            indexes = ((("series", "service_on", "number"), True),)

    class LateEntry(Model):
        visit = ForeignKeyField(Visit, primary_key=True)
        arrived_at = InstantField()
        written_by = CharField(max_length=80)
        paper = ForeignKeyField(LentNumber, null=True)
        entered_at = InstantField()
        entered_by = ForeignKeyField(Account)

        class Meta:
            database = db
            table_name = "late_entry"

    db.create_tables([LentNumber, LateEntry])
