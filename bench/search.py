"""Measures the search box and the duplicate check on database files of several sizes.

    python bench/search.py [--sizes 10000 100000] [--queries 300]

For each size a SQLite file is filled with fictitious households (`bench/people.py`) and their keys, and then
searched through the same functions as the counter's: `search.found`, `search.by_words` and
`candidates.ranked`. Times are of the whole answer (rows read and ranked), in milliseconds, after a short
warm-up; the first search reads all name parts once ("first"). "CPU" is this thread's own time, which
others on a shared machine disturb less.

* "one mistake": one word of the name has a letter replaced, dropped, doubled or swapped with its neighbour;
  with "+ year" or "+ date" the birth year or date follows the misspelt name.
* "found": the person asked for is among the first 20. "or as close": that person, or twenty others whose names
  are no further, letter by letter, from the typed one: a name cannot choose between them, a birth year can. One in
  fifteen of a million has a name here that more than twenty share, so for a name alone only this share can be
  high; with a year or a date, "found" counts.
* The duplicate check is asked with a known person's data as a clerk types it: written a second time by the
  operators `UNSEEN`, half of them without NIK, BPJS number and phone.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from rapidfuzz.distance import OSA

from bench.people import UNSEEN, Record, again, households
from core.accounts.service import system_actor
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.identifiers import new_id
from core.linkage import candidates
from core.linkage.blocking import stored_keys
from core.linkage.names import name_words
from core.patients import search as patient_search

BATCH = 20_000


def fill(people: list[Record], first_number: int = 1) -> list[str]:
    """Write patients and keys as fast as SQLite takes them; return their ids.

    Args:
        people: Those to write.
        first_number: Medical record number of the first; the others follow.
    """
    now, account = clock.now(), system_actor("bench").account_id
    instant = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    ids = [new_id() for _ in people]
    opened = database.connection()
    index_name = "patientkey_patient_id"
    names = [
        row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE tbl_name = 'patient_key'")
    ]
    index_name = next(name for name in names if name.endswith("patient_id"))
    opened.execute(f"DROP INDEX {index_name}")
    opened.execute("PRAGMA synchronous = OFF")
    opened.execute("PRAGMA cache_size = -300000")
    opened.execute("BEGIN")
    opened.executemany(
        "INSERT INTO patient (id, medical_record_number, name, sex, birth_date, birth_date_estimated, nik,"
        " bpjs_number, family_card_number, mother_name, phone, address, rt, rw, village_code, other_names, version,"
        " created_at, created_by_id, updated_at) VALUES (?,?,?,?,?,0,?,?,?,?,?,?,?,?,'',?,1,?,?,?)",
        (
            (
                id_, f"{number:08d}", p.name, p.sex, p.birth_date, p.nik, p.bpjs_number, p.family_card_number,
                p.mother_name, p.phone, p.address, p.rt, p.rw, p.other_names, instant, account, instant,
            )
            for number, (id_, p) in enumerate(
                zip(ids, (r.written for r in people), strict=True), first_number
            )
        ),
    )  # fmt: skip
    # Sorted, so that the tree of the primary key grows at its end.
    keys = sorted(
        (kind, value, id_)
        for id_, record in zip(ids, people, strict=True)
        for kind, value in stored_keys(record.written)
    )
    opened.executemany("INSERT INTO patient_key (kind, value, patient_id) VALUES (?,?,?)", keys)
    opened.execute("COMMIT")
    opened.execute(f"CREATE INDEX {index_name} ON patient_key (patient_id)")
    opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.execute("PRAGMA cache_size = -16000")
    opened.execute("PRAGMA synchronous = FULL")
    return ids


def misspelt(chance: random.Random, name: str) -> str:
    """Return a name with one slip in one of its longer parts."""
    words = name.split()
    place = chance.choice([i for i, word in enumerate(words) if len(word) >= 4] or [0])
    word = words[place]
    at = chance.randrange(1, len(word)) if len(word) > 1 else 0
    words[place] = chance.choice(
        (
            word[:at] + chance.choice("aeiounrstkl") + word[at + 1 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at - 1] + word[at:],
            word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :] if at else word,
        )
    )
    return " ".join(words)


def as_close(typed: str, name: str, shown: list[str]) -> bool:
    """Return whether everybody shown is at least as near to the typed text as the person asked for."""

    def apart(other: str) -> int:
        left, right = (" ".join(sorted(name_words(text))) for text in (typed, other))
        return OSA.distance(left, right)

    return all(apart(other) <= apart(name) for other in shown)


def measured(asked: list[tuple[object, str]], ask: Callable[[object], list[tuple[str, str]]]) -> str:
    """Return percentiles and the share of right answers; an answer is (id, name) pairs, best first."""
    times, worked, found, fair = [], [], 0, 0
    gc.disable()
    for query, (expected, name) in asked:  # type: ignore[misc]
        started, work = time.perf_counter(), time.thread_time()
        answer = ask(query)
        times.append((time.perf_counter() - started) * 1000)
        worked.append((time.thread_time() - work) * 1000)
        hit = any(id_ == expected for id_, _ in answer[:20])
        found += hit
        fair += hit or (len(answer) >= 20 and as_close(str(query), name, [n for _, n in answer[:20]]))
    gc.enable()
    p50, p99, cpu = (sorted(t)[int(len(t) * at)] for t, at in ((times, 0.5), (times, 0.99), (worked, 0.99)))
    count = len(asked)
    return f"p50 {p50:7.2f}  p99 {p99:7.2f}  CPU p99 {cpu:7.2f}  found {found / count:6.1%}  or as close {fair / count:6.1%}"


def rows(patients: list) -> list[tuple[str, str]]:
    return [(patient.id, patient.name) for patient in patients]


def by_words(text: object) -> list[tuple[str, str]]:
    return rows(patient_search.by_words(str(text), 20))


def by_number(text: object) -> list[tuple[str, str]]:
    return rows(patient_search.found(str(text), 20))


def questions(people: list[Record], ids: list[str], count: int) -> Iterator[tuple[str, Callable, list]]:
    chance = random.Random(4)
    asked = chance.sample(list(zip(people, ids, strict=True)), count)
    names = [(r.written, (id_, r.written.name)) for r, id_ in asked]
    numbered = [(p, goal) for p, goal in names if p.nik]
    yield "NIK", by_number, [(p.nik, goal) for p, goal in numbered]
    yield (
        "NIK, a digit wrong", by_number,
        [(p.nik[:15] + str((int(p.nik[15]) + 5) % 10), goal) for p, goal in numbered],
    )  # fmt: skip
    yield "phone", by_number, [(p.phone, goal) for p, goal in names if p.phone]
    yield "name", by_words, [(p.name, goal) for p, goal in names]
    yield "name, one mistake", by_words, [(misspelt(chance, p.name), goal) for p, goal in names]
    yield (
        "name, one mistake + year", by_words,
        [(f"{misspelt(chance, p.name)} {p.birth_date[:4]}", goal) for p, goal in names],
    )  # fmt: skip
    yield (
        "name, one mistake + date", by_words,
        [(f"{misspelt(chance, p.name)} {'-'.join(reversed(p.birth_date.split('-')))}", goal) for p, goal in names],
    )  # fmt: skip
    anew = [
        (again(r, UNSEEN, chance, numbers=bool(i % 2)).written, (id_, "")) for i, (r, id_) in enumerate(asked)
    ]
    yield "duplicate check", lambda p: [(match.patient_id, "") for match in candidates.ranked(p)], anew


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--sizes", type=int, nargs="+", default=[10_000])
    options.add_argument("--queries", type=int, default=300)
    given = options.parse_args()
    for size in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            Clinic.open(Settings(home=Path(folder)))
            with connection():
                started = time.perf_counter()
                people = households(3, size)[:size]
                ids = fill(people)
                size_mb = sum(file.stat().st_size for file in Path(folder).glob("*.sqlite3*")) / 1e6
                print(
                    f"{size:,} patients: {size_mb:,.0f} MB, filled in {time.perf_counter() - started:.0f} s"
                )
                started = time.perf_counter()
                patient_search.sounds.refresh()
                seconds = time.perf_counter() - started
                print(
                    f"  first: {seconds * 1000:.0f} ms, {len(patient_search.sounds):,} different name parts"
                )
                for label, ask, asked in questions(people, ids, given.queries):
                    for query, _ in asked[:20]:
                        ask(query)
                    print(f"  {label:26} {measured(asked, ask)}")
            database.close()


if __name__ == "__main__":
    main()
