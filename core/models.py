"""The tables. One class a table; columns documented where they stand.

Rows are never deleted: they are voided, ended or superseded. Derived search keys
(`PatientKey`) are the exception; they can be rebuilt from the rows they index.
"""

from __future__ import annotations

import peewee
from peewee import AutoField, BlobField, CharField, ForeignKeyField, IntegerField, TextField

from core.foundation.database import DayField, DocumentField, FlagField, InstantField, database


class Table(peewee.Model):
    """Base of all tables."""

    class Meta:
        """Bound to the clinic's database; table names are snake_case."""

        database = database
        legacy_table_names = False
        only_save_dirty = True


def _id() -> CharField[str]:
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
    """Whether the next sign-in may do nothing but choose a password."""
    created_at = InstantField()
    disabled_at = InstantField(null=True)
    second_factor = CharField(max_length=64, null=True)
    """Secret of the codes that are asked after the password (RFC 6238), base32; empty: none are asked."""
    second_factor_step = peewee.IntegerField(null=True)
    """Time step of the newest code that was taken: no code is taken twice."""


class AccountKey(Table):
    """An SSH public key that signs its account in."""

    id = _id()
    account = ForeignKeyField(Account, backref="keys")
    account_id: str
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
    account_id: str
    created_at = InstantField()
    expires_at = InstantField()
    revoked_at = InstantField(null=True)
    method = CharField(max_length=12, default="password")
    """`password`, `key`, or `door` for the credential of an SSH door."""
    source = CharField(max_length=64, default="")
    """Address that signed in."""
    label = CharField(max_length=80, default="")
    """Name of the door whose credential this is."""
    bound_to = CharField(max_length=64, default="")
    """The one address that may use it; empty: any."""
    needs_code = FlagField(default=False)
    """True if it is good for nothing but giving the code of the second factor."""


class SignInFailure(Table):
    """A wrong guess; kept for a day, so that a restart forgives nobody."""

    subject = CharField(max_length=64)
    """The account's id, or a hash of a name that nobody has."""
    source = CharField(max_length=64)
    """Address that guessed."""
    at = InstantField()

    class Meta:
        """Counted by account and by address."""

        indexes = ((("subject", "at"), False), (("source", "at"), False))


class KnownSource(Table):
    """An address that has signed in as an account: guesses from elsewhere do not lock it out."""

    subject = CharField(max_length=64)
    source = CharField(max_length=64)
    at = InstantField()

    class Meta:
        """One per account and address."""

        primary_key = peewee.CompositeKey("subject", "source")


class KeyProof(Table):
    """A signature that has signed an account in; each is accepted once."""

    digest = CharField(max_length=64, primary_key=True)
    at = InstantField()


class RightsChange(Table):
    """A request to give a right to a role, or to take it away; another person decides on it."""

    id = _id()
    role = CharField(max_length=16)
    permission = CharField(max_length=24)
    granted = FlagField()
    """True gives the right, False takes it away."""
    reason = CharField(max_length=200)
    requested_at = InstantField()
    requested_by = ForeignKeyField(Account, backref="+")
    requested_by_id: str
    decided_at = InstantField(null=True)
    decided_by = ForeignKeyField(Account, null=True, backref="+")
    decided_by_id: str | None
    outcome = CharField(max_length=12, null=True)
    """`approved`, `refused` or `withdrawn`; empty while it waits."""


class Approval(Table):
    """Something that one person asks for, or has done, and another approves."""

    id = _id()
    kind = CharField(max_length=12)
    """An `ApprovalKind`."""
    target = CharField(max_length=80)
    """A visit, a report with its day, a backup: what the kind says."""
    reason = CharField(max_length=200)
    detail = DocumentField()
    """Further facts of the kind; nothing clinical."""
    requested_at = InstantField(index=True)
    requested_by = ForeignKeyField(Account, backref="+")
    requested_by_id: str
    decided_at = InstantField(null=True)
    decided_by = ForeignKeyField(Account, null=True, backref="+")
    decided_by_id: str | None
    outcome = CharField(max_length=12, null=True)
    """`approved` or `refused`; empty while it waits."""


class RolePermission(Table):
    """A right that a role has, or lacks, other than by default."""

    role = CharField(max_length=16)
    permission = CharField(max_length=24)
    granted = FlagField()
    change = ForeignKeyField(RightsChange, backref="+")
    """The approved request that made it so."""
    change_id: str

    class Meta:
        """One a role and right; without a row the default holds."""

        primary_key = peewee.CompositeKey("role", "permission")


