"""Keyed hashes of records after a change, kept in the change's audit row.

The hash covers columns named here, so that a record that was changed behind Loket's back shows;
the log itself holds no clinical text. Left out by name, because they change with no change of the
record itself: the patient that a merge moves rows to (kept in `merge.log`), the mother's record,
search keys, times of update, an account's room and sign-ins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from core.foundation.audit_files import AuditKey
from core.foundation.database import InstantField, document_text
from core.foundation.statements import Statement, among
from core.models import (
    Account,
    AccountKey,
    Addendum,
    Allergy,
    Approval,
    Diagnosis,
    Encounter,
    Immunisation,
    Letter,
    Order,
    Patient,
    Prescription,
    Procedure,
    RightsChange,
    Visit,
)

SLICE = 500
"""Records looked at in one query."""

TABLES: dict[str, Any] = {
    "patient": Patient,
    "encounter": Encounter,
    "diagnosis": Diagnosis,
    "prescription": Prescription,
    "order": Order,
    "allergy": Allergy,
    "account": Account,
    "visit": Visit,
    "procedure": Procedure,
    "addendum": Addendum,
    "letter": Letter,
    "immunisation": Immunisation,
    "account_key": AccountKey,
    "approval": Approval,
    "rights_change": RightsChange,
}
"""`AuditEvent.kind` -> the table that its target is a row of."""

FROM_THE_FIRST = frozenset(
    {"patient", "encounter", "diagnosis", "prescription", "order", "allergy", "account"}
)
"""Kinds that every keyed chain binds. For the others the chain says from which row on it does."""

ONLY: dict[str, frozenset[str]] = {
    "account": frozenset(
        {
            "account_created", "account_edited", "account_disabled", "account_enabled", "practitioner_nik_set",
            "second_factor_set", "second_factor_reset", "password_set", "password_changed",
        }
    ),
    "visit": frozenset({"registered"}),
}  # fmt: skip
"""Kind -> the actions that bind it. A sign-in, a wrong password name the account too, and must not vouch for what
somebody wrote into its row behind Loket's back; what is bound of a visit is never changed after its registration."""
UNCHANGED = frozenset(
    {
        "glass_broken", "copy_given", "sharing_agreed", "sharing_refused", "judged_two_people", "two_people_taken_back",
    }
)  # fmt: skip
"""Actions that name a record and change nothing that is bound of it: they do not vouch for it either."""

MADE_AT = {
    "patient": "created_at",
    "encounter": "entered_at",
    "diagnosis": "recorded_at",
    "prescription": "prescribed_at",
    "order": "ordered_at",
    "allergy": "recorded_at",
    "account": "created_at",
    "visit": "started_at",
    "procedure": "performed_at",
    "addendum": "written_at",
    "letter": "issued_at",
    "immunisation": "given_at",
    "account_key": "created_at",
    "approval": "requested_at",
    "rights_change": "requested_at",
}
"""Kind -> the column with the instant at which the record was made."""

