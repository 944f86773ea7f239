"""Instants, sizes and empty lists as people read them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from server.text.translation import _


def when(instant: str | datetime | None, zone: ZoneInfo) -> str:
    """Return an instant on the clinic's clock: `24-11-2026 15:00`."""
    if not instant:
        return "-"
    moment = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return moment.astimezone(zone).strftime("%d-%m-%Y %H:%M")


def to_the_second(instant: str, zone: ZoneInfo) -> str:
    """Return an instant on the clinic's clock: `24-11-2026 15:00:07`."""
    return datetime.fromisoformat(instant).astimezone(zone).strftime("%d-%m-%Y %H:%M:%S")


def size(count: int) -> str:
    """Return a number of bytes as people read it: `31 KiB`."""
    value, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}"


def nothing() -> str:
    """Return the text for an empty list."""
    return _("There is none.")
