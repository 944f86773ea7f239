"""Orders and what becomes of them: diagnoses, procedures, prescriptions, laboratory."""

__all__ = [
    "diagnoses",
    "immunisations",
    "laboratory",
    "laboratory_tests",
    "medicines",
    "prescribing",
    "procedures",
    "worklists",
]
