"""Names that a patient is known by besides: called as, the husband's, a former one."""

from peewee import CharField


def up(migrator, db):
    migrator.migrate(migrator.add_column("patient", "other_names", CharField(max_length=200, default="")))
