"""A sign-in that ends while its screen is open: nothing more is shown, on a screen, in line mode, or detached."""

from __future__ import annotations

import os
import shutil
import sys
import time

import pytest

from tests import loket_command
from tests.e2e.terminals import DemoClinic, Terminal
from tests.people import Caller, patient

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")
LATER = "Pasien Setelah Itu"


def loket(clinic: DemoClinic, *words: str, given: str = "") -> None:
    loket_command.loket(*words, environment=clinic.environment, typed=given).check_returncode()


def registers_somebody(clinic: DemoClinic) -> None:
    with Caller(clinic.url, "clerk") as clerk:
        clerk.registered(patient=patient(name=LATER), chief_complaint="sakit gigi geraham")


def never_shows(terminal: Terminal, words: str, seconds: float = 4.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert words not in terminal.text
        assert words.encode() not in terminal.raw
        time.sleep(0.1)


@pytest.mark.parametrize(
    "words",
    [
        ("account", "disable", "dentist"),
        ("account", "edit", "dentist", "--role", "lab"),
        ("account", "sessions", "dentist", "--end-all"),
    ],
)
def test_a_screen_closes_when_its_sign_in_is_ended(clinic: DemoClinic, words: tuple[str, ...]) -> None:
    with clinic.sign_in("dentist") as dentist:
        dentist.wait_for("Poli Gigi")
        loket(clinic, *words)
        registers_somebody(clinic)
        never_shows(dentist, LATER)
        assert "sign-in has ended" in dentist.raw.decode("utf-8", "replace")


def test_a_screen_closes_when_its_role_loses_a_right(clinic: DemoClinic) -> None:
    asked = {"role": "clinician", "permission": "read_queues", "granted": False, "reason": "hanya mencoba"}
    with (
        clinic.sign_in("dentist") as dentist,
        Caller(clinic.url, "admin") as admin,
        Caller(clinic.url, "supervisor") as supervisor,
    ):
        dentist.wait_for("Poli Gigi")
        change = admin.post("rights/changes", json=asked).json()["id"]
        assert supervisor.post(f"rights/changes/{change}/approve").is_success
        registers_somebody(clinic)
        never_shows(dentist, LATER)
        assert "sign-in has ended" in dentist.raw.decode("utf-8", "replace")
        assert supervisor.get("accounts/me").is_success


def test_a_screen_locks_when_its_password_is_another(clinic: DemoClinic) -> None:
    with clinic.sign_in("dentist") as dentist:
        dentist.wait_for("Poli Gigi")
        loket(clinic, "account", "password", "dentist", "--password-stdin", given="kuda baterai lampu\n")
        registers_somebody(clinic)
        dentist.wait_for("Locked")
        never_shows(dentist, LATER)
        dentist.press("kuda baterai lampu<Enter>")
        dentist.wait_for("Choose a password")
        dentist.press("kuda baterai lampu<Enter>gerbong hijau sepeda<Enter>gerbong hijau sepeda<Enter>")
        dentist.wait_for("Poli Gigi", LATER)


def test_a_dialogue_of_lines_ends_with_its_sign_in(clinic: DemoClinic) -> None:
    with clinic.sign_in("dentist", term="dumb") as dentist:
        dentist.wait_for("Poli Gigi")
        loket(clinic, "account", "disable", "dentist")
        dentist.wait_for("sign-in has ended")
        registers_somebody(clinic)
        never_shows(dentist, LATER, 2.0)


def test_an_open_screen_of_ones_own_terminal_locks_too(clinic: DemoClinic) -> None:
    environment = {**os.environ, **clinic.environment, "TERM": "xterm"}
    command = [
        sys.executable,
        "-m",
        "tui",
        "--server",
        clinic.url,
        "--username",
        "dentist",
        "--language",
        "en",
    ]
    with Terminal(command, environment) as dentist:
        dentist.wait_for("Password")
        dentist.press("demo<Enter>")
        dentist.wait_for("Poli Gigi")
        loket(clinic, "account", "disable", "dentist")
        dentist.wait_for("Locked")
        registers_somebody(clinic)
        never_shows(dentist, LATER, 2.0)


def test_a_door_that_hears_nothing_locks_its_screens(clinic: DemoClinic) -> None:
    with clinic.sign_in("dentist") as dentist:
        dentist.wait_for("Poli Gigi")
        os.kill(clinic.process.pid, 19)  # SIGSTOP: it takes connections and says nothing
        try:
            dentist.wait_for("Locked")
        finally:
            os.kill(clinic.process.pid, 18)
