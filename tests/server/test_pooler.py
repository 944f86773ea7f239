"""A pooler between Loket and PostgreSQL that keeps no sessions is refused with a sentence, not met by a clerk."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from core.foundation import feed
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database, open_database, require_sessions
from core.foundation.errors import DatabaseError
from server import doctor
from server.doctor import database_checks
from tests.postgres import cluster

PROTOCOL = 196_608  # 3.0; other numbers ask for encryption, which it has not


class Pooler:
    """The ways of pgbouncer with the parameters of a session: refuses them (the default), or leaves them out.

    Real sessions stay apart, so that what fails is only what Loket must see by itself.
    """

    def __init__(self, url: str, *, refuses: bool) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._refuses = refuses
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = url.replace(str(parts.port), str(self._listener.getsockname()[1]))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError, struct.error):
            while (startup := _startup(near))[0] != PROTOCOL:
                near.sendall(b"N")
            words = startup[1].rstrip(b"\0").split(b"\0")
            given = dict(zip(words[::2], words[1::2], strict=True))
            if b"options" in given and self._refuses:
                fault = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
                near.sendall(b"E" + struct.pack("!I", len(fault) + 4) + fault)
                near.close()
                return
            given.pop(b"options", None)
            body = b"".join(key + b"\0" + value + b"\0" for key, value in given.items()) + b"\0"
            far = socket.create_connection(self._target)
            far.sendall(struct.pack("!II", len(body) + 8, PROTOCOL) + body)
            threading.Thread(target=_relay, args=(far, near), daemon=True).start()
            _relay(near, far)


def _startup(near: socket.socket) -> tuple[int, bytes]:
    length, number = struct.unpack("!II", near.recv(8, socket.MSG_WAITALL))
    return number, near.recv(length - 8, socket.MSG_WAITALL) if length > 8 else b""


def _relay(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with cluster() as url:
        yield f"{url}postgres"


@pytest.fixture(params=[True, False], ids=["refuses_parameters", "leaves_them_out"])
def pooler(postgres: str, request: pytest.FixtureRequest) -> Iterator[Pooler]:
    made = Pooler(postgres, refuses=request.param)
    yield made
    database.close()
    made.close()


def test_a_pooler_is_refused_at_the_start_and_by_the_doctor(pooler: Pooler, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", database_url=pooler.url)
    with pytest.raises(DatabaseError) as refused:
        Clinic.open(settings)
    assert refused.value.reason == "database_pooler"
    findings = doctor.examine(settings)
    (said,) = [finding for finding in findings if finding.subject == "database"]
    assert said.level == "error"
    assert "pooler" in said.words
    assert "LOKET_DATABASE_URL" in said.words


def test_postgresql_itself_is_taken_and_hears(postgres: str) -> None:
    open_database(postgres)
    with connection():
        require_sessions(postgres)
        assert feed.hears_others()


def test_who_sets_options_of_their_own_is_trusted(postgres: str) -> None:
    url = f"{postgres}?options=-c%20lock_timeout%3D1s"
    open_database(url)
    with connection():
        require_sessions(url)
        assert database.execute_sql("SHOW lock_timeout").fetchone()[0] == "1s"


def test_a_word_that_is_swallowed_is_told(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler that sets the limits by itself and still hands a session to many: LISTEN hears nothing there."""
    clinic = Clinic.open(Settings(home=tmp_path / "home", database_url=postgres))
    with connection():
        assert [finding.level for finding in database_checks.check_database(clinic)] == ["ok"]
        monkeypatch.setattr(feed, "PROBE_SECONDS", 0.05)
        monkeypatch.setattr(feed, "NOTIFY", "SELECT %s")  # sent, and heard by nobody
        said = list(database_checks.check_database(clinic))
    assert [finding.level for finding in said] == ["ok", "error"]
    assert "pooler" in said[1].words
