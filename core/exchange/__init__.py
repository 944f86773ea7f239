"""Exchange with other systems: the outbox, FHIR, the City Health Office, SATUSEHAT."""

__all__ = ["fhir", "manifests", "outbox", "patient_copy", "service"]
