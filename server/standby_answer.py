"""Answers whoever asks a standby: alive, but not the core. Only on this machine; nobody is served."""

from __future__ import annotations

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from core.foundation.config import Settings

log = logging.getLogger(__name__)

CODE = "standby"


class _Handler(BaseHTTPRequestHandler):
    """Answers 503 to everything but `/healthz`."""

    timeout = 10

    def handle_one_request(self) -> None:
        """Answer one request, whatever its method."""
        self.raw_requestline = self.rfile.readline(65_537)
        self.close_connection = True
        if not self.raw_requestline or not self.parse_request():
            return
        if self.path == "/healthz":
            self._answer(200, "text/plain", "ok\n")
        elif self.path == "/readyz":
            self._answer(503, "text/plain", f"{CODE}\n")
        else:
            problem = {"title": "Standby", "status": 503, "code": CODE, "fields": {}, "details": {}}
            self._answer(503, "application/problem+json", json.dumps(problem))

    def _answer(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
        """Write no paths into the log."""


class StandbyAnswer:
    """Listens at the port of the settings while the block runs; where it is taken, the standby follows all the same."""

    def __init__(self, settings: Settings) -> None:
        self._port = settings.http.port
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> StandbyAnswer:
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _Handler)
        except OSError as error:
            log.warning("port %s is taken: %s", self._port, error.strerror)
            return self
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True, name="loket-standby").start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
