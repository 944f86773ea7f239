"""Admission to the door: bounds on connections by source and account, after OpenSSH's.

- Places of connections that have not signed in: MaxStartups with random early drop, PerSourceMaxStartups. One half
  belongs to sources that have signed in lately, so that a flood from elsewhere never takes their places.
- A place whose client has not even finished the handshake yields to a newcomer when there is no other.
- Penalties after wrong passwords, silence and hanging up without a try: PerSourcePenalties. Known sources have none;
  the core makes each account wait there by itself.
- Connections that have signed in, by account and by source.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn

from core.foundation.networks import network_of
from tui.door.contracts import DoorOptions

logger = logging.getLogger(__name__)

REMEMBERED_SOURCES = 10_000
SHORTEST_PENALTY_SECONDS = 15.0  # less than that is forgiven, as PerSourcePenalties' `min`
CROWDED_SECONDS = 5  # to wait when there is no place
LOGGED_EVERY_SECONDS = 60.0
EXPLAINED_AT_ONCE = 10  # refused connections that are told why: each needs a whole handshake
EXPLAINED_EVERY_SECONDS = 0.2  # between two of them; the others are just closed


class Penalty(StrEnum):
    """Reason for which a stranger is made to wait."""

    WRONG = "wrong"
    SILENT = "silent"
    LEFT = "left"


PENALTY_SECONDS = {Penalty.WRONG: 5.0, Penalty.SILENT: 10.0, Penalty.LEFT: 1.0}
"""OpenSSH's `authfail`, `grace-exceeded` and `noauth`."""


class RefusedConnectionError(Exception):
    """There is no place for a connection now.

    Attributes:
        seconds: To wait before the next try.
        is_penalty: Whether the source itself is to wait, rather than that the door is crowded.
    """

    def __init__(self, seconds: int, *, is_penalty: bool = False) -> None:
        super().__init__(seconds)
        self.seconds = seconds
        self.is_penalty = is_penalty


class KnownSources:
    """Sources that have signed in lately, from whatever account."""

    def __init__(self) -> None:
        self._sources: dict[str, None] = {}

    def __contains__(self, source: str) -> bool:
        return source in self._sources

    def add(self, address: str) -> None:
        """Remember a source."""
        source = network_of(address)
        self._sources.pop(source, None)
        self._sources[source] = None
        while len(self._sources) > REMEMBERED_SOURCES:
            del self._sources[next(iter(self._sources))]


class Penalties:
    """Keeps the time that each source has to wait."""

    def __init__(self, most_seconds: float, now: Callable[[], float]) -> None:
        self._most_seconds = most_seconds
        self._now = now
        self._until: dict[str, float] = {}

    def add(self, source: str, penalty: Penalty) -> None:
        """Let a source wait longer."""
        now = self._now()
        until = max(self._until.get(source, now), now) + PENALTY_SECONDS[penalty]
        self._until[source] = min(until, now + self._most_seconds)
        if len(self._until) > REMEMBERED_SOURCES:
            self._until = {key: end for key, end in self._until.items() if end > now}
        while len(self._until) > REMEMBERED_SOURCES:
            del self._until[next(iter(self._until))]

    def seconds_left(self, source: str) -> float:
        """Return how long a source has to wait; 0 when it has not, or for less than the shortest time."""
        left = self._until.get(source, 0.0) - self._now()
        return left if left > SHORTEST_PENALTY_SECONDS else 0.0


@dataclass(eq=False)
class ConnectionPlace:
    """The place of one connection that has not signed in.

    Attributes:
        source: Where it comes from.
        is_known: Whether that source had signed in lately when the connection began.
        give_way: Closes the connection.
        is_silent: Whether its client has yet to finish the handshake.
    """

    source: str
    is_known: bool
    give_way: Callable[[], None]
    is_silent: bool = True


@dataclass
class Refusals:
    """Counts refusals and writes them into the log once a minute: a flood must not become one of the log."""

    now: Callable[[], float]
    counts: Counter[str] = field(default_factory=Counter)
    logged_at: float = float("-inf")

    def add(self, why: str) -> None:
        """Count one."""
        self.counts[why] += 1
        if self.now() - self.logged_at < LOGGED_EVERY_SECONDS:
            return
        told = ", ".join(f"{why} {number}" for why, number in sorted(self.counts.items()))
        logger.warning("connections turned away since the last such line: %s", told)
        self.counts.clear()
        self.logged_at = self.now()


