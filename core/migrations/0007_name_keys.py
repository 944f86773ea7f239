"""A `y` that is spoken as `i` sounds like one; all search keys stored before are written anew."""

from core.blocking import stored_keys
from core.likeness import Person


def up(migrator, db):
    mark = db.param
    db.execute_sql("DELETE FROM patient_key")
    rows = db.execute_sql(
        "SELECT id, name, birth_date, mother_name, address FROM patient WHERE voided_at IS NULL"
    ).fetchall()
    insert = f"INSERT INTO patient_key (kind, value, patient_id) VALUES ({mark}, {mark}, {mark})"  # noqa: S608
    for patient_id, name, birth_date, mother_name, address in rows:
        person = Person(
            name=name, birth_date=str(birth_date), mother_name=mother_name or "", address=address or ""
        )
        for kind, value in sorted(stored_keys(person)):
            db.execute_sql(insert, (kind, value, patient_id))
