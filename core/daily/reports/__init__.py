"""The reports that a Puskesmas owes, drawn from visits, diagnoses and queue entries as stored.

Each report gives its own definition and source. A period without data is a report with zeros.
Titles and columns are in Indonesian, since the readers are the health office.

A new report is a function `(clinic, day) -> ReportTable` in a module of this folder and a row
in `core/data/reports.toml`.

Source: docs/reference/indonesia.md 6 (registers, LB1 layout, SKDR codes).
"""

__all__ = ["exports", "registry", "report_files", "report_tables"]
