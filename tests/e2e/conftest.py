"""A demo clinic with its server and its door as processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.foundation.config import Settings
from tests.e2e.terminals import DemoClinic


@pytest.fixture
def clinic(settings: Settings) -> Iterator[DemoClinic]:
    """One for this test alone; a module whose tests can share one has its own."""
    with DemoClinic(settings.home) as running:
        yield running
