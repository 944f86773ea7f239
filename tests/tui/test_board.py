"""The supervisor's board on the screen, live, and its columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.conftest import Counter, press, until
from tests.tui.looking import screen_text
from tests.tui.queues import empty_queues, someone
from tui.widgets.plot import FULL, HALF, column_rows

__all__ = ["empty_queues"]


def line_of(text: str, name: str) -> list[str]:
    """The numbers behind a cluster's name."""
    line = next(line for line in text.splitlines() if name in line)
    return line.split(name)[1].split()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_board_follows_the_queues_without_a_key(counter: Counter, size: tuple[int, int]):
    async with counter.at("admin", size) as (app, pilot):
        await press(pilot, "f4")
        await until(pilot, lambda: "Poli Gigi" in screen_text(app), "the board")
        before = [int(number) for number in line_of(screen_text(app), "All")[:1]]
        someone(counter)
        await until(
            pilot, lambda: int(line_of(screen_text(app), "All")[0]) == before[0] + 1, "one more who waits"
        )
        assert line_of(screen_text(app), "Poli Gigi")[:3] == ["1", "0'", "0"]
        with counter.api("dentist") as api:
            called = api.post("queues/GIGI/call-next", json={}).json()
        await until(pilot, lambda: called["number"] in screen_text(app), "whom the dentist has called")
        assert called["patient"]["name"] not in screen_text(app)
        assert "drg. Maya Lestari" in screen_text(app)
        assert all(len(line) == size[0] for line in screen_text(app).splitlines())


values = st.lists(st.integers(0, 500), min_size=1, max_size=30)


@given(values, st.integers(1, 12))
def test_columns_are_as_high_as_their_numbers(numbers: list[int], rows: int) -> None:
    drawn = column_rows(numbers, max([1, *numbers]), rows)
    assert len(drawn) == rows
    heights = [sum({FULL: 2, HALF: 1}.get(row[index], 0) for row in drawn) for index in range(len(numbers))]
    for number, height in zip(numbers, heights, strict=True):
        assert abs(height - number / max([1, *numbers]) * rows * 2) <= 1
        assert (height > 0) == (number > 0)
    for index in range(len(numbers)):
        column = "".join(row[index] for row in drawn)
        assert column.lstrip(" ").lstrip(HALF).strip(FULL) == "", "a hole in a column"
