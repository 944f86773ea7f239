"""A door with made-up accounts, and a person at it: a real SSH client with a terminal behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from tests.terminal.conftest import until
from tests.terminal.counter import Counter
from tests.terminal.screens import Emulator
from tui.door.contracts import DoorOptions, SignedRequest, SignInUnavailableError
from tui.door.ssh_server import Door


@dataclass
class Address:
    host: str = "127.0.0.1"
    port: int = 0


@dataclass
class Settings:
    home: Path
    ssh: Address = field(default_factory=Address)
    resume_minutes: float = 15
    idle_lock_minutes: float = 15


@dataclass
class Person:
    identity: str


class Accounts:
    """Signs in everybody whose password is "demo" and every key it was told of."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self.is_available = True
        self.asked: list[tuple[str, str]] = []
        self.proofs: list[SignedRequest] = []
        self.fault: Exception | None = None
        self.sources: list[str] = []

    async def password(self, username: str, password: str, peer: str) -> Person | None:
        self.asked.append((username, peer))
        if not self.is_available:
            raise SignInUnavailableError
        if self.fault is not None:
            raise self.fault
        return Person(f"account-{username}") if password == "demo" else None

    async def key_known(self, username: str, public_key: str) -> bool:
        return self.keys.get(username) == " ".join(public_key.split()[:2])

    async def known_sources(self) -> list[str]:
        return self.sources

    async def key_session(
        self, username: str, public_key: str, proof: SignedRequest, peer: str
    ) -> Person | None:
        self.proofs.append(proof)
        return Person(f"account-{username}") if await self.key_known(username, public_key) else None


class OpenDoor:
    """A door, and every app it has made."""

    def __init__(self, home: Path, options: dict[str, Any], settings: dict[str, Any], **parts: Any) -> None:
        self.accounts = Accounts()
        self.apps: list[Counter] = []
        self.seen: list[Any] = []
        make = parts.pop("make", None)

        def make_app(session: Person, capabilities: Any, connection: Any) -> Counter:
            self.seen.append((session, capabilities, connection))
            app = make() if make is not None else Counter(connection.username)
            self.apps.append(app)
            return app

        self.door = Door(
            Settings(home, **settings), make_app, self.accounts, options=DoorOptions(**options), **parts
        )


@asynccontextmanager
async def open_door(
    home: Path, options: dict[str, Any] | None = None, settings: dict[str, Any] | None = None, **parts: Any
) -> AsyncIterator[OpenDoor]:
    opened = OpenDoor(home, options or {}, settings or {}, **parts)
    await opened.door.open()
    try:
        yield opened
    finally:
        await opened.door.close()


class Client:
    """A person at a terminal, connected by asyncssh's own client."""

    def __init__(self, connection: asyncssh.SSHClientConnection, process: Any, size: tuple[int, int]) -> None:
        self.connection, self.process = connection, process
        self.emulator = Emulator(*size)
        self.received = b""
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while data := await self.process.stdout.read(65536):
            self.received += data
            self.emulator.feed(data)

    def type(self, text: str) -> None:
        self.process.stdin.write(text.encode())

    async def sees(self, text: str) -> None:
        await until(lambda: text in self.emulator.text(), f"{text!r} on the screen")

    def cut(self) -> None:
        """Lose the line: the client is gone without a word."""
        self.connection.abort()

    async def gone(self) -> None:
        await self._task


@asynccontextmanager
async def client(
    opened: OpenDoor,
    username: str = "clerk",
    size: tuple[int, int] = (80, 24),
    term: str | None = "xterm",
    port: int = 0,
    command: str | None = None,
    **options: Any,
) -> AsyncIterator[Client]:
    options.setdefault("password", "demo")
    options.setdefault("client_keys", None)
    environment = options.pop("env", {})
    connection = await asyncssh.connect(
        "127.0.0.1",
        port or opened.door.port,
        username=username,
        known_hosts=None,
        agent_path=None,
        config=None,
        **options,
    )
    async with connection:
        process = await connection.create_process(
            command, term_type=term, term_size=size if term else None, encoding=None, env=environment
        )
        person = Client(connection, process, size)
        try:
            yield person
        finally:
            connection.abort()
            await person.gone()


def has_sessions(opened: OpenDoor, count: int) -> Callable[[], bool]:
    return lambda: len(opened.door.state.sessions) == count
