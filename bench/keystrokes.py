"""Counts the keys of a returning patient's visit from arrival to the end, and of new patients' registrations.

Drives the real screens against a real server with keys only, and counts them step by step. Words
that carry content (the number on the card, a complaint) are counted apart: the promise is about the other
keys. Exit code 1 when a step takes more than promised.

    python -m bench.keystrokes
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from core.foundation.codes import Sex
from core.foundation.config import Settings
from core.patients.national_ids import compose_nik
from server.run import Background
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import screen_text
from tui.app import LoketApp
from tui.screens import stray_keys
from tui.screens.record.record import RecordScreen
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.search import SearchScreen
from tui.screens.work import WorkScreen

COMPLAINT = "sakit gigi geraham"


@dataclass
class Step:
    """One step done without looking up.

    Attributes:
        most: Keys promised at most, words not counted; None where nothing is promised.
    """

    name: str
    most: int | None
    keys: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def keeps_promise(self) -> bool:
        """Return whether the step takes no more keys than promised."""
        return self.most is None or len(self.keys) <= self.most


class Hands:
    """Types at one terminal and counts every key."""

    def __init__(self, app: LoketApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    async def press(self, step: Step, *keys: str) -> None:
        """Press keys."""
        step.keys += keys
        await press(self.pilot, *keys)

    async def write(self, step: Step, text: str) -> None:
        """Type words."""
        step.words.append(text)
        await type_text(self.pilot, text)
        await settle(self.pilot)

    async def sees(self, condition: Callable[[], Any], what: str) -> None:
        """Wait for the state that the next key needs."""
        await until(self.pilot, condition, what)


NEW_PROMISE = 60
"""Keys at most for a new patient with a NIK, beyond the words."""
EVERYTHING = {
    "bpjs_number": "0001998877665", "family_card_number": "6371010101150003", "mother_name": "Siti Rusmini",
    "phone": "081255667788", "address": "Jl. Mawar 5", "rt": "3", "rw": "2",
}  # fmt: skip
"""Fields of a card and a family card beside NIK and name."""


async def _begin(hands: Hands, step: Step, born: date, serial: int, name: str) -> None:
    """Search a NIK that nobody has, and begin a new patient with it: birth date and sex come from it."""
    await hands.write(step, compose_nik("637101", born, Sex.FEMALE, serial))
    await hands.press(step, "enter", "f2")
    await hands.write(step, name)


async def _save(hands: Hands, step: Step) -> None:
    await hands.press(step, "f4")
    await hands.write(step, COMPLAINT)
    await hands.press(step, "f10", "enter")
    await hands.sees(lambda: isinstance(hands.app.screen, ReceiptScreen), "the receipt")


async def count_new(counter: Counter) -> list[Step]:
    """Register new patients and count the keys."""
    needed = Step("new, NIK, what is needed", NEW_PROMISE)
    full = Step("new, NIK, everything", NEW_PROMISE)
    village = Step("the same, with kelurahan", NEW_PROMISE)
    newborn = Step("newborn, mother by F8", NEW_PROMISE)
    async with counter.at("clerk") as (app, pilot):
        hands = Hands(app, pilot)
        await _begin(hands, needed, date(1991, 4, 7), 4711, "Ratih Purwasih")
        await _save(hands, needed)
        await pilot.press("enter")
        for step, born, name in (
            (full, date(1987, 9, 21), "Endang Susilowati"),
            (village, date(1979, 2, 13), "Murniati Lestari"),
        ):
            await settle(pilot)
            await _begin(hands, step, born, 815, name)
            await hands.press(step, "enter", "enter", "enter")  # birth date and sex are there
            for field, words in EVERYTHING.items():
                assert app.focused is not None
                assert app.focused.id == field
                words = words if step is full else _another(words)
                await hands.write(step, words)
                await hands.press(step, "enter")
            if step is village:
                await hands.press(step, "f6")
                await hands.write(step, "pek")
                await hands.press(step, "enter")
            await _save(hands, step)
            await pilot.press("enter")
        await settle(pilot)
        await hands.press(newborn, "f2", "f8")
        await hands.write(newborn, "murniati")
        await hands.press(newborn, "enter")
        app.screen.query_one("#birth_date").focus()
        newborn.keys += ["enter"] * 3
        await settle(pilot)
        await hands.write(newborn, f"{counter.clinic.today():%d%m%Y}")
        await hands.press(newborn, "enter", "f", "f4")
        await hands.write(newborn, "bayi muntah")
        await hands.press(newborn, "f10", "enter")
        await hands.sees(lambda: isinstance(app.screen, ReceiptScreen), "the receipt")
    return [needed, full, village, newborn]


def _another(words: str) -> str:
    """Return other words of the same length: one household's are another's duplicates."""
    return words[:-1] + str((int(words[-1]) + 4) % 10) if words[-1].isdigit() else f"{words} B"


async def count(counter: Counter) -> list[Step]:
    """Play one visit and count its keys."""
    with counter.api() as api:
        grown_up = [person for person in api.get("patients").json() if 18 <= person["age"] < 60]
    person = grown_up[0]
    register = Step("register a returning patient", 3)
    again = Step("back to the search box", None)
    call = Step("call and open", 2)
    finish = Step("end the visit", 2)
    async with counter.at("clerk") as (app, pilot):
        hands = Hands(app, pilot)
        await hands.write(register, person["medical_record_number"])
        await hands.press(register, "enter")
        await hands.sees(lambda: not isinstance(app.screen, SearchScreen), "the visit's form")
        await hands.write(register, COMPLAINT)
        await hands.press(register, "f10", "enter")
        await hands.sees(lambda: isinstance(app.screen, ReceiptScreen), "the receipt")
        await hands.press(again, "enter")
        await hands.sees(lambda: isinstance(app.screen, SearchScreen), "the search box")
    with counter.api(
        "dentist"
    ) as api:  # a visit with note and diagnosis; without them its end is asked about
        (entry,) = api.get("queues/GIGI").json()["entries"]
        visit = f"visits/{entry['visit_id']}"
        api.put(f"{visit}/encounter", json={"subjective": COMPLAINT}).raise_for_status()
        api.post(f"{visit}/diagnoses", json={"code": "K02.9"}).raise_for_status()
    async with counter.at("dentist") as (app, pilot):
        hands = Hands(app, pilot)
        await hands.sees(lambda: app.screen.pane.entries, "the patient in the pane")  # type: ignore[attr-defined]
        await hands.press(call, "n", "enter")
        await hands.sees(lambda: isinstance(app.screen, RecordScreen), "the record")
        await hands.sees(lambda: person["name"] in screen_text(app), "whose record it is")
        await hands.press(finish, "f10", "p")
        await hands.sees(lambda: isinstance(app.screen, WorkScreen), "the queue again")
    with counter.api("dentist") as api:
        ended = [entry for entry in api.get("queues/GIGI").json()["entries"] if entry["status"] == "done"]
    assert len(ended) == 1, "the visit did not end"
    return [register, again, call, finish]


async def _count_all(counter: Counter) -> list[Step]:
    return [*await count(counter), *await count_new(counter)]


def main() -> int:
    stray_keys.QUIET_SECONDS = stray_keys.TYPING_SECONDS = 0.0  # the program is faster than any hand
    with tempfile.TemporaryDirectory() as home, Background(Settings(home=Path(home))) as server:
        steps = asyncio.run(_count_all(Counter(server)))
    print(f"{'step':<30} {'keys':>5} {'promised':>9}  which; words typed")
    for step in steps:
        promised = "-" if step.most is None else str(step.most)
        mark = "" if step.keeps_promise else "  TOO MANY"
        words = f"; {' / '.join(step.words)}" if step.words else ""
        print(f"{step.name:<30} {len(step.keys):>5} {promised:>9}  {' '.join(step.keys)}{words}{mark}")
    return 0 if all(step.keeps_promise for step in steps) else 1


if __name__ == "__main__":
    sys.exit(main())
