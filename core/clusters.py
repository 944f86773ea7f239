"""The clinic's service clusters: their names, ticket letters, and which service each one takes.

Routing decides on a *service* (dental, maternal, general ...); this module says where that
service is, so that the same complaint rules serve every arrangement of rooms.

Source: DESIGN.md 3; indonesia.md 2 and 2.1 (KMK HK.01.07/MENKES/2015/2023).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from core.errors import NotFoundError, SettingsError

PRESETS = ("poli", "ilp")

STAGES = ("first", "later")

FALLBACKS = {
    "maternal": "general",
    "breastfeeding": "maternal",
    "family_planning": "maternal",
    "immunisation": "maternal",
    "growth": "maternal",
    "bride": "maternal",
    "dental": "general",
    "laboratory": "general",
    "nutrition": "general",
    "infectious": "general",
    "procedure": "emergency",
    "emergency": "general",
    "pharmacy": "general",
}
"""Service -> the wider service that takes it where no cluster does."""

SERVICES = frozenset(FALLBACKS) | {"general"}
"""Every service that a cluster may take and a rule may send to."""


@dataclass(frozen=True)
class Taking:
    """One service that a cluster takes, for an age band."""

    service: str
    from_years: int = 0
    """Completed years, inclusive."""
    under_years: int | None = None
    """Completed years, exclusive; None for no upper limit."""

    def fits(self, age_years: int | None) -> bool:
        """True when the age is in the band; an unknown age fits only a band without limits."""
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

    @property
    def youngest_years(self) -> int:
        """The completed age from which it takes general complaints; 0 when it takes none."""
        return min((taking.from_years for taking in self.takes if taking.service == "general"), default=0)


class ClusterSet(Mapping[str, Cluster]):
    """The clinic's clusters by code, in the order in which screens show them."""

    def __init__(self, preset: str, clusters: tuple[Cluster, ...]) -> None:
        self.preset = preset
        """`poli`, `ilp`, or the path it was read from."""
        self._by_code = {cluster.code: cluster for cluster in clusters}
        self.first_destinations = tuple(cluster for cluster in clusters if cluster.stage == "first")
        """Where a patient can be sent from the counter."""
        self._services = {taking.service for cluster in self.first_destinations for taking in cluster.takes}

    def __getitem__(self, code: str) -> Cluster:
        """The cluster with this code.

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
        """The cluster, or `default` when the clinic does not have it."""
        return self._by_code.get(code, default)

    @property
    def emergency(self) -> Cluster:
        """Where red flags go."""
        cluster = self.destination("emergency", None)
        assert cluster is not None
        return cluster

    def has_service(self, service: str) -> bool:
        """True when some first destination takes this service itself, at any age."""
        return service in self._services

    def destination(self, service: str, age_years: int | None) -> Cluster | None:
        """The first destination that takes a service at an age, directly or by fallback.

        Args:
            service: One of `SERVICES`.
            age_years: Completed years, or None when not known.

        Returns:
            None when the answer hangs on an age that is not known.
        """
        wanted: str | None = service
        while wanted is not None:
            for cluster in self.first_destinations:
                if any(taking.service == wanted and taking.fits(age_years) for taking in cluster.takes):
                    return cluster
            if self.has_service(wanted) and age_years is None:
                return None
            wanted = FALLBACKS.get(wanted)
        return None


def load_clusters(preset_or_path: str) -> ClusterSet:
    """Read the clinic's clusters.

    Args:
        preset_or_path: `poli`, `ilp`, or the path of a TOML file shaped like those presets.

    Raises:
        SettingsError: The file is missing, unreadable or contradicts itself; one clear line.
    """
    if preset_or_path in PRESETS:
        text = resources.files("core").joinpath(f"data/clusters_{preset_or_path}.toml").read_text("utf-8")
    else:
        try:
            text = Path(preset_or_path).expanduser().read_text("utf-8")
        except (OSError, UnicodeDecodeError, RuntimeError, ValueError) as error:
            presets = " or ".join(PRESETS)
            raise SettingsError(
                f"clusters: {preset_or_path!r} is neither {presets} nor a readable file"
            ) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"clusters {preset_or_path}: {error}") from error
    rows = document.get("cluster")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise SettingsError(f"clusters {preset_or_path}: no [[cluster]] in it")
    cluster_set = ClusterSet(preset_or_path, tuple(_cluster(row, preset_or_path) for row in rows))
    _check_whole(cluster_set, len(rows), preset_or_path)
    return cluster_set


def _cluster(row: dict[str, Any], source: str) -> Cluster:
    """One `[[cluster]]` table, checked."""
    code = row.get("code", "")
    where = f"clusters {source}: {code or 'a cluster without code'}"
    known = {"code", "name", "prefix", "stage", "bpjs_code", "room", "takes"}
    unknown = sorted(set(row) - known)
    if unknown:
        raise SettingsError(f"{where}: unknown field {unknown[0]}")
    texts = {field: row[field] for field in known - {"takes"} if field in row}
    for field, value in texts.items():
        if not isinstance(value, str):
            raise SettingsError(f"{where}: {field} must be text")
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,15}", code):
        raise SettingsError(f"{where}: code must be 1 to 16 upper-case letters, digits or underscores")
    if not row.get("name"):
        raise SettingsError(f"{where}: name is missing")
    if not re.fullmatch(r"[A-Z]{1,2}", row.get("prefix", "")):
        raise SettingsError(f"{where}: prefix must be one or two upper-case letters")
    if row.get("stage", "first") not in STAGES:
        raise SettingsError(f"{where}: stage must be first or later")
    takes = row.get("takes", [])
    if not isinstance(takes, list):
        raise SettingsError(f"{where}: takes must be a list")
    return Cluster(takes=tuple(_taking(taking, where) for taking in takes), **texts)


def _taking(row: object, where: str) -> Taking:
    if not isinstance(row, dict) or set(row) - {"service", "from_years", "under_years"}:
        raise SettingsError(f"{where}: takes needs service, and may have from_years and under_years")
    if row.get("service") not in SERVICES:
        raise SettingsError(f"{where}: unknown service {row.get('service')!r}")
    for bound in ("from_years", "under_years"):
        value = row.get(bound, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 150:
            raise SettingsError(f"{where}: {bound} must be whole years")
    return Taking(**row)


def _check_whole(clusters: ClusterSet, row_count: int, source: str) -> None:
    """What only shows when all clusters are seen together."""
    if len(clusters) != row_count:
        raise SettingsError(f"clusters {source}: two clusters have the same code")
    prefixes = [cluster.prefix for cluster in clusters.values()]
    for prefix in prefixes:
        if prefixes.count(prefix) > 1:
            raise SettingsError(f"clusters {source}: prefix {prefix} is used twice")
    if clusters.destination("emergency", None) is None:
        raise SettingsError(f"clusters {source}: no cluster takes emergency at every age")
    for age in range(151):
        if clusters.destination("general", age) is None:
            raise SettingsError(f"clusters {source}: no cluster takes general complaints at {age} years")
