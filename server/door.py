"""The SSH door as a child process of the server."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading

from core.config import Settings

log = logging.getLogger(__name__)

RESTART_SECONDS = 2.0  # a door that dies comes back; its people's drafts are on the server
STOP_SECONDS = 10.0


class Door:
    """Keeps one door process running until stopped."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="door", daemon=True)

    def start(self) -> None:
        """Start the process and the thread that watches it."""
        self._thread.start()

    def stop(self) -> None:
        """End the process; people are told by the door itself."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self._thread.join(STOP_SECONDS)

    def _keep(self) -> None:
        environment = {
            **os.environ,
            "LOKET_HOME": str(self._settings.home),
            "LOKET_SSH": f"{self._settings.ssh.host}:{self._settings.ssh.port}",
            "LOKET_HTTP": f"{self._settings.http.host}:{self._settings.http.port}",
        }
        while not self._stopping.is_set():
            # The door reads the end of this pipe when the server is gone, however it went.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tui.door", "--with-parent"], env=environment, stdin=subprocess.PIPE
            )
            code = self._process.wait()
            if not self._stopping.is_set():
                log.error("the SSH door ended with code %s; starting it again", code)
                self._stopping.wait(RESTART_SECONDS)
