"""Reads a line of the journal back: records in the order of their numbers, each opened with the secret that sealed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from core.foundation import signatures
from core.foundation.errors import BackupError
from core.foundation.journal.capture import SPILL_BYTES
from core.foundation.journal.frames import Frame, RecordHeader, Segment, frames_of, segments_in
from core.foundation.journal.proof_keys import ProofKey, unwrapped


@dataclass(frozen=True)
class JournaledTransaction:
    """One transaction."""

    line: str
    number: int
    at: datetime
    changeset: IO[bytes]
    """Good until the next record is read."""


class Secrets:
    """The secrets that open records: known ones, or those that the recovery key opens."""

    def __init__(
        self, known: list[ProofKey], recovery: Any = None, signer: str = "", why_unsigned: str = ""
    ) -> None:
        self._known = {key.name: key for key in known}
        self._recovery = recovery
        self._signer = signer
        self._why_unsigned = why_unsigned

    @property
    def known(self) -> list[ProofKey]:
        """Return the secrets that are known by now, those learned last first."""
        return list(reversed(self._known.values()))

    def learn(self, frame: Frame) -> None:
        """Take the secret of a key frame, if there is a recovery key to open it with.

        Raises:
            BackupError: `wrong_key`, `damaged`, or somebody else's signature.
        """
        if self._recovery is None or frame.key in self._known:
            return
        key, signer = unwrapped(frame.body, self._recovery)
        signatures.require(signer, self._signer, self._why_unsigned)
        self._known[key.name] = key

    def opened(self, header: RecordHeader, body: bytes) -> bytes:
        """Return the part of a changeset.

        Args:
            header: The record's.
            body: Sealed.

        Raises:
            BackupError: `wrong_key`: its secret is not known; `damaged`.
        """
        if header.key not in self._known:
            raise BackupError("wrong_key", "journal")
        return self._known[header.key].opened(body, header.text())


@dataclass(frozen=True)
class Line:
    """A line of the journal in a folder, from a base on."""

    folder: Path
    facility: str
    name: str
    after: int
    """Number that the base holds."""

    def records(self, secrets: Secrets) -> Iterator[JournaledTransaction]:
        """Yield the records after the base; one that is missing or was cut off ends them.

        Args:
            secrets: To open them.

        Raises:
            BackupError: `damaged`, `wrong_key`, or somebody else's signature.
            OSError: The folder cannot be read.
        """
        wanted, spool, held = self.after + 1, _spool(), 0
        for segment in self._segments():
            for header, frame in _record_frames(segment, secrets):
                if header.number > wanted:
                    return
                if header.number < wanted:
                    continue
                if header.part == 1:
                    spool, held = _spool(), 0
                if header.part != held + 1:
                    continue  # the beginning stands in a file that was cut off; it is repeated in the next
                spool.write(secrets.opened(header, frame.body))
                held += 1
                if header.is_last:
                    spool.seek(0)
                    yield JournaledTransaction(
                        self.name, header.number, datetime.fromisoformat(header.at), spool
                    )
                    wanted, spool, held = wanted + 1, _spool(), 0

    def has_files(self) -> bool:
        """Return whether the folder holds any file of the line."""
        return bool(self._segments())

    def newest(self) -> int:
        """Return the number of the newest record in the folder, whether or not it can be reached."""
        numbers = [
            frame.header.number
            for segment in self._segments()[-1:]
            for frame in _frames(segment)
            if frame.header is not None and frame.header.is_last
        ]
        return max(numbers, default=0)

    def _segments(self) -> list[Segment]:
        """Return the files that may hold what comes after the base."""
        found = segments_in(self.folder, self.facility, self.name)
        needed = [index for index, segment in enumerate(found) if segment.first <= self.after + 1]
        return found[needed[-1] :] if needed else found


def _record_frames(segment: Segment, secrets: Secrets) -> Iterator[tuple[RecordHeader, Frame]]:
    for frame in _frames(segment):
        if frame.header is None:
            secrets.learn(frame)
        elif frame.header.line != segment.line:
            raise BackupError("damaged", segment.path.name)
        else:
            yield frame.header, frame


def _frames(segment: Segment) -> Iterator[Frame]:
    with segment.path.open("rb") as reader:
        yield from frames_of(reader)


def _spool() -> Any:
    return SpooledTemporaryFile(max_size=SPILL_BYTES)
