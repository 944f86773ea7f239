"""The door's bounds: nobody shuts a known counter out, and no account takes all seats (B1, B2)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.foundation.networks import network_of
from tests.terminal.conftest import until
from tests.terminal.door import OpenDoor, client, open_door
from tui.door.admission import Admission, ConnectionPlace, Penalty, RefusedConnectionError
from tui.door.contracts import DoorOptions

STRANGER, OTHER, KNOWN = "127.0.6.6", "127.0.7.7", "127.0.0.9"


@asynccontextmanager
async def idle_connections(
    opened: OpenDoor, number: int, address: str = STRANGER
) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Connections that say nothing at all."""
    streams = [
        await asyncio.open_connection("127.0.0.1", opened.door.port, local_addr=(address, 0))
        for _ in range(number)
    ]
    try:
        yield [reader for reader, _ in streams]
    finally:
        for _, writer in streams:
            writer.close()


async def test_idle_connections_keep_nobody_out(tmp_path: Path) -> None:
    """B1: 140 connections of one stranger take 32 places; a known counter and another stranger sign in."""
    async with open_door(tmp_path) as opened:
        opened.door.state.admission.known.add(KNOWN)
        async with idle_connections(opened, 140):
            await until(lambda: len(opened.door.state.admission) == 32, "the places of one stranger")
            async with client(opened, local_addr=(KNOWN, 0)) as clerk:
                await clerk.sees("Counter")
            async with client(opened, "dentist", local_addr=(OTHER, 0)) as dentist:
                await dentist.sees("Counter")


async def test_a_counter_gets_in_beside_idle_connections_of_its_own_address(tmp_path: Path) -> None:
    """A clinic sits behind one address, and so may the one who floods: who is silent gives way."""
    async with open_door(tmp_path) as opened:
        opened.door.state.admission.known.add(KNOWN)
        async with idle_connections(opened, 140, KNOWN):
            await until(lambda: len(opened.door.state.admission) == 100)
            async with client(opened, local_addr=(KNOWN, 0)) as clerk:
                await clerk.sees("Counter")


async def test_who_never_finishes_the_handshake_is_cut_off(tmp_path: Path) -> None:
    async with open_door(tmp_path, {"handshake_seconds": 0.2}) as opened:
        async with idle_connections(opened, 2) as readers:
            for reader in readers:
                with contextlib.suppress(ConnectionResetError):
                    await reader.read()
        await until(lambda: len(opened.door.state.admission) == 0)
        assert opened.door.state.admission.penalties.seconds_left(STRANGER) > 15
        assert opened.door.state.admission.penalties.seconds_left(OTHER) == 0


async def test_who_guesses_is_told_how_long_to_wait(tmp_path: Path) -> None:
    """PerSourcePenalties: five seconds for each wrong password of a stranger."""
    async with open_door(tmp_path) as opened:
        opened.door.state.admission.penalties._now = lambda: 0.0
        for _ in range(4):
            opened.door.state.admission.penalties.add(STRANGER, Penalty.WRONG)
        with pytest.raises(asyncssh.DisconnectError, match="please wait 20 seconds"):
            async with client(opened, local_addr=(STRANGER, 0)):
                pass
        async with client(opened, local_addr=(OTHER, 0)) as person:
            await person.sees("Counter")


async def test_wrong_passwords_of_a_stranger_add_up_and_those_of_a_counter_do_not(tmp_path: Path) -> None:
    async with open_door(tmp_path) as opened:
        admission = opened.door.state.admission
        admission.known.add(KNOWN)
        admission.penalties._now = lambda: 0.0  # a slow machine forgives nobody
        for address in (STRANGER, KNOWN):
            for _ in range(4):
                with pytest.raises(asyncssh.PermissionDenied):
                    async with client(opened, password="guess", local_addr=(address, 0)):
                        pass
        assert admission.penalties.seconds_left(STRANGER) > 0
        assert admission.penalties.seconds_left(KNOWN) == 0


async def test_sources_that_the_core_knows_are_known_from_the_start(tmp_path: Path) -> None:
    async with open_door(tmp_path) as opened:
        assert KNOWN not in opened.door.state.admission.known
    opened = OpenDoor(tmp_path, {}, {})
    opened.accounts.sources = [KNOWN]
    await opened.door.open()
    await until(lambda: KNOWN in opened.door.state.admission.known)
    await opened.door.close()


async def test_a_connection_opens_ten_channels(tmp_path: Path) -> None:
    """B2: OpenSSH's MaxSessions."""
    async with open_door(tmp_path) as opened, client(opened) as clerk:
        await clerk.sees("Counter")
        others = [await clerk.connection.create_process(term_type="xterm", encoding=None) for _ in range(9)]
        with pytest.raises(asyncssh.ChannelOpenError):
            await clerk.connection.create_process(term_type="xterm", encoding=None)
        others[0].close()
        await others[0].wait_closed()
        again = await clerk.connection.create_process(term_type="xterm", encoding=None)
        assert await again.stdout.read(1)


