"""Asking and telling over lines: as few packets as there are answers, and nothing answered by mistake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tui import words
from tui.client import Refused, UnreachableError
from tui.door.contracts import LineReader, LineWriter
from tui.printing import LocalPrinter
from tui.text import _, ngettext


class HungUpError(Exception):
    """Nothing more will be typed: the input ended, the line broke, or the person fell silent."""


class LeaveError(Exception):
    """The person leaves, or may no longer stay."""


class Conversation:
    """Sentences wait for the next question and leave with it, in one packet."""

    def __init__(self, reader: LineReader, writer: LineWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._unsent = ""

    def say(self, text: str) -> None:
        """Tell something; it leaves with the next question."""
        self._unsent += text + "\n"

    def refuse(self, text: str) -> None:
        """Say what is wrong. Lines typed ahead were meant for other questions: they are not used."""
        self.say(f"! {text}")
        self.discard_typed_ahead()

    def discard_typed_ahead(self) -> None:
        """Use no line that was typed before the next question was seen."""
        unused = self._reader.discard()
        if unused:
            self.say(
                ngettext(
                    "{number} line typed ahead was not used.",
                    "{number} lines typed ahead were not used.",
                    unused,
                ).format(number=unused)
            )

    async def ask(self, question: str) -> str:
        """Ask, and wait for a line; the question is left out when its answer is there already.

        Raises:
            HungUpError: There is no answer and will be none.
        """
        if not self._reader.has_line():
            self._unsent += question + " "
            await self.send()
        line = await self._reader.readline()
        if line is None:
            await self.send()
            raise HungUpError
        return line.strip()

    async def send(self) -> None:
        """Send what was said so far."""
        text, self._unsent = self._unsent, ""
        if text:
            self._writer.write(text)
            await self._writer.drain()

    @property
    def printer(self) -> LocalPrinter:
        """The printer at the person's end, if there is one."""
        return self._writer

    async def delivered(self) -> bool:
        """Whether the person's end has everything that was said."""
        await self.send()
        return await self._writer.delivered()

    @contextmanager
    def telling_refusals(self) -> Iterator[None]:
        """Say why when the core refuses or does not answer, and go on.

        Raises:
            LeaveError: The sign-in has ended.
        """
        try:
            yield
        except (Refused, UnreachableError) as failure:
            self.tell_failure(failure)

    def tell_failure(self, failure: Refused | UnreachableError) -> None:
        """Say why the core refused or that it does not answer.

        Raises:
            LeaveError: The sign-in has ended.
        """
        if isinstance(failure, UnreachableError):
            self.refuse(_(words.UNREACHABLE))
            return
        self.refuse(words.problem_text(failure.problem))
        if failure.code == "not_signed_in":
            raise LeaveError from failure
