"""SATUSEHAT is asked about once, after the save: shown where nobody has asked, never in the way of Enter."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from core.schemas.registration import Receipt
from tests.tui.conftest import Counter, press, settle, until
from tests.tui.looking import screen_text
from tests.tui.test_line_mode import heard, nik
from tui.app import LoketApp
from tui.registration.form_values import FormValues
from tui.screens.record.dialogs import TextDialog
from tui.screens.registration.receipt import ReceiptScreen
from tui.session import Session

QUESTIONS = {"en": "S: may the record go to SATUSEHAT?", "id": "S: boleh rekam medis dikirim ke SATUSEHAT?"}


async def show(app: LoketApp, pilot: Pilot[None], receipt: dict[str, Any], *, asks: bool = True) -> None:
    session = app.session
    assert session is not None
    session.clinic = session.clinic.model_copy(update={"asks_sharing": asks, "asks_identity": []})
    facts = FormValues({"name": "Siti Contoh"}, None, session.clinic.today)
    app.push_screen(ReceiptScreen(session, Receipt.model_validate(receipt), facts))
    await until(pilot, lambda: isinstance(app.screen, ReceiptScreen), "the receipt")
    await settle(pilot)


@pytest.mark.parametrize("language", ["en", "id"])
async def test_it_is_asked_once_and_enter_goes_on_without_it(counter: Counter, language: str) -> None:
    receipt = counter.register(
        f"Siti {language}", f"637101550790{len(language)}{ord(language[0]):03d}", "batuk", "UMUM"
    )
    question = QUESTIONS[language]
    async with counter.at("clerk", (80, 24), language) as (app, pilot):
        await show(app, pilot, receipt)
        await until(pilot, lambda: question in screen_text(app), "the question")
        await press(pilot, "enter")
        await until(pilot, lambda: not isinstance(app.screen, ReceiptScreen), "the next patient")
        await show(app, pilot, receipt)
        await until(pilot, lambda: question in screen_text(app), "the question again")
        await press(pilot, "s")
        await until(pilot, lambda: isinstance(app.screen, TextDialog), "the answers")
        await press(pilot, "s")
        await until(pilot, lambda: "SETUJU" in screen_text(app), "the paper")
        await press(pilot, "escape", "enter")
        await show(app, pilot, receipt)
        assert question not in screen_text(app), "an answer is not asked for twice"
    with counter.api() as api:
        assert api.get(f"patients/{receipt['patient_id']}/sharing").json()["agreed"] is True


async def test_a_clinic_that_sends_to_an_office_is_not_asked(counter: Counter) -> None:
    receipt = counter.register("Siti Kantor", "6371015507920071", "batuk", "UMUM")
    async with counter.at("clerk", (80, 24)) as (app, pilot):
        await show(app, pilot, receipt, asks=False)
        assert "SATUSEHAT" not in screen_text(app)


@pytest.mark.usefixtures("no_parked_forms")
async def test_line_mode_asks_too_and_prints_the_paper(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in = counter.session

    async def of_a_clinic_that_asks(*who: str) -> Session:
        session = await signed_in(*who)
        session.clinic = session.clinic.model_copy(update={"asks_sharing": True})
        return session

    monkeypatch.setattr(counter, "session", of_a_clinic_that_asks)
    said = await heard(
        counter, nik(271), "Ana Contoh", "0001234567271", "", "Siti Aminah", "0812345", "Jl. Melati 5", "batuk", "2 card",
        "", "s", "t", "s", "x", "q",
    )  # fmt: skip
    assert QUESTIONS["en"] in said
    assert "TIDAK SETUJU" in said
    assert "Not noted." in said
