"""The interface of a receiver of the sending: an office, or SATUSEHAT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

from core.exchange.fhir import Record

Verdict = tuple[int, str]
"""Index of a record in the batch, and the receiver's words for it: empty when it was taken.

Words that begin with `not-found` say that something the record mentions is not there yet; words
that begin with `later` leave the record waiting without holding it against it.
"""

NOT_FOUND = "not-found"
LATER = "later"


class Target(Protocol):
    """One receiver, for one run.

    Each method may raise `TryAgainError` (this attempt failed) or `SyncError` (the run cannot
    go on). Whatever was cut off is done again, so everything a target does must be repeatable.
    """

    batch_size: int
    """Records to be given to the next `deliver`."""

    @property
    def sent_bytes(self) -> int:
        """Request bodies, as compressed as they were sent."""

    @property
    def received_bytes(self) -> int:
        """Answer bodies as received."""

    def prepare(self) -> None:
        """Let the receiver know the facility, its clusters and its people."""

    def read(self, kind: str, ids: Sequence[str]) -> Iterator[Record]:
        """Rows of a kind as records in the receiver's form; an unknown id is left out."""

    def deliver(self, records: Sequence[Record], day: date | None) -> Iterator[list[Verdict]]:
        """Send one batch; verdicts come as they are known, each record's once."""

    def shrink(self) -> None:
        """Make the next batch smaller, after an attempt that failed."""

    def touch(self, day: date) -> None:
        """Records of a day are about to be sent: it has to be proven again."""

    def prove(self) -> tuple[bool | None, bool]:
        """Compare what the receiver holds with what was sent.

        Returns:
            Whether both are the same (None when nothing could be compared), and whether
            something was put back into the outbox.
        """
