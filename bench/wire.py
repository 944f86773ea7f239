# ruff: noqa: D102
"""What an interaction costs on the wire.

The same small counter (a form of ten fields, a dialog, a screen of queues) is served through a real SSH
connection by Loket's driver and by Textual's own way of writing, and, as a yardstick, drawn by ncurses on a
pseudo-terminal. Columns: bytes the app sends to the terminal, and bytes of the TCP stream down, with and
without `ssh -C`.

    python bench/wire.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import functools
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from rich.console import Console
from rich.table import Table
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import Button, Footer, Input, Label, Static

from tests.terminal.conftest import until
from tests.terminal.door import Client, client, open_door
from tests.terminal.proxy import Relay, relay
from tui.terminal.driver import ThinDriver
from tui.terminal.inputs import ThinInput

FIELDS = [
    "NIK",
    "Name",
    "Born",
    "Mother",
    "Street",
    "Village",
    "Phone",
    "Complaint",
    "Payer",
    "Remark",
]
VALUES = [
    "6371015507900003",
    "Siti Rahmawati",
    "15-07-1990",
    "Aminah",
    "Jl. Veteran 12",
    "Sungai Bilu",
    "0811000000",
    "demam tiga hari",
    "BPJS",
    "kontrol",
]
QUIET_SECONDS = 0.15  # without a byte: the interaction is over
LETTERS = 20


class Confirm(ModalScreen[bool]):
    """The dialog."""

    BINDINGS = [("escape", "dismiss(False)", "Back")]
    CSS = """
    Confirm { align: center middle; background: transparent; }
    Confirm Vertical { width: 44; height: 9; border: ascii ansi_default; }
    Confirm Label { width: 100%; }
    """

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label("Siti Rahmawati, 36 years")
            yield Label("demam tiga hari -> Poli Umum")
            yield Label("")
            yield Button("Save", id="save", compact=True)

    def on_button_pressed(self) -> None:
        self.dismiss(True)


class Queues(Screen[None]):
    """The screen of queues: one list at full width."""

    BINDINGS = [("f5", "add", "Add"), ("f6", "remove", "Remove"), ("f7", "cell", "Cell")]

    def __init__(self) -> None:
        super().__init__()
        self.first, self.next = 1, 13
        self.minutes = 7

    def compose(self) -> ComposeResult:
        yield Static("Poli Umum", id="title")
        yield Static("", id="rows")
        yield from self.app.foot()  # type: ignore[attr-defined]

    def on_mount(self) -> None:
        self.show()

    def show(self) -> None:
        rows = [
            f"A{n:03}   patient number {n:<4} {'F' if n % 2 else 'M'}   waits {n * 3 % 40} min"
            for n in range(self.first, self.next)
        ]
        rows[0] = rows[0].replace("waits", f"waits {self.minutes}:")
        self.query_one("#rows", Static).update("\n".join(rows))

    def action_add(self) -> None:
        self.next += 1
        self.show()

    def action_remove(self) -> None:
        self.first += 1
        self.show()

    def action_cell(self) -> None:
        self.minutes += 1
        self.show()


class Counter(App[None]):
    """The form."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Label { width: 14; } Horizontal { height: 1; } Input { width: 30; } #rows { height: 20; }"
    BINDINGS = [
        ("f2", "save", "Save"),
        ("f3", "queues", "Queues"),
        ("f4", "form", "Form"),
        ("f10", "quit", "Quit"),
    ]
    THEME = "ansi-dark"
    field: Callable[..., Input] = ThinInput

    def on_mount(self) -> None:
        self.theme = self.THEME

    def foot(self) -> ComposeResult:
        yield Static("F2 Save  F3 Queues  F4 Form  F10 Quit", id="foot")

    def compose(self) -> ComposeResult:
        yield Static("Registration")
        for name in FIELDS:
            with Horizontal():
                yield Label(name)
                yield type(self).field(id=name.lower(), compact=True)
        yield from self.foot()
        self.install_screen(Queues(), "queues")

    def action_save(self) -> None:
        def answered(agreed: bool | None) -> None:
            if agreed:
                for field in self.query(Input):
                    field.value = ""
                self.query(Input).first().focus()

        self.push_screen(Confirm(), answered)

    def action_queues(self) -> None:
        self.push_screen("queues")

    def action_form(self) -> None:
        self.pop_screen()


class PlainDriver(ThinDriver):
    """Sends what Textual writes as it is, with the modes its own driver asks for."""

    def write(self, data: str) -> None:
        sink = self.terminal._sink
        if sink is not None:
            sink.write(data.encode())
        self.terminal.painted.set()

    def flush(self) -> None:
        """Nothing is held back."""

    def start_application_mode(self) -> None:
        self.write("\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[?2026$p")
        super().start_application_mode()


class PlainCounter(Counter):
    """The same app, on Textual's own way of writing."""

    @property
    def driver_class(self) -> Any:
        return self._own_driver

    @driver_class.setter
    def driver_class(self, value: Any) -> None:
        self._own_driver = value
        if isinstance(value, functools.partial):
            self._own_driver = functools.partial(PlainDriver, terminal=value.keywords["terminal"])


