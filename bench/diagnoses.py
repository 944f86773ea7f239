"""Measures the search for codes in a full ICD-10 list, against the short list.

A clinic imports some 18,500 codes. The list here is made up: words of the shipped titles in new
combinations, under codes of the right form.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from statistics import median

from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection
from core.orders import diagnoses
from core.terminology import code_search, icd10

CODES = 18_500
QUERIES = (
    "hip",
    "hipertensi",
    "nyeri perut",
    "radang kulit alergi",
    "K02",
    "fraktur",
    "hipertenis",
    "zzz qqq",
    "",
)
ROUNDS = 30


def made_up_list(path: Path) -> Path:
    """Write a CSV of the right size."""
    chance = random.Random(2026)
    words = sorted({word for row in code_search.shipped(icd10.SOURCE) for word in row["title_id"].split()})
    codes = [
        f"{letter}{two:02d}.{tail}"
        for letter in "ABCDEFGHIJKLMNOPQRSTVWYZ"
        for two in range(100)
        for tail in range(10)
    ]
    codes = [code for code in codes if not icd10.AFTER_2010.match(code)]
    lines = ["code,title_id", "A90,Demam dengue"]
    for code in sorted(chance.sample(codes, CODES)):
        lines.append(f"{code},{' '.join(chance.sample(words, chance.randint(2, 7)))}".replace('"', ""))
    path.write_text("\n".join(lines))
    return path


def milliseconds(query: str) -> float:
    """Return the median of one search through the core function, list in memory."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        diagnoses.find(query)
        times.append((time.perf_counter() - started) * 1000)
    return median(times)


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        Clinic.open(Settings(home=Path(home)))
        with connection():
            icd10.load_builtin()
            short = {query: milliseconds(query) for query in QUERIES}
            size = len(code_search.load(icd10.SOURCE).codes)
            started = time.perf_counter()
            result = icd10.import_codes(made_up_list(Path(home) / "icd.csv"))
            imported = time.perf_counter() - started
            started = time.perf_counter()
            full_size = len(code_search.load(icd10.SOURCE).codes)
            loaded = (time.perf_counter() - started) * 1000
            print(
                f"import of {result.taken} codes {imported:.1f} s; read into memory once after it {loaded:.0f} ms\n"
            )
            print(f"{'search':<22} {size:>6} codes {full_size:>6} codes   ratio")
            for query in QUERIES:
                full = milliseconds(query)
                print(
                    f"{query or '(empty box)':<22} {short[query]:>9.2f} ms {full:>9.2f} ms {full / short[query]:>6.1f}x"
                )


if __name__ == "__main__":
    main()
