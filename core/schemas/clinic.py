"""The clinic itself, and what its admin sees: synchronisation, closing, backups, reports."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from core.schemas.base import Because, Schema


class ClinicOut(Schema):
    """`GET clinic`: what a terminal needs to know once."""

    facility_name: str
    language: str
    timezone: str
    today: date
    undo_seconds: int
    calls_before_skip: int
    wait_warning_minutes: int
    """A wait from here on is marked."""
    wait_limit_minutes: int
    """And from here on it is marked as too long."""
    idle_lock_minutes: float
    preset: str
    demo: bool
    public_url: str
    """Where patients' phones find this server; empty: tickets carry no address."""
    has_printer: bool
    """Whether the server has a printer; otherwise only one at the terminal prints."""
    print_tickets: bool
    """Whether each ticket is printed without a key."""
    printer_columns: int
    """Letters in a row of the paper."""
    asks_sharing: bool = False
    """Records go to SATUSEHAT: whoever was not asked yet is asked once, after the save."""
    asks_identity: list[str] = []
    """Fields of an identity that are asked after the save, in order."""
    asks_bpjs: bool = False
    """True if visits of insured people are entered in P-Care."""
    gives_numbers_at_home: bool = False
    """True if Mobile JKN may take numbers."""
    at_counter: bool = False
    """True if the answer comes through a counter's own machine, which goes on without the core."""


class ToldOut(Schema):
    """Something that went wrong, in the language that was asked for."""

    text: str
    remedy: str = ""
    """Remedy; empty when there is nothing to do."""


class SyncOut(Schema):
    """State of the synchronisation."""

    receiver: str = "office"
    """`office` or `satusehat`."""
    pending: int
    sent: int
    refused: int
    last_contact_at: datetime | None = None
    last_error: str | None = None
    """As a problem line, `code: detail`; `told` says it in words."""
    told: list[ToldOut] = []
    running: bool = False
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    """At the speed so far, while it runs."""
    manifest_agrees: bool | None = None
    only_there: int = 0
    """Resources of the compared days that only the receiver holds."""
    refusals: list[dict[str, Any]] = []
    """Each: kind, target, error (the receiver's own words), remedy (a code), todo (it in words)."""


class ClosingStepOut(Schema):
    """One step of the day's closing."""

    name: str
    """`queues`, `backup`, `reports`, `synchronise` or `verify`."""
    status: str | None
    """`running`, `done`, `failed`, `skipped`; empty when it was not begun."""
    done: int = 0
    total: int = 0
    error: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    detail: dict[str, Any] = {}
    told: list[ToldOut] = []
    note: str = ""
    """Why it was skipped, in words."""


class ClosingOut(Schema):
    """Progress of a day's closing."""

    day: date
    running: bool
    status: str | None
    done: int
    """Steps ended."""
    total: int
    error: str | None = None
    """Problem lines, `code: detail`, with line breaks between them; `told` says them in words."""
    told: list[ToldOut] = []
    seconds_left: float | None = None
    steps: list[ClosingStepOut]


class BackupOut(Schema):
    """One backup."""

    path: str
    made_at: datetime
    bytes: int
    newest_change: int
    verified: bool
    problems: list[str] = []
    told: list[ToldOut] = []


class FindingOut(Schema):
    """One finding of the doctor."""

    level: str
    """`ok`, `warning`, `error`, or `mended` just now."""
    subject: str
    """Stable name of what was looked at."""
    title: str
    """That name in the language that was asked for."""
    words: str
    """The finding and, unless it is `ok`, its remedy."""
    repair: str = ""
    """The repair that needs no person's decision; empty: there is none."""


class DoctorOut(Schema):
    """`GET doctor`: what the doctor found last."""

    ran_at: datetime | None
    """Instant of it; None when it has not looked since the server's start."""
    running: bool
    findings: list[FindingOut]


class ReportOut(Schema):
    """One report with its meaning."""

    name: str
    title: str
    definition: str
    source: str
    columns: list[str]
    rows: list[list[str | int | float]]


class ExportAsked(Schema):
    """`POST reports/{name}/requests`: a report that names patients is to leave Loket as a file."""

    reason: Because


class WrittenOut(Schema):
    """Files a report was written to, on the server."""

    files: list[str]
