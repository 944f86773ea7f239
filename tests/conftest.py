"""What all tests share: no test sees this machine's own Loket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from types import ModuleType

import apsw
import httpx
import hypothesis
import peewee
import pytest
import uvicorn.server
from argon2 import PasswordHasher

from core.accounts import passwords
from core.foundation import clinic, migrations
from core.foundation.config import Settings
from core.foundation.database import database
from server import connections
from server.run import Background
from tests.people import Caller

pytest_plugins = [
    "tests.scratch",
    "tests.garbage",
    "tests.durations",
    "tests.postgres",
    "tests.core.days",
    "tests.server.offices",
]

hypothesis.settings.register_profile("loket", deadline=None)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=3000)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "loket"))


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("LOKET_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LOKET_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash passwords with argon2's lowest cost in this process.

    Nearly every clinic of the tests has accounts, and hashing eight passwords takes seconds; so does each
    sign-in. No setting lowers the cost in a running server: a server that a test starts as a process of its
    own hashes as it does in a clinic, and a name that nobody has costs what it costs there.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session", autouse=True)
def tables_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give an empty SQLite file the tables of the first clinic of this process: nine tenths of opening a clinic.

    That first one takes all the steps, and so do PostgreSQL, a database that holds tables already, and whoever
    calls `core.foundation.migrations`, as the tests of the steps do.
    """
    template = tmp_path_factory.mktemp("tables") / "empty.sqlite3"
    applied: list[str] = []

    def tables(database: peewee.Database) -> list[str]:
        if not isinstance(database, peewee.SqliteDatabase) or database.get_tables():
            return migrations.migrate(database)
        if not template.exists():
            applied.extend(migrations.migrate(database))
            migrations.copy_sqlite(Path(str(database.database)), template)
            return applied
        with (
            contextlib.closing(apsw.Connection(str(template))) as source,
            database.connection().backup("main", source, "main") as running,
        ):
            running.step()
        return applied

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clinic, "migrate", tables)
        yield


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once() -> Iterator[None]:
    """Read the authorities' certificates once a process: each of httpx's clients reads them, in 20 ms and more.

    All that the tests ask is on this machine, without certificates.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx._transports.default, "create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def servers_that_end_soon() -> Iterator[None]:
    """Let uvicorn look whether it is to end, and whether its connections have ended, ten times as often.

    It looks every tenth of a second, and waits two of them at the end of each of the tests' thousand servers.
    """

    class Hurried(ModuleType):
        __getattr__ = staticmethod(partial(getattr, asyncio))

        @staticmethod
        async def sleep(seconds: float) -> None:
            await asyncio.sleep(seconds / 10)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.server, "asyncio", Hurried("asyncio"))
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_refusals() -> Iterator[None]:
    """Answer refused guesses at once in this process: the tests are refused some hundred times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "SLOW_ANSWER_SECONDS", 0.0)
        patch.setattr(connections, "TURNED_AWAY_SECONDS", 0.0)
        yield


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo clinic's data folder, made once: its tables and terminology take a second."""
    home = tmp_path_factory.mktemp("demo")
    with Background(Settings(home=home)):
        pass
    database.close()
    for file in home.glob("*.sqlite3"):
        with contextlib.closing(sqlite3.connect(file)) as whole:
            whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    # Threads of the server close their connections when they end, and SQLite's files beside the database go
    # with the last of them: perhaps in the middle of a test's copy.
    copied = tmp_path_factory.mktemp("demos") / "home"
    shutil.copytree(home, copied, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    return copied


@pytest.fixture
def settings(tmp_path: Path, demo_home: Path) -> Settings:
    """Settings of a demo clinic on files of its own."""
    shutil.copytree(demo_home, tmp_path / "home")
    return Settings(home=tmp_path / "home")


@pytest.fixture
def server(settings: Settings) -> Iterator[Background]:
    """A demo clinic over real HTTP, on a database file of its own."""
    with Background(settings) as running:
        yield running


@pytest.fixture
def clerk(server: Background) -> Iterator[Caller]:
    with Caller(server.url, "clerk") as caller:
        yield caller


@pytest.fixture
def dentist(server: Background) -> Iterator[Caller]:
    with Caller(server.url, "dentist") as caller:
        yield caller


@pytest.fixture
def doctor(server: Background) -> Iterator[Caller]:
    with Caller(server.url, "doctor") as caller:
        yield caller


@pytest.fixture
def admin(server: Background) -> Iterator[Caller]:
    with Caller(server.url, "admin") as caller:
        yield caller


@pytest.fixture
def lab(server: Background) -> Iterator[Caller]:
    with Caller(server.url, "lab") as caller:
        yield caller


@pytest.fixture
def pharmacist(server: Background) -> Iterator[Caller]:
    with Caller(server.url, "pharmacist") as caller:
        yield caller