COLUMNS: dict[str, dict[int, tuple[str, ...]]] = {
    "patient": {
        1: (
            "medical_record_number", "name", "sex", "birth_date", "birth_date_estimated", "nik", "bpjs_number",
            "family_card_number", "passport_number", "mother_name", "birth_order", "phone", "address", "rt", "rw",
            "village_code", "no_identifier_reason", "identity_verified_at", "version", "merged_into", "voided_at",
        ),
        2: (
            "medical_record_number", "name", "sex", "birth_date", "birth_date_estimated", "nik", "bpjs_number",
            "family_card_number", "passport_number", "mother_name", "birth_order", "phone", "address", "rt", "rw",
            "village_code", "no_identifier_reason", "identity_verified_at", "version", "merged_into", "voided_at",
            "void_reason", "deceased_on", "no_known_allergies_at", "no_known_allergies_by",
        ),
        3: (
            "medical_record_number", "name", "sex", "birth_date", "birth_date_estimated", "nik", "bpjs_number",
            "family_card_number", "passport_number", "mother_name", "birth_order", "phone", "address", "rt", "rw",
            "village_code", "no_identifier_reason", "identity_verified_at", "version", "merged_into", "voided_at",
            "void_reason", "deceased_on", "no_known_allergies_at", "no_known_allergies_by", "mother_nik",
            "guardian_nik", "death_reported_on",
        ),
        4: (
            "medical_record_number", "name", "sex", "birth_date", "birth_date_estimated", "nik", "bpjs_number",
            "family_card_number", "passport_number", "mother_name", "birth_order", "phone", "address", "rt", "rw",
            "village_code", "no_identifier_reason", "identity_verified_at", "version", "merged_into", "voided_at",
            "void_reason", "deceased_on", "no_known_allergies_at", "no_known_allergies_by", "mother_nik",
            "guardian_nik", "death_reported_on", "other_names",
        ),
        5: (
            "medical_record_number", "name", "sex", "birth_date", "birth_date_estimated", "nik", "bpjs_number",
            "family_card_number", "passport_number", "mother_name", "birth_order", "phone", "address", "rt", "rw",
            "village_code", "no_identifier_reason", "identity_verified_at", "version", "merged_into", "voided_at",
            "void_reason", "deceased_on", "no_known_allergies_at", "no_known_allergies_by", "mother_nik",
            "guardian_nik", "death_reported_on", "other_names", "religion", "education", "occupation", "marital_status",
        ),
    },
    "encounter": {
        1: (
            "visit", "cluster", "practitioner", "vitals", "subjective", "objective", "assessment", "plan", "form",
            "disposition", "entered_at", "signed_at", "version",
        )
    },
    "diagnosis": {1: ("visit", "encounter", "code", "title", "rank", "case_kind", "voided_at", "void_reason")},
    "prescription": {
        1: (
            "visit", "encounter", "medicine", "dose", "frequency", "amount", "instructions", "status", "dispensed_at",
            "dispensed_by", "dispensed_amount", "dispense_note", "revoked_at", "revoke_reason",
        ),
        2: (
            "visit", "encounter", "medicine", "dose", "frequency", "amount", "instructions", "status", "prescribed_at",
            "prescribed_by", "dispensed_at", "dispensed_by", "dispensed_amount", "dispense_note", "override_reason",
            "dispense_override_reason", "confirmed", "replaces", "revoked_at", "revoked_by", "revoke_reason",
        ),
        3: (
            "visit", "encounter", "medicine", "dose", "frequency", "amount", "instructions", "status", "prescribed_at",
            "prescribed_by", "dispensed_at", "dispensed_by", "dispensed_amount", "dispense_note", "override_reason",
            "dispense_override_reason", "confirmed", "replaces", "revoked_at", "revoked_by", "revoke_reason",
            "ingredients", "papers", "per_paper", "make", "signa",
        ),
    },
    "order": {
        1: (
            "visit", "encounter", "test", "code", "note", "status", "result", "unit", "reference_range",
            "interpretation", "resulted_at", "resulted_by", "revoked_at", "revoke_reason",
        ),
        2: (
            "visit", "encounter", "test", "code", "note", "status", "ordered_at", "ordered_by", "result", "unit",
            "reference_range", "interpretation", "is_critical", "entered_as", "version", "first_resulted_at",
            "resulted_at", "resulted_by", "told", "acknowledged_at", "acknowledged_by", "revoked_at", "revoked_by",
            "revoke_reason",
        ),
        3: (
            "visit", "encounter", "test", "code", "note", "status", "ordered_at", "ordered_by", "result", "unit",
            "reference_range", "interpretation", "is_critical", "entered_as", "version", "first_resulted_at",
            "resulted_at", "resulted_by", "told", "acknowledged_at", "acknowledged_by", "revoked_at", "revoked_by",
            "revoke_reason", "corrected_at", "correction_known_at", "correction_known_by",
        ),
    },
    "allergy": {
        1: ("substance", "reaction", "recorded_at", "voided_at"),
        2: (
            "substance", "reaction", "severity", "source", "recorded_at", "voided_at", "voided_by",
            "void_reason",
        ),
    },
    "account": {
        1: ("username", "name", "role", "clusters", "practitioner_nik", "disabled_at"),
        2: ("username", "name", "role", "clusters", "practitioner_nik", "disabled_at", "second_factor"),
        3: (
            "username", "name", "role", "clusters", "practitioner_nik", "disabled_at", "second_factor",
            "password_hash", "must_change_password",
        ),
    },
    "visit": {1: ("service_on", "chief_complaint", "pregnant", "disability", "started_at", "registered_by")},
    "procedure": {
        1: (
            "visit", "encounter", "code", "is_local", "title", "note", "performed_at", "performed_by", "voided_at",
            "voided_by", "void_reason",
        )
    },
    "addendum": {1: ("encounter", "text", "written_at", "written_by")},
    "letter": {
        1: ("visit", "encounter", "kind", "year", "sequence", "number", "data", "text", "issued_at", "issued_by")
    },
    "immunisation": {
        1: (
            "visit", "encounter", "vaccine", "product", "dose_number", "lot_number", "expires_on", "site", "given_at",
            "given_by", "override_reason", "voided_at", "voided_by", "void_reason",
        )
    },
    "account_key": {1: ("account", "public_key", "created_at", "revoked_at")},
    "approval": {
        1: (
            "kind", "target", "reason", "detail", "requested_at", "requested_by", "decided_at", "decided_by",
            "outcome",
        )
    },
    "rights_change": {
        1: (
            "role", "permission", "granted", "reason", "requested_at", "requested_by", "decided_at", "decided_by",
            "outcome",
        )
    },
}  # fmt: skip
"""Kind -> number of a set of columns -> the columns. A set that was ever used stays: old rows name it."""
LEFT_OUT: dict[str, frozenset[str]] = {
    # A passport stops being doubtful when the other patient's is corrected.
    "patient": frozenset(
        {"id", "mother", "created_at", "created_by", "updated_at", "voided_by", "passport_doubtful"}
    ),
    "encounter": frozenset({"id", "started_at"}),
    "diagnosis": frozenset({"id", "recorded_at", "recorded_by", "voided_by"}),
    "prescription": frozenset({"id", "clash", "clash_known_at", "clash_known_by"}),
    "order": frozenset({"id"}),
    "allergy": frozenset({"id", "patient", "recorded_by"}),
    "account": frozenset({"id", "created_at", "second_factor_step", "service_point"}),
    "visit": frozenset(
        {
            "id", "patient", "status", "payer", "payer_source", "breastfeeding", "is_first_this_year",
            "suggested_cluster", "routing", "override_reason", "disposition", "ended_at", "version", "voided_at",
            "voided_by", "void_reason",
        }
    ),
    "procedure": frozenset({"id"}),
    "addendum": frozenset({"id"}),
    "letter": frozenset({"id"}),
    "immunisation": frozenset({"id"}),
    "account_key": frozenset({"id", "label"}),
    "approval": frozenset({"id"}),
    "rights_change": frozenset({"id"}),
}  # fmt: skip
"""Kind -> columns that are bound to no row: set once and told by the row's own account and time, or changed by
what is no change of the record (a merge, an allergy that came later, a sign-in)."""


