"""The one door through which new ids enter.

Ids are UUIDv7 (RFC 9562 5.7): made anywhere without asking, and in order of time, which
keeps the primary-key index growing at its end.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from uuid import UUID, uuid4

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A new UUIDv7, strictly later than every one made before it in this process.

    48 bits of Unix milliseconds, then 12 bits that count within the millisecond
    (RFC 9562 6.2 method 1), then 62 random bits.
    """
    global _last
    with _lock:
        stamp = max((time.time_ns() // 1_000_000) << 12, _last + 1)
        _last = stamp
    high = (stamp >> 12) << 16 | 0x7000 | (stamp & 0xFFF)
    low = 0x8000_0000_0000_0000 | int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=high << 64 | low)


def new_id() -> str:
    """A new id as it is stored and sent: 36 lower-case characters."""
    return str(uuid7())


def new_place() -> str:
    """A name for one entry within a Bundle: `urn:uuid:` and a random UUID (RFC 9562 5.4)."""
    return f"urn:uuid:{uuid4()}"


def is_uuid7(text: str) -> bool:
    """Return whether `text` is a UUIDv7 in its usual 36-character form."""
    try:
        value = UUID(text)
    except ValueError:
        return False
    return value.version == 7 and str(value) == text.lower()


def new_secret() -> str:
    """A token nobody can guess: 256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)
