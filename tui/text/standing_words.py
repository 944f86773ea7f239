"""State of a counter's own machine towards the core, in the few words of the title line."""

from __future__ import annotations

from collections.abc import Iterable

from core.schemas.counters import CounterOut, CounterStanding
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


def of_machines(machines: Iterable[CounterOut], zone: str) -> str:
    """Return which counters are silent or hold something back, for the board; empty where none does.

    Args:
        machines: All counters' machines.
        zone: The clinic's time zone.
    """
    return "  ".join(words for machine in machines if (words := _of_machine(machine, zone)))


def _of_machine(machine: CounterOut, zone: str) -> str:
    if machine.lost_at is not None:
        return ""
    if machine.is_away:
        return _("{name}: silent since {time}").format(
            name=machine.name, time=time_text(machine.contact_at, zone)
        )
    if machine.waiting + machine.asked:
        return _("{name}: {count} not delivered").format(
            name=machine.name, count=machine.waiting + machine.asked
        )
    return ""
