"""SNOMED findings of a chief complaint, only where the words say exactly that and nothing else.

The list is short on purpose. A complaint of which one part is not in it gets no code at all: half a complaint would be
believed to be the whole. The words themselves go in the Encounter.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

FILE = "satusehat_complaints.csv"
_JOINED = re.compile(r"\s*(?:,|;|/|\+|&|\bdan\b|\bserta\b|\bdisertai\b)\s*")
_SINCE = re.compile(
    r"\b(?:sejak|sudah|selama|kurang lebih|\+/-|±)?\s*\d+\s*(?:hari|minggu|bulan|tahun|hr|mgg|bln|thn|th)\b"
    r"(?:\s+(?:ini|yang lalu|lalu))?"
)


@cache
def _codes() -> Mapping[str, str]:
    text = resources.files("core.data").joinpath(FILE).read_text(encoding="utf-8")
    return {row["words"]: row["code"] for row in csv.DictReader(text.splitlines())}


def findings(complaint: str) -> list[str]:
    """Return the codes of a chief complaint, each once; none unless every part of it is known.

    Args:
        complaint: As typed at the counter: `batuk, pilek 3 hari`.
    """
    plain = _SINCE.sub(" ", complaint.casefold())
    parts = [" ".join(part.split()) for part in _JOINED.split(plain)]
    named = [part for part in parts if part]
    codes = [_codes().get(part) for part in named]
    return list(dict.fromkeys(code for code in codes if code)) if None not in codes else []
