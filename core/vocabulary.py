"""The closed sets of words that tables, HTTP and screens share.

Values are stable: they are stored, sent and reported. Names follow FHIR R4 and OpenMRS
where those have a word; the screen's words live in the terminal's catalogues.
"""

from __future__ import annotations

from enum import StrEnum


class Sex(StrEnum):
    """FHIR AdministrativeGender, as far as a NIK can tell it."""

    MALE = "male"
    FEMALE = "female"


class Role(StrEnum):
    """What an account is for; permissions hang on it (`core.accounts`)."""

    CLERK = "clerk"
    CLINICIAN = "clinician"
    LAB = "lab"
    PHARMACIST = "pharmacist"
    ADMIN = "admin"
    DISPLAY = "display"
    DOOR = "door"
    """The SSH door itself: reads the change feed and turns accepted keys into tokens."""


class Payer(StrEnum):
    """Who pays for the visit (cara bayar)."""

    GENERAL = "general"
    JKN_PBI = "jkn_pbi"
    JKN_NON_PBI = "jkn_non_pbi"
    JAMKESDA = "jamkesda"
    OTHER = "other"


class NoIdentifierReason(StrEnum):
    """Why a patient has no NIK here; each puts the patient on the verify-later list."""

    NEWBORN = "newborn"
    NONE_YET = "none_yet"
    FORGOTTEN = "forgotten"
    FOREIGNER = "foreigner"
    UNKNOWN_PERSON = "unknown_person"


class Priority(StrEnum):
    """Urgency class of a queue entry, most urgent first.

    Source: indonesia.md 9.1 and 9.2 (triage colours; UU 13/1998 for the elderly).
    """

    RED = "red"
    YELLOW = "yellow"
    ELDERLY = "elderly"
    PREGNANT = "pregnant"
    DISABILITY = "disability"
    TODDLER = "toddler"
    REGULAR = "regular"

    @property
    def rank(self) -> int:
        """0 is called first; the four protected groups share rank 2."""
        return {"red": 0, "yellow": 1, "regular": 4}.get(self.value, 2)


class EntryStatus(StrEnum):
    """Where a queue entry stands. The last four end it."""

    WAITING = "waiting"
    CALLED = "called"
    IN_SERVICE = "in_service"
    ON_HOLD = "on_hold"
    SKIPPED = "skipped"
    """No answer; comes back by itself after some others were called."""
    DONE = "done"
    LEFT = "left"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"

    @property
    def is_ended(self) -> bool:
        """True when no further action but undo is possible."""
        return self in ENDED_STATUSES


ENDED_STATUSES = frozenset(
    {EntryStatus.DONE, EntryStatus.LEFT, EntryStatus.CANCELLED, EntryStatus.TRANSFERRED}
)


class AppointmentStatus(StrEnum):
    """FHIR R4 Appointment.status, as far as it is used."""

    BOOKED = "booked"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NO_SHOW = "noshow"


class EntryAction(StrEnum):
    """What people do to queue entries; each one is a row in `queue_event`."""

    ISSUE = "issue"
    CALL = "call"
    RECALL = "recall"
    SKIP = "skip"
    HOLD = "hold"
    RESUME = "resume"
    START = "start"
    FINISH = "finish"
    TRANSFER = "transfer"
    SEND = "send"
    """A round trip: to the laboratory or pharmacy, and back to the same clinician."""
    RETURN = "return"
    PRIORITISE = "prioritise"
    """Another urgency class, with the reason."""
    LEAVE = "leave"
    CANCEL = "cancel"
    UNDO = "undo"
    CLOSE = "close"
    """The day's closing ended it."""


class LeaveReason(StrEnum):
    """Why an entry ended without its service; kept as its `end_reason` unless somebody gave another."""

    WAITING = "left_waiting"
    """Went away before the first call."""
    NO_SHOW = "no_show"
    """Was called and did not come."""
    IN_SERVICE = "left_in_service"
    CLOSED = "day closed"


class Verdict(StrEnum):
    """What the confirmation says of the chosen cluster (DESIGN.md 3)."""

    MATCH = "match"
    MISMATCH = "mismatch"
    BLOCKED = "blocked"
    UNSURE = "unsure"


class DuplicateBand(StrEnum):
    """How sure the duplicate check is."""

    EXISTING = "existing"
    REVIEW = "review"
    NEW = "new"


class VisitStatus(StrEnum):
    """FHIR Encounter.status, as far as a visit uses it."""

    ARRIVED = "arrived"
    IN_PROGRESS = "in-progress"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class PrintStyle(StrEnum):
    """How a line of a printed document looks."""

    PLAIN = "plain"
    CENTRED = "centred"
    HEADING = "heading"
    """Centred and bold."""
    BIG = "big"
    """Centred, twice as wide and high."""
    QR = "qr"
    """A QR code of the text; where a printer cannot draw one, the text."""


class Disposition(StrEnum):
    """How a visit ended for the patient (status pulang)."""

    HOME = "home"
    REFERRED = "referred"
    INTERNAL_REFERRAL = "internal_referral"
    ADMITTED = "admitted"
    LEFT_AGAINST_ADVICE = "left_against_advice"
    DIED = "died"


class CaseKind(StrEnum):
    """LB1's kasus baru and kasus lama: first time of this episode, or a later control."""

    NEW = "new"
    OLD = "old"


class OrderStatus(StrEnum):
    """FHIR ServiceRequest.status / MedicationRequest.status, as far as used."""

    ACTIVE = "active"
    COMPLETED = "completed"
    REVOKED = "revoked"


class OutboxStatus(StrEnum):
    """Where a change stands on its way to the office."""

    PENDING = "pending"
    SENT = "sent"
    REFUSED = "refused"
    """Set aside with the office's words; sent again after the next edit."""


class RunStatus(StrEnum):
    """State of a job or of one of its steps."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Permission(StrEnum):
    """One right each; `core.actors.ROLE_PERMISSIONS` says who has which."""

    REGISTER = "register"
    READ_PATIENTS = "read_patients"
    EDIT_PATIENTS = "edit_patients"
    MERGE_PATIENTS = "merge_patients"
    READ_QUEUES = "read_queues"
    WORK_QUEUE = "work_queue"
    READ_RECORDS = "read_records"
    WRITE_RECORDS = "write_records"
    ENTER_RESULTS = "enter_results"
    DISPENSE = "dispense"
    READ_REPORTS = "read_reports"
    ADMINISTER = "administer"
    READ_DISPLAY = "read_display"
    PRINT = "print"
    OPEN_DOOR = "open_door"
