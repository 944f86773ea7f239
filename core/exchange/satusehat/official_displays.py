"""The official text of each code, which SATUSEHAT compares with its own.

What may be passed on ships, row by row with its source and licence (`core/data/satusehat_displays.README.md`). The rest
comes from files that the clinic imports; an imported text stands before a shipped one. A text that is in neither is
missing: what needs it is held and names it, since a text of our own would be refused or believed wrongly.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

from peewee import EXCLUDED

from core.exchange import outbox
from core.exchange.fhir.systems import ICD9, ICD10, LOINC, SNOMED, Resource
from core.exchange.satusehat.kfa_products import medicines_without_product
from core.foundation import clock
from core.foundation.codes import OutboxStatus
from core.foundation.database import transaction
from core.foundation.errors import ValidationError
from core.foundation.languages import SOURCE_LANGUAGE
from core.foundation.spreadsheets import read_content, read_sheets
from core.models import Diagnosis, Immunisation, OfficialDisplay, Order, Outbox, Prescription, Procedure

FILE = "satusehat_displays.csv"
KFA = "http://sys-ids.kemkes.go.id/kfa"
SYSTEMS = {"icd10": ICD10, "icd9": ICD9, "loinc": LOINC, "snomed": SNOMED}
"""Short name of a list -> the URI of its code system."""
PATTERNS = {
    ICD10: re.compile(r"[A-Z]\d{2}(\.\d{1,2})?"),
    ICD9: re.compile(r"\d{2}(\.\d{1,2})?"),
    LOINC: re.compile(r"(LP|LA|MTHU)?\d{1,6}-\d"),
    SNOMED: re.compile(r"\d{6,18}"),
}
"""Code system -> the form of its codes."""
MISSING = "display-missing"
"""Beginnings of the words of a held record; an import makes such records wait again."""
BATCH = 500  # rows an INSERT
SHOWN = 50
"""Rows that could not be read which an import names."""
CODE_HEADINGS = (
    "code",
    "kode",
    "icd10_code",
    "icd9cm_code",
    "loinc_num",
    "conceptid",
    "loinc_code",
    "icd10",
    "icd9cm",
)
DISPLAY_HEADINGS = (
    "display",
    "str",
    "long_common_name",
    "english",
    "term",
    "name",
    "title",
    "description",
    "nama",
)
IN_ENGLISH = f"_{SOURCE_LANGUAGE}"
"""The end of a heading of official texts where a list has them in several languages."""
NO_WORD = re.compile(r"[\W_]+")


class MissingDisplayError(ValueError):
    """A code has no official text here.

    Attributes:
        words: `system code`, as shown to the admin.
    """

    def __init__(self, system: str, code: str) -> None:
        self.words = f"{short_name(system)} {code}"
        super().__init__(self.words)


def short_name(system: str) -> str:
    """Return the name by which a list is imported, or the last part of its URI."""
    return next((name for name, uri in SYSTEMS.items() if uri == system), system.rpartition("/")[2])


@cache
def shipped() -> Mapping[tuple[str, str], str]:
    """Return (system, code) -> text of what ships."""
    text = resources.files("core.data").joinpath(FILE).read_text(encoding="utf-8")
    return {(row["system"], row["code"]): row["display"] for row in csv.DictReader(text.splitlines())}


@dataclass
class Displays:
    """The texts of one run: what was imported is read once a code."""

    _known: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def find(self, system: str, code: str) -> str | None:
        """Return the official text of a code; None where there is none."""
        key = (system, code)
        if key not in self._known:
            row = OfficialDisplay.get_or_none(OfficialDisplay.system == system, OfficialDisplay.code == code)
            self._known[key] = row.display if row is not None else shipped().get(key)
        return self._known[key]

    def coding(self, system: str, code: str) -> Resource:
        """Return a coding with its official text.

        Raises:
            MissingDisplayError: There is no text.
        """
        display = self.find(system, code)
        if not display:
            raise MissingDisplayError(system, code)
        return {"system": system, "code": code, "display": display}

    def concept(self, system: str, code: str) -> Resource:
        """Return a CodeableConcept of one coding; raises like `coding`."""
        return {"coding": [self.coding(system, code)]}


@dataclass(frozen=True)
class DisplaysImported:
    """Figures of an import."""

    taken: int
    refused: tuple[str, ...]
    """`line: code` of rows without a proper code or a text, at most the first `SHOWN`."""
    waiting_again: int
    """Records that were held for a missing text and wait again."""


def import_displays(path: Path, system: str) -> DisplaysImported:
    """Import the texts of a code system from CSV or XLSX with a header row.

    Args:
        path: The file.
        system: Short name of the list, a key of `SYSTEMS`.

    Raises:
        ValidationError: `system`: `unknown`; `file`: `unreadable`, `columns` or `empty`.
    """
    if system not in SYSTEMS:
        raise ValidationError({"system": "unknown"})
    uri = SYSTEMS[system]
    taken: dict[str, str] = {}
    refused: list[str] = []
    for number, code, display in _lines(path):
        if PATTERNS[uri].fullmatch(code) and display:
            taken[code] = display
        else:
            refused.append(f"{number}: {code[:24]}")
    if not taken:
        raise ValidationError({"file": "empty"})
    with transaction():
        _store(uri, taken, path.name)
        waiting = release_held()
    return DisplaysImported(len(taken), tuple(refused[:SHOWN]), waiting)


def release_held() -> int:
    """Make the records wait again that were held for a missing text or code; return how many."""
    held = list(
        Outbox.select().where(Outbox.status == OutboxStatus.REFUSED, Outbox.error.startswith(MISSING))
    )
    for row in held:
        outbox.enqueue(row.kind, row.target)
    return len(held)


def _store(uri: str, texts: Mapping[str, str], name: str) -> None:
    rows = [
        {"system": uri, "code": code, "display": text, "source": name[:120], "imported_at": clock.now()}
        for code, text in texts.items()
    ]
    for start in range(0, len(rows), BATCH):
        OfficialDisplay.insert_many(rows[start : start + BATCH]).on_conflict(
            conflict_target=[OfficialDisplay.system, OfficialDisplay.code],
            update={
                OfficialDisplay.display: EXCLUDED.display,
                OfficialDisplay.source: EXCLUDED.source,
                OfficialDisplay.imported_at: EXCLUDED.imported_at,
            },
        ).execute()


def _lines(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line number, code and text of each row.

    Raises:
        ValidationError: `file`: `unreadable`, or `columns`: none for the code or for the text.
    """
    lines = read_sheets(read_content(path))[0]
    header = [NO_WORD.sub("_", str(cell or "").lower()).strip("_") for cell in (lines[0] if lines else [])]
    places = [_place(header, CODE_HEADINGS), _text_place(header)]
    for number, line in enumerate(lines[1:], 2):
        cells = [str(cell).strip() if cell is not None else "" for cell in line]
        code, display = (cells[place] if place < len(cells) else "" for place in places)
        if code or display:
            yield number, code.upper(), display


