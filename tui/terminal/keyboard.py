"""Turns a keyboard's bytes into keys and delivers them to the app one after the other.

Textual runs a binding (Tab, Enter) only after its key has travelled through several message queues, while
keys that arrived in the same packet have already been given to the old focus. On a slow line or with a
barcode scanner that puts text into the wrong field. `OrderedKeys` therefore delivers one key, waits until its
effects have been through the same queues, and only then delivers the next.
"""

from __future__ import annotations

import asyncio
import codecs
import contextvars
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from textual import events
from textual.app import App, ScreenStackError
from textual.dom import DOMNode, NoScreen
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen

from tui.terminal.inputs import ThinInput, ThinTextArea
from tui.terminal.textual_internals import key_events

ESCAPE_SECONDS = 0.1  # silence after ESC that makes it the key, not the beginning of a sequence
SEQUENCE_SECONDS = 1.0  # silence after which the beginning of a sequence is thrown away
PASTE_SECONDS = 3.0  # silence within a paste after which its end counts as lost
PASTE_CHARACTERS = 65_536  # longest paste taken; what is beyond is dropped
STEP_SECONDS = 10.0  # longest wait for one message queue; a stuck handler must not freeze the keyboard
LOOK_SECONDS = 0.25  # between looks whether a widget that is waited for is still there
HOLD_SECONDS = 20.0  # longest time the app may keep keys waiting
WAITING_EVENTS = 20_000  # keys kept waiting; more is not typing

XON, XOFF = b"\x11", b"\x13"

_PASTE_BEGIN = "\x1b[200~"
_PASTE_END = "\x1b[201~"
_PIECE = re.compile(
    r"\x1b\[\[[A-E]"  # function keys of the Linux console
    r"|\x1b\[[0-?]*[ -/]*[@-Z\\-~]"  # control sequence
    r"|\x1bO[ -~]"  # keypad and function keys
    r"|\x1b[ -NP-Z\\-\x7f]"  # a key together with Alt
    r"|\x1b(?=[\x00-\x1f])"  # Escape itself, another key right behind it
    r"|\r\n?|[^\x1b]",
    re.DOTALL,
)
_BEGUN = re.compile(r"\x1b(?:\[\[|\[[0-?]*[ -/]*|O)?")