class Patient(Table):
    """A person receiving care."""

    id = _id()
    medical_record_number = CharField(max_length=16, unique=True)
    """Eight digits, given once, never reused (docs/reference/indonesia.md 1.5)."""
    name = CharField(max_length=120)
    other_names = CharField(max_length=200, default="")
    """Names that the person is known by besides, parted by commas: called as, the husband's, a former one."""
    sex = CharField(max_length=8)
    birth_date = DayField(index=True)
    birth_date_estimated = FlagField(default=False)
    nik = CharField(max_length=16, null=True)
    bpjs_number = CharField(max_length=13, null=True)
    family_card_number = CharField(max_length=16, null=True, index=True)
    passport_number = CharField(max_length=20, null=True)
    passport_doubtful = FlagField(default=False)
    """Several patients had this number when it became one person's alone: it proves nobody until a person has looked."""
    mother_name = CharField(max_length=120, default="")
    mother: ForeignKeyField[Patient | None] = ForeignKeyField("self", null=True, backref="children")
    mother_id: str | None
    """The mother's own record, for a newborn without a NIK."""
    mother_nik = CharField(max_length=16, null=True)
    """The mother's NIK, whose card was shown for a child without a number of its own."""
    guardian_nik = CharField(max_length=16, null=True)
    """The NIK of another relative whose card was shown instead."""
    birth_order = IntegerField(null=True)
    """0 single, 1, 2... for twins (SATUSEHAT multipleBirthInteger)."""
    phone = CharField(max_length=20, default="", index=True)
    address = CharField(max_length=200, default="")
    rt = CharField(max_length=3, default="")
    rw = CharField(max_length=3, default="")
    village_code = CharField(max_length=10, default="")
    """Kemendagri code without dots."""
    no_identifier_reason = CharField(max_length=20, null=True)
    religion = CharField(max_length=8, default="")
    """A code of `core.patients.identity_values`, or `refused`; empty: nobody asked. So the three that follow."""
    education = CharField(max_length=8, default="")
    occupation = CharField(max_length=8, default="")
    marital_status = CharField(max_length=8, default="")
    deceased_on = DayField(null=True)
    """The day of death: that of a visit that ended with it, else the reported one."""
    death_reported_on = DayField(null=True)
    """The day of death as an imported list reports it."""
    identity_verified_at = InstantField(null=True)
    no_known_allergies_at = InstantField(null=True)
    """When the patient was asked and knew of none; null: nobody asked, or there are some."""
    no_known_allergies_by = ForeignKeyField(Account, null=True, backref="+")
    no_known_allergies_by_id: str | None
    """When a card was seen; empty: on the verify-later list."""
    version = IntegerField(default=1)
    created_at = InstantField()
    created_by = ForeignKeyField(Account, backref="+")
    created_by_id: str
    updated_at = InstantField(index=True)
    merged_into: ForeignKeyField[Patient | None] = ForeignKeyField("self", null=True, backref="merged")
    merged_into_id: str | None
    voided_at = InstantField(null=True)
    voided_by = ForeignKeyField(Account, null=True, backref="+")
    voided_by_id: str | None
    void_reason = CharField(max_length=200, null=True)


Patient.add_index(
    Patient.index(Patient.nik, unique=True, where=(Patient.voided_at.is_null()), name="patient_nik_active")
)
Patient.add_index(
    Patient.index(
        Patient.bpjs_number, unique=True, where=(Patient.voided_at.is_null()), name="patient_bpjs_active"
    )
)
Patient.add_index(
    Patient.index(
        Patient.passport_number,
        unique=True,
        where=(Patient.voided_at.is_null() & ~Patient.passport_doubtful),
        name="patient_passport_active",
    )
)


class PatientVersion(Table):
    """Version of a patient's record before an edit, a merge or its undo."""

    patient = ForeignKeyField(Patient, backref="versions")
    patient_id: str
    version = IntegerField()
    data = DocumentField()
    """Every column of the patient as it was."""
    changed_at = InstantField()
    changed_by = ForeignKeyField(Account, backref="+")
    changed_by_id: str
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
    patient_id: str

    class Meta:
        """Read by kind and value; rewritten by patient."""

        primary_key = peewee.CompositeKey("kind", "value", "patient")


class NonMatch(Table):
    """Two patients that a person has judged to be two people. `low_id` < `high_id`."""

    low_id = CharField(max_length=36)
    high_id = CharField(max_length=36)
    decided_at = InstantField()
    decided_by = ForeignKeyField(Account, backref="+")
    decided_by_id: str
    low: Patient
    high: Patient
    """The patients' rows, in queries that join them."""

    class Meta:
        """Remembered once."""

        table_name = "not_duplicate"
        primary_key = peewee.CompositeKey("low_id", "high_id")


class CandidatePair(Table):
    """Two patients that may be one person, waiting for clerical review. `low_id` < `high_id`."""

    low_id = CharField(max_length=36)
    high_id = CharField(max_length=36, index=True)
    score = peewee.DoubleField(index=True)

    class Meta:
        """Found once."""

        table_name = "suspected_pair"
        primary_key = peewee.CompositeKey("low_id", "high_id")


class SetAsideRow(Table):
    """Row of an imported list that is nobody's record yet, for a person to mend; kept when it is settled."""

    id = _id()
    list_name = CharField(max_length=120)
    """Name of the file."""
    line = IntegerField()
    """Line of the file, counted from 1."""
    values = DocumentField()
    """Field -> what the list says, as text."""
    reasons = DocumentField()
    """Reason for which it was set aside: `birth_date: placeholder`."""
    alike: ForeignKeyField[Patient | None] = ForeignKeyField(Patient, null=True, backref="+")
    alike_id: str | None
    """The patient who has the row's NIK or BPJS number."""
    set_aside_at = InstantField()
    set_aside_by = ForeignKeyField(Account, backref="+")
    set_aside_by_id: str
    settled_at = InstantField(null=True, index=True)
    settled_by = ForeignKeyField(Account, null=True, backref="+")
    settled_by_id: str | None
    outcome = CharField(max_length=12, null=True)
    """`stored`, `known` or `left_out`; empty while it waits."""
    reason = CharField(max_length=200, default="")
    """Reason for which it was left out."""
    patient: ForeignKeyField[Patient | None] = ForeignKeyField(Patient, null=True, backref="+")
    patient_id: str | None
    """The patient whom it became, or who was known."""


class Merge(Table):
    """One merge of two patients, with everything its undo needs."""

    id = _id()
    survivor = ForeignKeyField(Patient, backref="+")
    survivor_id: str
    merged = ForeignKeyField(Patient, backref="+")
    merged_id: str
    log = DocumentField()
    """Snapshots of both rows and, per re-pointed row, table, id and old value."""
    merged_at = InstantField()
    merged_by = ForeignKeyField(Account, backref="+")
    merged_by_id: str
    undone_at = InstantField(null=True)
    undone_by = ForeignKeyField(Account, null=True, backref="+")
    undone_by_id: str | None


