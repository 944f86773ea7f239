"""Starts an app unseen, so that the work a process does once is done before the first person connects."""

from __future__ import annotations

import asyncio
import logging

import httpx

from core.foundation import clock
from core.foundation.codes import Role
from core.foundation.logs import describe_failure
from core.schemas.accounts import AccountOut
from core.schemas.clinic import ClinicOut
from tui.app import LoketApp, build_app
from tui.change_stream import ChangeHub
from tui.client.core_client import CoreClient
from tui.session import Session
from tui.terminal.capabilities import detect
from tui.terminal.driver import Terminal, end
from tui.terminal.textual_internals import contain_failures, prepare_process
from tui.text.translation import Translator

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 10.0  # the door opens even when the rehearsal is not done by then
SIZE = (80, 24)
NEW_PATIENT = b"\x1bOQ"
"""F2 of an xterm."""


class _DroppingSink:
    """A sink that drops its output.

    Attributes:
        was_shown: Set by each frame.
    """

    def __init__(self) -> None:
        self.was_shown = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Take note of a frame."""
        self.was_shown.set()

    def pending_bytes(self) -> int:
        """Return zero."""
        return 0


def _nothing(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("this is a rehearsal", request=request)


def _session(language: str) -> Session:
    """Return the session of a made-up clerk; the core is never asked."""
    client = CoreClient("http://rehearsal", http=httpx.AsyncClient(transport=httpx.MockTransport(_nothing)))
    account = AccountOut(id="", username="", name="", role=Role.CLERK)
    clinic = ClinicOut.model_construct(
        facility_name="", language=language, timezone="UTC", today=clock.now().date()
    )
    hub = ChangeHub(client, always=False)
    return Session(account, client, clinic, [], hub, Translator(language), owns_client=True)


async def rehearse(language: str) -> None:
    """Start a registration counter, open the form of a new patient, and end it.

    Args:
        language: `id` or `en`, of the screens.
    """
    prepare_process()
    try:
        await _show(build_app(_session(language)))
    except Exception as error:
        # No failure here may keep the door closed.
        _tell(error)


def _tell(error: BaseException) -> None:
    logger.error("the rehearsal failed: %s", describe_failure(error))


async def _show(app: LoketApp) -> None:
    capabilities, sink = detect("xterm-256color", {"LANG": "C.UTF-8"}), _DroppingSink()
    terminal = Terminal(capabilities, SIZE)
    app.driver_class = terminal.driver_class()
    contain_failures(app, _tell)
    terminal.attach(sink, capabilities, SIZE)
    running = asyncio.create_task(app.run_async(mouse=False))

    async def look_on() -> None:
        await terminal.painted.wait()
        sink.was_shown.clear()
        terminal.receive(NEW_PATIENT)
        await sink.was_shown.wait()

    looking = asyncio.create_task(look_on())
    await asyncio.wait({running, looking}, timeout=LONGEST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    looking.cancel()
    end(app)
    await running
