"""The ICD-10 list: a short one in Loket's own words, or the clinic's full import.

Indonesia's lists are ICD-10 **2010** (SATUSEHAT, PCare): A90, A91, I84.x and K35.9 exist
there and A97.x does not, so no newer list may be used to check codes (docs/reference/indonesia.md 5.8).
WHO holds the rights in the full text; a clinic imports its own copy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.foundation.errors import ValidationError
from core.foundation.languages import data_table
from core.models import DiagnosisCode
from core.terminology import code_search

SOURCE = code_search.Source("diagnosis", DiagnosisCode, "icd10.csv")
CODE = re.compile(r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?$")
UNDOTTED = re.compile(r"^([A-Z][0-9]{2})([0-9]{1,2})$")
COLUMNS: Mapping[str, Sequence[str]] = data_table("code_list_headings.toml")
"""Our column -> its headings in lists of the field, lower case, `_` between words."""
MARKS = "\u2020\u2021*+# "
"""Signs after a code: dagger and asterisk of WHO's double coding, and how lists write them."""
REFUSED_SHOWN = 50  # refused lines that a report names
AFTER_2010 = re.compile(r"^(A97|K64|U06|U08|U09|U10|U11|U12)(\.|$)")
"""Codes that WHO added after 2010 and that SATUSEHAT and PCare refuse."""
ONLY_2010 = frozenset({"A90", "A91"})
"""Dengue as Indonesia codes it; a list without these two is a later edition."""


@dataclass(frozen=True)
class Imported:
    """The figures of an import."""

    taken: int
    refused: tuple[str, ...]
    """`line: code`, at most the first `REFUSED_SHOWN`."""
    newer: int = 0
    """Codes left out because they are newer than the edition in use here."""


def load_builtin() -> None:
    """Store the codes that ship with Loket."""
    code_search.load_shipped(SOURCE)


def code_of(text: str) -> str:
    """Return a code as lists write it, in one form: upper case, dotted, without the signs of double coding."""
    return UNDOTTED.sub(r"\1.\2", text.strip().upper().strip(MARKS))


def is_code(text: str) -> bool:
    """Return whether a cell holds a code."""
    return CODE.match(code_of(text)) is not None


def import_codes(path: Path) -> Imported:
    """Import a clinic's full list from CSV or XLSX; known codes get the new titles.

    The list may lack a header row: then the column of codes is found by its codes. Codes may lack their dot (`K029`). Single codes that are newer than the 2010 edition are left
    out; a list that is newer as a whole is refused, because half of the diagnoses made with it
    could never be sent.

    Raises:
        ValidationError: `file`: `unreadable`, `columns` (none for the code or for a title),
            `empty`, or `edition` (a later edition than 2010).
    """
    rows: dict[str, dict[str, str]] = {}
    refused: list[str] = []
    newer = 0
    for number, row in code_search.read_file(path, COLUMNS, is_code):
        code = code_of(row["code"])
        titles = code_search.imported_titles(row)
        if not CODE.match(code) or not any(titles.values()):
            refused.append(f"{number}: {code[:12]}")
        elif AFTER_2010.match(code):
            newer += 1
        else:
            rows[code] = {"code": code, **titles}
    if newer and not ONLY_2010 & rows.keys():
        raise ValidationError({"file": "edition"})
    if not rows:
        raise ValidationError({"file": "empty"})
    code_search.store_imported(SOURCE, list(rows.values()))
    return Imported(len(rows), tuple(refused[:REFUSED_SHOWN]), newer)