def _place(header: Sequence[str], names: Sequence[str]) -> int:
    found = next((header.index(name) for name in names if name in header), None)
    if found is None:
        raise ValidationError({"file": "columns"})
    return found


def _text_place(header: Sequence[str]) -> int:
    """Return the column of the texts: the English one where there are several languages."""
    english = next((place for place, name in enumerate(header) if name.endswith(IN_ENGLISH)), None)
    return english if english is not None else _place(header, DISPLAY_HEADINGS)


def codes_without_display() -> dict[str, int]:
    """Return `list code` -> uses, of what in the records has no official text, the most used first.

    A medicine without a product of KFA counts as such: `kfa Parasetamol 500 mg tablet`.
    """
    displays = Displays()
    used = {f"kfa {name}": count for name, count in medicines_without_product().items()}
    for system, code, count in _codes_in_use():
        if displays.find(system, code) is None:
            used[f"{short_name(system)} {code}"] = count
    return dict(sorted(used.items(), key=lambda item: (-item[1], item[0])))


def _codes_in_use() -> Iterator[tuple[str, str, int]]:
    """Yield system, code and uses of every code in diagnoses, procedures and laboratory orders."""
    diagnoses = Diagnosis.select(Diagnosis.code).where(Diagnosis.voided_at.is_null())
    procedures = Procedure.select(Procedure.code).where(Procedure.voided_at.is_null(), ~Procedure.is_local)
    orders = Order.select(Order.code).where(Order.code.is_null(False))
    for system, rows in ((ICD10, diagnoses), (ICD9, procedures), (LOINC, orders)):
        counts = Counter(row.code for row in rows)
        yield from ((system, code, count) for code, count in counts.items() if code)


def send_medicines_again() -> int:
    """Make the visits with a prescription or a vaccine wait again, after an import of KFA; return how many.

    What is there already is not sent twice: only what is new of a visit differs.
    """
    visits = {row.visit_id for row in Prescription.select(Prescription.visit).distinct()}
    visits |= {row.visit_id for row in Immunisation.select(Immunisation.visit).distinct()}
    sent = Outbox.select().where(
        Outbox.kind == outbox.VISIT, Outbox.status == OutboxStatus.SENT, Outbox.target.in_(sorted(visits))
    )
    targets = [row.target for row in sent]
    for start in range(0, len(targets), BATCH):
        outbox.enqueue(outbox.VISIT, *targets[start : start + BATCH])
    return len(targets)
