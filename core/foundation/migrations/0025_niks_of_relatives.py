"""Patients: the NIK of the mother or guardian whose card was shown instead, and a death that a list reports."""

from peewee import CharField

from core.foundation.database import DayField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("patient", "mother_nik", CharField(max_length=16, null=True)),
        migrator.add_column("patient", "guardian_nik", CharField(max_length=16, null=True)),
        migrator.add_column("patient", "death_reported_on", DayField(null=True)),
    )
