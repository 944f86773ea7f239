"""Imports twelve lists in the shapes of neighbouring systems and prints what came of their rows.

    python bench/neighbour_lists.py

The lists and what is right for each row stand in `tests/core/imports/neighbour_lists.py`. A row is wrong when it ended
otherwise, or when a value stored is not the right one.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from core.accounts.service import system_actor
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.imports import service as importing
from core.models import Patient
from tests.core.imports.neighbour_lists import LISTS, NeighbourList, Right

NOW = datetime(2026, 11, 2, 2, tzinfo=UTC)


def is_right(row: dict[str, str], right: Right) -> bool:
    """Return whether a row of the report, and the patient it became, are as they should be."""
    if row["outcome"] != right.outcome or (right.why and right.why not in row["reasons"].split("; ")):
        return False
    if not right.stored:
        return True
    patient = Patient.get(Patient.medical_record_number == row["medical_record_number"])
    return all(getattr(patient, name) == value for name, value in right.stored.items())


def outcome_of(neighbour: NeighbourList, folder: Path) -> tuple[Counter[str], list[str], int]:
    """Return rows by outcome, the reasons of those set aside, and the number of wrong rows."""
    clinic = Clinic.open(Settings(home=folder / "home"))
    with connection():
        report = importing.run(clinic, system_actor("bench"), neighbour.write(folder), dry_run=False)
        with Path(report.file).open(newline="", encoding="utf-8") as lines:
            done = list(csv.DictReader(lines))
        wrong = sum(not is_right(row, right) for row, right in zip(done, neighbour.right, strict=True))
    database.close()
    why = [row["reasons"].split("; ")[-1] for row in done if row["outcome"] == "set_aside"]
    return report.outcomes, why, wrong


def main() -> None:
    print(f"{'system':52} rows taken paired aside wrong  why set aside")
    total = 0
    with clock.frozen(lambda: NOW):
        for neighbour in LISTS:
            with tempfile.TemporaryDirectory() as folder:
                outcomes, why, wrong = outcome_of(neighbour, Path(folder))
            total += wrong
            print(
                f"{neighbour.system:52} {sum(outcomes.values()):4} {outcomes['taken']:5} {outcomes['paired']:6}"
                f" {outcomes['set_aside']:5} {wrong:5}  {', '.join(why)}"
            )
    print(f"rows that ended wrongly: {total}")


if __name__ == "__main__":
    main()
