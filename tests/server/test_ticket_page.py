"""The page of one ticket: the truth about a number, in both languages, and nothing about a person."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from core.foundation.config import HostPort, Settings
from core.queues.ticket_codes import ticket_code
from server.run import Background
from tests.browser import CHROMIUM, Page, start_browser
from tests.people import Caller, patient
from tests.ports import free_port

TEXT = "document.body.innerText.replace(/\\s+/g, ' ')"
RENEW = "document.dispatchEvent(new Event('visibilitychange'))"


def page(server: Background, code: str, language: str = "id") -> httpx.Response:
    return httpx.get(f"{server.url}/T/{code}", headers={"Accept-Language": language})


def issued(clerk: Caller, **changes: object) -> tuple[str, str]:
    """Entry's id and code of a new ticket for GIGI."""
    ticket = clerk.registered(**changes)["ticket"]
    return ticket["id"], ticket_code(ticket["id"])


def test_a_waiting_number_sees_its_place(server: Background, clerk: Caller) -> None:
    issued(clerk)
    _, code = issued(clerk)
    answer = page(server, code)
    assert answer.status_code == 200
    assert "B-002" in answer.text
    assert '<div id="place">2</div>' in answer.text
    assert "Urutan Anda" in answer.text
    english = page(server, code.lower(), "en-GB,en;q=0.9")
    assert '<html lang="en">' in english.text
    assert "Your place" in english.text
    assert httpx.get(f"{server.url}/t/{code}").status_code == 200
    assert len(answer.content) < 4000
    assert "http://" not in answer.text
    assert "https://" not in answer.text


def test_nothing_of_the_person_is_told(server: Background, clerk: Caller) -> None:
    entry_id, code = issued(
        clerk,
        patient=patient(name="Zulaikha Rahasia", address="Jl. Rahasia 1"),
        chief_complaint="sakit gigi rahasia",
    )
    answer = page(server, code)
    assert "ahasia" not in answer.text
    assert entry_id not in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_each_step_is_told_and_a_move_is_followed(server: Background, clerk: Caller, dentist: Caller) -> None:
    _, code = issued(clerk)
    entry = dentist.post("queues/GIGI/call-next", json={"service_point": "Ruang <2>"}).json()
    assert "DIPANGGIL: silakan ke Ruang &lt;2&gt;" in page(server, code).text
    dentist.act(entry["id"], "skip")
    assert "lapor ke petugas" in page(server, code).text
    dentist.act(entry["id"], "start")
    assert "Sedang dilayani" in page(server, code).text
    moved = dentist.act(entry["id"], "send", cluster="LAB").json()
    followed = page(server, code).text
    assert moved["number"] in followed
    assert "Laboratorium" in followed
    assert '<div id="place">1</div>' in followed


def test_a_registration_taken_back_is_over(server: Background, clerk: Caller) -> None:
    receipt = clerk.registered()
    clerk.post(f"registrations/{receipt['registration_id']}/undo")
    assert "Selesai" in page(server, ticket_code(receipt["ticket"]["id"])).text


@pytest.mark.parametrize("code", ["0123456789", "x", "%00", "..%2f..%2fetc", "<script>", "A" * 500, "é"])
def test_other_codes_are_not_found(server: Background, clerk: Caller, code: str) -> None:
    issued(clerk)
    answer = page(server, code)
    assert answer.status_code == 404
    assert "<script>" not in answer.text.split("<body>")[-1].split("<main")[-1].split("</main>")[0]


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed here")
def test_a_phone_follows_its_number_through_a_lost_connection(settings: Settings, tmp_path: Path) -> None:
    port, debug = free_port(), free_port()
    fixed = settings.model_copy(update={"http": HostPort(host="127.0.0.1", port=port)})
    shown = "document.getElementById('lost').style.display"
    with (
        Background(fixed, port=port) as server,
        Caller(server.url, "clerk") as clerk,
        Caller(server.url, "dentist") as dentist,
    ):
        issued(clerk)
        _, code = issued(clerk)
        browser = start_browser(
            f"{server.url}/T/{code}", debug, tmp_path, "--window-size=360,640", "--lang=en"
        )
        mobile = Page(debug)
        mobile.wait("document.getElementById('place').textContent", "2")
        dentist.post("queues/GIGI/call-next", json={})
        mobile.ask(RENEW)
        mobile.wait("document.getElementById('place').textContent", "1")
        assert "B-002" in str(mobile.ask(TEXT))
        assert mobile.ask("document.documentElement.scrollWidth <= window.innerWidth") is True
        dentist.post("queues/GIGI/call-next", json={})
        mobile.ask(RENEW)
        mobile.wait("document.getElementById('main').className", "called")
    mobile.ask(RENEW)
    mobile.wait(shown, "block")
    with Background(fixed, port=port):
        mobile.ask(RENEW)
        mobile.wait(shown, "none")
        mobile.wait("document.getElementById('main').className", "called")
    mobile.close()
    browser.terminate()
    browser.wait()
