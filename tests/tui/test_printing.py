"""Tickets from the receipt: printed beside everything else, and what fails is said with a remedy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest
from textual.pilot import Pilot

from core.foundation.config import Settings
from core.patients.national_ids import compose_nik
from server.run import Background
from tests.printers import TcpPrinter
from tests.tui.conftest import Counter, press, type_text, until
from tests.tui.looking import said, screen_of, screen_text
from tui.app import LoketApp
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.registration_form import RegistrationScreen
from tui.screens.registration.search import SearchScreen


@pytest.fixture
def printer() -> Iterator[TcpPrinter]:
    running = TcpPrinter()
    yield running
    running.close()


@asynccontextmanager
async def at_receipt(settings: Settings, **changes: Any) -> AsyncIterator[tuple[LoketApp, Pilot[None]]]:
    """Somebody has just been registered for GIGI."""
    with Background(settings.model_copy(update=changes)) as server:
        async with Counter(server).at("clerk") as (app, pilot):
            await press(pilot, "f2")
            await type_text(pilot, compose_nik("637101", date(1990, 8, 17), "female", 2))
            screen_of(app, RegistrationScreen).fill(
                {"name": "Ana Mendoza", "chief_complaint": "sakit gigi geraham"}
            )
            await press(pilot, "f10", "enter")
            assert isinstance(app.screen, ReceiptScreen), screen_text(app)
            yield app, pilot


async def test_p_prints_on_the_clinics_printer(settings: Settings, printer: TcpPrinter):
    address = "http://192.0.2.10:8460"
    async with at_receipt(settings, printer=printer.address, public_url=address) as (app, pilot):
        await pilot.press("p")
        await until(pilot, lambda: printer.jobs, "the job")
        (job,) = printer.jobs
        assert b"B-001" in job
        assert b"Poli Gigi" in job
        assert b"HTTP://192.0.2.10:8460/T/" in job
        assert b"Ana" not in job
        await until(pilot, lambda: "Printed." in said(app), "that it was printed")


async def test_a_dead_printer_delays_nobody_and_is_told_on_the_next_screen(
    settings: Settings, printer: TcpPrinter
):
    printer.close()
    async with at_receipt(settings, printer=printer.address, print_tickets=True) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen), "the next patient")
        await until(pilot, lambda: "B-001: Not printed" in said(app), "why nothing was printed")
        assert "Is it on and connected?" in said(app)


async def test_each_ticket_is_printed_where_the_setting_says_so(settings: Settings, printer: TcpPrinter):
    async with at_receipt(settings, printer=printer.address, print_tickets=True) as (_, pilot):
        await until(pilot, lambda: printer.jobs, "the job")


async def test_without_any_printer_the_number_is_to_be_written_down(settings: Settings):
    async with at_receipt(settings) as (app, pilot):
        await press(pilot, "p")
        assert "write the number down" in said(app)
