"""Walks SATUSEHAT's sandbox once, with the clinic's own keys, and says which facts of the guide hold there.

No live server was reached when these facts were written down. Each is tried with one made-up visit of the published test
patient; what was made is entered in error at the end. The production server is never walked.

Source: docs/reference/indonesia.md 5 and docs/reference/satusehat.md; the facts that are marked there as uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from core.exchange.fhir import Resource
from core.exchange.fhir.clinical import instant
from core.exchange.fhir.systems import (
    ACT_CODE,
    CONDITION_CATEGORY,
    CONDITION_CLINICAL,
    DISPOSITION,
    NIK,
    PARTICIPATION,
    ROLE_CODE,
    SNOMED,
)
from core.exchange.satusehat.identities import Identities
from core.exchange.satusehat.official_displays import Displays, MissingDisplayError
from core.exchange.satusehat.patient_registry import SetAsideError, id_of
from core.exchange.satusehat.referrals import FOLLOW_UP, PATIENT_REFERRAL, PRIMARY_CARE
from core.exchange.satusehat.requests import Access, SatusehatRefusedError
from core.exchange.satusehat.satusehat_target import taken_back
from core.exchange.satusehat.visit_parts import SatusehatNames
from core.exchange.satusehat.visit_resources import OUTPATIENT_CLASS, SERVICE_CLASS
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.identifiers import new_id, new_place
from core.models import Account

CONFIRMED, DIFFERENT, NOT_TRIED = "confirmed", "different", "not_tried"
"""Outcomes of a fact."""
PRODUCTION = "api-satusehat.kemkes.go.id"
"""The host whose records are people's; nothing is tried there."""
TEST_PATIENT = "9271060312000001"
"""The published NIK of the sandbox's test patient (docs/reference/indonesia.md 5.2)."""
COUGH = "49727002"
TOO_EARLY = datetime.fromisoformat("2010-01-04T02:00:00+00:00")
"""Before the first day that the descriptions allow."""
VISIT = timedelta(minutes=20)
"""Length of the made-up visit, and of the time between its end and now."""


@dataclass(frozen=True)
class FactFound:
    """One fact of the guide, and what the server says to it."""

    code: str
    outcome: str
    words: str = ""
    """The server's own words where it differs; why it was not tried."""

    def document(self) -> dict[str, str]:
        """Return it JSON-safe."""
        return asdict(self)


class DiffersError(Exception):
    """The server does otherwise than the guide says."""


class SkippedError(Exception):
    """The fact stands on something that is missing."""


def is_production(url: str) -> bool:
    """Return whether an address is that of the server with people's records."""
    return (urlsplit(url).hostname or "").lower() == PRODUCTION