class Visit(Table):
    """An attendance, from arrival to leaving."""

    id = _id()
    patient = ForeignKeyField(Patient, backref="visits")
    patient_id: str
    service_on = DayField(index=True)
    """The clinic's day it belongs to."""
    status = CharField(max_length=12)
    payer = CharField(max_length=12)
    payer_source = CharField(max_length=12, default="clerk")
    """A `PayerSource` code; visits from before it was stored count as the clerk's choice."""
    chief_complaint = CharField(max_length=500)
    pregnant = FlagField(default=False)
    breastfeeding = FlagField(null=True)
    """As the patient said; null: nobody asked."""
    disability = FlagField(default=False)
    is_first_this_year = FlagField(default=True)
    """LB1's kunjungan baru: the person's first visit of the calendar year."""
    suggested_cluster = CharField(max_length=12, null=True)
    """Proposal of the rules at registration."""
    routing = DocumentField(default=dict)
    """The decision's reasons and red flags as shown to the clerk."""
    override_reason = CharField(max_length=200, null=True)
    disposition = CharField(max_length=24, null=True)
    started_at = InstantField()
    ended_at = InstantField(null=True)
    registered_by = ForeignKeyField(Account, backref="+")
    registered_by_id: str
    version = IntegerField(default=1)
    voided_at = InstantField(null=True)
    voided_by = ForeignKeyField(Account, null=True, backref="+")
    voided_by_id: str | None
    void_reason = CharField(max_length=200, null=True)


class Registration(Table):
    """One save at the counter; its id is made by the client, so that sending again is harmless."""

    id = _id()
    visit = ForeignKeyField(Visit, unique=True, backref="+")
    visit_id: str
    request_hash = CharField(max_length=64)
    """SHA-256 of the canonical request: the same id with another content is refused."""
    receipt = DocumentField()
    registered_at = InstantField()
    registered_by = ForeignKeyField(Account, backref="+")
    registered_by_id: str


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
    """1, 2, 3... within cluster and day; of a printed form, its number below zero: they are a series of their own."""
    number = CharField(max_length=8)
    """As printed: `A-001`."""
    turn = peewee.BigIntegerField()
    """Its place among the numbers of cluster and day: by the number, or by the arrival of whoever was entered late."""
    visit = ForeignKeyField(Visit, backref="tickets")
    visit_id: str
    issued_at = InstantField()

    class Meta:
        """Unique under any concurrency, by the database itself."""

        indexes = ((("cluster", "service_on", "sequence"), True), (("cluster", "service_on", "turn"), True))


class Counter(Table):
    """A counter's own machine, which goes on without the core."""

    id = _id()
    name = CharField(max_length=40, unique=True)
    """As people call it."""
    account = ForeignKeyField(Account, backref="+")
    account_id: str
    """The machine's own account: it has no password, and no right but to serve the counter."""
    store_key = CharField(max_length=64, default="")
    """Key of the machine's store, base64: the core opens it while it is there. Empty once the machine is lost."""
    has_secret = FlagField(default=False)
    """True if the store needs a secret of the machine besides a password: without it the store holds today's people only."""
    days = IntegerField(default=90)
    """Patients who came within so many days are held; more than 90 only as the head of the clinic has approved."""
    created_at = InstantField()
    created_by = ForeignKeyField(Account, null=True, backref="+")
    created_by_id: str | None
    contact_at = InstantField(null=True)
    waiting = IntegerField(default=0)
    """Registrations that were still to be delivered at the last contact."""
    asked = IntegerField(default=0)
    """Those that wait there for somebody's answer."""
    away_since = InstantField(null=True)
    """Instant at which the machine had last lost the core, as it told; empty while it has not."""
    chain_length = IntegerField(default=0)
    chain_head = CharField(max_length=64, default="")
    """Newest hash of the machine's own audit chain, as it was delivered."""
    lost_at = InstantField(null=True)
    lost_by = ForeignKeyField(Account, null=True, backref="+")
    lost_by_id: str | None


class CounterPerson(Table):
    """A patient whose card was copied to a counter's machine: who is to be told if it is stolen."""

    counter = ForeignKeyField(Counter, backref="+")
    counter_id: str
    patient = ForeignKeyField(Patient, backref="+")
    patient_id: str
    sent_at = InstantField()
    held_until = InstantField(null=True)
    """Instant at which the machine was told to drop it; empty while it holds it."""

    class Meta:
        """One row a machine and patient."""

        primary_key = peewee.CompositeKey("counter", "patient")


class CounterDelivery(Table):
    """A registration that a counter had made without the core; the id is the registration's."""

    id = _id()
    counter = ForeignKeyField(Counter, backref="+")
    counter_id: str
    visit = ForeignKeyField(Visit, backref="+")
    visit_id: str
    account = ForeignKeyField(Account, backref="+")
    account_id: str
    """The account that registered at the counter."""
    arrived_at = InstantField()
    is_uncertain = FlagField(default=False)
    """True if the machine could not know the time: it had been switched off and has no clock of its own."""
    flag = CharField(max_length=24, default="")
    """Reason for the supervisor to look at it: `account_disabled`; empty: none."""
    delivered_at = InstantField()
    seen_at = InstantField(null=True)
    seen_by = ForeignKeyField(Account, null=True, backref="+")
    seen_by_id: str | None


