"""The steps of the day's closing: name, titles, and the function that does each.

It imports no table, so that the terminal can name the steps without loading the database.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.foundation.languages import LocalizedText, data_table


@dataclass(frozen=True)
class ClosingStep:
    """One step of the closing. It can be repeated without harm."""

    name: str
    """Stable name in `JobRun.step` and in the API."""
    titles: LocalizedText
    action: str
    """`module:function` of the function `(clinic, day) -> StepResult`."""
    is_of_one_day: bool = False
    """True where it is about one day; the others are about everything up to now."""
    waits_for_turn: bool = False
    """True where it waits for the clinic's turn at the office."""


STEPS = {
    name: ClosingStep(
        name,
        row["title"],
        row["action"],
        is_of_one_day=row.get("is_of_one_day", False),
        waits_for_turn=row.get("waits_for_turn", False),
    )
    for name, row in data_table("closing_steps.toml").items()
}
"""Name -> step, in the order in which they are done: the rows of `core/data/closing_steps.toml`."""
