"""A passport belongs to one patient, held by an index; numbers that several have are marked and kept as they are."""

from peewee import *

from core.foundation.database import FlagField


def up(migrator, db):
    migrator.migrate(migrator.add_column("patient", "passport_doubtful", FlagField(default=False)))
    # Whose number it is nobody can tell from here: all who have it keep it, marked, until a person has looked.
    db.execute_sql(
        "UPDATE patient SET passport_doubtful = (1 = 1) WHERE voided_at IS NULL AND passport_number IN ("
        "SELECT passport_number FROM patient WHERE voided_at IS NULL AND passport_number IS NOT NULL"
        " GROUP BY passport_number HAVING COUNT(*) > 1)"
    )
    db.execute_sql(
        "CREATE UNIQUE INDEX patient_passport_active ON patient (passport_number)"
        " WHERE voided_at IS NULL AND NOT passport_doubtful"
    )
