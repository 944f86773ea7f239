"""Plants one fault for each promise in a copy of Loket, and looks whether it is found, with its seed.

The list was written before any of them was tried, and not by who wrote the simulator or the tests. What concurrency,
disks and crashes can break is looked for by `bench.simulate`; the rest by the tests named here. A mutation that nothing
finds ends with exit code 1, and so does one whose line is not in the code any more.

    python -m bench.mutations [--only 4] [--days 30] [--seed 1]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIED = ("core", "server", "tui", "tests", "bench", "pyproject.toml", "docs", "deploy")
SECONDS = 900


@dataclass(frozen=True)
class Mutation:
    """One fault, as an edit of one file."""

    promise: int
    """Its number in the design's list of promises."""
    words: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()
    """Tests that have to fail; none: the simulator has to find it."""


MUTATIONS = (
    Mutation(
        1, "a receipt names a change that is not there yet", "core/visits/registration.py",
        "_receipt(request.id, shown, feed.newest_sequence())", "_receipt(request.id, shown, feed.newest_sequence() + 9)",
    ),
    Mutation(
        2, "a form is saved under another id than its own", "core/visits/registration.py",
        "        id=request.id,\n        visit=visit,\n", "        id=visit.id,\n        visit=visit,\n",
    ),
    Mutation(
        3, "a number is left out now and then", "core/queues/tickets.py",
        "    return int(_DRAW.value(cluster=cluster, day=day))\n",
        "    drawn = int(_DRAW.value(cluster=cluster, day=day))\n"
        "    return int(_DRAW.value(cluster=cluster, day=day)) if drawn % 7 == 6 else drawn\n",
    ),
    Mutation(4, "a commit is not on the disk", "core/foundation/database.py", '"synchronous": "full"', '"synchronous": "off"'),
    Mutation(
        5, "an undo takes the entry of a move away", "core/queues/undo.py",
        "    transitions.refresh_visit(entry.visit_id)\n    return entry\n",
        "    transitions.refresh_visit(entry.visit_id)\n"
        "    QueueEvent.delete().where(QueueEvent.sequence == event.sequence).execute()\n    return entry\n",
    ),
    Mutation(
        6, "a skip stands in no audit log", "core/queues/transitions.py",
        "    audit.record(\n        actor, f\"entry_{action}\"",
        "    (audit.record if action is not EntryAction.SKIP else lambda *_, **__: None)(\n        actor, f\"entry_{action}\"",
    ),
    Mutation(
        7, "a day counts as proven whatever the office says", "core/exchange/office/proof.py",
        '        if answer["agrees"]:\n', '        if answer:\n', ("tests/core/exchange/test_synchronisation.py",),
    ),
    Mutation(
        8, "the cursor takes the longest way", "tui/terminal/screen_diff.py",
        "        return min(options, key=len)\n", "        return max(options, key=len)\n",
        ("tests/terminal/test_encoder.py", "tests/tui/test_thin.py"),
    ),
    Mutation(
        9, "a letter acts on whoever has just moved up", "tui/screens/stray_keys.py",
        "event.time < self._changed_at + QUIET_SECONDS", "event.time < self._changed_at",
        ("tests/tui/test_stray_keys.py",),
    ),
    Mutation(
        10, "words of a medicine that name nothing known are kept quiet", "core/orders/medicines/reading.py",
        "    return MedicineReading(read.ingredients, read.unread, read.guessed)\n",
        "    return MedicineReading(read.ingredients, (), read.guessed)\n",
        ("tests/core/orders/test_medicine_unread_words.py", "tests/core/orders/test_not_looked_at.py"),
    ),
    Mutation(
        11, "an undo may give a second place in a queue", "core/queues/undo.py",
        "        refuse_second_place(entry.visit.patient_id, entry.cluster, besides=entry.id)\n", "        pass\n",
        ("tests/server/test_one_place.py",),
    ),
    Mutation(
        12, "an undo is told to nobody", "core/queues/undo.py",
        "    transitions.record_transition(actor, entry, EntryAction.UNDO, from_status, {}, at)\n", "",
    ),
    Mutation(
        13, "every ninth record of the journal is empty", "core/foundation/journal/capture.py",
        "            session.changeset_stream(_writing(spool.write))\n",
        "            if position.number % 9:\n                session.changeset_stream(_writing(spool.write))\n",
        ("tests/core/daily/test_journal.py",),
    ),
    Mutation(
        14, "a form on the counter's disk is forgotten with the sign-in", "tui/client/kept_drafts.py",
        "        self._folder = self._cipher = None\n",
        "        for file in self._files():\n            _remove(file)\n        self._folder = self._cipher = None\n",
        ("tests/tui/test_kept_drafts.py",),
    ),
)  # fmt: skip


def found_by(mutation: Mutation, tree: Path, days: int, seed: str) -> str:
    """Plant a fault; return what found it, empty when nothing did.

    Args:
        mutation: The fault.
        tree: A copy of Loket.
        days: Of the simulator, at most.
        seed: Of the simulator and of Hypothesis.

    Raises:
        LookupError: The line is not in the code any more, or stands there twice.
    """
    file = tree / mutation.file
    before = file.read_text("utf-8")
    if before.count(mutation.old) != 1:
        raise LookupError(f"{mutation.file}: {before.count(mutation.old)} times")
    file.write_text(before.replace(mutation.old, mutation.new), "utf-8")
    try:
        if mutation.tests:
            return _by_tests(tree, mutation.tests, seed)
        return _by_simulator(tree, days, seed)
    finally:
        file.write_text(before, "utf-8")


def _by_simulator(tree: Path, days: int, seed: str) -> str:
    done = _run(tree, "bench.simulate", "--days", str(days), "--seed", seed)
    broken = re.search(r"^BROKEN: ([^:]+):", done.stdout, re.MULTILINE)
    lived = re.search(r"^(\d+) days", done.stdout, re.MULTILINE)
    if broken is not None and lived is not None:
        return f"simulate --seed {seed}, day {int(lived[1]) + 1}: {broken[1]}"
    last = (done.stderr.strip().splitlines() or [""])[-1]
    return f"simulate --seed {seed}: {last}" if done.returncode else ""


def _by_tests(tree: Path, tests: tuple[str, ...], seed: str) -> str:
    done = _run(
        tree,
        "pytest",
        "-n",
        "0",
        "-q",
        "-x",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        f"--hypothesis-seed={seed}",
        *tests,
    )
    failed = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    return failed[1].rpartition("/")[2] if failed is not None else ""


def _run(tree: Path, module: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
    environment |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_PROFILE": "ci"}
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=tree, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip


def main() -> int:
    """Run it; return how many were not found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=int, action="append", help="number of a promise")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", default="1")
    asked = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory(prefix="loket-mutated-") as folder:
        tree = Path(folder)
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, tree / name)
        for mutation in MUTATIONS:
            if asked.only and mutation.promise not in asked.only:
                continue
            began = time.monotonic()
            found = found_by(mutation, tree, asked.days, asked.seed)
            missed += not found
            print(
                f"{mutation.promise:2} {mutation.words:62} {found or 'NOT FOUND'} ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
    return missed


if __name__ == "__main__":
    sys.exit(main())
