"""What all connections of one door share: its bounds, what it was given, its seats, and who is there."""

from __future__ import annotations

from dataclasses import dataclass, field

import asyncssh

from tui.door.contracts import AppFactory, Authenticator, DoorOptions, LineMode, TextsFor
from tui.door.seats import Seats


@dataclass(frozen=True, slots=True)
class Reception:
    """The inside of a door, as a connection sees it.

    Attributes:
        options: Bounds.
        app_factory: Makes the app of somebody signed in.
        authenticator: Signs people in.
        line_mode: Serves people without a terminal; None: they are told.
        texts_for: Sentences in a person's language.
        seats: The apps.
        idle_seconds: After how long without a line a dialogue ends; None: never.
        connections: Everybody at the door, signed in or not.
        signed_in: Those of them that have signed in.
    """

    options: DoorOptions
    app_factory: AppFactory
    authenticator: Authenticator
    line_mode: LineMode | None
    texts_for: TextsFor
    seats: Seats
    idle_seconds: float | None
    connections: set[asyncssh.SSHServerConnection] = field(default_factory=set)
    signed_in: set[asyncssh.SSHServerConnection] = field(default_factory=set)

    @property
    def signing_in(self) -> int:
        """Connections that have not signed in yet."""
        return len(self.connections) - len(self.signed_in)
