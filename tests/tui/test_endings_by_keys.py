"""By keys: no single key ends a visit with a death, a referral or an admission, and undo takes an ending back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from core.schemas.record import VisitOut
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import said, screen_text
from tests.tui.test_record import open_record, visit_of
from tui.screens.reasons import EndingDialog
from tui.screens.work import WorkScreen


def slowly(call: Callable[..., Awaitable[VisitOut]]) -> Callable[..., Awaitable[VisitOut]]:
    """Let a call take its time, as on a thin line."""

    async def later(*arguments: object) -> VisitOut:
        await asyncio.sleep(0.5)
        return await call(*arguments)

    return later


@pytest.mark.parametrize(
    ("letter", "outcome", "nik"),
    [
        ("a", "died", "6371014307900761"),
        ("r", "referred", "6371014307900762"),
        ("i", "admitted", "6371014307900763"),
    ],
)
async def test_one_key_never_records_what_cannot_be_meant_by_a_slip(
    counter: Counter, letter: str, outcome: str, nik: str
):
    receipt = counter.register(f"Pasien Uji {letter}", nik, "gigi berlubang", "GIGI")
    async with counter.at("dentist") as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f10")
        await until(pilot, lambda: isinstance(app.screen, EndingDialog), "the question")
        await press(pilot, letter)
        await settle(pilot)
        assert isinstance(app.screen, EndingDialog), "one letter ended the visit"
        assert f"for Pasien Uji {letter}?" in screen_text(app)
        assert visit_of(counter, "dentist", receipt)["encounters"] == []
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, WorkScreen), "the own queue")
        await until(pilot, lambda: bool(said(app)), "what was done")
    ended = visit_of(counter, "dentist", receipt)
    assert ended["encounters"][0]["disposition"] == outcome


async def test_undo_takes_a_death_back(counter: Counter):
    receipt = counter.register("Pasien Keliru", "6371014307900764", "gigi berlubang", "GIGI")
    async with counter.at("dentist") as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f10", "a", "enter")
        await until(pilot, lambda: isinstance(app.screen, WorkScreen), "the own queue")
        await settle(pilot)
        await press(pilot, "u")
        await settle(pilot)
    visit = visit_of(counter, "dentist", receipt)
    assert visit["encounters"][0]["disposition"] in ("", None)
    assert visit["encounters"][0]["signed_at"] is None


async def test_what_was_just_added_is_not_said_to_be_missing(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
):
    receipt = counter.register("Pasien Cepat", "6371014307900765", "gigi berlubang", "GIGI")
    async with counter.at("dentist") as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f7")
        await type_text(pilot, "K02.9")
        await settle(pilot)
        assert app.session is not None
        visits = app.session.client.visits
        monkeypatch.setattr(visits, "get", slowly(visits.get))
        # In one burst: nobody waits for the answer between the two keys.
        await pilot.press("enter", "f10")
        await until(pilot, lambda: isinstance(app.screen, EndingDialog), "the question")
        assert "no diagnosis yet" not in screen_text(app)
