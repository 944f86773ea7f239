"""Pace of a sending: its tries, and its pauses."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from core.foundation.backoff import Backoff
from core.foundation.errors import SyncError
from core.foundation.job_problems import JobProblem

MAX_RETRY_AFTER = 120.0
"""Longest wait that is granted, in seconds; a longer one ends with the run."""
AnswerT = TypeVar("AnswerT")

LONGEST_REST = 0.25
"""Seconds of one rest between two pieces of work."""


class TryAgainError(Exception):
    """This attempt failed, the next may not.

    Attributes:
        problem: Why, for the admin.
        retry_after: Wait that the other end asked for, in seconds, or None.
    """

    def __init__(self, problem: JobProblem, retry_after: float | None = None) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.retry_after = retry_after


@dataclass(frozen=True)
class Pace:
    """Number of tries, and the pauses between them. Times in seconds."""

    target: float = 5.0
    """Time that one batch should take on this link."""
    attempts: int = 5
    """Failures in a row after which the run ends; what is left waits for the next run."""
    backoff: float = 1.0
    """First wait after a failure; doubled each time, with jitter."""
    backoff_cap: float = 60.0
    rest: float = 1.0
    """Idle time per working time: the counters come first."""
    first_batch: int = 50
    """Records, before anything is known of the link."""
    max_batch: int = 400
    """Records; bounds the memory."""

    def wait_after(self, failures: int, asked: float | None) -> float:
        """Return the seconds to wait after so many failures in a row (>= 1), with jitter."""
        if asked is not None:
            return min(asked, MAX_RETRY_AFTER) * random.uniform(1.0, 1.25)  # noqa: S311  # spreads load
        return Backoff(self.backoff, self.backoff_cap, jitter=(0.5, 1.0)).seconds(failures)


class Patience:
    """Counts failures in a row, waits after each, and rests between pieces of work."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._failures = 0
        self._woke = time.monotonic()

    def fail(self, error: TryAgainError) -> None:
        """Wait before the next attempt.

        Raises:
            SyncError: That was the last one.
        """
        self._failures += 1
        if self._failures >= self.pace.attempts:
            raise SyncError(error.problem, error.retry_after)
        time.sleep(self.pace.wait_after(self._failures, error.retry_after))
        self._woke = time.monotonic()

    def until_answered(self, attempt: Callable[[], AnswerT]) -> AnswerT:
        """Do it until it gets an answer.

        Raises:
            SyncError: It failed too often in a row.
        """
        while True:
            try:
                answer = attempt()
            except TryAgainError as error:
                self.fail(error)
            else:
                self.succeed()
                return answer

    def succeed(self) -> None:
        """Note that the other end answered: waiting for it was no work, and earlier failures are forgotten."""
        self._failures = 0
        self._woke = time.monotonic()

    def rest(self) -> None:
        """Let the counters have the processor for as long as this run just had it."""
        worked = time.monotonic() - self._woke
        time.sleep(min(LONGEST_REST, worked * self.pace.rest))
        self._woke = time.monotonic()
