"""The clinic's records as HL7 FHIR R4.

`records.Mapper` reads rows and makes records; `bundle.transaction` makes what is sent.
"""

from core.exchange.fhir.bundle import Answer, Sendable, answers, outcome_text, transaction
from core.exchange.fhir.rendering import Entry, Mapper, Record, digest
from core.exchange.fhir.systems import DAY_TAG, Names, Resource

__all__ = [
    "DAY_TAG", "Answer", "Entry", "Mapper", "Names", "Record", "Resource", "Sendable", "answers", "digest",
    "outcome_text", "transaction",
]  # fmt: skip
