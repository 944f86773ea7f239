"""One person's work, step by step, and the cost of each step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.counter.link import Link, Reading
from tests.e2e.scripted import all_keys, registration
from tests.e2e.terminals import Terminal, single_keys

QUIET_SECONDS = 0.25  # without a packet: the step is over; shorter than the form's wait before it asks
SETTLED_SECONDS = 0.8  # the same where the core is asked in between
KEY_SECONDS = 0.06  # seconds between two keys of a registration
FIRST, WHOLE = "connect and first screen", "a whole registration"
LETTERS = "Siti Rahmawati Kusum"

Happening = str | Callable[[], object]


@dataclass(frozen=True)
class Cost:
    """The cost of one step.

    Attributes:
        app: Bytes the program sent to the terminal.
        line: What passed on the line meanwhile.
        count: How many times it was done.
    """

    app: int
    line: Reading
    count: int


@dataclass
class Person:
    """A person at a terminal.

    Attributes:
        screens: What stood on the screen at the start and after each key or happening; None: not wanted.
        any_key: Pressed instead of each key and happening, at a program that only shows one screen after
            the other.
        costs: What was measured, by name.
    """

    terminal: Terminal
    link: Link
    port: int
    began: Reading
    screens: list[dict[str, Any]] | None = None
    any_key: str = ""
    costs: dict[str, Cost] = field(default_factory=dict)

    def settle(self, seconds: float = SETTLED_SECONDS) -> None:
        """Wait until nothing has passed for so many seconds."""
        last = None
        while last != (last := (self.terminal.received, self.link.read(self.port))):
            time.sleep(seconds)

    def keep_screen(self) -> None:
        """Remember the text on the screen."""
        if self.screens is not None:
            self.screens.append(self.terminal.cells())

    def do(self, happening: Happening, seconds: float = SETTLED_SECONDS) -> None:
        """Press a key, or make a change elsewhere, and wait until the screen is still."""
        if self.any_key or isinstance(happening, str):
            self.terminal.press(self.any_key or str(happening))
        else:
            happening()
        self.settle(seconds)
        self.keep_screen()

    def measure(self, name: str, *happenings: Happening, seconds: float = SETTLED_SECONDS) -> None:
        """Measure the cost of several steps done one after the other."""
        app, line = self.terminal.received, self.link.read(self.port)
        for happening in happenings:
            self.do(happening, seconds)
        self.note(name, app, line, len(happenings))

    def note(self, name: str, app: int, line: Reading, count: int = 1) -> None:
        """Store the cost of a step.

        Args:
            name: The step.
            app: Reading of the program's output before it.
            line: Reading of the line before it.
            count: Number of equal steps in it.
        """
        self.costs[name] = Cost(self.terminal.received - app, self.link.read(self.port) - line, count)

    def type_on(self, keys: str) -> None:
        """Type fluently, then wait until the screen is still."""
        for key in single_keys(keys):
            self.terminal.press(self.any_key or key)
            time.sleep(KEY_SECONDS)
            self.keep_screen()
        self.settle()
        if self.screens:
            self.screens[-1] = self.terminal.cells()


def play(person: Person, pane: dict[str, list[Happening]], idle_seconds: float) -> None:
    """Do all steps, in an order in which each leads to the next.

    Args:
        person: At the search screen, which has just been shown.
        pane: What happens to the dental pane meanwhile, by the name of its line.
        idle_seconds: How long to do nothing.
    """
    steps = registration()
    dialog = next(number for number, step in enumerate(steps) if step.name == "confirmation")
    person.settle()
    person.keep_screen()
    person.note(FIRST, 0, person.began)
    person.measure("screen switched: form", "<F2>")
    person.do("<Tab>")
    person.do("<Tab>")
    person.measure("a letter", *LETTERS, seconds=QUIET_SECONDS)
    person.do("<Home>")
    person.measure("a letter in mid-field", *"xyz", seconds=QUIET_SECONDS)
    person.measure("backspace", *["<Backspace>"] * 3, seconds=QUIET_SECONDS)
    person.settle()
    person.measure("next field", *["<Tab>"] * 3)
    person.do("<Esc>")
    person.type_on(all_keys(steps[:dialog]))
    person.measure("dialog opened", "<F10>")
    person.measure("dialog closed", "<Esc>")
    person.do("<Esc>")
    person.do("<F3>")
    person.do("b")
    for name, happenings in pane.items():
        person.measure(name, *happenings)
    person.measure("screen switched: search", "<F2>")
    person.measure("screen switched: queues", "<F3>")
    person.do("<F2>")
    app, line = person.terminal.received, person.link.read(person.port)
    time.sleep(idle_seconds)
    person.note(f"{idle_seconds:.0f} s idle", app, line)
    register(person)


def register(person: Person) -> None:
    """Register a new patient from the search box to the receipt, everything typed."""
    steps = registration()
    app, line = person.terminal.received, person.link.read(person.port)
    person.type_on(all_keys(steps[:-2]))
    person.do("<F10>")
    person.do("<Enter>")
    person.note(WHOLE, app, line)
