"""Sentences of `loket standby`, `loket promote` and `loket superseded`."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from core.daily.standby.following import Standing
from core.daily.standby.promotion import Promoted
from core.daily.superseded import LeftBehind
from core.foundation.journal.standbys import StandbyNote
from server.text import upgrade_sentences
from server.text.formatting import to_the_second, when
from server.text.translation import _


def paired(name: str) -> str:
    """Return that the pairing is done."""
    return _(
        "Paired as {name}. The recovery key was not kept: take its file away. From now on: loket standby"
    ).format(name=name)


def position(standing: Standing, zone: ZoneInfo) -> Iterator[str]:
    """Yield how far a standby is."""
    if standing.is_new_base:
        yield _("A new backup was taken over.")
    yield _("Line {line}, action {number}, newest of {moment}; {applied} taken over now.").format(
        line=standing.line[:8],
        number=standing.number,
        moment=to_the_second(standing.moment, zone) if standing.moment else "-",
        applied=standing.applied,
    )
    if standing.waiting:
        yield _(
            "{number} actions of the folder CANNOT BE READ yet: what is before them is damaged or missing."
        ).format(number=standing.waiting)


def noted(note: StandbyNote | None, zone: ZoneInfo) -> str:
    """Return how far a standby was at its last look."""
    if note is None:
        return _("a standby that has not looked into the folder yet. Run: loket standby")
    return _("a standby: action {number} of {moment}, looked at {looked}").format(
        number=note.number,
        moment=to_the_second(note.moment, zone) if note.moment else "-",
        looked=to_the_second(note.looked_at, zone),
    )


def core_now() -> str:
    """Return that this standby was promoted."""
    return _("This machine is the core now. Start it with: loket serve")


def before_promotion(note: StandbyNote | None, zone: ZoneInfo) -> str:
    """Return what a promotion means, before the words are asked for."""
    known = to_the_second(note.moment, zone) if note is not None and note.moment else "-"
    return _(
        "This machine becomes the core, with all that reached the folder (at its last look up to {moment}). "
        "If the old machine still runs, it refuses from its next action on, and what it saves without the folder "
        "must be entered again. Switch it off and pull its network cable. Then type these words:"
    ).format(moment=known)


def later_core(at: str, zone: ZoneInfo) -> str:
    """Return that this standby lacks what yet another machine saved, which took over before."""
    return _(
        "Another machine took over as the core since {when}, and this one holds nothing of its work. If that machine "
        "is there, start it again instead. If it is gone too, go on: 20 numbers are left out in each cluster."
    ).format(when=when(at, zone))


def old_is_off_needed() -> str:
    """Return that the option is missing."""
    return _("Switch the old machine off first, then: loket promote --old-is-off")


def words_to_type() -> str:
    """Return the words by which it is confirmed that the old machine is off."""
    return _("the old machine is off")


def not_promoted() -> str:
    """Return that nothing was done."""
    return _("Not promoted; nothing was changed.")


def promoted(done: Promoted, journal_dir: str, zone: ZoneInfo) -> Iterator[str]:
    """Yield what a promotion did and what is to be done now.

    Args:
        done: The promotion.
        journal_dir: The journal's folder.
        zone: Time zone of the clinic.
    """
    yield _("This machine is the core now (epoch {epoch}), with all up to {moment}.").format(
        epoch=done.epoch, moment=to_the_second(done.standing.moment, zone) if done.standing.moment else "-"
    )
    if done.standing.waiting:
        yield _(
            "{number} later actions of the folder could not be read: enter them again from paper."
        ).format(number=done.standing.waiting)
    if journal_dir != done.folder:
        yield _("Put this line into .env first: LOKET_JOURNAL_DIR={folder}").format(folder=done.folder)
    yield _("Now: loket serve. The backup from which the journal goes on is made by itself.")


def left_behind(found: LeftBehind, zone: ZoneInfo) -> Iterator[str]:
    """Yield what the old core saved that the new one does not hold."""
    yield _(
        "Another machine is the core since {when}. Visits with something saved here that it does not hold: {number}"
    ).format(when=when(found.promotion.at, zone), number=len(found.rows))
    yield from upgrade_sentences.rows_of(found.rows)
    if found.file is not None:
        yield _("All of them, to be entered again there, stand in {file}").format(file=found.file)
