"""The questions of a late entry in line mode."""

from __future__ import annotations

from collections.abc import Mapping

from tui.lines.conversation import Conversation
from tui.registration.late_entry import (
    ARRIVED,
    LATE_FIELDS,
    PAPER,
    WRITTEN_BY,
    NotATimeError,
    read_arrival,
    typed_arrival,
)
from tui.session import Session
from tui.text import problem_words
from tui.text.translation import _

CLEAR = "-"


async def ask_late(
    session: Session, talk: Conversation, known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Ask when somebody came, who wrote it down, and on which form.

    Args:
        session: The session, with the clinic's time zone.
        talk: The conversation.
        known: The values of a form that was begun; Enter keeps them.

    Returns:
        The values of the late entry; empty ones where it is an ordinary entry after all.
    """
    before = dict(known or {})
    arrived = await _ask_arrival(session, talk, before)
    if not arrived:
        return dict.fromkeys(LATE_FIELDS, "") if known else {}
    writer = before.get(WRITTEN_BY) or session.late_writer
    while not (written_by := await _ask(talk, _("Written by"), writer)):
        talk.refuse(problem_words.field_problem("late.written_by", "required"))
    session.late_writer = written_by
    paper = await _ask(talk, _("Number of the form or lost ticket (Enter: none)"), before.get(PAPER, ""))
    return {ARRIVED: arrived, WRITTEN_BY: written_by, PAPER: paper.upper()}


async def _ask_arrival(session: Session, talk: Conversation, before: Mapping[str, str]) -> str:
    clinic = session.clinic
    typed = typed_arrival(before, clinic)
    while True:
        answer = await _ask(talk, _("Arrived (hh:mm, another day: 01-12 16:20; - not late)"), typed)
        if not answer:
            return ""
        try:
            return read_arrival(answer, clinic).isoformat()
        except NotATimeError:
            talk.refuse(problem_words.field_problem("late.arrived_at", "time_format"))


async def _ask(talk: Conversation, label: str, value: str) -> str:
    """Ask for a text; Enter keeps the known one, a minus clears it."""
    answer = (await talk.ask(f"{label} [{value}]:" if value else f"{label}:")).strip()
    return "" if answer == CLEAR else answer or value
