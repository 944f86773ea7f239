"""Coming back: the line drops at any moment, and the person goes on where they were."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from tests.terminal.conftest import until
from tests.terminal.counter import Counter
from tests.terminal.door import OpenDoor, client, has_sessions, open_door
from tests.terminal.proxy import relay
from tui.terminal.events import Resumed

STEPS = {
    "Mendoza": lambda app: app.values()["family"] == "Mendoza",
    "\t": lambda app: app.screen.focused.id == "given",
    "Ana": lambda app: app.values()["given"] == "Ana",
    "\t1990": lambda app: app.values()["birth"] == "1990",
    "\t" * 7: lambda app: app.screen.focused.id == "remark",
    "pusing": lambda app: app.values()["remark"] == "pusing",
    "\x1bOQ": lambda app: len(app.screen_stack) == 2,
    "\r": lambda app: len(app.saved) == 1 and app.values()["remark"] == "",
}
"""Keys, and what is so once they have acted."""


@pytest.mark.parametrize("cut_after", range(len(STEPS)))
async def test_a_registration_cut_at_any_step(tmp_path, cut_after):
    """Cut after any step of the form: the same screen comes back, and exactly one patient is saved."""
    async with open_door(tmp_path) as opened:
        async with client(opened) as clerk:
            await clerk.sees("Counter of clerk")
            app = opened.apps[0]
            for step in [*STEPS][: cut_after + 1]:
                clerk.type(step)
            await until(lambda: [*STEPS.values()][cut_after](app))
            await settled(opened)
            before = values(app)
            clerk.cut()
        await until(lambda: opened.door.state.sessions.detached)
        async with client(opened) as clerk:
            await clerk.sees("Counter of clerk")
            assert len(clerk.received) <= (900 if "Save" in clerk.emulator.text() else 500)
            assert values(app) == before
            for step in [*STEPS][cut_after + 1 :]:
                clerk.type(step)
            await until(lambda: len(app.saved) == 1)
            saved = app.saved[0]
            assert (saved["family"], saved["given"], saved["birth"]) == ("Mendoza", "Ana", "1990")
            assert saved["remark"] == "pusing"
        assert len(opened.apps) == 1


def values(app: Counter) -> tuple:
    focused = app.screen.focused
    return app.values(), len(app.screen_stack), focused.id if focused is not None else None, len(app.saved)


async def settled(opened) -> None:
    """Wait until all keys have acted."""
    terminal = next(iter(opened.door.state.sessions)).terminal
    await until(lambda: terminal.is_settled)
    last = None
    while last != (last := values(opened.apps[0])):  # noqa: ASYNC110 - until two looks are alike
        await asyncio.sleep(0.1)


async def test_a_bigger_terminal_gets_the_app_laid_out_anew(tmp_path):
    async with open_door(tmp_path) as opened:
        async with client(opened) as clerk:
            await clerk.sees("Counter")
            clerk.type("Siti\x1bOQ")
            await clerk.sees("Save this")
            clerk.cut()
        await until(lambda: opened.door.state.sessions.detached)
        async with client(opened, size=(120, 40), term="vt100") as clerk:
            await clerk.sees("Save this")
            assert opened.apps[0].size == (120, 40)
            assert "+---" in clerk.emulator.text()


async def test_half_an_escape_sequence_is_not_typed(tmp_path):
    """What a cut left of a sequence is neither a key nor text."""
    async with open_door(tmp_path) as opened:
        async with client(opened) as clerk:
            await clerk.sees("Counter")
            clerk.type("ab\x1b[2")
            await until(lambda: opened.apps[0].values()["family"] == "ab")
            clerk.cut()
        await until(lambda: opened.door.state.sessions.detached)
        async with client(opened) as clerk:
            await clerk.sees("ab")
            clerk.type("c")
            await until(lambda: opened.apps[0].values()["family"] == "abc")


async def test_two_connections_of_one_account_have_two_apps(tmp_path):
    """A second sign-in never takes the app from somebody who sits before it."""
    async with open_door(tmp_path) as opened, client(opened) as first:
        await first.sees("Counter")
        first.type("first")
        async with client(opened) as second:
            await second.sees("Counter")
            second.type("second")
            await until(lambda: len(opened.apps) == 2 and opened.apps[1].values()["family"] == "second")
        await until(lambda: opened.apps[0].values()["family"] == "first")
        assert len(opened.door.state.sessions) == 2


async def test_another_account_never_gets_the_app(tmp_path):
    async with open_door(tmp_path) as opened:
        async with client(opened, "clerk") as clerk:
            await clerk.sees("Counter of clerk")
            clerk.type("Siti")
            await until(lambda: opened.apps[0].values()["family"] == "Siti")
            clerk.cut()
        await until(lambda: opened.door.state.sessions.detached)
        async with client(opened, "dentist") as dentist:
            await dentist.sees("Counter of dentist")
            assert "Siti" not in dentist.emulator.text()


async def test_a_half_open_connection_is_taken_over(tmp_path):
    """The line is dead and nobody has noticed: signing in again takes the app over at once."""
    async with (
        open_door(tmp_path, {"probe_seconds": 0.3}) as opened,
        relay(opened.door.port) as line,
        client(opened, port=line.port) as old,
    ):
        await old.sees("Counter")
        old.type("Siti")
        await until(lambda: opened.apps[0].values()["family"] == "Siti")
        line.is_dead = True
        async with client(opened) as new:
            await new.sees("Siti")
            new.type(" R")
            await until(lambda: opened.apps[0].values()["family"] == "Siti R")
        assert len(opened.apps) == 1


async def test_the_app_hears_of_its_new_connection(tmp_path):
    """The new sign-in and terminal are told to the app, which changes its token."""
    heard: list[Resumed] = []

    class Hearing(Counter):
        def on_resumed(self, message: Resumed) -> None:
            heard.append(message)

    async with open_door(tmp_path, make=Hearing) as opened:
        async with client(opened) as clerk:
            await clerk.sees("Counter")
            clerk.cut()
        await until(lambda: opened.door.state.sessions.detached)
        async with client(opened, term="linux"):
            await until(lambda: heard)
    assert heard[0].session.identity == "account-clerk"
    assert heard[0].capabilities.term == "linux"
    assert heard[0].connection.term == "linux"


async def test_an_app_left_too_long_ends(tmp_path):
    async with open_door(tmp_path, settings={"resume_minutes": 0.3 / 60}) as opened:
        async with client(opened) as clerk:
            await clerk.sees("Counter")
            clerk.cut()
        await until(lambda: opened.door.state.sessions.detached)
        await until(has_sessions(opened, 0), "the app ended")


async def test_without_resuming_an_app_ends_with_its_line(tmp_path):
    async with open_door(tmp_path, settings={"resume_minutes": 0}) as opened:
        async with client(opened) as clerk:
            await clerk.sees("Counter")
            clerk.cut()
        await until(has_sessions(opened, 0))


async def test_apps_left_behind_are_bounded(tmp_path):
    """More apps without a connection than the bound: the one left longest ends."""
    async with open_door(tmp_path, {"most_detached": 2}) as opened:
        for number in range(4):
            async with client(opened, f"p{number}") as person:
                await person.sees("Counter")
                person.cut()
            await until(lambda: all(session.link is None for session in opened.door.state.sessions))
        await until(
            lambda: (
                [session.identity for session in opened.door.state.sessions.detached]
                == ["account-p2", "account-p3"]
            )
        )


def is_detached(opened: OpenDoor, name: str) -> bool:
    return any(s.identity == f"account-{name}" for s in opened.door.state.sessions.detached)


async def test_a_full_door_gives_up_the_session_detached_first(tmp_path):
    async with open_door(tmp_path, {"most_sessions": 2}) as opened:
        for name in ("a", "b"):
            async with client(opened, name) as person:
                await person.sees("Counter")
                person.cut()
            await until(partial(is_detached, opened, name))
        async with client(opened, "c") as person:
            await person.sees("Counter of c")
            await until(has_sessions(opened, 2))


async def test_logging_out_really_ends_the_app(tmp_path):
    """After the key that leaves, signing in again begins anew."""
    async with open_door(tmp_path) as opened:
        async with client(opened) as clerk:
            await clerk.sees("Counter")
            clerk.type("Siti\x1b[21~")
            await clerk.gone()
        async with client(opened) as clerk:
            await clerk.sees("Counter")
            assert "Siti" not in clerk.emulator.text()
        assert len(opened.apps) == 2


async def test_an_idle_app_is_told_also_while_nobody_is_connected(tmp_path):
    """A form left on a dropped line is locked by the time somebody comes back."""
    async with open_door(tmp_path, settings={"idle_lock_minutes": 0.3 / 60}) as opened:
        async with client(opened) as clerk:
            await clerk.sees("Counter")
            clerk.type("x")
            clerk.cut()
        await until(lambda: opened.apps[0].locked >= 1)