class KeyReader:
    """Splits what a keyboard sends into key and paste events; one per connection.

    Attributes:
        waits_seconds: Silence after which `expire` is to be called, or None when nothing is begun.
        is_held: Whether the terminal has asked for silence (XOFF); the next key or XON ends it.
    """

    def __init__(self, *, flow_control: bool = False) -> None:
        """Args: with `flow_control` Ctrl+S and Ctrl+Q are no keys but the terminal's XOFF and XON."""
        self._flow_control = flow_control
        self.is_held = False
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._begun = ""
        self._paste: list[str] | None = None
        self.waits_seconds: float | None = None

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes as they arrive and return the events that they complete."""
        if self._flow_control:
            self.is_held = data.endswith(XOFF)
            data = data.translate(None, XON + XOFF)
        text = self._begun + self._decode(data)
        self._begun = ""
        found: list[Message] = []
        while text:
            text = self._take_paste(text, found) if self._paste is not None else self._take_piece(text, found)
        self.waits_seconds = self._silence_to_wait_for()
        return found

    def _take_piece(self, text: str, found: list[Message]) -> str:
        """Take the first key or sequence off the text and return the rest; keep one that is not complete."""
        match = _PIECE.match(text)
        if match is None:
            begun = _BEGUN.match(text)
            if begun is not None and begun.end() == len(text):
                self._begun = text
                return ""
            # No sequence begins like this: drop its head, keep the rest.
            return text[begun.end() if begun is not None else 1 :]
        if match[0] == _PASTE_BEGIN:
            self._paste = []
        else:
            found += _events_of(match[0])
        return text[match.end() :]

    def _silence_to_wait_for(self) -> float | None:
        if self._paste is not None:
            return PASTE_SECONDS
        if not self._begun:
            return None
        return ESCAPE_SECONDS if self._begun == "\x1b" else SEQUENCE_SECONDS

    def expire(self) -> list[Message]:
        """Decide about an incomplete sequence after a silence.

        Escape alone is the key, anything longer is noise, and a paste whose end got lost ends here: the
        keyboard must come back.
        """
        if self._paste is not None:
            text = "".join(self._paste).replace("\x00", "")
            self._paste, self._begun, self.waits_seconds = None, "", None
            return [events.Paste(text)] if text else []
        begun, self._begun, self.waits_seconds = self._begun, "", None
        return [*_escape_key()] if begun == "\x1b" else []

    def _take_paste(self, text: str, found: list[Message]) -> str:
        assert self._paste is not None
        end = text.find(_PASTE_END)
        if end < 0:
            # The end mark may be cut in two by the packet's end.
            keep = next((n for n in range(len(_PASTE_END) - 1, 0, -1) if text.endswith(_PASTE_END[:n])), 0)
            self._begun = text[len(text) - keep :]
            text = text[: len(text) - keep]
        pasted = text if end < 0 else text[:end]
        room = PASTE_CHARACTERS - sum(map(len, self._paste))
        self._paste.append(pasted[:room])
        if end < 0:
            return ""
        found.append(events.Paste("".join(self._paste).replace("\x00", "")))
        self._paste = None
        return text[end + len(_PASTE_END) :]


def _escape_key() -> list[events.Key]:
    return [events.Key("escape", "\x1b")]


def _events_of(piece: str) -> list[events.Key]:
    if piece == "\x1b":
        return _escape_key()
    if piece in {"\r\n", "\n"}:
        piece = "\r"  # scanners end with both, or with a line feed only; it is one Enter
    if piece == "\ufffd":
        return []  # not UTF-8: a character of some other code, which cannot be checked on the screen
    if len(piece) == 2 and piece[0] == "\x1b":
        return [events.Key(f"alt+{event.key}", None) for event in key_events(piece[1])]
    return key_events(piece)


_keyboards: WeakKeyDictionary[App[Any], OrderedKeys] = WeakKeyDictionary()


class OrderedKeys:
    """Hands events to an app so that each acts before the next arrives.

    Attributes:
        app: The app that gets the keys; made in its context, which later deliveries run in.
    """

    def __init__(self, app: App[Any], on_settled: Callable[[], None]) -> None:
        """Args: `on_settled` is called when no key waits and all that the last one set off is painted."""
        self.app = app
        self._on_settled = on_settled
        self._context = contextvars.copy_context()
        self._waiting: deque[Message] = deque()
        self._task: asyncio.Task[None] | None = None
        self._settled = True
        self._leads_on = False
        self._last_leads_on = True
        self._screen: Screen[Any] | None = None
        self._holds = 0
        self._released = asyncio.Event()
        self._released.set()
        _keyboards[app] = self

    @property
    def is_waiting(self) -> bool:
        """True while keys have come that the app has not been given."""
        return bool(self._waiting)

    @property
    def is_settled(self) -> bool:
        """True once every key was delivered and has had its effects."""
        return self._task is None and not self._waiting

    def leads_on(self, event: Message) -> bool:
        """Return whether an event may do more than change the text of the focused field."""
        if not isinstance(event, events.Key):
            return True
        field = self.app.focused
        edits = isinstance(field, ThinInput | ThinTextArea) and event.key in field.EDITING
        return not edits and (not event.is_printable or event.key == "space")

    def push(self, found: list[Message]) -> None:
        """Queue events behind those still waiting."""
        room = WAITING_EVENTS - len(self._waiting)
        self._waiting.extend(found[:room])
        if self._waiting and self._task is None:
            loop = asyncio.get_running_loop()
            self._task = loop.create_task(self._deliver(), context=self._context)

    def clear(self) -> None:
        """Drop the waiting keys, when the app ends."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def hold(self) -> None:
        """Keep keys waiting until `release` was called as often."""
        self._holds += 1
        self._released.clear()

    def release(self) -> None:
        """Undo one `hold`."""
        self._holds = max(0, self._holds - 1)
        if not self._holds:
            self._released.set()

    async def _deliver(self) -> None:
        try:
            while True:
                if not self._types_on():
                    await self._settle()
                if not self._waiting:
                    break
                event = self._waiting.popleft()
                self._last_leads_on = self.leads_on(event)
                self._leads_on = self._leads_on or self._last_leads_on
                self._screen, self._settled = self._current_screen(), False
                event.set_sender(self.app)
                self.app.post_message(event)
                if not self._waiting and not self._leads_on:
                    return  # letters only: what comes next, if anything does, waits for them then
        finally:
            self._task = None
        self._leads_on = False
        self._on_settled()

    def _types_on(self) -> bool:
        """Return whether a letter follows a letter into a text field: these keep their order without waiting."""
        return (
            bool(self._waiting)
            and not self._holds
            and not self._last_leads_on
            and isinstance(self.app.focused, ThinInput | ThinTextArea)
            and not self.leads_on(self._waiting[0])
        )

    async def _settle(self) -> None:
        """Wait until the last key has had its effects and, if no other key waits, these are painted."""
        if self._settled and not self._holds:
            return
        await self._round()
        if self._last_leads_on:
            # A button tells of its press by a second message, behind the key; a dialog closes by a third.
            await self._round()
        for _ in range(3):
            screen = self._current_screen()
            if screen is self._screen or screen is None:
                break
            self._screen = screen
            await self._painted()
            await self._round()
        if self._holds:
            try:
                await asyncio.wait_for(self._released.wait(), HOLD_SECONDS)
            except TimeoutError:
                self._holds = 0
                self._released.set()
            self._screen = None
            await self._round()
            await self._painted()
            await self._round()
        if not self._waiting:
            # Twice: a widget tells the screen that it has changed only when it has nothing else to do.
            await self._painted()
            await self._painted()
        self._settled = True

    async def _painted(self) -> None:
        screen = self._current_screen()
        if screen is not None:
            await _pass_through([(screen, screen.call_after_refresh)])

    async def _round(self) -> None:
        """Follow the path of a key: through the app to the focused widget, and up from there to the app again."""
        await _pass_through((pump, pump.call_later) for pump in self._way())

    def _way(self) -> Iterator[MessagePump]:
        yield self.app
        node: DOMNode | None = self._focus()  # asked when the app has been passed
        while isinstance(node, DOMNode) and node is not self.app:
            yield node
            node = node.parent
        yield self.app

    def _focus(self) -> DOMNode | None:
        return self.app.focused or self._current_screen()

    def _current_screen(self) -> Screen[Any] | None:
        try:
            return self.app.screen
        except (NoScreen, ScreenStackError):
            return None


