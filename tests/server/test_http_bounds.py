"""Bounds over HTTP: half requests, streams and guesses keep nobody out, and nobody says who he is (B3, B14)."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from core.accounts import guessing
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.errors import TooManyAttemptsError, TooManyStreamsError
from core.models import AuditEvent
from core.queues.waiting_room import waiting_room
from server import connections, display
from server.run import Background
from server.stream_places import Listener, RememberedSources, StreamPlaces
from tests.people import Caller

STRANGER, OTHER = "127.0.6.6", "127.0.7.7"


def half_request(server: Background, address: str = STRANGER) -> socket.socket:
    """A request whose head never ends."""
    port = httpx.URL(server.url).port
    assert port is not None
    line = socket.create_connection(("127.0.0.1", port), source_address=(address, 0))
    line.sendall(b"GET /display HTTP/1.1\r\nHost: x\r\n")
    return line


def is_closed(line: socket.socket, seconds: float) -> bool:
    """Whether the line ends in time; what was answered before is read over."""
    line.settimeout(seconds)
    try:
        while line.recv(4096):
            pass
        return True
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


@contextlib.contextmanager
def bounded(settings: Settings, **changed: Any) -> Iterator[Background]:
    with Background(settings.model_copy(update=changed)) as server:
        yield server


def test_a_head_that_does_not_end_is_cut_off(settings: Settings) -> None:
    with bounded(settings, http_head_seconds=1) as server:
        assert is_closed(half_request(server), 30)


def test_a_body_that_does_not_end_is_cut_off(settings: Settings) -> None:
    with bounded(settings, http_body_seconds=1) as server:
        line = half_request(server)
        line.sendall(b"Content-Length: 100\r\n\r\nabc")
        assert is_closed(line, 30)


def test_a_second_head_on_a_line_has_its_time_too(settings: Settings) -> None:
    with bounded(settings, http_head_seconds=1, http_idle_seconds=60) as server:
        line = half_request(server)
        line.sendall(b"\r\n")
        line.settimeout(30)
        assert line.recv(65536).startswith(b"HTTP/1.1 200")
        line.sendall(b"GET /display HTTP/1.1\r\n")
        received = b"x"
        with contextlib.suppress(ConnectionResetError):
            while received:
                received = line.recv(65536)


def test_an_answered_line_may_stay_silent_longer_than_a_head(settings: Settings) -> None:
    with bounded(settings, http_head_seconds=1, http_body_seconds=1) as server:
        line = http.client.HTTPConnection("127.0.0.1", httpx.URL(server.url).port or 0, timeout=30)
        for _ in range(2):
            line.request("GET", "/healthz")
            assert line.getresponse().read() == b"ok\n"
            time.sleep(1.5)


def test_a_head_has_a_size(settings: Settings) -> None:
    with bounded(settings, http_head_bytes=2048) as server:
        assert httpx.get(f"{server.url}/healthz", headers={"X-Long": "x" * 4096}).status_code == 431
        assert httpx.get(f"{server.url}/healthz", headers={"X-Long": "x" * 1024}).status_code == 200


def test_half_requests_of_one_source_are_few(settings: Settings) -> None:
    """The oldest goes; a stranger elsewhere and the source itself are still answered."""
    with bounded(settings) as server:
        lines = [half_request(server) for _ in range(80)]
        assert sum(is_closed(line, 0.2) for line in lines[:16]) == 16
        assert not is_closed(lines[-1], 0.2)
        assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_a_full_server_takes_from_who_holds_the_most(settings: Settings) -> None:
    with bounded(settings, http_connections=20) as server:
        lines = [half_request(server) for _ in range(30)]
        other = half_request(server, OTHER)
        assert sum(is_closed(line, 0.2) for line in lines) >= 10
        other.sendall(b"\r\n")
        other.settimeout(30)
        assert other.recv(100).startswith(b"HTTP/1.1 200")


def streams(caller: Caller, number: int) -> list[int]:
    """The statuses of so many streams at a time."""
    with contextlib.ExitStack() as open_streams:
        return [
            open_streams.enter_context(caller.stream("GET", "changes")).status_code for _ in range(number)
        ]


def test_an_account_has_so_many_streams_and_gets_them_back(settings: Settings) -> None:
    with bounded(settings, http_streams_per_account=3) as server, Caller(server.url, "clerk") as clerk:
        assert streams(clerk, 4) == [200, 200, 200, 429]
        with Caller(server.url, "dentist") as dentist:
            assert streams(dentist, 1) == [200]

        def again() -> list[int]:
            return streams(clerk, 3)

        until = time.monotonic() + 30
        while again() != [200] * 3:
            assert time.monotonic() < until


def test_the_page_of_a_stranger_takes_no_place_of_a_counter(settings: Settings) -> None:
    """B14: the waiting room's streams need no sign-in; one half of all places is kept from them."""
    places = StreamPlaces(settings.model_copy(update={"http_streams": 10, "http_streams_per_stranger": 3}))
    with contextlib.ExitStack() as held:

        def takes(listener: Listener) -> bool:
            try:
                held.enter_context(places.take(listener))
            except TooManyStreamsError:
                return False
            return True

        assert [takes(Listener("10.6.6.6")) for _ in range(4)] == [True] * 3 + [False]
        assert [takes(Listener("10.6.6.7")) for _ in range(3)] == [True, True, False]
        assert all(takes(Listener("10.0.0.1", f"account {n}", is_known=True)) for n in range(5))
        assert not takes(Listener("10.0.0.1", "one more", is_known=True))
    with places.take(Listener("10.6.6.6")):
        pass


