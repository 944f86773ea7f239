"""Sentences of `loket sync`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from core.daily.closing_steps import STEPS
from core.foundation.languages import in_language
from core.schemas.clinic import ClosingOut, SyncOut
from server.text import problem_words
from server.text.formatting import when
from server.text.translation import N_, _, language


def sync_done(outcome: Mapping[str, Any]) -> Iterator[str]:
    """Yield the result of a synchronisation."""
    yield _("{sent} records sent, {refused} set aside, {pending} still wait.").format(**outcome)
    yield from _agreement(outcome["manifest_agrees"])
    yield from problem_words.lines(outcome["error"])


def places(made: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Yield a line for each unit and room at SATUSEHAT, with its number there."""
    kinds = {"Organization": _("Unit"), "Location": _("Room")}
    outcomes = {"made": _("made"), "changed": _("changed"), "kept": _("there already")}
    for place in made:
        kind, outcome = kinds[place["kind"]], outcomes[place["outcome"]]
        yield f"{kind:<8} {place['code']:<16} {outcome:<14} {place['remote_id']}"


FACTS_FILE = "satusehat-check.json"
"""In the data folder: what the last walk of the sandbox found."""
FACTS = {
    "facility_is_ours": N_("The facility's number is ours there"),
    "practitioner_by_nik": N_("A practitioner is found by the NIK"),
    "patient_by_nik": N_("The published test patient is found by the NIK"),
    "rooms_are_taken": N_("The clinic's rooms are there"),
    "visit_is_opened": N_("A visit is opened: arrived, in progress"),
    "display_is_compared": N_("A text of our own beside a code is refused"),
    "complaint_is_taken": N_("A complaint by SNOMED is taken"),
    "duplicate_is_told": N_("What is sent twice is told as a duplicate"),
    "duplicate_is_found": N_("What is there is found by its number and adopted"),
    "end_needs_diagnosis": N_("A visit without a diagnosis does not end"),
    "too_early_is_refused": N_("A day before 2014 is refused"),
    "return_lies_ahead": N_("The day of a return may lie ahead"),
    "facility_may_perform": N_("The facility itself may be who performs a referral"),
    "transaction_names_ids": N_("A visit goes in one transaction, whose answer names the ids"),
    "nothing_is_deleted": N_("Nothing is deleted"),
    "error_is_entered": N_("What was wrong is marked as entered in error"),
}
"""Fact of the guide -> what holds where it is confirmed."""


def facts(found: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Yield a line for each fact of the guide, with the server's own words where it does otherwise."""
    outcomes = {"confirmed": _("confirmed"), "different": _("DIFFERENT"), "not_tried": _("not tried")}
    for fact in found:
        words = f": {fact['words']}" if fact["words"] else ""
        yield f"{outcomes[fact['outcome']]:<12} {_(FACTS[fact['code']])}{words}"


def facts_written(file: str) -> str:
    """Return where the facts were written down."""
    return _("Written down in {file}").format(file=file)


def _agreement(agrees: bool | None, only_there: int = 0) -> Iterator[str]:
    if agrees is None:
        return
    if only_there:
        yield from problem_words.lines(f"only_there: {only_there}")
    elif agrees:
        yield _("The other end holds the same as this clinic.")
    else:
        yield _("The other end does NOT hold the same; what differs is sent at the next run.")


def sync_status(status: SyncOut, closing: ClosingOut, zone: ZoneInfo) -> Iterator[str]:
    """Yield the state of the day's closing and of the synchronisation.

    Args:
        status: State of the synchronisation.
        closing: State of the closing.
        zone: The clinic's time zone.
    """
    yield from _closing(closing, zone)
    counts = status.model_dump()
    if status.running:
        yield _("Sending now: {done} of {total}.").format(**counts)
    yield _("{pending} records wait, {sent} sent, {refused} set aside.").format(**counts)
    yield _("Last contact: {when}").format(when=when(status.last_contact_at, zone))
    yield from _agreement(status.manifest_agrees, status.only_there)
    yield from problem_words.lines(status.last_error)
    for refusal in status.refusals:
        yield f"! {refusal['kind']} {refusal['target']}: {refusal['error']}"
        yield f"  {problem_words.todo(refusal)}"


CLOSING_STATES: Mapping[str | None, str] = {
    None: N_("not begun"),
    "running": N_("cut off"),
    "done": N_("done"),
    "failed": N_("NOT WHOLE"),
    "skipped": N_("goes on later"),
}


def _closing(closing: ClosingOut, zone: ZoneInfo) -> Iterator[str]:
    day = f"{closing.day:%d-%m-%Y}"
    if closing.running:
        yield _("Closing {day}: step {done} of {total} is done.").format(
            day=day, done=closing.done, total=closing.total
        )
    else:
        yield _("Closing {day}: {state}").format(day=day, state=_(CLOSING_STATES[closing.status]))
    if closing.status is None:
        return
    for step in closing.steps:
        state = (
            _("going on") if step.status == "running" and closing.running else _(CLOSING_STATES[step.status])
        )
        at = step.ended_at.astimezone(zone).strftime("%H:%M") if step.ended_at else "     "
        yield f"  {at}  {in_language(STEPS[step.name].titles, language()).lower()}: {step.note or state}"
        yield from (f"  {line}" for line in problem_words.lines(step.error))