Station = tuple[MessagePump, Callable[..., bool]]
"""A message queue, and its method that schedules a callback behind the messages in it."""


async def _pass_through(stations: Iterable[Station]) -> None:
    """Queue at one station after the other, each time behind all messages there, until the last is passed.

    Each station leads to the next directly, not by way of the task that waits here: with many apps in one process
    every such detour takes a turn of the event loop for all of them.
    """
    loop = asyncio.get_running_loop()
    passed: asyncio.Future[None] = loop.create_future()
    remaining = iter(stations)
    here: MessagePump | None = None
    number, give_up_at = 0, 0.0
    timer: asyncio.TimerHandle | None = None

    def go_on(left: int) -> None:
        nonlocal here, number, give_up_at
        if left != number or passed.done():
            return  # this station was given up meanwhile
        number += 1
        for here, schedule in remaining:
            if here.is_running and schedule(go_on, number):
                give_up_at = loop.time() + STEP_SECONDS
                return
        passed.set_result(None)

    def look() -> None:
        # A widget removed meanwhile never answers, with its keys gone too; so look up now and then.
        nonlocal timer
        if here is not None and (not here.is_running or loop.time() >= give_up_at):
            go_on(number)
        timer = loop.call_later(LOOK_SECONDS, look)

    look()
    go_on(number)
    try:
        await passed
    finally:
        if timer is not None:
            timer.cancel()


@contextmanager
def hold_keys(app: App[Any]) -> Iterator[None]:
    """Keep further keys waiting while something is on its way that changes where they belong.

    For instance from Enter in the search box until the form it leads to is there: what the clerk typed ahead
    then goes into the form. Nothing waits longer than `HOLD_SECONDS`. Under another driver (tests with
    `run_test`) it does nothing.
    """
    keys = _keyboards.get(app)
    if keys is None:
        yield
        return
    keys.hold()
    try:
        yield
    finally:
        keys.release()
