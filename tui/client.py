"""The terminal's way to the core: one method a call, the shared shapes in and out.

Nothing here is retried except a registration, whose id makes sending again safe; everything else
is the person's own decision. A refusal is an answer (`Refused`, with the problem's code and
fields); silence is `UnreachableError`, after which nothing is known of what happened.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from core.forms import Form, LetterKind
from core.printing import PrintDocument
from core.schemas.accounts import AccountShape, TokenShape
from core.schemas.base import Problem
from core.schemas.clinic import BackupShape, ClinicShape, ClosingShape, ReportShape, SyncShape, WrittenShape
from core.schemas.patients import DuplicateResult, MergeShape, PatientShape, SuspectedShape, TwoPeopleShape
from core.schemas.queues import (
    BoardShape,
    ClusterShape,
    EntryCommand,
    EntryShape,
    QueueShape,
    WaitingRoomShape,
)
from core.schemas.record import (
    CodeShape,
    DiagnosisShape,
    EncounterShape,
    LabTestShape,
    LetterShape,
    MedicineShape,
    OrderShape,
    PrescriptionShape,
    ProcedureShape,
    VisitShape,
    VisitSummary,
    WorkItem,
)
from core.schemas.registration import CheckShape, DraftShape, Receipt, RoutingShape
from tui.one_packet import one_packet_transport

API = "/api/v1"
TIMEOUT = httpx.Timeout(20.0, connect=5.0)  # seconds; a clinic's server answers in milliseconds
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 8.0
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
GATEWAY_STATUSES = frozenset({502, 503, 504})

ShapeT = TypeVar("ShapeT", bound=BaseModel)


class Refused(Exception):  # an answer, not a fault
    """The core said no.

    Attributes:
        problem: Why, as stable codes.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem

    @property
    def code(self) -> str:
        """The problem's stable code."""
        return self.problem.code


class UnreachableError(Exception):
    """The core did not answer; what was asked may or may not have happened."""


