"""The clinic's roster: days on which it is closed, and who works in which cluster when.

Numbers taken from home are given by it. It is kept on a screen (`core.visits.roster_versions`), or in a file where a setting
names one. Without either the clinic is closed on Sundays, and of doctors and hours nothing is known. A cluster that works
around the clock is never closed.

Source: docs/reference/indonesia.md 3A; docs/reference/bpjs.md 10 and 11 for doctor (kodedokter) and hours (jampraktek).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Literal, get_args

from core.foundation.errors import SettingsError
from core.foundation.toml_lines import at_line

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
"""In the order of `date.weekday`."""
MOST_NUMBERS = 1000
"""No session has a larger quota."""
_HOURS = re.compile(r"\s*(\d{1,2})[:.](\d{2})(?:[:.]\d{2})?\s*-\s*(\d{1,2})[:.](\d{2})(?:[:.]\d{2})?\s*")
DOCTOR = re.compile(r"[0-9]{1,10}")
"""BPJS's number of a clinician."""
LICENCE_LENGTH = 60
"""Characters of a licence to practise."""
_FIELDS = frozenset({"closed_weekdays", "closed_on", "session"})
_SESSION_FIELDS = frozenset({"cluster", "doctor", "name", "weekdays", "hours", "quota", "licence"})


@dataclass(frozen=True)
class Hours:
    """From when to when."""

    begins: time
    ends: time

    @classmethod
    def read(cls, text: str) -> Hours | None:
        """Return the hours that a text such as `08:00-12:00` tells; None when it tells none."""
        match = _HOURS.fullmatch(text)
        if match is None:
            return None
        first, second = (int(match[1]), int(match[2])), (int(match[3]), int(match[4]))
        try:
            hours = cls(time(*first), time(*second))
        except ValueError:
            return None
        return hours if hours.begins < hours.ends else None

    def __str__(self) -> str:
        """Return them as BPJS writes them: `08:00-12:00`."""
        return f"{self.begins:%H:%M}-{self.ends:%H:%M}"


@dataclass(frozen=True)
class RosterSession:
    """Somebody's hours in a cluster, on some days of the week."""

    cluster: str
    doctor: str
    """BPJS's number of the clinician (kodedokter)."""
    name: str
    weekdays: frozenset[str]
    hours: Hours
    quota: int = 0
    """Most numbers taken from home for it on a day; 0: no limit of its own."""
    licence: str = ""
    """Number of the clinician's licence to practise here (SIP), for letters."""


@dataclass(frozen=True)
class Roster:
    """Closed days and sessions."""

    closed_weekdays: frozenset[str] = frozenset({"sunday"})
    closed_on: frozenset[date] = frozenset()
    """Holidays."""
    sessions: tuple[RosterSession, ...] = ()

    def is_closed(self, day: date) -> bool:
        """Return whether nobody works on this day."""
        return day in self.closed_on or WEEKDAYS[day.weekday()] in self.closed_weekdays

    def of_cluster(self, cluster: str) -> tuple[RosterSession, ...]:
        """Return the sessions of a cluster, of every day."""
        return tuple(session for session in self.sessions if session.cluster == cluster)

    def of_day(self, cluster: str, day: date) -> tuple[RosterSession, ...]:
        """Return the sessions of a cluster on a day, by their hours."""
        weekday = WEEKDAYS[day.weekday()]
        of_day = [session for session in self.of_cluster(cluster) if weekday in session.weekdays]
        return tuple(sorted(of_day, key=lambda session: (session.hours.begins, session.doctor)))

    def licence_of(self, doctor: str) -> str:
        """Return the licence to practise of a clinician, by BPJS's number; empty where none is known."""
        return next(
            (session.licence for session in self.sessions if session.doctor == doctor and session.licence), ""
        )

    def twice(self) -> RosterSession | None:
        """Return the first session that cannot be told from one before it."""
        seen: set[tuple[str, str, str, str]] = set()
        for session in self.sessions:
            keys = {
                (session.cluster, session.doctor, str(session.hours), weekday) for weekday in session.weekdays
            }
            if keys & seen:
                return session
            seen |= keys
        return None


