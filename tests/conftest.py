"""What all tests share: no test sees this machine's own Loket."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from core.config import Settings
from core.database import database
from server.run import Background
from tests.people import Caller

hypothesis.settings.register_profile("loket", deadline=None)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=3000)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "loket"))


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("LOKET_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LOKET_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo clinic's data folder, made once: hashing eight passwords takes a second."""
    home = tmp_path_factory.mktemp("demo")
    with Background(Settings(home=home)):
        pass
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return home


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
