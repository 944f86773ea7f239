"""Numbers taken from home."""

from peewee import *

from core.foundation.database import DayField, InstantField


def up(migrator, db):
    class Stub(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db

    class Patient(Stub):
        class Meta:
            table_name = "patient"

    class Visit(Stub):
        class Meta:
            table_name = "visit"

    class Appointment(Model):
        id = CharField(primary_key=True, max_length=36)
        patient = ForeignKeyField(Patient)
        cluster = CharField(max_length=12)
        service_on = DayField()
        sequence = IntegerField()
        number = CharField(max_length=8)
        status = CharField(max_length=12)
        chief_complaint = CharField(max_length=500)
        booked_at = InstantField()
        ended_at = InstantField(null=True)
        end_reason = CharField(max_length=200, default="")
        visit = ForeignKeyField(Visit, null=True)

        class Meta:
            database = db
            table_name = "appointment"
            indexes = ((("cluster", "service_on", "sequence"), True), (("patient", "service_on"), False))

    db.create_tables([Appointment])
