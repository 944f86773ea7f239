"""Proof that two ends hold the same set: a count and a hash per resource type.

The hash of a set is the sum, modulo 2^256, of the SHA-256 of each member's key and digest:
it does not depend on the order, so both ends can add up while they read.
"""

from __future__ import annotations

import hashlib

MODULUS = 2**256


class Totals:
    """Adds up a set of resources."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        """Resource type -> how many."""
        self._sums: dict[str, int] = {}

    def add(self, key: str, digest: str) -> None:
        """Count one resource: `Type/value` and the hexadecimal digest of its canonical JSON."""
        kind = key.partition("/")[0]
        member = int.from_bytes(hashlib.sha256(f"{key} {digest}".encode()).digest())
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self._sums[kind] = (self._sums.get(kind, 0) + member) % MODULUS

    def hashes(self) -> dict[str, str]:
        """Resource type -> 64 hexadecimal digits."""
        return {kind: f"{total:064x}" for kind, total in self._sums.items()}
