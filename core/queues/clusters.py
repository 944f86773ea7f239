"""The clinic's service clusters: their names, ticket letters, and which service each one takes.

Routing decides on a service (`core.queues.services`); this module finds the cluster that takes it.

Source: docs/architecture.md; docs/reference/indonesia.md 2 and 2.1 (KMK HK.01.07/MENKES/2015/2023).
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from importlib import resources
from pathlib import Path
from typing import Any

from core.foundation.errors import NotFoundError, SettingsError
from core.foundation.toml_lines import at_line
from core.queues.services import EMERGENCY, GENERAL, SERVICES, with_fallbacks

PRESETS = ("poli", "ilp")

STAGES = ("first", "later")

_OLDEST_YEARS = 150
"""No age limit of a cluster lies above this, in completed years."""

_CLUSTER_FIELDS = frozenset({"code", "name", "prefix", "stage", "bpjs_code", "room", "takes", "day_ends_at"})
_TAKING_FIELDS = frozenset({"service", "from_years", "under_years"})
_PATTERNS = {
    "code": (r"[A-Z][A-Z0-9_]{0,15}", "code must be 1 to 16 upper-case letters, digits or underscores"),
    "name": (r"(?s).+", "name is missing"),
    "prefix": (r"[A-Z]{1,2}", "prefix must be one or two upper-case letters"),
}
"""Required field of a cluster -> the pattern of its whole value, and what to say when it does not match."""


@dataclass(frozen=True)
class Taking:
    """One service that a cluster takes, for an age band."""

    service: str
    from_years: int = 0
    """Completed years, inclusive."""
    under_years: int | None = None
    """Completed years, exclusive; None for no upper limit."""

    def fits(self, age_years: int | None) -> bool:
        """Return whether the age is in the band; an unknown age fits only a band without limits."""
        if age_years is None:
            return self.from_years == 0 and self.under_years is None
        return self.from_years <= age_years and (self.under_years is None or age_years < self.under_years)


@dataclass(frozen=True)
class Cluster:
    """One service cluster with its own queue."""

    code: str
    """Stable key: upper-case letters, digits and underscores."""
    name: str
    prefix: str
    """One or two upper-case letters before the ticket number, unique in the clinic."""
    stage: str = "first"
    """`first`: patients are sent here from the counter. `later`: only from another cluster."""
    bpjs_code: str | None = None
    """kdPoli of PCare and Antrean FKTP, or None when this clinic has not mapped it."""
    room: str = ""
    takes: tuple[Taking, ...] = ()
    day_ends_at: time | None = None
    """For a cluster that works around the clock: the local time in the morning at which its service day ends."""

    @property
    def youngest_years(self) -> int:
        """The lowest completed age with general complaints that it takes; 0 when it takes none."""
        return min((taking.from_years for taking in self.takes if taking.service == GENERAL), default=0)


class ClusterSet(Mapping[str, Cluster]):
    """The clinic's clusters by code, in the order in which screens show them."""

    def __init__(self, preset: str, clusters: tuple[Cluster, ...]) -> None:
        self.preset = preset
        """`poli`, `ilp`, or the path it was read from."""
        self._by_code = {cluster.code: cluster for cluster in clusters}
        self.first_destinations = tuple(cluster for cluster in clusters if cluster.stage == "first")
        """The clusters to which the counter can send a patient."""
        self._services = {taking.service for cluster in self.first_destinations for taking in cluster.takes}

    def __getitem__(self, code: str) -> Cluster:
        """Return the cluster with this code.

        Raises:
            NotFoundError: The clinic has no such cluster.
        """
        try:
            return self._by_code[code]
        except KeyError:
            raise NotFoundError("cluster", code) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_code)

    def __len__(self) -> int:
        return len(self._by_code)

    def __contains__(self, code: object) -> bool:
        # Mapping's own version catches KeyError only, and [] raises NotFoundError.
        return code in self._by_code

    def get(self, code: str, default: Any = None) -> Any:
        """Return the cluster, or `default` when the clinic does not have it."""
        return self._by_code.get(code, default)

    @property
    def emergency(self) -> Cluster:
        """The cluster that takes red flags."""
        cluster = self.destination(EMERGENCY, None)
        assert cluster is not None
        return cluster

    def has_service(self, service: str) -> bool:
        """Return whether some first destination takes this service itself, at any age."""
        return service in self._services

    def destination(self, service: str, age_years: int | None) -> Cluster | None:
        """Return the first destination that takes a service at an age, directly or by fallback.

        Args:
            service: A code in `core.queues.services.SERVICES`.
            age_years: Completed years, or None when not known.

        Returns:
            None when the answer depends on an age that is not known.
        """
        for wanted in with_fallbacks(service):
            cluster = self._taker(wanted, age_years)
            if cluster is not None:
                return cluster
            if age_years is None and self.has_service(wanted):
                return None
        return None

    def _taker(self, service: str, age_years: int | None) -> Cluster | None:
        """Return the first destination that takes this very service at this age."""
        for cluster in self.first_destinations:
            if any(taking.service == service and taking.fits(age_years) for taking in cluster.takes):
                return cluster
        return None


