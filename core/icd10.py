"""The ICD-10 list: a short one in our own words, or the clinic's full import.

Indonesia's lists are ICD-10 **2010** (SATUSEHAT, PCare): A90, A91, I84.x and K35.9 exist
there and A97.x does not, so no newer list may be used to check codes (indonesia.md 5.8).
WHO holds the rights in the full text; a clinic imports its own copy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from core import code_lists
from core.errors import ValidationError
from core.models import DiagnosisCode

SOURCE = code_lists.Source("diagnosis", DiagnosisCode, "icd10.csv")
CODE = re.compile(r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?$")
UNDOTTED = re.compile(r"^([A-Z][0-9]{2})([0-9]{1,2})$")
COLUMNS = {
    "code": (
        "code", "kode", "icd", "icd10", "icd_10", "kode_icd", "kode_icd10", "kode_icd_10", "kdicd", "kddiag",
        "kode_diagnosa", "kode_diagnosis", "kode_penyakit",
    ),
    "title_id": (
        "title_id", "nama", "name_id", "diagnosa", "nmdiag", "deskripsi", "str_id", "indonesia",
        "nama_diagnosa", "nama_diagnosis", "diagnosis", "nama_penyakit", "penyakit", "nama_indonesia",
    ),
    "title_en": (
        "title_en", "name", "name_en", "str", "english", "title", "description", "nama_inggris", "nama_en",
    ),
}  # fmt: skip
"""Our column -> headings under which lists in the field carry it, lower case, `_` between words."""
AFTER_2010 = re.compile(r"^(A97|K64|U06|U08|U09|U10|U11|U12)(\.|$)")
"""Codes that WHO added after 2010 and that SATUSEHAT and PCare refuse."""
ONLY_2010 = frozenset({"A90", "A91"})
"""Dengue as Indonesia codes it; a list without these two is a later edition."""


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    taken: int
    refused: tuple[str, ...]
    """`line: code`, at most the first 50."""
    newer: int = 0
    """Codes left out because they are newer than the edition in use here."""


def load_builtin() -> None:
    """Bring in the codes that ship with Loket."""
    code_lists.load_shipped(SOURCE)


def import_codes(path: Path) -> Imported:
    """Take a clinic's full list from CSV or XLSX with a header row; known codes get the new titles.

    Codes may stand without their dot (`K029`). Single codes that are newer than the 2010 edition
    are left out; a list that is newer as a whole is refused, because half of what is diagnosed
    with it could never be sent.

    Raises:
        ValidationError: `file`: `unreadable`, `columns` (none for the code or for a title),
            `empty`, or `edition` (a later edition than 2010).
    """
    rows: dict[str, dict[str, str]] = {}
    refused: list[str] = []
    newer = 0
    for number, row in code_lists.read_file(path, COLUMNS):
        code = UNDOTTED.sub(r"\1.\2", row["code"].strip().upper())
        title_id = row["title_id"].strip() or row["title_en"].strip()
        if not CODE.match(code) or not title_id:
            refused.append(f"{number}: {code[:12]}")
        elif AFTER_2010.match(code):
            newer += 1
        else:
            rows[code] = {"code": code, "title_id": title_id, "title_en": row["title_en"].strip()}
    if newer and not ONLY_2010 & rows.keys():
        raise ValidationError({"file": "edition"})
    if not rows:
        raise ValidationError({"file": "empty"})
    code_lists.store_imported(SOURCE, list(rows.values()))
    return Imported(len(rows), tuple(refused[:50]), newer)
