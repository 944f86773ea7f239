"""Does a counter wait for BPJS?

    python -m bench.bpjs_counter [--seconds 140] [--saves 30] [--keys 30]

Three clinics side by side, each with its own server and SSH door: one that asks no BPJS, one whose BPJS answers in 30 s,
one whose BPJS never answers. Everybody's visits wait to be sent, and in the last two four counters ask about
participants all the while. In short turns, at each: a form is opened by a scanned card, a name is typed over real
ssh, each key timed from the press to its letter on the screen; then insured patients are saved over HTTP. A round
visits every clinic in an order by chance, so that whatever else the machine does meets all of them. After so many
seconds the round that is going on is the last. Prints median and p99 in milliseconds, and each p99's ratio to the
first clinic's, with the interval that chance alone gives it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from bench.intervals import p99_of
from core.foundation import clock
from core.foundation.config import Settings
from server.bpjs_stand_in import Books, PcareHost
from tests.e2e.terminals import DemoClinic, Terminal, password_environment, single_keys, ssh_command
from tests.people import Caller

COUNTERS = 4
DELAYS = {"no BPJS": None, "answers in 30 s": 30.0, "never answers": 3600.0}
"""Clinic -> seconds after which its BPJS answers; None: none is asked."""
LETTERS = "abdeghiklmnoprstuw"
LEAST_ROUNDS = 4
"""Rounds gone even on a machine that is too slow for the time."""
DRAWS = 400
"""Samples drawn again for an interval."""
RESTING_SECONDS = 0.01  # between two keys: nobody types faster
SHARE_OUTSIDE = 0.05  # of the drawn ratios, on each side of the interval


class WatchedTerminal(Terminal):
    """A terminal that tells as soon as something has come."""

    def __init__(self, *arguments: Any) -> None:
        self.came = threading.Event()
        super().__init__(*arguments)

    def _read(self) -> None:
        feed = self._stream.feed

        def noticed(data: bytes) -> None:
            feed(data)
            self.came.set()

        self._stream.feed = noticed  # type: ignore[method-assign]
        super()._read()

    def echo_of(self, key: str, shown: str) -> float:
        """Press a key; return the milliseconds until the text before the cursor ends as it must then.

        Args:
            key: As `single_keys` takes it.
            shown: What must stand left of the cursor.
        """
        self.came.clear()
        began = time.perf_counter()
        self.press_all(single_keys(key))
        while not self.left_of_cursor.endswith(shown):
            assert time.perf_counter() < began + 30, self.text
            self.came.wait(0.05)
            self.came.clear()
        return 1000 * (time.perf_counter() - began)


class Counted:
    """One clinic, its terminal and its times."""

    def __init__(self, name: str, clinic: DemoClinic, terminal: WatchedTerminal, clerk: Caller) -> None:
        self.name, self._terminal, self._clerk, self._clinic = name, terminal, clerk, clinic
        self.echoes: list[list[float]] = []
        self.saves: list[list[float]] = []

    def type(self, number: int, keys: int, chance: random.Random) -> None:
        """Open a form by a scanned card, and type a name in it.

        Args:
            number: Of the round.
            keys: Letters typed.
            chance: Chooses them.
        """
        self._terminal.press(f"{number:013d}<Enter>")
        self._terminal.wait_for("F2")
        self._terminal.press("<F2>")
        self._terminal.wait_for("Mother")
        self._terminal.press("<Tab>")
        self._terminal.press("<Tab>")
        self._terminal.wait_until(
            lambda: self._terminal.left_of_cursor.lstrip().startswith("Name"), "the name's field"
        )
        times, typed = [], "|"
        for _ in range(keys):
            letter = chance.choice(LETTERS)
            typed += letter
            times.append(self._terminal.echo_of(letter, typed))
            time.sleep(RESTING_SECONDS)
        self.echoes.append(times)
        self._terminal.press("<Esc>")
        self._terminal.wait_for("Search |")

    def save(self, number: int, saves: int) -> None:
        """Save new insured patients.

        Args:
            number: Of the round.
            saves: How many.
        """
        times = []
        for place in range(saves):
            serial = f"{number:03d}{place:06d}"
            person = {
                "name": f"Orang {serial}", "sex": "male", "birth_date": "1980-05-05", "no_identifier_reason": "none_yet",
                "bpjs_number": f"0001{serial}",
            }  # fmt: skip
            began = time.perf_counter()
            self._clerk.registered(patient=person, payer="jkn_pbi", duplicate_decision="new")
            times.append(1000 * (time.perf_counter() - began))
        self.saves.append(times)


@contextmanager
def counted(name: str, delay: float | None, folder: Path) -> Iterator[Counted]:
    """Run a clinic, and its BPJS with the counters that ask it.

    Args:
        name: Of the clinic.
        delay: Seconds before BPJS answers; None: no BPJS.
        folder: For its files.
    """
    with ExitStack() as ending:
        settings: dict[str, str] = {}
        host = PcareHost(Books(lambda: clock.now().astimezone(Settings().timezone)))
        if delay is not None:
            host.delay = delay
            settings = {f"LOKET_{key.upper()}": str(value) for key, value in host.settings().items()}
        clinic = ending.enter_context(DemoClinic(folder / "home", **settings))
        ending.callback(host.close)  # before the clinic ends: whoever waits for it is let go
        clerk = ending.enter_context(Caller(clinic.url, "clerk"))
        environment = password_environment(folder, "xterm")
        terminal = ending.enter_context(WatchedTerminal(ssh_command("clerk", clinic.ssh_port), environment))
        terminal.wait_for("F2")
        if delay is not None:
            ending.enter_context(asking(clinic.url))
        yield Counted(name, clinic, terminal, clerk)


@contextmanager
def asking(url: str) -> Iterator[None]:
    """Let counters ask about participants all the while."""
    done = threading.Event()

    def ask() -> None:
        with suppress(httpx.TransportError), Caller(url, "clerk") as caller:
            while not done.is_set():
                caller.post("insurance/check", json={"bpjs_number": "0001234567890"})
                done.wait(1)

    for _ in range(COUNTERS):
        threading.Thread(target=ask, daemon=True).start()
    yield
    done.set()


def tail_of(blocks: list[list[float]]) -> float:
    """Return the 99th percentile of all times."""
    return p99_of([time for block in blocks for time in block])


def interval(
    blocks: list[list[float]], idle: list[list[float]], chance: random.Random
) -> tuple[float, float]:
    """Return where the ratio of two p99 lies by chance, drawing whole blocks again.

    Args:
        blocks: Times at one clinic, a list a round.
        idle: At the other, in the same rounds.
        chance: Draws.
    """
    ratios = []
    for _ in range(DRAWS):
        drawn = [chance.randrange(len(blocks)) for _ in blocks]
        ratios.append(tail_of([blocks[place] for place in drawn]) / tail_of([idle[place] for place in drawn]))
    ratios.sort()
    outside = int(DRAWS * SHARE_OUTSIDE)
    return ratios[outside], ratios[-1 - outside]


def report(clinics: list[Counted], what: str, chance: random.Random) -> None:
    """Print one kind of times of all clinics.

    Args:
        clinics: The one without BPJS first.
        what: `echoes` or `saves`.
        chance: For the intervals.
    """
    idle: list[list[float]] = getattr(clinics[0], what)
    for clinic in clinics:
        blocks: list[list[float]] = getattr(clinic, what)
        times = [time for block in blocks for time in block]
        low, high = interval(blocks, idle, chance)
        print(
            f"{what:7} {clinic.name:16} {len(times):5d}  median {statistics.median(times):6.2f}  p99 {tail_of(blocks):7.2f} ms"
            f"  ratio of p99 {tail_of(blocks) / tail_of(idle):5.3f} ({low:.2f} to {high:.2f} by chance)"
            f"  of medians {statistics.median(times) / statistics.median(time for block in idle for time in block):5.3f}"
        )


def measure(clinics: list[Counted], asked: argparse.Namespace, chance: random.Random) -> int:
    """Go round the clinics until the time is over; return the number of rounds.

    Args:
        clinics: All, warm.
        asked: `seconds`, `keys` and `saves`.
        chance: For the order and the letters.
    """
    ends, number = time.monotonic() + asked.seconds, 0
    while time.monotonic() < ends or number < LEAST_ROUNDS:
        for clinic in chance.sample(clinics, len(clinics)):
            clinic.type(number, asked.keys, chance)
            clinic.save(number, asked.saves)
        number += 1
    return number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=140, help="of measuring; the start takes some more")
    parser.add_argument("--saves", type=int, default=30)
    parser.add_argument("--keys", type=int, default=30)
    asked = parser.parse_args()
    chance, began = random.Random(1), time.monotonic()  # no secret
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        clinics = []
        for number, (name, delay) in enumerate(DELAYS.items()):
            own = Path(folder) / str(number)
            own.mkdir()
            clinics.append(ending.enter_context(counted(name, delay, own)))
        for clinic in clinics:  # warm
            clinic.save(999, 10)
            clinic.type(999, 10, chance)
            clinic.echoes.clear()
            clinic.saves.clear()
        print(f"{time.monotonic() - began:.0f} s to start", flush=True)
        rounds = measure(clinics, asked, chance)
        print(f"{rounds} rounds, {time.monotonic() - began:.0f} s", flush=True)
        for what in ("echoes", "saves"):
            report(clinics, what, chance)
    print(f"{time.monotonic() - began:.0f} s with the end")


if __name__ == "__main__":
    main()
