"""The tables. One class a table; columns documented where they stand.

Rows are never deleted: they are voided, ended or superseded. Derived search keys
(`PatientKey`) are the exception; they can be rebuilt from the rows they index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import peewee
from peewee import AutoField, CharField, ForeignKeyField, IntegerField, TextField

from core.database import DayField, DocumentField, FlagField, InstantField, database


class Table(peewee.Model):
    """What all tables share."""

    if TYPE_CHECKING:
        # Peewee makes `patient_id` beside `patient`, and back-references; its stubs do not say so.
        def __getattr__(self, name: str) -> Any: ...

    class Meta:
        """Bound to the clinic's database; table names are snake_case."""

        database = database
        legacy_table_names = False
        only_save_dirty = True


def _id() -> CharField:
    """A UUIDv7 primary key, 36 characters."""
    return CharField(max_length=36, primary_key=True)


class Account(Table):
    """A named person (or display, or door) who may sign in. Never shared."""

    id = _id()
    username = CharField(max_length=40, unique=True)
    name = CharField(max_length=80)
    role = CharField(max_length=16)
    clusters = DocumentField(default=list)
    """Cluster codes a clinician works in; empty for other roles."""
    password_hash = TextField()
    """argon2id, with its parameters and salt."""
    practitioner_nik = CharField(max_length=16, null=True)
    """For SATUSEHAT's practitioner lookup."""
    service_point = CharField(max_length=40, default="")
    """The room where this person calls patients; empty: the cluster's own."""
    must_change_password = FlagField(default=False)
    created_at = InstantField()
    disabled_at = InstantField(null=True)


class AccountKey(Table):
    """An SSH public key that signs its account in."""

    id = _id()
    account = ForeignKeyField(Account, backref="keys")
    public_key = TextField(unique=True)
    """OpenSSH form without comment: `ssh-ed25519 AAAA...`."""
    label = CharField(max_length=80, default="")
    created_at = InstantField()
    revoked_at = InstantField(null=True)


class Token(Table):
    """A sign-in. Only the SHA-256 of the bearer token is kept."""

    id = _id()
    token_hash = CharField(max_length=64, unique=True)
    account = ForeignKeyField(Account, backref="tokens")
    created_at = InstantField()
    expires_at = InstantField()
    revoked_at = InstantField(null=True)


class Patient(Table):
    """A person receiving care."""

    id = _id()
    medical_record_number = CharField(max_length=16, unique=True)
    """Eight digits, given once, never reused (indonesia.md 1.5)."""
    name = CharField(max_length=120)
    sex = CharField(max_length=8)
    birth_date = DayField(index=True)
    birth_date_estimated = FlagField(default=False)
    nik = CharField(max_length=16, null=True)
    bpjs_number = CharField(max_length=13, null=True)
    family_card_number = CharField(max_length=16, null=True, index=True)
    passport_number = CharField(max_length=20, null=True)
    mother_name = CharField(max_length=120, default="")
    mother = ForeignKeyField("self", null=True, backref="children")
    """The mother's own record, for a newborn without a NIK."""
    birth_order = IntegerField(null=True)
    """0 single, 1, 2... for twins (SATUSEHAT multipleBirthInteger)."""
    phone = CharField(max_length=20, default="", index=True)
    address = CharField(max_length=200, default="")
    rt = CharField(max_length=3, default="")
    rw = CharField(max_length=3, default="")
    village_code = CharField(max_length=10, default="")
    """Kemendagri code without dots."""
    no_identifier_reason = CharField(max_length=20, null=True)
    identity_verified_at = InstantField(null=True)
    """When a card was seen; empty: on the verify-later list."""
    version = IntegerField(default=1)
    created_at = InstantField()
    created_by = ForeignKeyField(Account, backref="+")
    updated_at = InstantField(index=True)
    merged_into = ForeignKeyField("self", null=True, backref="merged")
    voided_at = InstantField(null=True)
    voided_by = ForeignKeyField(Account, null=True, backref="+")
    void_reason = CharField(max_length=200, null=True)