def is_bound(kind: str, action: str) -> bool:
    """Return whether the row of an action binds the record that it names."""
    if kind not in TABLES or action in UNCHANGED:
        return False
    return kind not in ONLY or action in ONLY[kind]


def hashes(key: AuditKey, kind: str, ids: Sequence[str], column_set: int | None = None) -> dict[str, str]:
    """Return id -> hash of the record as it is stored now, with the number of its set of columns before it.

    Args:
        key: The chain's key: a bare hash of a short result could be guessed.
        kind: A key of `TABLES`.
        ids: The records; those that are not there are left out.
        column_set: Which columns; the newest set unless given.
    """
    return {id_: state.hash for id_, state in states(key, kind, ids, column_set).items()}


@dataclass(frozen=True)
class RecordState:
    """A record as it is stored now."""

    version: int | None
    """The version that it has reached; None where its changes are not counted by one."""
    hash: str
    """Number of a set of columns, then the keyed hash of those."""


VERSIONED = frozenset({"patient", "encounter"})
"""Kinds whose version stands in the audit row."""
HASH_BEFORE = "hash_before"
"""Name in the detail of a change's row: the record's hash before it, by the columns that were bound last; empty where
the log had not bound the record yet."""
CHANGED = TABLES.keys() - VERSIONED - {"visit", "addendum", "letter"}
"""Kinds that keep no earlier versions and that are changed: each change tells what stood there before it."""


def states(
    key: AuditKey, kind: str, ids: Sequence[str], column_set: int | None = None
) -> dict[str, RecordState]:
    """Return id -> version and hash of the record as it is stored now; as `hashes` else.

    Args:
        key: The chain's key.
        kind: A key of `TABLES`.
        ids: The records; those that are not there are left out.
        column_set: Which columns; the newest set unless given.
    """
    number = column_set or max(COLUMNS[kind])
    version_at = 1 + COLUMNS[kind][number].index("version") if kind in VERSIONED else None
    found: dict[str, RecordState] = {}
    for part in parts(ids):
        for row in _columns_of(kind, number).rows(ids=part):
            hash_ = _hash(key, kind, number, row)
            found[row[0]] = RecordState(None if version_at is None else row[version_at], hash_)
    return found


def hash_of_values(key: AuditKey, kind: str, column_set: int, values: Mapping[str, Any]) -> str | None:
    """Return the hash that a record had while its columns had these values; None where one of them is not told.

    Args:
        key: The chain's key.
        kind: A key of `TABLES`.
        column_set: Which columns.
        values: Column -> value, as a kept version holds it.
    """
    names = COLUMNS[kind][column_set]
    if not values.keys() >= {"id", *names}:
        return None
    fields = TABLES[kind]._meta.fields
    row = [values["id"], *(_read(fields[name], values[name]) for name in names)]
    return _hash(key, kind, column_set, row)


def _read(field: Any, value: Any) -> Any:
    """Return a kept value as its column gives it: versions hold instants and days as text."""
    if isinstance(field, InstantField) and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value


def _hash(key: AuditKey, kind: str, column_set: int, row: Sequence[Any]) -> str:
    return f"{column_set}:{key.digest(document_text([kind, *map(_stored, row)]))}"


@lru_cache(maxsize=64)
def _columns_of(kind: str, number: int) -> Statement:
    """Return the statement that reads a set of columns of some records."""
    table = TABLES[kind]
    fields = [getattr(table, name) for name in COLUMNS[kind][number]]
    return Statement(lambda: table.select(table.id, *fields).where(among(table.id, "ids")))


def parts(ids: Sequence[str]) -> Iterator[list[str]]:
    """Yield ids in slices of a size that one query takes."""
    for start in range(0, len(ids), SLICE):
        yield list(ids[start : start + SLICE])


def _stored(value: Any) -> Any:
    """Return a value in one form on both databases."""
    return value.isoformat() if hasattr(value, "isoformat") else value
