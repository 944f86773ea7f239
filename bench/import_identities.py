"""Counts who is joined, paired and left out when a list of many people with twins and namesakes is imported.

    python bench/import_identities.py [--people 20000] [--seed 11] [--town]

A fictitious list (`bench/people.py`, or the town of `bench/town.py`, which does not know the weights): households with twins; beside these, one person in a hundred gets a namesake
born on the same day at another house, and one in twenty is written a second time, as a careless clerk writes. The
truth is known, so that each joined row can be judged.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.people import UNSEEN, Record, again, households
from bench.town import build
from core.accounts.service import system_actor
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection
from core.imports import service as importing
from core.models import CandidatePair, Patient

NAMESAKES = 0.01  # of the people
WRITTEN_TWICE = 0.05
HEADING = (
    "No RM",
    "Nama",
    "JK",
    "Tgl Lahir",
    "NIK",
    "No BPJS",
    "No KK",
    "Nama Ibu",
    "No HP",
    "Alamat",
    "RT",
    "RW",
)
CARD_KNOWN = 0.7  # share of rows with a NIK


@dataclass(frozen=True)
class Found:
    """Outcome of one imported list.

    Attributes:
        outcomes: Outcome -> rows.
        joined_wrongly: Rows joined with another person's record.
        joined_rightly: Rows joined with the same person's record.
        left_out: Readable rows that are nobody's record.
        missed: Second records of a person that were neither joined nor paired.
        seconds: Time of the import.
    """

    outcomes: dict[str, int]
    joined_wrongly: list[int]
    joined_rightly: int
    left_out: list[int]
    missed: int
    seconds: float


def people_of(seed: int, count: int) -> list[Record]:
    """Return the rows of a list, in a drawn order."""
    chance = random.Random(seed)
    people = households(seed, count)
    last = max(record.person for record in people)
    chosen = chance.sample(people, int(count * NAMESAKES))
    hosts = [_of_another_house(one, people, chance) for one in chosen]
    namesakes = [
        replace(
            one,
            person=last + number,
            household=host.household,
            written=replace(
                host.written, name=one.written.name, sex=one.written.sex, birth_date=one.written.birth_date, nik=None,
                bpjs_number=None,
            ),
        )
        for number, (one, host) in enumerate(zip(chosen, hosts, strict=True), 1)
    ]  # fmt: skip
    twice = [again(record, UNSEEN, chance) for record in chance.sample(people, int(count * WRITTEN_TWICE))]
    rows = [*people, *namesakes, *twice]
    chance.shuffle(rows)
    return rows


def town_of(seed: int, count: int) -> list[Record]:
    """Return the file of a town as a list, in a drawn order, with a share of the people written a second time."""
    town = build(seed, count, int(count * WRITTEN_TWICE))
    rows = [Record(one.number, one.household, one.twin, one.filed) for one in town.residents]
    for arrival in town.known:
        assert arrival.known is not None
        rows.append(replace(rows[arrival.known], written=arrival.typed))
    random.Random(seed).shuffle(rows)
    return rows


def _of_another_house(one: Record, people: list[Record], chance: random.Random) -> Record:
    while (host := chance.choice(people)).household == one.household:
        pass
    return host


def write_list(file: Path, rows: list[Record], seed: int, card_known: float = CARD_KNOWN) -> None:
    """Write the rows as a clinic exports them.

    Args:
        file: The list.
        rows: Its rows.
        seed: Of what is left out.
        card_known: Share of rows with a NIK, of those that have one.
    """
    chance = random.Random(seed + 1)
    with file.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, delimiter=";")
        writer.writerow(HEADING)
        for number, record in enumerate(rows, 1):
            person = record.written
            year, month, day = person.birth_date.split("-")
            nik = (person.nik or "") if chance.random() < card_known else ""
            writer.writerow(
                (
                    number, person.name, "L" if person.sex == "male" else "P", f"{day}-{month}-{year}", nik,
                    person.bpjs_number or "", person.family_card_number or "", person.mother_name, person.phone,
                    person.address, person.rt, person.rw,
                )
            )  # fmt: skip


def judge(rows: list[Record], home: Path, file: Path) -> Found:
    """Import the list and compare each row's outcome with the truth."""
    clinic = Clinic.open(Settings(home=home))
    with connection():
        started = time.perf_counter()
        report = importing.run(clinic, system_actor("bench"), file, dry_run=False)
        seconds = time.perf_counter() - started
        numbers = dict(Patient.select(Patient.id, Patient.medical_record_number).tuples())
        pairs = [
            {numbers[low], numbers[high]}
            for low, high in CandidatePair.select(CandidatePair.low_id, CandidatePair.high_id).tuples()
        ]
    with Path(report.file).open(newline="", encoding="utf-8") as lines:
        done = list(csv.DictReader(lines))
    owner: dict[str, int] = {}
    for row, record in zip(done, rows, strict=True):
        if row["outcome"] in {"taken", "paired"}:
            owner[row["medical_record_number"]] = record.person
    merged = [
        (number, owner[row["medical_record_number"]] == record.person)
        for number, (row, record) in enumerate(zip(done, rows, strict=True))
        if row["outcome"] == "merged"
    ]
    records = Counter(owner.values())
    paired = Counter(
        next(iter(people)) for pair in pairs if len(people := {owner[number] for number in pair}) == 1
    )
    missed = sum(count - 1 for person, count in records.items() if count > 1 and not paired[person])
    left_out = [number for number, row in enumerate(done) if row["outcome"] == "set_aside"]
    wrongly = [number for number, is_right in merged if not is_right]
    return Found(dict(report.outcomes), wrongly, len(merged) - len(wrongly), left_out, missed, seconds)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--people", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=11)
    options.add_argument("--town", action="store_true", help="the town of bench/town.py")
    options.add_argument("--show", action="store_true", help="show the rows that went wrong")
    given = options.parse_args()
    rows = (town_of if given.town else people_of)(given.seed, given.people)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "list.csv"
        write_list(file, rows, given.seed, 1.0 if given.town else CARD_KNOWN)
        found = judge(rows, Path(folder) / "home", file)
        lines = file.read_text(encoding="utf-8").splitlines()
        report = Path(f"{file}.report.csv").read_text(encoding="utf-8").splitlines()
    print(f"{len(rows):,} rows in {found.seconds:.0f} s: {found.outcomes}")
    print(f"joined rightly {found.joined_rightly}, joined wrongly {len(found.joined_wrongly)}")
    print(
        f"readable and left out {len(found.left_out)}, written twice and neither joined nor paired {found.missed}"
    )
    for number in [*found.joined_wrongly, *found.left_out] if given.show else []:
        print(report[number + 1], lines[number + 1], sep="\n  ")


if __name__ == "__main__":
    main()
