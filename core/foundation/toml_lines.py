"""Lines of a clinic's own TOML files, so that whoever wrote them is told where a mistake stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest


def line_of(text: str, place: Sequence[str | int]) -> int:
    """Return the line on which a value stands, counted from 1; as near to it as can be told, 0 where nothing can.

    Args:
        text: The file.
        place: Way to the value: names of tables and fields, and the index in an array of tables (`[[name]]`).
    """
    lines = text.splitlines()
    found, table = -1, ""
    for name, after in zip_longest(place, place[1:]):
        if isinstance(name, int):
            continue
        inner = f"{table}.{name}" if table else name
        if isinstance(after, int):
            header = _headers(lines, inner, found)
            if after >= len(header):
                break  # written in one line of its parent
            found, table = header[after], inner
        else:
            found, table = max(found, _field(lines, name, found)), inner
    return found + 1


def _headers(lines: Sequence[str], table: str, after: int) -> list[int]:
    header = re.compile(rf"\s*\[\[\s*{re.escape(table)}\s*\]\]")
    return [number for number, line in enumerate(lines) if number > after and header.match(line)]


def _field(lines: Sequence[str], name: str, after: int) -> int:
    """Return where a field is set within the table that begins on a line; -1 when it is not."""
    field = re.compile(rf"""\s*["']?{re.escape(name)}["']?\s*=""")
    for number, line in enumerate(lines[after + 1 :], after + 1):
        if field.match(line):
            return number
        if re.match(r"\s*\[\[?\s*[A-Za-z]", line) and after >= 0:
            break
    return -1


def at_line(text: str, place: Sequence[str | int]) -> str:
    """Return `line 7: ` for an error about a value; empty where the line cannot be told.

    Args:
        text: The file.
        place: As for `line_of`.
    """
    line = line_of(text, place)
    return f"line {line}: " if line else ""
