"""The SSH door as a child process of the server."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

from core.foundation.config import SECRETS, Settings
from core.foundation.setting_variables import variable

log = logging.getLogger(__name__)

NOT_FOR_THE_DOOR = (*SECRETS, "database_url", "satusehat_client_id", "jkn_username")
RESTART_SECONDS = 2.0  # seconds before a door that died is started again; its users' drafts are on the server
LOOK_SECONDS = 0.2  # seconds between two looks whether a door that was kept still runs
STOP_SECONDS = 10.0  # for the door to close its sessions before it is killed


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what the door has no use for: it signs people in and keeps no records."""
    hidden = {variable(name) for name in NOT_FOR_THE_DOOR}
    return {name: value for name, value in environment.items() if name.removesuffix("_FILE") not in hidden}


SETTINGS = (
    *(name for name in Settings.model_fields if name.startswith("ssh")),
    "home", "http", "plain_http", "tls_certificate", "server_url", "server_fingerprint", "language",
    "idle_lock_minutes", "resume_minutes",
)  # fmt: skip
"""Settings that a door reads at its own start: one that runs can be kept only while they stay as they are."""


def may_be_kept(running: Settings, coming: Settings) -> bool:
    """Return whether a door goes on beside a server that starts again.

    Args:
        running: Settings with which the door was started.
        coming: Those of the server's next start.
    """
    return all(getattr(running, name) == getattr(coming, name) for name in SETTINGS)


class KeptDoor:
    """A door of the server before this one, which was the same process: still a child, and its pipe is open."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.stdin = os.fdopen(pipe, "wb")
        os.set_inheritable(pipe, False)
        self._status: int | None = None

    @classmethod
    def named(cls, words: str) -> KeptDoor:
        """Return the door that `DoorProcess.hand_over` named."""
        pid, pipe = map(int, words.split(":"))
        return cls(pid, pipe)

    def poll(self) -> int | None:
        """Return the exit status; None while it runs. What is no child of this process has ended."""
        if self._status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self._status = 0
            else:
                self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its end and return the exit status.

        Args:
            seconds: The longest wait; None: without end.

        Raises:
            subprocess.TimeoutExpired: It has not ended in time.
        """
        waited = 0.0
        while (status := self.poll()) is None:
            if seconds is not None and waited >= seconds:
                raise subprocess.TimeoutExpired("door", seconds)
            time.sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS
        return status

    def terminate(self) -> None:
        """Ask it to end."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


class DoorProcess:
    """Keeps one door process running until stopped."""

    def __init__(self, settings: Settings, kept: KeptDoor | None = None) -> None:
        """Prepare a door.

        Args:
            settings: Of the server.
            kept: A door that runs already.
        """
        self._settings = settings
        self._kept = kept
        self._is_handed_over = False
        self._stopping = threading.Event()
        self._may_open = threading.Event()
        self._process: subprocess.Popen[bytes] | KeptDoor | None = None
        self._thread = threading.Thread(target=self._keep, name="door", daemon=True)

    def get_ready(self) -> None:
        """Let the door load its code beside the core's own start; not where both would share one processor."""
        if (os.cpu_count() or 1) > 1:
            self._thread.start()

    def open(self) -> None:
        """Let the door take people in: the core has passed its checks, and the door's credential is written."""
        self._may_open.set()
        if not self.is_kept:
            self._thread.start()

    def hand_over(self) -> str:
        """Let the door go on while this process begins anew; return how that one finds it, empty when there is none."""
        process = self._process
        if process is None or process.poll() is not None or process.stdin is None:
            return ""
        self._is_handed_over = True
        self._stopping.set()
        pipe = os.dup(process.stdin.fileno())  # a number that no object closes
        os.set_inheritable(pipe, True)
        return f"{process.pid}:{pipe}"

    @property
    def is_kept(self) -> bool:
        """True while the process is watched, and started again when it ends."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End the process, if there is one and it was not handed over; the door itself informs its users."""
        if self._is_handed_over:
            return
        self._stopping.set()
        self._may_open.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        if self.is_kept:
            self._thread.join(STOP_SECONDS)

    def _keep(self) -> None:
        environment = {
            **without_secrets(os.environ),
            "LOKET_HOME": str(self._settings.home),
            "LOKET_SSH": f"{self._settings.ssh.host}:{self._settings.ssh.port}",
            "LOKET_HTTP": f"{self._settings.http.host}:{self._settings.http.port}",
            "LOKET_PLAIN_HTTP": "yes" if self._settings.plain_http else "no",
            "LOKET_TLS_CERTIFICATE": self._settings.tls_certificate,
            "LOKET_SERVER_URL": self._settings.server_url,
        }
        while not self._stopping.is_set():
            process = self._process = self._kept or self._begin(environment)
            self._may_open.wait()
            if self._stopping.is_set():
                # The start has failed, perhaps before there was a process to end.
                if not self._is_handed_over:
                    process.terminate()
            elif self._kept is None:
                self._let_open(process)
            self._kept = None
            code = process.wait()
            if not self._stopping.is_set():
                log.error("the SSH door ended with code %s; starting it again", code)
                self._stopping.wait(RESTART_SECONDS)

    @staticmethod
    def _begin(environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        # The door reads the end of this pipe when the server is gone, for whatever reason.
        command = [sys.executable, "-m", "tui.door", "--with-parent"]
        return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)

    @staticmethod
    def _let_open(process: subprocess.Popen[bytes] | KeptDoor) -> None:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended before
            process.stdin.write(b"\n")
            process.stdin.flush()
