"""Measures the bytes that a person's work takes on the wire, on Loket's screens through real SSH.

First table, bytes down, for each step of the work: Loket through its door, the same app with Textual's own
driver, and the same screens drawn by ncurses; each as bytes the program writes, bytes of the TCP stream, and
those with `ssh -C`. Second table, bytes of IP packets both ways: connecting, and one registration of a new
patient in the TUI, with `-C`, in line mode, and in a TUI on the counter's own machine over HTTP.

    python -m bench.wire_bytes [--quick]

Needs Linux with `unshare`, `ip` and /dev/net/tun, and OpenSSH's `ssh`; no root where user namespaces are on.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.counter.clinic import HTTP_PORT, SSH_PORT, TERM, Clinic, prepared_home
from bench.counter.link import FAR, Link, enter_own_network
from bench.counter.play import FIRST, SETTLED_SECONDS, WHOLE, Cost, Happening, Person, play, register
from tests.e2e.line_terminals import LineTerminal, line_ssh_command
from tests.e2e.scripted import COMPLAINT, NAME, NIK
from tests.e2e.terminals import ROOT, Terminal, password_environment, ssh_command
from tests.people import patient

PTY_PORT = 8423
WAITING = 12  # entries in the pane
IDLE_SECONDS, QUICK_IDLE_SECONDS = 60.0, 5.0  # without a key; the second with --quick
PANE_LINES = {"queue row added": 2, "top row removed": 2, "one cell changed": 1}
"""Changes of the dental pane, and how often each is made."""
BACK = "coming back to the form"
LINE_MODE_ANSWERS = (
    NIK, NAME, "0001234567890", "6371010101120007", "Aminah", "081234567890", "Jl. Veteran No. 12 RT 4/RW 11",
    COMPLAINT, "2 card", "",
)  # fmt: skip
"""The values typed at the screens (`tests.e2e.scripted`), in the order of line mode's questions."""
Costs = dict[str, Cost]


def pane_happenings(clinic: Clinic) -> dict[str, list[Happening]]:
    """Return the changes of the dental pane: two entries come, two leave from its top, the first is called."""
    clerk, dentist = clinic.caller("clerk"), clinic.caller("dentist")
    for number in range(WAITING):
        clerk.registered(patient=patient(name=f"Pasien {chr(65 + number)}ria"))

    def leave() -> None:
        first = dentist.get("queues/GIGI").json()["entries"][0]
        assert dentist.act(first["id"], "leave").status_code == 200

    def call() -> None:
        assert dentist.post("queues/GIGI/call-next", json={}).status_code == 200

    happenings = (clerk.registered, leave, call)
    return {line: [what] * times for what, (line, times) in zip(happenings, PANE_LINES.items(), strict=True)}


