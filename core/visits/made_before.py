"""Ids and numbers given out for a registration before the core knew of it: by a counter that could not reach it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MadeBefore:
    """Ids and numbers that a counter's machine has given out, and that the core keeps.

    Attributes:
        patient_id: Of a patient who was new there.
        visit_id: The visit's.
        entry_id: Of its place in the queue.
        ticket_id: Of the number in the patient's hand.
        record_number: Medical record number of a patient who was new there; empty for a known one.
        is_uncertain: True if the machine could not know when the patient came: the place is behind those who wait
            already, unless it is an emergency.
    """

    patient_id: str
    visit_id: str
    entry_id: str
    ticket_id: str
    record_number: str = ""
    is_uncertain: bool = False