@dataclass
class SandboxCheck:
    """One walk."""

    clinic: Clinic
    access: Access
    displays: Displays = field(default_factory=Displays)
    made: dict[str, str] = field(default_factory=dict)
    """Type/id of what was made -> its type, in the order of its making."""

    def __post_init__(self) -> None:
        self._names = SatusehatNames(self.clinic.settings.satusehat_organization)
        self._ids = Identities(self.clinic.settings.satusehat_url)
        self._now = clock.now()
        self._key = new_id()
        self._patient = ""
        self._practitioner = ""
        self._room = ""
        self._encounter = ""
        self._condition = ""

    def walk(self) -> Iterator[FactFound]:
        """Yield each fact with its outcome; the first that needs what is missing is not tried.

        Raises:
            TryAgainError: The server does not answer.
            SyncError: It takes nothing with these settings.
        """
        for code, check in self.facts().items():
            try:
                check()
            except SkippedError as error:
                yield FactFound(code, NOT_TRIED, str(error))
            except MissingDisplayError as error:
                yield FactFound(code, NOT_TRIED, f"display-missing: {error.words}")
            except (DiffersError, SetAsideError) as error:
                yield FactFound(code, DIFFERENT, str(error))
            except SatusehatRefusedError as error:
                yield FactFound(code, DIFFERENT, error.words)
            else:
                yield FactFound(code, CONFIRMED)

    def facts(self) -> dict[str, Callable[[], None]]:
        """Return code -> trial, in the order in which they stand on each other."""
        return {
            "facility_is_ours": self._facility,
            "practitioner_by_nik": self._look_up_practitioner,
            "patient_by_nik": self._look_up_patient,
            "rooms_are_taken": self._rooms,
            "visit_is_opened": self._open,
            "display_is_compared": self._wrong_display,
            "complaint_is_taken": self._complaint,
            "duplicate_is_told": self._duplicate,
            "duplicate_is_found": self._found_again,
            "end_needs_diagnosis": self._end_without_diagnosis,
            "too_early_is_refused": self._too_early,
            "return_lies_ahead": self._return,
            "facility_may_perform": self._facility_performs,
            "transaction_names_ids": self._transaction,
            "nothing_is_deleted": self._delete,
            "error_is_entered": self._take_back,
        }

    # --- what is there

    def _facility(self) -> None:
        found = self.access.read("Organization", self._names.facility_code)
        if str(found.get("id")) != self._names.facility_code:
            raise DiffersError(f"Organization.id {found.get('id')}")

    def _look_up_practitioner(self) -> None:
        niks = [
            row.practitioner_nik for row in Account.select().where(Account.practitioner_nik.is_null(False))
        ]
        if not niks:
            raise SkippedError("loket account nik")
        for nik in niks:
            found = self.access.search("Practitioner", {"identifier": f"{NIK}|{nik}"})
            if found:
                self._practitioner = str(found[0]["id"])
                return
        raise SkippedError("practitioner-missing")

    def _look_up_patient(self) -> None:
        found = self.access.search("Patient", {"identifier": f"{NIK}|{TEST_PATIENT}"})
        if len(found) != 1:
            raise DiffersError(f"{len(found)} patients")
        self._patient = str(found[0]["id"])

    def _rooms(self) -> None:
        code = next(iter(self.clinic.clusters))
        known = self._ids.find("Location", code)
        if known is None:
            raise SkippedError("loket sync places")
        self._room = str(self.access.read("Location", known.remote_id)["id"])

    # --- a visit

    def _open(self) -> None:
        self._need(self._patient, "patient_by_nik")
        self._need(self._practitioner, "practitioner_by_nik")
        self._need(self._room, "rooms_are_taken")
        self._encounter = self._make(self._visit("in-progress"))

    def _wrong_display(self) -> None:
        wrong = self._finding()
        wrong["code"]["coding"][0]["display"] = "Batuk saja"
        self._refused(wrong, "a display of our own was taken")

    def _complaint(self) -> None:
        self._condition = self._make(self._finding())

    def _duplicate(self) -> None:
        self._need(self._condition, "complaint_is_taken")
        try:
            self._make(self._finding())
        except SatusehatRefusedError as error:
            if not error.duplicate:
                raise
        else:
            raise DiffersError("the same identifier was taken twice")

    def _found_again(self) -> None:
        self._need(self._condition, "complaint_is_taken")
        query = {
            "subject": f"Patient/{self._patient}",
            "identifier": f"{self._names.system('Condition')}|{self._key}",
        }
        if self._condition not in {str(item["id"]) for item in self.access.search("Condition", query)}:
            raise DiffersError("the search does not show it yet")

    def _end_without_diagnosis(self) -> None:
        self._need(self._encounter, "visit_is_opened")
        try:
            self.access.send(
                "PUT", f"/Encounter/{self._encounter}", {**self._visit("finished"), "id": self._encounter}
            )
        except SatusehatRefusedError:
            return
        raise DiffersError("a finished visit without a diagnosis was taken")

    def _too_early(self) -> None:
        early = self._finding() | {"recordedDate": instant(TOO_EARLY)}
        early["identifier"] = [self._names.identifier("Condition", f"{self._key}-early")]
        self._refused(early, "a day before 2014 was taken")

    def _return(self) -> None:
        self._make(self._request("return"))

    def _facility_performs(self) -> None:
        made = self._request("performer")
        made["performer"] = [{"reference": f"Organization/{self._names.facility_code}"}]
        self._make(made)

    def _transaction(self) -> None:
        self._need(self._encounter, "visit_is_opened")
        finding = self._finding() | {
            "identifier": [self._names.identifier("Condition", f"{self._key}-bundle")]
        }
        entry = {
            "fullUrl": new_place(),
            "resource": finding,
            "request": {"method": "POST", "url": "Condition"},
        }
        answer = self.access.send(
            "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        )
        entries = answer.get("entry")
        told = entries[0].get("response", {}) if isinstance(entries, list) and entries else {}
        remote = (
            told.get("resourceID")
            or str(told.get("location", "")).partition("Condition/")[2].partition("/")[0]
        )
        if not remote:
            raise DiffersError(f"the answer names no id: {sorted(told)}")
        self.made[f"Condition/{remote}"] = "Condition"

    # --- the end

    def _delete(self) -> None:
        self._need(self._condition, "complaint_is_taken")
        try:
            self.access.send("DELETE", f"/Condition/{self._condition}", {})
        except SatusehatRefusedError:
            return
        del self.made[f"Condition/{self._condition}"]
        raise DiffersError("it was deleted")

    def _take_back(self) -> None:
        self._need(self._encounter, "visit_is_opened")
        for address, kind in reversed(self.made.items()):
            remote = address.partition("/")[2]
            if kind == "Encounter":
                back: Resource = self._visit("entered-in-error") | {"id": remote}
            else:
                back = taken_back(self.access.read(kind, remote), self.displays)
            self.access.send("PUT", f"/{address}", back)

    # --- pieces

    def _need(self, found: str, code: str) -> None:
        if not found:
            raise SkippedError(code)

    def _make(self, resource: Resource) -> str:
        kind = resource["resourceType"]
        if kind != "Encounter":
            self._need(self._encounter, "visit_is_opened")
        remote = id_of(self.access.send("POST", f"/{kind}", resource))
        self.made[f"{kind}/{remote}"] = kind
        return remote

    def _refused(self, resource: Resource, otherwise: str) -> None:
        """Send what the guide says is refused.

        Raises:
            DiffersError: It was taken.
        """
        try:
            self._make(resource)
        except SatusehatRefusedError:
            return
        raise DiffersError(otherwise)

    def _shared(self) -> Resource:
        return {
            "subject": {"reference": f"Patient/{self._patient}"},
            "encounter": {"reference": f"Encounter/{self._encounter}"},
        }

    def _visit(self, status: str) -> Resource:
        """Return the made-up visit in a status."""
        displays, start, end = self.displays, self._now - 3 * VISIT, self._now - VISIT
        served = start + VISIT
        history: list[dict[str, Any]] = [
            {"status": "arrived", "period": {"start": instant(start), "end": instant(served)}},
            {"status": "in-progress", "period": {"start": instant(served)}},
        ]
        period = {"start": instant(start)}
        made: Resource = {}
        if status != "in-progress":
            history[-1]["period"]["end"] = period["end"] = instant(end)
            history.append({"status": status, "period": {"start": instant(end), "end": instant(end)}})
            made["hospitalization"] = {"dischargeDisposition": displays.concept(DISPOSITION, "home")}
        regular = displays.concept(OUTPATIENT_CLASS, "reguler")
        room = {"reference": f"Location/{self._room}"}
        return made | {
            "resourceType": "Encounter",
            "identifier": [self._names.identifier("Encounter", self._key)],
            "status": status,
            "statusHistory": history,
            "class": displays.coding(ACT_CODE, "AMB"),
            "subject": {"reference": f"Patient/{self._patient}"},
            "participant": [
                {
                    "type": [displays.concept(PARTICIPATION, "ATND")],
                    "individual": {"reference": f"Practitioner/{self._practitioner}"},
                }
            ],
            "period": period,
            "location": [
                {
                    "extension": [
                        {
                            "url": SERVICE_CLASS,
                            "extension": [{"url": "value", "valueCodeableConcept": regular}],
                        }
                    ],
                    "location": room,
                    "period": {"start": instant(start)},
                }
            ],
            "serviceProvider": {"reference": f"Organization/{self._names.facility_code}"},
        }

    def _finding(self) -> Resource:
        displays = self.displays
        return {
            "resourceType": "Condition",
            "identifier": [self._names.identifier("Condition", self._key)],
            "clinicalStatus": displays.concept(CONDITION_CLINICAL, "active"),
            "category": [displays.concept(CONDITION_CATEGORY, "problem-list-item")],
            "code": displays.concept(SNOMED, COUGH),
            **self._shared(),
            "recordedDate": instant(self._now - 2 * VISIT),
        }

    def _request(self, part: str) -> Resource:
        displays = self.displays
        person = {"reference": f"Practitioner/{self._practitioner}"}
        return {
            "resourceType": "ServiceRequest",
            "identifier": [self._names.identifier("ServiceRequest", f"{self._key}-{part}")],
            "status": "active",
            "intent": "plan",
            "category": [displays.concept(SNOMED, PATIENT_REFERRAL)],
            "code": displays.concept(SNOMED, FOLLOW_UP),
            **self._shared(),
            "occurrenceDateTime": instant(self._now + timedelta(days=3)),
            "authoredOn": instant(self._now - VISIT),
            "requester": person,
            "performer": [person],
            "locationCode": [displays.concept(ROLE_CODE, PRIMARY_CARE)],
        }