class CounterEvent(Table):
    """A row of a counter's own audit chain, as it was delivered."""

    counter = ForeignKeyField(Counter, backref="+")
    counter_id: str
    number = IntegerField()
    """From 1, without gaps."""
    row = DocumentField()
    hash = CharField(max_length=64)
    """SHA-256 over the hash before and the row."""

    class Meta:
        """One row a number."""

        primary_key = peewee.CompositeKey("counter", "number")


class PendingRegistration(Table):
    """On a counter's machine: a registration that it made without the core. The id is the registration's."""

    id = _id()
    number = IntegerField(unique=True)
    """Its place in the order of delivery."""
    account = ForeignKeyField(Account, backref="+")
    account_id: str
    request = DocumentField()
    """As the terminal sent it."""
    made = DocumentField()
    """Given out for it: ids, ticket number, medical record number."""
    arrived_at = InstantField()
    is_uncertain = FlagField(default=False)
    status = CharField(max_length=12, index=True)
    """`PendingStatus`."""
    problem = DocumentField(default=dict)
    """The core's question: `code`, `fields`, `details`."""
    kept_at = InstantField()
    ended_at = InstantField(null=True)


class LentNumber(Table):
    """A number that left the core before its patient came: on a printed form, or lent to a counter that may lose the core.

    Each ends in words, none twice.
    """

    id = _id()
    series = CharField(max_length=8)
    """`NumberSeries`."""
    cluster = CharField(max_length=12)
    service_on = DayField()
    """The day that it is for; 1970-01-01 for a form, which is good for any."""
    sequence = IntegerField()
    number = CharField(max_length=8)
    """As printed: `A-K01`."""
    status = CharField(max_length=8)
    """`NumberStatus`."""
    lent_at = InstantField()
    lent_by = ForeignKeyField(Account, backref="+")
    lent_by_id: str
    ended_at = InstantField(null=True)
    ended_by = ForeignKeyField(Account, null=True, backref="+")
    ended_by_id: str | None
    reason = CharField(max_length=200, default="")
    """Why it was returned or voided."""
    visit = ForeignKeyField(Visit, null=True, backref="+")
    visit_id: str | None
    """The visit that was registered with it."""
    counter = ForeignKeyField(Counter, null=True, backref="+")
    counter_id: str | None
    """The machine that it is lent to; empty for a printed form."""

    class Meta:
        """A printed number is there once."""

        indexes = ((("series", "service_on", "number"), True),)


class LateEntry(Table):
    """A visit that was registered after its patient had come: from paper, or from a counter without the core."""

    visit = ForeignKeyField(Visit, primary_key=True, backref="+")
    visit_id: str
    arrived_at = InstantField()
    """The true time of arrival; the visit begins with it."""
    written_by = CharField(max_length=80)
    """The writer, in words: a volunteer has no account."""
    paper: ForeignKeyField[LentNumber | None] = ForeignKeyField(LentNumber, null=True, backref="+")
    paper_id: str | None
    """The printed form; empty for a sheet without a number."""
    entered_at = InstantField()
    entered_by = ForeignKeyField(Account, backref="+")
    entered_by_id: str


class Appointment(Table):
    """A number taken from home or given in the room, which waits for its patient."""

    id = _id()
    patient = ForeignKeyField(Patient, backref="+")
    patient_id: str
    cluster = CharField(max_length=12)
    service_on = DayField()
    sequence = IntegerField()
    """From the same counter as the tickets of the cluster and day."""
    number = CharField(max_length=8)
    status = CharField(max_length=12)
    chief_complaint = CharField(max_length=500)
    card = CharField(max_length=13, default="")
    """BPJS number with which it was made; the patient's record may hold none."""
    phone = CharField(max_length=20, default="")
    """As it was sent, beside the one on the patient's card."""
    doctor = CharField(max_length=10, default="")
    """BPJS's number of the clinician wanted."""
    hours = CharField(max_length=11, default="")
    """That clinician's: `08:00-12:00`."""
    origin = CharField(max_length=8, default="home")
    """`AppointmentOrigin`."""
    from_visit = ForeignKeyField(Visit, null=True, backref="+")
    from_visit_id: str | None
    """The visit at which it was given as a return date."""
    booked_at = InstantField()
    ended_at = InstantField(null=True)
    end_reason = CharField(max_length=200, default="")
    visit = ForeignKeyField(Visit, null=True, backref="+")
    visit_id: str | None
    """Outcome."""

    class Meta:
        """A number is kept once; a patient's are found by day."""

        indexes = ((("cluster", "service_on", "sequence"), True), (("patient", "service_on"), False))


class QueueEntry(Table):
    """A visit's place in one cluster's queue: an interval that is ended, never moved."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="entries")
    visit_id: str
    ticket = ForeignKeyField(Ticket, backref="entries")
    ticket_id: str
    cluster = CharField(max_length=12)
    service_on = DayField()
    status = CharField(max_length=12)
    priority = CharField(max_length=12)
    priority_reason = CharField(max_length=80, default="")
    queued_at = InstantField()
    """Since when the patient counts as waiting. Kept from the first entry on a round trip, so that the place is kept."""
    service_point = CharField(max_length=40, null=True)
    """The room that called."""
    practitioner = ForeignKeyField(Account, null=True, backref="+")
    practitioner_id: str | None
    """Practitioner who called or serves."""
    reserved_for = ForeignKeyField(Account, null=True, backref="+")
    reserved_for_id: str | None
    """Set on the way back from a round trip: the same clinician goes on."""
    call_count = IntegerField(default=0)
    skipped_at = InstantField(null=True)
    """When nobody answered; the turn comes again after some others were called."""
    came_from: ForeignKeyField[QueueEntry | None] = ForeignKeyField("self", null=True, backref="led_to")
    came_from_id: str | None
    returns_to: ForeignKeyField[QueueEntry | None] = ForeignKeyField("self", null=True, backref="+")
    returns_to_id: str | None
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
        """A day's entries are one index range, its calls one in the order of their time."""

        indexes = ((("cluster", "service_on", "called_at"), False),)


