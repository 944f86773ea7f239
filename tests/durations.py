"""Keeps the cores busy: the longest test files are started first, by two workers a core.

`tests/durations.json` holds the seconds of each file as last measured; a file that is not in it is
started first. `pytest --measure` writes it again. The order within a file never changes.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("durations.json")
ROOT = Path(__file__).parents[1]
WORKERS_A_CORE = 2
"""Half of the time of a run goes into waiting for other processes and for timers; a second worker uses it."""
MOST_WORKERS = 8
"""Each reads all the tests and holds 300 MB."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--measure", action="store_true", help="Write tests/durations.json again.")


def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers `-n auto` stands for."""
    return min(WORKERS_A_CORE * (os.cpu_count() or 1), MOST_WORKERS)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--measure") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Measurement(), "durations-of-test-files")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    items.sort(key=lambda item: -known.get(_file_of(item.nodeid), float("inf")))


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


class Measurement:
    """Adds up setup, call and teardown of the tests of each file."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[_file_of(report.nodeid)] += report.duration  # type: ignore[assignment]

    def pytest_sessionfinish(self) -> None:
        kept = json.loads(FILE.read_text()) if FILE.exists() else {}
        measured = {file: round(seconds, 1) for file, seconds in self.seconds.items()}
        both = {file: seconds for file, seconds in {**kept, **measured}.items() if (ROOT / file).exists()}
        FILE.write_text(json.dumps(both, indent=1, sort_keys=True) + "\n")
