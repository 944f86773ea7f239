"""A key and a second factor over a real SSH connection: the key alone shows nothing, the code opens."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.accounts import second_factor
from tests.e2e.line_terminals import LineTerminal
from tests.e2e.terminals import DemoClinic, Terminal
from tests.people import Caller

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")
FIRST_SCREEN = {"supervisor": "Board", "admin": "Close the day"}
"""Words that each sees first, and only after the code."""
FIRST_LINE = {"supervisor": "waiting", "admin": "Search"}


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Iterator[DemoClinic]:
    home = tmp_path_factory.mktemp("clinic") / "home"
    shutil.copytree(demo_home, home)
    with DemoClinic(home) as running:
        yield running


def key_of(clinic: DemoClinic, username: str) -> Path:
    """The private half of a new key, whose public half the admin has added."""
    key = clinic.home.parent / f"key-{username}"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, capture_output=True
    )
    with Caller(clinic.url, "admin") as admin:
        public = {"public_key": key.with_suffix(".pub").read_text().strip()}
        assert admin.post(f"accounts/{username}/keys", json=public).is_success
    return key


def factor_of(clinic: DemoClinic, username: str) -> str:
    """A second factor, set up with the code of a step ago: that of now is still to be used."""
    with Caller(clinic.url, username) as person:
        secret = str(person.post("account/second-factor").json()["secret"])
        for _ in range(5):  # a step may end between making the code and its arrival
            code = second_factor.code_at(secret, time.time() - second_factor.STEP_SECONDS)
            answer = person.put("account/second-factor", json={"secret": secret, "code": code})
            if answer.status_code == 204:
                break
        assert answer.status_code == 204, answer.text
    return secret


def command(clinic: DemoClinic, username: str, key: Path, how: str) -> list[str]:
    return [
        "ssh", how, "-p", str(clinic.ssh_port), "-i", str(key), "-o", "IdentitiesOnly=yes",
        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
        "-o", "PasswordAuthentication=no", "-o", "KbdInteractiveAuthentication=no", "-F", "/dev/null",
        f"{username}@127.0.0.1",
    ]  # fmt: skip


@pytest.mark.parametrize("username", FIRST_SCREEN)
def test_the_code_is_asked_after_the_key(clinic: DemoClinic, username: str) -> None:
    key, secret = key_of(clinic, username), factor_of(clinic, username)
    environment = {**os.environ, "TERM": "xterm"}
    with Terminal(command(clinic, username, key, "-tt"), environment) as person:
        person.wait_for("six digits")
        assert FIRST_SCREEN[username] not in person.text
        person.press("000000<Enter>")
        person.wait_for("not the code")
        assert FIRST_SCREEN[username] not in person.text
        person.press(f"{second_factor.code_at(secret, time.time())}<Enter>")
        person.wait_for(FIRST_SCREEN[username])
    ahead = second_factor.code_at(secret, time.time() + second_factor.STEP_SECONDS)
    with LineTerminal(command(clinic, username, key, "-T"), {**environment, "TERM": "dumb"}) as person:
        person.hears("six digits")
        person.answers("000000")
        person.hears("not the code")
        person.answers(ahead)
        person.hears(FIRST_LINE[username])
