"""A further language is a catalogue and texts in data: no module of the program changes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LANGUAGE = "qaa"
"""Of the codes that ISO 639 keeps for private use."""
CATALOGUE = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8"

msgid "Reports"
msgstr "Lapoqa"
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A copy of the program with a catalogue of the made-up language, and the titles of a report and two codes."""
    folder = tmp_path / "program"
    for package in ("core", "server", "tui"):
        shutil.copytree(ROOT / package, folder / package)
    messages = folder / "tui/locale" / LANGUAGE / "LC_MESSAGES"
    messages.mkdir(parents=True)
    (messages / "loket.po").write_text(CATALOGUE)
    reports = folder / "core/data/reports.toml"
    english = 'title.en = "LB1 diseases of the month"\n'
    assert english in reports.read_text()
    reports.write_text(reports.read_text().replace(english, f'{english}title.{LANGUAGE} = "Penyaqit"\n'))
    for file, code in (("icd10.csv", "I10"), ("procedures.csv", "23.09")):
        listed = folder / "core/data" / file
        heading, *lines = listed.read_text().splitlines()
        titled = [f"{line},Qode {code}" if line.startswith(f"{code},") else f"{line}," for line in lines]
        listed.write_text("\n".join([f"{heading},title_{LANGUAGE}", *titled]) + "\n")
    return folder


def test_a_made_up_language_is_shown_and_what_it_lacks_is_english(program: Path, demo_home: Path) -> None:
    shutil.copytree(demo_home, program / "home")
    shown = subprocess.run(
        [sys.executable, "-m", "tests.tui.language_screen", str(program / "home"), LANGUAGE],
        capture_output=True, text=True, timeout=240, cwd=program,
        env={**os.environ, "PYTHONPATH": f"{program}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(f"{program}\n")
    assert "Lapoqa" in shown.stdout  # the catalogue's
    assert "Penyaqit" in shown.stdout  # the data's
    assert "LB1 diseases of the month" not in shown.stdout
    assert "Qode I10" in shown.stdout
    assert "Qode 23.09" in shown.stdout
    assert "Waits and services" in shown.stdout  # data without the language
    assert "Close the day" in shown.stdout  # a sentence without translation
    assert "Waktu tunggu" not in shown.stdout
