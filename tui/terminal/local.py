"""Runs an app on the terminal of this process, with the same driver as over SSH.

The terminal is put into raw mode and always put back, whether the app ends, crashes or is told to end by a
signal.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import struct
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from textual.app import App

from tui.terminal.capabilities import Capabilities, detect
from tui.terminal.driver import Terminal, end
from tui.terminal.textual_internals import Failure, contain_failures, failure_of, prepare_process

AppFactory = Callable[[Capabilities], App[Any]]


class NoTerminalError(RuntimeError):
    """This process has no terminal to paint on; line mode can be offered instead."""


class AppFailedError(RuntimeError):
    """The app ended by an exception."""


class TerminalSink:
    """Writes to a terminal without ever waiting for it: a serial line may be slower than the app."""

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        self._descriptor = descriptor
        self._loop = loop
        self._waiting = b""
        self.is_gone = False

    def write(self, data: bytes) -> None:
        """Send bytes; what the terminal cannot take yet waits here."""
        if self.is_gone:
            return
        if self._waiting:
            self._waiting += data
            return
        self._waiting = data
        self._send()

    def pending_bytes(self) -> int:
        """Count what waits here and in the terminal's own buffer."""
        queued = 0
        if not self.is_gone:
            try:
                queued = struct.unpack("i", fcntl.ioctl(self._descriptor, termios.TIOCOUTQ, b"\0" * 4))[0]
            except OSError:
                self.is_gone = True
        return len(self._waiting) + queued

    def drain(self) -> None:
        """Send the rest and wait for it, before the terminal is given back."""
        self._loop.remove_writer(self._descriptor)
        os.set_blocking(self._descriptor, True)
        try:
            # A terminal that asked for silence and was then switched off would keep us here.
            _obey_flow(self._descriptor, obey=False)
            while self._waiting and not self.is_gone:
                self._waiting = self._waiting[os.write(self._descriptor, self._waiting) :]
        except (OSError, termios.error):
            self.is_gone = True

    def _send(self) -> None:
        try:
            self._waiting = self._waiting[os.write(self._descriptor, self._waiting) :]
        except BlockingIOError:
            pass
        except OSError:
            # The window was closed; the signal that comes with it ends the app.
            self.is_gone = True
            self._waiting = b""
        if self._waiting:
            self._loop.add_writer(self._descriptor, self._send)
        else:
            self._loop.remove_writer(self._descriptor)


def run_local(
    make_app: AppFactory, *, overrides: dict[str, object] | None = None, report: Failure | None = None
) -> Any:
    """Run an app on this process's terminal until it ends.

    Args:
        make_app: Makes the app for the terminal's capabilities.
        overrides: Capabilities that win over those of TERM, as for `detect`.
        report: Called with the exception that ended the app, for a log; must not raise.

    Returns:
        The app's result.

    Raises:
        AppFailedError: The app ended by an exception; the terminal is as it was before.
        NoTerminalError: Standard input is no terminal, or one that cannot be painted on.
    """
    no_color = prepare_process()
    environment = dict(os.environ) | ({"NO_COLOR": "1"} if no_color else {})
    capabilities = detect(os.environ.get("TERM"), environment, overrides)
    if not (sys.stdin.isatty() and sys.stdout.isatty() and capabilities.addressable):
        raise NoTerminalError
    # A descriptor of our own: non-blocking mode would otherwise be the shell's as well.
    descriptor = os.open(os.ttyname(sys.stdin.fileno()), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        with _raw(descriptor, flow_control=capabilities.flow_control):
            return asyncio.run(_run(make_app, capabilities, descriptor, report))
    finally:
        os.close(descriptor)


@contextmanager
def _raw(descriptor: int, *, flow_control: bool) -> Iterator[None]:
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        if flow_control:
            # The kernel obeys at once; we would first empty its buffer into a terminal that is full.
            _obey_flow(descriptor, obey=True)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _obey_flow(descriptor: int, *, obey: bool) -> None:
    """Let XOFF of the terminal stop the output and any key start it again; or no longer, and start it now."""
    mode = termios.tcgetattr(descriptor)
    flow = termios.IXON | termios.IXANY
    mode[0] = mode[0] | flow if obey else mode[0] & ~flow
    termios.tcsetattr(descriptor, termios.TCSANOW, mode)


async def _run(
    make_app: AppFactory, capabilities: Capabilities, descriptor: int, report: Failure | None
) -> Any:
    loop = asyncio.get_running_loop()
    sink = TerminalSink(descriptor, loop)
    terminal = Terminal(capabilities, _size(descriptor))
    app = make_app(capabilities)
    app.driver_class = terminal.driver_class()
    contain_failures(app, report or _report_nowhere)
    terminal.attach(sink, capabilities, _size(descriptor))

    def read() -> None:
        try:
            data = os.read(descriptor, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            terminal.receive(data)
        else:
            loop.remove_reader(descriptor)
            end(app)

    loop.add_reader(descriptor, read)
    loop.add_signal_handler(signal.SIGWINCH, lambda: terminal.resize(_size(descriptor)))
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        loop.add_signal_handler(number, end, app)
    try:
        result = await app.run_async(mouse=False)
    finally:
        loop.remove_reader(descriptor)
        # When the app failed before it could hand the screen back, this does.
        if not terminal.is_finished:
            terminal.finish()
        sink.drain()
    if failure_of(app) is not None:
        raise AppFailedError
    return result


def _report_nowhere(error: BaseException) -> None:
    pass


def _size(descriptor: int) -> tuple[int, int]:
    try:
        return tuple(os.get_terminal_size(descriptor))  # type: ignore[return-value]
    except OSError:
        return (80, 24)