QueueEntry.add_index(
    QueueEntry.index(
        QueueEntry.visit,
        unique=True,
        where=(QueueEntry.ended_at.is_null() & QueueEntry.voided_at.is_null()),
        name="queue_entry_one_open_per_visit",
    )
)
QueueEntry.add_index(
    QueueEntry.index(
        QueueEntry.cluster,
        QueueEntry.status,
        QueueEntry.priority,
        QueueEntry.service_on,
        QueueEntry.queued_at,
        QueueEntry.ticket,
        QueueEntry.reserved_for,
        QueueEntry.ended_at,
        QueueEntry.voided_at,
        where=(QueueEntry.ended_at.is_null() & QueueEntry.voided_at.is_null()),
        name="queue_entry_open",
    )
)


class QueueEvent(Table):
    """One action on one entry, with what it takes to undo it."""

    sequence = AutoField()
    entry = ForeignKeyField(QueueEntry, backref="events")
    entry_id: str
    action = CharField(max_length=12)
    from_status = CharField(max_length=12, null=True)
    to_status = CharField(max_length=12)
    before = DocumentField(default=dict)
    """The entry's changed columns as they were."""
    at = InstantField()
    by = ForeignKeyField(Account, backref="+")
    by_id: str
    undone_at = InstantField(null=True)


class Encounter(Table):
    """One contact with one cluster: the clinician's SOAP record."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="encounters")
    visit_id: str
    cluster = CharField(max_length=12)
    practitioner = ForeignKeyField(Account, backref="+")
    practitioner_id: str
    vitals = DocumentField(default=dict)
    """Name -> number, units as in `core.records.vital_signs.VITALS`."""
    subjective = TextField(default="")
    objective = TextField(default="")
    assessment = TextField(default="")
    plan = TextField(default="")
    form = DocumentField(default=dict)
    """Form code -> {observation name: answer}; `core.records.forms` knows names, units and codes."""
    disposition = CharField(max_length=24, null=True)
    started_at = InstantField()
    entered_at = InstantField()
    """First entry; the record locks a set time after it."""
    signed_at = InstantField(null=True)
    version = IntegerField(default=1)

    class Meta:
        """One per visit and cluster."""

        indexes = ((("visit", "cluster"), True),)


class RecordRelease(Table):
    """The supervisor's leave to correct a visit's record after its time."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="+")
    visit_id: str
    cluster = CharField(max_length=12, null=True)
    """The contact that is released; empty: all of the visit."""
    reason = CharField(max_length=200)
    released_at = InstantField()
    released_by = ForeignKeyField(Account, backref="+")
    released_by_id: str
    until = InstantField()


class EncounterVersion(Table):
    """Version of an encounter before a correction."""

    encounter = ForeignKeyField(Encounter, backref="versions")
    encounter_id: str
    version = IntegerField()
    data = DocumentField()
    changed_at = InstantField()
    changed_by = ForeignKeyField(Account, backref="+")
    changed_by_id: str


class Addendum(Table):
    """A note added to a locked record."""

    id = _id()
    encounter = ForeignKeyField(Encounter, backref="addenda")
    encounter_id: str
    text = TextField()
    written_at = InstantField()
    written_by = ForeignKeyField(Account, backref="+")
    written_by_id: str


class Diagnosis(Table):
    """One ICD-10 diagnosis of a visit (FHIR Condition)."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="diagnoses")
    visit_id: str
    encounter = ForeignKeyField(Encounter, backref="diagnoses")
    encounter_id: str
    code = CharField(max_length=8, index=True)
    title = CharField(max_length=200)
    rank = IntegerField()
    """1 is the main diagnosis."""
    case_kind = CharField(max_length=4)
    recorded_at = InstantField()
    recorded_by = ForeignKeyField(Account, backref="+")
    recorded_by_id: str
    voided_at = InstantField(null=True)
    voided_by = ForeignKeyField(Account, null=True, backref="+")
    voided_by_id: str | None
    void_reason = CharField(max_length=200, null=True)


class Procedure(Table):
    """Something done to the patient at a visit (FHIR Procedure)."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="procedures")
    visit_id: str
    encounter = ForeignKeyField(Encounter, backref="procedures")
    encounter_id: str
    code = CharField(max_length=12)
    """ICD-9-CM (`23.09`), or one of the clinic's own list (see `ProcedureCode.is_local`)."""
    is_local = FlagField(default=False)
    """The code is the clinic's own: it travels as text, not as ICD-9-CM."""
    title = CharField(max_length=200)
    note = CharField(max_length=200, default="")
    """Body site (`46` for a tooth), amount, remarks."""
    performed_at = InstantField()
    performed_by = ForeignKeyField(Account, backref="+")
    performed_by_id: str
    voided_at = InstantField(null=True)
    """Set when it was entered in error."""
    voided_by = ForeignKeyField(Account, null=True, backref="+")
    voided_by_id: str | None
    void_reason = CharField(max_length=200, null=True)


class ProcedureCode(Table):
    """Procedure that may be done here: ICD-9-CM volume 3 in our own words, and the clinic's own entries."""

    code = CharField(max_length=12, primary_key=True)
    is_local = FlagField(default=False)
    title_id = CharField(max_length=200)
    title_en = CharField(max_length=200, default="")
    other_titles = DocumentField(default=dict)
    """Language -> title, of further languages."""
    words = TextField(default="")
    """Folded search words."""
    usual = IntegerField(default=0)
    """Higher comes first among equals."""


