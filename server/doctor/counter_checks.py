"""Checks of counters' own machines: at the core, and on such a machine itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx

from core.counters import chains, machines
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.models import Counter
from core.schemas.counters import CounterStanding
from server.doctor.findings import CheckResult
from server.text import counter_sentences
from server.text.translation import _

SWAPS = Path("/proc/swaps")
SECONDS = 5.0
CREDENTIAL_FILE = "counter.token"
LEAST_NUMBERS = 5
"""Numbers of a cluster below which it is told: half an hour of a morning."""

Finding = tuple[Literal["ok", "warning", "error"], str]


def check_counters(clinic: Clinic) -> Iterator[CheckResult]:
    """Say which counters' machines are silent, hold something back, or have no secret of their own."""
    for machine in Counter.select().where(Counter.lost_at.is_null()).order_by(Counter.name):
        shown = machines.shape(machine)
        faults = list(counter_sentences.faults(shown, clinic.zone))
        yield from (CheckResult("warning", "counters", words) for words in faults)
        if not faults:
            yield CheckResult("ok", "counters", counter_sentences.well(shown))
    for words in chains.breaks():
        yield CheckResult("error", "counters", counter_sentences.broken_chain(words))


def check_machine_here(settings: Settings) -> Iterator[CheckResult]:
    """Say how this counter's own machine stands: as its running server says, and as its disk shows."""
    for level, words in _findings(settings):
        yield CheckResult(level, "counters", words)


def _findings(settings: Settings) -> Iterator[Finding]:
    yield from _memory()
    if not (settings.home / CREDENTIAL_FILE).exists():
        yield (
            "error",
            _("counter.token is missing: write into it what `loket counter add NAME` prints at the core"),
        )
    try:
        answer = httpx.get(f"{settings.http.url}/api/v1/counter", timeout=SECONDS)
        standing = CounterStanding.model_validate_json(answer.content)
    except (httpx.TransportError, ValueError):
        yield "error", _("This counter's server does not answer. Run: loket serve --role counter")
        return
    yield from _secret(settings, standing)
    yield from _standing(standing)


def _secret(settings: Settings, standing: CounterStanding) -> Iterator[Finding]:
    if not standing.has_secret:
        yield (
            "warning",
            _(
                "No secret on a token or in the TPM: the disk's image plus a password opens the store, so it holds "
                "today's people only. See LOKET_COUNTER_SECRET"
            ),
        )
    elif _is_beside(settings):
        yield (
            "warning",
            _(
                "The secret is on the same disk as the store: whoever takes the disk has both. Put it on a token"
            ),
        )
    else:
        yield "ok", _("the store needs a password and a secret that is not on its disk")


def _is_beside(settings: Settings) -> bool:
    try:
        return Path(settings.counter_secret).stat().st_dev == settings.home.stat().st_dev
    except OSError:
        return False


def _memory() -> Iterator[Finding]:
    """Tell of a swap that is not known to be encrypted: what is open in memory may come to lie on the disk."""
    try:
        lines = SWAPS.read_text("ascii").splitlines()[1:]
    except OSError:
        return
    plain = [line.split()[0] for line in lines if "/dm-" not in line and "zram" not in line]
    if plain:
        yield (
            "warning",
            _(
                "Memory may be written to {places}, which is not known to be encrypted. Switch swap off: swapoff -a"
            ).format(places=", ".join(plain)),
        )


def _standing(standing: CounterStanding) -> Iterator[Finding]:
    if not standing.is_open:
        yield (
            "warning",
            _(
                "The store is closed until the core answers, or somebody who has signed in here before signs in"
            ),
        )
        return
    if standing.is_away:
        yield (
            "warning",
            _("The core has not answered since {time}. {count} registrations wait here for it").format(
                time=standing.away_since, count=standing.waiting
            ),
        )
    else:
        yield "ok", _("the core answers; {count} registrations wait").format(count=standing.waiting)
    if standing.asked:
        yield (
            "warning",
            _("{count} registrations wait for somebody's answer here").format(count=standing.asked),
        )
    short = [code for code, left in standing.numbers_left.items() if left < LEAST_NUMBERS]
    if short:
        yield (
            "warning",
            _("Few numbers are left here for: {clusters}. When they end, go on with paper forms").format(
                clusters=", ".join(short)
            ),
        )
