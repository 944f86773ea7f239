"""The ICD-10 list: a short one in our own words, or the clinic's full import.

Indonesia's lists are ICD-10 **2010** (SATUSEHAT, PCare): A90, A91, I84.x and K35.9 exist
there and A97.x does not, so no newer list may be used to check codes (indonesia.md 5.8).
WHO holds the rights in the full text; a clinic imports its own copy.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from core.database import transaction
from core.errors import ValidationError
from core.models import DiagnosisCode
from core.names import fold

CODE = re.compile(r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?$")
BATCH = 500
COLUMNS = {
    "code": ("code", "kode", "icd", "icd10", "kode_icd"),
    "title_id": ("title_id", "nama", "name_id", "diagnosa", "deskripsi", "str_id", "indonesia"),
    "title_en": ("title_en", "name", "name_en", "str", "english", "title"),
}
"""Our column -> headings under which lists in the field carry it, lower case."""


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    taken: int
    refused: tuple[str, ...]
    """`line: code`, at most the first 50."""


def load_builtin() -> None:
    """Fill an empty list with the codes that ship with Loket."""
    if DiagnosisCode.select().exists():
        return
    source = resources.files("core.data").joinpath("icd10.csv").read_text(encoding="utf-8")
    _store(csv.DictReader(source.splitlines()))


def import_codes(path: Path) -> Imported:
    """Take a clinic's full list from a CSV with a header row; known codes get the new titles.

    Raises:
        ValidationError: `file` has no column for the code or for a title.
    """
    with path.open(encoding="utf-8-sig", newline="") as handle:
        sample = handle.read(4096)
        handle.seek(0)
        dialect = csv.Sniffer().sniff(sample, delimiters=",;\t|")
        reader = csv.DictReader(handle, dialect=dialect)
        headings = {heading.strip().lower(): heading for heading in reader.fieldnames or ()}
        columns = {
            ours: next((headings[name] for name in names if name in headings), None)
            for ours, names in COLUMNS.items()
        }
        if columns["code"] is None or (columns["title_id"] is None and columns["title_en"] is None):
            raise ValidationError({"file": "columns"})
        return _store(
            {ours: row[theirs] if theirs else "" for ours, theirs in columns.items()} for row in reader
        )


def _store(rows: Iterable[Mapping[str, str]]) -> Imported:
    taken, refused = 0, []
    batch: list[dict[str, object]] = []

    def flush() -> None:
        with transaction():
            for row in batch:
                DiagnosisCode.insert(row).on_conflict(
                    conflict_target=[DiagnosisCode.code],
                    update={name: row[name] for name in ("title_id", "title_en", "words")},
                ).execute()
        batch.clear()

    for number, row in enumerate(rows, start=2):
        code = (row["code"] or "").strip().upper()
        title_id = (row.get("title_id") or row.get("title_en") or "").strip()
        title_en = (row.get("title_en") or "").strip()
        if not CODE.match(code) or not title_id:
            refused.append(f"{number}: {code[:12]}")
            continue
        batch.append(
            {
                "code": code,
                "title_id": title_id[:200],
                "title_en": title_en[:200],
                "words": fold(f"{title_id} {title_en} {code}"),
                "usual": int(row.get("usual") or 0),
            }
        )
        taken += 1
        if len(batch) >= BATCH:
            flush()
    flush()
    return Imported(taken, tuple(refused[:50]))