Patient.add_index(
    Patient.index(Patient.nik, unique=True, where=(Patient.voided_at.is_null()), name="patient_nik_active")
)
Patient.add_index(
    Patient.index(
        Patient.bpjs_number, unique=True, where=(Patient.voided_at.is_null()), name="patient_bpjs_active"
    )
)


class PatientVersion(Table):
    """What a patient's record said before an edit, a merge or its undo."""

    patient = ForeignKeyField(Patient, backref="versions")
    version = IntegerField()
    data = DocumentField()
    """Every column of the patient as it was."""
    changed_at = InstantField()
    changed_by = ForeignKeyField(Account, backref="+")
    cause = CharField(max_length=20)
    """`edit`, `merge` or `unmerge`."""

    class Meta:
        """Not unique: the undo of a merge puts the old version number back."""

        indexes = ((("patient", "version"), False),)


class PatientKey(Table):
    """A search key derived from a patient: blocking for duplicates, lookup for the counter."""

    kind = CharField(max_length=12)
    value = CharField(max_length=80)
    patient = ForeignKeyField(Patient, backref="keys")

    class Meta:
        """Read by kind and value; rewritten by patient."""

        primary_key = peewee.CompositeKey("kind", "value", "patient")


class NotDuplicate(Table):
    """Two patients whom a person has judged to be two people. `low_id` < `high_id`."""

    low_id = CharField(max_length=36)
    high_id = CharField(max_length=36)
    decided_at = InstantField()
    decided_by = ForeignKeyField(Account, backref="+")

    class Meta:
        """Remembered once."""

        primary_key = peewee.CompositeKey("low_id", "high_id")


class SuspectedPair(Table):
    """Two patients who may be one, found when all were looked through. `low_id` < `high_id`."""

    low_id = CharField(max_length=36)
    high_id = CharField(max_length=36, index=True)
    score = peewee.DoubleField(index=True)

    class Meta:
        """Found once."""

        primary_key = peewee.CompositeKey("low_id", "high_id")


class Merge(Table):
    """One merge of two patients, with everything its undo needs."""

    id = _id()
    survivor = ForeignKeyField(Patient, backref="+")
    merged = ForeignKeyField(Patient, backref="+")
    log = DocumentField()
    """Snapshots of both rows and, per re-pointed row, table, id and old value."""
    merged_at = InstantField()
    merged_by = ForeignKeyField(Account, backref="+")
    undone_at = InstantField(null=True)
    undone_by = ForeignKeyField(Account, null=True, backref="+")


class Visit(Table):
    """An attendance, from arrival to leaving."""

    id = _id()
    patient = ForeignKeyField(Patient, backref="visits")
    service_on = DayField(index=True)
    """The clinic's day it belongs to."""
    status = CharField(max_length=12)
    payer = CharField(max_length=12)
    chief_complaint = CharField(max_length=500)
    pregnant = FlagField(default=False)
    disability = FlagField(default=False)
    is_first_this_year = FlagField(default=True)
    """LB1's kunjungan baru: the person's first visit of the calendar year."""
    suggested_cluster = CharField(max_length=12, null=True)
    """What the rules proposed at registration."""
    routing = DocumentField(default=dict)
    """The decision's reasons and red flags as shown to the clerk."""
    override_reason = CharField(max_length=200, null=True)
    disposition = CharField(max_length=24, null=True)
    started_at = InstantField()
    ended_at = InstantField(null=True)
    registered_by = ForeignKeyField(Account, backref="+")
    version = IntegerField(default=1)
    voided_at = InstantField(null=True)
    voided_by = ForeignKeyField(Account, null=True, backref="+")
    void_reason = CharField(max_length=200, null=True)


