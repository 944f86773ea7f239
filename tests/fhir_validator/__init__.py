"""A second independent opinion on FHIR R4: the npm package `fhir`, run by node."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
CONDITIONAL = re.compile(r'"reference": "([A-Za-z]+)\?([^"]+)"')
INSTALL = ("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")


def _resolved(found: re.Match[str]) -> str:
    return f'"reference": "{found[1]}/{zlib.crc32(found[2].encode())}"'


def problems(resources: Sequence[dict[str, Any]]) -> list[list[str]]:
    """List the mistakes of each resource; skips the test where there is no node."""
    return ask(FOLDER, "fhir", resources)


def ask(folder: Path, package: str, resources: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return the words of the validator in a folder about each resource; skips the test where there is no node.

    Args:
        folder: With `validate.js` and the locked package.
        package: Its name, once it is installed.
        resources: The resources.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node here")
    with (folder / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not (folder / "node_modules" / package).is_dir():
            done = subprocess.run(INSTALL, cwd=folder, check=False, capture_output=True)
            if done.returncode:
                pytest.skip("the npm package could not be installed")
    # It reads only what a receiver stores: a conditional reference resolved to an id.
    lines = "".join(CONDITIONAL.sub(_resolved, json.dumps(resource)) + "\n" for resource in resources)
    answer = subprocess.run(
        ["node", str(folder / "validate.js")], input=lines, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in answer.stdout.splitlines()]