class Bench:
    """All runs of one bench, over one line."""

    def __init__(self, folder: Path, idle_seconds: float) -> None:
        self.link = Link()
        self.link.start()
        self.screens = folder / "screens.json"
        self.prepared = prepared_home()
        self._folder = folder
        self._idle_seconds = idle_seconds

    def loket(self, *options: str) -> Costs:
        """Run Loket through its own door; keep the screens for ncurses."""
        with Clinic(self.prepared) as clinic:
            happenings, began = pane_happenings(clinic), self.link.read(SSH_PORT)
            screens: list[dict[str, Any]] = []
            with clinic.sign_in("clerk", *options) as terminal:
                terminal.wait_for("Search", "Last patients")
                person = Person(terminal, self.link, SSH_PORT, began, screens)
                play(person, happenings, self._idle_seconds)
                self.screens.write_text(json.dumps(screens))
                terminal.press("<Enter><F2>Siti R")
                terminal.wait_for("Card seen", "Siti R")
                person.settle()
                terminal.cut()
            began = self.link.read(SSH_PORT)
            with clinic.sign_in("clerk", *options) as terminal:
                terminal.wait_for("Card seen", "Siti R")
                again = Person(terminal, self.link, SSH_PORT, began)
                again.settle()
                again.note(BACK, 0, began)
            return {**person.costs, **again.costs}

    def textual(self, *options: str) -> Costs:
        """Run the same app with Textual's own driver."""
        with Clinic(self.prepared, with_door=False) as clinic:
            happenings = pane_happenings(clinic)
            with self._at_pty("bench.counter.textual_counter", clinic.url, *options) as person:
                play(person, happenings, self._idle_seconds)
                return person.costs

    def ncurses(self, *options: str) -> Costs:
        """Draw the screens of the last run of Loket by ncurses; any key plays a change from elsewhere."""
        happenings: dict[str, list[Happening]] = {line: ["x"] * times for line, times in PANE_LINES.items()}
        with self._at_pty("bench.counter.curses_counter", str(self.screens), *options) as person:
            person.any_key = "x"
            play(person, happenings, self._idle_seconds)
            return person.costs

    @contextmanager
    def _at_pty(self, module: str, argument: str, *options: str) -> Iterator[Person]:
        """Sign in at a program behind a server that only passes bytes."""
        command = [sys.executable, "-m", "bench.counter.pty_door", str(PTY_PORT), str(self._folder)]
        child = subprocess.Popen([*command, sys.executable, "-m", module, argument], cwd=ROOT)
        try:
            while not listens(PTY_PORT):
                time.sleep(0.05)
            began = self.link.read(PTY_PORT)
            ssh = ssh_command("clerk", PTY_PORT, *options, host=FAR)
            with Terminal(ssh, password_environment(self._folder, TERM)) as terminal:
                terminal.wait_for("Search", "Last patients")
                yield Person(terminal, self.link, PTY_PORT, began)
        finally:
            child.terminate()  # and no kill: it ends the programs behind its channels
            child.wait()

    def local(self) -> Costs:
        """Run a TUI on the counter's own machine: the line carries its HTTP only."""
        with Clinic(self.prepared, with_door=False) as clinic:
            began = self.link.read(HTTP_PORT)
            command = [
                sys.executable,
                "-m",
                "tui",
                "--server",
                f"http://{FAR}:{HTTP_PORT}",
                "--language",
                "en",
            ]
            with Terminal(command, {**clinic.environment, "TERM": TERM, "LANG": "C.UTF-8"}) as terminal:
                terminal.wait_for("User name")
                terminal.press("clerk<Enter>demo<Enter>")
                terminal.wait_for("Search", "Last patients")
                person = Person(terminal, self.link, HTTP_PORT, began)
                person.settle()
                person.note(FIRST, 0, began)
                register(person)
                return person.costs

    def lines(self) -> Costs:
        """Run line mode, line by line."""
        with Clinic(self.prepared) as clinic:
            began = self.link.read(SSH_PORT)
            command = line_ssh_command("clerk", SSH_PORT, host=FAR)
            with LineTerminal(command, password_environment(clinic.folder, "dumb")) as terminal:
                terminal.hears(": ")
                asked = self.link.read(SSH_PORT)
                for answer in LINE_MODE_ANSWERS[:-1]:
                    terminal.types(f"{answer}\n")
                    terminal.hears(": ")
                terminal.types(f"{LINE_MODE_ANSWERS[-1]}\n")
                terminal.hears("SAVED")
                terminal.hears(": ")
                time.sleep(SETTLED_SECONDS)  # for the last acknowledgement
                saved = self.link.read(SSH_PORT)
        return {FIRST: Cost(0, asked - began, 1), WHOLE: Cost(0, saved - asked, 1)}


