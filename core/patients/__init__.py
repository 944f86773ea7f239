"""Patients: registering, finding, correcting and merging their records."""
