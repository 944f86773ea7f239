"""What people type is shown as they typed it: brackets and tags are letters on every screen, page, paper and report."""

from __future__ import annotations

import ast
import csv
import html
import io
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from core.foundation.config import Settings
from core.foundation.identifiers import new_id
from core.queues.ticket_codes import ticket_code
from server.run import Background
from tests.people import release_file
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import screen_text
from tui.screens.registration.confirm import ConfirmDialog

ROOT = Path(__file__).parents[2]
NAME = "[b]Siti[/b] <i>[/]"
WORDS = "batuk [red]x[/red] [/] <b>&amp;"
TAGS = "<script>alert(1)</script>"
PAINTERS = {"Static", "Label", "Button", "Checkbox", "RadioButton"}
"""Widgets of Textual that read markup in their text unless told not to."""


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    home: Path = tmp_path_factory.mktemp("clinic")
    with Background(Settings(home=home, facility_name=f"Puskesmas {TAGS}")) as server:
        yield Counter(server)


@pytest.fixture(scope="module")
def receipt(counter: Counter) -> dict[str, Any]:
    """Somebody with markup wherever words may stand, in UMUM's queue with a note."""
    body = {
        "id": new_id(),
        "patient": {
            "name": NAME, "sex": "female", "birth_date": "1990-07-01", "address": "Jl. [/] <b>1", "mother_name": NAME,
            "no_identifier_reason": "forgotten",
        },
        "chief_complaint": WORDS, "cluster": "UMUM", "duplicate_decision": "new", "override_reason": NAME,
    }  # fmt: skip
    with counter.api() as api:
        answer = api.post("registrations", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    with counter.api("doctor") as api:
        visit = f"visits/{found['visit_id']}"
        called = api.post("queues/UMUM/call-next", json={"service_point": "[b]1[/b] <i>"})
        assert called.status_code == 200, called.text
        assert api.put(f"{visit}/encounter", json={"subjective": WORDS, "plan": WORDS}).is_success
        allergy = {"substance": "[u]udang[/u]", "reaction": WORDS}
        assert api.post(f"patients/{found['patient_id']}/allergies", json=allergy).is_success
        assert api.post(f"{visit}/diagnoses", json={"code": "J06.9", "note": WORDS}).status_code in {201, 422}
    return found


async def test_at_the_counter(counter: Counter, receipt: dict[str, Any]):
    async with counter.at("clerk") as (app, pilot):
        await type_text(pilot, "siti")
        await until(pilot, lambda: NAME in screen_text(app), "the search")
        await press(pilot, "enter")
        assert NAME in screen_text(app)
        await press(pilot, "escape", "f2")
        await settle(pilot)
        await press(pilot, "enter", "1")
        await pilot.press(
            "f4", *["left_square_bracket", "slash", "right_square_bracket", "space", "b", "a", "t", "u", "k"]
        )
        await settle(pilot)
        assert "[/] batuk" in screen_text(app)


async def test_in_the_confirmation(counter: Counter, receipt: dict[str, Any]):
    async with counter.at("clerk") as (app, pilot):
        await type_text(pilot, receipt["medical_record_number"])
        await until(pilot, lambda: NAME in screen_text(app), "the search")
        await press(pilot, "enter")
        await pilot.press("g", "i", "g", "i", "space", "left_square_bracket", "slash", "right_square_bracket")
        await press(pilot, "f10")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog), "the confirmation")
        assert NAME in screen_text(app)
        assert "gigi [/]" in screen_text(app)


async def test_in_the_queue_and_the_record(counter: Counter, receipt: dict[str, Any]):
    async with counter.at("doctor") as (app, pilot):
        await press(pilot, "f4")
        await until(pilot, lambda: "[b]Siti[/b]" in screen_text(app), "the queue")
        assert "batuk [red]x" in screen_text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: "[u]udang[/u]" in screen_text(app), "the record")
        assert "[b]Siti[/b] <i>[/]" in screen_text(app)
        assert "[red]x[/red]" in screen_text(app)