class DiagnosisCode(Table):
    """The ICD-10 list: a short one of our own words, or the clinic's full import."""

    code = CharField(max_length=8, primary_key=True)
    title_id = CharField(max_length=200)
    title_en = CharField(max_length=200, default="")
    other_titles = DocumentField(default=dict)
    """Language -> title, of further languages."""
    words = TextField(default="")
    """Folded search words."""
    usual = IntegerField(default=0)
    """Higher comes first among equals."""

    class Meta:
        """Its own name would be that of an index on `diagnosis`."""

        table_name = "icd10_code"


class MedicineCode(Table):
    """One product of KFA that the clinic imported: only those whose ingredients are known here."""

    code = CharField(max_length=8, primary_key=True)
    """92... without its brand, 93... with it."""
    name = CharField(max_length=200)
    """KFA's template: `Diazepam 2 mg Tablet`."""
    brand = CharField(max_length=120, default="", index=True)
    ingredients = DocumentField(default=list)
    """Names of `ingredients.csv`."""
    form = CharField(max_length=60, default="")
    form_code = CharField(max_length=12, default="")
    """`BS066`."""
    atc = CharField(max_length=8, default="")
    is_fornas = FlagField(default=False)


class SharingDecision(Table):
    """A patient's decision whether the record may go to SATUSEHAT; the newest counts."""

    id = _id()
    patient = ForeignKeyField(Patient, backref="+")
    patient_id: str
    agreed = FlagField()
    decided_at = InstantField()
    decided_by = ForeignKeyField(Account, backref="+")
    decided_by_id: str


class DangerSignature(Table):
    """A clinician's name under a danger sign of the complaint rules, as it read that day; the newest counts."""

    id = _id()
    code = CharField(max_length=80, index=True)
    """`chest_pain`; see `core.complaints.danger_page`."""
    digest = CharField(max_length=64)
    """SHA-256 of the page that was read."""
    page = DocumentField(default=list)
    """Kind and text of each of its items, to say later what has changed."""
    signed_at = InstantField()
    signed_by = ForeignKeyField(Account, backref="+")
    signed_by_id: str
    taken_back_at = InstantField(null=True)
    taken_back_by = ForeignKeyField(Account, backref="+", null=True)
    taken_back_by_id: str | None
    taken_back_because = CharField(max_length=200, default="")


class RosterVersion(Table):
    """The roster as it was saved on the screen; the newest counts, see `core.visits.roster_versions`."""

    number = IntegerField(primary_key=True)
    document = DocumentField()
    """A `RosterFields`."""
    changed_at = InstantField()
    changed_by = ForeignKeyField(Account, backref="+")
    changed_by_id: str


class OfficialDisplay(Table):
    """Official text of a code, from a file that the clinic imported; see `core.exchange.satusehat.official_displays`."""

    system = CharField(max_length=80)
    """URI of the code system."""
    code = CharField(max_length=24)
    display = TextField()
    source = CharField(max_length=120)
    """Name of the file."""
    imported_at = InstantField()

    class Meta:
        """One per code."""

        primary_key = peewee.CompositeKey("system", "code")


class Prescription(Table):
    """One prescribed medicine (FHIR MedicationRequest) and its dispensing."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="prescriptions")
    visit_id: str
    encounter = ForeignKeyField(Encounter, backref="prescriptions")
    encounter_id: str
    medicine = CharField(max_length=120)
    dose = CharField(max_length=60)
    frequency = CharField(max_length=60)
    amount = CharField(max_length=30)
    instructions = CharField(max_length=200, default="")
    status = CharField(max_length=12)
    prescribed_at = InstantField()
    prescribed_by = ForeignKeyField(Account, backref="+")
    prescribed_by_id: str
    dispensed_at = InstantField(null=True)
    dispensed_by = ForeignKeyField(Account, null=True, backref="+")
    dispensed_by_id: str | None
    dispensed_amount = CharField(max_length=30, null=True)
    """What was handed out where it differs from `amount`."""
    dispense_note = CharField(max_length=200, null=True)
    override_reason = CharField(max_length=200, default="")
    """Why it was prescribed although a check spoke against it."""
    dispense_override_reason = CharField(max_length=200, default="")
    """Why it was handed out although an allergy spoke against it."""
    ingredients = DocumentField(default=list)
    """Of a compounded medicine: [{`medicine`, `amount`}, ...]; empty for a ready one."""
    papers = IntegerField(null=True)
    """Number of papers, capsules, ... that are made."""
    per_paper = FlagField(default=True)
    """The amounts are for one paper each (d.t.d.)."""
    make = CharField(max_length=8, null=True)
    """`CompoundMake`; empty for a ready medicine."""
    signa = CharField(max_length=80, default="")
    """Directions in shorthand, as typed."""
    confirmed = DocumentField(default=list)
    """Codes of the questions that were answered with yes when it was prescribed."""
    replaces: ForeignKeyField[Prescription | None] = ForeignKeyField("self", null=True, backref="+")
    replaces_id: str | None
    """The prescription that was changed into this one; it stands revoked."""
    clash = CharField(max_length=200, default="")
    """Allergies against it that became known after it was written; empty when there are none."""
    clash_known_at = InstantField(null=True)
    """Instant at which the first who relied on it read of the clash."""
    clash_known_by = ForeignKeyField(Account, null=True, backref="+")
    clash_known_by_id: str | None
    revoked_at = InstantField(null=True)
    revoked_by = ForeignKeyField(Account, null=True, backref="+")
    revoked_by_id: str | None
    revoke_reason = CharField(max_length=200, null=True)


class Immunisation(Table):
    """One vaccine that was given at a visit (FHIR Immunization)."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="immunisations")
    visit_id: str
    encounter = ForeignKeyField(Encounter, backref="immunisations")
    encounter_id: str
    vaccine = CharField(max_length=120)
    """As in the list of medicines: `Vaksin BCG`."""
    product = CharField(max_length=8, default="")
    """KFA of the product (93...); empty where only the vaccine is known."""
    dose_number = IntegerField()
    """1, 2, 3... within the series."""
    lot_number = CharField(max_length=40)
    expires_on = DayField()
    site = CharField(max_length=2, default="")
    """`InjectionSite`; empty where nobody said, or it was swallowed."""
    given_at = InstantField()
    given_by = ForeignKeyField(Account, backref="+")
    given_by_id: str
    override_reason = CharField(max_length=200, default="")
    """Why it was given although an allergy or its expiry spoke against it."""
    voided_at = InstantField(null=True)
    """Set when it was entered in error."""
    voided_by = ForeignKeyField(Account, null=True, backref="+")
    voided_by_id: str | None
    void_reason = CharField(max_length=200, null=True)


