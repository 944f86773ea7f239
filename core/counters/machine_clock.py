"""The time at a counter's machine: that of the last contact with the core, and what has passed since then by itself.

A counter's own clock may be wrong by hours, and is set while it runs. Since the last contact the machine counts without
it, through sleep too, until it is switched off. Afterwards only a machine with a clock chip still knows the time.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core.foundation import clock
from core.foundation.database import instant_text

BOOT_FILE = Path("/proc/sys/kernel/random/boot_id")
CHIP = Path("/sys/class/rtc/rtc0")
WINDOW = timedelta(hours=12)
"""Time for which people sign in without the core."""


@dataclass
class Contact:
    """The last contact with the core."""

    core: str
    """The core's clock, as an ISO instant."""
    own: str
    """This machine's, at the same moment."""
    counted: float
    """Seconds that this machine had counted since it was switched on."""
    boot: str
    """Names the time since it was switched on."""
    elapsed: float = 0.0
    """Seconds since the contact, as far as they were noted before it was switched off."""


class MachineClock:
    """Tells the time at a counter's machine."""

    def __init__(self, contact: Contact | None = None) -> None:
        self.contact = contact
        self.is_uncertain = False
        """True if the machine was switched off since the last contact, and has no clock of its own."""
        if contact is not None and contact.boot != boot_id():
            self.is_uncertain = not CHIP.exists() or _own_now() < datetime.fromisoformat(contact.own)

    @classmethod
    def of_fact(cls, fact: dict[str, Any] | None) -> MachineClock:
        """Return the clock of a store that was opened again."""
        return cls(Contact(**fact) if fact else None)

    def fact(self) -> dict[str, Any]:
        """Return what the store keeps of it."""
        assert self.contact is not None
        return {**asdict(self.contact), "elapsed": self.elapsed().total_seconds()}

    def meet(self, core_now: datetime) -> None:
        """Note a contact with the core."""
        self.contact = Contact(instant_text(core_now), instant_text(_own_now()), counted(), boot_id())
        self.is_uncertain = False

    def now(self) -> datetime:
        """Return the time, as the core would tell it."""
        contact = self.contact
        if contact is None:
            return _own_now()
        if contact.boot == boot_id():
            return datetime.fromisoformat(contact.core) + timedelta(seconds=counted() - contact.counted)
        ahead = datetime.fromisoformat(contact.core) - datetime.fromisoformat(contact.own)
        least = datetime.fromisoformat(contact.core) + timedelta(seconds=contact.elapsed)
        return max(_own_now() + ahead, least)

    def elapsed(self) -> timedelta:
        """Return the time since the last contact, as far as the machine can know it."""
        if self.contact is None:
            return timedelta()
        return max(timedelta(), self.now() - datetime.fromisoformat(self.contact.core))

    def left(self) -> timedelta:
        """Return for how long people can still sign in without the core; zero or less: not any more."""
        return WINDOW - self.elapsed()


def counted() -> float:
    """Return the seconds that this machine has counted since it was switched on, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """Return a name of the time since this machine was switched on."""
    try:
        return BOOT_FILE.read_text("ascii").strip()
    except OSError:
        return ""


def _own_now() -> datetime:
    return clock.own_now()
