"""Every call of the API by every role, against a table written by hand (`access.toml`).

The calls come from the OpenAPI document: one that is in neither the table nor its list of exceptions fails. What
depends on the patient is tried on a patient of one's own cluster, on another's, on an earlier day and after the
time for corrections. Nothing destructive hides behind a right: queue actions carry a version that never fits.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.counters import machines
from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.identifiers import new_id
from docs import draw_access
from server.run import Background
from tests.people import Caller, registration

TABLE = tomllib.loads((Path(__file__).parent / "access.toml").read_text(encoding="utf-8"))
PEOPLE = {
    "C": "clerk", "N": "nurse", "D": "doctor", "L": "lab", "P": "pharmacist", "R": "records", "S": "supervisor",
    "A": "admin", "T": "display",
}  # fmt: skip
"""Letter of a role -> its demo account; the door and a counter's machine have credentials of their own."""
ROLES = (*PEOPLE, "O", "K")
OWN_CLUSTER = {"L": "LAB", "P": "FARMASI"}
SITUATIONS = ("own", "other", "day", "locked")
HOURS = {"own": 0, "other": 0, "day": 30, "locked": 60}
NEVER_FITS = 999  # a version
ANY = "x" * 8
STARTS_PROCESSES = {"POST /sync/run", "POST /closing/run", "POST /doctor/run", "POST /doctor/repair"}

Seen = dict[str, Any]

VACCINE = {"vaccine": "Vaksin BCG", "dose_number": 1, "lot_number": "L1", "expires_on": "2099-01-01"}


