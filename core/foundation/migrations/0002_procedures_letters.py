"""Procedures and their list, letters, revoked orders, what was dispensed, how a result reads."""

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

    class Visit(Stub):
        class Meta:
            table_name = "visit"

    class Encounter(Stub):
        class Meta:
            table_name = "encounter"

    class Procedure(Model):
        id = CharField(primary_key=True, max_length=36)
        visit = ForeignKeyField(Visit)
        encounter = ForeignKeyField(Encounter)
        code = CharField(max_length=12)
        is_local = FlagField(default=False)
        title = CharField(max_length=200)
        note = CharField(max_length=200, default="")
        performed_at = InstantField()
        performed_by = ForeignKeyField(Account, backref="+")
        voided_at = InstantField(null=True)
        voided_by = ForeignKeyField(Account, null=True, backref="+")
        void_reason = CharField(max_length=200, null=True)

        class Meta:
            database = db
            table_name = "procedure"

    class ProcedureCode(Model):
        code = CharField(max_length=12, primary_key=True)
        is_local = FlagField(default=False)
        title_id = CharField(max_length=200)
        title_en = CharField(max_length=200, default="")
        words = TextField(default="")
        usual = IntegerField(default=0)

        class Meta:
            database = db
            table_name = "procedure_code"

    class Letter(Model):
        id = CharField(primary_key=True, max_length=36)
        visit = ForeignKeyField(Visit)
        encounter = ForeignKeyField(Encounter)
        kind = CharField(max_length=16)
        year = IntegerField()
        sequence = IntegerField()
        number = CharField(max_length=40)
        data = DocumentField(default=dict)
        text = TextField()
        issued_at = InstantField()
        issued_by = ForeignKeyField(Account, backref="+")

        class Meta:
            database = db
            table_name = "letter"
            indexes = ((("kind", "year", "sequence"), True),)

    db.create_tables([Procedure, ProcedureCode, Letter])

    # All nullable: SQLite adds such a column without copying the table.
    revoked_by = ForeignKeyField(Account, field=Account.id, null=True)
    added = (
        ("prescription", "dispensed_amount", CharField(max_length=30, null=True)),
        ("prescription", "dispense_note", CharField(max_length=200, null=True)),
        ("order", "code", CharField(max_length=16, null=True)),
        ("order", "interpretation", CharField(max_length=8, null=True)),
    )
    for table, column, field in added:
        migrator.migrate(migrator.add_column(table, column, field))
    for table in ("prescription", "order"):
        migrator.migrate(
            migrator.add_column(table, "revoked_at", InstantField(null=True)),
            migrator.add_column(table, "revoked_by_id", revoked_by),
            migrator.add_column(table, "revoke_reason", CharField(max_length=200, null=True)),
        )
