"""The order of things at SATUSEHAT: people and rooms, then patients by NIK, then visits whole.

A visit that is new there goes as one transaction Bundle. When that is refused, or part of the
visit is there already, its resources go one by one: the Encounter opened, its Conditions and the
rest, the Encounter finished. One that is refused, or held because an official text is missing,
does not stop the others: the visit is set aside with its words, and what was taken stays. What
SATUSEHAT says it has already is looked up and adopted. Ids are kept as soon as they are known,
so a run that was cut off anywhere goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import httpx

from core.exchange.fhir import Entry, Mapper, Record, Resource, digest
from core.exchange.fhir.clinical import Made, VisitRows
from core.exchange.fhir.rendering import visit_record, visit_rows
from core.exchange.fhir.systems import CONDITION_VERIFIED, NIK
from core.exchange.outbox import PATIENT, VISIT
from core.exchange.pacing import Patience
from core.exchange.satusehat import facility_places, patient_resources, visit_resources, vital_observations
from core.exchange.satusehat.consent import refused_visits, refusing
from core.exchange.satusehat.facility_places import PlaceMade
from core.exchange.satusehat.identities import Identities
from core.exchange.satusehat.kfa_products import KfaProducts
from core.exchange.satusehat.official_displays import MISSING, Displays
from core.exchange.satusehat.patient_registry import PatientRegistry, SetAsideError, number_mark
from core.exchange.satusehat.requests import NO_PERMISSION_RULE, Access, SatusehatRefusedError
from core.exchange.satusehat.resource_sender import ResourceSender
from core.exchange.satusehat.visit_parts import SatusehatContext, SatusehatNames, is_taken_back
from core.exchange.target import LATER, NOT_FOUND, Verdict
from core.foundation.clinic import Clinic
from core.foundation.codes import OutboxStatus
from core.foundation.database import transaction
from core.foundation.errors import SyncError
from core.foundation.identifiers import new_place
from core.foundation.job_problems import JobProblem
from core.models import Account, Outbox, RemoteResource

BATCH = 10
"""Records read at once; each is acknowledged by itself."""
NO_PRACTITIONER = "practitioner-missing"
NO_DIAGNOSIS = "diagnosis-missing"
TOO_OLD = "too-old"
GONE = 404
UNKNOWN_REFERENCE_RULE = "10124"
FOREIGN_IDENTIFIER_RULE = "10117"
PART_KINDS = (
    "Condition", "Observation", "Procedure", "ServiceRequest", "Specimen", "DiagnosticReport", "MedicationRequest",
    "MedicationDispense", "ClinicalImpression", "Composition", "Immunization",
)  # fmt: skip
"""Types of a visit's parts that a correction may remove from it."""


