"""The page of one ticket, for the phone of whoever holds it: its place and wait, and nothing of a person.

Its address is on the ticket as a QR code (`core.ticket_codes`) and is good for the visit's day: when
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

from core import clock, queue_views
from core.clinic import Clinic
from core.database import connection
from core.models import QueueEntry
from core.schemas.queues import EntryShape
from core.ticket_codes import id_tail
from core.vocabulary import EntryStatus
from server.security import ClinicNow, LanguageNow

router = APIRouter(include_in_schema=False)

TAIL_AT = 25  # the first of an id's last twelve digits, counted from 1 as SQL does
AGAIN = frozenset({EntryStatus.SKIPPED, EntryStatus.ON_HOLD})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}

WORDS: Mapping[str, Mapping[str, str]] = {
    "id": {
        "title": "Antrean",
        "waiting": "Urutan Anda",
        "next": "Anda berikutnya: tunggu di dekat {room}",
        "wait": "Perkiraan tunggu: {number} menit",
        "called": "DIPANGGIL: silakan ke {room}",
        "in_service": "Sedang dilayani di {room}",
        "again": "Nomor Anda sudah dipanggil: lapor ke petugas di {room}",
        "ended": "Selesai. Terima kasih.",
        "unknown": "Nomor ini tidak berlaku hari ini. Tanyakan di loket.",
        "lost": "Sambungan terputus; mencoba lagi.",
        "as_of": "Per pukul {time}",
    },
    "en": {
        "title": "Queue",
        "waiting": "Your place",
        "next": "You are next: wait near {room}",
        "wait": "Expected wait: {number} minutes",
        "called": "CALLED: please go to {room}",
        "in_service": "Being served at {room}",
        "again": "Your number has been called: tell the staff at {room}",
        "ended": "Finished. Thank you.",
        "unknown": "This number is not valid today. Ask at the counter.",
        "lost": "Connection lost; trying again.",
        "as_of": "As of {time}",
    },
}


def entry_of(clinic: Clinic, code: str) -> EntryShape | None:
    """Where the holder of a code is in the queues now; None when the code is not one of today's."""
    tail = id_tail(code)
    if tail is None:
        return None
    today = clinic.today()
    with connection():
        ticket = QueueEntry.get_or_none(
            QueueEntry.service_on == today, fn.SUBSTR(QueueEntry.id, TAIL_AT) == tail
        )
        if ticket is None:
            return None
        newest = (
            QueueEntry.select(QueueEntry.id)
            .where(
                QueueEntry.visit == ticket.visit_id,
                QueueEntry.service_on == today,
                QueueEntry.voided_at.is_null(),
            )
            .order_by(QueueEntry.started_at.desc(), QueueEntry.id.desc())
            .first()
        )
        return queue_views.entry_shape(clinic, newest.id) if newest is not None else None


def told(clinic: Clinic, entry: EntryShape, words: Mapping[str, str]) -> tuple[str, list[str]]:
    """What the page says of an entry: the place, empty unless waiting, and sentences."""
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
    """One ticket's place; 404 with a sentence for a code that is not one of today's."""
    words = WORDS[language]
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
