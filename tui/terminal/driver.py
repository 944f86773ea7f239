"""A Textual driver for thin terminals, the same over SSH and on a local terminal.

`Terminal` lies between an app and the person who uses it: it keeps the screen that the app shows, sends the
differences, and delivers the keys. Its connection (`Sink`) may come, go and come back while the app runs, which
never notices. Output never queues up: while the connection has not drained, frames are left out, and the
newest state is sent next.

Never asked of a terminal: mouse, focus reports, the kitty keyboard, synchronised output. Each costs bytes in
one direction or the other, and nothing in Loket needs them.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections import deque
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, TextIO
from weakref import WeakKeyDictionary

from textual import events
from textual.app import App, ScreenStackError
from textual.dom import NoScreen
from textual.driver import Driver
from textual.errors import NoWidget
from textual.geometry import Offset, Size
from textual.message import Message

from tui.terminal.capabilities import Capabilities
from tui.terminal.encoder import Encoder
from tui.terminal.events import IdleTimeout, Unattended
from tui.terminal.grid import Grid
from tui.terminal.keyboard import KeyReader, OrderedKeys
from tui.terminal.parsing import TextualOutput

PENDING_BYTES = 600  # not yet delivered; above it no frame is sent (half a second at 9.6 kbit/s)
RETRY_SECONDS = (0.02, 0.16)  # first and longest wait before a connection is looked at again
# Longest wait after a key that leads on (Tab, Enter) until all its effects are drawn: one packet, not three.
GATHER_SECONDS = 0.25
REPAINT_SECONDS = 0.5  # longest wait for the app to fill a screen of another size
REPAINT_LOOK_SECONDS = 0.05  # between looks whether it has
BELL = b"\x07"
SMALLEST = (20, 5)  # columns and rows; below it nothing could be read
LARGEST = (400, 120)  # columns and rows; a client may claim any size, and cells cost memory

PRINTER_ON, PRINTER_OFF = b"\x1b[5i", b"\x1b[4i"


class Sink(Protocol):
    """Target of the output: an SSH channel or a local terminal."""

    def write(self, data: bytes) -> None:
        """Send bytes without waiting; on a connection that is gone they are dropped."""

    def pending_bytes(self) -> int:
        """Return the number of bytes written that have not reached the other side, as far as is known."""


_terminals: WeakKeyDictionary[App[Any], Terminal] = WeakKeyDictionary()


class Terminal:
    """One person's terminal, which outlives its connections.

    Attributes:
        capabilities: Capabilities of the present, or last, client's terminal.
        size: Its columns and rows.
        frames_skipped: Frames left out because the connection had not drained.
        painted: Set when the app has shown its first screen, or has ended without one.
        is_finished: Whether the app has ended and the screen was handed back.
    """

    def __init__(
        self,
        capabilities: Capabilities,
        size: tuple[int, int],
        *,
        pending_limit_bytes: int = PENDING_BYTES,
        idle_seconds: float | None = None,
    ) -> None:
        self.capabilities = capabilities
        self.size = fit_size(size)
        self.frames_skipped = 0
        self.is_finished = False
        self.painted = asyncio.Event()
        self._context = contextvars.copy_context()
        self._limit = pending_limit_bytes
        self._grid = Grid(*self.size)
        self._output = TextualOutput(self._grid)
        self._encoder = Encoder(capabilities, *self.size)
        self._sink: Sink | None = None
        self._app: App[Any] | None = None
        self._keys: OrderedKeys | None = None
        self._reader = KeyReader()
        self._reader_timer: asyncio.Handle | None = None
        self._frame_timer: asyncio.Handle | None = None
        self._retry_seconds = RETRY_SECONDS[0]
        self._repaint_due: float | None = None
        self._gather_until = 0.0
        self._prints: deque[bytes] = deque()
        self._idle_seconds = idle_seconds
        self._idle_timer: asyncio.TimerHandle | None = None
        self._last_key_at = 0.0
        self._told_idle = False

    # The connection

    @property
    def is_attached(self) -> bool:
        """True while a client is connected."""
        return self._sink is not None

    @property
    def idle_for_seconds(self) -> float:
        """Seconds since the last key; zero while keys still wait for their turn."""
        if self._keys is not None and self._keys.is_waiting:
            return 0.0
        return asyncio.get_running_loop().time() - self._last_key_at

    @property
    def is_settled(self) -> bool:
        """True once every key received was delivered and has had its effects."""
        return self._keys is None or self._keys.is_settled

    def attach(self, sink: Sink, capabilities: Capabilities, size: tuple[int, int]) -> None:
        """Connect a client's terminal and paint it whole.

        Args:
            sink: Target of the output.
            capabilities: Capabilities of the client's terminal.
            size: Its columns and rows; may differ from those before.
        """
        self._forget_timers()
        self._sink = sink
        self._reader = KeyReader(flow_control=capabilities.flow_control)
        self.capabilities = capabilities
        size = fit_size(size)
        self._encoder = Encoder(capabilities, *size)
        sink.write(self._encoder.enter())
        if size != self.size:
            self._change_size(size)
        elif self._app is not None:
            self._schedule_frame()

    def repaint(self) -> None:
        """Paint the whole screen again, after noise on the line or a broadcast message has spoilt it."""
        if self._sink is not None:
            self._sink.write(self._encoder.enter())
            self._schedule_frame()

    def detach(self) -> None:
        """Drop the connection, and with it an incomplete escape sequence."""
        self._sink = None
        self._reader = KeyReader()
        self._forget_timers()
        self._post(Unattended())

    def receive(self, data: bytes) -> None:
        """Take bytes from the keyboard."""
        self._told_idle = False
        self._last_key_at = asyncio.get_running_loop().time()
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None
        was_held = self._reader.is_held
        self._push(self._reader.feed(data))
        if was_held and not self._reader.is_held:
            self._schedule_frame()
        if self._reader.waits_seconds is not None:
            loop = asyncio.get_running_loop()
            self._reader_timer = loop.call_later(self._reader.waits_seconds, self._expire_soon)

    def resize(self, size: tuple[int, int]) -> None:
        """Follow a change of the terminal's size."""
        size = fit_size(size)
        if size == self.size:
            return
        # The terminal itself has moved its text about: nothing on it is certain any more.
        self._encoder = Encoder(self.capabilities, *size)
        self._change_size(size)

    @property
    def prints_escpos(self) -> bool:
        """True where the printer at the terminal takes ESC/POS; otherwise plain text."""
        return self.capabilities.escpos

    def print_local(self, data: bytes) -> bool:
        """Send a document to the printer attached to the terminal.

        Args:
            data: Text or ESC/POS as the printer wants it, without the sequence that turns the printer off.

        Returns:
            Whether there is such a printer and a connection; otherwise the caller prints elsewhere.

        Raises:
            ValueError: The document contains the printer-off sequence and would spill onto the screen.
        """
        if PRINTER_OFF in data or b"\x9b4i" in data:
            raise ValueError("a document must not turn the printer off")
        if self._sink is None or not self.capabilities.printer:
            return False
        self._prints.append(PRINTER_ON + data + PRINTER_OFF)
        self._schedule_frame()
        return True

    # The app

    def driver_class(self) -> Any:
        """Return a callable for `App.driver_class` that makes this terminal's driver."""
        return functools.partial(ThinDriver, terminal=self)

    def start(self, app: App[Any]) -> None:
        """Begin serving an app; called by the driver."""
        self._app = app
        _terminals[app] = self
        # Textual finds the app by context variables: what is done for it later is done in its context.
        self._context = contextvars.copy_context()
        self._keys = OrderedKeys(app, self._gathered)
        self._last_key_at = asyncio.get_running_loop().time()
        self._post_size()
        self._watch_idleness()

    def stop_keys(self) -> None:
        """Take no more keys."""
        if self._keys is not None:
            self._keys.clear()
            self._keys = None

    def finish(self) -> None:
        """Hand the screen back; called by the driver when the app ends."""
        self._app = None
        self.is_finished = True
        self.painted.set()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self._sink is not None:
            self._sink.write(self._encoder.leave())
        self._forget_timers()

    def app_wrote(self, data: str) -> None:
        """Take output of the app."""
        self._output.write(data)

    def app_flushed(self) -> None:
        """Send the changes, now or as soon as the connection can take them."""
        if self._repaint_due is not None and len(self._grid.dirty) == self._grid.height:
            self._repaint_due = None
        self._schedule_frame()

    # Within

    def _push(self, found: list[Message]) -> None:
        if found and self._keys is not None:
            now = asyncio.get_running_loop().time()
            if now > self._gather_until and any(map(self._keys.leads_on, found)):
                self._gather_until = now + GATHER_SECONDS
            self._keys.push(found)

    def _gathered(self) -> None:
        """Send the effects of the last key."""
        self._gather_until = 0.0
        if self._frame_timer is not None:
            self._frame_timer.cancel()
            self._frame_timer = None
            self._schedule_frame()

    def _expire_soon(self) -> None:
        """Let keys that arrived while the loop was busy go first: they may complete the escape sequence."""
        self._reader_timer = asyncio.get_running_loop().call_soon(self._expire)

    def _expire(self) -> None:
        self._reader_timer = None
        self._push(self._reader.expire())

    def _change_size(self, size: tuple[int, int]) -> None:
        self.size = size
        self._grid.resize(*size)
        self._grid.dirty.clear()
        # Wait for the app's layout at the new size: an empty screen in between would cost a repaint.
        self._repaint_due = asyncio.get_running_loop().time() + REPAINT_SECONDS
        self._post_size()
        self._schedule_frame()

    def _post_size(self) -> None:
        size = Size(*self.size)
        self._post(events.Resize(size, size))

    def _post(self, message: Message) -> None:
        if self._app is not None:
            self._context.copy().run(self._app.post_message, message)

    def _schedule_frame(self, delay_seconds: float = 0.0) -> None:
        if self._frame_timer is not None or self._sink is None:
            return
        loop = asyncio.get_running_loop()
        if delay_seconds:
            self._frame_timer = loop.call_later(delay_seconds, self._frame, context=self._context)
        else:
            self._frame_timer = loop.call_soon(self._frame, context=self._context)

    def _frame(self) -> None:
        self._frame_timer = None
        sink = self._sink
        if sink is None or self._app is None or self._reader.is_held:
            return
        delay = self._delay_seconds(sink)
        if delay > 0:
            self._schedule_frame(delay)
            return
        if self._prints:
            sink.write(self._prints.popleft())
            self._schedule_frame()
            return
        data = self._encoder.frame(self._grid, self._cursor())
        if self._output.bells:
            self._output.bells = 0
            data += BELL
        if data:
            sink.write(data)
        self.painted.set()

    def _delay_seconds(self, sink: Sink) -> float:
        """Return how long the frame must wait: for a layout, for the effects of a key, or for the line."""
        now = asyncio.get_running_loop().time()
        if self._repaint_due is not None:
            if now < self._repaint_due:
                return min(self._repaint_due - now, REPAINT_LOOK_SECONDS)
            self._repaint_due = None
        if now < self._gather_until:
            return self._gather_until - now
        if sink.pending_bytes() > self._limit:
            self.frames_skipped += 1
            delay = self._retry_seconds
            self._retry_seconds = min(delay * 2, RETRY_SECONDS[1])
            return delay
        self._retry_seconds = RETRY_SECONDS[0]
        return 0.0

    def _cursor(self) -> Offset | None:
        """Return the position of the cursor: in the focused field, None when that has no cursor."""
        assert self._app is not None
        try:
            screen = self._app.screen
        except (NoScreen, ScreenStackError):
            return None
        focused = screen.focused
        offset: Offset | None = getattr(focused, "cursor_screen_offset", None)
        if focused is None or offset is None:
            return None
        try:
            region = screen.find_widget(focused).visible_region
        except NoWidget:  # removed, or not laid out yet
            return None
        visible = region.x <= offset.x <= region.right and region.y <= offset.y < region.bottom
        return offset if visible else None

    def _watch_idleness(self) -> None:
        """Post `IdleTimeout` after `idle_seconds` without a key, once until the next key."""
        if self._idle_seconds is None or self._app is None:
            return
        left = self._idle_seconds - self.idle_for_seconds
        if left <= 0:
            if not self._told_idle:
                self._told_idle = True
                self._post(IdleTimeout())
            left = self._idle_seconds
        self._idle_timer = asyncio.get_running_loop().call_later(
            left, self._watch_idleness, context=self._context
        )

    def _forget_timers(self) -> None:
        for timer in (self._frame_timer, self._reader_timer):
            if timer is not None:
                timer.cancel()
        self._frame_timer = self._reader_timer = None
        self._retry_seconds = RETRY_SECONDS[0]