class Admission:
    """Gives out the places of a door.

    Attributes:
        known: Sources that have signed in lately.
        penalties: Who has to wait.
    """

    def __init__(
        self,
        options: DoorOptions,
        now: Callable[[], float],
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Make an admission without connections.

        Args:
            options: The bounds.
            now: Time that only goes on, in seconds.
            chance: Returns 0 to 1, for the random early drop.
        """
        self._options = options
        self._chance = chance
        self.known = KnownSources()
        self.penalties = Penalties(options.most_penalty_seconds, now)
        self._refusals = Refusals(now)
        self._places: list[ConnectionPlace] = []
        self._now = now
        self._explaining = 0
        self._explained_at = float("-inf")
        self._of_account: Counter[str] = Counter()
        self._of_source: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._places)

    def arrive(self, address: str, give_way: Callable[[], None]) -> ConnectionPlace:
        """Give a new connection a place.

        Args:
            address: Of the client.
            give_way: Closes the connection, when its place is given to another.

        Raises:
            RefusedConnectionError: There is no place.
        """
        source = network_of(address)
        place = ConnectionPlace(source, source in self.known, give_way)
        self._require_no_penalty(place)
        half = [other for other in self._places if other.is_known == place.is_known]
        own = [other for other in half if other.source == source]
        if self._is_dropped(place, len(half)):
            self._refuse("early")
        if not place.is_known and len(own) >= self._options.starts_per_source:
            self._take_from(own)
        elif len(half) >= self._half:
            self._take_from(half)
        self._places.append(place)
        return place

    @property
    def _half(self) -> int:
        return max(1, self._options.starts_full // 2)

    def _require_no_penalty(self, place: ConnectionPlace) -> None:
        left = 0.0 if place.is_known else self.penalties.seconds_left(place.source)
        if left > 0:
            self._refusals.add("penalty")
            raise RefusedConnectionError(max(1, round(left)), is_penalty=True)

    def _is_dropped(self, place: ConnectionPlace, count: int) -> bool:
        """Return whether chance drops a stranger: with a share of `starts_rate` percent and more as places fill."""
        begin, rate = self._options.starts_begin, self._options.starts_rate / 100
        if place.is_known or count < begin or self._half <= begin:
            return False
        share = rate + (1 - rate) * (count - begin) / (self._half - begin)
        return self._chance() < share

    def _take_from(self, places: list[ConnectionPlace]) -> None:
        """Free the place of the client that has been silent longest."""
        silent = next((place for place in places if place.is_silent), None)
        if silent is None:
            self._refuse("no place")
        self._places.remove(silent)
        self._refusals.add("silent, gave way")
        silent.give_way()

    def _refuse(self, why: str) -> NoReturn:
        self._refusals.add(why)
        raise RefusedConnectionError(CROWDED_SECONDS)

    def may_explain(self) -> bool:
        """Return whether a refused connection may go on to where its person can be told why; then it is counted."""
        now = self._now()
        if self._explaining >= EXPLAINED_AT_ONCE or now - self._explained_at < EXPLAINED_EVERY_SECONDS:
            return False
        self._explained_at = now
        self._explaining += 1
        return True

    def explained(self) -> None:
        """Count one such connection less."""
        self._explaining -= 1

    def leave(self, place: ConnectionPlace) -> None:
        """Take back a place: its connection has signed in, or is gone."""
        if place in self._places:
            self._places.remove(place)

    def punish(self, place: ConnectionPlace, penalty: Penalty) -> None:
        """Let the source of a connection wait longer, unless it is known."""
        if not place.is_known:
            self.penalties.add(place.source, penalty)

    def sign_in(self, place: ConnectionPlace, username: str) -> None:
        """Count a connection that has signed in, and remember where it came from.

        Raises:
            RefusedConnectionError: The account or the source has as many as it may.
        """
        self.leave(place)
        account = _account(username)
        if self._of_account[account] >= self._options.connections_per_account:
            self._refuse("connections of an account")
        if self._of_source[place.source] >= self._options.connections_per_source:
            self._refuse("connections of a source")
        self._of_account[account] += 1
        self._of_source[place.source] += 1
        self.known.add(place.source)

    def sign_out(self, place: ConnectionPlace, username: str) -> None:
        """Count a connection no longer that had signed in."""
        for counter, key in ((self._of_account, _account(username)), (self._of_source, place.source)):
            counter[key] -= 1
            if counter[key] <= 0:
                del counter[key]


def _account(username: str) -> str:
    return username.strip().lower()
