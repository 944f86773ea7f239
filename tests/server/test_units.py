"""The systemd units leave a service little that it could do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[2] / "deploy").glob("*.service"))
WORST = 3.0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_exposure_of_each_unit_is_three_or_better(unit: Path) -> None:
    """C10: as `systemd-analyze security` counts it; 10 is the worst."""
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    found = re.search(r"Overall exposure level for \S+: (\d+\.\d)", told)
    assert found is not None, told
    assert float(found[1]) <= WORST


def test_there_are_units() -> None:
    assert {unit.name for unit in UNITS} >= {"loket.service", "loket-office.service"}
    for unit in UNITS:
        assert "LimitCORE=0" in unit.read_text()