def load_roster(path: str, clusters: Mapping[str, object]) -> Roster:
    """Read the clinic's roster.

    Args:
        path: Of a TOML file; empty: there is none.
        clusters: The clinic's clusters by code.

    Raises:
        SettingsError: The file is missing, unreadable or contradicts itself; one clear line.
    """
    if not path:
        return Roster()
    try:
        text = Path(path).expanduser().read_text("utf-8")
        document = tomllib.loads(text)
        _refuse_others(document, _FIELDS)
        sessions = tuple(_sessions(document, text))
        closed = frozenset(_weekdays(document.get("closed_weekdays", ["sunday"])))
        roster = Roster(closed, frozenset(_days(document.get("closed_on", []))), sessions)
        _refuse_unknown(roster, clusters)
        return roster
    except (OSError, RuntimeError, UnicodeDecodeError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise SettingsError("LOKET_ROSTER: {path}: {why}", path=path, why=why or error) from error


def _refuse_others(table: Mapping[str, object], known: frozenset[str]) -> None:
    others = sorted(set(table) - known)
    if others:
        raise ValueError(f"unknown field {others[0]}")


def _tables(value: object) -> Iterator[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ValueError("sessions are written as [[session]]")
    yield from value


def _sessions(document: Mapping[str, Any], text: str) -> Iterator[RosterSession]:
    """Read the sessions; a mistake in one names its line."""
    for index, row in enumerate(_tables(document.get("session", []))):
        try:
            yield _session(row)
        except ValueError as error:
            raise ValueError(f"{at_line(text, ('session', index))}{error}") from None


def _weekdays(value: object) -> Iterator[str]:
    if not isinstance(value, list) or not set(map(str, value)) <= set(WEEKDAYS):
        raise ValueError(f"weekdays must be a list of {', '.join(WEEKDAYS)}")
    yield from value


def _days(value: object) -> Iterator[date]:
    if not isinstance(value, list):
        raise ValueError("closed_on must be a list of days such as 2026-08-17")
    for day in value:
        if not isinstance(day, date) or isinstance(day, datetime):
            raise ValueError("closed_on must be a list of days such as 2026-08-17, without quotation marks")
        yield day


def _session(row: dict[str, Any]) -> RosterSession:
    _refuse_others(row, _SESSION_FIELDS)
    where = f"session of {row.get('name') or row.get('doctor') or 'nobody'}"
    doctor, quota, hours = str(row.get("doctor", "")), row.get("quota", 0), Hours.read(str(row.get("hours")))
    if not DOCTOR.fullmatch(doctor):
        raise ValueError(f"{where}: doctor must be BPJS's number of the clinician")
    if hours is None:
        raise ValueError(f"{where}: hours must be such as 08:00-12:00")
    if not _is_quota(quota):
        raise ValueError(f"{where}: quota must be a whole number up to {MOST_NUMBERS}")
    if not str(row.get("name", "")).strip():
        raise ValueError(f"{where}: name is missing")
    licence = str(row.get("licence", "")).strip()
    if len(licence) > LICENCE_LENGTH:
        raise ValueError(f"{where}: licence has at most {LICENCE_LENGTH} characters")
    weekdays = frozenset(_weekdays(row.get("weekdays")))
    return RosterSession(
        str(row.get("cluster")), doctor, str(row["name"]).strip(), weekdays, hours, quota, licence
    )


def _is_quota(value: object) -> bool:
    # A TOML `true` is an int in Python.
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_NUMBERS


def _refuse_unknown(roster: Roster, clusters: Mapping[str, object]) -> None:
    """Refuse sessions of a cluster that the clinic does not have, and two that cannot be told apart."""
    for session in roster.sessions:
        if session.cluster not in clusters:
            raise ValueError(f"session of {session.name}: unknown cluster {session.cluster}")
    if (second := roster.twice()) is not None:
        raise ValueError(f"session of {second.name}: {second.hours} stands twice on a day")