class Registration(Table):
    """One save at the counter; its id is made by the client, so that sending again is harmless."""

    id = _id()
    visit = ForeignKeyField(Visit, unique=True, backref="+")
    request_hash = CharField(max_length=64)
    """SHA-256 of the canonical request: the same id with another content is refused."""
    receipt = DocumentField()
    registered_at = InstantField()
    registered_by = ForeignKeyField(Account, backref="+")


class TicketCounter(Table):
    """The last number given in a cluster on a day. A row, not a count: numbers are never reused."""

    cluster = CharField(max_length=12)
    service_on = DayField()
    last_number = IntegerField()

    class Meta:
        """One row per cluster and day."""

        primary_key = peewee.CompositeKey("cluster", "service_on")


class Ticket(Table):
    """A number that was given out, once."""

    id = _id()
    cluster = CharField(max_length=12)
    service_on = DayField()
    sequence = IntegerField()
    """1, 2, 3... within cluster and day, without gaps."""
    number = CharField(max_length=8)
    """As printed: `A-001`."""
    visit = ForeignKeyField(Visit, backref="tickets")
    issued_at = InstantField()

    class Meta:
        """Unique under any concurrency, by the database itself."""

        indexes = ((("cluster", "service_on", "sequence"), True),)


class Appointment(Table):
    """A number taken from home, which waits for its patient."""

    id = _id()
    patient = ForeignKeyField(Patient, backref="+")
    cluster = CharField(max_length=12)
    service_on = DayField()
    sequence = IntegerField()
    """From the same counter as the tickets of the cluster and day."""
    number = CharField(max_length=8)
    status = CharField(max_length=12)
    chief_complaint = CharField(max_length=500)
    booked_at = InstantField()
    ended_at = InstantField(null=True)
    end_reason = CharField(max_length=200, default="")
    visit = ForeignKeyField(Visit, null=True, backref="+")
    """What came of it."""

    class Meta:
        """A number is kept once; a patient's are found by day."""

        indexes = ((("cluster", "service_on", "sequence"), True), (("patient", "service_on"), False))


class QueueEntry(Table):
    """A visit's place in one cluster's queue: an interval that is ended, never moved."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="entries")
    ticket = ForeignKeyField(Ticket, backref="entries")
    cluster = CharField(max_length=12)
    service_on = DayField()
    status = CharField(max_length=12)
    priority = CharField(max_length=12)
    priority_reason = CharField(max_length=80, default="")
    queued_at = InstantField()
    """Orders the queue. Kept from the first entry on a round trip, so that the place is kept."""
    service_point = CharField(max_length=40, null=True)
    """The room that called."""
    practitioner = ForeignKeyField(Account, null=True, backref="+")
    """Who called or serves."""
    reserved_for = ForeignKeyField(Account, null=True, backref="+")
    """Set on the way back from a round trip: the same clinician goes on."""
    call_count = IntegerField(default=0)
    skipped_at = InstantField(null=True)
    """When nobody answered; the turn comes again after some others were called."""
    came_from = ForeignKeyField("self", null=True, backref="led_to")
    returns_to = ForeignKeyField("self", null=True, backref="+")
    """On a round trip, the entry whose clinician gets the patient back."""
    started_at = InstantField()
    called_at = InstantField(null=True)
    served_at = InstantField(null=True)
    ended_at = InstantField(null=True)
    end_reason = CharField(max_length=200, null=True)
    version = IntegerField(default=1)
    voided_at = InstantField(null=True)
    """Set when an undo took the entry back."""

    class Meta:
        """A pane is one index range."""

        indexes = ((("cluster", "service_on", "status"), False),)


QueueEntry.add_index(
    QueueEntry.index(
        QueueEntry.visit,
        unique=True,
        where=(QueueEntry.ended_at.is_null() & QueueEntry.voided_at.is_null()),
        name="queue_entry_one_open_per_visit",
    )
)


class QueueEvent(Table):
    """One action on one entry, with what it takes to undo it."""

    sequence = AutoField()
    entry = ForeignKeyField(QueueEntry, backref="events")
    action = CharField(max_length=12)
    from_status = CharField(max_length=12, null=True)
    to_status = CharField(max_length=12)
    before = DocumentField(default=dict)
    """The entry's changed columns as they were."""
    at = InstantField()
    by = ForeignKeyField(Account, backref="+")
    undone_at = InstantField(null=True)


