"""Address keys end in the birth date and names have keys of their beginnings; all search keys are written anew."""

from core.blocking import stored_keys
from core.likeness import Person
from core.probing import add_keys

BATCH = 1000
"""Patients whose keys are written at once."""


def up(migrator, db):
    db.execute_sql("DELETE FROM patient_key")
    rows = db.execute_sql(
        "SELECT id, name, birth_date, mother_name, address FROM patient WHERE voided_at IS NULL"
    ).fetchall()
    for first in range(0, len(rows), BATCH):
        add_keys(
            [
                (kind, value, patient_id)
                for patient_id, name, birth_date, mother_name, address in rows[first : first + BATCH]
                for kind, value in sorted(
                    stored_keys(
                        Person(
                            name=name,
                            birth_date=str(birth_date),
                            mother_name=mother_name or "",
                            address=address or "",
                        )
                    )
                )
            ]
        )
