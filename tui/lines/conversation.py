"""Questions and answers over lines: few packets, and no answer is taken for another question."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tui.client.errors import RefusedError, UnreachableError
from tui.printing import LocalPrinter
from tui.terminal.line_streams import LineReader, LineWriter
from tui.text import problem_words
from tui.text.translation import _, ngettext


class HungUpError(Exception):
    """No further input will come: it ended, the line broke, or the person fell silent."""


class LeaveError(Exception):
    """The person leaves, or may not stay any longer."""


class Conversation:
    """Collects sentences and sends them with the next question, in one packet."""

    def __init__(self, reader: LineReader, writer: LineWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._unsent = ""

    def say(self, text: str) -> None:
        """Add a sentence; it is sent with the next question."""
        self._unsent += text + "\n"

    def refuse(self, text: str) -> None:
        """Report an error, and drop lines typed ahead: they were meant for other questions."""
        self.say(f"! {text}")
        self.discard_typed_ahead()

    def discard_typed_ahead(self) -> None:
        """Drop the lines that were typed before the next question was seen."""
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
        """Ask, and wait for a line; the question is not sent when its answer is there already.

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

    async def ask_secret(self, question: str) -> str:
        """Ask for a password: its letters are not shown.

        Raises:
            HungUpError: There is no answer and will be none.
        """
        self._reader.hide(hidden=True)
        try:
            return await self.ask(question)
        finally:
            self._reader.hide(hidden=False)
            self._unsent += "\n"

    def forget_unsent(self) -> None:
        """Drop what was said and has not been sent."""
        self._unsent = ""

    async def send(self) -> None:
        """Send the sentences collected so far."""
        text, self._unsent = self._unsent, ""
        if text:
            self._writer.write(text)
            await self._writer.drain()

    @property
    def printer(self) -> LocalPrinter:
        """The printer at the person's end, if there is one."""
        return self._writer

    async def delivered(self) -> bool:
        """Return whether the person's end has received everything."""
        await self.send()
        return await self._writer.delivered()

    @contextmanager
    def telling_refusals(self) -> Iterator[None]:
        """Report a refusal of the core or a missing answer, and go on.

        Raises:
            LeaveError: The sign-in has ended.
        """
        try:
            yield
        except (RefusedError, UnreachableError) as failure:
            self.tell_failure(failure)

    def tell_failure(self, failure: RefusedError | UnreachableError) -> None:
        """Report why the core refused, or that it does not answer.

        Raises:
            LeaveError: The sign-in has ended.
        """
        if isinstance(failure, UnreachableError):
            self.refuse(_(problem_words.UNREACHABLE))
            return
        self.refuse(problem_words.problem_text(failure.problem))
        if failure.code == "not_signed_in":
            raise LeaveError from failure
