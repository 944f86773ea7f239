"""A line of 9.6 kbit/s and 600 ms: nothing queues up, and the newest state arrives."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Static

from tests.terminal.door import client, open_door
from tests.terminal.proxy import relay
from tui.terminal.driver import PENDING_BYTES

PACKET_BYTES = 36  # what SSH adds to a frame, rounded up


async def test_the_backlog_never_exceeds_one_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The queue changes twenty times a second: no more than one frame is ever on its way.

    Pending bytes are looked at before each frame; so they can at most be the limit and one frame more.
    """
    async with (
        open_door(tmp_path) as opened,
        relay(opened.door.port, bytes_per_second=1200, round_trip_seconds=0.6) as line,
        client(opened, port=line.port) as clerk,
    ):
        await clerk.sees("nobody waits")
        app = opened.apps[0]
        (session,) = opened.door.state.sessions
        assert session.link is not None
        sink = session.link.sink
        largest = peak = 0
        write = sink.write

        def watched(data: bytes) -> None:
            nonlocal largest
            largest = max(largest, len(data))
            write(data)

        monkeypatch.setattr(sink, "write", watched)
        pane = app.query_one("#list", Static)
        for turn in range(120):
            pane.update(
                "\n".join(
                    f"A{turn:03}{row} waits {turn * 7 + row} minutes {'x' * (turn % 9)}" for row in range(5)
                )
            )
            await asyncio.sleep(0.05)
            peak = max(peak, sink.pending_bytes())
            if turn == 60:
                clerk.type("Mendoza\tAna")
        assert session.terminal.frames_skipped > 10
        assert peak <= PENDING_BYTES + largest + PACKET_BYTES
        await clerk.sees("A1194 waits 837")
        assert app.values()["given"] == "Ana"
        await clerk.sees("Ana")
        assert clerk.emulator.text().splitlines()[1].startswith("|Mendoza")


async def test_a_slow_person_does_not_slow_the_others(tmp_path):
    """While one line is stuck altogether, the neighbour's keys are echoed and nothing piles up."""
    async with (
        open_door(tmp_path) as opened,
        relay(opened.door.port) as line,
        client(opened, "stuck", port=line.port) as stuck,
        client(opened, "clerk") as clerk,
    ):
        await stuck.sees("Counter of stuck")
        await clerk.sees("Counter of clerk")
        line.is_dead = True
        session = next(
            session for session in opened.door.state.sessions if session.identity == "account-stuck"
        )
        for turn in range(300):
            session.app.query_one("#list", Static).update("\n".join(f"{turn} {'y' * 70}" for _ in range(5)))
            if turn % 30 == 0:
                clerk.type("k")
            await asyncio.sleep(0.005)
        await clerk.sees("k" * 10)
        assert session.link is not None
        assert session.link.sink.pending_bytes() < 4096