class Order(Table):
    """One laboratory order (FHIR ServiceRequest) and its result."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="orders")
    visit_id: str
    encounter = ForeignKeyField(Encounter, backref="orders")
    encounter_id: str
    test = CharField(max_length=80)
    note = CharField(max_length=200, default="")
    status = CharField(max_length=12)
    ordered_at = InstantField()
    ordered_by = ForeignKeyField(Account, backref="+")
    ordered_by_id: str
    result = CharField(max_length=200, null=True)
    unit = CharField(max_length=20, default="")
    reference_range = CharField(max_length=60, default="")
    first_resulted_at = InstantField(null=True)
    """When the first result was entered; it can be corrected for a set time after it."""
    resulted_at = InstantField(null=True)
    resulted_by = ForeignKeyField(Account, null=True, backref="+")
    resulted_by_id: str | None
    code = CharField(max_length=16, null=True)
    """LOINC, where the test is in the list of tests."""
    interpretation = CharField(max_length=8, null=True)
    """`low`, `high`, `abnormal` or `normal` against the range for the patient; `unread` when it cannot be read;
    empty for a test without limits."""
    version = IntegerField(default=1)
    is_critical = FlagField(default=False)
    """The clinician must be told at once."""
    entered_as = CharField(max_length=80, default="")
    """The result as typed, where it was converted into the unit of the list."""
    told = CharField(max_length=80, default="")
    """Who was told of a critical result."""
    acknowledged_at = InstantField(null=True)
    acknowledged_by = ForeignKeyField(Account, null=True, backref="+")
    acknowledged_by_id: str | None
    corrected_at = InstantField(null=True)
    """Instant at which the result was last corrected, or taken back."""
    correction_known_at = InstantField(null=True)
    """Instant at which the first clinician read of that."""
    correction_known_by = ForeignKeyField(Account, null=True, backref="+")
    correction_known_by_id: str | None
    revoked_at = InstantField(null=True)
    revoked_by = ForeignKeyField(Account, null=True, backref="+")
    revoked_by_id: str | None
    revoke_reason = CharField(max_length=200, null=True)


class OrderVersion(Table):
    """A result as it was before it was corrected or voided."""

    order = ForeignKeyField(Order, backref="versions")
    order_id: str
    version = IntegerField()
    data = DocumentField()
    """The columns of the result as they were."""
    cause = CharField(max_length=12, default="corrected")
    """`corrected` or `voided`."""
    reason = CharField(max_length=200, default="")
    changed_at = InstantField()
    changed_by = ForeignKeyField(Account, backref="+")
    changed_by_id: str


class Letter(Table):
    """A certificate or a referral as it was given to the patient."""

    id = _id()
    visit = ForeignKeyField(Visit, backref="letters")
    visit_id: str
    encounter = ForeignKeyField(Encounter, backref="letters")
    encounter_id: str
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
    issued_by_id: str

    class Meta:
        """Numbers are never used twice."""

        indexes = ((("kind", "year", "sequence"), True),)


class Allergy(Table):
    """Shown first in the patient's banner (FHIR AllergyIntolerance)."""

    id = _id()
    patient = ForeignKeyField(Patient, backref="allergies")
    patient_id: str
    substance = CharField(max_length=120)
    reaction = CharField(max_length=120, default="")
    severity = CharField(max_length=12, default="")
    """`AllergySeverity`; empty where nobody said."""
    source = CharField(max_length=20, default="")
    """`AllergySource`: who said it; empty where nobody noted it."""
    recorded_at = InstantField()
    recorded_by = ForeignKeyField(Account, backref="+")
    recorded_by_id: str
    voided_at = InstantField(null=True)
    voided_by = ForeignKeyField(Account, null=True, backref="+")
    voided_by_id: str | None
    void_reason = CharField(max_length=200, null=True)


class Draft(Table):
    """Something half-typed, kept so that a broken line or server loses at most one field."""

    account = ForeignKeyField(Account, backref="drafts")
    account_id: str
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
    visit_id: str
    at = InstantField()


class Change(Table):
    """The change feed: what panes follow and sequences count."""

    sequence = AutoField()
    kind = CharField(max_length=24)
    """`entry`, `patient`, `encounter`, `day_closed`, ..."""
    cluster = CharField(max_length=12, null=True)
    entry = ForeignKeyField(QueueEntry, null=True, backref="+")
    entry_id: str | None
    visit = ForeignKeyField(Visit, null=True, backref="+")
    visit_id: str | None
    data = DocumentField(default=dict)
    """Small facts without patient data (`action`, `previous_cluster`)."""
    at = InstantField()