@pytest.fixture(scope="module")
def clinic_settings(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("table") / "home"
    shutil.copytree(demo_home, home)
    return Settings(home=home, token_hours=72)


@pytest.fixture(scope="module")
def server(clinic_settings: Settings) -> Iterator[Background]:
    with Background(clinic_settings) as running:
        yield running


@pytest.fixture(scope="module")
def callers(server: Background, clinic_settings: Settings) -> Iterator[dict[str, httpx.Client]]:
    """Every role, signed in for days, so that the clock may be set on."""
    made: dict[str, httpx.Client] = {letter: Caller(server.url, name) for letter, name in PEOPLE.items()}
    secret = clinic_settings.door_token_file.read_text().strip()
    made["O"] = httpx.Client(base_url=f"{server.url}/api/v1/", headers={"Authorization": f"Bearer {secret}"})
    with connection():
        secret = machines.add("Loket 1")
    made["K"] = httpx.Client(base_url=f"{server.url}/api/v1/", headers={"Authorization": f"Bearer {secret}"})
    yield made
    for caller in made.values():
        caller.close()


@pytest.fixture(scope="module")
def operations(server: Background) -> set[str]:
    paths = httpx.get(f"{server.url}/openapi.json", timeout=60).json()["paths"]
    return {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in paths.items()
        for method in methods
    }


@pytest.fixture(scope="module")
def visits(server: Background, callers: dict[str, httpx.Client]) -> dict[str, Seen]:
    """Situation -> a visit with its note and one thing of each kind; all but `other` went UMUM, LAB, FARMASI."""
    with Caller(server.url, "dentist") as dentist:
        return {name: _visit(callers, dentist, name) for name in SITUATIONS}


def _visit(callers: dict[str, httpx.Client], dentist: Caller, situation: str) -> Seen:
    cluster = "GIGI" if situation == "other" else "UMUM"
    author = dentist if situation == "other" else callers["D"]
    receipt = _ok(
        callers["C"].post("registrations", json=registration(cluster=cluster, override_reason="contoh"))
    )
    visit, entry = receipt["visit_id"], receipt["ticket"]["id"]
    _ok(author.post(f"queue-entries/{entry}/start", json={}))
    _ok(author.put(f"visits/{visit}/encounter", json={"subjective": "rahasia"}))
    seen: Seen = {"visit_id": visit, "patient_id": receipt["patient_id"], "cluster": cluster}
    for kind, path, body in (
        ("diagnosis_id", "diagnoses", {"code": "J06.9"}),
        ("procedure_id", "procedures", {"code": "23.09"}),
        ("immunisation_id", "immunisations", VACCINE),
        ("prescription_id", "prescriptions", {"medicine": "Parasetamol"}),
        ("order_id", "orders", {"test": "Hemoglobin"}),
    ):
        seen[kind] = _ok(author.post(f"visits/{visit}/{path}", json=body))["id"]
    allergies = f"patients/{seen['patient_id']}/allergies"
    seen["allergy_id"] = _ok(author.post(allergies, json={"substance": "debu kapur"}))["id"]
    entries = dict.fromkeys(ROLES, entry)
    if situation != "other":
        for letter, before in (("L", callers["D"]), ("P", callers["L"])):
            moved = _ok(before.post(f"queue-entries/{entry}/transfer", json={"cluster": OWN_CLUSTER[letter]}))
            entry = entries[letter] = moved["id"]
            _ok(callers[letter].post(f"queue-entries/{entry}/start", json={}))
    if HOURS[
        situation
    ]:  # on an earlier day the visit has ended; who is still in a queue is somebody's patient
        _ok(callers["P"].post(f"queue-entries/{entry}/finish", json={}))
    return {**seen, "entries": entries}


def _ok(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "POST /insurance/check": lambda: {"nik": "6371010101900001"},
    "PUT /settings/{name}": lambda: {"value": "25:61"},
    "PUT /bpjs/codes": lambda: {"kind": "medicine", "ours": "tidak-ada", "theirs": "1", "name": "Contoh"},
    "PUT /drafts/{key}": lambda: {"data": {}},
    "POST /door/keys/check": lambda: {"username": "nobody", "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"},
    "POST /door/tokens": lambda: {
        "username": "nobody", "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
        "proof": {"session_id": "AA==", "signed": "AA==", "signature": "AA=="},
    },
    "POST /account/password": lambda: {"old_password": "salah", "new_password": "sebuah kalimat panjang"},
    "POST /account/code": lambda: {"code": "000000"},
    "PUT /account/second-factor": lambda: {"secret": "A" * 31 + "1", "code": "000000"},
    "POST /accounts": lambda: {"username": "baru", "name": "Baru", "role": "display"},
    "PATCH /accounts/{username}": lambda: {"name": "Baru"},
    "POST /accounts/{username}/password": lambda: {"password": "sebuah kalimat panjang"},
    "POST /accounts/{username}/keys": lambda: {"public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"},
    "POST /allergies/{allergy_id}/void": lambda: {"reason": "salah ketik"},
    "POST /rights/changes": lambda: {
        "role": "door", "permission": "print", "granted": True, "reason": "hanya mencoba",
    },
    "POST /reports/{name}/requests": lambda: {"reason": "hanya mencoba"},
    "PUT /visits/{visit_id}/breastfeeding": lambda: {"breastfeeding": False},
    "PUT /visits/{visit_id}/payer": lambda: {"payer": "general"},
    "PUT /prescriptions/{prescription_id}": lambda: {"medicine": "Parasetamol"},
    "POST /patients/duplicates": lambda: {"name": "Budi"},
    "PATCH /patients/{patient_id}": lambda: {"expected_version": NEVER_FITS, "phone": "0811"},
    "POST /patients/{patient_id}/not-same": lambda: {"other": ANY},
    "POST /imports/rows/{row_id}/mend": lambda: {
        "patient": {"name": "Budi", "sex": "male", "birth_date": "1980-02-01"}
    },
    "POST /imports/rows/{row_id}/leave-out": lambda: {"reason": "kosong"},
    "POST /patients/{patient_id}/merge": lambda: {"into": ANY},
    "POST /routing": lambda: {"chief_complaint": "batuk"},
    "POST /registrations/check": lambda: {"person": {"name": "Budi"}},
    "POST /registrations": lambda: registration(patient_id=ANY),
    "POST /paper-forms": lambda: {"cluster": "UMUM", "count": 1},
    "POST /paper-forms/{number}/end": lambda: {"outcome": "voided", "reason": "hanya mencoba"},
    "PUT /counters/store-key": lambda: {"key": "AA=="},
    "POST /counters/copy": dict,
    "POST /counters/deliveries": lambda: {
        "request": registration(), "account_id": ANY, "arrived_at": clock.now().isoformat(),
        "made": {"patient_id": ANY, "visit_id": ANY, "entry_id": ANY, "ticket_id": ANY, "number": "A-L99"},
    },
    "POST /counters/undone": lambda: {"numbers": []},
    "POST /counters/chain": lambda: {"after": 0, "rows": []},
    "POST /counters/dropped": lambda: {"number": "A-L99", "reason": "hanya mencoba"},
    "POST /print-jobs": lambda: {"lines": [{"text": "x"}]},
    "PUT /accounts/me/service-point": lambda: {"service_point": ""},
    "POST /queues/{cluster}/day-end": lambda: {"answer": "seen"},
    "PUT /visits/{visit_id}/encounter": lambda: {"vitals": {"pulse": 80}},
    "POST /visits/{visit_id}/addenda": lambda: {"text": "menyusul"},
    "POST /dangers/{code}/signature": lambda: {"digest": "0" * 64},
    "POST /dangers/{code}/signature/take-back": lambda: {"reason": "hanya mencoba"},
    "PUT /patients/{patient_id}/sharing": lambda: {"agreed": True},
    "POST /patients/{patient_id}/copies": lambda: {"form": "text"},
    "POST /patients/{patient_id}/allergies": lambda: {"substance": new_id()},
    "PUT /roster": lambda: {"version": 0},
    "PUT /visits/{visit_id}/return-date": lambda: {"on": None},
    "POST /visits/{visit_id}/letters": lambda: {"kind": "sick", "answers": {}},
    "POST /visits/{visit_id}/diagnoses": lambda: {"code": "A09"},
    "POST /visits/{visit_id}/procedures": lambda: {"code": "23.09"},
    "POST /visits/{visit_id}/immunisations": lambda: VACCINE,
    "POST /visits/{visit_id}/prescriptions": lambda: {"medicine": "Parasetamol"},
    "POST /visits/{visit_id}/orders": lambda: {"test": "Asam urat"},
    "POST /orders/{order_id}/result": lambda: {"result": "12,1"},
    "POST /visits/{visit_id}/release-requests": lambda: {"reason": "hanya mencoba", "cluster": "IGD"},
    "POST /visits/{visit_id}/release": lambda: {"reason": "hanya mencoba", "cluster": "IGD"},
}  # fmt: skip
"""Bodies that the shapes accept; what they ask for may still be refused for other reasons than a right."""
QUERIES = {"DELETE /visits": {"reason": "salah tulis"}, "DELETE /prescriptions": {"reason": "salah tulis"},
           "DELETE /orders": {"reason": "salah tulis"}}  # fmt: skip


def ask(caller: httpx.Client, call: str, names: dict[str, str]) -> httpx.Response:
    method, path = call.split(" ", 1)
    body = BODIES[call]() if call in BODIES else None
    if "/queue-entries/{entry_id}/" in path:
        body = {
            "expected_version": NEVER_FITS,
            "cluster": "IGD",
            "reason": "hanya mencoba",
            "priority": "red",
        }
    params = next((value for start, value in QUERIES.items() if call.startswith(start)), None)
    return caller.request(method, path.format_map(names).lstrip("/"), json=body, params=params)


def outcome(answer: httpx.Response) -> str:
    """The letter of the table for an answer: why it was refused, or that the gate was passed."""
    if answer.is_success:
        return "+"
    problem = answer.json()
    if "cluster" in problem["fields"] and problem["fields"]["cluster"] in {"not_yours", "not_visited"}:
        return "v"
    assert answer.status_code < 500 or problem["code"] == "no_printer", answer.text
    assert problem["code"] != "validation" or "body" not in problem["fields"], answer.text
    return {"not_allowed": "-", "reason_required": "?", "record_locked": "l"}.get(problem["code"], "+")


PLAIN = {
    "approval_id": ANY, "change_id": ANY, "cluster": "UMUM", "entry_id": ANY, "key": "k", "kind": "orders", "merge_id": ANY, "number": "A-K99",
    "name": "daily-register", "other_id": ANY, "patient_id": ANY, "registration_id": ANY, "visit_id": ANY,
    "code": "stroke", "username": "tidak-ada", "key_id": ANY, "session_id": ANY, "allergy_id": ANY, "row_id": ANY,
    "delivery_id": ANY,
}  # fmt: skip


def test_the_table_names_every_call_once(operations: set[str]) -> None:
    named = [*TABLE["calls"], *TABLE["record"], *TABLE["apart"]]
    assert sorted(named) == sorted(operations)


@pytest.mark.parametrize("call", sorted(TABLE["calls"]))
def test_a_call_is_for_the_roles_of_the_table(
    callers: dict[str, httpx.Client], visits: dict[str, Seen], call: str
) -> None:
    expected = TABLE["calls"][call]
    names = {**PLAIN, "entry_id": visits["own"]["entries"]["D"], "patient_id": visits["own"]["patient_id"]}
    names["visit_id"] = visits["own"]["visit_id"]
    asked = ROLES if call not in STARTS_PROCESSES else [letter for letter in ROLES if letter not in expected]
    found = "".join(letter for letter in asked if outcome(ask(callers[letter], call, names)) != "-")
    assert found == ("" if call in STARTS_PROCESSES else expected)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_record_is_for_the_roles_and_situations_of_the_table(
    callers: dict[str, httpx.Client], visits: dict[str, Seen], situation: str
) -> None:
    seen = visits[situation]
    then = clock.now() + timedelta(hours=HOURS[situation])
    wrong: dict[str, tuple[str, str]] = {}
    with clock.frozen(lambda: then):
        for call, expected in TABLE["record"].items():
            for letter in ROLES:
                should = expected.get(letter, "----")[SITUATIONS.index(situation)]
                own = OWN_CLUSTER.get(letter, "UMUM")
                names = {
                    **{name: value for name, value in seen.items() if name != "entries"},
                    "entry_id": seen["entries"][letter],
                    "cluster": "GIGI" if situation == "other" else own,
                }
                got = outcome(ask(callers[letter], call, names))
                if got != should:
                    wrong[f"{letter} {call}"] = (should, got)
    assert wrong == {}


ANOTHER_CLINIC = """
import sys
from pathlib import Path
from core.accounts import sign_ins
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
Clinic.open(Settings(home=Path(sys.argv[1])))
print(sign_ins.sign_in("doctor", "demo", hours=24)[0])
"""


@pytest.fixture(scope="module")
def foreign_token(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A token of a clinic with the same accounts, made by a process of its own."""
    home = tmp_path_factory.mktemp("elsewhere") / "home"
    shutil.copytree(demo_home, home)
    made = subprocess.run(
        [sys.executable, "-c", ANOTHER_CLINIC, str(home)], check=True, capture_output=True, text=True
    )
    return made.stdout.split()[-1]


@pytest.mark.parametrize("token", ["none", "ended", "another clinic's"])
def test_without_a_sign_in_nothing_answers(
    server: Background, operations: set[str], visits: dict[str, Seen], token: str, foreign_token: str
) -> None:
    with Caller(server.url, "doctor") as caller:
        if token == "ended":
            assert caller.delete("tokens").status_code == 204
        elif token == "another clinic's":
            caller.headers["Authorization"] = f"Bearer {foreign_token}"
        else:
            del caller.headers["Authorization"]
        names = {**PLAIN, **{name: value for name, value in visits["own"].items() if name != "entries"}}
        answered = {
            call: code
            for call in sorted(operations - {"POST /tokens"})
            if (code := ask(caller, call, names).status_code) != 401
        }
    # Signing out twice is harmless: a terminal may not have heard the first answer.
    assert answered == ({} if token == "none" else {"DELETE /tokens": 204})


def test_the_routes_beside_the_api_are_named_and_tell_of_nobody(
    server: Background, operations: set[str], visits: dict[str, Seen], callers: dict[str, httpx.Client]
) -> None:
    card = _ok(callers["C"].get(f"patients/{visits['own']['patient_id']}"))
    people = {str(card[name]) for name in ("id", "name", "medical_record_number", "birth_date") if card[name]}
    beside = {
        f"{'*' if '{rest' in path else method} {path}"
        for method, path in _routes(server)
        if f"{method} {path.removeprefix('/api/v1')}" not in operations
    }
    assert beside == set(TABLE["beside"])
    for call in sorted(beside):
        method, path = call.split(" ", 1)
        names = {"poli": "UMUM", "day": "2026-01-01", "card": "0001", "code": "x"}
        address = path.replace("{rest:path}", "/x").format_map(names)
        if path == "/display/events":
            continue  # a stream: tests/server/test_display.py
        told = httpx.request("GET" if method == "*" else method, f"{server.url}{address}", json={})
        assert told.status_code < 500, call
        assert not [word for word in people if word in told.text], call


def _routes(server: Background) -> Iterator[tuple[str, str]]:
    for route in server._server.config.app.routes:  # type: ignore[union-attr]
        for method in getattr(route, "methods", None) or ():
            path = getattr(route, "path", "")
            if method != "HEAD" and not (path.endswith("/") and path != "/"):
                yield method, path


def test_the_page_shows_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "access.md"
    assert page.read_text(encoding="utf-8") == draw_access.page()
