"""The SSH door with real clients."""

from __future__ import annotations

import asyncio
import logging
import stat
import sys

import asyncssh
import pytest
from textual.app import ComposeResult
from textual.widgets import Static

from tests.terminal.conftest import until
from tests.terminal.counter import Counter
from tests.terminal.door import client, open_door
from tui.door.contracts import DoorTexts
from tui.door.ssh_server import serve


async def test_a_person_signs_in_by_password_and_works(tmp_path):
    """From the password to a saved patient and out again, over a real connection."""
    async with open_door(tmp_path) as opened, client(opened, env={"LANG": "id_ID.UTF-8"}) as clerk:
        await clerk.sees("Counter of clerk")
        clerk.type("Mendoza\tAna\x1bOQ")
        await clerk.sees("Save this")
        clerk.type("\r")
        await until(lambda: opened.apps[0].saved)
        assert opened.apps[0].saved[0]["family"] == "Mendoza"
        session, capabilities, connection = opened.seen[0]
        assert session.identity == "account-clerk"
        assert capabilities.utf8
        assert connection.peer == "127.0.0.1"
        assert connection.environment["LANG"] == "id_ID.UTF-8"
        clerk.type("\x1b[21~")
        await clerk.gone()
        assert clerk.process.exit_status == 0
        assert clerk.received.endswith(b"\x1b[?1049l")
        assert len(opened.door.state.sessions) == 0


async def test_a_wrong_password_gets_nowhere(tmp_path):
    async with open_door(tmp_path) as opened:
        with pytest.raises(asyncssh.PermissionDenied):
            async with client(opened, password="guess"):
                pass
        assert opened.apps == []
        assert opened.accounts.asked == [("clerk", "127.0.0.1")]


async def test_a_fault_while_signing_in_is_told_to_the_log_alone(tmp_path, caplog):
    async with open_door(tmp_path) as opened:
        opened.accounts.fault = KeyError("6371014101900001")
        with pytest.raises((asyncssh.Error, OSError)):
            async with client(opened):
                pass
        await until(lambda: "a connection failed: builtins.KeyError" in caplog.text)
        assert "6371014101900001" not in caplog.text


async def test_a_key_signs_in_and_a_foreign_key_does_not(tmp_path):
    """A key opens the door only for the account that registered it, and only by proof of the private half."""
    own, foreign = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    async with open_door(tmp_path) as opened:
        public = own.export_public_key("openssh").decode()
        opened.accounts.keys["clerk"] = " ".join(public.split()[:2])
        async with client(opened, password=None, client_keys=[own]) as clerk:
            await clerk.sees("Counter of clerk")
            assert opened.seen[0][2].method == "key"
        with pytest.raises(asyncssh.PermissionDenied):
            async with client(opened, password=None, client_keys=[foreign]):
                pass


async def test_nobody_is_signed_in_while_the_core_is_away(tmp_path):
    """The person reads why, instead of "wrong password"."""
    async with open_door(tmp_path) as opened:
        opened.accounts.is_available = False
        with pytest.raises(asyncssh.DisconnectError, match="does not answer"):
            async with client(opened):
                pass


async def test_the_host_key_is_made_once_and_kept_private(tmp_path):
    async with open_door(tmp_path):
        pass
    path = tmp_path / "ssh_host_ed25519_key"
    first = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    async with open_door(tmp_path):
        assert path.read_bytes() == first
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


async def test_one_app_fails_and_the_other_lives(tmp_path, caplog):
    """The failed app's person is told, the log names no patient, and the neighbour types on."""
    texts = DoorTexts(failed="Layar ini harus ditutup.")
    async with (
        open_door(tmp_path, texts_for=lambda session: texts) as opened,
        client(opened, "clerk") as clerk,
        client(opened, "dentist") as dentist,
    ):
        await clerk.sees("Counter of clerk")
        await dentist.sees("Counter of dentist")
        with caplog.at_level(logging.INFO):
            clerk.type("Siti\x1b[20~")
            await clerk.gone()
        assert "Layar ini harus ditutup." in clerk.received.decode()
        assert clerk.process.exit_status == 1
        dentist.type("Ana")
        await until(lambda: opened.apps[1].values()["family"] == "Ana")
        logged = caplog.text
        assert "builtins.ValueError" in logged
        assert "action_fail" in logged
        assert "Siti" not in logged
        assert "6371014101900001" not in logged
        assert b"6371014101900001" not in clerk.received
        assert sys.stdout is not None
        assert len(opened.door.state.sessions) == 1


class Broken(Counter):
    """Fails before it has a screen."""

    def compose(self) -> ComposeResult:
        raise KeyError("6371014101900001")
        yield Static()


async def test_an_app_that_fails_at_its_start_says_so(tmp_path, caplog):
    async with open_door(tmp_path, make=Broken) as opened, client(opened) as clerk:
        await clerk.gone()
        assert "had to close" in clerk.received.decode()
        assert "6371014101900001" not in caplog.text
        assert len(opened.door.state.sessions) == 0