class Encounter(Table):
    """One contact with one cluster: the clinician's SOAP record."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="encounters")
    cluster = CharField(max_length=12)
    practitioner = ForeignKeyField(Account, backref="+")
    vitals = DocumentField(default=dict)
    """Name -> number, units as in `core.vitals.VITALS`."""
    subjective = TextField(default="")
    objective = TextField(default="")
    assessment = TextField(default="")
    plan = TextField(default="")
    form = DocumentField(default=dict)
    """Form code -> {observation name: answer}; `core.forms` knows names, units and codes."""
    disposition = CharField(max_length=24, null=True)
    started_at = InstantField()
    entered_at = InstantField()
    """First entry; the record locks a set time after it."""
    signed_at = InstantField(null=True)
    version = IntegerField(default=1)

    class Meta:
        """One per visit and cluster."""

        indexes = ((("visit", "cluster"), True),)


class EncounterVersion(Table):
    """What an encounter said before it was corrected."""

    encounter = ForeignKeyField(Encounter, backref="versions")
    version = IntegerField()
    data = DocumentField()
    changed_at = InstantField()
    changed_by = ForeignKeyField(Account, backref="+")


class Addendum(Table):
    """A note added to a locked record."""

    id = _id()
    encounter = ForeignKeyField(Encounter, backref="addenda")
    text = TextField()
    written_at = InstantField()
    written_by = ForeignKeyField(Account, backref="+")


class Diagnosis(Table):
    """One ICD-10 diagnosis of a visit (FHIR Condition)."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="diagnoses")
    encounter = ForeignKeyField(Encounter, backref="diagnoses")
    code = CharField(max_length=8, index=True)
    title = CharField(max_length=200)
    rank = IntegerField()
    """1 is the main diagnosis."""
    case_kind = CharField(max_length=4)
    recorded_at = InstantField()
    recorded_by = ForeignKeyField(Account, backref="+")
    voided_at = InstantField(null=True)
    voided_by = ForeignKeyField(Account, null=True, backref="+")
    void_reason = CharField(max_length=200, null=True)


class Procedure(Table):
    """Something done to the patient at a visit (FHIR Procedure)."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="procedures")
    encounter = ForeignKeyField(Encounter, backref="procedures")
    code = CharField(max_length=12)
    """ICD-9-CM (`23.09`), or one of the clinic's own list (see `ProcedureCode.is_local`)."""
    is_local = FlagField(default=False)
    """The code is the clinic's own: it travels as text, not as ICD-9-CM."""
    title = CharField(max_length=200)
    note = CharField(max_length=200, default="")
    """Body site (`46` for a tooth), amount, remarks."""
    performed_at = InstantField()
    performed_by = ForeignKeyField(Account, backref="+")
    voided_at = InstantField(null=True)
    """Set when it was entered in error."""
    voided_by = ForeignKeyField(Account, null=True, backref="+")
    void_reason = CharField(max_length=200, null=True)


class ProcedureCode(Table):
    """What may be done here: ICD-9-CM volume 3 in our own words, and the clinic's own entries."""

    code = CharField(max_length=12, primary_key=True)
    is_local = FlagField(default=False)
    title_id = CharField(max_length=200)
    title_en = CharField(max_length=200, default="")
    words = TextField(default="")
    """Folded search words."""
    usual = IntegerField(default=0)
    """Higher comes first among equals."""


class DiagnosisCode(Table):
    """The ICD-10 list: a short one of our own words, or the clinic's full import."""

    code = CharField(max_length=8, primary_key=True)
    title_id = CharField(max_length=200)
    title_en = CharField(max_length=200, default="")
    words = TextField(default="")
    """Folded search words."""
    usual = IntegerField(default=0)
    """Higher comes first among equals."""

    class Meta:
        """Its own name would be that of an index on `diagnosis`."""

        table_name = "icd10_code"


