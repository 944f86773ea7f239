"""A line to PostgreSQL that can fall silent, no bytes pass any more and nothing is closed, and that counts round trips."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class SilentLine:
    """A relay to PostgreSQL that can stop passing bytes on, without closing anything.

    Attributes:
        port: Its own port.
        round_trips: Questions that were sent after an answer, or first: how often the far side is waited for.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._passing = threading.Event()
        self._passing.set()
        self.round_trips = 0
        self._has_asked = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def through(self, url: str) -> str:
        """Return the URL of a database by way of this line."""
        parts = urlsplit(url)
        return url.replace(f"{parts.hostname}:{parts.port}", f"127.0.0.1:{self.port}")

    def fall_silent(self) -> None:
        self._passing.clear()

    def come_back(self) -> None:
        self._passing.set()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            for source, sink, asks in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pass_on, args=(source, sink, asks), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._passing.wait()
                self.round_trips += asks and not self._has_asked
                self._has_asked = asks
                sink.sendall(data)
        self._passing.wait()
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
