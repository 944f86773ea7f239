"""A line to the office that breaks: a TCP proxy that cuts, loses, refuses and stalls by a seeded plan."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

REFUSAL = b"HTTP/1.1 %b\r\ncontent-length: 4\r\ncontent-type: text/html\r\n%bconnection: close\r\n\r\nbusy"
FAULTS = ("cut_request", "cut_answer", "lose_answer", "error_500", "busy_503", "stall", "garbage")


class FaultyLink:
    """Listens on a free port; every connection gets one fault, or none, by `share`."""

    def __init__(
        self, target: str, *, seed: int = 1, share: float = 0.7, faults: Sequence[str] = FAULTS
    ) -> None:
        parts = urlsplit(target)
        assert parts.hostname is not None
        self._target = (parts.hostname, parts.port or 80)
        self._random = random.Random(seed)
        self.share = share
        self._faults = faults
        self.met: Counter[str] = Counter()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{parts.path}"

    def close(self) -> None:
        self._open = False
        self._listener.close()

    def retarget(self, target: str) -> None:
        parts = urlsplit(target)
        assert parts.hostname is not None
        self._target = (parts.hostname, parts.port or 80)

    def _accept(self) -> None:
        while self._open:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            fault = self._random.choice(self._faults) if self._random.random() < self.share else "none"
            at = self._random.randrange(1, 4000)
            self.met[fault] += 1
            threading.Thread(target=self._serve, args=(client, fault, at), daemon=True).start()

    def _serve(self, client: socket.socket, fault: str, at: int) -> None:
        with client, contextlib.suppress(OSError):
            if fault == "stall":
                _read_request(client)
                return
            if fault in {"error_500", "busy_503", "garbage"}:
                _read_request(client)
                if fault == "garbage":
                    client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>")
                elif fault == "error_500":
                    client.sendall(REFUSAL % (b"500 Internal Server Error", b""))
                else:
                    client.sendall(REFUSAL % (b"503 Service Unavailable", b"retry-after: 0\r\n"))
                return
            with socket.create_connection(self._target, timeout=10) as office:
                self._relay(client, office, fault, at)

    def _relay(self, client: socket.socket, office: socket.socket, fault: str, at: int) -> None:
        up = threading.Thread(
            target=self._up, args=(client, office, at if fault == "cut_request" else None), daemon=True
        )
        up.start()
        passed = 0
        while chunk := office.recv(65536):
            if fault == "lose_answer":
                # The office has committed; the clinic never hears of it.
                client.shutdown(socket.SHUT_RDWR)
                return
            if fault == "cut_answer" and passed + len(chunk) >= at:
                client.sendall(chunk[: max(0, at - passed)])
                client.shutdown(socket.SHUT_RDWR)
                return
            client.sendall(chunk)
            passed += len(chunk)

    def _up(self, client: socket.socket, office: socket.socket, cut_at: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while chunk := client.recv(65536):
                if cut_at is not None and passed + len(chunk) >= cut_at:
                    office.sendall(chunk[: cut_at - passed])
                    office.shutdown(socket.SHUT_WR)
                    client.shutdown(socket.SHUT_RDWR)
                    return
                office.sendall(chunk)
                passed += len(chunk)


def _read_request(client: socket.socket) -> None:
    """Read one request to its end, told by its Content-Length: nothing is waited for."""
    with client.makefile("rb") as stream:
        length = 0
        while (line := stream.readline()) not in {b"\r\n", b""}:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        stream.read(length)
