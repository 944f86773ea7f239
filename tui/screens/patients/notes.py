"""What the screens about patients give back to whoever opened them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Corrected:
    """A card was corrected.

    Attributes:
        patient_id: Whose card it is now: another's than before when a card showed two records to be one.
        text: What to say about it, translated.
    """

    patient_id: str
    text: str
