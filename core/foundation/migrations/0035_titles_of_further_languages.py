"""Titles of diagnoses and procedures in further languages than the two that have a column."""

from core.foundation.database import DocumentField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("icd10_code", "other_titles", DocumentField(default=dict)),
        migrator.add_column("procedure_code", "other_titles", DocumentField(default=dict)),
    )
