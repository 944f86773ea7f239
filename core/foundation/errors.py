"""Errors of the core, as types with a stable code.

No error carries text for a person: the terminal and the HTTP layer turn the code and
the typed attributes into words. Every error is safe to log: it holds no patient data.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.foundation.job_problems import JobProblem


class CoreError(Exception):
    """The root of everything the core raises on purpose.

    Attributes:
        code: Stable machine-readable name, snake_case; part of the HTTP contract.
    """

    code = "core_error"


class SettingsError(CoreError):
    """A setting is missing or wrong; the start stops with this one line.

    Attributes:
        sentence: What is wrong, with names in braces where `values` go: an English msgid.
        values: What goes there.
    """

    code = "settings"

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence.format(**values) if values else sentence)
        self.sentence = sentence
        self.values = values


class NotFoundError(CoreError):
    """The thing asked for does not exist, or was voided."""

    code = "not_found"

    def __init__(self, kind: str, key: str = "") -> None:
        super().__init__(f"{kind} not found")
        self.kind = kind
        """Kind of the missing thing: `patient`, `queue_entry`, ..."""
        self.key = key
        """The id that was asked for."""


class NotSignedInError(CoreError):
    """No token, an expired one, or a wrong password."""

    code = "not_signed_in"


class TooManyAttemptsError(CoreError):
    """Sign-in is refused for a while after repeated failures."""

    code = "too_many_attempts"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("too many failed sign-ins")
        self.retry_after_seconds = retry_after_seconds
        """Whole seconds until the next try is looked at, >= 1."""


class TooManyStreamsError(CoreError):
    """There is no place for one more event stream of this account or address now."""

    code = "too_many_streams"

    def __init__(self) -> None:
        super().__init__("too many event streams")


class NotAllowedError(CoreError):
    """The account's role or clusters do not permit this."""

    code = "not_allowed"

    def __init__(self, permission: str, code: str = "not_allowed") -> None:
        super().__init__(f"needs {permission}")
        self.permission = permission
        self.code = code
        """`not_allowed`; `reason_required` where a break-glass reason would open it; `approval_required` where
        another person has to release it first."""


class ValidationError(CoreError):
    """Input that cannot be stored as it is.

    Attributes:
        fields: Field path (`patient.nik`, `chief_complaint`) -> stable problem code
            (`required`, `too_long`, `nik_length`, ...). Never empty.
    """

    code = "validation"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("invalid: " + ", ".join(f"{name} ({problem})" for name, problem in fields.items()))
        self.fields = dict(fields)


class RuleError(CoreError):
    """A rule of the clinic refuses this; the caller may be able to give what it asks for.

    Attributes:
        details: JSON-safe facts that the screen needs (candidates, verdict, receipt, ...).
    """

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


class ConflictError(CoreError):
    """Someone was faster; the caller refreshes and says so."""

    code = "changed_meanwhile"

    def __init__(self, code: str = "changed_meanwhile", **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.details = details
        """JSON-safe: `status`, `changed_by` and `version` as they are now, or the open entry."""


class SyncError(CoreError):
    """The office could not be reached or refused a whole batch.

    Attributes:
        problem: Why, for the admin.
        retry_after_seconds: The wait that the office asked for, or None.
    """

    code = "sync"

    def __init__(self, problem: JobProblem, retry_after_seconds: float | None = None) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds


class DatabaseError(CoreError):
    """The database cannot be used at all; what was acknowledged before is not touched by it.

    Attributes:
        reason: `database_damaged` (a check said so), `database_unread`, `disk_error`, `disk_full`,
            `database_denied`, `database_unreachable`, `database_busy`, or why the start is refused
            (`core.foundation.high_water`).
        detail: The database's own words, without values.
        code: The reason: those at the counters are told it in words of their own.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.code = self.reason = reason
        self.detail = detail


class PrinterError(CoreError):
    """A document could not be printed; nothing else is touched by it.

    Attributes:
        code: `no_printer`, `printer_unreachable`, `printer_no_paper` or `printer_busy`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class BackupError(CoreError):
    """A backup could not be made, verified or restored.

    Attributes:
        reason: Stable code: `no_recovery_key`, `wrong_key`, `damaged`, `newer_schema`, `disk_full`, ...
    """

    code = "backup"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class JournalError(CoreError):
    """The journal cannot be written to its second place, or not be read; the counters go on.

    Attributes:
        code: `place_missing`, `place_other`, `journal_gap`, `journal_ahead`, `no_recovery_key`, ...
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
