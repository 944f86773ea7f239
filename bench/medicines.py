"""Prints how typed names of medicines are read, and whether an allergy ever passes in silence.

The names and pairs were written by somebody who saw only the list of medicines:
`tests/core/orders/medicine_names.csv` and `allergy_pairs.csv`.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from core.orders.medicines import clashes, read_medicine, unchecked

CASES = Path(__file__).parents[1] / "tests" / "core" / "orders"


def read_name(typed: str, expected: str) -> str:
    """Return how a name was read: `found`, `unread`, or `wrong`.

    Args:
        typed: As typed.
        expected: Its ingredients, joined by `+`; empty for what is no known medicine.
    """
    reading = read_medicine(typed)
    if not reading.is_read:
        return "unread"
    return "found" if reading.ingredients == frozenset(expected.split("+")) else "wrong"


def judge_pair(allergy: str, medicine: str) -> str:
    """Return what is said of a medicine against an allergy: `clash`, `unread`, or `clear`."""
    if clashes(medicine, [allergy]):
        return "clash"
    return "unread" if unchecked(medicine, [allergy]) else "clear"


def cases(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of cases."""
    with (CASES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Print names found, said to be unread and wrong; pairs right and silently passed; each miss."""
    names = Counter[str]()
    for row in cases("medicine_names.csv"):
        said = read_name(row["typed"], row["ingredients"])
        names[said] += 1
        if said == "wrong" or (said == "unread" and row["ingredients"]):
            print(f"  {said}: {row['typed']} -> {sorted(read_medicine(row['typed']).ingredients)}")
    pairs = Counter[str]()
    for row in cases("allergy_pairs.csv"):
        said = judge_pair(row["allergy"], row["medicine"])
        pairs["right" if said == row["expected"] else "other"] += 1
        pairs["silently passed"] += said == "clear" != row["expected"]
        if said != row["expected"]:
            print(f"  {row['allergy']} x {row['medicine']}: {said}, expected {row['expected']}")
    print(
        f"names: {names['found']} found, {names['unread']} said to be unread, {names['wrong']} silently wrong"
    )
    print(
        f"pairs: {pairs['right']} of {pairs.total() - pairs['silently passed']} right, "
        f"{pairs['silently passed']} silently passed"
    )


if __name__ == "__main__":
    main()