async def test_standard_streams_stay_where_they_were(tmp_path):
    """Apps that end in the order they began leave the process's streams alone."""
    before = sys.stdout, sys.stderr
    async with open_door(tmp_path) as opened:
        async with client(opened, "a") as first, client(opened, "b") as second:
            await first.sees("Counter of a")
            await second.sees("Counter of b")
            assert (sys.stdout, sys.stderr) == before
            first.type("\x1b[21~")
            await first.gone()
            second.type("\x1b[21~")
            await second.gone()
        assert (sys.stdout, sys.stderr) == before


async def test_clients_of_different_kinds_do_not_colour_each_other(tmp_path):
    """A truecolor terminal beside a monochrome one: each gets its own."""
    async with (
        open_door(tmp_path) as opened,
        client(opened, "a", term="xterm-256color", env={"COLORTERM": "truecolor"}) as colour,
        client(opened, "b", term="vt100") as mono,
    ):
        await colour.sees("Counter of a")
        await mono.sees("Counter of b")
        for person in (colour, mono):
            app = opened.apps[0 if person is colour else 1]
            app.query_one("#title", Static).styles.background = "#102030"
            app.query_one("#title", Static).styles.color = "#ffee00"
        await until(lambda: b"48;2;16;32;48" in colour.received)
        await until(lambda: b"\x1b[7m" in mono.received or b"\x1b[;7m" in mono.received)
        assert b"8;2;" not in mono.received


async def test_keys_typed_ahead_of_the_first_screen_arrive(tmp_path):
    async with open_door(tmp_path) as opened, client(opened) as clerk:
        clerk.type("Mendoza\tAna\t1990")
        await clerk.sees("1990")
        values = opened.apps[0].values()
        assert (values["family"], values["given"], values["birth"]) == ("Mendoza", "Ana", "1990")


async def test_the_window_follows_the_terminal(tmp_path):
    async with open_door(tmp_path) as opened, client(opened) as clerk:
        await clerk.sees("Counter")
        clerk.process.change_terminal_size(100, 30)
        await until(lambda: opened.apps[0].size == (100, 30))


async def test_full_means_a_sentence_not_a_crash(tmp_path):
    async with (
        open_door(tmp_path, {"most_sessions": 1}) as opened,
        client(opened, "a") as first,
    ):
        await first.sees("Counter of a")
        async with client(opened, "b") as second:
            await second.gone()
            assert "All seats" in second.received.decode()
        first.type("x")
        await until(lambda: opened.apps[0].values()["family"] == "x")


async def test_a_rush_of_sign_ins_stays_orderly(tmp_path):
    """Thirty people at once: each gets an app, never more than the bound start together."""
    running = peak = 0

    class Slow(Counter):
        def __init__(self) -> None:
            nonlocal running, peak
            running += 1
            peak = max(peak, running)
            super().__init__()

        def on_ready(self) -> None:
            nonlocal running
            running -= 1

    async def one(opened, number: int) -> None:
        async with client(opened, f"person{number}") as person:
            await person.sees("Counter of")
            person.type(f"p{number}")
            await person.sees(f"p{number}")

    async with open_door(tmp_path, {"starts_at_once": 2}, make=Slow) as opened:
        await asyncio.gather(*(one(opened, number) for number in range(30)))
        assert len(opened.apps) == 30
        assert peak <= 2


async def test_closing_the_door_ends_apps_and_tells_people(tmp_path):
    async with open_door(tmp_path) as opened:
        async with client(opened) as clerk:
            await clerk.sees("Counter")
            await opened.door.close()
            await clerk.gone()
            assert clerk.received.endswith(b"\x1b[?1049l")
        assert len(opened.door.state.sessions) == 0


async def test_serve_ends_cleanly_when_cancelled(tmp_path):
    from tests.terminal.door import Accounts, Settings

    task = asyncio.create_task(serve(Settings(tmp_path), lambda *_: Counter(), Accounts()))
    await until(lambda: (tmp_path / "ssh_host_ed25519_key").exists())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_only_short_algorithm_lists_are_offered(tmp_path):
    """A short list is a short handshake; nothing old is offered."""
    async with open_door(tmp_path) as opened, client(opened) as clerk:
        connection = clerk.connection
        assert connection.get_extra_info("send_cipher") in {
            "chacha20-poly1305@openssh.com",
            "aes128-gcm@openssh.com",
        }
        with pytest.raises(asyncssh.KeyExchangeFailed):
            async with client(opened, kex_algs=["diffie-hellman-group14-sha1"]):
                pass


async def test_forwarding_and_subsystems_are_refused(tmp_path):
    async with open_door(tmp_path) as opened, client(opened) as clerk:
        await clerk.sees("Counter")
        with pytest.raises(asyncssh.ChannelOpenError):
            await clerk.connection.open_connection("127.0.0.1", opened.door.port)
        with pytest.raises(asyncssh.Error):
            await clerk.connection.start_sftp_client()
