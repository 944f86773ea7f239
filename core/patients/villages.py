"""Villages (desa, kelurahan) by their Kemendagri codes, found by words, the clinic's own area first.

Source: docs/reference/indonesia.md 1.1 for the codes; core/data/villages.LICENSE for the list.
"""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources

from peewee import SQL, fn

from core.foundation.clinic import Clinic
from core.foundation.codes import Permission
from core.foundation.permissions import Actor
from core.linkage.names import fold
from core.models import Patient
from core.patients.national_ids import region_name
from core.schemas.patients import VillageOut

VILLAGE, DISTRICT, REGENCY = 10, 6, 4  # digits of the codes
LEVELS = (DISTRICT, REGENCY, 2)
"""Digits of the areas around a village, nearest first."""
MOST_READ = 5_000  # lines with the word typed that are ranked
_ABBREVIATIONS = re.compile(r"^(kel|kelurahan|ds|desa|kampung|kp)\b\.? *", re.IGNORECASE)


@cache
def _text() -> str:
    """Return the list as one text, `code<tab>name` a line: a search reads it faster than 80,000 objects are made."""
    packed = resources.files("core").joinpath("data/villages.tsv.xz").read_bytes()
    return "\n" + lzma.decompress(packed).decode("utf-8")


@cache
def _folded_text() -> str:
    """Return the list in small letters, character by character as long as `_text`."""
    return _text().lower()


@lru_cache(maxsize=4096)
def name_of(code: str) -> str:
    """Return the name of a village or an area by its code; empty when it is not in the list."""
    digits = code.replace(".", "")
    known = region_name(digits)
    if known is None and digits:
        found = re.search(rf"\n{re.escape(digits)}\t(.*)", _text())
        known = found[1] if found else None
    return known or ""


def village_of(code: str) -> VillageOut | None:
    """Return a village with its areas by its code; None when it is not in the list."""
    digits = code.replace(".", "")
    name = name_of(digits) if len(digits) == VILLAGE else ""
    return _out(digits, name) if name else None


def label_of(code: str) -> str:
    """Return village and district as a person reads them: `Pekauman, Banjarmasin Selatan`; empty without a known code."""
    village = village_of(code)
    return ", ".join(part for part in (village.name, village.district) if part) if village else ""


def _out(code: str, name: str) -> VillageOut:
    return VillageOut(
        code=code, name=name, district=name_of(code[:DISTRICT]), regency=name_of(code[:REGENCY])
    )


def own_area(clinic: Clinic) -> str:
    """Return the code of the clinic's own area: where most of its patients live, else as its own code says."""
    # Grouped by its name: PostgreSQL takes two texts with values of their own for two different columns.
    district = SQL("district")
    query = Patient.select(fn.SUBSTR(Patient.village_code, 1, DISTRICT).alias("district")).where(
        Patient.village_code != "", Patient.voided_at.is_null()
    )
    most = query.group_by(district).order_by(fn.COUNT(Patient.id).desc(), district).limit(1).scalar()
    if most:
        return str(most)
    digits = re.sub(r"\D", "", clinic.settings.facility_code)
    return next((digits[:length] for length in LEVELS if name_of(digits[:length])), "")


def find(clinic: Clinic, actor: Actor, text: str, limit: int = 12) -> list[VillageOut]:
    """Return the villages that words mean, those of the clinic's own area first.

    The first word begins a word of the village's name; further ones may also be of the district or regency. Without
    words the villages of the own district are returned.

    Args:
        clinic: The clinic.
        actor: Who searches.
        text: As typed; a code or its beginning as well.
        limit: Most villages, >= 1.
    """
    actor.require(Permission.READ_PATIENTS)
    area = own_area(clinic)
    wanted = fold(_ABBREVIATIONS.sub("", text.strip()))
    digits = text.replace(".", "").strip()
    if not wanted or digits.isdigit():
        found = list(_coded((digits or area)[:VILLAGE]))
    else:
        found = [line for line in _named(wanted.split()[0]) if _has_words(line, wanted)]
    ranked = sorted(found, key=lambda line: _rank(line, wanted, area))
    return [_out(code, name) for code, name in ranked[:limit]]


def _named(word: str) -> Iterator[tuple[str, str]]:
    """Yield code and name of the villages of whose name a word begins with this one, at most `MOST_READ`."""
    text, folded = _text(), _folded_text()
    at = folded.find(word)
    for _number in range(MOST_READ):
        if at < 0:
            return
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        code, name = text[start:end].split("\t")
        if len(code) == VILLAGE and not folded[at - 1].isalnum():
            yield code, name
            at = end
        at = folded.find(word, at + 1)


def _coded(beginning: str) -> Iterator[tuple[str, str]]:
    """Yield code and name of the villages whose code begins with these digits."""
    found = re.finditer(rf"\n({beginning}\d{{{VILLAGE - len(beginning)}}})\t(.*)", _text())
    yield from ((match[1], match[2]) for match in found)


def _has_words(line: tuple[str, str], wanted: str) -> bool:
    code, name = line
    words = wanted.split()[1:]
    if not words:
        return True
    around = fold(f"{name} {name_of(code[:DISTRICT])} {name_of(code[:REGENCY])}").split()
    return all(any(word.startswith(part) for word in around) for part in words)


def _rank(line: tuple[str, str], wanted: str, area: str) -> tuple[int, bool, bool, str, str]:
    """Return the sorting key: near first, then the whole name, then names that begin with the words."""
    code, name = line
    folded = fold(name)
    near = next(
        (
            place
            for place, length in enumerate(LEVELS)
            if area[:length] == code[: len(area[:length])] and len(area) >= length
        ),
        len(LEVELS),
    )
    return near, folded != wanted, not folded.startswith(wanted), name, code
