"""Tables of the office. A database of its own, beside no clinic's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import peewee
from peewee import AutoField, BigIntegerField, CharField, ForeignKeyField, IntegerField, TextField

from core.foundation.database import DayField, FlagField, InstantField

database = peewee.DatabaseProxy()
"""The office's database; `open_office` points it somewhere."""

_writer = threading.RLock()


class OfficeTable(peewee.Model):
    """The base of the office's tables."""

    class Meta:
        """Bound to the office's database."""

        database = database
        legacy_table_names = False
        only_save_dirty = True
        table_function = lambda model: f"office_{model.__name__.lower()}"  # noqa: E731


class OfficeClinic(OfficeTable):
    """A clinic that may send."""

    code = CharField(max_length=32, primary_key=True)
    """The facility's national code; every identifier it sends ends in it."""
    name = CharField(max_length=120)
    token_hash = CharField(max_length=64, unique=True)
    """SHA-256 of its bearer token; the token itself is shown once and not kept."""
    token_ends_at = InstantField(null=True)
    """Instant at which it ends; a new one is made by `loket office --add-clinic`."""
    created_at = InstantField()
    disabled_at = InstantField(null=True)
    last_heard_at = InstantField(null=True)
    bundles = IntegerField(default=0)
    wire_bytes = BigIntegerField(default=0)
    """Request bodies as received, compressed."""
    refused = IntegerField(default=0)
    """Entries refused since the beginning."""
    audit_count = BigIntegerField(default=0)
    """Rows of its audit log, as it told last; 0: it never did."""
    audit_hash = CharField(max_length=64, default="")
    """The hash of the last of them."""
    audit_refused_at = InstantField(null=True)
    """Since when it tells of a log that does not extend that one."""

    class Meta:
        """The table keeps its first name."""

        table_name = "office_clinic"


class Resource(OfficeTable):
    """One FHIR resource of one clinic, as it was sent last."""

    id = AutoField()
    clinic = ForeignKeyField(OfficeClinic, backref="resources", column_name="clinic")
    type = CharField(max_length=24)
    value = CharField(max_length=80)
    """Value of the clinic's business identifier."""
    body = TextField()
    """The resource as canonical JSON, references as sent."""
    digest = CharField(max_length=64)
    """SHA-256 of `body`, hexadecimal: tells what is sent again from what is new. Manifests look at `body` itself."""
    version = IntegerField(default=1)
    day = DayField(null=True)
    """The clinic's day, for what belongs to a visit."""
    subject = CharField(max_length=80, null=True)
    """Business identifier of the patient it is about."""
    code = CharField(max_length=40, null=True)
    """Condition: ICD-10; Encounter: status."""
    nik = CharField(max_length=16, null=True)
    """Patient: the NIK, when the record is active."""
    wait_minutes = IntegerField(null=True)
    """Encounter: from arrival to the first service."""
    updated_at = InstantField()

    class Meta:
        """One row per business identifier."""

        indexes = (
            (("clinic", "type", "value"), True),
            (("clinic", "day", "type"), False),
            (("type", "code", "day"), False),
        )


Resource.add_index(
    Resource.index(Resource.nik, where=(Resource.nik.is_null(False)), name="office_resource_nik")
)


class Manifest(OfficeTable):
    """A clinic's manifest of a day, and whether the office holds the same."""

    clinic = ForeignKeyField(OfficeClinic, backref="manifests", column_name="clinic")
    day = DayField()
    agrees = FlagField()
    visits = IntegerField(default=0)
    audit_hash = CharField(max_length=64, default="")
    """The newest hash of the clinic's audit chain: cutting off its end shows here."""
    at = InstantField()

    class Meta:
        """The newest word for each day."""

        primary_key = peewee.CompositeKey("clinic", "day")


class OfficeFailure(OfficeTable):
    """A wrong password or token, kept a quarter of an hour: who guesses has to wait."""

    id = AutoField()
    source = CharField(max_length=64)
    at = InstantField()

    class Meta:
        """Found by source."""

        table_name = "office_failure"
        indexes = ((("source", "at"), False),)


ALL_TABLES: tuple[type[OfficeTable], ...] = (OfficeClinic, Resource, Manifest, OfficeFailure)


@contextmanager
def connection() -> Iterator[None]:
    """Give this thread a connection; SQLite's stays with its thread."""
    opened = database.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened and not isinstance(database.obj, peewee.SqliteDatabase):
            database.close()


@contextmanager
def transaction() -> Iterator[None]:
    """Open one writing transaction; on SQLite writers of this process queue on a lock first."""
    with connection():
        if isinstance(database.obj, peewee.SqliteDatabase):
            with _writer, database.atomic():
                yield
        else:
            with database.atomic():
                yield


def tuples(query: Any) -> list[tuple[Any, ...]]:
    """Return a query's rows as plain tuples."""
    return list(query.tuples())
