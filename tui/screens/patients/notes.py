"""Results of the screens about patients."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Corrected:
    """Result of the correction of a card.

    Attributes:
        patient_id: The card's patient; another than before when the card led to a merge.
        text: Translated sentence about the correction.
    """

    patient_id: str
    text: str
