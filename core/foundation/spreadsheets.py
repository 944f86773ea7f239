"""Reads the cells of CSV and XLSX files. Pure, apart from the library that unpacks XLSX."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import IO, Any
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import BadZipFile, ZipFile

from core.foundation.errors import ValidationError

EPOCH = date(1899, 12, 30)
"""Day 0 of spreadsheet dates: one day early, since spreadsheets count a 29 February 1900 that never was."""

_DELIMITERS = ",;\t|"
_SNIFFED = 4096  # characters in which the most frequent delimiter is looked for
_PIECE = 1024  # bytes of a part that are read at once in search of its first element
_ZIP = b"PK"  # first bytes of an XLSX file, which is a ZIP archive
_OLD_EXCEL = bytes.fromhex("d0cf11e0")  # first bytes of an XLS file of before 2007
_HTML = re.compile(rb"\A\s*(?:<!doctype html|<html|<table|<style|<meta)", re.IGNORECASE)
"""A web page under the name of a workbook, as many programs here "export to Excel"."""

LARGEST_FILE = 64 * 1024 * 1024  # bytes; a list of 200,000 patients is about 40 MB of CSV
LARGEST_UNPACKED = 256 * 1024 * 1024  # bytes of an XLSX file's parts; six million cells are about 200 MB
MOST_ROWS = 250_000  # a regency's patients; what is larger comes in several files
MOST_CELLS = 6_000_000  # about 1 GB of memory at their usual length
LONGEST_CELL = 32_767
"""Characters of a cell: no spreadsheet program keeps more."""

Cells = Sequence[Any]
"""One line: texts, numbers, dates or None, as the file has them."""


def read_content(file: Path) -> bytes:
    """Return the bytes of a file that is small enough to be a list.

    Raises:
        ValidationError: `file`: `unreadable` or `too_large`.
    """
    try:
        with file.open("rb") as handle:
            content = handle.read(LARGEST_FILE + 1)
    except OSError:
        raise ValidationError({"file": "unreadable"}) from None
    if len(content) > LARGEST_FILE:
        raise ValidationError({"file": "too_large"})
    return content


def read_sheets(content: bytes) -> list[list[Cells]]:
    """Return the lines of each sheet; a CSV file, with any usual delimiter, is one sheet.

    Raises:
        ValidationError: `file`: `unreadable`, `old_workbook` for what only a spreadsheet program can read, or
            `too_large` where rows, cells or the unpacked size pass a bound.
    """
    if content.startswith(_OLD_EXCEL) or _HTML.match(content):
        raise ValidationError({"file": "old_workbook"})
    return _xlsx(content) if content.startswith(_ZIP) else [_csv(content)]


def _csv(content: bytes) -> list[Cells]:
    text = _decoded(content)
    delimiter = max(_DELIMITERS, key=text[:_SNIFFED].count)
    try:
        return _Bounded().lines(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        raise ValidationError({"file": "unreadable"}) from None


class _Bounded:
    """Takes lines until there are more than a list has."""

    def __init__(self) -> None:
        self._rows = 0
        self._cells = 0

    def lines(self, lines: Iterable[Cells]) -> list[Cells]:
        """Return the lines of one sheet, empty cells at their ends dropped."""
        return [self._line(line) for line in lines]

    def _line(self, line: Cells) -> Cells:
        self._rows += 1
        self._cells += len(line)  # empty ones too: a sheet may claim sixteen thousand in each line
        if self._rows > MOST_ROWS or self._cells > MOST_CELLS:
            raise ValidationError({"file": "too_large"})
        kept = list(line)
        while kept and kept[-1] in (None, ""):
            kept.pop()
        if any(isinstance(cell, str) and len(cell) > LONGEST_CELL for cell in kept):
            raise ValidationError({"file": "too_large"})
        return kept


def _decoded(content: bytes) -> str:
    """Decode UTF-8, the UTF-16 that spreadsheets call Unicode text, or else Windows-1252."""
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    encoding = _without_mark(content) or encoding
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _without_mark(content: bytes) -> str:
    """Return the UTF-16 of a text that does not begin with its mark; empty for any other.

    No text holds a zero byte otherwise; in UTF-16 every second byte of plain letters is one.
    """
    start = content[:_SNIFFED]
    places = {at % 2 for at, byte in enumerate(start) if not byte}
    return {frozenset({0}): "utf-16-be", frozenset({1}): "utf-16-le"}.get(frozenset(places), "")


def _xlsx(content: bytes) -> list[list[Cells]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        _refuse_bomb(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        bounded = _Bounded()
        return [bounded.lines(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]
    except (InvalidFileException, BadZipFile, KeyError, ValueError, IndexError, OSError, SyntaxError):
        raise ValidationError({"file": "unreadable"}) from None


def _refuse_bomb(content: bytes) -> None:
    """Refuse an archive whose parts are larger than a list is, or declare entities.

    The sizes that the archive states are enough: Python's zipfile gives no more bytes of a part than it states.
    """
    with ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > LARGEST_UNPACKED:
            raise ValidationError({"file": "too_large"})
        for part in archive.infolist():
            with archive.open(part) as stream:
                _refuse_document_type(stream)


def _refuse_document_type(stream: IO[bytes]) -> None:
    """Refuse XML with a document type: entities are declared there, and workbooks (ECMA-376 part 2) have none.

    Only what stands before the first element is read. What is no XML is not read as a sheet either.
    """
    parser = ParserCreate()
    found: list[str] = []
    parser.StartDoctypeDeclHandler = lambda *_declared: found.append("doctype")
    parser.StartElementHandler = lambda *_begun: found.append("element")
    with suppress(ExpatError):
        while not found and (piece := stream.read(_PIECE)):
            parser.Parse(piece, False)
    if "doctype" in found:
        raise ValidationError({"file": "unreadable"})
