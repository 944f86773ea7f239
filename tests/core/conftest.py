"""Fixtures of the core's tests."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.accounts.service import system_actor
from core.exchange.fhir import bundle
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.permissions import Actor


@pytest.fixture(autouse=True)
def fast_compression(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compress Bundles with the standard library: zopfli takes a third of the time of a sending.

    A test that asks for `real_compression` measures the bytes on the wire and keeps zopfli.
    """
    if "real_compression" not in request.fixturenames:
        monkeypatch.setattr(bundle, "compress", gzip.compress)


@pytest.fixture
def real_compression() -> None:
    """Leave the compression of Bundles as it is in a clinic."""


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    """A new clinic in a folder of its own, its database open."""
    opened = Clinic.open(Settings(home=tmp_path / "home"))
    with connection():
        yield opened
    database.close()


@pytest.fixture
def actor(clinic: Clinic) -> Actor:
    """The account under which lists are imported."""
    return system_actor("import")