class SatusehatTarget:
    """SATUSEHAT, for one run."""

    def __init__(self, clinic: Clinic, client: httpx.Client, patience: Patience) -> None:
        self._clinic = clinic
        self._settings = clinic.settings
        self._patience = patience
        self._access = Access(clinic.settings, client)
        self._ids = Identities(clinic.settings.satusehat_url)
        self._registry = PatientRegistry(self._access, self._ids)
        self._mapper = Mapper(clinic)
        self._names = SatusehatNames(clinic.settings.satusehat_organization)
        self._sender = ResourceSender(self._access, self._ids, self._names)
        self._vitals = vital_observations.wanted_codes(clinic.settings.satusehat_vitals)
        self._displays = Displays()
        self._products = KfaProducts()
        self._held: dict[str, dict[str, str]] = {}
        """Visit -> what could not be made of it, with the codes whose text is missing."""
        self._places_are_new = False
        self.batch_size = BATCH

    @property
    def sent_bytes(self) -> int:
        """Request bodies."""
        return self._access.sent_bytes

    @property
    def received_bytes(self) -> int:
        """Answer bodies as received."""
        return self._access.received_bytes

    def shrink(self) -> None:
        """Do nothing: every record is a request of its own."""

    def touch(self, day: date) -> None:
        """SATUSEHAT confirms each resource with its id; there is no day to prove."""

    def prove(self) -> tuple[bool | None, bool]:
        """It offers no comparison."""
        return None, False

    # --- the facility

    def prepare(self) -> None:
        """Look up the accounts that are not known there yet, and make the units and rooms."""
        self._look_up_practitioners()
        self.make_places()

    def make_places(self) -> list[PlaceMade]:
        """See to it that SATUSEHAT has the clinic's units and rooms; return what was done with each.

        Raises:
            SyncError: It takes them from nobody, or not with these settings.
        """
        try:
            entries = facility_places.entries(self._context(), self._clinic)
            return [self._make_place(entry) for entry in entries]
        except SatusehatRefusedError as error:
            foreign = error.rule in {NO_PERMISSION_RULE, FOREIGN_IDENTIFIER_RULE}
            setting = "LOKET_SATUSEHAT_ORGANIZATION: " if foreign else ""
            raise SyncError(JobProblem("facility_refused", {"reason": f"{setting}{error.words}"})) from None
        except SetAsideError as error:
            raise SyncError(JobProblem("facility_refused", {"reason": str(error)})) from None

    def _make_place(self, entry: Entry) -> PlaceMade:
        where = {facility_places.FOUND_BY[entry.type]: self._names.facility_code}
        try:
            done = self._sender.ensure(entry, where)
        except SatusehatRefusedError as error:
            if error.status != GONE:
                raise
            self._ids.forget(entry.type, entry.value)
            done = self._sender.ensure(entry, where)
        known = self._ids.find(entry.type, entry.value)
        return PlaceMade(entry.type, entry.value, known.remote_id if known else "", done)

    def _look_up_practitioners(self) -> None:
        found_any = False
        for account in Account.select().where(Account.practitioner_nik.is_null(False)):
            mark = number_mark(account.practitioner_nik)
            known = self._ids.find("Practitioner", account.username)
            if known is not None and known.digest == mark:
                continue
            found = self._access.search("Practitioner", {"identifier": f"{NIK}|{account.practitioner_nik}"})
            if found:
                self._ids.remember("Practitioner", account.username, str(found[0]["id"]), mark)
                found_any = True
        if found_any:
            # Visits that were set aside because nobody who served them was known may go now.
            with transaction():
                Outbox.update(status=OutboxStatus.PENDING, attempts=0).where(
                    Outbox.kind == VISIT,
                    Outbox.status == OutboxStatus.REFUSED,
                    Outbox.error.startswith(NO_PRACTITIONER),
                ).execute()

    def _context(self) -> SatusehatContext:
        known = frozenset(self._ids.of("Practitioner"))
        accounts = self._mapper.usernames()
        people = Account.select(Account.username, Account.name).where(Account.username.in_(list(known)))
        return SatusehatContext(
            self._names,
            {account: username for account, username in accounts.items() if username in known},
            self._clinic.clusters.emergency.code,
            self._clinic.forms,
            displays=self._displays,
            people={row.username: row.name for row in people},
            rooms={cluster.code: cluster.name for cluster in self._clinic.clusters.values()},
            vitals=self._vitals,
            products=self._products,
            zone=self._clinic.zone,
        )

    # --- records

    def read(self, kind: str, ids: Sequence[str]) -> Iterator[Record]:
        """Rows as records in SATUSEHAT's form."""
        context = self._context()
        if kind == PATIENT:
            allergies = patient_resources.allergies(context, ids)
            for record in self._mapper.patients(ids):
                record.entries[1:] = allergies.get(record.target, [])
                yield record
            return
        for rows in visit_rows(ids):
            yield visit_record(rows, lambda rows: self._made(context, rows))

    def _made(self, context: SatusehatContext, rows: VisitRows) -> list[Made]:
        """Return the resources of a visit, and remember what had to be held of it."""
        parts = visit_resources.visit_parts(context, rows)
        self._held[rows.visit.id] = parts.held
        return parts.made

    def deliver(self, records: Sequence[Record], day: date | None) -> Iterator[list[Verdict]]:
        """Send one record after the other; yield each with its verdict."""
        for index, record in enumerate(records):
            send: Callable[[Record], None] = self._patient if record.kind == PATIENT else self._visit
            if self._refuses(record):
                send = self._strike
            words = ""
            try:
                send(record)
            except (SetAsideError, SatusehatRefusedError) as error:
                words = _words_of(error)
            self._held.pop(record.target, None)
            self._patience.succeed()
            yield [(index, words)]

    def _refuses(self, record: Record) -> bool:
        """Return whether the patient refuses now: a batch takes minutes, in which somebody may withdraw."""
        return bool(refusing([record.target]) if record.kind == PATIENT else refused_visits([record.target]))

    def _strike(self, record: Record) -> None:
        """Of a patient who lets nothing go, take back what was struck out of what is there, and send nothing else."""
        first = record.entries[0]
        if self._ids.find(first.type, first.value) is None:
            return
        patient = first.resource if record.kind == PATIENT else None
        if patient is not None and not self._registry.stands_for(first.value, patient):
            self._registry.let_go(first.value)
            return
        if patient is None and self._is_another_persons(first):
            self._disown(record)
            return
        where = {} if patient is not None else self._where(first)
        struck = [entry for entry in record.entries if is_taken_back(entry.resource)]
        for entry in struck:
            if self._ids.find(entry.type, entry.value) is not None:
                self._sender.ensure(self._as_known(entry, record), where)
        if patient is None:
            self._withdraw(record)

    def _is_another_persons(self, first: Entry) -> bool:
        """Return whether an Encounter there stands under a number that is not this patient's.

        A corrected NIK or the undo of a merge leaves it so until it is sent again.
        """
        known, there = self._patient_of(first), self._ids.find(first.type, first.value)
        if known is None or there is None:
            return known is None
        subject = self._access.read(first.type, there.remote_id).get("subject", {})
        return bool(subject.get("reference") != f"Patient/{known.remote_id}")

    def _patient_of(self, first: Entry) -> RemoteResource | None:
        """Return the kept IHS number of a visit's patient."""
        return self._ids.find("Patient", str(first.resource["subject"]["reference"]).rpartition("|")[2])

    def _disown(self, record: Record) -> None:
        """Take a whole visit back that stands under another person's number there.

        The ids stay: once the person is found, the same resources are put right.
        """
        visit = record.entries[0]
        parts = [(kind, self._ids.parts(kind, record.target)) for kind in PART_KINDS]
        there = {(kind, value): remote for kind, found in parts for value, remote in found.items()}
        known = self._ids.find(visit.type, visit.value)
        if known is not None:
            there[visit.type, visit.value] = known.remote_id
        for (kind, _value), remote_id in there.items():
            self._strike_out(kind, remote_id)
        self._ids.reopen(record.target)

    def _as_known(self, entry: Entry, record: Record) -> Entry:
        """Return an Encounter with the diagnoses that are there; anything else as it is."""
        if entry.type != "Encounter":
            return entry
        kept = frozenset(
            self._names.query("Condition", value) for value in self._ids.parts("Condition", record.target)
        )
        return Entry(entry.type, entry.value, visit_resources.without_diagnoses(entry.resource, kept))

    def _patient(self, record: Record) -> None:
        """Learn the IHS number, make the patient when SATUSEHAT has none and is allowed to, and send the allergies.

        Raises:
            SetAsideError: The patient cannot be found, or an allergy was refused; the others went.
        """
        entry, *allergies = record.entries
        if not entry.resource["active"]:
            return  # merged or voided here: the person is SATUSEHAT's, and stays
        self._registry.learn_or_make(
            entry.value, entry.resource, may_make=self._settings.satusehat_create_patients
        )
        problems = []
        where = {"patient": self._sender.resolve(self._names.query("Patient", entry.value), {})}
        for allergy in allergies:
            try:
                if not is_taken_back(allergy.resource) or self._ids.find(allergy.type, allergy.value):
                    self._sender.ensure(allergy, where)
            except (SetAsideError, SatusehatRefusedError) as error:
                problems.append(_words_of(error))
        if problems:
            raise SetAsideError("; ".join(problems))

    def _visit(self, record: Record) -> None:
        first = record.entries[0]
        if not self._may_go(first, record.target):
            return
        if self._patient_of(first) is None and self._ids.find(first.type, first.value) is not None:
            self._disown(record)
            raise SetAsideError(f"{NOT_FOUND}: SATUSEHAT does not know the patient of this visit now")
        if not self._went_whole(record):
            try:
                problems = self._send_one_by_one(record)
            except SatusehatRefusedError as error:
                if not _means_nothing_there(error):
                    raise
                # Its ids mean nothing there any more: a test server is emptied from time to time.
                self._forget(record)
                problems = self._send_one_by_one(record, ids_are_fresh=True)
            if problems:
                raise SetAsideError("; ".join(problems))
        missing = sorted(set(self._held.get(record.target, {}).values()))
        if missing:
            raise SetAsideError(f"{MISSING}: {', '.join(missing)}")

    def _went_whole(self, record: Record) -> bool:
        """Return whether a visit of which SATUSEHAT had nothing was taken in one transaction."""
        if not self._settings.satusehat_bundles or self._is_known(record):
            return False
        try:
            self._send_whole(record)
        except SatusehatRefusedError:
            return False  # one by one it shows which resource is the cause, or that it is there already
        return True

    def _send_one_by_one(self, record: Record, *, ids_are_fresh: bool = False) -> list[str]:
        """Send the resources of a visit that differ; a finished Encounter is refused before its Conditions exist.

        Args:
            record: The visit.
            ids_are_fresh: Its ids were just learned, so a reference that is not known is a refusal like others.

        Returns:
            The words of each refusal; one of the Encounter is raised, since nothing stands without it.

        Raises:
            SatusehatRefusedError: The Encounter was refused, or ids of this visit mean nothing there any more.
            SetAsideError: The Encounter refers to what SATUSEHAT does not know.
        """
        first, *rest = record.entries
        where = self._where(first)
        if self._ids.find("Encounter", first.value) is None:
            opened = Entry("Encounter", first.value, visit_resources.opening(first.resource))
            self._sender.ensure(opened, where, final=False)
        problems = []
        for entry in rest:
            try:
                self._sender.ensure(entry, where)
            except (SetAsideError, SatusehatRefusedError) as error:
                if _means_nothing_there(error) and not ids_are_fresh:
                    raise
                problems.append(_words_of(error))
        self._withdraw(record)
        self._finish(first, where, problems)
        return problems

    def _finish(self, first: Entry, where: Mapping[str, str], problems: Sequence[str]) -> None:
        """Bring the Encounter to its end, with the diagnoses that were taken; without any it stays open.

        Args:
            first: The Encounter.
            where: What finds the visit's resources.
            problems: The words of what was refused before it.
        """
        resource = first.resource
        if problems and resource["status"] == "finished":
            kept = frozenset(
                self._names.query("Condition", value) for value in self._ids.parts("Condition", first.value)
            )
            resource = visit_resources.without_diagnoses(resource, kept)
            if not resource.get("diagnosis"):
                return
        self._sender.ensure(Entry(first.type, first.value, resource), where)

    def _forget(self, record: Record) -> None:
        ours = [(entry.type, entry.value) for entry in record.entries]
        parts = [(kind, value) for kind in PART_KINDS for value in self._ids.parts(kind, record.target)]
        for kind, value in ours + parts:
            self._ids.forget(kind, value)
        if not self._places_are_new:
            self._places_are_new = True
            for kind in facility_places.FOUND_BY:
                for code in self._ids.of(kind):
                    self._ids.forget(kind, code)
            self.make_places()

    def _may_go(self, first: Entry, visit_id: str) -> bool:
        """Return whether a visit is to be sent at all.

        Args:
            first: Its Encounter.
            visit_id: The visit.

        Raises:
            SetAsideError: Not as it is, or not yet.
        """
        status, known = first.resource["status"], self._ids.find("Encounter", first.value)
        if status in {"cancelled", "entered-in-error"}:
            return known is not None  # one that never was needs no correction
        if status != "finished":
            raise SetAsideError(f"{LATER}: the visit has not ended")
        if first.resource["period"]["start"][:10] < self._settings.satusehat_earliest.isoformat():
            raise SetAsideError(f"{TOO_OLD}: SATUSEHAT takes no visits of that time")
        if not first.resource.get("participant"):
            raise SetAsideError(f"{NO_PRACTITIONER}: SATUSEHAT knows nobody who served this visit")
        if not first.resource.get("diagnosis"):
            held = [
                code for part, code in self._held.get(visit_id, {}).items() if part.startswith("Condition/")
            ]
            if held:
                raise SetAsideError(f"{MISSING}: {', '.join(held)}")
            raise SetAsideError(f"{NO_DIAGNOSIS}: a finished visit needs a diagnosis (10457)")
        return True

    def _is_known(self, record: Record) -> bool:
        """Return whether SATUSEHAT has any of a visit's resources, by the ids kept here."""
        return any(self._ids.find(entry.type, entry.value) is not None for entry in record.entries)

    def _send_whole(self, record: Record) -> None:
        """Send a visit of which SATUSEHAT has nothing yet, in one transaction."""
        addresses = {_address(self._names, entry): new_place() for entry in record.entries}
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "fullUrl": addresses[_address(self._names, entry)],
                    "resource": self._sender.resolved(entry.resource, addresses),
                    "request": {"method": "POST", "url": entry.type},
                }
                for entry in record.entries
            ],
        }
        answer = self._access.send("POST", "", bundle)
        answers = answer.get("entry")
        if not isinstance(answers, list) or len(answers) != len(record.entries):
            return  # taken, but the ids are not told: the next time each is looked up and adopted
        for entry, item in zip(record.entries, answers, strict=True):
            remote_id = _id_in_response(entry.type, item)
            if remote_id:
                self._ids.remember(entry.type, entry.value, remote_id, digest(entry.resource).hex())

    def _withdraw(self, record: Record) -> None:
        """Mark what a correction removed from a visit as entered in error: nothing can be deleted there.

        What is only held here stays there as it is.
        """
        still = {(entry.type, entry.value) for entry in record.entries}
        still |= {tuple(part.split("/", 1)) for part in self._held.get(record.target, {})}  # type: ignore[misc]
        for kind in PART_KINDS:
            for value, remote_id in self._ids.parts(kind, record.target).items():
                if (kind, value) not in still:
                    self._take_back(kind, value, remote_id)

    def _take_back(self, kind: str, value: str, remote_id: str) -> None:
        self._strike_out(kind, remote_id)
        self._ids.forget(kind, value)

    def _strike_out(self, kind: str, remote_id: str) -> None:
        """Mark a resource as entered in error, as it is there."""
        before = self._access.read(kind, remote_id)
        if not is_taken_back(before):
            self._sender.put(kind, remote_id, taken_back(before, self._displays))

    def _where(self, encounter: Entry) -> dict[str, str]:
        """Return the parameters that find a visit's resources: SATUSEHAT wants the patient named."""
        return {"subject": self._sender.resolve(str(encounter.resource["subject"]["reference"]), {})}


