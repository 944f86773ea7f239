"""Quotation marks and statements in every text that a call takes: they reach the database as values, never as SQL.

The calls come from the OpenAPI document, so that a new one is tried without a line here. Each text of its address,
its query and its body is replaced in turn, in a request that its shape accepts otherwise.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import apsw
import httpx
import pytest

from core.models import Account, Patient, QueueEntry, Visit
from server.run import Background
from tests.people import Caller, registration
from tests.server.test_access_table import BODIES, PEOPLE, PLAIN, STARTS_PROCESSES, TABLE
from tests.server.test_contract import LEFT_OUT

ATTACKS = (
    "zq' OR '1'='1",
    "zq'; DROP TABLE patient; --",
    'zq"',
    "zq') UNION SELECT username FROM account --",
)
SHORT = "zq'"
MARK = re.compile(r"zq['\";]")
LEFT = {
    "POST /tokens",
    *STARTS_PROCESSES,
    *(f"{method} {path.removeprefix('/api/v1')}" for method, path in LEFT_OUT),
}


class Statements:
    """What SQLite is given, on every connection."""

    def __init__(self) -> None:
        self.spoilt: list[str] = []
        """Statements in whose text an attack stands."""
        self.bound = 0
        """Statements with an attack among their values."""

    def saw(self, _cursor: apsw.Cursor, statement: str, values: Any) -> bool:
        if MARK.search(statement):
            self.spoilt.append(statement)
        given = values.values() if isinstance(values, dict) else values or ()
        self.bound += any(isinstance(value, str) and MARK.search(value) is not None for value in given)
        return True


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """Installed before the server opens its connections."""
    seen = Statements()

    def watch(connection: apsw.Connection) -> None:
        connection.exec_trace = seen.saw

    monkeypatch.setattr(apsw, "connection_hooks", [*apsw.connection_hooks, watch])
    return seen


@pytest.fixture
def attacked(statements: Statements, server: Background) -> Background:
    return server


def texts(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to the texts of a body."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield from texts(value, (*path, name))
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield from texts(value, (*path, place))
    elif isinstance(body, str):
        yield path


def put(body: Any, path: tuple[Any, ...], value: str) -> Any:
    changed = copy.deepcopy(body)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


def shaped(schema: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
    """Names of a body's plain texts with an empty one each, as its shape lists them."""
    schema = shapes[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    found = {}
    for name, item in schema.get("properties", {}).items():
        kinds = [item, *item.get("anyOf", [])]
        if any(kind.get("type") == "string" and "format" not in kind for kind in kinds):
            found[name] = ""
    return found


def requests(document: dict[str, Any], known: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each call with each of its texts attacked: the call, and httpx's arguments."""
    shapes = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            call = f"{method.upper()} {path.removeprefix('/api/v1')}"
            if call in LEFT:
                continue
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            body = BODIES[call]() if call in BODIES else {}
            if content is not None:
                body = {**shaped(content["schema"], shapes), **body}
            names = [item["name"] for item in operation.get("parameters", []) if item["in"] == "path"]
            queries = [item["name"] for item in operation.get("parameters", []) if item["in"] == "query"]
            plain = {name: known.get(name, PLAIN.get(name, "x")) for name in names}
            for attack in ATTACKS:
                for name in names:
                    yield call, asked(method, path, plain | {name: attack}, body or None, {})
                for name in queries:
                    yield call, asked(method, path, plain, body or None, {name: attack})
            for at in texts(body):
                for attack in (ATTACKS[1], SHORT):
                    kept = {name: value for name, value in put(body, at, attack).items() if value != ""}
                    yield call, asked(method, path, plain, kept, {})


def asked(
    method: str, path: str, names: dict[str, str], body: dict[str, Any] | None, query: dict[str, str]
) -> dict[str, Any]:
    address = path.removeprefix("/api/v1/").format_map(
        {name: quote(value, safe="") for name, value in names.items()}
    )
    return {"method": method.upper(), "url": address, "json": body, "params": query}


def test_no_text_of_a_call_becomes_sql(attacked: Background, statements: Statements) -> None:
    callers = {letter: Caller(attacked.url, name) for letter, name in PEOPLE.items()}
    receipt = (
        callers["C"].post("registrations", json=registration(cluster="UMUM", override_reason="contoh")).json()
    )
    known = {
        "patient_id": receipt["patient_id"], "visit_id": receipt["visit_id"], "entry_id": receipt["ticket"]["id"],
        "registration_id": receipt["registration_id"], "username": "dentist",
    }  # fmt: skip
    counted = [table.select().count() for table in (Patient, Visit, QueueEntry, Account)]
    document = httpx.get(f"{attacked.url}/openapi.json").json()
    allowed = {**TABLE["calls"]}
    tried = 0
    for call, arguments in requests(document, known):
        letters = [letter for letter in allowed.get(call, "DCA") if letter in callers] or ["A"]
        answer = callers[letters[0]].request(**arguments)
        assert answer.status_code < 500 or answer.json()["code"] == "no_printer", (
            call,
            arguments,
            answer.text,
        )
        tried += 1
    assert statements.spoilt == []
    assert tried > 500
    assert statements.bound > 200  # the attacks did reach the database, as values
    after = [table.select().count() for table in (Patient, Visit, QueueEntry, Account)]
    assert all(now >= before for now, before in zip(after, counted, strict=True))
    for caller in callers.values():
        caller.close()


@pytest.mark.parametrize("attack", ["' OR '1'='1", "x' OR 1=1 --", "%' OR name LIKE '%", "_" * 16, "%"])
@pytest.mark.parametrize("path", ["patients", "villages"])
def test_a_search_finds_no_more_by_sql(clerk: Caller, path: str, attack: str) -> None:
    """Wildcards and conditions are looked for as they are written: nobody is called that."""
    found = clerk.get(path, params={"q": attack}).json()
    everybody = clerk.get(path, params={"q": "a"}).json() or [None] * 20
    assert len(found) < max(2, len(everybody)), found


def test_mobile_jkn_and_the_pages_pass_values_too(statements: Statements, settings: Any) -> None:
    signed = settings.model_copy(update={"jkn_username": "bpjs", "jkn_password": "rahasia"})
    with Background(signed) as server, httpx.Client(base_url=server.url) as bpjs:
        token = bpjs.get("/auth", headers={"x-username": "bpjs", "x-password": "rahasia"}).json()["response"][
            "token"
        ]
        headers = {"x-token": token, "x-username": "bpjs"}
        body = {
            "nomorkartu": "0000000000017", "nik": "6371011708900001", "kodepoli": "002", "keluhan": "gigi",
            "tanggalperiksa": "2099-01-01", "nama": "Budi", "jeniskelamin": "L", "tanggallahir": "1990-08-17",
            "nomorkk": "", "nohp": "", "alamat": "", "kodekel": "", "namakel": "", "rt": "", "rw": "",
            "keterangan": "", "kodedokter": "", "jampraktek": "", "norm": "",
        }  # fmt: skip
        for name in body:
            for attack in (*ATTACKS, SHORT):
                for method, path in (("POST", "/antrean"), ("PUT", "/antrean/batal"), ("POST", "/peserta")):
                    answer = bpjs.request(method, path, json=body | {name: attack}, headers=headers)
                    assert answer.status_code == 200, answer.text
        for attack in ATTACKS:
            marked = quote(attack, safe="")
            for path in (f"/antrean/status/{marked}/2099-01-01", f"/antrean/sisapeserta/{marked}/002/2099-01-01",
                         f"/ticket/{marked}", f"/t/{marked}", f"/display?cluster={marked}"):  # fmt: skip
                assert bpjs.get(path, headers=headers).status_code < 500
    assert statements.spoilt == []
    assert statements.bound
