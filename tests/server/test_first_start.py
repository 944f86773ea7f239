"""The first start tells its secrets to a person, never to a journal (C9)."""

from __future__ import annotations

import io
import re
import stat
import sys
from pathlib import Path

import httpx
import pytest

from core.foundation.config import Settings
from server import first_start
from server.doctor import machine_checks
from server.run import Background
from tests.server.test_command import Command


class Terminal(io.StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        return True


def signs_in(server: Background, password: str) -> bool:
    body = {"username": "admin", "password": password}
    return httpx.post(f"{server.url}/api/v1/tokens", json=body, timeout=60).status_code == 201


def password_in(text: str) -> str:
    found = re.search(r"(?:kata sandi|password) (\S+)", text)
    assert found is not None, text
    return found[1]


def test_without_a_terminal_the_secrets_wait_in_a_file_that_is_shown_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    home = tmp_path / "home"
    with Background(Settings(home=home), demo=False) as server:
        file = home / first_start.FILE
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert httpx.get(f"{server.url}/readyz").status_code == 200
        assert "AGE-SECRET-KEY" not in said.getvalue()
        assert "first-start show" in said.getvalue()
        (waiting,) = [one for one in machine_checks.check_at_rest(home) if one.subject == "secrets"]
        assert waiting.level == "warning"
        loket = Command(home)
        code, shown, _ = loket("first-start", "show")
        assert code == 0
        assert "AGE-SECRET-KEY-1" in shown
        assert "# signer " in shown
        password = password_in(shown)
        assert password not in said.getvalue()
        assert signs_in(server, password)
        assert not file.exists()
        code, shown, told = loket("first-start", "show")
        assert (code, shown) == (1, "")
        assert "read already" in told
    with Background(Settings(home=home), demo=False):
        assert not file.exists()


def test_at_a_terminal_they_are_shown_there_and_nowhere_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Terminal()
    monkeypatch.setattr(sys, "stderr", said)
    with Background(Settings(home=tmp_path / "home"), demo=False) as server:
        assert "AGE-SECRET-KEY-1" in said.getvalue()
        assert signs_in(server, password_in(said.getvalue()))
        assert not (tmp_path / "home" / first_start.FILE).exists()
