"""The two ways in which a call to the core can fail."""

from __future__ import annotations

from core.schemas.base import Problem


class RefusedError(Exception):
    """The core answered with a problem.

    Attributes:
        problem: The reason, in stable codes.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem

    @property
    def code(self) -> str:
        """The problem's stable code."""
        return self.problem.code


class UnreachableError(Exception):
    """The core did not answer; the request may or may not have been carried out."""


class KeptHereError(UnreachableError):
    """The core did not answer; the form is on this machine's own disk."""
