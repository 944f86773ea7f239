"""The progress and the outcome of a run of the synchronisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from core.foundation.job_problems import JobProblem

Progress = Callable[[int, int], None]
"""Called with records done and records known of."""


@dataclass
class SyncOutcome:
    """The outcome of one run."""

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
    error: JobProblem | None = None
    """Why it ended early."""

    def document(self) -> dict[str, Any]:
        """Return it JSON-safe, the error as a line."""
        return {**asdict(self), "error": str(self.error) if self.error else None}
