"""Protocols and types of the door's surroundings: settings, sign-in, apps, sentences."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from textual.app import App

from tui.terminal.capabilities import Capabilities
from tui.terminal.events import ConnectionInfo
from tui.terminal.line_streams import LineReader, LineWriter


class ListenAddress(Protocol):
    """Address to listen on."""

    @property
    def host(self) -> str:
        """Name or address of the interface."""

    @property
    def port(self) -> int:
        """TCP port; 0 takes a free one."""


class DoorSettings(Protocol):
    """The settings the door reads; `core.foundation.config.Settings` has them all."""

    @property
    def home(self) -> Path:
        """Data folder; the host key is kept there."""

    @property
    def ssh(self) -> ListenAddress:
        """Address to listen on."""

    @property
    def resume_minutes(self) -> float:
        """Time for which an app outlives its connection; 0: not at all."""

    @property
    def idle_lock_minutes(self) -> float:
        """Time without a key after which the app is told to lock itself; 0: never."""


class PersonSession(Protocol):
    """A signed-in person, as the authenticator made it."""

    @property
    def identity(self) -> str:
        """The account's id, the same at each sign-in; sessions are found by it, not by the user name."""


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
            SignInWaitError: Too many wrong passwords: nothing is looked at for a while.
        """

    async def key_known(self, username: str, public_key: str) -> bool:
        """Return whether a public key, in OpenSSH's one-line form, belongs to an account.

        The client has not proved yet that it holds the key: this must sign in nobody.
        """

    async def key_session(
        self, username: str, public_key: str, proof: SignedRequest, peer: str
    ) -> PersonSession | None:
        """Sign in by a key whose possession was proved; None when it was withdrawn meanwhile.

        Args:
            username: As typed.
            public_key: In OpenSSH's one-line form.
            proof: What the client has signed; good once.
            peer: The client's address.
        """

    async def known_sources(self) -> list[str]:
        """Return the addresses that have signed in lately, through whatever door.

        Raises:
            SignInUnavailableError: The core does not answer.
        """


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """Text that a client has signed to sign in by key.

    Attributes:
        session_id: Of the connection.
        signed: The request, which was signed together with it.
        signature: Algorithm and signature.
    """

    session_id: bytes
    signed: bytes
    signature: bytes


class SignInWaitError(Exception):
    """Too many wrong passwords.

    Attributes:
        seconds: To wait until the next one is looked at.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class SignInUnavailableError(Exception):
    """Nobody can be signed in at the moment."""


@dataclass(frozen=True, slots=True)
class DoorTexts:
    """Sentences for people who have no app on the screen, in their language.

    Attributes:
        failed: The app ended by an error.
        full: All sessions are taken.
        account_full: The account has as many sessions as it may.
        crowded: Too many connections; `{seconds}` are to be waited.
        unavailable: Nobody can be signed in now.
        no_line_mode: There is no terminal and no dialogue of lines either.
        waiting: Many sign in at once; shown after a second of waiting.
        idle: A dialogue of lines ended after a time without input.
        moved: The app was taken over by another connection.
        closing: The door is being shut.
        ended: The sign-in was ended elsewhere.
        wait: Too many wrong passwords; `{seconds}` are to be waited.
    """

    failed: str = "This screen had to close because of a fault; what you saved is safe. Please sign in again."
    full: str = "All seats at this door are taken. Please try again in a few minutes."
    account_full: str = "This account is open at as many places as it may be. Sign out at one of them first."
    crowded: str = "Too many connections at the moment: please wait {seconds} seconds, then try again."
    unavailable: str = "Nobody can be signed in at the moment: the server does not answer."
    no_line_mode: str = "This needs a terminal; connect without -T, or set TERM."
    waiting: str = "Many are signing in; one moment, please."
    idle: str = "Nobody typed for a while: signed out. What was typed is kept for the next sign-in."
    moved: str = "Your work goes on at the terminal you have just signed in from."
    ended: str = "Your sign-in has ended. Sign in again, or ask the person who runs Loket."
    wait: str = "Too many wrong tries: please wait {seconds} seconds, then sign in again."
    closing: str = "The server is being restarted. Please sign in again in a minute."


AppFactory = Callable[[Any, Capabilities, ConnectionInfo], App[Any]]
LineMode = Callable[[Any, LineReader, LineWriter], Awaitable[int]]
"""Serves a dialogue of lines and returns the exit status for the client."""
TextsFor = Callable[[Any], DoorTexts]


def default_texts(session: Any) -> DoorTexts:
    """Return the sentences in English, for any session; None is a person not yet signed in."""
    return DoorTexts()


@dataclass(frozen=True, slots=True)
class DoorOptions:
    """Limits of one door process.

    Attributes:
        most_sessions: Sessions in this process, attached or detached, dialogues of lines included. Garbage collection
            pauses and the damage of a crash grow with it; more people are served by a second process. Those who came
            from a source that was not known take half of them at most.
        sessions_per_account: Those of one account.
        channels_per_connection: Channels that one connection has open at a time.
        most_detached: Detached sessions; beyond it the one detached first ends.
        starts_at_once: Apps being started at the same time, so that a rush after a power cut stays orderly.
        starts_begin: Connections of strangers that have not signed in, from which on some are dropped by chance.
        starts_rate: Percentage dropped there; it grows until all are.
        starts_full: Most connections that have not signed in: one half for strangers, one for known sources.
        starts_per_source: Those of one stranger.
        handshake_seconds: Time to finish the handshake.
        sign_in_seconds: Time to sign in, the handshake included.
        most_penalty_seconds: Longest time for which a stranger is made to wait; 0: never.
        connections_per_account: Connections of one account that have signed in.
        connections_per_source: Connections of one source that have signed in.
        failed_attempts: Wrong passwords on one connection before it is closed.
        probe_seconds: Wait for an older connection of the same account to prove that it is alive.
        classic_exchange: Whether clients without a post-quantum key exchange may connect.
        reuse_port: Whether another process may listen on the same port; each then resumes only its own apps.
        host_key: Where the host key is kept; default `ssh_host_ed25519_key` in the data folder.
        terminal_overrides: Capabilities that win over detected ones, as for `detect`.
    """

    most_sessions: int = 100
    sessions_per_account: int = 10
    channels_per_connection: int = 10
    most_detached: int = 50
    starts_at_once: int = 2
    starts_begin: int = 40
    starts_rate: int = 30
    starts_full: int = 200
    starts_per_source: int = 32
    handshake_seconds: float = 20.0
    sign_in_seconds: float = 60.0
    most_penalty_seconds: float = 600.0
    connections_per_account: int = 20
    connections_per_source: int = 100
    failed_attempts: int = 5
    probe_seconds: float = 4.0
    classic_exchange: bool = True
    reuse_port: bool = False
    host_key: Path | None = None
    terminal_overrides: dict[str, object] = field(default_factory=dict)
