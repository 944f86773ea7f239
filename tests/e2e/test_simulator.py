"""The simulator: one seed replays exactly, the promises hold, and a fault planted in Loket is found."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.simulated.plants import PLANTS

ROOT = Path(__file__).parents[2]


def simulate(*arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own: its disk is that of all databases of a process."""
    return subprocess.run(
        [sys.executable, "-m", "bench.simulate", *arguments],
        capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed},
    )  # fmt: skip


def trace(output: str) -> str:
    found = re.search(r"^trace (\w+)$", output, re.MULTILINE)
    assert found is not None, output
    return found[1]


def test_one_seed_replays_exactly_and_keeps_its_promises() -> None:
    runs = [simulate("--days", "2", "--seed", "5", hash_seed=seed) for seed in ("1", "2")]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stdout + runs[0].stderr
    assert trace(runs[0].stdout) == trace(runs[1].stdout)
    for promise in ("once", "what was acknowledged is there", "the audit chain is whole"):
        assert promise in runs[0].stdout
    assert "kill" in runs[0].stdout


@pytest.mark.parametrize("plant", ["skips are not told", "starts leave no audit", "a move takes a second"])
def test_a_fault_planted_in_loket_is_found(plant: str) -> None:
    found = simulate("--days", "3", "--seed", "1", "--plant", plant)
    assert found.returncode == 1, found.stdout + found.stderr
    broken = re.search(r"^BROKEN: ([^:]+):", found.stdout, re.MULTILINE)
    assert broken is not None, found.stdout
    assert broken[1] in PLANTS[plant].promises
