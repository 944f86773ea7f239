"""What the PyPI package `satusehat-integration` makes of the same facts, for a comparison field by field.

Its wheel imports `src.*`, the name of its own source folder, under which it does not install itself. Its files are unpacked into a
folder of that name outside the checkout and run in a process of their own; nothing of it is kept here.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

VERSION = "4.14.1"
FOLDER = Path(tempfile.gettempdir()) / f"loket-satusehat-integration-{VERSION}"
BUILDS = Path(__file__).parent / "builds.py"
SECONDS = 120
"""Longest wait for the package's download."""


def payloads(facts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the package's resources; skips the test where it cannot be had.

    Args:
        facts: Each: `builder`, the name of a class, and `calls`, its methods with their arguments, in order.
    """
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not (FOLDER / "src" / "builder").is_dir():
            _unpack()
    done = subprocess.run(
        [sys.executable, str(BUILDS), str(FOLDER)],
        input=json.dumps(list(facts)),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _unpack() -> None:
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(FOLDER),
        f"satusehat-integration=={VERSION}",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip("the package index does not answer")
    wheels = list(FOLDER.glob("*.whl"))
    if done.returncode or not wheels:
        pytest.skip("satusehat-integration could not be downloaded")
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extractall(FOLDER / "src")
