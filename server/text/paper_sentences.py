"""Sentences of `loket paper`."""

from __future__ import annotations

from collections.abc import Sequence

from server.text.translation import _


def printed(numbers: Sequence[str]) -> str:
    """Return which forms were printed."""
    if not numbers:
        return _("No form was printed.")
    return _("{number} forms printed: {first} to {last}.").format(
        number=len(numbers), first=numbers[0], last=numbers[-1]
    )


def not_printed(number: int) -> str:
    """Return what became of the numbers of forms that the printer did not print."""
    return _("{number} forms were not printed; their numbers are voided.").format(number=number)
