"""The real screens on the thin driver: typed ahead, few bytes, whole registrations in one packet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.widget import Widget

from tests.terminal.conftest import MemorySink, come_to_rest, until
from tests.tui.conftest import PAUSE_SECONDS, Counter
from tests.tui.looking import screen_of
from tui.app import LoketApp, build_app
from tui.screens.registration.confirm import ConfirmDialog
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.registration_form import RegistrationScreen
from tui.screens.registration.search import SearchScreen
from tui.terminal.capabilities import detect
from tui.terminal.driver import Terminal

REST_SECONDS = 3 * PAUSE_SECONDS  # whatever waits for a pause in typing has begun by then


class CounterTerminal:
    """Somebody at a terminal in memory."""

    def __init__(self, app: LoketApp, terminal: Terminal, sink: MemorySink) -> None:
        self.app, self.terminal, self.sink = app, terminal, sink

    def type(self, text: str) -> None:
        self.terminal.receive(text.encode())

    async def quiet(self) -> bytes:
        """Wait until nothing is written any more, and give what was."""
        await come_to_rest(self.sink.writes, REST_SECONDS)
        return self.sink.take()


@asynccontextmanager
async def open_terminal(
    counter: Counter, username: str, term: str = "xterm"
) -> AsyncIterator[CounterTerminal]:
    app = build_app(await counter.session(username))
    capabilities = detect(term)
    terminal = Terminal(capabilities, (80, 24))
    app.driver_class = terminal.driver_class()
    sink = MemorySink(80, 24)
    terminal.attach(sink, capabilities, (80, 24))
    task = asyncio.create_task(app.run_async(mouse=False))
    try:
        await until(lambda: "Puskesmas" in sink.emulator.text() or task.done(), "the first paint")
        counter_terminal = CounterTerminal(app, terminal, sink)
        await counter_terminal.quiet()
        yield counter_terminal
    finally:
        app.exit()
        await task


F2 = "\x1bOQ"


async def test_letters_lay_no_screen_out_not_even_the_first(counter, monkeypatch):
    """Walking over every widget of the form costs as much as ten letters."""
    laid_out: list[Widget] = []
    refresh = Widget.refresh

    def watched(widget: Widget, *regions, layout: bool = False, **options):
        if layout:
            laid_out.append(widget)
        return refresh(widget, *regions, layout=layout, **options)

    async with open_terminal(counter, "clerk") as counter_terminal:
        counter_terminal.type(F2 + "\t\t")
        await counter_terminal.quiet()
        monkeypatch.setattr(Widget, "refresh", watched)
        counter_terminal.type("ABC")
        assert b"C" in await counter_terminal.quiet()
        counter_terminal.type("\x15D")
        assert b"D" in await counter_terminal.quiet()
        monkeypatch.undo()
    assert laid_out == []


def whole_registration(serial: str, name: str) -> str:
    """Every key from the search box to the receipt, as one line typed ahead."""
    identity = f"{F2}637101410790{serial}\r\r{name}\r"
    rest = "\r" * 2 + "\r" * 2 + "\r" * 2 + "\r" * 3 + "\r"  # birth, sex, numbers, mother, phone, address
    return identity + rest + "sakit gigi geraham\r\r\r\r\r\r"


@pytest.mark.parametrize("attempt", range(3))
async def test_a_whole_registration_in_one_packet_gives_exactly_one_ticket(counter: Counter, attempt):
    before = counter.open_numbers("GIGI")
    name = ["Ratna Kusuma", "Bunga Citra", "Wulan Sekar"][attempt]
    async with open_terminal(counter, "clerk") as counter_terminal:
        counter_terminal.type(whole_registration(f"{8001 + attempt * 77}", name))
        await until(lambda: isinstance(counter_terminal.app.screen, ConfirmDialog), "the confirmation")
        await counter_terminal.quiet()
        # No Enter that was typed before the question was in view agrees to it.
        assert counter.open_numbers("GIGI") == before
        counter_terminal.type("\r")
        await until(lambda: isinstance(counter_terminal.app.screen, ReceiptScreen), "the receipt")
        receipt = screen_of(counter_terminal.app, ReceiptScreen).receipt
    assert receipt.ticket.cluster == "GIGI"
    assert counter.open_numbers("GIGI") == [*before, receipt.ticket.number]
    with counter.api() as api:
        patient = api.get(f"patients/{receipt.patient_id}").json()
    assert (patient["name"], patient["nik"]) == (name, f"637101410790{8001 + attempt * 77}")


def complaint_in(app: LoketApp) -> object:
    screen = app.screen
    return screen.field_values().get("chief_complaint") if isinstance(screen, RegistrationScreen) else None


async def test_a_scanners_burst_opens_the_patient_and_what_follows_goes_into_the_form(counter: Counter):
    counter.register("Kartika Dewi", "6371014107908101", "batuk", "UMUM")
    async with open_terminal(counter, "clerk") as counter_terminal:
        for _ in range(3):
            counter_terminal.type("6371014107908101\r\nsakit gigi")
            await until(
                lambda: complaint_in(counter_terminal.app) == "sakit gigi",
                "the complaint in the form",
            )
            counter_terminal.type("\x1b")
            await until(lambda: isinstance(counter_terminal.app.screen, SearchScreen), "back at the search")
            await counter_terminal.quiet()


async def test_a_letter_costs_a_byte_and_rest_costs_nothing(counter: Counter):
    async with open_terminal(counter, "clerk") as counter_terminal:
        counter_terminal.type(F2)
        await counter_terminal.quiet()
        counter_terminal.type("\r\r")
        await counter_terminal.quiet()
        counter_terminal.type("R")
        await counter_terminal.quiet()
        total = 0
        for letter in "atna":
            counter_terminal.type(letter)
            total += len(await counter_terminal.quiet())
        assert total <= 8
        assert await counter_terminal.quiet() == b""


@pytest.mark.parametrize("term", ["xterm", "putty", "linux", "screen", "tmux-256color", "vt220", "vt100"])
async def test_every_kind_of_terminal_shows_the_form_and_its_focus(counter: Counter, term):
    async with open_terminal(counter, "clerk", term) as counter_terminal:
        counter_terminal.type("\x1bOQ" if term != "linux" else "\x1b[[B")
        await until(lambda: "Birth date" in counter_terminal.sink.emulator.text(), "the form")
        await counter_terminal.quiet()
        cursor = counter_terminal.sink.emulator.screen.cursor
        assert (cursor.y, cursor.hidden) == (1, False)