class StockCounter(PlainCounter):
    """As most people would write it: stock fields, stock theme, Footer."""

    THEME = "textual-dark"
    field = Input

    def foot(self) -> ComposeResult:
        yield Footer()


class Meter:
    """Counts what an action brings down."""

    def __init__(self, person: Client, line: Relay) -> None:
        self.person, self.line = person, line
        self.rows: dict[str, tuple[float, float]] = {}

    async def quiet(self) -> None:
        last = -1
        while last != self.line.down:
            last = self.line.down
            await asyncio.sleep(QUIET_SECONDS)

    async def measure(self, name: str, *keys: str) -> None:
        app, wire = len(self.person.received), self.line.down
        for key in keys:
            self.person.type(key)
            await self.quiet()
        count = max(1, len(keys))
        self.rows[name] = (len(self.person.received) - app) / count, (self.line.down - wire) / count


async def measure(
    app: type[App[None]], compressed: bool, idle_seconds: float
) -> dict[str, tuple[float, float]]:
    compression = ["zlib@openssh.com"] if compressed else ["none"]
    with tempfile.TemporaryDirectory() as home:
        async with open_door(Path(home), make=app) as opened, relay(opened.door.port) as line:
            options = {"port": line.port, "compression_algs": compression, "term": "xterm-256color"}
            async with client(opened, **options) as person:
                meter = Meter(person, line)
                await until(lambda: "Registration" in person.emulator.text())
                await meter.quiet()
                meter.rows["connect and first paint"] = len(person.received), line.down
                await interactions(meter, idle_seconds)
                person.cut()
            rows = meter.rows
            if app is Counter:
                await until(lambda: opened.door.seats.detached)
                down = line.down
                async with client(opened, **options) as person:
                    again = Meter(person, line)
                    await until(lambda: "Registration" in person.emulator.text())
                    await again.quiet()
                    rows["coming back"] = len(person.received), line.down - down
            return rows


async def interactions(meter: Meter, idle_seconds: float) -> None:
    await meter.measure("letter", *"Siti Rahmawati Kusumaningrum"[:LETTERS])
    meter.person.type("\x1b[H")
    await meter.quiet()
    await meter.measure("letter in mid-field", *"xyz")
    await meter.measure("backspace in mid-field", *("\x7f" * 3))
    await meter.measure("next field", *("\t" * 3))
    await meter.measure("dialog opened", "\x1bOQ")
    await meter.measure("dialog closed", "\x1b")
    await meter.measure("queues, first time", "\x1bOR")
    await meter.measure("queue row added", "\x1b[15~", "\x1b[15~")
    await meter.measure("top row removed", "\x1b[17~", "\x1b[17~")
    await meter.measure("one cell changed", "\x1b[18~")
    await meter.measure("form again", "\x1bOS")
    await meter.measure("queues again", "\x1bOR")
    meter.person.type("\x1bOS")
    await meter.quiet()
    app, wire = len(meter.person.received), meter.line.down
    await asyncio.sleep(idle_seconds)
    meter.rows[f"{idle_seconds:.0f} s idle"] = len(meter.person.received) - app, meter.line.down - wire
    meter.person.type("\x1bOQ\r")
    await meter.quiet()
    app, wire = len(meter.person.received), meter.line.down
    for number, value in enumerate(VALUES):
        for key in ("\t" if number else "") + value:
            meter.person.type(key)
            await asyncio.sleep(0.03)
    for key in ("\x1bOQ", "\r"):
        meter.person.type(key)
        await meter.quiet()
    name = f"a registration ({sum(map(len, VALUES))} letters)"
    meter.rows[name] = len(meter.person.received) - app, meter.line.down - wire