class Prescription(Table):
    """One prescribed medicine (FHIR MedicationRequest) and its dispensing."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="prescriptions")
    encounter = ForeignKeyField(Encounter, backref="prescriptions")
    medicine = CharField(max_length=120)
    dose = CharField(max_length=60)
    frequency = CharField(max_length=60)
    amount = CharField(max_length=30)
    instructions = CharField(max_length=200, default="")
    status = CharField(max_length=12)
    prescribed_at = InstantField()
    prescribed_by = ForeignKeyField(Account, backref="+")
    dispensed_at = InstantField(null=True)
    dispensed_by = ForeignKeyField(Account, null=True, backref="+")
    dispensed_amount = CharField(max_length=30, null=True)
    """What was handed out where it differs from `amount`."""
    dispense_note = CharField(max_length=200, null=True)
    revoked_at = InstantField(null=True)
    revoked_by = ForeignKeyField(Account, null=True, backref="+")
    revoke_reason = CharField(max_length=200, null=True)


class Order(Table):
    """One laboratory order (FHIR ServiceRequest) and its result."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="orders")
    encounter = ForeignKeyField(Encounter, backref="orders")
    test = CharField(max_length=80)
    note = CharField(max_length=200, default="")
    status = CharField(max_length=12)
    ordered_at = InstantField()
    ordered_by = ForeignKeyField(Account, backref="+")
    result = CharField(max_length=200, null=True)
    unit = CharField(max_length=20, default="")
    reference_range = CharField(max_length=60, default="")
    resulted_at = InstantField(null=True)
    resulted_by = ForeignKeyField(Account, null=True, backref="+")
    code = CharField(max_length=16, null=True)
    """LOINC, where the test is in the list of tests."""
    interpretation = CharField(max_length=8, null=True)
    """`low`, `high`, `abnormal` or `normal` against the range for the patient; empty when not known."""
    revoked_at = InstantField(null=True)
    revoked_by = ForeignKeyField(Account, null=True, backref="+")
    revoke_reason = CharField(max_length=200, null=True)


class Letter(Table):
    """A certificate or a referral as it was given to the patient."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="letters")
    encounter = ForeignKeyField(Encounter, backref="letters")
    kind = CharField(max_length=16)
    year = IntegerField()
    sequence = IntegerField()
    """1, 2, 3... within kind and year."""
    number = CharField(max_length=40)
    """As printed."""
    data = DocumentField(default=dict)
    """What was asked for it: days of rest, the hospital referred to, ..."""
    text = TextField()
    """The letter as issued, lines of at most 72 cells."""
    issued_at = InstantField()
    issued_by = ForeignKeyField(Account, backref="+")

    class Meta:
        """Numbers are never used twice."""

        indexes = ((("kind", "year", "sequence"), True),)


class Allergy(Table):
    """Shown first in the patient's banner (FHIR AllergyIntolerance)."""

    id = _id()
    patient = ForeignKeyField(Patient, backref="allergies")
    substance = CharField(max_length=120)
    reaction = CharField(max_length=120, default="")
    recorded_at = InstantField()
    recorded_by = ForeignKeyField(Account, backref="+")
    voided_at = InstantField(null=True)


class Draft(Table):
    """Something half-typed, kept so that a broken line or server loses at most one field."""

    account = ForeignKeyField(Account, backref="drafts")
    key = CharField(max_length=80)
    """`registration`, `encounter:{visit id}`."""
    data = DocumentField()
    saved_at = InstantField()

    class Meta:
        """One per person and thing."""

        primary_key = peewee.CompositeKey("account", "key")


class RoutingExample(Table):
    """A labelled complaint the routing may learn from: a move, or an override that was kept."""

    id = _id()
    complaint = CharField(max_length=500)
    age_days = IntegerField()
    sex = CharField(max_length=8)
    pregnant = FlagField()
    proposed = CharField(max_length=12, null=True)
    chosen = CharField(max_length=12)
    source = CharField(max_length=12)
    """`transfer` or `override`."""
    visit = ForeignKeyField(Visit, backref="+")
    at = InstantField()


