"""A start that nobody sees: what a process does once for its first app, the first person need not wait for."""

from __future__ import annotations

import asyncio
import logging

import httpx

from core import clock
from core.schemas.accounts import AccountShape
from core.schemas.clinic import ClinicShape
from core.vocabulary import Role
from tui.app import LoketApp, build_app
from tui.changes import ChangeHub
from tui.client import CoreClient
from tui.session import Session
from tui.terminal.capabilities import detect
from tui.terminal.driver import Terminal, end
from tui.terminal.failures import describe_failure
from tui.terminal.textual_internals import contain_failures, prepare_process
from tui.text import Translator

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 10.0  # a rehearsal that fails is no reason not to open
SIZE = (80, 24)
NEW_PATIENT = b"\x1bOQ"
"""F2 of an xterm."""


class _Nobody:
    """Who sits at the terminal.

    Attributes:
        was_shown: Set by each frame.
    """

    def __init__(self) -> None:
        self.was_shown = asyncio.Event()

    def write(self, data: bytes) -> None:
        """See nothing, but that there was something to see."""
        self.was_shown.set()

    def pending_bytes(self) -> int:
        """Keep nothing waiting."""
        return 0


def _nothing(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("this is a rehearsal", request=request)


def _session(language: str) -> Session:
    """A clerk whom no core knows, and whom none is asked about."""
    client = CoreClient("http://rehearsal", http=httpx.AsyncClient(transport=httpx.MockTransport(_nothing)))
    account = AccountShape(id="", username="", name="", role=Role.CLERK)
    clinic = ClinicShape.model_construct(facility_name="", language=language, today=clock.now().date())
    hub = ChangeHub(client, always=False)
    return Session(account, client, clinic, [], hub, Translator(language), owns_client=True)


async def rehearse(language: str) -> None:
    """Bring a registration counter to its first screen and to the form of a new patient, and end it.

    Args:
        language: `id` or `en`, of the screens.
    """
    prepare_process()
    try:
        await _show(build_app(_session(language)))
    except Exception as error:
        # Whatever it is: the people at the door meet it too, or not at all.
        _tell(error)


def _tell(error: BaseException) -> None:
    logger.error("the rehearsal failed: %s", describe_failure(error))


async def _show(app: LoketApp) -> None:
    capabilities, nobody = detect("xterm-256color", {"LANG": "C.UTF-8"}), _Nobody()
    terminal = Terminal(capabilities, SIZE)
    app.driver_class = terminal.driver_class()
    contain_failures(app, _tell)
    terminal.attach(nobody, capabilities, SIZE)
    running = asyncio.create_task(app.run_async(mouse=False))

    async def look_on() -> None:
        await terminal.painted.wait()
        nobody.was_shown.clear()
        terminal.receive(NEW_PATIENT)
        await nobody.was_shown.wait()

    looking = asyncio.create_task(look_on())
    await asyncio.wait({running, looking}, timeout=LONGEST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    looking.cancel()
    end(app)
    await running
