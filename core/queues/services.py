"""The services of a primary-care clinic: which one wins, and which wider one stands in for a missing one.

Complaint rules name a service and `core.queues.clusters` says which cluster takes it, so that the same
rules serve every arrangement of rooms.

Source: docs/reference/indonesia.md 2 and 2.1 (KMK HK.01.07/MENKES/2015/2023).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """A kind of care that a cluster may take and a rule may send to."""

    code: str
    rank: int
    """Which service wins when a complaint names several: the higher one, more urgent or more specific.

    Only the order counts. The gaps leave room for new services.
    """
    fallback: str | None
    """The wider service that takes it in a clinic where no cluster does; None for the widest."""


GENERAL = "general"
MATERNAL = "maternal"
EMERGENCY = "emergency"

SERVICES = {
    service.code: service
    for service in (
        Service(EMERGENCY, 90, fallback=GENERAL),
        Service("procedure", 70, fallback=EMERGENCY),
        Service("dental", 60, fallback=GENERAL),
        Service(MATERNAL, 58, fallback=GENERAL),
        Service("breastfeeding", 57, fallback=MATERNAL),
        Service("family_planning", 57, fallback=MATERNAL),
        Service("immunisation", 57, fallback=MATERNAL),
        Service("infectious", 55, fallback=GENERAL),
        Service("bride", 54, fallback=MATERNAL),
        Service("growth", 50, fallback=MATERNAL),
        Service("nutrition", 48, fallback=GENERAL),
        Service("laboratory", 40, fallback=GENERAL),
        Service("pharmacy", 20, fallback=GENERAL),
        Service(GENERAL, 10, fallback=None),
    )
}
"""Every service by its code."""


def with_fallbacks(service: str) -> Iterator[str]:
    """Yield a service and then the wider ones that stand in for it, ending with the widest.

    Raises:
        KeyError: There is no such service; clusters and rules are checked for this when they are read.
    """
    wanted: str | None = service
    while wanted is not None:
        yield wanted
        wanted = SERVICES[wanted].fallback
