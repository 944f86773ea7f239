"""Line mode on this machine: standard input and output instead of an SSH channel."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
import termios
import threading

from core.schemas.accounts import AccountOut
from tui.client.core_client import CoreClient
from tui.client.errors import RefusedError, UnreachableError
from tui.lines.dialogue import line_mode
from tui.session import open_session
from tui.terminal.attributes import ascii_cell
from tui.terminal.capabilities import detect
from tui.terminal.driver import PRINTER_OFF, PRINTER_ON
from tui.text import problem_words
from tui.text.translation import _

ATTEMPTS = 3
NOT_SIGNED_IN = 1


class StandardLines:
    """Both ends of a dialogue over this process's own input and output."""

    def __init__(self) -> None:
        self._capabilities = detect(os.environ.get("TERM"), {"LANG": "C.UTF-8", **os.environ})
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        # Reading standard input blocks, and an event loop cannot watch a file.
        threading.Thread(target=self._read, name="input", daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line.rstrip("\r\n"))
        self._loop.call_soon_threadsafe(self._lines.put_nowait, None)

    async def readline(self) -> str | None:
        """Wait for a line; None at the end of the input."""
        line = await self._lines.get()
        if line is None:
            self._lines.put_nowait(None)
        return line

    def has_line(self) -> bool:
        """Return whether `readline` would answer at once."""
        return not self._lines.empty()

    def discard(self) -> int:
        """Drop the lines typed ahead; return their number."""
        number, has_ended = 0, False
        while not self._lines.empty():
            has_ended = self._lines.get_nowait() is None
            number += not has_ended
        if has_ended:
            self._lines.put_nowait(None)
        return number

    def hide(self, *, hidden: bool) -> None:
        """Show no letters of the next line, or show them again."""
        if sys.stdin.isatty():
            modes = termios.tcgetattr(sys.stdin)
            modes[3] = modes[3] & ~termios.ECHO if hidden else modes[3] | termios.ECHO
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, modes)

    def write(self, text: str) -> None:
        """Show text."""
        if not self._capabilities.utf8:
            text = "".join(ascii_cell(character) for character in text)
        sys.stdout.write(text)
        sys.stdout.flush()

    async def drain(self) -> None:
        """Return at once: nothing is buffered."""

    async def delivered(self) -> bool:
        """Return True: written text is shown."""
        return True

    @property
    def prints_escpos(self) -> bool:
        """Return whether a printer at this terminal takes ESC/POS."""
        return self._capabilities.escpos

    def print_local(self, data: bytes) -> bool:
        """Print at this terminal; return False where it has no printer."""
        if self._capabilities.printer and sys.stdout.isatty():
            sys.stdout.buffer.write(PRINTER_ON + data + PRINTER_OFF)
            sys.stdout.flush()
            return True
        return False


def run_lines(client: CoreClient, username: str, language: str) -> int:
    """Sign in and serve, until the person leaves or the input ends.

    At a terminal the password is not shown. Otherwise the first line of the input is the password,
    after the user name where that was not given.

    Args:
        client: Connection to the core; closed at the end.
        username: Name of the account; empty asks for it.
        language: Language of the session, `id` or `en`.

    Returns:
        The exit status.
    """
    return asyncio.run(_run(client, username, language))


async def _run(client: CoreClient, username: str, language: str) -> int:
    try:
        account = await _sign_in(client, username)
        if account is None:
            return NOT_SIGNED_IN
        session = await open_session(client, account, language=language, owns_client=True)
        lines = StandardLines()
        return await line_mode(session, lines, lines)
    except UnreachableError:
        sys.stderr.write(_("The server does not answer. Is it running?") + "\n")
        return NOT_SIGNED_IN
    finally:
        await client.close()


async def _sign_in(client: CoreClient, username: str) -> AccountOut | None:
    for _attempt in range(ATTEMPTS):
        name, password = _credentials(username)
        try:
            return (await client.accounts.sign_in(name, password)).account
        except RefusedError as refusal:
            sys.stderr.write(problem_words.problem_text(refusal.problem) + "\n")
            if not sys.stdin.isatty():
                break
    return None


def _credentials(username: str) -> tuple[str, str]:
    if sys.stdin.isatty():
        name = username or input(_("User name") + ": ")
        return name, getpass.getpass(_("Password") + ": ")
    name = username or sys.stdin.readline().strip()
    return name, sys.stdin.readline().rstrip("\r\n")
