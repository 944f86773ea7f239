"""The roster as the admin keeps it on the screen: each change is a version of its own, and the newest counts."""

from __future__ import annotations

from core.foundation import audit, clock, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import Permission
from core.foundation.database import connection, transaction
from core.foundation.errors import ConflictError, RuleError, ValidationError
from core.foundation.permissions import Actor
from core.models import BpjsCode, RosterVersion
from core.schemas.roster import CHANGED, RosterChange, RosterFields, RosterOut, SessionFields
from core.visits.roster import WEEKDAYS, Hours, Roster, RosterSession

BPJS_DOCTORS = "doctor"
"""Kind of BPJS's list of clinicians, and of its codes for them."""


def current(clinic: Clinic) -> Roster:
    """Return the roster that holds now: the file's where a setting names one, otherwise the newest version."""
    if clinic.settings.roster:
        return clinic.roster_file
    with connection():
        newest = _newest()
    return Roster() if newest is None else _roster(RosterFields.model_validate(newest.document))


def shown(clinic: Clinic, actor: Actor) -> RosterOut:
    """Return the roster with who saved it.

    Args:
        clinic: The clinic.
        actor: Somebody who may see the waiting room, which is everybody.
    """
    actor.require(Permission.READ_DISPLAY)
    if clinic.settings.roster:
        return _from_file(clinic)
    with connection():
        newest = _newest()
        if newest is None:
            return RosterOut(version=0)
        return RosterOut(
            **newest.document,
            version=newest.number,
            changed_at=newest.changed_at,
            changed_by=newest.changed_by.name,
        )


def change(clinic: Clinic, actor: Actor, wanted: RosterChange) -> RosterOut:
    """Save the roster; it holds from now on, for numbers that are not given yet.

    Args:
        clinic: For its clusters.
        actor: Who administers.
        wanted: The whole roster.

    Raises:
        NotAllowedError: The role does not administer.
        ValidationError: `sessions.N.cluster` is `unknown`.
        RuleError: `roster_in_file`; `session_twice`, with the name of whose hours stand twice.
        ConflictError: `roster_changed`: somebody saved one meanwhile, whose name is in its details.
    """
    actor.require(Permission.ADMINISTER)
    if clinic.settings.roster:
        raise RuleError("roster_in_file", file=clinic.settings.roster)
    _check(clinic, wanted)
    with transaction():
        newest = _newest()
        before = newest.number if newest else 0
        if before != wanted.version:
            raise ConflictError("roster_changed", name=newest.changed_by.name if newest else "")
        made = RosterVersion.create(
            number=before + 1,
            document=wanted.model_dump(mode="json", exclude={"version"}),
            changed_at=clock.now(),
            changed_by=actor.account_id,
        )
        feed.append(CHANGED)
        audit.record(actor, "roster_changed", "roster", str(made.number), sessions=len(wanted.sessions))
    return shown(clinic, actor)


def licence_of(clinic: Clinic, username: str) -> str:
    """Return the licence to practise of whoever signs in so; empty where the roster tells none.

    The roster knows clinicians by BPJS's number, and the list of codes says whose number that is.

    Args:
        clinic: The clinic.
        username: Of the account.
    """
    code: BpjsCode | None = BpjsCode.get_or_none(BpjsCode.kind == BPJS_DOCTORS, BpjsCode.ours == username)
    return "" if code is None else current(clinic).licence_of(code.theirs)


def _newest() -> RosterVersion | None:
    found: RosterVersion | None = RosterVersion.select().order_by(RosterVersion.number.desc()).first()
    return found


def _check(clinic: Clinic, wanted: RosterFields) -> None:
    unknown = {
        f"sessions.{number}.cluster": "unknown"
        for number, session in enumerate(wanted.sessions)
        if session.cluster not in clinic.clusters
    }
    if unknown:
        raise ValidationError(unknown)
    if (second := _roster(wanted).twice()) is not None:
        raise RuleError("session_twice", name=second.name, hours=str(second.hours))


def _roster(fields: RosterFields) -> Roster:
    return Roster(
        frozenset(fields.closed_weekdays),
        frozenset(fields.closed_on),
        tuple(_session(session) for session in fields.sessions),
    )


def _session(fields: SessionFields) -> RosterSession:
    hours = Hours.read(fields.hours)
    if hours is None:  # its own validator has read them
        raise ValueError(fields.hours)
    return RosterSession(
        fields.cluster,
        fields.doctor,
        fields.name,
        frozenset(fields.weekdays),
        hours,
        fields.quota,
        fields.licence,
    )


def _from_file(clinic: Clinic) -> RosterOut:
    roster = clinic.roster_file
    document = {
        "version": 0,
        "file": clinic.settings.roster,
        "closed_weekdays": [day for day in WEEKDAYS if day in roster.closed_weekdays],
        "closed_on": sorted(roster.closed_on),
        "sessions": [
            {
                "cluster": session.cluster,
                "doctor": session.doctor,
                "name": session.name,
                "weekdays": [day for day in WEEKDAYS if day in session.weekdays],
                "hours": str(session.hours),
                "quota": session.quota,
                "licence": session.licence,
            }
            for session in roster.sessions
        ],
    }
    return RosterOut.model_validate(document)
