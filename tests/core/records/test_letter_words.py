"""Numbers of days as letters write them beside the figure."""

from __future__ import annotations

import pytest

from core.records.letters import in_words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "satu"), (9, "sembilan"), (10, "sepuluh"), (11, "sebelas"), (12, "dua belas"), (19, "sembilan belas"),
        (20, "dua puluh"), (21, "dua puluh satu"), (90, "sembilan puluh"), (99, "sembilan puluh sembilan"),
    ],
)  # fmt: skip
def test_days_are_written_in_words(number: int, words: str) -> None:
    assert in_words(number) == words


def test_no_two_numbers_have_the_same_words() -> None:
    assert len({in_words(number) for number in range(1, 100)}) == 99
