"""Checks that keys arriving in a burst, as from a slow line or a scanner, end where they were meant.

Types whole registrations of new patients ahead, through real SSH on the real counter: as one packet, and with
gaps of 1 ms and 5 ms between keys; then lets a scanner send numbers into the search box. Reads each patient
back from the core and compares every field. Prints how many were right; the exit code says whether all were.

    python -m bench.typed_ahead [--rounds 200] [--quick]
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.counter.clinic import Clinic, prepared_home
from bench.counter.link import Link, enter_own_network
from tests.e2e.scripted import COMPLAINT, all_keys, registration
from tests.e2e.terminals import Terminal, single_keys
from tests.people import Caller

GAPS_SECONDS = {"one packet": 0.0, "1 ms between keys": 0.001, "5 ms between keys": 0.005}
SCANS = 20
CONSONANTS, VOWELS = "bdghjklmnprstw", "aiu"


@dataclass(frozen=True)
class Person:
    """A fictitious person, unlike all others, with the values for the form's fields."""

    name: str
    nik: str
    fields: dict[str, str]

    def keys(self) -> str:
        """Return all keys from the search box to the receipt, as `Terminal.press` takes them."""
        keys = all_keys(registration(self.name, self.nik))
        for typed, field in TYPED.items():
            assert typed in keys
            keys = keys.replace(typed, self.fields[field])
        return keys


TYPED = {
    "0001234567890": "bpjs_number",
    "6371010101120007": "family_card_number",
    "Aminah": "mother_name",
    "081234567890": "phone",
    "Jl. Veteran No. 12": "address",
}
"""Text of the scripted registration -> the field it goes into."""


def person_of(number: int) -> Person:
    chance = random.Random(number)

    def word() -> str:
        return "".join(chance.choice(CONSONANTS) + chance.choice(VOWELS) for _ in range(3)).title()

    born = date(1955, 1, 1) + timedelta(days=chance.randrange(40 * 365))
    return Person(
        name=f"{word()} {word()}",
        nik=f"637101{born.day + 40:02}{born:%m%y}{1000 + number:04}",
        fields={
            "bpjs_number": f"{chance.randrange(10**12, 10**13)}",
            "family_card_number": f"637101{chance.randrange(1, 29):02}0112{chance.randrange(1, 9999):04}",
            "mother_name": word(),
            "phone": f"08{chance.randrange(10**9, 10**10)}",
            "address": f"Jl. {word()} No. {chance.randrange(1, 99)}",
            "rt": "004",
            "rw": "011",
            "birth_date": born.isoformat(),
            "sex": "female",
        },
    )


def wrong_fields(clerk: Caller, number: int, ticket: str) -> list[str]:
    """Return the fields of a registered patient that differ from the typed ones."""
    person = person_of(number)
    found: list[dict[str, Any]] = clerk.get("patients", params={"q": person.nik}).json()
    patient = next((one for one in found if one["nik"] == person.nik), None)
    if patient is None:
        return ["not registered"]
    wanted = {**person.fields, "name": person.name}
    wrong = [field for field, value in wanted.items() if patient.get(field) != value]
    entries = clerk.get("queues/GIGI").json()["entries"]
    own = [entry for entry in entries if entry["patient"]["name"] == person.name]
    if len(own) != 1 or own[0]["chief_complaint"] != COMPLAINT or own[0]["number"] not in ticket:
        wrong.append("ticket")
    return wrong


def register_ahead(person: Terminal, number: int, gap_seconds: float) -> str:
    """Type everything from the search box to the receipt without looking; return the receipt's screen."""
    name, keys = person_of(number).name, person_of(number).keys()
    if gap_seconds:
        for key in single_keys(keys):
            person.press_all([key])
            time.sleep(gap_seconds)
    else:
        person.press(keys)
    person.wait_until(lambda: "Saved. Enter" in person.text or "Perhaps known" in person.text, "a receipt")
    if "Perhaps known" in person.text:
        raise RuntimeError(f"{name} was taken for somebody else; choose other names")
    screen = person.text
    person.press("<Enter>")
    person.wait_for("Search", name)
    return screen


def main(rounds: int) -> bool:
    enter_own_network()
    Link().start()
    prepared = prepared_home()
    table = Table(title=f"{rounds} registrations typed ahead, {SCANS} scans, through real SSH")
    for title in ("how", "times", "all fields right"):
        table.add_column(title, justify="left" if title == "how" else "right")
    all_right = True
    try:
        with Clinic(prepared) as clinic, clinic.caller("clerk") as clerk, clinic.sign_in("clerk") as person:
            person.wait_for("Search", "Last patients")
            right = dict.fromkeys(GAPS_SECONDS, 0)
            for number in range(rounds):
                how = list(GAPS_SECONDS)[number % len(GAPS_SECONDS)]
                wrong = wrong_fields(clerk, number, register_ahead(person, number, GAPS_SECONDS[how]))
                right[how] += not wrong
                if wrong:
                    print(f"{number}, {how}: {', '.join(wrong)}", file=sys.stderr)
            for index, how in enumerate(GAPS_SECONDS):
                times = len(range(index, rounds, len(GAPS_SECONDS)))
                table.add_row(how, str(times), str(right[how]))
                all_right &= right[how] == times
            opened = sum(scan(person, number) for number in range(min(SCANS, rounds)))
            table.add_row(
                "scanner into the search box, complaint behind it", str(min(SCANS, rounds)), str(opened)
            )
            all_right &= opened == min(SCANS, rounds)
    finally:
        shutil.rmtree(prepared.parent)
    Console().print(table)
    return all_right


def scan(person: Terminal, number: int) -> bool:
    """Send a scanner's burst with Enter and a complaint behind it; return whether both arrived."""
    name = person_of(number).name
    person.press(f"{person_of(number).nik}<Enter>batuk {number}")
    person.wait_for("Visit", name, f"batuk {number}")
    shown = f"Complaint   |batuk {number}" in person.text and name in person.text
    person.press("<Esc>")
    person.wait_for("Search")
    person.wait_without("Payer")
    return shown


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="6 rounds")
    given = parser.parse_args()
    sys.exit(0 if main(6 if given.quick else given.rounds) else 1)
