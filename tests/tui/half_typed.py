"""A form that is half typed while its core goes away, and saved by the one that takes over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.tui.conftest import press, settle, type_text, until
from tests.tui.looking import screen_text
from tui.app import LoketApp, build_app
from tui.client.core_client import CoreClient
from tui.screens.registration.receipt import ReceiptScreen
from tui.session import open_session

NAME = "Ana Mendoza"
NIK = "6371015708900002"
COMPLAINT = "sakit gigi geraham"


@asynccontextmanager
async def half_typed(client: CoreClient) -> AsyncIterator[tuple[LoketApp, Pilot[None]]]:
    """A counter whose form is filled and not confirmed yet."""
    app = build_app(await open_session(client, await client.accounts.me(), language="en", owns_client=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await type_text(pilot, NAME)
        await press(pilot, "f2")
        await type_text(pilot, NIK)
        await press(pilot, *["tab"] * 13)
        await type_text(pilot, COMPLAINT)
        yield app, pilot


async def save(app: LoketApp, pilot: Pilot[None], number: str) -> None:
    """Confirm the form, which is as it was typed, and see its number."""
    assert COMPLAINT in screen_text(app)
    await press(pilot, "f10")
    await until(pilot, lambda: "Confirm before saving" in screen_text(app), "the confirmation")
    await press(pilot, "enter")
    await until(pilot, lambda: isinstance(app.screen, ReceiptScreen), "the receipt")
    assert number in screen_text(app)
