"""A later change vouches for nothing that was written into a record behind Loket's back before it.

Of each kind of record that keeps no earlier versions two are made through the server; one of them is changed with
another program; then both are changed through the server by each call that does so.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.foundation import audit_check, audit_records
from core.foundation.config import Settings
from core.models import AuditEvent
from server.run import Background
from tests.people import Caller

ROOT = Path(__file__).parents[2]
PEOPLE = ("clerk", "dentist", "lab", "pharmacist", "admin", "supervisor")
PASSWORD = "kata sandi yang panjang"
Act = Callable[["Clinic", str], httpx.Response]


@dataclass
class Clinic:
    """A clinic, its people, and one visit in service."""

    people: dict[str, Caller]
    visit: str
    patient: str
    today: str
    in_a_month: str
    file: Path

    def act(self, who: str, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        answer = self.people[who].request(method, path, json=body, params=query or None)
        assert answer.is_success, (path, answer.text)
        return answer

    def made(self, who: str, path: str, body: Any) -> str:
        document = self.act(who, "POST", path, body).json()
        return str(document["id"])


def in_service(people: dict[str, Caller]) -> dict[str, Any]:
    receipt = people["clerk"].registered()
    for action in ("call", "start"):
        assert people["dentist"].act(receipt["ticket"]["id"], action).is_success
    return receipt


def public_key() -> str:
    key = Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


def account(clinic: Clinic, number: int) -> str:
    username = f"orang{number}"
    body = {"username": username, "name": f"Orang {number}", "role": "clerk", "password": PASSWORD}
    clinic.act("admin", "POST", "accounts", body)
    return username


def diagnosis(clinic: Clinic, number: int) -> str:
    code = ("K02.9", "K04.0", "K05.0", "J00", "I10", "E11.9", "A09", "R50.9")[number]
    return clinic.made("dentist", f"visits/{clinic.visit}/diagnoses", {"code": code, "confirm": True})


def prescription(clinic: Clinic, number: int) -> str:
    name = ("Parasetamol 500 mg", "Vitamin C 50 mg", "Zink 20 mg", "Asam folat 1 mg")[number]
    body = {"medicine": name, "dose": "1 tablet", "frequency": "1x sehari", "amount": "5", "confirmed": []}
    return clinic.made("dentist", f"visits/{clinic.visit}/prescriptions", body)


def order(clinic: Clinic, number: int, result: str = "") -> str:
    made = clinic.made(
        "dentist", f"visits/{in_service(clinic.people)['visit_id']}/orders", {"test": "Kalium"}
    )
    if result:
        clinic.act("lab", "POST", f"orders/{made}/result", {"result": result})
    return made


def critical(clinic: Clinic, number: int) -> str:
    return order(clinic, number, "9")


def resulted(clinic: Clinic, number: int) -> str:
    return order(clinic, number, "4")


def allergy(clinic: Clinic, number: int) -> str:
    body = {"substance": ("Udang", "Lateks")[number]}
    return clinic.made("dentist", f"patients/{clinic.patient}/allergies", body)


def procedure(clinic: Clinic, number: int) -> str:
    found = clinic.act("dentist", "GET", "procedures", q="cabut gigi").json()
    return clinic.made("dentist", f"visits/{clinic.visit}/procedures", {"code": found[0]["code"]})


def immunisation(clinic: Clinic, number: int) -> str:
    body = {
        "vaccine": "Vaksin BCG", "dose_number": 1 + number, "lot_number": "X1", "expires_on": clinic.in_a_month,
    }  # fmt: skip
    return clinic.made("dentist", f"visits/{clinic.visit}/immunisations", body)


def key(clinic: Clinic, number: int) -> str:
    return clinic.made(
        "admin", "accounts/clerk/keys", {"public_key": public_key(), "label": f"kunci {number}"}
    )


def approval(clinic: Clinic, number: int) -> str:
    day = (clinic.today, clinic.in_a_month)[number]
    return clinic.made(
        "admin", f"reports/daily-register/requests?date={day}", {"reason": "untuk dinas kesehatan"}
    )


def right(clinic: Clinic, number: int) -> str:
    body = {
        "role": ("lab", "pharmacist")[number],
        "permission": "read_notes",
        "granted": True,
        "reason": "uji coba",
    }
    return clinic.made("admin", "rights/changes", body)


def struck(kind: str) -> Act:
    return lambda clinic, id_: clinic.act(
        "dentist", "DELETE", f"visits/{clinic.visit}/{kind}/{id_}", reason="salah pasien"
    )


def sent(who: str, method: str, path: str, body: Any = None, **query: str) -> Act:
    return lambda clinic, id_: clinic.act(who, method, path.format(id_), body, **query)


NAME = "name = 'Orang Lain'"
REVOKED = {"reason": "salah pasien"}
CASES: dict[str, tuple[str, Callable[[Clinic, int], str], str, Act]] = {
    "diagnosis struck": ("diagnosis", diagnosis, "code = 'Z00.0'", struck("diagnoses")),
    "prescription dispensed": (
        "prescription", prescription, "dose = '9 tablet'", sent("pharmacist", "POST", "prescriptions/{}/dispense", {}),
    ),
    "prescription revoked": (
        "prescription", lambda clinic, number: prescription(clinic, 2 + number), "amount = '900'",
        sent("dentist", "DELETE", "prescriptions/{}", **REVOKED),
    ),
    "result entered": ("order", order, "note = 'x'", sent("lab", "POST", "orders/{}/result", {"result": "4,4"})),
    "result corrected": (
        "order", resulted, "result = '7,9'", sent("lab", "POST", "orders/{}/result", {"result": "4,4"}),
    ),
    "result taken back": (
        "order", resulted, "result = '7,8'", sent("lab", "DELETE", "orders/{}/result", **REVOKED),
    ),
    "result told": (
        "order", critical, "result = '4'", sent("lab", "POST", "orders/{}/acknowledge", {"told": "drg. Maya"}),
    ),
    "order revoked": ("order", order, "note = 'y'", sent("dentist", "DELETE", "orders/{}", **REVOKED)),
    "allergy struck": ("allergy", allergy, "substance = 'Telur'", sent("dentist", "POST", "allergies/{}/void", REVOKED)),
    "procedure struck": ("procedure", procedure, "title = 'lain'", struck("procedures")),
    "immunisation struck": ("immunisation", immunisation, "lot_number = 'Z9'", struck("immunisations")),
    "account renamed": ("account", account, "role = 'admin'", sent("admin", "PATCH", "accounts/{}", {"name": "Baru"})),
    "account disabled": ("account", lambda clinic, number: account(clinic, 10 + number), NAME, sent("admin", "POST", "accounts/{}/disable")),
    "account enabled": ("account", lambda clinic, number: account(clinic, 20 + number), NAME, sent("admin", "POST", "accounts/{}/enable")),
    "password set": (
        "account", lambda clinic, number: account(clinic, 30 + number), "password_hash = '$argon2id$x'",
        sent("admin", "POST", "accounts/{}/password", {"password": PASSWORD + " lain"}),
    ),
    "key removed": ("account_key", key, "public_key = 'ssh-ed25519 AAAA'", sent("admin", "DELETE", "accounts/clerk/keys/{}")),
    "request approved": ("approval", approval, "reason = 'lain sekali'", sent("supervisor", "POST", "approvals/{}/approve")),
    "right approved": ("rights_change", right, "permission = 'write_records'", sent("supervisor", "POST", "rights/changes/{}/approve")),
}  # fmt: skip
"""Name -> kind, how it is made, what is written behind Loket's back, and the call that changes it afterwards."""


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Iterator[Clinic]:
    home = tmp_path_factory.mktemp("changes") / "home"
    shutil.copytree(demo_home, home)
    with Background(Settings(home=home)) as server, ExitStack() as stack:
        people = {name: stack.enter_context(Caller(server.url, name)) for name in PEOPLE}
        receipt = in_service(people)
        today = server.clinic.today()
        yield Clinic(
            people, receipt["visit_id"], receipt["patient_id"], today.isoformat(),
            (today + timedelta(days=30)).isoformat(), home / "loket.sqlite3",
        )  # fmt: skip


