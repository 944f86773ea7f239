"""Products of KFA that the clinic imported."""

from peewee import *

from core.foundation.database import DocumentField, FlagField


def up(migrator, db):
    class MedicineCode(Model):
        code = CharField(max_length=8, primary_key=True)
        name = CharField(max_length=200)
        brand = CharField(max_length=120, default="", index=True)
        ingredients = DocumentField(default=list)
        form = CharField(max_length=60, default="")
        form_code = CharField(max_length=12, default="")
        atc = CharField(max_length=8, default="")
        is_fornas = FlagField(default=False)

        class Meta:
            database = db
            table_name = "medicine_code"

    db.create_tables([MedicineCode])