async def test_three_hundred_boards_are_read_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B14: however many streams there are, a commit costs one reading of the board."""
    with Background(settings) as server:
        readings = 0

        def counted(clinic: Clinic) -> Any:
            nonlocal readings
            readings += 1
            return waiting_room(clinic)

        monkeypatch.setattr(display, "waiting_room", counted)
        follower = server._server.config.loaded_app_state.follower  # type: ignore[attr-defined]
        board = display.SharedBoard(server.clinic, follower)
        readers = [display.BoardReader(board) for _ in range(300)]
        assert all(await asyncio.gather(*(reader.read() for reader in readers)))
        assert not any(await asyncio.gather(*(reader.read() for reader in readers)))
        assert readings == 1


def test_a_quiet_stream_does_not_ask_the_database(
    server: Background, clerk: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.endpoints import changes

    readings = 0
    read = changes.FeedReader._read

    def counted(reader: Any) -> str:
        nonlocal readings
        readings += 1
        return read(reader)

    monkeypatch.setattr(changes.FeedReader, "_read", counted)
    with clerk.stream("GET", "changes", params={"heartbeat": 1}) as stream:
        lines = stream.iter_lines()
        comments = 0
        while comments < 3:
            comments += next(lines).startswith(":")
    assert readings <= 2


def test_what_another_process_commits_reaches_a_stream(server: Background, clerk: Caller) -> None:
    """Nothing tells of it on SQLite: one look every two seconds serves all streams."""
    import subprocess
    import sys

    with clerk.stream("GET", "changes") as stream:
        lines = stream.iter_lines()
        next(lines)
        script = (
            "from core.foundation.config import Settings\n"
            "from core.foundation.clinic import Clinic\n"
            "from core.foundation import feed\n"
            "from core.foundation.database import connection, transaction\n"
            f"Clinic.open(Settings(home={str(server.clinic.settings.home)!r}))\n"
            "with connection(), transaction(): feed.append('probe')\n"
        )
        subprocess.run([sys.executable, "-c", script], check=True)
        assert next(line for line in lines if '"kind":"probe"' in line)


def test_a_stranger_fills_no_queue_of_passwords(server: Background) -> None:
    """B3: of one strange address ten passwords wait to be checked, and the rest are told to come again."""
    from server.endpoints.accounts import WaitingGuesses

    waiting = WaitingGuesses(10)
    with contextlib.ExitStack() as held:
        for _ in range(10):
            held.enter_context(waiting.take("10.6.6.6"))
        with pytest.raises(TooManyAttemptsError):
            held.enter_context(waiting.take("10.6.6.6"))
        held.enter_context(waiting.take("10.6.6.7"))
    with waiting.take("10.6.6.6"):
        pass


def source_of_sign_in(server: Background, headers: dict[str, str]) -> str:
    body = {"username": "clerk", "password": "demo"}
    answer = httpx.post(f"{server.url}/api/v1/tokens", json=body, headers=headers, timeout=60)
    assert answer.status_code == 201
    with connection():
        events = AuditEvent.select().where(AuditEvent.action == "signed_in")
        return str(events.order_by(AuditEvent.sequence.desc()).get().origin)


def test_a_proxys_header_is_believed_only_where_a_setting_trusts_it(settings: Settings) -> None:
    said = {"X-Forwarded-For": "10.9.9.9", "X-Forwarded-Proto": "https"}
    with bounded(settings) as server:
        assert source_of_sign_in(server, said) == "127.0.0.1"
    with bounded(settings, trusted_proxies="127.0.0.1") as server:
        assert source_of_sign_in(server, said) == "10.9.9.9"
        with connection():
            assert "10.9.9.9" in guessing.known_sources()


def test_doors_learn_who_has_signed_in(server: Background, settings: Settings, clerk: Caller) -> None:
    door = {"Authorization": f"Bearer {settings.door_token_file.read_text().strip()}"}
    assert httpx.get(f"{server.url}/api/v1/door/sources", headers=door).json() == ["127.0.0.1"]
    assert clerk.get("door/sources").status_code == 403


def test_nobody_keeps_drafts_without_end(clerk: Caller) -> None:
    """C6: fifty of one account; an old one is still replaced, and one that is dropped makes room."""
    kept = [
        clerk.put(f"drafts/form-{number}", json={"data": {"name": "x"}}).status_code for number in range(51)
    ]
    assert kept == [204] * 50 + [422]
    assert clerk.put("drafts/form-7", json={"data": {"name": "y"}}).status_code == 204
    assert clerk.delete("drafts/form-9").status_code == 204
    assert clerk.put("drafts/form-50", json={"data": {"name": "x"}}).status_code == 204


def test_a_strangers_guesses_shut_mobile_jkn_not_out(settings: Settings) -> None:
    """J5, B4: BPJS signs in from its own address, however often somebody else was wrong."""
    chosen = settings.model_copy(update={"jkn_username": "bpjs", "jkn_password": "rahasia-bpjs"})
    with Background(chosen) as server:

        def answered(address: str, password: str) -> str:
            with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as caller:
                headers = {"x-username": "bpjs", "x-password": password}
                return str(caller.get(f"{server.url}/auth", headers=headers, timeout=60).json())

        for _ in range(8):
            told = answered(STRANGER, "wrong")
        assert "Terlalu banyak" in told
        assert "Terlalu banyak" in answered(STRANGER, "rahasia-bpjs")
        assert "token" in answered(OTHER, "rahasia-bpjs")


def test_a_refused_guess_is_answered_slowly_and_takes_nobody_elses_time(
    server: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B3: a loop of refusals costs one answer a second; a right password beside it does not wait for them."""
    slow = threading.Event()

    async def held(error: Exception) -> None:
        slow.set()
        await asyncio.sleep(5)

    monkeypatch.setattr(connections, "answer_slowly", held)

    def guess() -> None:
        body = {"username": "nobody", "password": "wrong"}
        caller = httpx.Client(transport=httpx.HTTPTransport(local_address=STRANGER))
        with caller, contextlib.suppress(httpx.HTTPError):
            caller.post(f"{server.url}/api/v1/tokens", json=body, timeout=5)

    guesses = [threading.Thread(target=guess) for _ in range(30)]
    for thread in guesses:
        thread.start()
    assert slow.wait(30)
    with Caller(server.url, "clerk") as clerk:
        assert clerk.get("clinic").status_code == 200
    for thread in guesses:
        thread.join()


def test_who_is_known_is_asked_of_the_database_once_in_a_while(
    server: Background, clerk: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B14: hundreds of pages that come back again and again cost the database nothing."""
    remembered = RememberedSources()
    assert remembered.is_known("127.0.0.1")
    assert not remembered.is_known(STRANGER)

    def refuse(source: str) -> bool:
        raise AssertionError(source)

    monkeypatch.setattr(guessing, "has_signed_in", refuse)
    assert remembered.is_known("127.0.0.1")
    assert not remembered.is_known(STRANGER)
