"""By keys: breast-feeding is asked about where a medicine depends on it, and unknown kidneys are said to be unknown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import screen_text
from tests.tui.test_other_roles import open_entry, with_note


def asked(counter: Counter, name: str, nik: str) -> dict[str, Any]:
    """A patient whose allergies were asked about."""
    seen: dict[str, Any] = with_note(counter, name, nik)
    with counter.api("dentist") as api:
        api.post(f"patients/{seen['patient']}/allergies/none", json={})
        seen["number"] = api.get(f"visits/{seen['visit']}").json()["entries"][0]["number"]
    return seen


def visit(counter: Counter, seen: dict[str, Any]) -> dict[str, Any]:
    with counter.api("dentist") as api:
        return dict(api.get(f"visits/{seen['visit']}").json())


async def prescribe(app: Any, pilot: Any, medicine: str) -> None:
    await press(pilot, "f8")
    await type_text(pilot, medicine)
    await press(pilot, "enter")
    await settle(pilot)
    await press(pilot, "f10")
    await settle(pilot)


async def test_who_breastfeeds_is_asked_about_the_medicine(counter: Counter):
    seen = asked(counter, "Wahidah Amran", "6371014307900791")
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], seen["number"])
        await prescribe(app, pilot, "tramadol 50 mg kapsul")
        assert "Does she breast-feed?" in screen_text(app)
        await press(pilot, "y")
        await until(pilot, lambda: "Prescribe all the same?" in screen_text(app), "the question")
        assert "breast-feeding: tramadol" in screen_text(app)
        await press(pilot, "n")
        await until(pilot, lambda: "BREAST-FEEDS" in screen_text(app), "the banner")
    assert visit(counter, seen)["breastfeeding"] is True
    assert visit(counter, seen)["prescriptions"] == []


async def test_who_does_not_is_asked_once_and_gets_it(counter: Counter):
    seen = asked(counter, "Zahratun Nisa", "6371014307900792")
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], seen["number"])
        await prescribe(app, pilot, "tramadol 50 mg kapsul")
        await press(pilot, "t")
        await until(pilot, lambda: "Medicine    Tramadol" in screen_text(app), "prescribed")
        await prescribe(app, pilot, "siprofloksasin 500 mg tablet")
        assert "Does she breast-feed?" not in screen_text(app)
    assert visit(counter, seen)["breastfeeding"] is False


async def test_who_cannot_be_asked_gets_it_with_a_word_about_it(counter: Counter):
    seen = asked(counter, "Ernawati Sitorus", "6371014307900793")
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], seen["number"])
        await prescribe(app, pilot, "tramadol 50 mg kapsul")
        await press(pilot, "n")
        await until(pilot, lambda: "Does she breast-feed? Not asked" in screen_text(app), "said")
    assert visit(counter, seen)["breastfeeding"] is None


@pytest.mark.parametrize(
    ("name", "nik", "medicine"),
    [("Abdul Majid", "6371010307900794", "tramadol 50 mg kapsul"),
     ("Hj. Salmiah", "6371014307500795", "tramadol 50 mg kapsul"),
     ("Ratna Juwita", "6371014307900796", "parasetamol 500 mg tablet")],
)  # fmt: skip
async def test_whom_it_does_not_concern_is_not_asked(counter: Counter, name: str, nik: str, medicine: str):
    seen = asked(counter, name, nik)
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], seen["number"])
        await prescribe(app, pilot, medicine)
        await settle(pilot)
        assert "Does she breast-feed?" not in screen_text(app)
    assert len(visit(counter, seen)["prescriptions"]) == 1


async def test_kidneys_that_nobody_measured_are_said(counter: Counter):
    seen = asked(counter, "Burhanuddin Aziz", "6371010307900797")
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], seen["number"])
        await prescribe(app, pilot, "metformin 500 mg tablet")
        await until(pilot, lambda: "Kidney function not known" in screen_text(app), "said")
    assert len(visit(counter, seen)["prescriptions"]) == 1


async def test_ill_kidneys_stop_the_medicine_with_their_numbers(counter: Counter):
    seen = asked(counter, "Syahrani Noor", "6371010307900798")
    with counter.api("dentist") as api:
        order = api.post(f"visits/{seen['visit']}/orders", json={"test": "Kreatinin"}).json()["id"]
    with counter.api("lab") as api:
        api.post(f"orders/{order}/result", json={"result": "4,2"})
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], seen["number"])
        await prescribe(app, pilot, "metformin 500 mg tablet")
        await until(pilot, lambda: "Prescribe all the same?" in screen_text(app), "the question")
        shown = " ".join(screen_text(app).replace("│", " ").split())
        assert "Kreatinin 4,2 mg/dL" in shown
        assert "eGFR" in shown
        await press(pilot, "n")
    assert visit(counter, seen)["prescriptions"] == []
