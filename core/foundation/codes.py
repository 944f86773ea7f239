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
    """Role of an account; it decides the rights (`core.accounts.service`)."""

    CLERK = "clerk"
    NURSE = "nurse"
    """Triage: reads the queues, takes vital signs."""
    CLINICIAN = "clinician"
    LAB = "lab"
    PHARMACIST = "pharmacist"
    RECORDS = "records"
    """Keeps the patients' cards and records: coding, corrections, merges."""
    SUPERVISOR = "supervisor"
    """Head of the clinic: board, reports, audit, approvals."""
    ADMIN = "admin"
    """Runs the machine and the accounts; sees no clinical text."""
    DISPLAY = "display"
    DOOR = "door"
    """The SSH door itself: reads the change feed and turns accepted keys into tokens."""
    COUNTER = "counter"
    """A counter's own machine: keeps a copy of the day, and delivers what was registered while the core was away."""


OWN_CREDENTIAL = frozenset({Role.DOOR, Role.COUNTER})
"""Roles of machines that sign in by a credential of their own: their accounts have no password and are not enabled."""
MACHINE_ROLES = frozenset({Role.DISPLAY, *OWN_CREDENTIAL})
"""Roles in which nobody treats or registers anybody."""


class Payer(StrEnum):
    """Payer of the visit (cara bayar)."""

    GENERAL = "general"
    JKN_PBI = "jkn_pbi"
    JKN_NON_PBI = "jkn_non_pbi"
    JAMKESDA = "jamkesda"
    OTHER = "other"


class InsuranceStatus(StrEnum):
    """BPJS's answer about a person, or why there is none."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    UNKNOWN = "unknown"
    """BPJS knows nobody with this number."""
    NO_ANSWER = "no_answer"
    """Not known yet: it is asked again by itself when the visit is entered in P-Care."""
    NOT_SET_UP = "not_set_up"


class PayerSource(StrEnum):
    """Origin of a visit's payer; the surer ones come first."""

    CLERK = "clerk"
    """Chosen at the counter."""
    BPJS = "bpjs"
    """Answered by BPJS Kesehatan."""
    NUMBER = "number"
    """Follows from the BPJS number on the card."""
    LAST_VISIT = "last_visit"
    DEFAULT = "default"
    """Nothing was known."""


JKN_PAYERS = (Payer.JKN_PBI, Payer.JKN_NON_PBI)
"""Payers of those who have a BPJS number; the more frequent one at a Puskesmas first."""


class NoIdentifierReason(StrEnum):
    """Reason why a patient has no NIK here; each puts the patient on the verify-later list."""

    NEWBORN = "newborn"
    NONE_YET = "none_yet"
    FORGOTTEN = "forgotten"
    FOREIGNER = "foreigner"
    UNKNOWN_PERSON = "unknown_person"


class NikHolder(StrEnum):
    """The holder of a NIK that was shown at the counter."""

    SELF = "self"
    """The patient's own, although the card says otherwise than the form."""
    MOTHER = "mother"
    GUARDIAN = "guardian"
    """Another relative's: husband, wife, father, a grown child."""


class Priority(StrEnum):
    """Urgency class of a queue entry, most urgent first.

    Source: docs/reference/indonesia.md 9.1 and 9.2 (triage colours; UU 13/1998 for the elderly).
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
    """Status of a queue entry. The last four end it."""

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


class AppointmentOrigin(StrEnum):
    """Maker of an appointment."""

    HOME = "home"
    """The patient, with Mobile JKN."""
    ROOM = "room"
    """The clinician, as a return date."""


class EntryAction(StrEnum):
    """Actions on queue entries; each one is a row in `queue_event`."""

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
    """Reason why an entry ended without its service; kept as its `end_reason` unless somebody gave another."""

    WAITING = "left_waiting"
    """Went away before the first call."""
    NO_SHOW = "no_show"
    """Was called and did not come."""
    IN_SERVICE = "left_in_service"
    CLOSED = "day closed"
    """The closing ended it, and nobody of the cluster had said so."""
    ENDED = "day ended"
    """The cluster's people ended it at the closing hour."""


class DayEndAnswer(StrEnum):
    """Answer of a cluster's people about those who are still there at the closing hour."""

    GO_ON = "go_on"
    END = "end"
    SEEN = "seen"
    """Not an answer: somebody has seen whom the closing ended."""


class Verdict(StrEnum):
    """Verdict of the confirmation on the chosen cluster."""

    MATCH = "match"
    MISMATCH = "mismatch"
    BLOCKED = "blocked"
    UNSURE = "unsure"


class DoubtAnswer(StrEnum):
    """Answer to the question whether a danger sign that is doubted is there now; no answer keeps it."""

    YES = "yes"
    NO = "no"


DENIED_SIGN = "denied:"
"""Begins a priority's reason where a danger sign was asked about and denied; its code follows."""


class DuplicateBand(StrEnum):
    """Certainty of the duplicate check."""

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
    """Look of a line of a printed document."""

    PLAIN = "plain"
    CENTRED = "centred"
    HEADING = "heading"
    """Centred and bold."""
    BIG = "big"
    """Centred, twice as wide and high."""
    QR = "qr"
    """A QR code of the text; where a printer cannot draw one, the text."""
    DRAWN_QR = "drawn_qr"
    """A QR code of the text on every printer; one for letters alone draws it by characters."""


