"""What a run tells of itself, while it goes and afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

Progress = Callable[[int, int], None]
"""Called with records done and records known of."""


@dataclass
class SyncOutcome:
    """What a run did."""

    sent: int = 0
    """Records the other end has acknowledged."""
    refused: int = 0
    """Records set aside in this run."""
    pending: int = 0
    """Records still waiting afterwards."""
    batches: int = 0
    sent_bytes: int = 0
    """Request bodies, as compressed as they were sent."""
    received_bytes: int = 0
    manifest_agrees: bool | None = None
    """None when no day could be compared."""
    error: str | None = None
    """Why it ended early, as a problem line: `code: detail`."""

    def document(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)
