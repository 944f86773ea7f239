"""The audit logs, for those who watch over them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from core.foundation import audit_query, audit_reads
from core.foundation.audit_query import AuditLine, AuditQuery, Log
from core.foundation.codes import Permission
from core.models import Patient
from core.schemas.base import Identifier
from core.schemas.oversight import AuditLineOut, AuditPerson
from server.resources import resource
from server.security import ActorNow

router = resource("audit")
Name = Annotated[str | None, Query(max_length=40)]


@router.get("/audit")
def audit_log(
    actor: ActorNow,
    patient_id: Identifier | None = None,
    account: Name = None,
    action: Name = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    log: Log | None = None,
    watched: bool = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[AuditLineOut]:
    """Return the newest audit rows, of changes and of reads, newest first.

    The time of the last row as `until` asks for the next page. `watched` asks for what the supervisor looks
    at the same day: merges, broken glass, releases, rights, restores.
    """
    actor.require(Permission.READ_AUDIT)
    logs = (log,) if log else audit_query.LOGS
    query = AuditQuery(patient_id, account, action, since, until, logs, watched)
    given = {
        "account": account, "action": action, "since": since, "until": until, "watched": watched or None,
    }  # fmt: skip
    asked = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in given.items()
        if value is not None
    }
    lines = audit_query.newest(query, limit)
    people = audit_query.people(lines)
    shown = [*([patient_id] if patient_id else []), *people]
    audit_reads.shown(actor, "audit_read", list(dict.fromkeys(shown)), kind="audit", asked=asked)
    return [_line(line, people) for line in lines]


def _line(line: AuditLine, people: Mapping[str, Patient]) -> AuditLineOut:
    ids = dict.fromkeys(id_ for id_ in (line.patient_id, *line.patients) if id_)
    named = [
        AuditPerson(id=id_, name=people[id_].name, medical_record_number=people[id_].medical_record_number)
        for id_ in ids
        if id_ in people
    ]
    return AuditLineOut(**dataclasses.asdict(line), people=named)
