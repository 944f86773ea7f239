"""A strict stand-in for SATUSEHAT: real HTTP, and it refuses what the real one is known to refuse.

Source: docs/reference/indonesia.md 5.1-5.7 and docs/reference/satusehat.md; each check cites its line. What is not
known there is refused rather than taken: a compressed body, an element with empty text, a search without the patient,
DELETE, a code or a display that is in no list.
"""

from __future__ import annotations

import csv
import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

ROOT = Path(__file__).parents[2]
CLIENT, SECRET, ORGANIZATION = "client-of-the-clinic", "its-secret", "100012345"
NIK = "https://fhir.kemkes.go.id/id/nik"
PASSPORT = "https://fhir.kemkes.go.id/id/paspor"
MOTHER_NIK = "https://fhir.kemkes.go.id/id/nik-ibu"
OWN = "http://sys-ids.kemkes.go.id"
DATETIME = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?\+00:00$")
"""With its offset, and that UTC's, as everything in the playbook."""
DATETIMES = {
    "start", "end", "effectiveDateTime", "recordedDate", "authoredOn", "issued", "occurrenceDateTime", "whenHandedOver",
    "whenPrepared", "receivedTime", "date",
}  # fmt: skip
INTEGERS = {"rank", "multipleBirthInteger"}
UCUM = re.compile(
    r"mm\[Hg\]|/min|Cel|kg|cm|%|g/dL|mg/dL|U/L|mmol/L|umol/L|10\*[36]/uL|/uL|mm/h|mL/min/\{1\.73_m2\}|g/L|mL|mg|g|d|wk|mo|h"
)
"""The units that a clinic's measurements and results need, as UCUM writes them (unitsofmeasure.org)."""
EARLIEST = datetime(2014, 6, 3, tzinfo=UTC)
UCUM_OF = {
    "8480-6": "mm[Hg]", "8462-4": "mm[Hg]", "8867-4": "/min", "9279-1": "/min", "8310-5": "Cel", "59408-5": "%",
    "29463-7": "kg", "8302-2": "cm", "8280-0": "cm", "284473002": "cm", "9843-4": "cm", "2339-0": "mg/dL",
}  # fmt: skip
"""Vital sign -> its only unit (IDCore, Profile-IDCoreVSBPSystolic.fsh: value[x].code exactly)."""
CONSCIOUSNESS = "67775-7"
CONSCIOUSNESS_CODES = {"248234008", "300202002", "450847001", "422768004", "130987000", "2776000"}
"""Lampiran Terminologi Resume Medis Rawat Jalan, table 6."""
PROGNOSES = {"170968001", "65872000", "67334001", "170969009"}
"""The same, table 4."""
ICD10 = re.compile(r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?$")
ICD10_SYSTEM = "http://hl7.org/fhir/sid/icd-10"
KFA = "http://sys-ids.kemkes.go.id/kfa"
QUANTITY_SYSTEMS = {
    "http://unitsofmeasure.org",
    "http://snomed.info/sct",
    "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm",
}
OWN_WORDS = {
    "DiagnosticReport": "diagnostic/{}/lab",
    "MedicationRequest": "prescription/{}",
    "MedicationDispense": "prescription/{}",
    "AllergyIntolerance": "allergy/{}",
}
"""Type -> the end of its identifier system, where it is not the type's name (indonesia.md 5.2)."""
REQUIRED = {
    # reviannizar/satu-sehat-test, examples/createorganization.php and createlocation.php; indonesia.md 5.3.
    "Organization": ("identifier", "active", "type", "name", "partOf"),
    "Location": ("identifier", "status", "name", "physicalType", "managingOrganization"),
    # IDCore, Profile-IDCorePatient.fsh: citizenshipStatus, deceasedBoolean and the address's country.
    "Patient": (
        "identifier", "name", "birthDate", "gender", "address", "multipleBirthInteger", "deceasedBoolean", "extension",
    ),
    "Encounter": (
        "identifier", "status", "statusHistory", "class", "subject", "participant", "period", "location",
        "serviceProvider",
    ),
    "Condition": ("category", "code", "subject", "encounter"),
    "Observation": ("status", "category", "code", "subject", "encounter", "effectiveDateTime", "performer"),
    "ServiceRequest": (
        "identifier", "status", "intent", "category", "code", "subject", "encounter", "requester", "performer",
    ),
    "Specimen": ("identifier", "status", "type", "subject", "request", "collection"),
    "DiagnosticReport": (
        "identifier", "status", "category", "code", "subject", "encounter", "performer", "result", "basedOn", "specimen",
    ),
    "Medication": ("identifier", "status", "code", "extension"),
    "MedicationRequest": (
        "identifier", "status", "intent", "category", "medicationReference", "subject", "encounter", "authoredOn",
        "requester", "dosageInstruction",
    ),
    "MedicationDispense": (
        "identifier", "status", "medicationReference", "subject", "context", "performer", "authorizingPrescription",
        "whenHandedOver",
    ),
    "AllergyIntolerance": ("identifier", "verificationStatus", "category", "code", "patient"),
    "ClinicalImpression": ("identifier", "status", "code", "subject", "encounter", "prognosisCodeableConcept"),
    "Procedure": ("status", "category", "code", "subject", "encounter", "performedPeriod", "performer"),
    # satusehat.kemkes.go.id, resource Immunization: asterisks; lot and expiry of whoever gives it.
    "Immunization": (
        "status", "vaccineCode", "patient", "encounter", "occurrenceDateTime", "lotNumber", "expirationDate", "performer",
    ),
    "Composition": (
        "identifier", "status", "type", "subject", "encounter", "date", "author", "title", "custodian", "section",
    ),
}  # fmt: skip
REFERRAL = "3457005"
FOLLOW_UPS = {"737481003", "737492002", "185389009", "11429006"}
"""Inpatient care, outpatient care elsewhere, control, consultation."""
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
SEEN_ELSEWHERE = {
    # mLITE, plugins/satu_sehat/resources/ObservationBuilder.php
    (LOINC, "8867-4"): "Heart rate",
    (LOINC, "9279-1"): "Respiratory rate",
    (LOINC, "8310-5"): "Body temperature",
    (LOINC, "59408-5"): "Oxygen saturation in Arterial blood by Pulse oximetry",
    (LOINC, "8480-6"): "Systolic blood pressure",
    (LOINC, "8462-4"): "Diastolic blood pressure",
    (LOINC, "8302-2"): "Body height",
    (LOINC, "29463-7"): "Body weight",
    (LOINC, CONSCIOUSNESS): "Level of responsiveness",
    # yy-dto/IDCore, hepatitis B in the example of antenatal care
    (
        LOINC,
        "75410-1",
    ): "Hepatitis B virus surface Ag [Presence] in Serum, Plasma or Blood by Rapid immunoassay",
    # Lampiran Terminologi Resume Medis Rawat Jalan, tables 4, 6 and 7
    (SNOMED, "170968001"): "Prognosis good",
    (SNOMED, "65872000"): "Fair prognosis",
    (SNOMED, "67334001"): "Guarded prognosis",
    (SNOMED, "170969009"): "Prognosis bad",
    (SNOMED, "248234008"): "Mentally alert",
    (SNOMED, "300202002"): "Response to voice",
    (SNOMED, "450847001"): "Response to pain",
    (SNOMED, "422768004"): "Unresponsive",
    (SNOMED, "119297000"): "Blood specimen",
    # SATUSEHAT, Resume Medis Rawat Jalan, follow-up plan and instruction; the section of the summary
    (SNOMED, "185389009"): "Follow-up visit",
    (SNOMED, "737492002"): "Outpatient care management",
    (SNOMED, "737481003"): "Inpatient care management",
    ("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "PC"): "Primary care clinic",
    (LOINC, "8653-8"): "Hospital Discharge instructions",
    (SNOMED, "108252007"): "Laboratory procedure",
    # hi-dinanti/ancthesis-implementationguide, input/fsh/examples/Observation-LiLA.fsh; a side would be a guess
    (SNOMED, "284473002"): "Mid upper arm circumference",
}
NEXT = {
    "arrived": {"in-progress", "cancelled", "entered-in-error"},
    "in-progress": {"finished", "cancelled", "entered-in-error"},
}


BROKEN_ANSWERS: dict[str, tuple[int, bytes, str, dict[str, str]]] = {
    "plain_500": (500, b"upstream connect error", "text/plain", {}),
    "html_502": (502, b"<html><h1>Bad Gateway</h1></html>", "text/html", {}),
    "busy_503": (503, b"busy", "text/plain", {"Retry-After": "0"}),
    "html_200": (200, b"<html>captive portal</html>", "text/html", {}),
    "html_400": (400, b"<html>Bad Request</html>", "text/html", {}),
}
"""Mischief -> status, body, type and headers of the answer that is given instead."""


class Refusal(Exception):
    def __init__(self, words: str, rule: str = "", code: str = "value", status: int = 400) -> None:
        super().__init__(words)
        text = f"{words} (RuleNumber: {rule})" if rule else words
        self.status = status
        self.body = {
            "resourceType": "OperationOutcome",
            "issue": [{"severity": "error", "code": code, "details": {"text": text}}],
        }


class Satusehat:
    """One server on a free port; `mischief` holds what is to go wrong with the next requests."""

    def __init__(self, *, per_minute: int = 100_000, now: datetime | None = None) -> None:
        self.resources: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in REQUIRED}
        self.practitioners: dict[str, str] = {}
        self.population: dict[str, dict[str, Any]] = {}
        """Patients by IHS number."""
        self.registry: dict[str, tuple[str, str]] | None = None
        """The civil registry (Dukcapil): NIK -> birth date and gender; None believes whatever comes."""
        self.products: dict[str, str] = {}
        """KFA -> the product's name."""
        self.tokens: dict[str, int] = {}
        """Token -> how many requests it is still good for."""
        self.token_uses = 10**9
        self.issued = 0
        self.mischief: deque[str] = deque()
        self.hidden: set[str] = set()
        """Ids that the search does not show yet."""
        self.asked: Counter[str] = Counter()
        self.log: list[tuple[str, str]] = []
        self.now = now or datetime(2026, 3, 2, 12, tzinfo=UTC)
        self._per_minute = per_minute
        self._times: deque[float] = deque()
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body go in one piece: in two, the second waits 40 ms for the first one's receipt.
            wbufsize = -1

            def log_message(self, *_: object) -> None:
                """Quiet."""

            def _serve(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                owner.serve(self, self.rfile.read(length))

            do_GET = do_POST = do_PUT = do_DELETE = _serve

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def citizen(self, nik: str, birth_date: str, gender: str = "male") -> str:
        """Someone whom the registry knows."""
        remote = f"P{len(self.population) + 1:011d}"
        self.population[remote] = {"nik": nik, "birthDate": birth_date, "gender": gender}
        return remote

    def of(self, kind: str) -> list[dict[str, Any]]:
        return list(self.resources[kind].values())

    def serve(self, http: Any, body: bytes) -> None:
        with self._lock:
            trick = self.mischief.popleft() if self.mischief and "/fhir-r4/" in http.path else ""
            if trick in BROKEN_ANSWERS:
                return self._answer(http, *BROKEN_ANSWERS[trick])
            if trick == "cut":
                return self._hang_up(http)
            try:
                status, document = self._route(http, body)
            except Refusal as refusal:
                status, document = refusal.status, refusal.body
            if trick == "lose_answer":
                return self._hang_up(http)
            if trick == "unreadable_bundle" and status == 200:
                document = {"resourceType": "Bundle", "type": "transaction-response"}
            if status == 429:
                return self._answer(http, 429, b"<html>Too Many Requests</html>", "text/html")
            return self._answer(http, status, json.dumps(document).encode(), "application/json")

    @staticmethod
    def _hang_up(http: Any) -> None:
        http.connection.close()
        http.close_connection = True

    @staticmethod
    def _answer(
        http: Any, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        http.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            http.send_header(name, value)
        http.end_headers()
        http.wfile.write(body)

    def _route(self, http: Any, body: bytes) -> tuple[int, Any]:
        parts = urlsplit(http.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.log.append((http.command, parts.path))
        if parts.path == "/oauth2/v1/accesstoken":
            return self._token(http, query, body)
        if self._is_too_fast():
            return 429, None
        if not self._takes_token(http.headers.get("authorization", "")):
            return 401, {"fault": {"faultstring": "Invalid access token"}}
        if http.command == "DELETE" or not parts.path.startswith("/fhir-r4/v1"):
            return 405, {"fault": {"faultstring": "method not allowed"}}
        path = [piece for piece in parts.path.removeprefix("/fhir-r4/v1").split("/") if piece]
        self.asked[f"{http.command} {path[0] if path else 'Bundle'}"] += 1
        if http.command == "GET":
            return self._get(path, query)
        return self._written(http, path, body)

    def _is_too_fast(self) -> bool:
        """Count a request, and return whether there were too many in the last minute."""
        now = time.monotonic()
        while self._times and now - self._times[0] > 60:
            self._times.popleft()
        self._times.append(now)
        return len(self._times) > self._per_minute

    def _takes_token(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or self.tokens.get(token, 0) <= 0:
            return False
        self.tokens[token] -= 1
        return True

    def _written(self, http: Any, path: list[str], body: bytes) -> tuple[int, Any]:
        if http.headers.get("content-encoding") or http.headers.get("content-type") != "application/json":
            raise Refusal("the body must be plain JSON")
        document = json.loads(body)
        if not path:
            return self._bundle(document)
        kind = path[0]
        if document.get("resourceType") != kind or kind not in REQUIRED:
            raise Refusal("resource type", "10105")
        if http.command == "PUT":
            return self._put(kind, path[1], document)
        return 201, self._post(kind, document, set())

    def _token(self, http: Any, query: dict[str, str], body: bytes) -> tuple[int, Any]:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if (http.command, query, form) != (
            "POST",
            {"grant_type": "client_credentials"},
            {"client_id": CLIENT, "client_secret": SECRET},
        ):
            return 401, {"resourceType": "OperationOutcome", "issue": [{"code": "security"}]}
        self.issued += 1
        token = f"token-{self.issued}"
        self.tokens[token] = self.token_uses
        return 200, {"access_token": token, "token_type": "BearerToken", "expires_in": "3599"}

    def _get(self, path: list[str], query: dict[str, str]) -> tuple[int, Any]:
        kind = path[0]
        if path == ["Organization", ORGANIZATION]:
            return 200, {"resourceType": "Organization", "id": ORGANIZATION, "active": True}
        if len(path) == 2:
            found = self.resources.get(kind, {}).get(path[1])
            if found is None:
                raise Refusal("not found", code="not-found", status=404)
            return 200, found
        return 200, {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": resource} for resource in self._search(kind, query)],
        }

    def _search(self, kind: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        system, _, value = query.get("identifier", "").partition("|")
        if kind == "Practitioner":
            if system != NIK:
                raise Refusal("a practitioner is found by NIK only")
            if value in self.practitioners:
                yield {"resourceType": kind, "id": self.practitioners[value], "name": [{"text": "d* C*"}]}
            return
        if kind == "Patient":
            number = {NIK: "nik", MOTHER_NIK: "mother", PASSPORT: "passport"}.get(system, "")
            yield from self._patients_by(number, value)
            return
        if kind not in {"Organization", "Location", "Medication"} and not query.keys() & {
            "subject",
            "encounter",
            "patient",
        }:
            raise Refusal("a search needs the patient or the encounter")
        for remote, resource in self.resources[kind].items():
            if remote in self.hidden:
                continue
            subject = resource.get("subject") or resource.get("patient") or {}
            if "subject" in query and subject.get("reference") != query["subject"]:
                continue
            if "patient" in query and resource["patient"]["reference"] != query["patient"]:
                continue
            yield resource

    def _patients_by(self, number: str, value: str) -> Iterator[dict[str, Any]]:
        for remote, person in self.population.items():
            if number and person.get(number) == value:
                # The answer is minimal: a masked name, no gender.
                answer = {"resourceType": "Patient", "id": remote, "name": [{"text": "N*** A***"}]}
                yield answer | {"birthDate": person["birthDate"]}

    def _bundle(self, bundle: dict[str, Any]) -> tuple[int, Any]:
        if bundle.get("type") != "transaction":
            raise Refusal("only transactions")
        places = {entry["fullUrl"]: str(uuid4()) for entry in bundle["entry"]}
        before = {kind: dict(held) for kind, held in self.resources.items()}
        text = json.dumps(bundle)
        for entry in bundle["entry"]:
            kind = entry["request"]["url"]
            if not entry["fullUrl"].startswith("urn:uuid:") or entry["request"]["method"] != "POST":
                raise Refusal("an entry is a POST with a urn:uuid")
            text = text.replace(entry["fullUrl"], f"{kind}/{places[entry['fullUrl']]}")
        resolved = json.loads(text)
        own = {f"{entry['request']['url']}/{places[entry['fullUrl']]}" for entry in bundle["entry"]}
        answers = []
        try:
            for entry, original in zip(resolved["entry"], bundle["entry"], strict=True):
                kind = entry["request"]["url"]
                made = self._post(kind, entry["resource"], own, places[original["fullUrl"]])
                answers.append(
                    {"response": {"status": "201 Created", "resourceType": kind, "resourceID": made["id"]}}
                )
        except Refusal:
            self.resources = before
            raise
        return 200, {"resourceType": "Bundle", "type": "transaction-response", "entry": answers}

    def _post(
        self, kind: str, resource: dict[str, Any], pending: set[str], remote: str = ""
    ) -> dict[str, Any]:
        if kind == "Patient":
            return self._new_patient(resource)
        self._check(kind, resource, pending)
        for other in self.resources[kind].values():
            if identity(other) is not None and identity(other) == identity(resource):
                raise Refusal("duplicate resource", "20002", "duplicate")
        if kind == "Encounter" and resource["status"] == "finished" and not pending:
            raise Refusal("an encounter begins with arrived or in-progress", "10457")
        stored = {**resource, "id": remote or str(uuid4())}
        self.resources[kind][stored["id"]] = stored
        return stored

    def _put(self, kind: str, remote: str, resource: dict[str, Any]) -> tuple[int, Any]:
        if remote not in self.resources[kind]:
            raise Refusal("not found", code="not-found", status=404)
        if resource.get("id") != remote:
            raise Refusal("the id in the body must be that of the address")
        self._check(kind, resource, set())
        self.resources[kind][remote] = resource
        return 200, resource

    def _new_patient(self, resource: dict[str, Any]) -> dict[str, Any]:
        self._shape(resource)
        self._check_patient(resource)
        numbers = {item["system"]: item["value"] for item in resource["identifier"]}
        person: dict[str, Any] = {"birthDate": resource["birthDate"], "gender": resource["gender"]}
        if NIK in numbers:
            self._check_nik(numbers[NIK], person)
            person["nik"] = numbers[NIK]
        elif MOTHER_NIK in numbers:
            if any(mother["gender"] != "female" for mother in self._people_of(numbers[MOTHER_NIK])[:1]):
                raise Refusal("the patient with nik-ibu is not female")
            person |= {"mother": numbers[MOTHER_NIK], "order": resource["multipleBirthInteger"]}
        elif PASSPORT in numbers:
            person["passport"] = numbers[PASSPORT]
        else:
            raise Refusal("a patient needs a NIK", "10105", "required")
        person |= {"extension": resource["extension"], "deceased": resource["deceasedBoolean"]}
        remote = f"P{len(self.population) + 1:011d}"
        self.population[remote] = person
        return {"resourceType": "Patient", "id": remote}

    def _people_of(self, nik: str) -> list[dict[str, Any]]:
        return [known for known in self.population.values() if known.get("nik") == nik]

    def _check_nik(self, nik: str, person: dict[str, Any]) -> None:
        if self._people_of(nik):
            raise Refusal("duplicate patient", "20002", "duplicate")
        told = (person["birthDate"], person["gender"])
        if self.registry is not None and self.registry.get(nik) != told:
            raise Refusal("nik, birthDate or gender do not match Dukcapil")

    @staticmethod
    def _check_patient(resource: dict[str, Any]) -> None:
        for element in REQUIRED["Patient"]:
            if resource.get(element) is None or resource[element] in ("", []):
                raise Refusal(f"{element} is required", "10105", "required")
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", resource["birthDate"]):
            raise Refusal("birthDate must be a whole date", "10132")
        # IDCore, Profile-IDCorePatient.fsh: address.use, line, city and country 1..1 or more.
        for element in ("use", "line", "city", "country"):
            if any(not address.get(element) for address in resource["address"]):
                raise Refusal(f"address.{element} is required", "10105", "required")
        extensions = [item for address in resource["address"] for item in address.get("extension", [])]
        codes = {part["url"] for item in extensions for part in item["extension"]}
        if not {"province", "city", "district", "village"} <= codes:
            raise Refusal("administrativeCode is required", "10105", "required")

    def _check(self, kind: str, resource: dict[str, Any], pending: set[str]) -> None:
        planned = is_follow_up(resource)
        self._shape(
            {name: value for name, value in resource.items() if name != "occurrenceDateTime" or not planned}
        )
        for element in REQUIRED[kind]:
            if resource.get(element) in (None, "", [], {}):
                raise Refusal(f"{kind}.{element} is required", "10105", "required")
        for reference in references(resource):
            if reference not in pending and not self._exists(reference):
                raise Refusal(f"the reference {reference} is not known", "10124", "not-found")
        found = identity(resource)
        if found is not None and found[0] != own_system(kind):
            raise Refusal("identifier system and organisation do not match", "10117")
        checks: dict[str, Callable[[dict[str, Any]], None]] = {
            "Location": self._check_location,
            "Encounter": self._check_encounter,
            "Condition": self._check_condition,
            "Observation": self._check_observation,
            "Procedure": self._check_procedure,
            "Immunization": self._check_immunization,
            "Medication": self._check_medication,
            "MedicationRequest": self._check_medication_request,
            "MedicationDispense": self._check_medication_dispense,
            "ClinicalImpression": self._check_clinical_impression,
            "Composition": self._check_composition,
            "ServiceRequest": self._check_service_request,
        }
        checks.get(kind, lambda _: None)(resource)

    def _exists(self, reference: str) -> bool:
        kind, _, remote = reference.partition("/")
        if kind == "Organization":
            if remote != ORGANIZATION and remote not in self.resources["Organization"]:
                raise Refusal("the resource cannot be accessed", "20003", "forbidden", status=403)
            return True
        if kind == "Practitioner":
            return remote in self.practitioners.values()
        if kind == "Patient":
            return remote in self.population
        return remote in self.resources.get(kind, {})

    def _shape(self, node: Any, name: str = "") -> None:
        """Rules that hold for every element."""
        if node == "":
            raise Refusal(f"{name} is empty", "10134")
        if isinstance(node, dict):
            if "value" in node and "code" in node:
                self._quantity(node)
            elif "system" in node and "code" in node:
                self._coding(node)
            for key, child in node.items():
                self._shape(child, key)
        elif isinstance(node, list):
            for child in node:
                self._shape(child, name)
        elif name in INTEGERS and not isinstance(node, int):
            raise Refusal(f"{name} must be a number", "10254")
        elif name in DATETIMES:
            self._check_instant(node, name)

    @staticmethod
    def _quantity(node: dict[str, Any]) -> None:
        """mLITE, MedicationRequestBuilder.php: Quantity without system or code 10050, a code that is no unit 10349."""
        if node.get("system") not in QUANTITY_SYSTEMS:
            raise Refusal("Quantity.system", "10050", "required")
        if not isinstance(node["value"], (int, float)) or isinstance(node["value"], bool):
            raise Refusal("Quantity.value", "10254")
        if node["system"] == "http://unitsofmeasure.org" and not UCUM.fullmatch(node["code"]):
            raise Refusal(f"{node['code']} is no unit of UCUM", "10349", "code-invalid")

    def _check_instant(self, node: Any, name: str) -> None:
        if not isinstance(node, str) or not DATETIME.match(node):
            raise Refusal(f"{name} must have date, time and offset", "10132")
        if not EARLIEST <= datetime.fromisoformat(node) <= self.now:
            raise Refusal(f"{name} is in the future or too early", "10132")

    def _coding(self, coding: dict[str, Any]) -> None:
        """A code that is in no list is refused, and so is a display that is not the list's (10001, 10002)."""
        system, code = coding["system"], coding["code"]
        if system == ICD10_SYSTEM:
            # The list is the edition of 2010: dengue is A90 and not A97, haemorrhoids I84 and not K64.
            known = bool(ICD10.match(code)) and not code.startswith(("A97", "K64"))
            display = official_icd10(code) if known else None
        elif system == KFA:
            display = self.products.get(code) or official_displays().get((system, code))
        elif system in {listed for listed, _ in official_displays()}:
            display = official_displays().get((system, code))
        else:
            raise Refusal(f"code system {system}", "10002", "code-invalid")
        if display is None:
            raise Refusal(f"code {code} is not in {system}", "10001", "code-invalid")
        if coding.get("display") != display:
            raise Refusal(f"display of {code} is not {display}", "10001", "code-invalid")

    @staticmethod
    def _check_location(resource: dict[str, Any]) -> None:
        # indonesia.md 5.3: a room is part of a building.
        is_room = resource["physicalType"]["coding"][0]["code"] == "ro"
        if is_room and not resource.get("partOf"):
            raise Refusal("partOf", "10105", "required")

    def _check_encounter(self, resource: dict[str, Any]) -> None:
        if any(not part.get("type") or "individual" not in part for part in resource["participant"]):
            raise Refusal("participant and location", "10263", "required")
        if any("location" not in part for part in resource["location"]):
            raise Refusal("participant and location", "10263", "required")
        # IDCore, Profile-IDCoreEncounter.fsh: location.extension 1..*.
        if any(not part.get("extension") for part in resource["location"]):
            raise Refusal("location.extension", "10263", "required")
        self._check_history(resource["statusHistory"], resource["status"])
        if resource["status"] == "finished":
            self._check_finished(resource)

    @staticmethod
    def _check_history(history: list[dict[str, Any]], status: str) -> None:
        for step in history:
            if "start" not in step["period"]:
                raise Refusal("statusHistory.period.start", "10263", "required")
        for before, after in pairwise(history):
            if before["period"].get("end") != after["period"]["start"]:
                raise Refusal("statusHistory is not continuous", "10457")
            if after["status"] not in NEXT.get(before["status"], set()):
                raise Refusal("statusHistory is out of order", "10457")
        if history[-1]["status"] != status:
            raise Refusal("status is not the last of the history", "10457")

    @staticmethod
    def _check_finished(resource: dict[str, Any]) -> None:
        periods = [resource["period"], *(step["period"] for step in resource["statusHistory"])]
        if any("end" not in period for period in periods):
            raise Refusal("period.end", "10263", "required")
        if not resource.get("diagnosis") or any("use" not in part for part in resource["diagnosis"]):
            raise Refusal("a finished encounter needs diagnosis", "10457", "required")

    @staticmethod
    def _check_condition(resource: dict[str, Any]) -> None:
        voided = "verificationStatus" in resource
        if voided == ("clinicalStatus" in resource):
            raise Refusal("clinicalStatus", "10105", "required")
        if len(resource["code"]["coding"]) != 1:
            raise Refusal("one code", "10105", "required")
        # SATUSEHAT, Resume Medis Rawat Jalan Jilid 1, table 2: a complaint is a SNOMED finding, a diagnosis ICD-10.
        complaint = resource["category"][0]["coding"][0]["code"] == "problem-list-item"
        if complaint == (resource["code"]["coding"][0]["system"] == ICD10_SYSTEM):
            raise Refusal("category and code do not match", "10002", "code-invalid")

    @staticmethod
    def _check_observation(resource: dict[str, Any]) -> None:
        values = [name for name in resource if name.startswith("value")]
        if len(values) != 1 and resource["status"] != "entered-in-error":
            raise Refusal("one value", "10105", "required")
        code = resource["code"]["coding"][0]["code"]
        category = resource["category"][0]["coding"][0]["code"]
        if category == "vital-signs":
            Satusehat._check_vital_sign(resource, code)
        elif category == "exam":
            Satusehat._check_unit(resource, code)
        elif category == "laboratory" and code not in UCUM_OF and not resource.get("specimen"):
            raise Refusal("specimen", "10105", "required")

    @staticmethod
    def _check_vital_sign(resource: dict[str, Any], code: str) -> None:
        # IDCore, Profile-IDCoreObservationVitalSigns.fsh: bodySite 1..1.
        if not resource.get("bodySite"):
            raise Refusal("bodySite", "10105", "required")
        if code == CONSCIOUSNESS:
            if resource["valueCodeableConcept"]["coding"][0]["code"] not in CONSCIOUSNESS_CODES:
                raise Refusal("level of responsiveness", "10001", "code-invalid")
            return
        if code not in UCUM_OF:
            raise Refusal(f"{code} is no vital sign", "10001", "code-invalid")
        Satusehat._check_unit(resource, code)
        # IDCore, Profile-IDCoreVSBPSystolic.fsh: interpretation 1..1.
        if code in {"8480-6", "8462-4"} and len(resource.get("interpretation", [])) != 1:
            raise Refusal("interpretation", "10105", "required")

    @staticmethod
    def _check_unit(resource: dict[str, Any], code: str) -> None:
        quantity = resource.get("valueQuantity") or {}
        if quantity.get("system") != "http://unitsofmeasure.org" or quantity.get("code") != UCUM_OF.get(code):
            raise Refusal("valueQuantity in UCUM", "10001", "code-invalid")

    @staticmethod
    def _check_medication(resource: dict[str, Any]) -> None:
        # Lampiran Terminologi, table 9: a ready medicine is KFA 92 or 93; 91 is refused.
        coding = resource["code"]["coding"][0]
        if coding["system"] != KFA or coding["code"][:2] not in {"92", "93"}:
            raise Refusal("Medication.code", "10001", "code-invalid")

    @staticmethod
    def _check_medication_request(resource: dict[str, Any]) -> None:
        systems = [item["system"] for item in resource["identifier"]]
        if systems != [f"{OWN}/prescription/{ORGANIZATION}", f"{OWN}/prescription-item/{ORGANIZATION}"]:
            raise Refusal("identifier", "10389")  # mLITE, MedicationDispenseBuilder.php

    def _check_medication_dispense(self, resource: dict[str, Any]) -> None:
        if "reference" not in resource["medicationReference"]:
            raise Refusal("medicationReference", "10138")  # mLITE, MedicationDispenseBuilder.php
        # Lampiran Terminologi, table 9: what is handed out is KFA 93.
        medication = self._referred(resource["medicationReference"])
        if medication is not None and not medication["code"]["coding"][0]["code"].startswith("93"):
            raise Refusal("a product that is handed out is KFA 93", "10001", "code-invalid")
        self._check_medication_request(resource)

    def _referred(self, reference: dict[str, Any]) -> dict[str, Any] | None:
        kind, _, remote = reference["reference"].partition("/")
        return self.resources.get(kind, {}).get(remote)

    @staticmethod
    def _check_immunization(resource: dict[str, Any]) -> None:
        # satusehat.kemkes.go.id, resource Immunization: a product of KFA, the group of the vaccine, its CVX name.
        coded = resource["vaccineCode"]["coding"]
        kinds = [item["code"][:2] for item in coded if item["system"] == KFA]
        if kinds[:1] != ["93"] or "VG" not in kinds[1:]:
            raise Refusal("vaccineCode", "10001", "code-invalid")
        # Seen on the staging server: the person as AP and the facility as EP; one of them alone is refused.
        functions = [item["function"]["coding"][0]["code"] for item in resource["performer"]]
        if functions != ["AP", "EP"]:
            raise Refusal("performer.function", "10105", "required")
        if "reportOrigin" in resource and resource.get("primarySource"):
            raise Refusal("reportOrigin is for what others gave", "10002")

    @staticmethod
    def _check_clinical_impression(resource: dict[str, Any]) -> None:
        if resource["prognosisCodeableConcept"][0]["coding"][0]["code"] not in PROGNOSES:
            raise Refusal("prognosis", "10001", "code-invalid")

    @staticmethod
    def _check_service_request(resource: dict[str, Any]) -> None:
        if not is_follow_up(resource):
            return
        # SATUSEHAT, Resume Medis Rawat Jalan, follow-up plan: one of four codes; follow-up instruction: place and day.
        code = resource["code"]["coding"][0]["code"]
        if code not in FOLLOW_UPS or not resource.get("locationCode"):
            raise Refusal("follow-up", "10001", "code-invalid")
        day = resource.get("occurrenceDateTime")
        if day is not None and not DATETIME.match(day):
            raise Refusal("occurrenceDateTime must have date, time and offset", "10132")

    @staticmethod
    def _check_composition(resource: dict[str, Any]) -> None:
        # FHIR R4, Composition: cmp-1.
        if any(not section.keys() & {"text", "entry", "section"} for section in resource["section"]):
            raise Refusal("an empty section", "10105", "required")

    @staticmethod
    def _check_procedure(resource: dict[str, Any]) -> None:
        if any("actor" not in part for part in resource["performer"]):
            raise Refusal("performer.actor", "10105", "required")


def own_system(kind: str) -> str:
    """The only system of the clinic's own identifiers of a type (10117)."""
    return f"{OWN}/{OWN_WORDS.get(kind, kind.lower() + '/{}').format(ORGANIZATION)}"


def official_icd10(code: str) -> str:
    """The Ministry's title of a diagnosis. WHO's words stay out of the repository: any text that only a list gives will do."""
    return f"{code} as the list of 2010 calls it"


@cache
def official_displays() -> dict[tuple[str, str], str]:
    """What the Ministry's lists hold; what public integrations send and its own pages show stands before the file."""
    with (ROOT / "core/data/satusehat_displays.csv").open(encoding="utf-8") as file:
        found = {(row["system"], row["code"]): row["display"] for row in csv.DictReader(file)}
    return found | SEEN_ELSEWHERE


def is_follow_up(resource: dict[str, Any]) -> bool:
    """Whether a request is what comes after a visit: its day lies ahead, as no other of a visit's days does."""
    categories = resource.get("category", []) if resource["resourceType"] == "ServiceRequest" else []
    return any(category["coding"][0]["code"] == REFERRAL for category in categories)


def identity(resource: dict[str, Any]) -> tuple[str, str] | None:
    listed = resource.get("identifier")
    first = listed[0] if isinstance(listed, list) and listed else listed
    return (first["system"], first["value"]) if isinstance(first, dict) else None


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, child in node.items():
            if name == "reference":
                yield child
            else:
                yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)
