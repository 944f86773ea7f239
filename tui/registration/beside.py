"""Lines that stand below the form where the terminal has room: the last visit, and how many wait in each cluster."""

from __future__ import annotations

from collections.abc import Sequence

from core.schemas.patients import PatientOut
from core.schemas.queues import ClusterOut
from tui.text import problem_words
from tui.text.formatting import date_text, fit
from tui.text.translation import _


def last_visit(patient: PatientOut | None) -> list[str]:
    """Return the known patient's last visit and village; nothing of somebody who has not been here."""
    if patient is None or patient.last_visit_on is None:
        return []
    payer = problem_words.word(problem_words.PAYERS, patient.last_payer) if patient.last_payer else ""
    parts = [date_text(patient.last_visit_on), payer, patient.village]
    return [f" {_('Last visit')}: " + ", ".join(part for part in parts if part), ""]


def waits(clusters: Sequence[ClusterOut]) -> list[str]:
    """Return a line for each cluster that patients are sent to: how many wait, and whom it called last."""
    first = [cluster for cluster in clusters if cluster.first_destination]
    lines = [" " + _("Waiting now")] if first else []
    for cluster in first:
        called = f"   {cluster.called_number}" if cluster.called_number else ""
        lines.append(f"   {cluster.prefix}  {fit(cluster.name, 28)} {cluster.waiting:>4}{called}")
    return lines
