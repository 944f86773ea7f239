"""Measures a take-over: the core is killed while clerks register, a standby is promoted, the old core is started again.

Each round starts a core with its journal on another file system and a standby that follows it, kills the core under load,
promotes the standby by the command of the runbook, starts it, and lets a clerk register with the sign-in of before. Then
every acknowledged action is looked for in the new core's database, and the old machine is switched on again.

With `--cut` (root) the core runs in a network of its own whose cable is pulled first: nothing is closed and nothing
answered, then it is killed. The clerk's registration that was under way is sent again, with the same id, to both addresses.

    python -m bench.take_over [--rounds 3] [--writers 8] [--data FOLDER] [--place FOLDER] [--cut]
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.cut_off import Namespace
from bench.disk_dies import ROOT, Core, Writers, Written, missing
from core.foundation.identifiers import new_id

WHY = "the machine is gone"
WORDS = "the old machine is off\n"
PATIENCE_SECONDS = 120
CUT_SECONDS = 2.0
"""A clerk's wait on a pulled cable, before the core is killed."""


@dataclass(frozen=True)
class Round:
    """The outcome of one take-over."""

    acknowledged: int
    """Registrations and calls that people were told are saved."""
    lost: int
    twice: int
    """Numbers given to two people, the first save of the new core included."""
    promote_seconds: float
    first_save_seconds: float
    """From the command `loket promote` to the first saved registration."""
    is_refused: bool
    """True if the old core did not serve when it was started again."""


def command(environment: dict[str, str], *words: object, typed: str = "") -> str:
    """Run a loket command as people do."""
    done = subprocess.run(
        [sys.executable, "-m", "server.cli", *map(str, words)],
        env={**environment, "LOKET_LANGUAGE": "en"}, cwd=ROOT, input=typed, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def take_over(
    number: int,
    writers: int,
    first: Path,
    place: Path,
    chance: random.Random,
    machine: Namespace | None = None,
) -> Round:
    """Do it once.

    Args:
        number: Of the round.
        writers: How many clerks register meanwhile.
        first: Folder of both machines' data.
        place: The journal's.
        chance: For the moment.
        machine: The core's network, whose cable is pulled; None: it is only killed.
    """
    core = Core(first / f"core-{number}", place, machine)
    key = first / f"key-{number}"
    shutil.copy(core.home / "recovery.demo-key", key)
    laptop = {**core.environment, "LOKET_HOME": str(first / f"laptop-{number}")}
    command(laptop, "standby", place, "--key", key, "--once")
    following = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "standby"],
        env={**laptop, "LOKET_HTTP": "127.0.0.1:1"},
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    token = core.token("clerk")
    written = Written()
    people = Writers(core, writers, written, number)
    people.start()
    time.sleep(chance.uniform(2, 6))
    body = registration()
    if machine is not None:
        machine.cut()
        send(core.url, token, body, written, seconds=CUT_SECONDS)  # nobody answers
    core.kill()
    people.stop()
    acknowledged = len(written.numbers) + len(written.called)
    began = time.perf_counter()
    command(laptop, "promote", "--old-is-off", "--because", WHY, typed=WORDS)
    promoted = time.perf_counter() - began
    serving = subprocess.Popen(
        [sys.executable, "-m", "server", "--demo", "--no-door"],
        env=laptop, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    save((core.url, f"http://127.0.0.1:{core.port}"), token, body, written)
    saved = time.perf_counter() - began
    lost, twice = missing(Path(laptop["LOKET_HOME"]), written)
    serving.kill()
    serving.wait()
    following.wait(timeout=PATIENCE_SECONDS)  # it ends by itself
    old = subprocess.run(
        [sys.executable, "-m", "server", "--demo", "--no-door"],
        env=core.environment, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    return Round(acknowledged, lost, twice, promoted, saved, old.returncode != 0)


def registration() -> dict[str, object]:
    """Return the form of one clerk, typed once."""
    return {
        "id": new_id(),
        "patient": {"name": "Zubaidah Halim", "sex": "female", "birth_date": "1983-04-05"},
        "chief_complaint": "batuk pilek",
        "cluster": "UMUM",
        "pregnant": False,
        "duplicate_decision": "new",
    }


def save(urls: Sequence[str], token: str, body: dict[str, object], written: Written) -> None:
    """Send a form with the sign-in of before to every address in turn, until somebody answers."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if any(send(url, token, body, written) for url in urls):
            return
        time.sleep(0.1)
    raise RuntimeError("nobody answers")


def send(url: str, token: str, body: dict[str, object], written: Written, seconds: float = 30) -> bool:
    """Send a form; return whether it was answered.

    Args:
        url: Of the core.
        token: The clerk's sign-in.
        body: The form.
        written: Takes the answer.
        seconds: The longest wait.
    """
    try:
        answer = httpx.post(
            f"{url}/api/v1/registrations",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(seconds, connect=min(seconds, CUT_SECONDS)),
        )
    except httpx.TransportError:
        return False
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return False  # a standby
    answer.raise_for_status()
    ticket = answer.json()["ticket"]
    written.numbers[str(body["id"])] = (ticket["cluster"], ticket["number"])
    return True


def main() -> None:
    """Run it."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--writers", type=int, default=8)
    arguments.add_argument("--data", type=Path, default=Path("/var/tmp"), help="on the machines' own disk")
    arguments.add_argument("--place", type=Path, default=Path("/dev/shm"), help="where the journal is")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--cut", action="store_true", help="pull the core's cable first (root)")
    chosen = arguments.parse_args()
    chance = random.Random(chosen.seed)
    print(f"{chosen.writers} writers; promoted by `loket promote`, saved with the sign-in of before")
    print("  acknowledged   present   numbers twice   promote s   first save s   old core refused")
    for number in range(1, chosen.rounds + 1):
        with (
            tempfile.TemporaryDirectory(prefix="loket-machines-", dir=chosen.data) as first,
            tempfile.TemporaryDirectory(prefix="loket-place-", dir=chosen.place) as place,
            ExitStack() as ending,
        ):
            machine = Namespace(number) if chosen.cut else None
            if machine is not None:
                ending.callback(machine.close)
            one = take_over(number, chosen.writers, Path(first), Path(place), chance, machine)
        print(
            f"  {one.acknowledged:12} {one.acknowledged - one.lost:9} {one.twice:15} {one.promote_seconds:11.1f}"
            f" {one.first_save_seconds:14.1f} {'yes' if one.is_refused else 'NO':>18}",
            flush=True,
        )


if __name__ == "__main__":
    main()
