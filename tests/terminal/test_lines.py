"""Line mode: a dialogue for people without a terminal to paint on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncssh
import pytest

from tests.terminal.conftest import until
from tests.terminal.door import client, open_door


async def dialogue(session, reader, writer):
    """Asks a name and greets, until the person hangs up."""
    writer.write(f"{session.identity}: who?\n")
    while (line := await reader.readline()) is not None:
        if line == "fail":
            raise ValueError("6371014101900001")
        writer.write(f"— hello {line}\n")
        await writer.drain()
        if line == "bye":
            break
    return 0


async def test_without_a_terminal_lines_go_both_ways(tmp_path):
    """`ssh -T` gets plain lines: no escape sequence, line feeds alone."""
    async with open_door(tmp_path, line_mode=dialogue) as opened, client(opened, term=None) as clerk:
        clerk.type("Siti\nbye\n")
        await clerk.gone()
        assert clerk.received.decode() == "account-clerk: who?\n— hello Siti\n— hello bye\n"
        assert clerk.process.exit_status == 0
        assert opened.apps == []


async def test_a_dumb_terminal_is_echoed_and_edited(tmp_path):
    """TERM=dumb: keys are echoed, backspace edits; control, arrow and function keys do nothing."""
    async with open_door(tmp_path, line_mode=dialogue) as opened, client(opened, term="dumb") as clerk:
        await until(lambda: b"who?" in clerk.received)
        clerk.type("Si\x1b[Atx\x7f日\x7f\x1bOP\x1b[3~i\x1b\x01\r")
        await until(lambda: b"hello" in clerk.received)
        assert "— hello Siti\r\n" in clerk.received.decode()
        assert b"\x1b" not in clerk.received
        assert "Sitx\b \b日\b \b\b \bi\r\n" in clerk.received.decode()
        clerk.type("\x04")
        await clerk.gone()


async def test_input_that_ends_before_the_dialogue_begins_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """`echo Siti | ssh -T`: all of it, and its end, may be there before the sign-in is complete."""
    async with open_door(tmp_path, line_mode=dialogue) as opened:
        key = asyncssh.generate_private_key("ssh-ed25519")
        opened.accounts.keys["clerk"] = " ".join(key.export_public_key("openssh").decode().split()[:2])
        sign_in = opened.accounts.key_session

        async def late(*given):
            await asyncio.sleep(0.3)
            return await sign_in(*given)

        monkeypatch.setattr(opened.accounts, "key_session", late)
        async with client(opened, term=None, password=None, client_keys=[key]) as clerk:
            clerk.process.stdin.write(b"Siti\n")
            clerk.process.stdin.write_eof()
            await clerk.gone()
            assert "hello Siti" in clerk.received.decode()


async def test_hanging_up_ends_the_dialogue(tmp_path):
    async with open_door(tmp_path, line_mode=dialogue) as opened, client(opened, term=None) as clerk:
        await until(lambda: b"who?" in clerk.received)
        clerk.process.stdin.write_eof()
        await clerk.gone()
        assert clerk.process.exit_status == 0


async def test_a_failing_dialogue_names_no_patient(tmp_path, caplog):
    async with open_door(tmp_path, line_mode=dialogue) as opened, client(opened, term=None) as clerk:
        clerk.type("fail\n")
        await clerk.gone()
        assert b"had to close" in clerk.received
        assert clerk.process.exit_status == 1
        assert "6371014101900001" not in caplog.text
        assert "ValueError" in caplog.text


async def test_without_a_dialogue_people_are_told(tmp_path):
    async with open_door(tmp_path) as opened, client(opened, term=None) as clerk:
        await clerk.gone()
        assert b"needs a terminal" in clerk.received


async def test_what_was_asked_for_is_never_run(tmp_path):
    """`ssh host command` reaches the app as a wish, not as a command."""
    async with open_door(tmp_path) as opened, client(opened, command="touch /tmp/x; antrean") as clerk:
        await clerk.sees("Counter")
        assert opened.seen[0][2].command == "touch /tmp/x; antrean"


async def test_somebody_silent_is_signed_out(tmp_path):
    """A dialogue left alone ends as a screen locks."""
    soon = {"idle_lock_minutes": 0.005}
    async with (
        open_door(tmp_path, line_mode=dialogue, settings=soon) as opened,
        client(opened, term=None) as clerk,
    ):
        await clerk.gone()
        assert b"signed out" in clerk.received
        assert clerk.process.exit_status == 0


async def test_the_exit_status_is_the_dialogues(tmp_path):
    async def unfinished(session, reader, writer):
        return 1

    async with open_door(tmp_path, line_mode=unfinished) as opened, client(opened, term=None) as clerk:
        await clerk.gone()
        assert clerk.process.exit_status == 1


async def test_lines_typed_ahead_are_seen_and_can_be_forgotten(tmp_path):
    seen = []

    async def forgetful(session, reader, writer):
        await reader.readline()
        await until(reader.has_line)
        seen.append(reader.discard())
        seen.append(reader.has_line())
        writer.write("ready\n")
        seen.append(await reader.readline())
        seen.append(await writer.delivered())
        return 0

    async with open_door(tmp_path, line_mode=forgetful) as opened, client(opened, term=None) as clerk:
        clerk.type("one\ntwo\nthree\n")
        await until(lambda: b"ready" in clerk.received)
        clerk.type("four\n")
        await clerk.gone()
        assert seen == [2, False, "four", True]
