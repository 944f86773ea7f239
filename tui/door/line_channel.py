"""Line mode's input and output over an SSH channel, with or without a terminal at the other end.

Without a terminal the client sends whole lines. With one (TERM=dumb) it sends each key as it is typed and
shows nothing by itself: the line is then kept, edited and echoed here.
"""

from __future__ import annotations

import asyncio
import codecs

from rich.cells import cell_len
from textual import events

from tui.terminal.attributes import ascii_cell
from tui.terminal.capabilities import Capabilities
from tui.terminal.driver import PRINTER_OFF, PRINTER_ON, Sink
from tui.terminal.keyboard import ESCAPE_SECONDS, KeyReader

LONGEST_LINE = 4096  # characters; the rest is dropped
PENDING_BYTES = 2048  # not yet delivered; above it `drain` waits
DRAIN_SECONDS = 0.05  # between looks whether the line can take more

_BACKSPACE, _INTERRUPT, _END, _KILL = "\x7f", "\x03", "\x04", "\x15"
_EDITING = {"enter": "\n", "backspace": _BACKSPACE, "ctrl+c": _INTERRUPT, "ctrl+d": _END, "ctrl+u": _KILL}


class Lines:
    """Both ends of a dialogue: `readline` for the person's lines, `write` and `drain` for ours."""

    def __init__(
        self, sink: Sink, capabilities: Capabilities, *, has_terminal: bool, idle_seconds: float | None = None
    ) -> None:
        """Args: after `idle_seconds` without a line the dialogue ends; None: never."""
        self._sink = sink
        self._idle_seconds = idle_seconds
        self._utf8 = capabilities.utf8
        self._has_printer = capabilities.printer
        self.prints_escpos = capabilities.escpos
        self._has_terminal = has_terminal
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._keys = KeyReader()
        self._typed_at = 0.0
        self._line: list[str] = []
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._ended = False
        self._hides = False
        self._broken = False
        self._after_return = False
        self.is_idle = False

    async def readline(self) -> str | None:
        """Wait for a line, without its end; None when the person has hung up or fallen silent."""
        if self._ended and self._lines.empty():
            return None
        try:
            return await asyncio.wait_for(self._lines.get(), self._idle_seconds)
        except TimeoutError:
            self.is_idle = True
            self.end()
            return None

    def has_line(self) -> bool:
        """Return whether `readline` would return at once: lines were typed ahead or are piped in."""
        return not self._lines.empty()

    def hide(self, *, hidden: bool) -> None:
        """Show no letters of the next line, or show them again."""
        self._hides = hidden

    def discard(self) -> int:
        """Drop the lines typed ahead and return their number."""
        number = 0
        while not self._lines.empty():
            line = self._lines.get_nowait()
            number += line is not None
        return number

    async def delivered(self) -> bool:
        """Wait until the other end has everything; False when the line broke before that."""
        while self._sink.pending_bytes() > 0 and not self._broken:  # noqa: ASYNC110 - only the kernel knows
            await asyncio.sleep(DRAIN_SECONDS)
        return not self._broken

    def write(self, text: str) -> None:
        """Send text; a line feed ends a line."""
        text = self._shown(text)
        if self._has_terminal:
            text = text.replace("\n", "\r\n")
        self._sink.write(text.encode("utf-8", "replace"))

    def print_local(self, data: bytes) -> bool:
        """Print at the person's end, in one piece; False where there is no printer."""
        if self._has_printer:
            self._sink.write(PRINTER_ON + data + PRINTER_OFF)
        return self._has_printer

    async def drain(self) -> None:
        """Wait until the line can take more."""
        while self._sink.pending_bytes() > PENDING_BYTES and not self._ended:  # noqa: ASYNC110 - only the kernel knows
            await asyncio.sleep(DRAIN_SECONDS)

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        for character in self._typed(data) if self._has_terminal else self._decode(data):
            self._take(character)

    def _typed(self, data: bytes) -> str:
        """Turn keys into characters; arrows and function keys are dropped."""
        now = asyncio.get_running_loop().time()
        begun = self._keys.expire() if now - self._typed_at > ESCAPE_SECONDS else []
        self._typed_at = now
        keys = [event for event in [*begun, *self._keys.feed(data)] if isinstance(event, events.Key)]
        return "".join(_EDITING.get(key.key, _character(key)) for key in keys)

    def end(self, *, broken: bool = False) -> None:
        """End the input; a line without an end still counts."""
        self._broken = self._broken or broken
        if self._ended:
            return
        self._ended = True
        if self._line:
            self._finish_line()
        self._lines.put_nowait(None)

    def _take(self, character: str) -> None:
        after_return, self._after_return = self._after_return, character == "\r"
        if character == "\n" and after_return:
            return
        if character in "\r\n":
            self._echo("\n")
            self._finish_line()
        elif character == _BACKSPACE:
            self._rub_out(1)
        elif character == _KILL:
            self._rub_out(len(self._line))
        elif self._hangs_up(character):
            self._line.clear()
            self.end()
        elif character.isprintable() and len(self._line) < LONGEST_LINE:
            self._line.append(character)
            self._echo(character)

    def _hangs_up(self, character: str) -> bool:
        """Return whether a control character ends the dialogue; Ctrl+D does so on an empty line only."""
        return character == _INTERRUPT or (character == _END and not self._line)

    def _rub_out(self, number: int) -> None:
        for character in [self._line.pop() for _ in self._line[:number]]:
            self._echo("\b \b" * cell_len(self._shown(character)))

    def _finish_line(self) -> None:
        self._lines.put_nowait("".join(self._line))
        self._line.clear()

    def _shown(self, text: str) -> str:
        return text if self._utf8 else "".join(ascii_cell(character) for character in text)

    def _echo(self, text: str) -> None:
        if self._has_terminal and not self._hides:
            self.write(text)


def _character(key: events.Key) -> str:
    return key.character or "" if key.is_printable else ""
