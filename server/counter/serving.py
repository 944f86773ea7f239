"""Runs the role `counter`: the gate, what keeps the store, and a door for the terminals of the same building."""

from __future__ import annotations

import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from core.foundation import garbage, log_files, logs
from core.foundation.config import Settings
from core.foundation.errors import SettingsError
from server import connections, encryption, ports
from server.counter import core_trust, machine
from server.counter.gate import CounterGate
from server.counter.keeper import Keeper
from server.counter.link import Link
from server.counter.machine import CREDENTIAL_FILE, Machine
from server.door_process import DoorProcess

log = logging.getLogger(__name__)

GRACE_SECONDS = 3  # to finish requests that have begun; a stream would go on for ever
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class CounterApp:
    """The gate with its beginning and end, as an ASGI application."""

    def __init__(self, settings: Settings) -> None:
        require_ready(settings)
        self.settings = settings
        self.machine = Machine(settings)
        self._gate: CounterGate | None = None
        self.link: Link | None = None
        self.keeper: Keeper | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle the application's life, or one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        assert self._gate is not None
        await self._gate(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        async with self._running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        tls = core_trust.context_for(self.settings)
        credential = machine.credential_of(self.settings)
        self.link = Link(self.settings.resolved_server_url, credential, tls)
        self.keeper = Keeper(self.machine, self.link)
        self._gate = CounterGate(self.machine, self.link, self.keeper)
        self.keeper.start()
        try:
            yield
        finally:
            await self.keeper.stop()
            await self.machine.close()
            await self.link.close()


def require_ready(settings: Settings) -> None:
    """Refuse settings with which a counter cannot work; each says what to do.

    Raises:
        SettingsError: The core's address, this machine's credential, its secret, or a folder in memory is missing.
    """
    if not settings.server_url:
        raise SettingsError("LOKET_SERVER_URL: a counter needs the address of the core")
    if not (settings.home / CREDENTIAL_FILE).is_file():
        raise SettingsError(
            "{file} is missing: write into it what `loket counter add NAME` prints at the core",
            file=settings.home / CREDENTIAL_FILE,
        )
    try:
        machine.secret_of(settings)
    except OSError as error:
        raise SettingsError(
            "LOKET_COUNTER_SECRET: {path} cannot be read ({why}). Is the token in?",
            path=settings.counter_secret,
            why=error.strerror,
        ) from None
    try:
        machine.memory_of(settings).parent.stat()
    except OSError:
        raise SettingsError(
            "LOKET_COUNTER_MEMORY: {path} is not there", path=settings.counter_memory
        ) from None


def make_server(app: CounterApp, settings: Settings) -> uvicorn.Server:
    """Return the HTTP server of a counter's machine, ready to run; port 0 takes a free one."""
    config = uvicorn.Config(
        app,
        host=settings.http.host,
        port=settings.http.port,
        log_level="warning",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        date_header=False,
        timeout_keep_alive=settings.http_idle_seconds,
        http=connections.protocol_within(connections.bounds_of(settings)),
        ssl_context_factory=encryption.factory_of(settings),
        lifespan="on",
    )
    return uvicorn.Server(config)


def serve(settings: Settings, *, with_door: bool) -> int:
    """Run until SIGTERM or SIGINT.

    Args:
        settings: Of this machine.
        with_door: Whether terminals of the same building come in over SSH.

    Returns:
        The exit status.

    Raises:
        SettingsError: Something that a counter needs is missing.
    """
    logs.configure_logging()
    encryption.require_decision(settings)
    ports.must_be_free(settings.http, "LOKET_HTTP")
    has_door = with_door and settings.door_token_file.exists()
    if has_door:
        ports.must_be_free(settings.ssh, "LOKET_SSH")
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    encryption.prepare(settings)
    log_files.keep(settings.home)
    app = CounterApp(settings)
    server = make_server(app, settings)
    door = DoorProcess(settings.model_copy(update={"server_url": ""})) if has_door else None
    if door is not None:
        door.get_ready()
        door.open()
        log.info("ssh -p %s clerk@%s", settings.ssh.port, settings.ssh.host)
    elif with_door:
        log.warning(
            "no yard door: %s is missing (loket account door add, at the core)", settings.door_token_file
        )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _: None)
    with garbage.not_collected():
        log.info("counter on %s, core at %s", settings.http.url, settings.resolved_server_url)
    try:
        server.run()
    finally:
        if door is not None:
            door.stop()
    return 0
