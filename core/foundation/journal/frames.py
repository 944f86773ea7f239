"""The journal's files: frames, each a line of JSON and as many bytes as it says.

A *key frame* holds, encrypted to the recovery key, the secret with which the records after it are sealed. A *record
frame* holds one part of a transaction's changeset. A frame that was cut off is left out, and what follows it stands in
another file: a file is only ever appended to.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

SUFFIX = ".journal"
NAME = re.compile(
    r"^journal-(?P<facility>[A-Za-z0-9.-]+)-(?P<line>[0-9a-f]{32})-(?P<first>\d{12})-(?P<attempt>\d{3})\.journal$"
)
LONGEST_HEADER = 4096  # bytes


@dataclass(frozen=True)
class Origin:
    """The point of an earlier line from which a line goes on without a base of its own."""

    line: str
    number: int
    """Of the last record of that line that holds."""

    def text(self) -> str:
        """Return it as headers and positions write it."""
        return f"{self.line}:{self.number}"

    @classmethod
    def read(cls, text: str) -> Origin | None:
        """Return the origin that a text names; None for an empty one.

        Args:
            text: From `text`.

        Raises:
            ValueError: It is no origin.
        """
        line, _, number = text.partition(":")
        return cls(line, int(number)) if text else None


@dataclass(frozen=True)
class RecordHeader:
    """The part of a record that is readable without any key."""

    line: str
    number: int
    part: int
    """From 1."""
    parts: int
    at: str
    """ISO instant of the transaction."""
    key: str
    """Of the secret that sealed it."""
    after: str = ""
    """In the first record of a line that goes on from another: its `Origin`."""

    @property
    def is_last(self) -> bool:
        """Return whether the record ends here."""
        return self.part == self.parts

    def text(self) -> bytes:
        """Return the header as the seal covers it."""
        return json.dumps(self.fields(), separators=(",", ":"), sort_keys=True).encode()

    def fields(self) -> dict[str, Any]:
        """Return what stands in the file; without an origin as before there were any."""
        fields = asdict(self)
        if not self.after:
            del fields["after"]
        return fields


@dataclass(frozen=True)
class Frame:
    """One frame of a file."""

    header: RecordHeader | None
    """None in a key frame."""
    key: str
    """The secret that it is sealed with, or that it holds."""
    body: bytes
    end: int
    """Offset in the file of what comes after it."""


@dataclass(frozen=True)
class Segment:
    """A file of frames, by its name."""

    path: Path
    line: str
    first: int
    """Number of its first record."""
    attempt: int
    """Counts files that begin with the same record."""


def encoded(header: RecordHeader | None, key: str, body: bytes) -> bytes:
    """Return a frame as it stands in a file.

    Args:
        header: Of a record; None for a key frame.
        key: Name of the secret.
        body: The sealed part, or the encrypted secret.
    """
    head: dict[str, Any] = {"key": key} if header is None else header.fields()
    head |= {"bytes": len(body), "check": zlib.crc32(body)}
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + body + b"\n"


def frames_of(reader: BinaryIO) -> Iterator[Frame]:
    """Yield the whole frames from where a file stands; the first that was cut off ends it.

    Args:
        reader: A file opened for reading bytes.
    """
    while (line := reader.readline(LONGEST_HEADER)).endswith(b"\n"):
        try:
            head = json.loads(line)
            size, check = head.pop("bytes"), head.pop("check")
            header = RecordHeader(**head) if "number" in head else None
            body, end = reader.read(size), reader.read(1)
        except (ValueError, TypeError, KeyError, AttributeError):
            return
        if len(body) != size or end != b"\n" or zlib.crc32(body) != check:
            return
        yield Frame(header, head["key"], body, reader.tell())


def segment_name(facility: str, line: str, first: int, attempt: int) -> str:
    """Return a file's name.

    Args:
        facility: The facility's code.
        line: The line of its records.
        first: Number of its first record.
        attempt: How many files begin with that record already.
    """
    return f"journal-{facility}-{line}-{first:012}-{attempt:03}{SUFFIX}"


def segments_in(folder: Path, facility: str, line: str = "") -> list[Segment]:
    """Return the files of a facility's journal in a folder, in the order of their records.

    Args:
        folder: The second place.
        facility: The facility's code.
        line: Of this line alone.

    Raises:
        OSError: The folder cannot be read.
    """
    found = []
    for path in folder.iterdir():
        name = NAME.match(path.name)
        if name is None or name["facility"] != facility:
            continue
        if line and name["line"] != line:
            continue
        found.append(Segment(path, name["line"], int(name["first"]), int(name["attempt"])))
    return sorted(found, key=lambda segment: (segment.line, segment.first, segment.attempt))