class Disposition(StrEnum):
    """End of a visit for the patient (status pulang)."""

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


class AllergySeverity(StrEnum):
    """Gravity of a reaction (FHIR AllergyIntolerance.reaction.severity)."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class AllergySource(StrEnum):
    """Source of an allergy."""

    PATIENT = "patient"
    FAMILY = "family"
    STAFF = "staff"
    """Seen here."""
    DOCUMENT = "document"


class CompoundMake(StrEnum):
    """Form in which a compounded medicine is made up, as prescriptions write it: m.f. pulv."""

    PAPERS = "pulv"
    CAPSULES = "caps"
    OINTMENT = "ung"
    SYRUP = "syr"


class OutboxStatus(StrEnum):
    """Status of a change on its way to the office."""

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
    """One right each; `core.foundation.permissions.ROLE_PERMISSIONS` says who has which at first."""

    REGISTER = "register"
    READ_PATIENTS = "read_patients"
    EDIT_PATIENTS = "edit_patients"
    MERGE_PATIENTS = "merge_patients"
    READ_QUEUES = "read_queues"
    READ_COMPLAINTS = "read_complaints"
    """Complaints of all clusters; those of one's own clusters need no right."""
    WORK_QUEUE = "work_queue"
    READ_RECORDS = "read_records"
    """Opens a visit: orders, results, prescriptions, allergies, weight and height."""
    READ_NOTES = "read_notes"
    """Sees the whole notes of a visit that is open."""
    WRITE_RECORDS = "write_records"
    WRITE_VITALS = "write_vitals"
    ENTER_RESULTS = "enter_results"
    DISPENSE = "dispense"
    RELEASE_RECORDS = "release_records"
    """Lets a record be corrected after its time."""
    READ_REPORTS = "read_reports"
    READ_AUDIT = "read_audit"
    APPROVE = "approve"
    """Decides on what another person asked for: a change of rights."""
    ADMINISTER = "administer"
    READ_DISPLAY = "read_display"
    PRINT = "print"
    RESERVE_NUMBERS = "reserve_numbers"
    """Prints paper forms with numbers of their own, and ends those that nobody used."""
    OPEN_DOOR = "open_door"
    SERVE_COUNTER = "serve_counter"
    """Takes the copy of the day and numbers in advance, and delivers what was registered without the core."""


class NumberSeries(StrEnum):
    """Numbers that leave the core before their patients come."""

    PAPER = "paper"
    """On printed forms, for the hours without a computer."""
    LENT = "lent"
    """In the hands of a counter that may lose the core, for one cluster and day."""
    RECORD = "record"
    """Medical record numbers in the hands of a counter."""


class NumberStatus(StrEnum):
    """State of a number that left the core."""

    LENT = "lent"
    USED = "used"
    RETURNED = "returned"
    """The unused form came back."""
    VOIDED = "voided"
    """Spoiled, lost, or never printed."""


class MachineRole(StrEnum):
    """Part that a machine has in the clinic."""

    CORE = "core"
    """Keeps the records."""
    COUNTER = "counter"
    """Serves a counter, passes everything on to the core, and registers by itself while the core is away."""


class PendingStatus(StrEnum):
    """State of a registration that a counter has made without the core."""

    WAITING = "waiting"
    ASKED = "asked"
    """The core has a question about it: a person answers at the counter."""
    DELIVERED = "delivered"
    UNDONE = "undone"
    """Taken back at the counter before the core heard of it."""


class AccessReason(StrEnum):
    """Reason why a record outside one's own queue is opened; words go with it."""

    EMERGENCY = "emergency"
    TREATMENT = "treatment"
    """Goes on with the treatment: by telephone, at home, after a referral."""
    COLLEAGUE = "colleague"
    """Asked by the clinician who treats."""
    PATIENT = "patient"
    """Asked by the patient."""
    CORRECTION = "correction"
    """Completes or corrects what was written."""
    REVIEW = "review"
    """Coding, audit or a complaint."""
    OTHER = "other"


class CopyForm(StrEnum):
    """Forms of the patient's own copy of the record."""

    TEXT = "text"
    """In words, to print."""
    DOCUMENT = "document"
    """A FHIR document, in the answer."""
    FILE = "file"
    """The same in a file of the data folder, to be carried away."""


class ApprovalKind(StrEnum):
    """Requests and deeds of one person that the supervisor approves."""

    RELEASE = "release"
    """A clinician's own record is corrected after its time."""
    EXPORT = "export"
    """A report that names patients leaves Loket as a file."""
    RESTORE = "restore"
    """A backup has replaced the database; approved afterwards."""
    TAMPERING = "tampering"
    """Breaks of the audit log that were looked into; vouched for, they are named and no longer new."""


class SignatureState(StrEnum):
    """Standing of a signature under a danger sign."""

    SIGNED = "signed"
    CHANGED = "changed"
    """Signed once; the rules are others now, so it does not hold."""
    UNSIGNED = "unsigned"


class RightsOutcome(StrEnum):
    """Outcome of a request to change a role's rights."""

    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class InjectionSite(StrEnum):
    """The part of the body into which a vaccine is given (HL7 ActSite)."""

    LEFT_ARM = "LA"
    RIGHT_ARM = "RA"
    LEFT_THIGH = "LT"
    RIGHT_THIGH = "RT"