class AuditEvent(Table):
    """A change and who made it. Append-only by triggers; each row carries the hash of the one before."""

    sequence = AutoField()
    """Given by the log itself: without gaps, and part of the hash."""
    at = InstantField()
    account = ForeignKeyField(Account, null=True, backref="+")
    account_id: str | None
    origin = CharField(max_length=80, default="")
    """Where it came from: an address, `ssh`, `loket command`."""
    action = CharField(max_length=40)
    kind = CharField(max_length=24)
    target = CharField(max_length=80, index=True)
    patient_id = CharField(max_length=36, null=True, index=True)
    detail = DocumentField(default=dict)
    record_version = IntegerField(null=True)
    """The version that the changed record reached, where its table counts them."""
    record_hash = CharField(max_length=80, null=True)
    """Keyed hash of what the record said after the change: see `core.foundation.audit_records`."""
    previous_hash = CharField(max_length=64)
    hash = CharField(max_length=64)


class JournalRecord(Table):
    """A part of a transaction's changeset, sealed, that is not known to be on the second place.

    The only table that no changeset holds. Rows go by themselves once they are there.
    """

    number = IntegerField()
    """Of the transaction in its line (`core.foundation.journal`)."""
    part = IntegerField()
    """From 1; large changesets have several."""
    frame = BlobField()
    """As it stands in the journal's file."""

    class Meta:
        """One row a part."""

        primary_key = peewee.CompositeKey("number", "part")


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


class BpjsVisit(Table):
    """The content that BPJS is known to hold of a visit, and the outcome of the last attempt to bring it up to date."""

    visit = ForeignKeyField(Visit, primary_key=True, backref="+")
    visit_id: str
    change = IntegerField(default=0)
    """The change of the visit in the outbox up to which it was settled."""
    status = CharField(max_length=8, index=True)
    """`OutboxStatus`: `refused` waits for somebody who mends it."""
    card_number = CharField(max_length=13, default="")
    provider = CharField(max_length=16, default="")
    """Facility at which the person is registered, as BPJS said."""
    poli = CharField(max_length=8, default="")
    service_on = DayField(null=True, index=True)
    registration_number = CharField(max_length=16, null=True)
    """noUrut; empty while there is no registration."""
    visit_number = CharField(max_length=32, null=True)
    """noKunjungan; empty while there is no visit."""
    visit_digest = CharField(max_length=64, default="")
    """Hash of the visit as it was sent last; empty: send it again."""
    items = DocumentField(default=dict)
    """Our id of a medicine or procedure -> its `kind`, BPJS's `number`, the `digest` of what was sent."""
    referral = DocumentField(default=dict)
    """BPJS's `number` of the referral, its `schedule` and day `until`, and the `digest` of the visit it was given to."""
    back_referral = CharField(max_length=120, default="")
    """The programme in which a hospital referred the person back (PRB), in BPJS's words."""
    doubt = CharField(max_length=60, default="")
    """The call that got no answer: it may have been done, and is looked up before it is sent again."""
    gaps = DocumentField(default=list)
    """Codes of what Loket's record lacks for P-Care."""
    error = TextField(null=True)
    """BPJS's own words."""
    attempts = IntegerField(default=0)
    """Attempts in a row that got no answer and came no further."""
    updated_at = InstantField()


class BpjsQueue(Table):
    """The calls that the queue of Mobile JKN got about a visit's numbers."""

    visit = ForeignKeyField(Visit, primary_key=True, backref="+")
    visit_id: str
    change = IntegerField(default=0)
    """The change of the visit in the outbox up to which it was told."""
    status = CharField(max_length=8, index=True)
    """`OutboxStatus`: `refused` waits for somebody who mends it."""
    calls = DocumentField(default=list)
    """Keys of the settled calls, in their order."""
    numbers = DocumentField(default=dict)
    """Our ticket -> the `poli` and `card` under which BPJS knows it."""
    doubt = CharField(max_length=80, default="")
    """The call that got no answer."""
    gaps = DocumentField(default=list)
    """Codes of what lacks."""
    error = TextField(null=True)
    """BPJS's own words."""
    attempts = IntegerField(default=0)
    """Attempts in a row that got no answer and came no further."""
    updated_at = InstantField()


class BpjsCode(Table):
    """BPJS's code for something of the clinic's: a cluster, a doctor, a medicine, a procedure, an allergy."""

    kind = CharField(max_length=12)
    """`poli`, `doctor`, `medicine`, `procedure` or `allergy`."""
    ours = CharField(max_length=120)
    """Code, username, folded name, or code."""
    theirs = CharField(max_length=24)
    """`-` for a medicine, procedure or allergy that BPJS's list does not have."""
    name = CharField(max_length=200, default="")
    """As BPJS names it."""

    class Meta:
        """One code each."""

        primary_key = peewee.CompositeKey("kind", "ours")


class BpjsListItem(Table):
    """One item of a list of BPJS's, as it was read last."""

    kind = CharField(max_length=16)
    """`poli`, `doctor`, `diagnosis`, ...: `core.exchange.bpjs.code_lists`."""
    code = CharField(max_length=24)
    name = CharField(max_length=200, default="")
    flag = FlagField(null=True)
    """`poliSakit` of a poli, `nonSpesialis` of a diagnosis; None where BPJS does not say."""
    note = CharField(max_length=200, default="")
    """Stands beside the name: of a hospital its town, distance, hours and how many it takes."""
    read_at = InstantField()

    class Meta:
        """One item a code and list."""

        primary_key = peewee.CompositeKey("kind", "code")


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


ALL_TABLES: tuple[type[Table], ...] = tuple(Table.__subclasses__())
"""Every table, in an order in which they can be created: a relation points to a table above it."""
