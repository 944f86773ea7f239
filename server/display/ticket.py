"""The page of one ticket, for the phone of whoever holds it: its place and wait, and nothing of a person.

Its address is on the ticket as a QR code (`core.queues.ticket_codes`) and is good until the visit has ended, and for its day: when
the patient is sent on, the page follows. It works without scripts; with them it renews itself quietly.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from importlib import resources
from string import Template

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from peewee import fn

from core.foundation import clock
from core.foundation.catalogues import catalogue
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryStatus
from core.foundation.database import connection
from core.models import QueueEntry
from core.queues import service_days
from core.queues import views as queue_views
from core.queues.entries import present
from core.queues.ticket_codes import id_tail
from core.schemas.queues import EntryOut
from server.security import ClinicNow, LanguageNow
from server.text.translation import N_, PACKAGE

router = APIRouter(include_in_schema=False)

TAIL_AT = 25  # the first of an id's last twelve digits, counted from 1 as SQL does
AGAIN = frozenset({EntryStatus.SKIPPED, EntryStatus.ON_HOLD})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}

WORDS = {
    "title": N_("Queue"),
    "waiting": N_("Your place"),
    "next": N_("You are next: wait near {room}"),
    "wait": N_("Expected wait: {number} minutes"),
    "called": N_("CALLED: please go to {room}"),
    "in_service": N_("Being served at {room}"),
    "again": N_("Your number has been called: tell the staff at {room}"),
    "ended": N_("Finished. Thank you."),
    "unknown": N_("This number is not valid today. Ask at the counter."),
    "lost": N_("Connection lost; trying again."),
    "as_of": N_("As of {time}"),
}
"""Texts of the page: what it says -> English msgid."""


def entry_of(clinic: Clinic, code: str) -> EntryOut | None:
    """Return the present entry of a ticket's holder; None when the code is not one of today's."""
    tail = id_tail(code)
    if tail is None:
        return None
    with connection():
        here = present(QueueEntry.select(), service_days.present_days(clinic))
        ticket = here.where(fn.SUBSTR(QueueEntry.id, TAIL_AT) == tail).first()
        if ticket is None:
            return None
        newest = (
            QueueEntry.select(QueueEntry.id)
            .where(QueueEntry.visit == ticket.visit_id, QueueEntry.voided_at.is_null())
            .order_by(QueueEntry.started_at.desc(), QueueEntry.id.desc())
            .first()
        )
        return queue_views.entry_out(clinic, newest.id) if newest is not None else None


def told(clinic: Clinic, entry: EntryOut, words: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the place, empty unless the patient waits, and the sentences of the page.

    Args:
        clinic: The clinic.
        entry: The entry.
        words: Texts of the page in the reader's language.
    """
    cluster = clinic.clusters[entry.cluster]
    room = entry.service_point or cluster.room or cluster.name
    if entry.status.is_ended:
        return "", [words["ended"]]
    if entry.status in AGAIN:
        return "", [words["again"].format(room=room)]
    if entry.status is not EntryStatus.WAITING:
        return "", [words[entry.status.value].format(room=room)]
    sentences = []
    if entry.expected_wait_minutes is not None:
        sentences.append(words["wait"].format(number=entry.expected_wait_minutes))
    if entry.position == 1:
        sentences.append(words["next"].format(room=room))
    return str(entry.position or ""), sentences


@router.get("/T/{code}")
@router.get("/t/{code}")
def page(code: str, clinic: ClinicNow, language: LanguageNow) -> HTMLResponse:
    """Return one ticket's place; 404 with a sentence for a code that is not one of today's."""
    say = catalogue(PACKAGE, language).gettext
    words = {name: say(text) for name, text in WORDS.items()}
    entry = entry_of(clinic, code)
    place, sentences = told(clinic, entry, words) if entry is not None else ("", [words["unknown"]])
    number = entry.number if entry is not None else ""
    cluster = clinic.clusters[entry.cluster].name if entry is not None else ""
    template = Template(resources.files("server.display").joinpath("ticket.html").read_text(encoding="utf-8"))
    values = {
        "language": language,
        "facility": clinic.settings.facility_name,
        "number": number,
        "cluster": cluster,
        "place_label": words["waiting"] if place else "",
        "place": place,
        "status": entry.status.value if entry is not None else "unknown",
        "title": f"{number} {words['title']}".strip(),
        "lost": words["lost"],
        "as_of": words["as_of"].format(time=f"{clock.now().astimezone(clinic.zone):%H:%M}"),
    }
    text = template.substitute(
        {name: html.escape(value) for name, value in values.items()},
        sentences="".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences),
    )
    return HTMLResponse(text, status_code=200 if entry is not None else 404, headers=HEADERS)