@pytest.fixture(scope="module")
def found(clinic: Clinic) -> dict[str, tuple[list[str], list[str]]]:
    """Case -> problems of the record that was tampered with, and of the one beside it."""
    made = {name: [make(clinic, number) for number in (0, 1)] for name, (_, make, _, _) in CASES.items()}
    assert audit_check.verify().problems == []
    file = apsw.Connection(str(clinic.file))
    file.set_busy_timeout(10_000)
    for name, (kind, _, what, _) in CASES.items():
        column = "username" if kind == "account" else "id"
        file.execute(f'UPDATE "{kind}" SET {what} WHERE {column} = ?', (made[name][0],))
    file.close()
    for name, (_, _, _, change) in CASES.items():
        for id_ in made[name]:
            change(clinic, id_)
    ids = {
        row.detail["username"]: row.target for row in AuditEvent.select() if row.action == "account_created"
    }
    problems = audit_check.verify().problems

    def of(made_as: str) -> list[str]:
        return [problem.code for problem in problems if problem.target == ids.get(made_as, made_as)]

    return {name: (of(tampered), of(untouched)) for name, (tampered, untouched) in made.items()}


@pytest.mark.parametrize("name", CASES)
def test_what_was_written_behind_lokets_back_shows_after_the_next_change(
    name: str, found: dict[str, tuple[list[str], list[str]]]
) -> None:
    tampered, untouched = found[name]
    assert set(tampered) == {"record_changed"}
    assert untouched == []


def test_each_kind_that_is_changed_has_a_case() -> None:
    assert {kind for kind, *_ in CASES.values()} == audit_records.CHANGED


def test_no_reader_of_the_log_sees_the_hashes(
    clinic: Clinic, found: dict[str, tuple[list[str], list[str]]]
) -> None:
    lines = clinic.act("supervisor", "GET", "audit", action="dispensed").json()
    assert lines
    assert audit_records.HASH_BEFORE not in str(lines)


TABLES = {table.__name__ for kind, table in audit_records.TABLES.items() if kind in audit_records.CHANGED}
GENERIC = {"table"}
"""Names of variables that stand for one of several tables."""


def changers() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sorted((ROOT / "core").rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(map(is_change, ast.walk(node))):
                yield f"{path.stem}.{node.name}", node


def is_change(node: ast.AST) -> bool:
    """Return whether a node is `Table.update(...)` of a table that is bound."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    owner = node.func.value
    return node.func.attr == "update" and isinstance(owner, ast.Name) and owner.id in TABLES | GENERIC


ANNOUNCED_BY_CALLER = {"laboratory._write", "laboratory._keep_told"}
UNBOUND_COLUMNS = {
    "service.choose_service_point", "second_factor.take", "medicine_gate.tell_of_allergies", "merging._merge",
    "merging.undo", "pcare_views.send_again",
}  # fmt: skip
"""Places that write only columns that no hash covers."""


def test_every_change_of_a_bound_table_is_announced() -> None:
    silent = {
        name
        for name, function in changers()
        if not any(
            isinstance(each, ast.Attribute) and each.attr == "about_to_change" for each in ast.walk(function)
        )
    }
    assert silent == ANNOUNCED_BY_CALLER | UNBOUND_COLUMNS
