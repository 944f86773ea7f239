"""The door that a server starts opens when it is told to, and not before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.foundation.config import Settings
from server import door_process
from server.door_process import DoorProcess
from tests.ports import free_port


@pytest.mark.parametrize(
    ("told", "status", "said"),
    [
        (b"", 0, ""),  # the server is gone before its checks were done
        (b"\n", 2, "no door credential"),  # read only then: the core's checks may write it anew
    ],
)
def test_a_door_waits_for_the_checks_of_the_core(told: bytes, status: int, said: str, tmp_path: Path) -> None:
    environment = {"LOKET_HOME": str(tmp_path), "LOKET_SSH": f"127.0.0.1:{free_port()}"}
    ended = subprocess.run(
        [sys.executable, "-m", "tui.door", "--with-parent"],
        input=told, capture_output=True, env=environment, cwd=Path(__file__).parents[2], timeout=120,
    )  # fmt: skip
    assert ended.returncode == status
    assert said in ended.stderr.decode()
    assert "listens" not in ended.stderr.decode()


def test_a_start_that_fails_leaves_no_door_and_waits_for_none(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def begin(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        begun.append(real(*arguments, **options))
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", begin)
    monkeypatch.setattr(door_process, "STOP_SECONDS", 60.0)
    door = DoorProcess(settings)
    door.get_ready()
    door.stop()  # as early as it can be
    assert not door.is_kept
    assert [process.poll() is not None for process in begun] in ([], [True])
