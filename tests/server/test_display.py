"""The waiting room: numbers only, live, true after a restart; seen by a real browser where there is one."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path

import httpx
import pytest

from core.foundation.config import HostPort, Settings
from server.run import Background
from tests.browser import CHROMIUM, Page, start_browser
from tests.people import Caller, patient
from tests.ports import free_port


def test_page_is_small_and_needs_nothing_from_elsewhere(server: Background) -> None:
    page = httpx.get(f"{server.url}/display")
    assert page.status_code == 200
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert len(page.content) < 15_000
    assert "http://" not in page.text
    assert "https://" not in page.text


def test_board_shows_calls_and_no_person(server: Background, clerk: Caller, dentist: Caller) -> None:
    clerk.registered(patient=patient(name="Zulaikha Rahasia"))
    clerk.registered()
    dentist.post("queues/GIGI/call-next", json={"service_point": "Ruang 2"})
    board = httpx.get(f"{server.url}/display/board")
    assert "Zulaikha" not in board.text
    assert "sakit" not in board.text
    assert board.json()["calls"][0] | {"at": ""} == {
        "number": "B-001", "cluster": "Poli Gigi", "room": "Ruang 2", "at": "", "calls": 1,
    }  # fmt: skip
    assert board.json()["waiting"]["Poli Gigi"] == 1


def test_a_number_called_again_is_the_newest_again(
    clerk: Caller, dentist: Caller, server: Background
) -> None:
    clerk.registered()
    clerk.registered()
    first = dentist.post("queues/GIGI/call-next", json={}).json()
    dentist.post("queues/GIGI/call-next", json={})
    numbers = [call["number"] for call in httpx.get(f"{server.url}/display/board").json()["calls"]]
    assert numbers == ["B-002", "B-001"]
    dentist.act(first["id"], "recall")
    calls = httpx.get(f"{server.url}/display/board").json()["calls"]
    assert [(call["number"], call["calls"]) for call in calls] == [("B-001", 2), ("B-002", 1)]


def test_stream_is_heard_while_nobody_is_called(server: Background) -> None:
    with httpx.stream("GET", f"{server.url}/display/events", timeout=30) as stream:
        lines = stream.iter_lines()
        while next(lines) != "event: alive":
            pass
        # Without data a browser would not tell the page of it.
        assert next(lines).removeprefix("data:").strip()


def test_stream_tells_a_call_as_it_happens(server: Background, clerk: Caller, dentist: Caller) -> None:
    clerk.registered()
    with httpx.stream("GET", f"{server.url}/display/events", timeout=30) as stream:
        lines = stream.iter_lines()
        first = next(line for line in lines if line.startswith("data"))
        assert json.loads(first.removeprefix("data: "))["calls"] == []
        dentist.post("queues/GIGI/call-next", json={})
        second = next(line for line in lines if line.startswith("data"))
    assert json.loads(second.removeprefix("data: "))["calls"][0]["number"] == "B-001"


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed here")
def test_a_browser_shows_calls_survives_a_restart_and_shows_the_truth(
    settings: Settings, tmp_path: Path
) -> None:
    port = free_port()
    fixed = settings.model_copy(update={"http": HostPort(host="127.0.0.1", port=port)})
    debug = free_port()
    with (
        Background(fixed, port=port) as server,
        Caller(server.url, "clerk") as clerk,
        Caller(server.url, "dentist") as dentist,
    ):
        clerk.registered()
        clerk.registered()
        browser = start_browser(f"{server.url}/display", debug, tmp_path)
        page = Page(debug)
        page.wait("document.getElementById('number').textContent", "-")
        dentist.post("queues/GIGI/call-next", json={})
        page.wait("document.getElementById('number').textContent", "B-001")
        # Speech and chime, as a browser without a voice of its own reports them.
        page.ask(
            "window.said=[];window.rang=0;window.speechSynthesis.speak=function(it){said.push(it.text)};"
            "var Old=AudioContext.prototype.createOscillator;"
            "AudioContext.prototype.createOscillator=function(){rang+=1;return Old.call(this)};"
            "document.getElementById('sound').click()"
        )
        page.wait("rang", 1)
        clerk.registered()
        for _ in range(2):
            dentist.post("queues/GIGI/call-next", json={})
        page.wait("said.length", 2)
        page.wait(
            "said.join('|')",
            "Nomor antrean B 0 0 2 , silakan ke Poli Gigi|Nomor antrean B 0 0 3 , silakan ke Poli Gigi",
        )
        names = [entry["patient"]["name"] for entry in dentist.get("queues/GIGI").json()["entries"]]
        text = page.ask("document.documentElement.outerHTML")
        assert [name for name in names if name in str(text)] == []
    page.wait("document.getElementById('lost').style.display", "block")
    with Background(fixed, port=port) as server, Caller(server.url, "dentist") as dentist:
        page.wait("document.getElementById('lost').style.display", "none")
        clerk_again = Caller(server.url, "clerk")
        clerk_again.registered()
        dentist.post("queues/GIGI/call-next", json={})
        page.wait("document.getElementById('number').textContent", "B-004")
    page.close()
    browser.terminate()
    browser.wait()


class Cable:
    """A line between browser and server that can be pulled: nothing passes any more, and nobody is told."""

    def __init__(self, target: int) -> None:
        self.plugged = threading.Event()
        self.plugged.set()
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        self.plugged.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError), source, sink:
            while data := source.recv(65536):
                self.plugged.wait()
                sink.sendall(data)


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed here")
def test_a_pulled_cable_is_said_and_a_new_one_shows_the_truth(
    server: Background, clerk: Caller, dentist: Caller, tmp_path: Path
) -> None:
    cable, debug = Cable(int(server.url.rsplit(":", 1)[1])), free_port()
    clerk.registered()
    browser = start_browser(f"http://127.0.0.1:{cable.port}/display", debug, tmp_path)
    page = Page(debug)
    page.wait("document.getElementById('waiting').textContent.indexOf('Poli Gigi 1') > 0", True)
    page.ask("document.getElementById('sound').click()")
    cable.plugged.clear()
    dentist.post("queues/GIGI/call-next", json={})
    page.wait("document.getElementById('lost').style.display", "block")
    assert page.ask("document.getElementById('number').textContent") == "-"
    cable.plugged.set()
    page.wait("document.getElementById('lost').style.display", "none")
    page.wait("document.getElementById('number').textContent", "B-001")
    # A television that is switched off and on again goes on speaking, once it may.
    page.ask("window.before = true; location.reload()")
    page.wait("!window.before && document.getElementById('number').textContent", "B-001")
    assert "mati" not in str(page.ask("document.getElementById('sound').textContent"))
    page.close()
    browser.terminate()
    browser.wait()
    cable.close()


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed here")
def test_markup_in_the_names_of_clinic_and_room_is_shown_as_letters(
    settings: Settings, tmp_path: Path
) -> None:
    bad = "<img src=x onerror=document.title='x'>"
    debug = free_port()
    with (
        Background(settings.model_copy(update={"facility_name": f"Puskesmas {bad}"})) as server,
        Caller(server.url, "clerk") as clerk,
        Caller(server.url, "dentist") as dentist,
    ):
        for _ in range(2):
            clerk.registered()
            dentist.post("queues/GIGI/call-next", json={"service_point": bad})
        browser = start_browser(f"{server.url}/display", debug, tmp_path)
        page = Page(debug)
        page.wait("document.getElementById('number').textContent", "B-002")
        assert bad in str(page.ask("document.getElementById('facility').textContent"))
        assert bad in str(page.ask("document.getElementById('where').textContent"))
        assert bad in str(page.ask("document.getElementById('calls').textContent"))
        assert page.ask("document.querySelectorAll('img').length") == 0
        assert page.ask("document.title") == "Antrean"
        page.close()
        browser.terminate()
        browser.wait()