def _address(names: SatusehatNames, entry: Entry) -> str:
    return names.query(entry.type, entry.value)


def _words_of(error: Exception) -> str:
    return error.words if isinstance(error, SatusehatRefusedError) else str(error)


def _means_nothing_there(error: Exception) -> bool:
    """Return whether a refusal says that an id is not known there."""
    return isinstance(error, SatusehatRefusedError) and (
        error.status == GONE or error.rule == UNKNOWN_REFERENCE_RULE
    )


def taken_back(resource: Resource, displays: Displays) -> Resource:
    """Return a resource as entered in error, whatever its type says that with.

    Args:
        resource: As SATUSEHAT has it.
        displays: The official texts.
    """
    if resource["resourceType"] == "Encounter":
        return visit_resources.entered_in_error(resource)
    if resource["resourceType"] != "Condition":
        return {**resource, "status": "entered-in-error"}
    rest = {name: value for name, value in resource.items() if name != "clinicalStatus"}
    return {**rest, "verificationStatus": displays.concept(CONDITION_VERIFIED, "entered-in-error")}


def _id_in_response(kind: str, item: Any) -> str:
    """Return the id in one entry of a transaction-response; names differ between descriptions of it."""
    response = item.get("response") if isinstance(item, dict) else None
    if not isinstance(response, dict):
        return ""
    if response.get("resourceID"):
        return str(response["resourceID"])
    parts = str(response.get("location", "")).split("/")
    return parts[parts.index(kind) + 1] if kind in parts[:-1] else ""
