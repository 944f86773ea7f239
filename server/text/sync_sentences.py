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
