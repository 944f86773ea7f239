"""One resource at SATUSEHAT: made, replaced, or adopted where it is there already, and its id kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.exchange.fhir import Entry, Resource, digest
from core.exchange.satusehat.identities import Identities
from core.exchange.satusehat.patient_registry import SetAsideError, id_of
from core.exchange.satusehat.requests import Access, SatusehatRefusedError
from core.exchange.satusehat.visit_parts import SatusehatNames
from core.exchange.target import LATER, NOT_FOUND

KEPT, CHANGED, MADE = "kept", "changed", "made"
"""Outcomes of one resource."""
FOUND_BY_PATIENT = frozenset({"Immunization"})
"""Types of a visit's parts that call the patient so, and not `subject`."""


class ResourceSender:
    """Sends single resources, for one run."""

    def __init__(self, access: Access, ids: Identities, names: SatusehatNames) -> None:
        """Initialise the sender.

        Args:
            access: The line to SATUSEHAT.
            ids: The ids that it gave.
            names: The facility's identifier systems.
        """
        self._access = access
        self._ids = ids
        self._names = names

    def ensure(self, entry: Entry, where: Mapping[str, str], *, final: bool = True) -> str:
        """See to it that SATUSEHAT has a resource as it is here.

        Args:
            entry: The resource.
            where: Parameters that find it there.
            final: Whether this is how it stays; otherwise it is sent again.

        Returns:
            `kept`, `changed` or `made`.

        Raises:
            SatusehatRefusedError: SATUSEHAT refused it.
            SetAsideError: It refers to what is not known there.
        """
        mark = digest(entry.resource).hex() if final else ""
        known = self._ids.find(entry.type, entry.value)
        if known is not None and final and known.digest == mark:
            return KEPT
        resource = self.resolved(entry.resource, {})
        if known is not None:
            remote_id = known.remote_id
            self.put(entry.type, remote_id, resource)
        else:
            try:
                remote_id = id_of(self._access.send("POST", f"/{entry.type}", resource))
            except SatusehatRefusedError as error:
                if not error.duplicate:
                    raise
                remote_id = self._adopt(entry, where)
                self._ids.remember(entry.type, entry.value, remote_id, "")
                if final:
                    self.put(entry.type, remote_id, resource)
        self._ids.remember(entry.type, entry.value, remote_id, mark)
        return MADE if known is None else CHANGED

    def put(self, kind: str, remote_id: str, resource: Resource) -> None:
        """Replace a resource by its id there.

        Args:
            kind: The resource type.
            remote_id: SATUSEHAT's id.
            resource: The whole resource.
        """
        self._access.send("PUT", f"/{kind}/{remote_id}", {**resource, "id": remote_id})

    def _adopt(self, entry: Entry, where: Mapping[str, str]) -> str:
        """Return the id of a resource that SATUSEHAT says it has already."""
        if entry.type in FOUND_BY_PATIENT and "subject" in where:
            where = {"patient": where["subject"]}
        query = f"{self._names.system(entry.type)}|{entry.value}"
        for resource in self._access.search(entry.type, {**where, "identifier": query}):
            identifiers = resource.get("identifier")
            listed = identifiers if isinstance(identifiers, list) else [identifiers]
            if any(isinstance(item, dict) and item.get("value") == entry.value for item in listed):
                return str(resource["id"])
        raise SetAsideError(f"{LATER}: SATUSEHAT has this {entry.type} but does not show it yet")

    def resolved(self, node: Any, addresses: Mapping[str, str]) -> Any:
        """Return the resource with references by the server's ids, or by their place in a Bundle."""
        if isinstance(node, dict):
            return {
                name: self.resolve(child, addresses)
                if name == "reference"
                else self.resolved(child, addresses)
                for name, child in node.items()
            }
        if isinstance(node, list):
            return [self.resolved(child, addresses) for child in node]
        return node

    def resolve(self, reference: str, addresses: Mapping[str, str]) -> str:
        """Return a reference by the server's id, or by its place in a Bundle.

        Raises:
            SetAsideError: SATUSEHAT does not know it.
        """
        if reference in addresses:
            return addresses[reference]
        kind, separator, query = reference.partition("?")
        if not separator:
            return reference
        value = query.rpartition("|")[2]
        if (kind, value) == ("Organization", self._names.facility_code):
            return f"{kind}/{value}"
        known = self._ids.find(kind, value)
        if known is None:
            raise SetAsideError(f"{NOT_FOUND}: SATUSEHAT does not know {kind} {value}")
        return f"{kind}/{known.remote_id}"
