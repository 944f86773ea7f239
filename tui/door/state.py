"""State that all connections of one door share."""

from __future__ import annotations

from dataclasses import dataclass, field

import asyncssh

from tui.door.admission import Admission
from tui.door.contracts import AppFactory, Authenticator, DoorOptions, LineMode, TextsFor
from tui.door.sessions import SessionRegistry


@dataclass(frozen=True, slots=True)
class DoorState:
    """The inside of a door, as a connection sees it.

    Attributes:
        options: Limits.
        app_factory: Makes the app of a signed-in person.
        authenticator: Signs people in.
        line_mode: Serves people without a terminal; None: they are told that one is needed.
        texts_for: Returns the sentences in a person's language.
        sessions: The apps.
        idle_seconds: Time without a line after which a line-mode dialogue ends; None: never.
        admission: The bounds on connections.
        connections: All connections, signed in or not.
    """

    options: DoorOptions
    app_factory: AppFactory
    authenticator: Authenticator
    line_mode: LineMode | None
    texts_for: TextsFor
    sessions: SessionRegistry
    idle_seconds: float | None
    admission: Admission
    connections: set[asyncssh.SSHServerConnection] = field(default_factory=set)
