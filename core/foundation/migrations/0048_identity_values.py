"""Religion, education, occupation and marital status, as the law asks of an identity."""

from peewee import CharField

COLUMNS = ("religion", "education", "occupation", "marital_status")


def up(migrator, db):
    migrator.migrate(
        *[migrator.add_column("patient", name, CharField(max_length=8, default="")) for name in COLUMNS]
    )
