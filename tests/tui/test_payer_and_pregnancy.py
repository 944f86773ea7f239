"""Payer and pregnancy: what number, last visit and words tell is not contradicted by a default."""

from __future__ import annotations

import pytest

from core.foundation.codes import Payer, PayerSource
from core.foundation.database import connection
from core.models import Visit
from tests.tui.conftest import Counter, press, settle, type_text
from tests.tui.looking import screen_of, screen_text
from tests.tui.test_line_mode import NO_MORE, heard, nik
from tests.tui.test_registration import fill_new_patient
from tui.registration.payer import proposed_payer
from tui.screens.base import LoketScreen
from tui.screens.reasons import LettersDialog
from tui.screens.registration.confirm import ConfirmDialog
from tui.screens.registration.receipt import ReceiptScreen

NUMBER = "0001234567431"
PROPOSALS = [
    ("", None, "general", "default"),
    ("", "general", "general", "last_visit"),
    ("", "jkn_pbi", "jkn_pbi", "last_visit"),
    ("", "jkn_non_pbi", "jkn_non_pbi", "last_visit"),
    ("", "jamkesda", "jamkesda", "last_visit"),
    ("", "other", "other", "last_visit"),
    (NUMBER, None, "jkn_pbi", "number"),
    (NUMBER, "general", "jkn_pbi", "number"),
    (NUMBER, "jkn_pbi", "jkn_pbi", "number"),
    (NUMBER, "jkn_non_pbi", "jkn_non_pbi", "number"),
    (NUMBER, "jamkesda", "jkn_pbi", "number"),
    (NUMBER, "other", "jkn_pbi", "number"),
]


@pytest.mark.parametrize(("number", "last", "payer", "source"), PROPOSALS)
def test_the_proposed_payer(number: str, last: str | None, payer: str, source: str):
    found = proposed_payer(number, Payer(last) if last else None)
    assert found == (Payer(payer), PayerSource(source))


def stored(visit_id: str) -> tuple[str, str]:
    with connection():
        visit = Visit.get_by_id(visit_id)
        return visit.payer, visit.payer_source


async def test_the_payer_follows_number_choice_and_last_visit(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371011106880211", "Yudi Basuki", "sakit gigi")
        app.screen.query_one("#bpjs_number").focus()
        await pilot.pause()
        await type_text(pilot, NUMBER)
        await settle(pilot)
        assert screen_of(app, LoketScreen).field_values()["payer"] == "jkn_pbi"
        await press(pilot, "f10")
        assert "JKN PBI (from the BPJS number; kind not known yet)" in screen_text(app)
        await press(pilot, "escape", "f4", "enter", "3", "f10")
        assert "JKN non-PBI" in screen_text(app)
        assert "from the BPJS number" not in screen_text(app)
        await press(pilot, "enter")
        first = screen_of(app, ReceiptScreen).receipt
        assert stored(first.visit_id) == ("jkn_non_pbi", "clerk")
        await press(pilot, "enter")
        await type_text(pilot, "6371011106880211")
        await press(pilot, "enter")
        assert screen_of(app, LoketScreen).field_values()["payer"] == "jkn_non_pbi"
        await type_text(pilot, "batuk pilek")
        await press(pilot, "f10", "enter")
        second = screen_of(app, ReceiptScreen).receipt
        assert stored(second.visit_id) == ("jkn_non_pbi", "number")


async def test_without_a_number_the_last_visit_tells_the_payer(counter: Counter):
    receipt = counter.register("Lastri Jamkes", "6371015106880212", "sakit gigi", "GIGI")
    with connection():
        Visit.update(payer="jamkesda").where(Visit.id == receipt["visit_id"]).execute()
    async with counter.at("clerk") as (app, pilot):
        await type_text(pilot, "6371015106880212")
        await press(pilot, "enter")
        await type_text(pilot, "batuk pilek")
        await press(pilot, "f10")
        assert "Jamkesda (as at the last visit)" in screen_text(app)
        await press(pilot, "enter")
        assert stored(screen_of(app, ReceiptScreen).receipt.visit_id) == ("jamkesda", "last_visit")


async def test_line_mode_keeps_payer_and_source(counter: Counter):
    text = await heard(
        counter, nik(341), "Lina Garis", NUMBER.replace("431", "341"), *NO_MORE[1:], "sakit gigi", "", ""
    )
    assert "JKN PBI (from the BPJS number; kind not known yet)" in text
    with counter.api() as api:
        (person,) = api.get("patients", params={"q": nik(341)}).json()
        visit = api.get(f"patients/{person['id']}").json()
    assert visit["last_payer"] == "jkn_pbi"


PREGNANT = (
    "kontrol hamil 7 bulan", "hamil muda mual muntah", "periksa kehamilan", "hamil 8 bln kaki bengkak",
    "usia kehamilan 20 minggu", "sedang hamil, batuk", "lagi hamil demam", "hamil sakit gigi", "hamil anak kedua, kontrol",
    "bumil kontrol", "ibu hamil mau periksa", "ANC",
)  # fmt: skip
NOT_PREGNANT = (
    "sakit gigi", "tidak hamil, batuk", "belum hamil sudah 3 tahun menikah", "pusing", "batuk pilek",
    "mau kb suntik", "kontrol darah tinggi", "nyeri haid", "gatal di kaki", "minta surat sehat",
)  # fmt: skip


async def test_a_pregnancy_in_the_words_is_asked_about(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371015206900221", "Rina Hamil", "x")
        for complaint in PREGNANT:
            await press(pilot, "ctrl+u")
            await type_text(pilot, complaint)
            await press(pilot, "f10")
            assert isinstance(app.screen, LettersDialog), complaint
            assert "Is the patient pregnant?" in screen_text(app), complaint
            await press(pilot, "escape")
        await press(pilot, "f10", "y")
        assert isinstance(app.screen, ConfirmDialog)
        assert "pregnant" in screen_text(app)
        await press(pilot, "enter")
        receipt = screen_of(app, ReceiptScreen).receipt
        assert receipt.ticket.cluster == "KIA"
    with connection():
        assert Visit.get_by_id(receipt.visit_id).pregnant


async def test_no_is_an_answer_and_is_not_asked_again(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371015306900222", "Rini Tidak", "hamil sakit gigi")
        await press(pilot, "f10", "n")
        assert isinstance(app.screen, ConfirmDialog)
        await press(pilot, "escape", "f10")
        assert isinstance(app.screen, ConfirmDialog)


async def test_other_words_ask_nothing(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371015406900223", "Rani Biasa", "x")
        for complaint in NOT_PREGNANT:
            await press(pilot, "ctrl+u")
            await type_text(pilot, complaint)
            await press(pilot, "f10")
            assert isinstance(app.screen, ConfirmDialog), complaint
            await press(pilot, "escape")


async def test_line_mode_asks_about_the_pregnancy_too(counter: Counter):
    text = await heard(counter, nik(342), "Lia Garis", *NO_MORE, "kontrol hamil 7 bulan", "", "y", "", "q")
    assert "Is the patient pregnant?" in text
    with connection():
        visit = Visit.select().order_by(Visit.started_at.desc()).first()
        assert (visit.chief_complaint, visit.pregnant) == ("kontrol hamil 7 bulan", True)
