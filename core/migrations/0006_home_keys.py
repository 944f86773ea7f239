"""Address keys hold the beginnings of words; those stored before are written anew."""

from core.blocking import home_keys


def up(migrator, db):
    mark = db.param
    db.execute_sql("DELETE FROM patient_key WHERE kind = 'home'")
    rows = db.execute_sql("SELECT id, address FROM patient WHERE voided_at IS NULL").fetchall()
    for patient_id, address in rows:
        for value in sorted(set(home_keys(address))):
            db.execute_sql(
                f"INSERT INTO patient_key (kind, value, patient_id) VALUES ('home', {mark}, {mark})",  # noqa: S608
                (value, patient_id),
            )
