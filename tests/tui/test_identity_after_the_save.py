"""Religion, education, occupation and marital status: asked after the save, never in the way of Enter."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from core.patients.identity_values import REFUSED, lists
from core.schemas.patients import PatientOut
from core.schemas.registration import Receipt
from tests.tui.conftest import Counter, press, settle, until
from tests.tui.looking import screen_text
from tests.tui.test_line_mode import heard, nik
from tui.app import LoketApp
from tui.registration.form_values import FormValues
from tui.screens.patients.edit import EditScreen
from tui.screens.patients.identity_dialog import IdentityDialog
from tui.screens.registration.receipt import ReceiptScreen

QUESTIONS = {"en": "I: identity, not asked yet.", "id": "I: identitas, belum ditanyakan."}


async def show(
    app: LoketApp, pilot: Pilot[None], receipt: dict[str, Any], patient: PatientOut | None = None
) -> None:
    assert app.session is not None
    facts = FormValues({"name": "Siti Contoh", "birth_date": "17-08-1990"}, patient, app.session.clinic.today)
    app.push_screen(ReceiptScreen(app.session, Receipt.model_validate(receipt), facts))
    await until(pilot, lambda: isinstance(app.screen, ReceiptScreen), "the receipt")
    await settle(pilot)


def stored(counter: Counter, receipt: dict[str, Any]) -> PatientOut:
    with counter.api() as api:
        return PatientOut.model_validate(api.get(f"patients/{receipt['patient_id']}").json())


@pytest.mark.parametrize("language", ["en", "id"])
async def test_enter_goes_on_without_it_and_an_answer_is_asked_once(counter: Counter, language: str) -> None:
    receipt = counter.register(f"Sri {language}", f"637101550790{ord(language[0]):04d}", "batuk", "UMUM")
    question = QUESTIONS[language]
    async with counter.at("clerk", (80, 24), language) as (app, pilot):
        await show(app, pilot, receipt)
        await until(pilot, lambda: question in screen_text(app), "the question")
        await press(pilot, "enter")
        await until(pilot, lambda: not isinstance(app.screen, ReceiptScreen), "the next patient")
        assert stored(counter, receipt).religion == "", "nobody asked is not refused"
        await show(app, pilot, receipt)
        await press(pilot, "i")
        await until(pilot, lambda: isinstance(app.screen, IdentityDialog), "the questions")
        refusal = "t" if language == "id" else "r"
        await press(pilot, "1", "enter", "0", "enter", "enter", refusal, "enter")
        await until(pilot, lambda: isinstance(app.screen, ReceiptScreen), "the receipt again")
        found = stored(counter, receipt)
        answers = (found.religion, found.education, found.occupation, found.marital_status)
        assert answers == ("1", "0", "", REFUSED)
        await press(pilot, "i")
        await until(pilot, lambda: isinstance(app.screen, IdentityDialog), "the question left")
        assert [field.id for field in app.screen.query("ChoiceField")] == ["occupation"]
        await press(pilot, "4", "enter")
        await until(pilot, lambda: isinstance(app.screen, ReceiptScreen), "the receipt without a question")
        await press(pilot, "enter")
        await show(app, pilot, receipt, stored(counter, receipt))
        assert question not in screen_text(app)
        await press(pilot, "i")
        assert isinstance(app.screen, ReceiptScreen), "nothing is left to ask"


async def test_the_card_shows_and_changes_the_answers(counter: Counter) -> None:
    receipt = counter.register("Sri Kartu", "6371015507900377", "batuk", "UMUM")
    async with counter.at("clerk", (80, 24)) as (app, pilot):
        assert app.session is not None
        app.push_screen(EditScreen(app.session, stored(counter, receipt)))
        await until(pilot, lambda: isinstance(app.screen, EditScreen), "the card")
        await press(pilot, "f8")
        await until(pilot, lambda: isinstance(app.screen, IdentityDialog), "the questions")
        await press(pilot, "3", "f10")
        await until(pilot, lambda: isinstance(app.screen, EditScreen), "the card again")
        assert stored(counter, receipt).religion == "3"
        await press(pilot, "f8")
        await until(pilot, lambda: isinstance(app.screen, IdentityDialog), "the questions again")
        await press(pilot, "backspace", "f10")
        await until(pilot, lambda: isinstance(app.screen, EditScreen), "the card once more")
        assert stored(counter, receipt).religion == "", "an answer can be taken back"


async def test_a_clinic_that_asks_nothing_is_not_shown_the_key(counter: Counter) -> None:
    receipt = counter.register("Sri Diam", "6371015507900378", "batuk", "UMUM")
    async with counter.at("clerk", (80, 24)) as (app, pilot):
        assert app.session is not None
        app.session.clinic = app.session.clinic.model_copy(update={"asks_identity": []})
        await show(app, pilot, receipt)
        assert "identity" not in screen_text(app).lower()


def test_a_code_of_one_question_is_no_answer_to_another_and_null_means_nobody_asked(counter: Counter) -> None:
    receipt = counter.register("Sri Pintu", "6371015507900379", "batuk", "UMUM")
    with counter.api() as api:
        path = f"patients/{receipt['patient_id']}"
        for name, listed in lists().items():
            wrong = api.patch(path, json={name: "9"})
            assert wrong.status_code == 422
            assert wrong.json()["fields"] == {name: "not_a_choice"}
            for value in (listed.values[0].code, REFUSED):
                assert api.patch(path, json={name: value}).json()[name] == value
            assert api.patch(path, json={name: None}).json()[name] == ""


@pytest.mark.usefixtures("no_parked_forms")
async def test_line_mode_asks_a_question_a_line(counter: Counter) -> None:
    said = await heard(
        counter, nik(291), "Ana Garis", "0001234567291", "", "Siti Aminah", "0812345", "Jl. Melati 5", "batuk", "2 card",
        "", "i", "1", "", "r", "2", "i", "", "q",
    )  # fmt: skip
    assert QUESTIONS["en"] in said
    assert "Religion: 1 Islam" in said
    assert "Identity noted." in said
    assert "Not noted." in said
    with counter.api() as api:
        (found,) = api.get("patients", params={"q": nik(291)}).json()
    assert (found["religion"], found["education"], found["occupation"], found["marital_status"]) == (
        "1",
        "",
        REFUSED,
        "2",
    )
