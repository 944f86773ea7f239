"""The first schema, frozen: later steps change it, this file stays."""

from peewee import *

from core.foundation.database import DayField, DocumentField, FlagField, InstantField


def up(migrator, db):
    class Account(Model):
        id = CharField(primary_key=True, max_length=36)
        username = CharField(unique=True, max_length=40)
        name = CharField(max_length=80)
        role = CharField(max_length=16)
        clusters = DocumentField(default=list)
        password_hash = TextField()
        practitioner_nik = CharField(null=True, max_length=16)
        must_change_password = FlagField(default=False)
        created_at = InstantField()
        disabled_at = InstantField(null=True)

        class Meta:
            database = db
            table_name = "account"

    db.create_tables([Account])

    class AccountKey(Model):
        id = CharField(primary_key=True, max_length=36)
        account = ForeignKeyField(Account)
        public_key = TextField(unique=True)
        label = CharField(max_length=80, default="")
        created_at = InstantField()
        revoked_at = InstantField(null=True)

        class Meta:
            database = db
            table_name = "account_key"

    db.create_tables([AccountKey])

    class Patient(Model):
        id = CharField(primary_key=True, max_length=36)
        medical_record_number = CharField(unique=True, max_length=16)
        name = CharField(max_length=120)
        sex = CharField(max_length=8)
        birth_date = DayField(index=True)
        birth_date_estimated = FlagField(default=False)
        nik = CharField(null=True, max_length=16)
        bpjs_number = CharField(null=True, max_length=13)
        family_card_number = CharField(index=True, null=True, max_length=16)
        passport_number = CharField(null=True, max_length=20)
        mother_name = CharField(max_length=120, default="")
        mother = ForeignKeyField("self", null=True)
        birth_order = IntegerField(null=True)
        phone = CharField(index=True, max_length=20, default="")
        address = CharField(max_length=200, default="")
        rt = CharField(max_length=3, default="")
        rw = CharField(max_length=3, default="")
        village_code = CharField(max_length=10, default="")
        no_identifier_reason = CharField(null=True, max_length=20)
        identity_verified_at = InstantField(null=True)
        version = IntegerField(default=1)
        created_at = InstantField()
        created_by = ForeignKeyField(Account)
        updated_at = InstantField(index=True)
        merged_into = ForeignKeyField("self", null=True)
        voided_at = InstantField(null=True)
        voided_by = ForeignKeyField(Account, null=True)
        void_reason = CharField(null=True, max_length=200)

        class Meta:
            database = db
            table_name = "patient"

    db.create_tables([Patient])

    class Visit(Model):
        id = CharField(primary_key=True, max_length=36)
        patient = ForeignKeyField(Patient)
        service_on = DayField(index=True)
        status = CharField(max_length=12)
        payer = CharField(max_length=12)
        chief_complaint = CharField(max_length=500)
        pregnant = FlagField(default=False)
        disability = FlagField(default=False)
        is_first_this_year = FlagField(default=True)
        suggested_cluster = CharField(null=True, max_length=12)
        routing = DocumentField(default=dict)
        override_reason = CharField(null=True, max_length=200)
        disposition = CharField(null=True, max_length=24)
        started_at = InstantField()
        ended_at = InstantField(null=True)
        registered_by = ForeignKeyField(Account)
        version = IntegerField(default=1)
        voided_at = InstantField(null=True)
        voided_by = ForeignKeyField(Account, null=True)
        void_reason = CharField(null=True, max_length=200)

        class Meta:
            database = db
            table_name = "visit"

    db.create_tables([Visit])

    class Encounter(Model):
        id = CharField(primary_key=True, max_length=36)
        visit = ForeignKeyField(Visit)
        cluster = CharField(max_length=12)
        practitioner = ForeignKeyField(Account)
        vitals = DocumentField(default=dict)
        subjective = TextField(default="")
        objective = TextField(default="")
        assessment = TextField(default="")
        plan = TextField(default="")
        form = DocumentField(default=dict)
        disposition = CharField(null=True, max_length=24)
        started_at = InstantField()
        entered_at = InstantField()
        signed_at = InstantField(null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "encounter"
            indexes = ((("visit", "cluster"), True),)

    db.create_tables([Encounter])

    class Addendum(Model):
        id = CharField(primary_key=True, max_length=36)
        encounter = ForeignKeyField(Encounter)
        text = TextField()
        written_at = InstantField()
        written_by = ForeignKeyField(Account)

        class Meta:
            database = db
            table_name = "addendum"

    db.create_tables([Addendum])

    class Allergy(Model):
        id = CharField(primary_key=True, max_length=36)
        patient = ForeignKeyField(Patient)
        substance = CharField(max_length=120)
        reaction = CharField(max_length=120, default="")
        recorded_at = InstantField()
        recorded_by = ForeignKeyField(Account)
        voided_at = InstantField(null=True)

        class Meta:
            database = db
            table_name = "allergy"

    db.create_tables([Allergy])

    class AuditEvent(Model):
        sequence = AutoField()
        at = InstantField()
        account = ForeignKeyField(Account, null=True)
        origin = CharField(max_length=80, default="")
        action = CharField(max_length=40)
        kind = CharField(max_length=24)
        target = CharField(max_length=80)
        patient_id = CharField(index=True, null=True, max_length=36)
        detail = DocumentField(default=dict)
        previous_hash = CharField(max_length=64)
        hash = CharField(max_length=64)

        class Meta:
            database = db
            table_name = "audit_event"

    db.create_tables([AuditEvent])

    class Ticket(Model):
        id = CharField(primary_key=True, max_length=36)
        cluster = CharField(max_length=12)
        service_on = DayField()
        sequence = IntegerField()
        number = CharField(max_length=8)
        visit = ForeignKeyField(Visit)
        issued_at = InstantField()

        class Meta:
            database = db
            table_name = "ticket"
            indexes = ((("cluster", "service_on", "sequence"), True),)

    db.create_tables([Ticket])

    class QueueEntry(Model):
        id = CharField(primary_key=True, max_length=36)
        visit = ForeignKeyField(Visit)
        ticket = ForeignKeyField(Ticket)
        cluster = CharField(max_length=12)
        service_on = DayField()
        status = CharField(max_length=12)
        priority = CharField(max_length=12)
        priority_reason = CharField(max_length=80, default="")
        queued_at = InstantField()
        service_point = CharField(null=True, max_length=40)
        practitioner = ForeignKeyField(Account, null=True)
        reserved_for = ForeignKeyField(Account, null=True)
        call_count = IntegerField(default=0)
        skipped_at = InstantField(null=True)
        came_from = ForeignKeyField("self", null=True)
        returns_to = ForeignKeyField("self", null=True)
        started_at = InstantField()
        called_at = InstantField(null=True)
        served_at = InstantField(null=True)
        ended_at = InstantField(null=True)
        end_reason = CharField(null=True, max_length=200)
        version = IntegerField(default=1)
        voided_at = InstantField(null=True)

        class Meta:
            database = db
            table_name = "queue_entry"
            indexes = ((("cluster", "service_on", "status"), False),)

    db.create_tables([QueueEntry])

    class Change(Model):
        sequence = AutoField()
        kind = CharField(max_length=24)
        cluster = CharField(null=True, max_length=12)
        entry = ForeignKeyField(QueueEntry, null=True)
        visit = ForeignKeyField(Visit, null=True)
        data = DocumentField(default=dict)
        at = InstantField()

        class Meta:
            database = db
            table_name = "change"

    db.create_tables([Change])

    class Diagnosis(Model):
        id = CharField(primary_key=True, max_length=36)
        visit = ForeignKeyField(Visit)
        encounter = ForeignKeyField(Encounter)
        code = CharField(index=True, max_length=8)
        title = CharField(max_length=200)
        rank = IntegerField()
        case_kind = CharField(max_length=4)
        recorded_at = InstantField()
        recorded_by = ForeignKeyField(Account)
        voided_at = InstantField(null=True)
        voided_by = ForeignKeyField(Account, null=True)
        void_reason = CharField(null=True, max_length=200)

        class Meta:
            database = db
            table_name = "diagnosis"

    db.create_tables([Diagnosis])

    class DiagnosisCode(Model):
        code = CharField(primary_key=True, max_length=8)
        title_id = CharField(max_length=200)
        title_en = CharField(max_length=200, default="")
        words = TextField(default="")
        usual = IntegerField(default=0)

        class Meta:
            database = db
            table_name = "icd10_code"

    db.create_tables([DiagnosisCode])

    class Draft(Model):
        account = ForeignKeyField(Account)
        key = CharField(max_length=80)
        data = DocumentField()
        saved_at = InstantField()

        class Meta:
            database = db
            table_name = "draft"
            primary_key = CompositeKey("account", "key")

    db.create_tables([Draft])

    class EncounterVersion(Model):
        encounter = ForeignKeyField(Encounter)
        version = IntegerField()
        data = DocumentField()
        changed_at = InstantField()
        changed_by = ForeignKeyField(Account)

        class Meta:
            database = db
            table_name = "encounter_version"

    db.create_tables([EncounterVersion])

    class JobRun(Model):
        id = CharField(primary_key=True, max_length=36)
        job = CharField(max_length=24)
        step = CharField(max_length=24, default="")
        day = DayField(null=True)
        status = CharField(max_length=8)
        done = IntegerField(default=0)
        total = IntegerField(default=0)
        detail = DocumentField(default=dict)
        error = TextField(null=True)
        started_at = InstantField()
        ended_at = InstantField(null=True)

        class Meta:
            database = db
            table_name = "job_run"

    db.create_tables([JobRun])

    class Merge(Model):
        id = CharField(primary_key=True, max_length=36)
        survivor = ForeignKeyField(Patient)
        merged = ForeignKeyField(Patient)
        log = DocumentField()
        merged_at = InstantField()
        merged_by = ForeignKeyField(Account)
        undone_at = InstantField(null=True)
        undone_by = ForeignKeyField(Account, null=True)

        class Meta:
            database = db
            table_name = "merge"

    db.create_tables([Merge])

    class NotDuplicate(Model):
        low_id = CharField(max_length=36)
        high_id = CharField(max_length=36)
        decided_at = InstantField()
        decided_by = ForeignKeyField(Account)

        class Meta:
            database = db
            table_name = "not_duplicate"
            primary_key = CompositeKey("low_id", "high_id")

    db.create_tables([NotDuplicate])

    class Order(Model):
        id = CharField(primary_key=True, max_length=36)
        visit = ForeignKeyField(Visit)
        encounter = ForeignKeyField(Encounter)
        test = CharField(max_length=80)
        note = CharField(max_length=200, default="")
        status = CharField(max_length=12)
        ordered_at = InstantField()
        ordered_by = ForeignKeyField(Account)
        result = CharField(null=True, max_length=200)
        unit = CharField(max_length=20, default="")
        reference_range = CharField(max_length=60, default="")
        resulted_at = InstantField(null=True)
        resulted_by = ForeignKeyField(Account, null=True)

        class Meta:
            database = db
            table_name = "order"

    db.create_tables([Order])

    class Outbox(Model):
        sequence = AutoField()
        kind = CharField(max_length=12)
        target = CharField(max_length=36)
        change = IntegerField(default=1)
        status = CharField(index=True, max_length=8)
        attempts = IntegerField(default=0)
        queued_at = InstantField()
        sent_at = InstantField(null=True)
        error = TextField(null=True)

        class Meta:
            database = db
            table_name = "outbox"
            indexes = ((("kind", "target"), True),)

    db.create_tables([Outbox])

    class PatientKey(Model):
        kind = CharField(max_length=12)
        value = CharField(max_length=80)
        patient = ForeignKeyField(Patient)

        class Meta:
            database = db
            table_name = "patient_key"
            primary_key = CompositeKey("kind", "value", "patient")

    db.create_tables([PatientKey])

    class PatientVersion(Model):
        patient = ForeignKeyField(Patient)
        version = IntegerField()
        data = DocumentField()
        changed_at = InstantField()
        changed_by = ForeignKeyField(Account)
        cause = CharField(max_length=20)

        class Meta:
            database = db
            table_name = "patient_version"
            indexes = ((("patient", "version"), False),)

    db.create_tables([PatientVersion])

    class Prescription(Model):
        id = CharField(primary_key=True, max_length=36)
        visit = ForeignKeyField(Visit)
        encounter = ForeignKeyField(Encounter)
        medicine = CharField(max_length=120)
        dose = CharField(max_length=60)
        frequency = CharField(max_length=60)
        amount = CharField(max_length=30)
        instructions = CharField(max_length=200, default="")
        status = CharField(max_length=12)
        prescribed_at = InstantField()
        prescribed_by = ForeignKeyField(Account)
        dispensed_at = InstantField(null=True)
        dispensed_by = ForeignKeyField(Account, null=True)

        class Meta:
            database = db
            table_name = "prescription"

    db.create_tables([Prescription])

    class QueueEvent(Model):
        sequence = AutoField()
        entry = ForeignKeyField(QueueEntry)
        action = CharField(max_length=12)
        from_status = CharField(null=True, max_length=12)
        to_status = CharField(max_length=12)
        before = DocumentField(default=dict)
        at = InstantField()
        by = ForeignKeyField(Account)
        undone_at = InstantField(null=True)

        class Meta:
            database = db
            table_name = "queue_event"

    db.create_tables([QueueEvent])

    class Registration(Model):
        id = CharField(primary_key=True, max_length=36)
        visit = ForeignKeyField(Visit, unique=True)
        request_hash = CharField(max_length=64)
        receipt = DocumentField()
        registered_at = InstantField()
        registered_by = ForeignKeyField(Account)

        class Meta:
            database = db
            table_name = "registration"

    db.create_tables([Registration])

    class RoutingExample(Model):
        id = CharField(primary_key=True, max_length=36)
        complaint = CharField(max_length=500)
        age_days = IntegerField()
        sex = CharField(max_length=8)
        pregnant = FlagField()
        proposed = CharField(null=True, max_length=12)
        chosen = CharField(max_length=12)
        source = CharField(max_length=12)
        visit = ForeignKeyField(Visit)
        at = InstantField()

        class Meta:
            database = db
            table_name = "routing_example"

    db.create_tables([RoutingExample])

    class State(Model):
        key = CharField(primary_key=True, max_length=40)
        value = DocumentField()

        class Meta:
            database = db
            table_name = "state"

    db.create_tables([State])

    class TicketCounter(Model):
        cluster = CharField(max_length=12)
        service_on = DayField()
        last_number = IntegerField()

        class Meta:
            database = db
            table_name = "ticket_counter"
            primary_key = CompositeKey("cluster", "service_on")

    db.create_tables([TicketCounter])

    class Token(Model):
        id = CharField(primary_key=True, max_length=36)
        token_hash = CharField(unique=True, max_length=64)
        account = ForeignKeyField(Account)
        created_at = InstantField()
        expires_at = InstantField()
        revoked_at = InstantField(null=True)

        class Meta:
            database = db
            table_name = "token"

    db.create_tables([Token])

    for statement in (
        "CREATE UNIQUE INDEX patient_nik_active ON patient (nik) WHERE voided_at IS NULL",
        "CREATE UNIQUE INDEX patient_bpjs_active ON patient (bpjs_number) WHERE voided_at IS NULL",
        "CREATE UNIQUE INDEX queue_entry_one_open_per_visit ON queue_entry (visit_id)"
        " WHERE ended_at IS NULL AND voided_at IS NULL",
    ):
        db.execute_sql(statement)
