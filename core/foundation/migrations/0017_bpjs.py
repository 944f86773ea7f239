"""Tables of what BPJS holds of each visit, and of its codes for doctors, medicines and procedures."""

from peewee import *

from core.foundation.database import DayField, DocumentField, InstantField


def up(migrator, db):
    class Visit(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db
            table_name = "visit"

    class BpjsVisit(Model):
        visit = ForeignKeyField(Visit, primary_key=True)
        change = IntegerField(default=0)
        status = CharField(max_length=8, index=True)
        card_number = CharField(max_length=13, default="")
        provider = CharField(max_length=16, default="")
        poli = CharField(max_length=8, default="")
        service_on = DayField(null=True, index=True)
        registration_number = CharField(max_length=16, null=True)
        visit_number = CharField(max_length=32, null=True)
        visit_digest = CharField(max_length=64, default="")
        items = DocumentField(default=dict)
        doubt = CharField(max_length=60, default="")
        gaps = DocumentField(default=list)
        error = TextField(null=True)
        attempts = IntegerField(default=0)
        updated_at = InstantField()

        class Meta:
            database = db
            table_name = "bpjs_visit"

    class BpjsCode(Model):
        kind = CharField(max_length=12)
        ours = CharField(max_length=120)
        theirs = CharField(max_length=24)
        name = CharField(max_length=200, default="")

        class Meta:
            database = db
            table_name = "bpjs_code"
            primary_key = CompositeKey("kind", "ours")

    db.create_tables([BpjsVisit, BpjsCode])
