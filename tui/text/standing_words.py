"""State of a counter's own machine towards the core, in the few words of the title line."""

from __future__ import annotations

from core.schemas.counters import CounterStanding
from tui.text.formatting import time_text
from tui.text.translation import _


def told(standing: CounterStanding | None, zone: str) -> str:
    """Return since when the core is away and how much waits; what the core asks once it is back; empty else.

    Args:
        standing: As the machine says; None at a terminal that speaks to the core.
        zone: The clinic's time zone.
    """
    if standing is None:
        return ""
    if standing.is_away:
        since = time_text(standing.away_since, zone) if standing.away_since else "-"
        return _("!! WITHOUT THE CORE since {time}, {count} wait").format(time=since, count=standing.waiting)
    return _("! {count} to answer: F8").format(count=standing.asked) if standing.asked else ""