class CoreClient:
    """One person's calls.

    Attributes:
        base_url: Where the core listens, without a path.
        token: Bearer token; replaced when the same person signs in again.
        language: What server-made texts (reasons of a proposal) come in.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        language: str = "id",
        origin: str = "",
        http: httpx.AsyncClient | None = None,
    ) -> None:
        """Args: `origin` goes into the audit log; `http` is shared between sessions of a process."""
        self.base_url = base_url.rstrip("/")
        self.token = token
        self.language = language
        self.origin = origin
        self._http = http or _connections(self.base_url)

    def with_token(self, token: str, *, language: str | None = None, origin: str = "") -> CoreClient:
        """Another person's client over the same connections."""
        return CoreClient(
            self.base_url, token, language=language or self.language, origin=origin, http=self._http
        )

    async def close(self) -> None:
        """Close the connections, those of `with_token` too."""
        await self._http.aclose()

    def stream_request(self) -> tuple[httpx.AsyncClient, str, dict[str, str]]:
        """What a reader of the change feed needs: connections, address, headers."""
        return self._http, f"{self.base_url}{API}/changes", self._headers()

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Language": self.language}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.origin:
            headers["X-Loket-Origin"] = self.origin
        return headers

    async def _send(
        self, method: str, path: str, body: Any = None, params: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        try:
            response = await self._http.request(
                method, f"{self.base_url}{API}/{path}", json=body, params=params, headers=self._headers()
            )
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise UnreachableError(type(error).__name__) from error
        if response.status_code in GATEWAY_STATUSES and "problem" not in response.headers.get(
            "content-type", ""
        ):
            raise UnreachableError(f"gateway answered {response.status_code}")
        if response.is_error:
            raise Refused(_problem(response))
        return response

    async def _one(
        self, shape: type[ShapeT], method: str, path: str, body: Any = None, **params: Any
    ) -> ShapeT:
        response = await self._send(method, path, body, params or None)
        return shape.model_validate_json(response.content)

    async def _many(self, shape: type[ShapeT], path: str, **params: Any) -> list[ShapeT]:
        response = await self._send("GET", path, params=params or None)
        return _list_of(shape).validate_json(response.content)

    # Signing in and out

    async def sign_in(self, username: str, password: str) -> TokenShape:
        """Exchange name and password for a token, which this client then uses."""
        token = await self._one(TokenShape, "POST", "tokens", {"username": username, "password": password})
        self.token = token.token
        return token

    async def sign_out(self) -> None:
        """End the token."""
        await self._send("DELETE", "tokens")
        self.token = None

    async def check_password(self, password: str) -> None:
        """Unlock an idle terminal; refused when the password is wrong."""
        await self._send("POST", "tokens/check", {"password": password})

    async def me(self) -> AccountShape:
        """Who the token stands for."""
        return await self._one(AccountShape, "GET", "accounts/me")

    async def choose_service_point(self, service_point: str) -> AccountShape:
        """The room where one calls patients from now on."""
        body = {"service_point": service_point}
        return await self._one(AccountShape, "PUT", "accounts/me/service-point", body)

    async def clinic(self) -> ClinicShape:
        """What a terminal needs to know once."""
        return await self._one(ClinicShape, "GET", "clinic")

    async def key_known(self, username: str, public_key: str) -> bool:
        """For the SSH door: whether a key may sign an account in."""
        body = {"username": username, "public_key": public_key}
        response = await self._send("POST", "door/keys/check", body)
        return bool(response.json()["known"])

    async def token_for_key(self, username: str, public_key: str) -> TokenShape:
        """For the SSH door: a token for a key whose possession was proved."""
        body = {"username": username, "public_key": public_key}
        return await self._one(TokenShape, "POST", "door/tokens", body)

    # Queues

    async def clusters(self) -> list[ClusterShape]:
        """All clusters with how many wait and the number last called."""
        return await self._many(ClusterShape, "clusters")

    async def waiting_room(self) -> WaitingRoomShape:
        """The numbers called or served now."""
        return await self._one(WaitingRoomShape, "GET", "waiting-room")

    async def board(self) -> BoardShape:
        """All clusters at once, for whoever supervises them."""
        return await self._one(BoardShape, "GET", "board")

    async def queue(self, cluster: str) -> QueueShape:
        """One cluster's pane: who waits or is served."""
        return await self._one(QueueShape, "GET", f"queues/{cluster}?open=true")

    async def entry(self, entry_id: str) -> EntryShape:
        """One entry, ended or not."""
        return await self._one(EntryShape, "GET", f"queue-entries/{entry_id}")

    async def call_next(self, cluster: str, service_point: str = "") -> EntryShape | None:
        """Call whoever is first; None when nobody waits."""
        response = await self._send("POST", f"queues/{cluster}/call-next", {"service_point": service_point})
        return EntryShape.model_validate_json(response.content) if response.status_code == 200 else None

    async def act(self, entry_id: str, action: str, command: EntryCommand) -> EntryShape:
        """Do one thing to one entry; for moves, the new entry comes back."""
        body = command.model_dump(mode="json", exclude_defaults=True)
        return await self._one(EntryShape, "POST", f"queue-entries/{entry_id}/{action}", body)

    # Patients

    async def search(self, text: str, limit: int = 20) -> list[PatientShape]:
        """The one search box; empty text gives the last patients."""
        if not text.strip():
            return await self._many(PatientShape, "patients/recent", limit=limit)
        return await self._many(PatientShape, "patients", q=text, limit=limit)

    async def patient(self, patient_id: str) -> PatientShape:
        """One patient's card."""
        return await self._one(PatientShape, "GET", f"patients/{patient_id}")

    async def edit_patient(self, patient_id: str, changes: Mapping[str, Any]) -> PatientShape:
        """Correct a patient's card; `expected_version` guards against a lost update."""
        return await self._one(PatientShape, "PATCH", f"patients/{patient_id}", dict(changes))

    async def duplicates(self, fields: Mapping[str, Any]) -> DuplicateResult:
        """Who may be the same person as a half-filled form."""
        return await self._one(DuplicateResult, "POST", "patients/duplicates", dict(fields))

    async def suspected(self) -> list[SuspectedShape]:
        """Pairs of patients who may be one, the most suspicious first."""
        return await self._many(SuspectedShape, "patients/suspected")

    async def not_same(self, patient_id: str, other_id: str) -> None:
        """Remember that two patients are two people."""
        await self._send("POST", f"patients/{patient_id}/not-same", {"other": other_id})

    async def undo_not_same(self, patient_id: str, other_id: str) -> None:
        """Forget that they were judged to be two people."""
        await self._send("DELETE", f"patients/{patient_id}/not-same/{other_id}")

    async def judged_two_people(self) -> list[TwoPeopleShape]:
        """The last pairs judged to be two people, newest first."""
        return await self._many(TwoPeopleShape, "not-same")

    async def merge(self, patient_id: str, into_id: str) -> MergeShape:
        """Make a patient part of another one."""
        return await self._one(MergeShape, "POST", f"patients/{patient_id}/merge", {"into": into_id})

    async def merges(self) -> list[MergeShape]:
        """The last merges, newest first."""
        return await self._many(MergeShape, "merges")

    async def undo_merge(self, merge_id: str) -> MergeShape:
        """Take a merge back."""
        return await self._one(MergeShape, "POST", f"merges/{merge_id}/undo")

    async def unverified(self) -> list[PatientShape]:
        """The verify-later list."""
        return await self._many(PatientShape, "patients/unverified")

    async def history(self, patient_id: str, reason: str = "") -> list[VisitSummary]:
        """A patient's visits, newest first."""
        return await self._many(VisitSummary, f"patients/{patient_id}/history", reason=reason)

    async def add_allergy(self, patient_id: str, substance: str, reaction: str = "") -> None:
        """Record an allergy."""
        body = {"substance": substance, "reaction": reaction}
        await self._send("POST", f"patients/{patient_id}/allergies", body)

    # Registration

    async def routing(self, facts: Mapping[str, Any]) -> RoutingShape:
        """What the rules say of a complaint and, if one is chosen, of its cluster."""
        return await self._one(RoutingShape, "POST", "routing", dict(facts))

    async def check(self, person: Mapping[str, Any] | None, visit: Mapping[str, Any] | None) -> CheckShape:
        """Who may be the same person, and what the rules say of the visit; None is not asked."""
        body = {"person": dict(person) if person else None, "visit": dict(visit) if visit else None}
        body = {name: value for name, value in body.items() if value is not None}
        return await self._one(CheckShape, "POST", "registrations/check", body)

    async def register_once(self, registration: Mapping[str, Any]) -> Receipt:
        """Send a registration one time."""
        return await self._one(Receipt, "POST", "registrations", dict(registration))

    async def register(
        self, registration: Mapping[str, Any], waiting: Callable[[int], None] | None = None
    ) -> Receipt:
        """Save a registration, sending the same id again until there is an answer.

        Args:
            registration: As `core.schemas.RegistrationRequest`; its `id` makes repeating safe.
            waiting: Told the number of tries so far each time there was no answer.

        Returns:
            The receipt: only with it may "saved" be said.

        Raises:
            Refused: The core said no.
        """
        tries = 0
        while True:
            try:
                return await self.register_once(registration)
            except UnreachableError:
                tries += 1
            except ValidationError:
                tries += 1  # an answer cut short: the save may be there, the receipt can be asked again
            if waiting is not None:
                waiting(tries)
            pause = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** (tries - 1))
            await asyncio.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311  # spreads retries, no secret

    async def receipt(self, registration_id: str) -> Receipt:
        """The receipt of an earlier save."""
        return await self._one(Receipt, "GET", f"registrations/{registration_id}")

    async def undo_registration(self, registration_id: str) -> EntryShape:
        """Take a registration back while the patient still stands at the counter."""
        return await self._one(EntryShape, "POST", f"registrations/{registration_id}/undo")

    # Records

    async def visit(self, visit_id: str, reason: str = "") -> VisitShape:
        """A visit with its record; a reason opens what is outside one's own queue."""
        return await self._one(VisitShape, "GET", f"visits/{visit_id}", reason=reason)

    async def write_encounter(self, visit_id: str, fields: Mapping[str, Any]) -> EncounterShape:
        """Write or correct the SOAP note of one's own cluster."""
        return await self._one(EncounterShape, "PUT", f"visits/{visit_id}/encounter", dict(fields))

    async def add_addendum(self, visit_id: str, text: str) -> EncounterShape:
        """Add a note to a record, locked or not."""
        return await self._one(EncounterShape, "POST", f"visits/{visit_id}/addenda", {"text": text})

    async def find_diagnoses(self, text: str) -> list[CodeShape]:
        """ICD-10 by code or words."""
        return await self._many(CodeShape, "diagnoses", q=text)

    async def add_diagnosis(self, visit_id: str, code: str, case_kind: str = "new") -> DiagnosisShape:
        """Record one diagnosis."""
        body = {"code": code, "case_kind": case_kind}
        return await self._one(DiagnosisShape, "POST", f"visits/{visit_id}/diagnoses", body)

    async def void_diagnosis(self, visit_id: str, diagnosis_id: str, reason: str) -> None:
        """Strike a diagnosis out."""
        await self._send("DELETE", f"visits/{visit_id}/diagnoses/{diagnosis_id}", params={"reason": reason})

    async def find_procedures(self, text: str) -> list[CodeShape]:
        """Procedures by code or words."""
        return await self._many(CodeShape, "procedures", q=text)

    async def add_procedure(self, visit_id: str, code: str, note: str = "") -> ProcedureShape:
        """Record something that was done."""
        body = {"code": code, "note": note}
        return await self._one(ProcedureShape, "POST", f"visits/{visit_id}/procedures", body)

    async def void_procedure(self, visit_id: str, procedure_id: str, reason: str) -> None:
        """Strike a procedure out."""
        await self._send("DELETE", f"visits/{visit_id}/procedures/{procedure_id}", params={"reason": reason})

    async def find_medicines(self, text: str) -> list[MedicineShape]:
        """Medicines by words, as usually prescribed."""
        return await self._many(MedicineShape, "medicines", q=text)

    async def prescribe(self, visit_id: str, fields: Mapping[str, Any]) -> PrescriptionShape:
        """Prescribe one medicine."""
        return await self._one(PrescriptionShape, "POST", f"visits/{visit_id}/prescriptions", dict(fields))

    async def revoke_prescription(self, prescription_id: str, reason: str) -> None:
        """Take a prescription back."""
        await self._send("DELETE", f"prescriptions/{prescription_id}", params={"reason": reason})

    async def dispense(self, prescription_id: str, fields: Mapping[str, Any]) -> PrescriptionShape:
        """Hand a prescribed medicine out."""
        return await self._one(
            PrescriptionShape, "POST", f"prescriptions/{prescription_id}/dispense", dict(fields)
        )

    async def find_tests(self, text: str) -> list[LabTestShape]:
        """Laboratory tests by words."""
        return await self._many(LabTestShape, "tests", q=text)

    async def order(self, visit_id: str, test: str, note: str = "") -> OrderShape:
        """Order one laboratory test."""
        return await self._one(OrderShape, "POST", f"visits/{visit_id}/orders", {"test": test, "note": note})

    async def revoke_order(self, order_id: str, reason: str) -> None:
        """Take an order back."""
        await self._send("DELETE", f"orders/{order_id}", params={"reason": reason})

    async def enter_result(self, order_id: str, fields: Mapping[str, Any]) -> OrderShape:
        """Enter a laboratory result."""
        return await self._one(OrderShape, "POST", f"orders/{order_id}/result", dict(fields))

    async def worklist(self, kind: str) -> list[WorkItem]:
        """What the laboratory (`orders`) or the pharmacy (`prescriptions`) has to do."""
        return await self._many(WorkItem, f"worklists/{kind}")

    async def work_of(self, kind: str, visit_id: str) -> WorkItem:
        """What one visit has there."""
        return await self._one(WorkItem, "GET", f"worklists/{kind}/{visit_id}")

    async def letter_kinds(self) -> list[LetterKind]:
        """The letters that can be issued."""
        return await self._many(LetterKind, "letters")

    async def issue_letter(self, visit_id: str, kind: str, answers: Mapping[str, Any]) -> LetterShape:
        """Issue a certificate or a referral."""
        body = {"kind": kind, "answers": dict(answers)}
        return await self._one(LetterShape, "POST", f"visits/{visit_id}/letters", body)

    async def forms(self) -> list[Form]:
        """The specialised forms."""
        return await self._many(Form, "forms")

    async def vitals(self) -> list[dict[str, Any]]:
        """The vital signs of the form, with units and limits."""
        found: list[dict[str, Any]] = (await self._send("GET", "vitals")).json()
        return found

    # Drafts

    async def draft(self, key: str) -> DraftShape | None:
        """One's own half-typed form, None when there is none."""
        try:
            return await self._one(DraftShape, "GET", f"drafts/{key}")
        except Refused as refusal:
            if refusal.code == "not_found":
                return None
            raise

    async def save_draft(self, key: str, data: Mapping[str, Any]) -> None:
        """Keep a half-typed form."""
        await self._send("PUT", f"drafts/{key}", {"data": dict(data)})

    async def drop_draft(self, key: str) -> None:
        """Forget a half-typed form."""
        await self._send("DELETE", f"drafts/{key}")

    # Printing

    async def print_document(self, document: PrintDocument) -> None:
        """Print on the clinic's printer."""
        await self._send("POST", "print-jobs", document.model_dump(mode="json", exclude_defaults=True))

    # Administration

    async def sync_status(self) -> SyncShape:
        """Where synchronisation stands."""
        return await self._one(SyncShape, "GET", "sync")

    async def run_sync(self) -> SyncShape:
        """Start a synchronisation."""
        return await self._one(SyncShape, "POST", "sync/run")

    async def closing_status(self) -> ClosingShape:
        """How far the day's closing is."""
        return await self._one(ClosingShape, "GET", "closing")

    async def run_closing(self) -> ClosingShape:
        """Start the day's closing."""
        return await self._one(ClosingShape, "POST", "closing/run")

    async def backups(self) -> list[BackupShape]:
        """The backups kept, newest first."""
        return await self._many(BackupShape, "backups")

    async def report(self, name: str, day: date) -> ReportShape:
        """One report as title, columns and rows."""
        return await self._one(ReportShape, "GET", f"reports/{name}", date=day.isoformat())

    async def write_report(self, name: str, day: date) -> WrittenShape:
        """Have the server write one report as CSV and XLSX."""
        response = await self._send("POST", f"reports/{name}/files", params={"date": day.isoformat()})
        return WrittenShape.model_validate_json(response.content)


@cache
def _list_of(shape: type[ShapeT]) -> TypeAdapter[list[ShapeT]]:
    return TypeAdapter(list[shape])  # type: ignore[valid-type]


def _connections(base_url: str) -> httpx.AsyncClient:
    """Connections that send no header without a use; compressed answers pay only across a line."""
    http = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, transport=one_packet_transport())
    for useless in ("Accept", "Connection", "User-Agent", "Accept-Encoding"):
        del http.headers[useless]
    if httpx.URL(base_url).host not in LOOPBACK:
        http.headers["Accept-Encoding"] = "gzip"
    return http


def _problem(response: httpx.Response) -> Problem:
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        return Problem(title="HTTP", status=response.status_code, code="http_error")
