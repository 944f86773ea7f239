"""Messages that a terminal, or the door behind it, posts to its app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.message import Message

from tui.terminal.capabilities import Capabilities

SIGN_IN_ENDED = 3
"""Return code of an app that closed because its sign-in had ended."""


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """Facts about a remote connection.

    Attributes:
        username: The name that the person signed in with.
        peer: The client's address.
        term: TERM, or "" without a terminal.
        environment: Variables that the client sent.
        command: The command given after the host name (`ssh host command`), or None.
        method: "password" or "key".
    """

    username: str
    peer: str
    term: str
    environment: dict[str, str]
    command: str | None
    method: str


class IdleTimeout(Message):
    """Posted after a time without a key; the app locks itself."""


class Unattended(Message):
    """Posted when the connection is gone or the app is about to end; half-typed text should be saved now."""


class Resumed(Message):
    """Posted to an app that was attached to a new connection.

    Attributes:
        session: The new sign-in; its token replaces the older one.
        capabilities: Capabilities of the new terminal.
        connection: The new connection.
    """

    def __init__(self, session: Any, capabilities: Capabilities, connection: ConnectionInfo) -> None:
        super().__init__()
        self.session = session
        self.capabilities = capabilities
        self.connection = connection
