"""Counters' own machines: what they hold, the numbers lent to them, and what they delivered."""

from peewee import *

from core.foundation.database import DocumentField, FlagField, InstantField


def up(migrator, db):
    class Stub(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db

    class Account(Stub):
        class Meta:
            table_name = "account"

    class Patient(Stub):
        class Meta:
            table_name = "patient"

    class Visit(Stub):
        class Meta:
            table_name = "visit"

    class Counter(Stub):
        name = CharField(max_length=40, unique=True)
        account = ForeignKeyField(Account)
        store_key = CharField(max_length=64, default="")
        has_secret = FlagField(default=False)
        days = IntegerField(default=90)
        created_at = InstantField()
        created_by = ForeignKeyField(Account, null=True)
        contact_at = InstantField(null=True)
        waiting = IntegerField(default=0)
        asked = IntegerField(default=0)
        away_since = InstantField(null=True)
        chain_length = IntegerField(default=0)
        chain_head = CharField(max_length=64, default="")
        lost_at = InstantField(null=True)
        lost_by = ForeignKeyField(Account, null=True)

        class Meta:
            table_name = "counter"

    class CounterPerson(Model):
        counter = ForeignKeyField(Counter)
        patient = ForeignKeyField(Patient)
        sent_at = InstantField()
        held_until = InstantField(null=True)

        class Meta:
            database = db
            table_name = "counter_person"
            primary_key = CompositeKey("counter", "patient")

    class CounterDelivery(Stub):
        counter = ForeignKeyField(Counter)
        visit = ForeignKeyField(Visit)
        account = ForeignKeyField(Account)
        arrived_at = InstantField()
        is_uncertain = FlagField(default=False)
        flag = CharField(max_length=24, default="")
        delivered_at = InstantField()
        seen_at = InstantField(null=True)
        seen_by = ForeignKeyField(Account, null=True)

        class Meta:
            table_name = "counter_delivery"

    class CounterEvent(Model):
        counter = ForeignKeyField(Counter)
        number = IntegerField()
        row = DocumentField()
        hash = CharField(max_length=64)

        class Meta:
            database = db
            table_name = "counter_event"
            primary_key = CompositeKey("counter", "number")

    class PendingRegistration(Stub):
        number = IntegerField(unique=True)
        account = ForeignKeyField(Account)
        request = DocumentField()
        made = DocumentField()
        arrived_at = InstantField()
        is_uncertain = FlagField(default=False)
        status = CharField(max_length=12, index=True)
        problem = DocumentField(default=dict)
        kept_at = InstantField()
        ended_at = InstantField(null=True)

        class Meta:
            table_name = "pending_registration"

    db.create_tables([Counter, CounterPerson, CounterDelivery, CounterEvent, PendingRegistration])
    migrator.migrate(migrator.add_column("lent_number", "counter_id", CharField(max_length=36, null=True)))
    db.execute_sql("CREATE INDEX lent_number_counter_id ON lent_number (counter_id)")
