"""The SSH door as a child process of the server."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping

from core.foundation.config import SECRETS, Settings
from core.foundation.setting_variables import variable

log = logging.getLogger(__name__)

NOT_FOR_THE_DOOR = (*SECRETS, "database_url", "satusehat_client_id", "jkn_username")
RESTART_SECONDS = 2.0  # seconds before a door that died is started again; its users' drafts are on the server
STOP_SECONDS = 10.0  # for the door to close its sessions before it is killed


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what the door has no use for: it signs people in and keeps no records."""
    hidden = {variable(name) for name in NOT_FOR_THE_DOOR}
    return {name: value for name, value in environment.items() if name.removesuffix("_FILE") not in hidden}


class DoorProcess:
    """Keeps one door process running until stopped."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._may_open = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="door", daemon=True)

    def get_ready(self) -> None:
        """Let the door load its code beside the core's own start; not where both would share one processor."""
        if (os.cpu_count() or 1) > 1:
            self._thread.start()

    def open(self) -> None:
        """Let the door take people in: the core has passed its checks, and the door's credential is written."""
        self._may_open.set()
        if not self._thread.is_alive():
            self._thread.start()

    def stop(self) -> None:
        """End the process, if there is one; the door itself informs its users."""
        self._stopping.set()
        self._may_open.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _keep(self) -> None:
        environment = {
            **without_secrets(os.environ),
            "LOKET_HOME": str(self._settings.home),
            "LOKET_SSH": f"{self._settings.ssh.host}:{self._settings.ssh.port}",
            "LOKET_HTTP": f"{self._settings.http.host}:{self._settings.http.port}",
            "LOKET_PLAIN_HTTP": "yes" if self._settings.plain_http else "no",
            "LOKET_TLS_CERTIFICATE": self._settings.tls_certificate,
        }
        while not self._stopping.is_set():
            # The door reads the end of this pipe when the server is gone, for whatever reason.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tui.door", "--with-parent"], env=environment, stdin=subprocess.PIPE
            )
            self._may_open.wait()
            if not self._stopping.is_set():
                self._let_open(self._process)
            code = self._process.wait()
            if not self._stopping.is_set():
                log.error("the SSH door ended with code %s; starting it again", code)
                self._stopping.wait(RESTART_SECONDS)

    @staticmethod
    def _let_open(process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended before
            process.stdin.write(b"\n")
            process.stdin.flush()