def load_clusters(preset_or_path: str) -> ClusterSet:
    """Read the clinic's clusters.

    Args:
        preset_or_path: `poli`, `ilp`, or the path of a TOML file in the format of those presets.

    Raises:
        SettingsError: The file is missing, unreadable or contradicts itself; one clear line.
    """
    text = _text_of(preset_or_path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"clusters {preset_or_path}: {error}") from error
    rows = document.get("cluster")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise SettingsError(f"clusters {preset_or_path}: no [[cluster]] in it")
    sources = [f"{preset_or_path}, {at_line(text, ('cluster', index))}" for index in range(len(rows))]
    cluster_set = ClusterSet(
        preset_or_path, tuple(_cluster(row, source) for row, source in zip(rows, sources, strict=True))
    )
    _check_whole(cluster_set, len(rows), preset_or_path)
    return cluster_set


def _text_of(preset_or_path: str) -> str:
    if preset_or_path in PRESETS:
        return resources.files("core").joinpath(f"data/clusters_{preset_or_path}.toml").read_text("utf-8")
    try:
        return Path(preset_or_path).expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError, RuntimeError, ValueError) as error:
        presets = " or ".join(PRESETS)
        raise SettingsError(
            f"clusters: {preset_or_path!r} is neither {presets} nor a readable file"
        ) from error


def _cluster(row: dict[str, Any], source: str) -> Cluster:
    """Check one `[[cluster]]` table and make a cluster of it; `source` names the file and the line."""
    where = f"clusters {source}{row.get('code') or 'a cluster without code'}"
    unknown = sorted(set(row) - _CLUSTER_FIELDS)
    if unknown:
        raise SettingsError(f"{where}: unknown field {unknown[0]}")
    texts = {field: value for field, value in row.items() if field != "takes"}
    _check_texts(texts, where)
    ends_at = texts.pop("day_ends_at", None)
    takes = row.get("takes", [])
    if not isinstance(takes, list):
        raise SettingsError(f"{where}: takes must be a list")
    return Cluster(
        takes=tuple(_taking(taking, where) for taking in takes), day_ends_at=_morning(ends_at, where), **texts
    )


def _morning(value: str | None, where: str) -> time | None:
    """Return the time at which the service day of a cluster ends that works around the clock."""
    if value is None:
        return None
    if not re.fullmatch(r"(0\d|1[01]):[0-5]\d", value):
        raise SettingsError(f"{where}: day_ends_at must be a time in the morning such as 07:00")
    return time.fromisoformat(value)


def _check_texts(texts: Mapping[str, object], where: str) -> None:
    for field, value in texts.items():
        if not isinstance(value, str):
            raise SettingsError(f"{where}: {field} must be text")
    for field, (pattern, problem) in _PATTERNS.items():
        if not re.fullmatch(pattern, str(texts.get(field, ""))):
            raise SettingsError(f"{where}: {problem}")
    if texts.get("stage", "first") not in STAGES:
        raise SettingsError(f"{where}: stage must be first or later")


def _taking(row: object, where: str) -> Taking:
    if not isinstance(row, dict) or set(row) - _TAKING_FIELDS:
        raise SettingsError(f"{where}: takes needs service, and may have from_years and under_years")
    if str(row.get("service")) not in SERVICES:
        raise SettingsError(f"{where}: unknown service {row.get('service')!r}")
    for bound in ("from_years", "under_years"):
        if not _is_age(row.get(bound, 0)):
            raise SettingsError(f"{where}: {bound} must be whole years")
    return Taking(**row)


def _is_age(value: object) -> bool:
    # A TOML `true` is an int in Python.
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _OLDEST_YEARS


def _check_whole(clusters: ClusterSet, row_count: int, source: str) -> None:
    """Refuse clusters that contradict each other or leave some patient without a destination."""
    if len(clusters) != row_count:
        raise SettingsError(f"clusters {source}: two clusters have the same code")
    prefixes = Counter(cluster.prefix for cluster in clusters.values())
    for prefix, times in prefixes.items():
        if times > 1:
            raise SettingsError(f"clusters {source}: prefix {prefix} is used twice")
    if clusters.destination(EMERGENCY, None) is None:
        raise SettingsError(f"clusters {source}: no cluster takes emergency at every age")
    for age in range(_OLDEST_YEARS + 1):
        if clusters.destination(GENERAL, age) is None:
            raise SettingsError(f"clusters {source}: no cluster takes general complaints at {age} years")
