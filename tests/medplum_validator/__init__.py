"""A third independent opinion on FHIR R4: the npm package `@medplum/core` with the profiles of R4, run by node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests import fhir_validator


def problems(resources: Sequence[dict[str, Any]]) -> list[list[str]]:
    """List the mistakes of each resource; skips the test where there is no node."""
    return fhir_validator.ask(Path(__file__).parent, "@medplum/core", resources)
