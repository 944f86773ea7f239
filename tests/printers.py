"""A printer on TCP port 9100, as far as a server can tell."""

from __future__ import annotations

import socket
import threading


class TcpPrinter:
    """A printer that keeps what it gets and tells how its paper is."""

    def __init__(self, status: bytes | None = b"\x12") -> None:
        self.status = status
        self.jobs: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                asked, data = connection.recv(3), b""
                assert asked == b"\x10\x04\x04"
                if self.status is not None:
                    connection.sendall(self.status)
                while part := connection.recv(65536):
                    data += part
            self.jobs.append(data)

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._thread.join()
