"""The way from a base to a moment: along its line of the journal, and over into the lines that go on from it.

After a restore or a promotion the core goes on in a line of its own, from exactly the record that it was brought to
(`Origin`). What the earlier line holds after that record was given up: it belongs to a past that did not go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.daily.backup.journal_reading import JournaledTransaction, Line, Secrets
from core.foundation.journal.frames import Frame, Origin, Segment, frames_of, segments_in

if TYPE_CHECKING:
    from core.daily.backup.retention import BackupInfo


@dataclass(frozen=True)
class SegmentLink:
    """A line that goes on from another."""

    line: str
    origin: Origin
    at: datetime
    """Instant of its first record."""


@dataclass(frozen=True)
class Leg:
    """The part of a way on one line."""

    line: Line
    last: int | None
    """Number of the last record that belongs to the way; None: all do."""

    def length(self) -> int:
        """Return how many records the folder holds of it, reachable or not."""
        newest = self.line.newest()
        return max(0, (newest if self.last is None else min(newest, self.last)) - self.line.after)


@dataclass(frozen=True)
class Way:
    """Legs in order."""

    legs: tuple[Leg, ...]

    def length(self) -> int:
        """Return how many records the folder holds of it, reachable or not."""
        return sum(leg.length() for leg in self.legs)

    def has_files(self) -> bool:
        """Return whether the folder holds any file of it; one without further records still holds a secret."""
        return any(leg.line.has_files() for leg in self.legs)

    def records(self, secrets: Secrets) -> Iterator[JournaledTransaction]:
        """Yield the records of the way; one that is missing or was cut off ends it.

        Args:
            secrets: To open them.

        Raises:
            BackupError: `damaged`, `wrong_key`, or somebody else's signature.
            OSError: The folder cannot be read.
        """
        for leg in self.legs:
            reached = leg.line.after
            for record in leg.line.records(secrets) if reached != leg.last else ():
                yield record
                reached = record.number
                if reached == leg.last:
                    break
            if reached != leg.last:
                return


class Ways:
    """The lines of one facility in a folder, and how they go on from each other."""

    def __init__(self, folder: Path, facility: str, until: datetime | None = None) -> None:
        """Look at the folder.

        Args:
            folder: The second place.
            facility: The facility's code.
            until: Leave out what was begun after this moment; None: nothing.

        Raises:
            OSError: The folder cannot be read.
        """
        self._folder, self._facility = folder, facility
        first: dict[str, Segment] = {}
        for segment in segments_in(folder, facility):
            first.setdefault(segment.line, segment)
        found = [link for segment in first.values() if (link := _link_of(segment)) is not None]
        self.links = {link.line: link for link in found if until is None or link.at <= until}
        """Line -> how it goes on from another."""

    def onwards(self, line: str, number: int) -> Way:
        """Return the way from a point to the newest end that it leads to.

        Args:
            line: Of the point.
            number: Of the last record before the way.
        """
        chains = [chain for end in sorted(self.links) if (chain := self._chain(line, number, end))]
        legs = chains[-1] if chains else [(line, number, None)]
        return Way(
            tuple(Leg(Line(self._folder, self._facility, name, after), last) for name, after, last in legs)
        )

    def _chain(self, line: str, number: int, end: str) -> list[tuple[str, int, int | None]]:
        """Return the legs from a point to the end of a line, as line, first and last number; empty where none lead there."""
        legs: list[tuple[str, int, int | None]] = [(end, 0, None)]
        seen = {end}
        while (link := self.links.get(legs[0][0])) is not None and link.origin.line not in seen:
            seen.add(link.origin.line)
            if link.origin.line == line:
                begins = [(line, number, link.origin.number)] if number <= link.origin.number else []
                return [*begins, *legs] if begins else []
            legs.insert(0, (link.origin.line, 0, link.origin.number))
        return []

    def is_given_up(self, line: str, number: int) -> bool:
        """Return whether a point is not on the way on which the clinic came to where it is.

        Args:
            line: Of the point.
            number: Of its last record.
        """
        begin = self._begin_of(line)
        ends = [end for end in self.links if self._begin_of(end) == begin]
        if not ends:
            return False
        link = self.links.get(end := max(ends))
        lasts: dict[str, int | None] = {end: None}
        while link is not None and link.origin.line not in lasts:
            lasts[link.origin.line] = link.origin.number
            link = self.links.get(link.origin.line)
        last = lasts.get(line, -1)
        return last is not None and number > last

    def _begin_of(self, line: str) -> str:
        """Return the line with a base of its own from which a line came by going on from each other."""
        seen: set[str] = set()
        while (link := self.links.get(line)) is not None and line not in seen:
            seen.add(line)
            line = link.origin.line
        return line

    def base_of(self, line: str, number: int, bases: Sequence[BackupInfo]) -> BackupInfo | None:
        """Return the newest base from which a way leads to a point; None where there is none.

        Args:
            line: Of the point.
            number: Of its last record.
            bases: The backups of the folder.
        """
        origin: Origin | None = Origin(line, number)
        seen: set[str] = set()
        while origin is not None and origin.line not in seen:
            seen.add(origin.line)
            fitting = [info for info in bases if info.line == origin.line and info.number <= origin.number]
            if fitting:
                return max(fitting, key=lambda info: info.number)
            link = self.links.get(origin.line)
            origin = link.origin if link is not None else None
        return None

    def reach(self, line: str, number: int, bases: Sequence[BackupInfo]) -> bool:
        """Return whether the folder holds a base and all that leads from it to a point.

        Args:
            line: Of the point.
            number: Of its last record.
            bases: The backups of the folder.
        """
        base = self.base_of(line, number, bases)
        if base is None:
            return False
        begins = base.number if base.line == line else 0
        return begins == number or Line(self._folder, self._facility, line, begins).newest() >= number

    def needed(self, bases: Sequence[BackupInfo]) -> list[BackupInfo]:
        """Return the bases on which lines still rest that have none of their own.

        Args:
            bases: The backups of the folder.
        """
        own = {info.line for info in bases}
        found = (self.base_of(line, 0, bases) for line in self.links if line not in own)
        return [info for info in found if info is not None]


def _link_of(segment: Segment) -> SegmentLink | None:
    """Return how a file's line goes on from another, as its first record says; None: it does not."""
    if segment.first != 1:
        return None
    frame = _first_record(segment)
    if frame is None or frame.header is None or not frame.header.after:
        return None
    try:
        origin = Origin.read(frame.header.after)
        at = datetime.fromisoformat(frame.header.at)
    except ValueError:
        return None
    return SegmentLink(segment.line, origin, at) if origin is not None else None


def _first_record(segment: Segment) -> Frame | None:
    with segment.path.open("rb") as reader:
        return next((frame for frame in frames_of(reader) if frame.header is not None), None)
