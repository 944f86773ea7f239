"""What the office keeps. A database of its own, beside no clinic's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import peewee
from peewee import AutoField, BigIntegerField, CharField, ForeignKeyField, IntegerField, TextField

from core.database import DayField, FlagField, InstantField

database = peewee.DatabaseProxy()
"""The office's database; `open_office` points it somewhere."""

_writer = threading.RLock()


class Table(peewee.Model):
    """What all tables share."""

    class Meta:
        """Bound to the office's database."""

        database = database
        legacy_table_names = False
        only_save_dirty = True
        table_function = lambda model: f"office_{model.__name__.lower()}"  # noqa: E731


class Clinic(Table):
    """A clinic that may send."""

    code = CharField(max_length=32, primary_key=True)
    """The facility's national code; every identifier it sends ends in it."""
    name = CharField(max_length=120)
    token_hash = CharField(max_length=64, unique=True)
    """SHA-256 of its bearer token; the token itself is shown once and not kept."""
    created_at = InstantField()
    disabled_at = InstantField(null=True)
    last_heard_at = InstantField(null=True)
    bundles = IntegerField(default=0)
    wire_bytes = BigIntegerField(default=0)
    """Request bodies as received, compressed."""
    refused = IntegerField(default=0)
    """Entries refused since the beginning."""


class Resource(Table):
    """One FHIR resource of one clinic, as it was sent last."""

    id = AutoField()
    clinic = ForeignKeyField(Clinic, backref="resources", column_name="clinic")
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


class Manifest(Table):
    """What a clinic said its day holds, and whether the office holds the same."""

    clinic = ForeignKeyField(Clinic, backref="manifests", column_name="clinic")
    day = DayField()
    agrees = FlagField()
    visits = IntegerField(default=0)
    audit_hash = CharField(max_length=64, default="")
    """The newest hash of the clinic's audit chain: cutting off its end shows here."""
    at = InstantField()

    class Meta:
        """The newest word for each day."""

        primary_key = peewee.CompositeKey("clinic", "day")


ALL_TABLES: tuple[type[Table], ...] = (Clinic, Resource, Manifest)


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
    """One writing transaction; on SQLite writers of this process queue on a lock first."""
    with connection():
        if isinstance(database.obj, peewee.SqliteDatabase):
            with _writer, database.atomic():
                yield
        else:
            with database.atomic():
                yield


def tuples(query: Any) -> list[tuple[Any, ...]]:
    """A query's rows as plain tuples."""
    return list(query.tuples())
