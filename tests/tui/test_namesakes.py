"""Two people of one name in one queue are told apart where one of them is called."""

from __future__ import annotations

from tests.tui.conftest import Counter, press, until
from tests.tui.looking import pane_of, screen_text
from tests.tui.queues import call_until, empty_queues

__all__ = ["empty_queues"]


async def test_two_of_one_name_show_their_birth_dates_while_both_are_there(counter: Counter):
    first = counter.register("Sri Namasama", "6371015005700021", "sakit gigi geraham", "GIGI")
    counter.register("SRI  namasama", "6371014708920022", "sakit gigi geraham", "GIGI")
    counter.register("Tidak Sama", "6371014101850023", "sakit gigi geraham", "GIGI")
    async with counter.at("dentist") as (app, pilot):
        await until(pilot, lambda: len(pane_of(app).entries) == 3, "three people")
        shown = screen_text(app)
        assert "10-05-1970" in shown
        assert "07-08-1992" in shown
        assert "01-01-1985" not in shown
        await call_until(pilot, app, first["ticket"]["number"])
        await press(pilot, "d", "p", "enter")
        await until(pilot, lambda: len(pane_of(app).entries) == 2, "one of them has gone")
        assert "07-08-1992" not in screen_text(app)
