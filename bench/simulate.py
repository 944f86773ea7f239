"""Lives days of a clinic in one thread on a disk that fails, and looks whether Loket keeps what it promises.

The core alone, without HTTP: clerks and clinicians take turns at the bounds of transactions, in an order drawn from a seed, by a
clock that is set. Writes and syncs fail, the disk is full, the machine is killed or loses its power within a write; answers
are lost and forms are sent again. After each step the feed is compared with the table, after each crash and each day everything
that was acknowledged. One seed replays exactly: the digest of its trace is the same in every run.

Its bounds: no HTTP, no terminals, no second server, no backup and no journal; one thread, so no races within a transaction.

    python -m bench.simulate [--days 100] [--seed 1]          # a table of faults and promises
    python -m bench.simulate --plant NAME [--days 100]        # a fault in Loket itself, planted: found, with its seed
    python -m bench.simulate --plants                         # every planted fault
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from bench.simulated.days import BLOCK_DAYS, Block, Tally, prepare
from bench.simulated.disk import Disk
from bench.simulated.plants import PLANTS
from bench.simulated.promises import Broken

LINES_BEFORE = 25
"""Lines of the trace that are shown when a promise was broken."""


def live(days: int, seed: str, plant: str = "", only_block: int | None = None) -> tuple[Tally, Broken | None]:
    """Live some days; stop at the first promise that is not kept.

    Args:
        days: How many, in blocks of `BLOCK_DAYS`.
        seed: Everything comes from it.
        plant: A name in `PLANTS`; empty: Loket as it is.
        only_block: Only this block of days, counted from 0.
    """
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        return _live_in(Path(folder), days, seed, plant, only_block)


def _live_in(
    folder: Path, days: int, seed: str, plant: str, only_block: int | None
) -> tuple[Tally, Broken | None]:
    tally = Tally()
    disk = Disk()
    prepared = prepare(folder)
    blocks = range((days + BLOCK_DAYS - 1) // BLOCK_DAYS)
    for block in blocks if only_block is None else [only_block]:
        here = folder / f"block-{block}"
        here.mkdir()
        tally.trace.append(f"-- block {block}")
        try:
            with PLANTS[plant].planted() if plant else nullcontext():
                Block(disk, prepared, here, f"{seed}:{block}", tally).run(
                    min(BLOCK_DAYS, days - block * BLOCK_DAYS) if only_block is None else BLOCK_DAYS
                )
        except Broken as broken:
            return tally, broken
    return tally, None


def show(tally: Tally, seconds: float) -> None:
    """Print what happened and what was looked at."""
    print(f"{tally.days} days, {tally.people} people, {sum(tally.steps.values())} steps, {seconds:.0f} s")
    print(f"trace {tally.digest}\n")
    print("faults injected")
    for name, number in sorted(tally.faults.items()):
        print(f"  {name:44} {number:8}")
    print("promises checked")
    for name, number in sorted(tally.checked.items()):
        print(f"  {name:44} {number:8}")


def plants(days: int, seed: str) -> int:
    """Look for every planted fault; return how many were not found."""
    missed = 0
    print(f"{'planted in Loket':34} {'found by':42} {'after days':>10}")
    for name, plant in PLANTS.items():
        tally, broken = live(days, seed, name)
        found = broken.promise if broken else "NOT FOUND"
        missed += broken is None or (broken.promise not in plant.promises)
        print(f"{name:34} {found:42} {tally.days:10}  --seed {seed} --plant {name}")
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--block", type=int, help="only this block of days")
    parser.add_argument("--plant", choices=list(PLANTS), default="")
    parser.add_argument("--plants", action="store_true")
    asked = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("LOKET_")]:
        del os.environ[name]
    if asked.plants:
        sys.exit(plants(asked.days, asked.seed))
    began = time.monotonic()
    tally, broken = live(asked.days, asked.seed, asked.plant, asked.block)
    if broken is not None:
        print("\n".join(tally.trace[-LINES_BEFORE:]))
        print(f"BROKEN: {broken}")
        more = f" --plant {asked.plant}" if asked.plant else ""
        print(f"again: python -m bench.simulate --days {asked.days} --seed {asked.seed}{more}")
    show(tally, time.monotonic() - began)
    sys.exit(broken is not None)


if __name__ == "__main__":
    main()
