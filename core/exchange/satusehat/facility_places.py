"""The clinic's units and rooms at SATUSEHAT: an Organization and a Location for each cluster, below the facility's own.

The facility's Organization is the Ministry's, known by its number. A cluster's unit is part of it, and the cluster's room
is part of the building. Their codes are the clusters' own, so whatever is made twice is found again.

Source: docs/reference/indonesia.md 5.3; reviannizar/satu-sehat-test, examples/createorganization.php, createlocation.php.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from core.exchange.fhir import Entry, Resource
from core.exchange.fhir.systems import LOCATION_TYPE, ORGANIZATION_TYPE
from core.exchange.satusehat.visit_parts import SatusehatContext
from core.foundation.clinic import Clinic
from core.queues.clusters import Cluster

BUILDING = "GEDUNG-UTAMA"
"""Code of the building; no cluster's code has a dash."""
DEPARTMENT = "dept"
BUILDING_TYPE, ROOM_TYPE = "bu", "ro"
FOUND_BY = {"Organization": "partof", "Location": "organization"}
"""Type of a place -> the parameter that finds those of a facility."""


@dataclass(frozen=True)
class PlaceMade:
    """One unit or room, and what was done with it."""

    kind: str
    """`Organization` or `Location`."""
    code: str
    remote_id: str
    outcome: str
    """`made`, `changed` or `kept`."""

    def document(self) -> dict[str, str]:
        """Return it JSON-safe."""
        return asdict(self)


def entries(context: SatusehatContext, clinic: Clinic) -> Iterator[Entry]:
    """Yield units, building and rooms, each after what it is part of.

    Args:
        context: The facility's names and the official texts.
        clinic: Its clusters and settings.
    """
    clusters = list(clinic.clusters.values())
    for cluster in clusters:
        yield Entry("Organization", cluster.code, _unit(context, cluster))
    yield Entry("Location", BUILDING, _building(context, clinic))
    for cluster in clusters:
        yield Entry("Location", cluster.code, _room(context, cluster))


def _unit(context: SatusehatContext, cluster: Cluster) -> Resource:
    return {
        "resourceType": "Organization",
        "identifier": [context.names.identifier("Organization", cluster.code) | {"use": "official"}],
        "active": True,
        "type": [context.displays.concept(ORGANIZATION_TYPE, DEPARTMENT)],
        "name": cluster.name,
        "partOf": context.facility(),
    }


def _building(context: SatusehatContext, clinic: Clinic) -> Resource:
    resource: Resource = {
        "resourceType": "Location",
        "identifier": [context.names.identifier("Location", BUILDING)],
        "status": "active",
        "name": clinic.settings.facility_name,
        "mode": "instance",
        "physicalType": context.displays.concept(LOCATION_TYPE, BUILDING_TYPE),
        "managingOrganization": context.facility(),
    }
    position = clinic.settings.facility_position
    if position:
        latitude, longitude = (float(part) for part in position.split(","))
        resource["position"] = {"longitude": longitude, "latitude": latitude}
    return resource


def _room(context: SatusehatContext, cluster: Cluster) -> Resource:
    return {
        "resourceType": "Location",
        "identifier": [context.names.identifier("Location", cluster.code)],
        "status": "active",
        "name": cluster.name,
        "mode": "instance",
        "physicalType": context.displays.concept(LOCATION_TYPE, ROOM_TYPE),
        "managingOrganization": context.names.reference("Organization", cluster.code),
        "partOf": context.names.reference("Location", BUILDING),
    }
