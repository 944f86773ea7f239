"""Looks the pinned dependencies up among known vulnerabilities, and says which could not be looked up.

    python .ci/audit_deps.py [--strict]

pip-audit takes what it cannot look up for no fault, so that a run without a line to the advisories would pass as clean.
Here a known fault fails the run, and what nobody looked at is said; with `--strict` it fails too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
SECONDS = 300
FAULTY, UNKNOWN = 1, 3
"""Exit statuses: a fault is known; with `--strict`, something was not looked up."""


def verdict(dependencies: Sequence[dict[str, Any]], *, strict: bool) -> tuple[int, list[str]]:
    """Return the exit status and what to print.

    Args:
        dependencies: As pip-audit lists them.
        strict: Whether what was not looked up fails.
    """
    faulty = [item for item in dependencies if item.get("vulns")]
    unknown = [item for item in dependencies if "vulns" not in item]
    lines = [
        f"{item['name']} {item.get('version', '')}: {', '.join(fault['id'] for fault in item['vulns'])}"
        for item in faulty
    ]
    looked_up = len(dependencies) - len(unknown)
    lines.append(f"dependencies: {looked_up} looked up, {len(faulty)} with known faults")
    if unknown or not dependencies:
        lines.append(f"NOT LOOKED UP: {len(unknown)} (no advisories here); nothing is known of their faults")
    if faulty:
        return FAULTY, lines
    return (UNKNOWN if strict and (unknown or not dependencies) else 0), lines


def looked_up() -> list[dict[str, Any]]:
    """Return pip-audit's list of the lock; an empty one where it could not work."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "-r", str(LOCK), "-f", "json"]
    try:
        done = subprocess.run(
            [*command, "--progress-spinner", "off"], capture_output=True, check=False, timeout=SECONDS
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError):
        return []
    return found


if __name__ == "__main__":
    status, said = verdict(looked_up(), strict="--strict" in sys.argv[1:])
    sys.stdout.write("\n".join(said) + "\n")
    sys.exit(status)
