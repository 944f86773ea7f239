"""Protocols of line mode: a dialogue of questions and answers without a screen."""

from __future__ import annotations

from typing import Protocol


class LineReader(Protocol):
    """Lines that a person types."""

    async def readline(self) -> str | None:
        """Wait for a line and return it without its end; None when the person has hung up."""

    def has_line(self) -> bool:
        """Return whether `readline` would return at once."""

    def hide(self, *, hidden: bool) -> None:
        """Show no letters of the next line, or show them again."""

    def discard(self) -> int:
        """Drop the lines typed ahead and return their number."""


class LineWriter(Protocol):
    """Lines shown to a person."""

    def write(self, text: str) -> None:
        """Send text; a line feed ends a line."""

    async def drain(self) -> None:
        """Wait until the connection can take more."""

    @property
    def prints_escpos(self) -> bool:
        """True where the printer at the person's end takes ESC/POS; otherwise plain text."""

    def print_local(self, data: bytes) -> bool:
        """Print at the person's end; return False where there is no printer."""

    async def delivered(self) -> bool:
        """Wait until the person's end has everything; return False when the connection broke before that."""
