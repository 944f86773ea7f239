"""The look at the dependencies' known faults: a fault fails, and what nobody looked up is not taken for clean."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_deps", ROOT / ".ci/audit_deps.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CLEAN = {"name": "a", "version": "1", "vulns": []}
FAULTY = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-2026-1"}]}
SKIPPED = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("dependencies", "lax", "strict", "said"),
    [
        ([CLEAN], 0, 0, "1 looked up, 0 with known faults"),
        ([CLEAN, FAULTY], 1, 1, "b 2: PYSEC-2026-1"),
        ([CLEAN, SKIPPED], 0, 3, "NOT LOOKED UP: 1"),
        ([FAULTY, SKIPPED], 1, 1, "NOT LOOKED UP: 1"),
        ([], 0, 3, "NOT LOOKED UP: 0"),
    ],
)
def test_a_known_fault_fails_and_the_unknown_is_said(
    audit: ModuleType, dependencies: list[dict[str, Any]], lax: int, strict: int, said: str
) -> None:
    for is_strict, expected in ((False, lax), (True, strict)):
        status, lines = audit.verdict(dependencies, strict=is_strict)
        assert status == expected
        assert said in "\n".join(lines)


def test_ci_looks_at_each_submission() -> None:
    assert "make audit-deps" in (ROOT / ".ci/run").read_text("utf-8")
    assert ".ci/audit_deps.py" in (ROOT / "Makefile").read_text("utf-8")