CURSES = """
import curses
FIELDS, VALUES = {fields!r}, None
def main(w):
    curses.curs_set(1)
    values = ["" for _ in FIELDS]; at = 0; place = 0; mode = "form"
    first, last, minutes = 1, 13, 7
    def form():
        w.erase(); w.addstr(0, 0, "Registration")
        for n, name in enumerate(FIELDS):
            w.addstr(n + 1, 0, name); w.addstr(n + 1, 14, values[n].ljust(30), curses.A_UNDERLINE)
        w.addstr(11, 0, "F2 Save  F3 Queues  F4 Form  F10 Quit")
    def queues():
        w.erase(); w.addstr(0, 0, "Poli Umum")
        for row, n in enumerate(range(first, last)):
            text = f"A{{n:03}}   patient number {{n:<4}} {{'F' if n % 2 else 'M'}}   waits {{n * 3 % 40}} min"
            if row == 0: text = text.replace("waits", "waits %d:" % minutes)
            w.addstr(row + 1, 0, text)
        w.addstr(21, 0, "F2 Save  F3 Queues  F4 Form  F10 Quit")
    form(); w.move(1, 14); w.refresh()
    while True:
        k = w.get_wch()
        if mode == "dialog":
            if k in ("\\r", "\\n"): values = ["" for _ in FIELDS]; at = place = 0
            mode = "form"; form(); curses.curs_set(1)
        elif mode == "queues":
            if k == curses.KEY_F5: last += 1
            elif k == curses.KEY_F6: first += 1
            elif k == curses.KEY_F7: minutes += 1
            elif k == curses.KEY_F4: mode = "form"; form(); curses.curs_set(1)
            if mode == "queues": queues()
        elif k == curses.KEY_F3: mode = "queues"; queues(); curses.curs_set(0)
        elif k == curses.KEY_F2:
            mode = "dialog"; curses.curs_set(0)
            for y in range(9):
                w.addstr(8 + y, 18, "+" + "-" * 42 + "+" if y in (0, 8) else "|" + " " * 42 + "|")
            w.addstr(9, 19, "Siti Rahmawati, 36 years"); w.addstr(10, 19, "demam tiga hari -> Poli Umum")
            w.addstr(12, 24, " Save ", curses.A_REVERSE)
        elif k == "\\t": at = (at + 1) % len(FIELDS); place = len(values[at])
        elif k == curses.KEY_HOME: place = 0
        elif k == curses.KEY_BACKSPACE or k == "\\x7f":
            if place: values[at] = values[at][:place - 1] + values[at][place:]; place -= 1
            form()
        elif isinstance(k, str) and k.isprintable():
            values[at] = values[at][:place] + k + values[at][place:]; place += 1; form()
        if mode == "form": w.move(at + 1, 14 + place)
        w.refresh()
w = curses.initscr()  # no start_color: ncurses would send white on black with every attribute
curses.noecho(); curses.cbreak(); w.keypad(True)
main(w)
"""


def measure_ncurses() -> dict[str, float]:
    """Draw the same with Python's curses and count what it writes."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "ESCDELAY": "50", "LANG": "C.UTF-8"}
    child = subprocess.Popen(
        [sys.executable, "-c", CURSES.format(fields=FIELDS)],
        stdin=slave,
        stdout=slave,
        stderr=subprocess.DEVNULL,
        env=environment,
    )

    def drain() -> int:
        count = 0
        while select.select([master], [], [], QUIET_SECONDS if count else 1.0)[0]:
            count += len(os.read(master, 65536))
        return count

    rows: dict[str, float] = {}

    def step(name: str, *keys: str) -> None:
        total = 0
        for key in keys:
            os.write(master, key.encode())
            total += drain()
        rows[name] = total / len(keys)

    try:
        rows["connect and first paint"] = drain()
        step("letter", *"Siti Rahmawati Kusumaningrum"[:LETTERS])
        step("-", "\x1bOH")
        step("letter in mid-field", *"xyz")
        step("backspace in mid-field", *("\x7f" * 3))
        step("next field", *("\t" * 3))
        step("dialog opened", "\x1bOQ")
        step("dialog closed", "\x1b")
        step("queues, first time", "\x1bOR")
        step("queue row added", "\x1b[15~", "\x1b[15~")
        step("top row removed", "\x1b[17~", "\x1b[17~")
        step("one cell changed", "\x1b[18~")
        step("form again", "\x1bOS")
        step("queues again", "\x1bOR")
        step("-", "\x1bOS")
        step("-", "\x1bOQ", "\r")
        total = 0
        for number, value in enumerate(VALUES):
            for key in ("\t" if number else "") + value:
                os.write(master, key.encode())
                while select.select([master], [], [], 0.02)[0]:
                    total += len(os.read(master, 65536))
        for key in ("\x1bOQ", "\r"):
            os.write(master, key.encode())
            total += drain()
        rows[f"a registration ({sum(map(len, VALUES))} letters)"] = total
    finally:
        child.kill()
        child.wait()
        os.close(master)
        os.close(slave)
    return rows


async def run(quick: bool) -> None:
    idle = 5.0 if quick else 60.0
    columns: list[tuple[str, dict[str, tuple[float, float]]]] = []
    for title, app, compressed in (
        ("Loket", Counter, False),
        ("Loket -C", Counter, True),
        ("same app, Textual's writing", PlainCounter, False),
        ("same -C", PlainCounter, True),
        ("stock Textual", StockCounter, False),
        ("stock -C", StockCounter, True),
    ):
        if quick and title.startswith(("same -C", "stock -C")):
            continue
        columns.append((title, await measure(app, compressed, idle)))
    curses_rows = await asyncio.to_thread(measure_ncurses)
    table = Table(title="Bytes down per interaction: app / TCP")
    table.add_column("interaction")
    for title, _ in columns:
        table.add_column(title, justify="right")
    table.add_column("ncurses app", justify="right")
    for name in columns[0][1]:
        cells = [
            f"{rows[name][0]:,.1f} / {rows[name][1]:,.0f}" if name in rows else "" for _, rows in columns
        ]
        table.add_row(name, *cells, f"{curses_rows[name]:,.1f}" if name in curses_rows else "")
    Console(width=170).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 s idle, fewer columns")
    asyncio.run(run(parser.parse_args().quick))
