"""How many keys does a returning patient cost, from arrival to the end of the visit?

Drives the real screens against a real server with keys only, and counts them step by step. Words
that say something (the number on the card, a complaint) are counted apart: what is promised is about the keys
beside them. Exit code 1 when a step takes more than promised.

    python -m bench.keystrokes
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from core.config import Settings
from server.run import Background
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import screen_text
from tui.app import LoketApp
from tui.screens.record.record import RecordScreen
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.search import SearchScreen
from tui.screens.work import WorkScreen

COMPLAINT = "sakit gigi geraham"


@dataclass
class Step:
    """What somebody does without looking up.

    Attributes:
        most: Keys promised at most, words not counted; None where nothing is promised.
    """

    name: str
    most: int | None
    keys: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def keeps_promise(self) -> bool:
        """Whether it takes no more keys than promised."""
        return self.most is None or len(self.keys) <= self.most


class Hands:
    """Somebody's hands at one terminal: every key is counted."""

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
        """Wait for what the next key needs."""
        await until(self.pilot, condition, what)


async def count(counter: Counter) -> list[Step]:
    """Live through one visit."""
    with counter.api() as api:
        grown_up = [person for person in api.get("patients").json() if 18 <= person["age"] < 60]
    person = grown_up[0]
    register = Step("register a returning patient", 12)
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


def main() -> int:
    with tempfile.TemporaryDirectory() as home, Background(Settings(home=Path(home))) as server:
        steps = asyncio.run(count(Counter(server)))
    print(f"{'step':<30} {'keys':>5} {'promised':>9}  which; words typed")
    for step in steps:
        promised = "-" if step.most is None else str(step.most)
        mark = "" if step.keeps_promise else "  TOO MANY"
        words = f"; {' / '.join(step.words)}" if step.words else ""
        print(f"{step.name:<30} {len(step.keys):>5} {promised:>9}  {' '.join(step.keys)}{words}{mark}")
    print(f"{'in all':<30} {sum(len(step.keys) for step in steps):>5}")
    return 0 if all(step.keeps_promise for step in steps) else 1


if __name__ == "__main__":
    sys.exit(main())
