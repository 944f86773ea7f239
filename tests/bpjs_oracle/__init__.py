"""Node's crypto and npm's `lz-string`: BPJS's encryption as another program has it."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
INSTALL = ("npm", "ci", "--silent", "--no-audit", "--no-fund")


def ask(questions: Sequence[dict[str, Any]]) -> list[Any]:
    """Return the oracle's answers, in order; skips the test where there is no node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node here")
    with (FOLDER / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not (FOLDER / "node_modules" / "lz-string").is_dir():
            done = subprocess.run(INSTALL, cwd=FOLDER, check=False, capture_output=True)
            if done.returncode:
                pytest.skip("the npm package could not be installed")
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    answer = subprocess.run(
        ["node", str(FOLDER / "oracle.js")], input=lines, capture_output=True, text=True, check=True
    )
    return json.loads(answer.stdout)
