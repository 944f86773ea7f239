"""The real screens on the thin driver: typed ahead, few bytes, whole registrations in one packet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.widget import Widget

from tests.terminal.conftest import MemorySink, until
from tests.tui.conftest import Counter
from tui.app import build_app
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.search import SearchScreen
from tui.terminal.capabilities import detect
from tui.terminal.driver import Terminal


class Seat:
    """Somebody at a terminal in memory."""

    def __init__(self, app, terminal: Terminal, sink: MemorySink) -> None:
        self.app, self.terminal, self.sink = app, terminal, sink

    def type(self, text: str) -> None:
        self.terminal.receive(text.encode())

    async def quiet(self) -> bytes:
        """Wait until nothing is written any more, and give what was."""
        count = -1
        while count != len(self.sink.writes):
            count = len(self.sink.writes)
            await asyncio.sleep(0.4)
        return self.sink.take()


@asynccontextmanager
async def seated(counter: Counter, username: str, term: str = "xterm") -> AsyncIterator[Seat]:
    app = build_app(await counter.session(username))
    capabilities = detect(term)
    terminal = Terminal(capabilities, (80, 24))
    app.driver_class = terminal.driver_class()
    sink = MemorySink(80, 24)
    terminal.attach(sink, capabilities, (80, 24))
    task = asyncio.create_task(app.run_async(mouse=False))
    try:
        await until(lambda: "Puskesmas" in sink.emulator.text() or task.done(), "the first paint")
        seat = Seat(app, terminal, sink)
        await seat.quiet()
        yield seat
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

    async with seated(counter, "clerk") as seat:
        seat.type(F2 + "\t\t")
        await seat.quiet()
        monkeypatch.setattr(Widget, "refresh", watched)
        seat.type("ABC")
        assert b"C" in await seat.quiet()
        seat.type("\x15D")
        assert b"D" in await seat.quiet()
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
    async with seated(counter, "clerk") as seat:
        seat.type(whole_registration(f"{8001 + attempt * 77}", name))
        await until(lambda: isinstance(seat.app.screen, ReceiptScreen), "the receipt")
        receipt = seat.app.screen.receipt
    assert receipt.ticket.cluster == "GIGI"
    assert counter.open_numbers("GIGI") == [*before, receipt.ticket.number]
    with counter.api() as api:
        patient = api.get(f"patients/{receipt.patient_id}").json()
    assert (patient["name"], patient["nik"]) == (name, f"637101410790{8001 + attempt * 77}")


async def test_a_scanners_burst_opens_the_patient_and_what_follows_goes_into_the_form(counter: Counter):
    counter.register("Kartika Dewi", "6371014107908101", "batuk", "UMUM")
    async with seated(counter, "clerk") as seat:
        for _ in range(3):
            seat.type("6371014107908101\r\nsakit gigi")
            await until(
                lambda: (
                    getattr(seat.app.screen, "field_values", dict)().get("chief_complaint") == "sakit gigi"
                ),
                "the complaint in the form",
            )
            seat.type("\x1b")
            await until(lambda: isinstance(seat.app.screen, SearchScreen), "back at the search")
            await seat.quiet()


async def test_a_letter_costs_a_byte_and_rest_costs_nothing(counter: Counter):
    async with seated(counter, "clerk") as seat:
        seat.type(F2)
        await seat.quiet()
        seat.type("\r\r")
        await seat.quiet()
        seat.type("R")
        await seat.quiet()
        total = 0
        for letter in "atna":
            seat.type(letter)
            total += len(await seat.quiet())
        assert total <= 8
        assert await seat.quiet() == b""


@pytest.mark.parametrize("term", ["xterm", "putty", "linux", "screen", "tmux-256color", "vt220", "vt100"])
async def test_every_kind_of_terminal_shows_the_form_and_its_focus(counter: Counter, term):
    async with seated(counter, "clerk", term) as seat:
        seat.type("\x1bOQ" if term != "linux" else "\x1b[[B")
        await until(lambda: "Birth date" in seat.sink.emulator.text(), "the form")
        await seat.quiet()
        cursor = seat.sink.emulator.screen.cursor
        assert (cursor.y, cursor.hidden) == (1, False)