async def test_one_account_takes_its_seats_and_no_more(tmp_path: Path) -> None:
    """B2: 105 channels of one account leave room for the others."""
    async with open_door(tmp_path, {"most_sessions": 20}) as opened:
        connections = [
            await asyncssh.connect(
                "127.0.0.1", opened.door.port, username="lab", password="demo", known_hosts=None,
                client_keys=None, agent_path=None, config=None,
            )
            for _ in range(11)
        ]  # fmt: skip
        opening = [
            connection.create_process(term_type="xterm", encoding=None)
            for connection in connections
            for _ in range(10)
        ]
        channels = [made for made in await asyncio.gather(*opening, return_exceptions=True)]
        refused = [channel for channel in channels if not isinstance(channel, BaseException)]
        await until(lambda: len(opened.apps) == 10)
        async with client(opened, "dentist") as dentist, client(opened, "midwife") as midwife:
            await dentist.sees("Counter")
            await midwife.sees("Counter")
        assert len(refused) == 110
        assert len(opened.apps) == 12
        for connection in connections:
            connection.abort()


async def test_strangers_take_half_of_the_seats(tmp_path: Path) -> None:
    """Stolen passwords used from anywhere leave seats for the clinic's own counters."""
    async with open_door(tmp_path, {"most_sessions": 4}) as opened:
        opened.door.state.admission.known.add(KNOWN)
        async with client(opened, "a", local_addr=("127.0.1.1", 0)) as first:
            await first.sees("Counter of a")
            async with client(opened, "b", local_addr=("127.0.1.2", 0)) as second:
                await second.sees("Counter of b")
                async with client(opened, "c", local_addr=("127.0.1.3", 0)) as third:
                    await third.gone()
                    assert b"All seats" in third.received
                async with client(opened, "d", local_addr=(KNOWN, 0)) as known:
                    await known.sees("Counter of d")
                # Whoever has signed in once is known the next time.
                async with client(opened, "c", local_addr=("127.0.1.3", 0)) as again:
                    await again.sees("Counter of c")


async def test_a_dialogue_of_lines_takes_a_seat_too(tmp_path: Path) -> None:
    ends = asyncio.Event()

    async def line_mode(session, reader, writer) -> int:
        writer.write("Selamat datang\n")
        await ends.wait()
        return 0

    async with open_door(tmp_path, {"sessions_per_account": 2}, line_mode=line_mode) as opened:
        async with client(opened, term=None) as first, client(opened, term=None) as second:
            await first.sees("Selamat datang")
            await second.sees("Selamat datang")
            async with client(opened, term=None) as third:
                await third.gone()
                assert b"as many places as it may be" in third.received
            ends.set()
            await first.gone()
            await second.gone()
        async with client(opened, term=None) as again:
            await again.gone()
            assert b"Selamat datang" in again.received


async def test_connections_of_one_account_are_counted(tmp_path: Path) -> None:
    async with open_door(tmp_path, {"connections_per_account": 2}) as opened:
        async with client(opened) as first, client(opened) as second:
            await first.sees("Counter")
            await second.sees("Counter")
            with pytest.raises((asyncssh.Error, OSError)):
                async with client(opened):
                    pass
            async with client(opened, "dentist") as dentist:
                await dentist.sees("Counter")
        async with client(opened) as again:
            await again.sees("Counter")


def admission(now: float = 0.0, chance: float = 0.99, **options: Any) -> Admission:
    return Admission(DoorOptions(**options), lambda: now, lambda: chance)


def speaking(place: ConnectionPlace) -> ConnectionPlace:
    place.is_silent = False
    return place


def nothing() -> None:
    return None


def refused(door: Admission, address: str) -> bool:
    try:
        speaking(door.arrive(address, nothing))
    except RefusedConnectionError:
        return True
    return False


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 3)), max_size=400))
def test_strangers_never_take_the_places_of_known_counters(arrivals: list[tuple[int, int]]) -> None:
    """However they come, and however chance falls: the other half stays free."""
    door = admission(starts_full=40)
    door.known.add("10.0.0.1")
    for high, low in arrivals:
        refused(door, f"10.6.{low}.{high}")
    assert len(door) <= 20
    assert not any(refused(door, "10.0.0.1") for _ in range(20))
    assert refused(door, "10.0.0.1")


def test_strangers_are_dropped_by_chance_as_places_fill() -> None:
    """MaxStartups 20:30:200: nobody before the 20th, 30 % there, more and more up to all."""

    def dropped_at(count: int, chance: float) -> bool:
        door = admission(chance=0.999, starts_begin=20)
        while len(door) < count:
            speaking(door.arrive(f"10.6.{len(door)}.1", nothing))
        door._chance = lambda: chance
        return refused(door, "10.7.7.7")

    assert not dropped_at(19, 0.0)
    assert dropped_at(20, 0.29)
    assert not dropped_at(20, 0.31)
    assert dropped_at(60, 0.6)
    assert not dropped_at(60, 0.7)
    assert dropped_at(100, 0.999)


def test_few_refusals_are_explained_at_a_time() -> None:
    """Each costs a whole handshake; a flood of them is just closed."""
    now = 0.0
    door = Admission(DoorOptions(), lambda: now)
    assert door.may_explain()
    assert not door.may_explain()
    for _ in range(9):
        now += 1
        assert door.may_explain()
    now += 1
    assert not door.may_explain()
    door.explained()
    assert door.may_explain()


def test_an_ipv6_network_is_one_source() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1") == "10.0.0.1"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("not an address") == "not an address"


def test_a_flood_is_one_line_a_minute_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    door = Admission(DoorOptions(starts_per_source=1), lambda: now, lambda: 1.0)
    speaking(door.arrive("10.6.6.6", nothing))
    for _ in range(50):
        assert refused(door, "10.6.6.6")
    now = 61.0
    assert refused(door, "10.6.6.6")
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert lines[1].endswith("no place 50")