def listens(port: int) -> bool:
    """Return whether there is a server at a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def bytes_down(columns: dict[str, Costs], names: list[str]) -> Table:
    """Print the first table."""
    table = Table(title="Bytes down: what the program writes, the TCP stream, the TCP stream with ssh -C")
    table.add_column("what is done")
    for title in ("Loket", "same app, Textual's driver", "same screens, ncurses"):
        for kind in ("app", "TCP", "-C"):
            table.add_column(f"{title}: {kind}", justify="right")
    for name in names:
        cells = []
        for title in ("loket", "textual", "ncurses"):
            plain, compressed = columns[title].get(name), columns[f"{title} -C"].get(name)
            cells.append("" if plain is None else f"{plain.app / plain.count:,.1f}".removesuffix(".0"))
            for cost in (plain, compressed):
                cells.append("" if cost is None else f"{cost.line.down.stream_bytes / cost.count:,.0f}")
        table.add_row(name, *cells)
    return table


def above_ncurses(columns: dict[str, Costs]) -> Iterator[str]:
    """Yield the lines in which Loket sends more than ncurses does, by column, with how much."""
    for kind in ("", " -C"):
        for name, cost in columns[f"loket{kind}"].items():
            other = columns[f"ncurses{kind}"].get(name)
            if other is None:
                continue
            ours, theirs = cost.line.down.stream_bytes, other.line.down.stream_bytes
            if ours > theirs:
                yield f"{name}{kind}: TCP {ours / cost.count:,.0f} to {theirs / other.count:,.0f}"
            if not kind and cost.app > other.app:
                yield f"{name}: app {cost.app / cost.count:,.1f} to {other.app / other.count:,.1f}"


def packets_both_ways(rows: dict[str, Cost]) -> Table:
    """Print the second table."""
    table = Table(title="Bytes of IP packets both ways")
    for title in ("what is done", "packets up", "bytes up", "packets down", "bytes down", "bytes both ways"):
        table.add_column(title, justify="left" if title == "what is done" else "right")
    for name, cost in rows.items():
        up, down = cost.line.up, cost.line.down
        numbers = (up.packets, up.ip_bytes, down.packets, down.ip_bytes, cost.line.ip_bytes)
        table.add_row(name, *(f"{number:,}" for number in numbers))
    return table


SCREENS = ("loket -C", "loket", "ncurses", "ncurses -C", "textual", "textual -C")
COLUMNS = (*SCREENS, "lines", "local")
QUICK_COLUMNS = SCREENS[:4]
"""Each run waits at every step until the line is still, some 45 s on a quiet machine: eight are no quick look."""


def measured(bench: Bench, wanted: list[str]) -> dict[str, Costs]:
    """Run the selected programs, in an order in which ncurses has its screens."""
    columns: dict[str, Costs] = {}
    for title in COLUMNS:
        name, *options = title.split()
        columns[title] = getattr(bench, name)(*options) if title in wanted else {}
    return columns


def main(quick: bool, wanted: list[str]) -> None:
    enter_own_network()
    folder = Path("/tmp") / f"loket-wire-{time.time_ns()}"  # short: a socket's path is
    folder.mkdir()
    bench = Bench(folder, QUICK_IDLE_SECONDS if quick else IDLE_SECONDS)
    try:
        columns = measured(bench, wanted)
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(bench.prepared.parent)
    console = Console(width=150)
    names = dict.fromkeys(name for title in SCREENS for name in columns[title])
    console.print(bytes_down(columns, list(names)))
    for name in above_ncurses(columns):
        console.print(f"above ncurses: {name}")
    rows = {
        "connect to first screen": columns["loket"].get(FIRST),
        "connect to first screen, -C": columns["loket -C"].get(FIRST),
        "coming back to the form": columns["loket"].get(BACK),
        "registration in the TUI": columns["loket"].get(WHOLE),
        "registration in the TUI, -C": columns["loket -C"].get(WHOLE),
        "connect to the first question in line mode": columns["lines"].get(FIRST),
        "registration in line mode": columns["lines"].get(WHOLE),
        "local TUI over HTTP: first screen": columns["local"].get(FIRST),
        "registration in the local TUI over HTTP": columns["local"].get(WHOLE),
    }
    console.print(packets_both_ways({name: cost for name, cost in rows.items() if cost is not None}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="5 s idle instead of 60; Loket and ncurses alone"
    )
    parser.add_argument("--only", default="", help="some of the runs, by comma")
    given = parser.parse_args()
    runs = given.only.split(",") if given.only else list(QUICK_COLUMNS if given.quick else COLUMNS)
    main(given.quick, runs)