class Change(Table):
    """The change feed: what panes follow and sequences count."""

    sequence = AutoField()
    kind = CharField(max_length=24)
    """`entry`, `patient`, `encounter`, `day_closed`, ..."""
    cluster = CharField(max_length=12, null=True)
    entry = ForeignKeyField(QueueEntry, null=True, backref="+")
    visit = ForeignKeyField(Visit, null=True, backref="+")
    data = DocumentField(default=dict)
    """Small facts without patient data (`action`, `previous_cluster`)."""
    at = InstantField()


class AuditEvent(Table):
    """Who saw or changed what. Append-only; each row carries the hash of the one before."""

    sequence = AutoField()
    at = InstantField()
    account = ForeignKeyField(Account, null=True, backref="+")
    origin = CharField(max_length=80, default="")
    """Where it came from: an address, `ssh`, `loket command`."""
    action = CharField(max_length=40)
    kind = CharField(max_length=24)
    target = CharField(max_length=80)
    patient_id = CharField(max_length=36, null=True, index=True)
    detail = DocumentField(default=dict)
    previous_hash = CharField(max_length=64)
    hash = CharField(max_length=64)


class Outbox(Table):
    """A record that the office has yet to receive; one row per record, renewed by each edit."""

    sequence = AutoField()
    kind = CharField(max_length=12)
    """`patient` or `visit`: what is sent together."""
    target = CharField(max_length=36)
    change = IntegerField(default=1)
    """Counts edits: a row is sent only when the change that was sent is still the newest."""
    status = CharField(max_length=8, index=True)
    attempts = IntegerField(default=0)
    queued_at = InstantField()
    sent_at = InstantField(null=True)
    error = TextField(null=True)
    """The office's own words."""

    class Meta:
        """One row per record."""

        indexes = ((("kind", "target"), True),)


class RemoteResource(Table):
    """The id that a server of its own ids (SATUSEHAT) gave to one of our resources."""

    server = CharField(max_length=120)
    """Its address: a test server's ids mean nothing at the real one."""
    type = CharField(max_length=24)
    value = CharField(max_length=80)
    """Our business identifier; a practitioner's username."""
    remote_id = CharField(max_length=64)
    digest = CharField(max_length=64)
    """Of what was sent last, or of the number it was looked up by; empty: send it again."""
    at = InstantField()

    class Meta:
        """One id a resource and server."""

        primary_key = peewee.CompositeKey("server", "type", "value")


class JobRun(Table):
    """One run of a job or of one of its steps; what the admin sees and what makes it resumable."""

    id = _id()
    job = CharField(max_length=24)
    """`closing` or `sync`."""
    step = CharField(max_length=24, default="")
    day = DayField(null=True)
    status = CharField(max_length=8)
    done = IntegerField(default=0)
    total = IntegerField(default=0)
    detail = DocumentField(default=dict)
    error = TextField(null=True)
    started_at = InstantField()
    ended_at = InstantField(null=True)


class State(Table):
    """Small facts that must survive a restart: last manifest, link speed, learned routing in use."""

    key = CharField(max_length=40, primary_key=True)
    value = DocumentField()


ALL_TABLES: tuple[type[Table], ...] = (
    Account, AccountKey, Token, Patient, PatientVersion, PatientKey, NotDuplicate, SuspectedPair, Merge,
    Visit, Registration, TicketCounter, Ticket, QueueEntry, QueueEvent, Encounter, EncounterVersion, Addendum,
    Diagnosis, DiagnosisCode, Procedure, ProcedureCode, Prescription, Order, Letter, Allergy, Draft,
    RoutingExample, Change, AuditEvent, Outbox, RemoteResource, JobRun, State,
)  # fmt: skip
"""In an order in which they can be created."""
