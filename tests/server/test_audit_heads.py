"""The office refuses an audit log that does not extend the one it was told of."""

from __future__ import annotations

import pytest

from server.office.audit_heads import AuditHead, extends, parse

A, B = "a" * 64, "b" * 64

CASES = {
    "the first that is told": (AuditHead(10, A, 0, "-"), 0, "", True),
    "the same again": (AuditHead(10, A, 10, A), 10, A, True),
    "more rows after the known one": (AuditHead(12, B, 10, A), 10, A, True),
    "fewer rows": (AuditHead(9, A, 9, A), 10, A, False),
    "as many with another hash": (AuditHead(10, B, 10, B), 10, A, False),
    "more rows, the known one changed": (AuditHead(12, B, 10, B), 10, A, False),
    "more rows, the known one not told": (AuditHead(12, B, 0, "-"), 10, A, False),
}


@pytest.mark.parametrize("name", CASES)
def test_a_head_is_taken_only_when_it_extends_the_last(name: str) -> None:
    head, count, hash_, taken = CASES[name]
    assert extends(head, count, hash_) is taken


@pytest.mark.parametrize(
    "text", ["", "1", f"1 {A}", f"-1 {A} 0 -", f"{10**19} {A} 0 -", f"1 {A.upper()} 0 -"]
)
def test_what_is_no_head_is_passed_over(text: str) -> None:
    assert parse(text) is None


def test_a_head_is_read() -> None:
    assert parse(f"12 {B} 10 {A}") == AuditHead(12, B, 10, A)
