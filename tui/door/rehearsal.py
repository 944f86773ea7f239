"""A start that nobody sees: what a process does once for its first app, the first person need not wait for."""

from __future__ import annotations

import asyncio
import logging

import httpx

from core.schemas import AccountShape, ClinicShape
from core.vocabulary import Role
from tui.app import build_app
from tui.changes import ChangeHub
from tui.client import CoreClient
from tui.session import Session
from tui.terminal.capabilities import detect
from tui.terminal.driver import Terminal, end
from tui.terminal.failures import describe_failure
from tui.terminal.textual_internals import contain_failures, prepare_process
from tui.text import Translator

logger = logging.getLogger(__name__)

FIRST_PAINT_SECONDS = 10.0  # a rehearsal that fails is no reason not to open
SIZE = (80, 24)


class _Nobody:
    """Who sits at the terminal."""

    def write(self, data: bytes) -> None:
        """See nothing."""

    def pending_bytes(self) -> int:
        """Keep nothing waiting."""
        return 0


def _nothing(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("this is a rehearsal", request=request)


def _session(language: str) -> Session:
    """A clerk whom no core knows, and whom none is asked about."""
    client = CoreClient("http://rehearsal", http=httpx.AsyncClient(transport=httpx.MockTransport(_nothing)))
    account = AccountShape(id="", username="", name="", role=Role.CLERK)
    clinic = ClinicShape.model_construct(facility_name="", language=language)
    hub = ChangeHub(client, always=False)
    return Session(account, client, clinic, [], hub, Translator(language), owns_client=True)


async def rehearse(language: str) -> None:
    """Bring a registration counter to its first screen, and end it.

    Args:
        language: `id` or `en`, of the screens.
    """
    prepare_process()
    capabilities = detect("xterm-256color", {"LANG": "C.UTF-8"})
    terminal = Terminal(capabilities, SIZE)
    app = build_app(_session(language))
    app.driver_class = terminal.driver_class()
    contain_failures(app, lambda error: logger.error("the rehearsal failed: %s", describe_failure(error)))
    terminal.attach(_Nobody(), capabilities, SIZE)
    running = asyncio.create_task(app.run_async(mouse=False))
    painted = asyncio.create_task(terminal.painted.wait())
    await asyncio.wait({running, painted}, timeout=FIRST_PAINT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    painted.cancel()
    end(app)
    await running
