"""What the door needs from outside: settings, sign-in, apps, words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from textual.app import App
from textual.message import Message

from tui.terminal.capabilities import Capabilities


class ListenAddress(Protocol):
    """Where to listen."""

    @property
    def host(self) -> str:
        """Name or address of the interface."""

    @property
    def port(self) -> int:
        """TCP port; 0 takes a free one."""


class DoorSettings(Protocol):
    """The settings the door reads; `core.config.Settings` has them all."""

    @property
    def home(self) -> Path:
        """Data folder; the host key is kept there."""

    @property
    def ssh(self) -> ListenAddress:
        """Where to listen."""

    @property
    def resume_minutes(self) -> float:
        """How long an app outlives its connection; 0: not at all."""

    @property
    def idle_lock_minutes(self) -> float:
        """After how long without a key the app is told to lock itself."""


class PersonSession(Protocol):
    """A signed-in person, as the authenticator made it."""

    @property
    def identity(self) -> str:
        """The account, the same at each sign-in; a resumed app is found by it, not by the bare user name."""


class Authenticator(Protocol):
    """Signs people in against the core."""

    async def password(self, username: str, password: str, peer: str) -> PersonSession | None:
        """Sign in by password.

        Args:
            username: As typed.
            password: As typed.
            peer: The client's address, for the core's limits on failed attempts.

        Returns:
            The session, or None when the two do not match.

        Raises:
            SignInUnavailableError: Nobody can be signed in now (the core does not answer).
        """

    async def key_known(self, username: str, public_key: str) -> bool:
        """Tell whether a public key, in OpenSSH's one-line form, belongs to an account.

        Asked before the client has proved that it holds the key: it must not sign anybody in.
        """

    async def key_session(self, username: str, public_key: str) -> PersonSession | None:
        """Sign in by a key whose possession was proved; None when it was withdrawn meanwhile."""


class SignInUnavailableError(Exception):
    """Nobody can be signed in at the moment."""


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """What is known of a connection.

    Attributes:
        username: The name signed in with.
        peer: The client's address.
        term: TERM, or "" without a terminal.
        environment: Variables the client sent.
        command: What was asked for behind the host name (`ssh host command`), or None.
        method: "password" or "key".
    """

    username: str
    peer: str
    term: str
    environment: dict[str, str]
    command: str | None
    method: str


class Resumed(Message):
    """Posted to an app that got a new connection.

    Attributes:
        session: The new sign-in; its token replaces the older one.
        capabilities: Of the new terminal.
        connection: The new connection.
    """

    def __init__(self, session: Any, capabilities: Capabilities, connection: ConnectionInfo) -> None:
        super().__init__()
        self.session = session
        self.capabilities = capabilities
        self.connection = connection


@dataclass(frozen=True, slots=True)
class DoorTexts:
    """Sentences for people who have no app on the screen, in their language.

    Attributes:
        failed: The app ended by an error.
        full: No seat is free.
        unavailable: Nobody can be signed in now.
        no_line_mode: There is no terminal and no dialogue of lines either.
        waiting: Many sign in at once; shown after a second of waiting.
        idle: A dialogue of lines ended because nobody typed for a while.
        moved: The app was taken over by another connection.
        closing: The door is being shut.
    """

    failed: str = "This screen had to close because of a fault; what you saved is safe. Please sign in again."
    full: str = "All seats at this door are taken. Please try again in a few minutes."
    unavailable: str = "Nobody can be signed in at the moment: the server does not answer."
    no_line_mode: str = "This needs a terminal; connect without -T, or set TERM."
    waiting: str = "Many are signing in; one moment, please."
    idle: str = "Nobody typed for a while: signed out. What was typed is kept for the next sign-in."
    moved: str = "Your work goes on at the terminal you have just signed in from."
    closing: str = "The server is being restarted. Please sign in again in a minute."


class LineReader(Protocol):
    """Lines a person types."""

    async def readline(self) -> str | None:
        """Wait for a line, without its end; None when the person has hung up."""

    def has_line(self) -> bool:
        """Whether `readline` would answer at once."""

    def discard(self) -> int:
        """Forget the lines typed ahead; gives their number."""


class LineWriter(Protocol):
    """Lines shown to a person."""

    def write(self, text: str) -> None:
        """Send text; a line feed ends a line."""

    async def drain(self) -> None:
        """Wait until the line can take more."""

    @property
    def prints_escpos(self) -> bool:
        """Whether a printer at the person's end takes ESC/POS; otherwise plain text."""

    def print_local(self, data: bytes) -> bool:
        """Print at the person's end; False where there is no printer."""

    async def delivered(self) -> bool:
        """Wait until the person's end has everything; False when the line broke before that."""


AppFactory = Callable[[Any, Capabilities, ConnectionInfo], App[Any]]
LineMode = Callable[[Any, LineReader, LineWriter], Awaitable[int]]
"""Gives the exit status that the client ends with."""
TextsFor = Callable[[Any], DoorTexts]


def default_texts(session: Any) -> DoorTexts:
    """Give the sentences in English; `session` is the signed-in person's, or None before that."""
    return DoorTexts()


@dataclass(frozen=True, slots=True)
class DoorOptions:
    """Bounds of one door process.

    Attributes:
        most_sessions: Apps in this process, connected or not. Garbage collection pauses and the damage of a
            crash grow with it; more people are served by a second process.
        most_detached: Apps without a connection; beyond it the one left longest ends.
        starts_at_once: Apps being started at the same time, so that a rush after a power cut stays orderly.
        most_signing_in: Connections that have not signed in yet.
        sign_in_seconds: Time to sign in.
        failed_attempts: Wrong passwords on one connection before it is closed.
        probe_seconds: Wait for an older connection of the same account to prove that it is alive.
        reuse_port: Whether another process may listen on the same port; each then resumes only its own apps.
        host_key: Where the host key is kept; default `ssh_host_ed25519_key` in the data folder.
        terminal_overrides: Capabilities that win over what terminals say, as for `detect`.
    """

    most_sessions: int = 100
    most_detached: int = 50
    starts_at_once: int = 2
    most_signing_in: int = 128
    sign_in_seconds: float = 60.0
    failed_attempts: int = 5
    probe_seconds: float = 4.0
    reuse_port: bool = False
    host_key: Path | None = None
    terminal_overrides: dict[str, object] = field(default_factory=dict)