@pytest.mark.parametrize("account", ["supervisor", "admin", "display", "nurse"])
async def test_on_everybodys_first_screen(counter: Counter, receipt: dict[str, Any], account: str):
    """Nothing fails over the markup of people, rooms and the clinic's own name."""
    async with counter.at(account) as (app, pilot):
        for key in ("f3", "f4", "f6"):
            await press(pilot, key)
            await settle(pilot)
            assert app._exception is None
            assert screen_text(app).strip()


async def test_lines_of_letters(counter: Counter, receipt: dict[str, Any]):
    with counter.api("doctor") as api:
        answers = {"days": "2", "from": "2026-03-02", "purpose": WORDS, "reason": WORDS}
        for kind in ("sick", "healthy", "referral"):
            api.post(f"visits/{receipt['visit_id']}/letters", json={"kind": kind, "answers": answers})
        copied = api.post(f"patients/{receipt['patient_id']}/copies", json={"form": "text"})
        assert copied.status_code == 201, copied.text
        assert NAME in copied.text.encode().decode("unicode_escape", "replace") or NAME in str(copied.json())
        document = api.post(f"patients/{receipt['patient_id']}/copies", json={"form": "document"})
        assert document.status_code == 201, document.text
    narratives = list(divs(document.json()))
    assert narratives
    for narrative in narratives:
        assert {"script", "i", "b"}.isdisjoint(tags_of(narrative)), narrative
    assert any(html.escape("<b>&amp;") in narrative for narrative in narratives)


def divs(value: Any) -> Iterator[str]:
    """The narratives of a FHIR document, also one that stands in it as text."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "div" and isinstance(item, str):
                yield item
            yield from divs(item)
    elif isinstance(value, list):
        for item in value:
            yield from divs(item)
    elif isinstance(value, str) and value.startswith("{"):
        yield from divs(json.loads(value))


def tags_of(page: str) -> set[str]:
    found: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.add(tag)

    Reader().feed(page)
    return found


def test_in_the_daily_register(counter: Counter, receipt: dict[str, Any]):
    with counter.api("admin") as admin, counter.api("supervisor") as supervisor:
        release_file(admin, supervisor)
        told = admin.get("reports/daily-register", params={"format": "csv"})
        book = admin.get("reports/daily-register", params={"format": "xlsx"})
    rows = list(csv.reader(io.StringIO(told.text.lstrip("\ufeff"))))
    assert NAME in [cell for row in rows for cell in row]
    cells = openpyxl.load_workbook(io.BytesIO(book.content)).active
    assert cells is not None
    assert NAME in [cell for row in cells.iter_rows(values_only=True) for cell in row]


def test_a_tickets_page_escapes_the_names_of_clinic_and_room(counter: Counter, receipt: dict[str, Any]):
    for code in ("none", ticket_code(receipt["ticket"]["id"])):
        page = httpx.get(f"{counter.url}/t/{code}").text
        assert TAGS not in page
        assert html.escape(TAGS) in page
        assert tags_of(page) & {"i", "b", "red"} == set()
    assert html.escape("[b]1[/b] <i>") in page  # the room that called


def test_the_boards_script_writes_texts_only():
    """The waiting room's page gets names of clinic, clusters and rooms as data: its script may never make tags of them."""
    script = (ROOT / "server/display/page.html").read_text(encoding="utf-8")
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert way not in script, way


def test_every_widget_with_words_reads_no_markup():
    """A widget that is filled with more than nothing says `markup=False`, or is a Text: no screen to come forgets it."""
    forgotten = []
    for file in sorted((ROOT / "tui").rglob("*.py")):
        if file.name == "example.py":
            continue
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (
                isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in PAINTERS
            ):
                continue
            filled = [
                part
                for part in call.args[:1]
                if not (isinstance(part, ast.Constant) and not str(part.value).strip())
            ]
            says = {keyword.arg: keyword.value for keyword in call.keywords}
            if (filled or "id" in says) and "markup" not in says and call.func.id != "Label":
                forgotten.append(f"{file.relative_to(ROOT)}:{call.lineno}")
    assert forgotten == []
