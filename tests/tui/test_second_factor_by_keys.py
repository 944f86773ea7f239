"""The second factor by keys: set up from the palette, asked at the screen and in lines before anything else is shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.accounts import second_factor
from core.foundation import clock
from core.foundation.database import connection
from core.models import Account, Token
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import said, screen_of, screen_text
from tests.tui.test_line_mode import Person
from tui.lines.dialogue import line_mode
from tui.screens.accounts.accounts import AccountsScreen
from tui.screens.board import BoardScreen
from tui.screens.second_factor import SecondFactorScreen
from tui.screens.sign_in import CodeScreen, LockScreen


def code(secret: str, steps_on: int = 0) -> str:
    """The code that an authenticator shows now, or some steps later."""
    return second_factor.code_at(secret, clock.now().timestamp() + steps_on * second_factor.STEP_SECONDS)


@pytest.fixture
def without_factor_afterwards(counter: Counter) -> Iterator[None]:
    yield
    with connection():
        Account.update(second_factor=None, second_factor_step=None).execute()


@pytest.mark.parametrize("language", ["en", "id"])
async def test_it_is_set_up_by_keys_and_asked_before_anything_is_shown(
    counter: Counter, without_factor_afterwards: None, language: str
):
    async with counter.at("supervisor", language=language) as (app, pilot):
        await press(pilot, "ctrl+p")
        await type_text(pilot, {"en": "second factor", "id": "faktor kedua"}[language])
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, SecondFactorScreen), "the screen")
        await settle(pilot)
        offer = screen_of(app, SecondFactorScreen)._offer
        assert offer is not None
        shown = screen_text(app)
        assert " ".join(offer.secret[start : start + 4] for start in range(0, 16, 4)) in shown
        assert "▀" in shown, "the QR code fits beside the text"
        await type_text(pilot, "000000")
        await press(pilot, "enter")
        assert isinstance(app.screen, SecondFactorScreen), "a wrong code sets nothing up"
        await type_text(pilot, code(offer.secret))
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, BoardScreen), "back at the board")
        assert said(app)
    async with counter.at("supervisor", language=language) as (app, pilot):
        assert isinstance(app.screen, CodeScreen)
        assert len(app.screen_stack) == 1, "nothing stands behind it"
        await type_text(pilot, code(offer.secret))
        await press(pilot, "enter")
        assert isinstance(app.screen, CodeScreen), "that code was used"
        await type_text(pilot, code(offer.secret, 1))
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, BoardScreen), "the board")


async def test_a_locked_screen_asks_for_it_too(counter: Counter, without_factor_afterwards: None):
    async with counter.at("supervisor") as (app, pilot):
        secret = second_factor.new_secret()
        with connection():
            Account.update(second_factor=secret).where(Account.username == "supervisor").execute()
        app.action_lock()
        await settle(pilot)
        screen_of(app, LockScreen)
        await type_text(pilot, "demo")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, CodeScreen), "the code")
        await type_text(pilot, code(secret))
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, BoardScreen), "unlocked")


async def test_an_admin_takes_it_away_by_keys(counter: Counter, without_factor_afterwards: None):
    with connection():
        Account.update(second_factor=second_factor.new_secret()).where(
            Account.username == "supervisor"
        ).execute()
    async with counter.at("admin") as (app, pilot):
        await press(pilot, "a")
        accounts = screen_of(app, AccountsScreen)
        await until(pilot, lambda: "supervisor" in screen_text(app), "the accounts")
        assert "F=Factor off" in screen_text(app), "the key stands in the footer at 80 columns"
        names = list(accounts._items)
        await press(pilot, *["down"] * names.index("supervisor"), "f", "enter")
        await until(pilot, lambda: "signs in without a code again" in said(app), "the answer")
    with connection():
        assert Account.get(Account.username == "supervisor").second_factor is None


async def test_lines_ask_for_it_first(counter: Counter, without_factor_afterwards: None):
    secret = second_factor.new_secret()
    with connection():
        Account.update(second_factor=secret).where(Account.username == "admin").execute()
    session = await counter.session("admin", "en")
    person = Person(["000000", code(secret), ""])
    await line_mode(session, person, person)
    assert person.heard.count("Code:") == 2, "a wrong one is asked for again"
    assert "This is not the code" in person.heard
    await session.client.close()
    with connection():  # leaving the dialogue signs out
        newest = (
            Token.select().join(Account).where(Account.username == "admin").order_by(Token.id.desc()).get()
        )
    assert newest.needs_code is False
