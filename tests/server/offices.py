"""A real office over real HTTP, and what it holds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.foundation.config import HostPort, Settings
from server.office import transactions
from server.office.app import add_clinic, make_server
from server.office.models import Resource, connection, database

CODE = "P6371010101"


class Office:
    """An office in a thread of this process, on a free port and a database of its own."""

    def __init__(self, home: Path, port: int = 0, **settings: Any) -> None:
        address = HostPort(host="127.0.0.1", port=port)
        self.settings = Settings(home=home, office_http=address, **settings)
        self.token = add_clinic(self.settings, CODE, "Puskesmas Contoh")
        self._start()

    def _start(self) -> None:
        self._server = make_server(self.settings)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the office did not start"
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.settings = self.settings.model_copy(
            update={"office_http": HostPort(host="127.0.0.1", port=port)}
        )

    @property
    def url(self) -> str:
        return self.settings.office_http.url

    @property
    def fhir(self) -> str:
        return f"{self.url}/fhir"

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def page(self, path: str = "", **asked: Any) -> httpx.Response:
        """The page or one of its files, with the office's own password."""
        viewer = (self.settings.home / "office.password").read_text().strip()
        return httpx.get(f"{self.url}{path}", auth=("office", viewer), **asked)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    def restart(self) -> None:
        self.stop()
        self._start()

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """For the block its database cannot grow by a page: what is stored fails as on a full disk."""
        with connection():
            limit = database.execute_sql("PRAGMA page_count").fetchone()[0]
        store = transactions._store

        def limited(*given: Any) -> Any:
            # A limit belongs to a connection, and each of the office's threads has one of its own.
            database.execute_sql(f"PRAGMA max_page_count = {limit}")
            try:
                return store(*given)
            finally:
                database.execute_sql("PRAGMA max_page_count = 1000000")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transactions, "_store", limited)
            yield

    def held(self, code: str = CODE) -> dict[str, str]:
        """`Type/value` -> digest of everything it holds of a clinic."""
        with connection():
            rows = Resource.select().where(Resource.clinic == code)
            return {f"{row.type}/{row.value}": row.digest for row in rows}

    def bodies(self, kind: str, code: str = CODE) -> dict[str, str]:
        with connection():
            rows = Resource.select().where(Resource.clinic == code, Resource.type == kind)
            return {row.value: row.body for row in rows}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A city's office in a folder of the test."""
    running = Office(tmp_path / "office")
    yield running
    running.stop()
