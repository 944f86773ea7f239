"""Measures the counter on the thinnest line: 9.6 kbit/s, 600 ms round trip, 2 % of packets lost.

A clerk registers a new patient, everything typed, over real SSH on a line of that kind (see
`bench/counter/link.py`; the kernel retransmits). Then the clerk types while the dental pane beside changes as
in a busy hour, and the time from a key to its echo is compared with the same without changes. Prints times,
packets lost, and the most bytes that ever waited before the line.

    python -m bench.slow_link [--quick]
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import threading
import time

from rich.console import Console
from rich.table import Table

from bench.counter.clinic import SSH_PORT, Clinic, prepared_home
from bench.counter.link import Link, enter_own_network
from tests.e2e.scripted import all_keys, registration
from tests.e2e.terminals import Terminal, single_keys
from tests.people import Caller

BITS_PER_SECOND, ROUND_TRIP_SECONDS, LOSS = 9_600, 0.6, 0.02
KEY_SECONDS = 0.25  # seconds between two keys: four a second
BUSY_SECONDS = 3.0  # seconds between two changes of the pane: 1,200 an hour
KEYS, QUICK_KEYS = 60, 15
PANE_FRAME_BYTES = 400  # the most that one change of the pane costs, with SSH, TCP and IP


def echoes(person: Terminal, keys: int) -> list[float]:
    """Type letters one after the other into the search box; return each one's echo time in seconds."""
    times = []
    for number in range(keys):
        letter = random.Random(number).choice("bcdfghjklmnpqrstvwxyz")
        before = person.left_of_cursor
        began = time.monotonic()
        person.press(letter)
        person.wait_until(
            lambda before=before, letter=letter: person.left_of_cursor == before + letter, letter
        )
        times.append(time.monotonic() - began)
        if len(before) > 40:
            person.press("<Esc>")
            person.wait_until(
                lambda: not person.left_of_cursor.removeprefix(" Search").strip(" |"), "an empty box"
            )
        time.sleep(KEY_SECONDS)
    return times


def change_pane(clerk: Caller, stop: threading.Event) -> None:
    """Let the arrivals of a busy hour come in."""
    while not stop.wait(BUSY_SECONDS):
        clerk.registered()


def row(table: Table, name: str, times: list[float]) -> None:
    times = sorted(times)
    table.add_row(
        name,
        f"{statistics.median(times):.2f}",
        f"{times[int(len(times) * 0.95) - 1]:.2f}",
        f"{times[-1]:.2f}",
    )


def main(keys: int) -> None:
    enter_own_network()
    link = Link()
    link.start()
    prepared = prepared_home()
    table = Table(
        title=f"{BITS_PER_SECOND} bit/s, {ROUND_TRIP_SECONDS * 1000:.0f} ms round trip, {LOSS:.0%} lost"
    )
    for title in ("what", "median s", "p95 s", "longest s"):
        table.add_column(title, justify="left" if title == "what" else "right")
    try:
        with Clinic(prepared) as clinic, clinic.caller("clerk") as clerk:
            link.bits_per_second, link.one_way_seconds, link.loss = (
                BITS_PER_SECOND,
                ROUND_TRIP_SECONDS / 2,
                LOSS,
            )
            began = time.monotonic()
            with clinic.sign_in("clerk") as person:
                person.wait_for("Search", "Last patients")
                row(table, "connect to first screen", [time.monotonic() - began])
                began = time.monotonic()
                for key in single_keys(all_keys(registration())):
                    person.press_all([key])
                    time.sleep(KEY_SECONDS)
                person.wait_for("Saved", "B-001")
                row(table, "a registration, four keys a second", [time.monotonic() - began])
                person.press("<Enter>")
                person.wait_for("Search", "B-001  Siti")
                link.waiting_bytes = 0
                row(table, "echo of a key", echoes(person, keys))
            with clinic.sign_in("clerk") as person, clinic.sign_in("dentist") as dentist:
                # Both share the line, as two terminals of one room do.
                person.wait_for("Search")
                dentist.wait_for("Poli Gigi", "B-001")
                link.waiting_bytes = 0
                stop = threading.Event()
                thread = threading.Thread(target=change_pane, args=(clerk, stop))
                thread.start()
                row(table, "echo of a key beside a busy pane", echoes(person, keys))
                stop.set()
                thread.join()
            waited, lost = link.waiting_bytes, link.lost
            packets = link.read(SSH_PORT)
    finally:
        shutil.rmtree(prepared.parent)
    console = Console()
    console.print(table)
    frame_seconds = PANE_FRAME_BYTES * 8 / BITS_PER_SECOND
    console.print(
        f"Most bytes waiting before the line beside the busy pane: {waited} (packet headers included)."
    )
    console.print(f"Packets lost: {lost} of {packets.up.packets + packets.down.packets}.")
    console.print(f"One change of the pane takes up to {frame_seconds:.2f} s of the line.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_KEYS} keys instead of {KEYS}")
    main(QUICK_KEYS if parser.parse_args().quick else KEYS)
    sys.exit(0)