def fit_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return a client's size within bounds; 0 means that the client does not know, and counts as 80x24."""
    width, height = size[0] or 80, size[1] or 24
    return (
        min(max(width, SMALLEST[0]), LARGEST[0]),
        min(max(height, SMALLEST[1]), LARGEST[1]),
    )


class ThinDriver(Driver):
    """Passes Textual's output to a `Terminal`, and nothing to the process's own."""

    def __init__(self, app: App[Any], *, terminal: Terminal, **options: Any) -> None:
        options["size"] = terminal.size
        super().__init__(app, **options)
        self.terminal = terminal

    def write(self, data: str) -> None:
        """Take Textual's output."""
        self.terminal.app_wrote(data)

    def flush(self) -> None:
        """Take the end of a frame."""
        self.terminal.app_flushed()

    def start_application_mode(self) -> None:
        """Begin; the terminal was prepared when it was attached."""
        self.terminal.start(self._app)

    def disable_input(self) -> None:
        """Take no more keys."""
        self.terminal.stop_keys()

    def stop_application_mode(self) -> None:
        """Give the screen back."""
        self.terminal.finish()

    def open_url(self, url: str, new_tab: bool = True) -> None:
        """Do nothing: a browser would open on the server, not before the person."""

    def deliver_binary(
        self,
        binary: BinaryIO | TextIO,
        *,
        delivery_key: str,
        save_path: Path,
        open_method: Literal["browser", "download"] = "download",
        encoding: str | None = None,
        mime_type: str | None = None,
        name: str | None = None,
    ) -> None:
        """Refuse: a screenshot of a patient's record would land in the server's files."""
        binary.close()
        self._app.post_message(
            events.DeliveryFailed(
                key=delivery_key, exception=PermissionError("not on this terminal"), name=name
            )
        )


def terminal_of(app: App[Any]) -> Terminal | None:
    """Return the terminal that shows an app, or None under another driver (tests)."""
    return _terminals.get(app)


def end(app: App[Any]) -> None:
    """End an app from outside; it may first save half-typed text."""
    app.post_message(Unattended())
    app.exit()
