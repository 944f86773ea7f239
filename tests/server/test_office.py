"""The office over real HTTP: what it takes, what it refuses, what it shows to whom."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class

from core.exchange.fhir import DAY_TAG, Names
from core.exchange.manifests import Totals
from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import database as clinic_database
from core.foundation.errors import NotFoundError, SettingsError
from server.office import uploads
from server.office.app import add_clinic, bar_clinic, create_office_app, list_clinics, open_office
from server.office.models import OfficeClinic, connection
from tests.core.days import open_clinic
from tests.server.offices import CODE, Office

NAMES = Names(CODE)


@pytest.fixture
def caller(office: Office) -> Iterator[httpx.Client]:
    with office.client() as client:
        yield client


def entry(names: Names, resource: dict[str, Any], value: str, **request: str) -> dict[str, Any]:
    kind = resource["resourceType"]
    identifier = names.identifier(kind, value)
    return {
        "resource": {"identifier": [identifier], **resource},
        "request": request or {"method": "PUT", "url": names.query(kind, value)},
    }


def patient(names: Names = NAMES, value: str = "00000001", **changes: Any) -> dict[str, Any]:
    base = {
        "resourceType": "Patient",
        "name": [{"text": "Contoh"}],
        "gender": "female",
        "birthDate": "1990-01-01",
    }
    return entry(names, {**base, **changes}, value)


def organization(names: Names = NAMES) -> dict[str, Any]:
    return entry(names, {"resourceType": "Organization", "name": "Puskesmas Contoh"}, names.facility_code)


def encounter(names: Names = NAMES, value: str = "v1", **changes: Any) -> dict[str, Any]:
    base = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": names.reference("Patient", "00000001"),
        "period": {"start": "2026-03-02T01:00:00+00:00"},
        "serviceProvider": names.reference("Organization", names.facility_code),
    }
    return entry(names, {**base, **changes}, value)


def condition(
    names: Names = NAMES, value: str = "v1-I10", code: str = "I10", visit: str = "v1"
) -> dict[str, Any]:
    return entry(
        names,
        {
            "resourceType": "Condition",
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code}]},
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "subject": names.reference("Patient", "00000001"),
            "encounter": names.reference("Encounter", visit),
        },
        value,
    )


def bundle(*entries: dict[str, Any], day: str | None = "2026-03-02", **changes: Any) -> dict[str, Any]:
    meta = {"meta": {"tag": [{"system": DAY_TAG, "code": day}]}} if day else {}
    return {"resourceType": "Bundle", "type": "transaction", **meta, "entry": list(entries), **changes}


def statuses(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [found["response"]["status"] for found in answer.json()["entry"]]


def test_a_bundle_is_stored_and_answered_entry_by_entry(office: Office, caller: httpx.Client) -> None:
    answer = caller.post("/fhir", json=bundle(organization(), patient(), encounter(), condition()))
    assert answer.json()["type"] == "transaction-response"
    get_fhir_model_class("Bundle").model_validate(answer.json())
    assert statuses(answer) == ["201"] * 4
    assert answer.json()["entry"][1]["response"]["etag"] == 'W/"1"'
    again = caller.post("/fhir", json=bundle(organization(), patient(), encounter(), condition()))
    assert statuses(again) == ["200"] * 4
    assert again.json()["entry"][1]["response"]["etag"] == 'W/"1"'
    changed = caller.post("/fhir", json=bundle(patient(gender="male")))
    assert changed.json()["entry"][0]["response"]["etag"] == 'W/"2"'
    assert len(office.held()) == 4


def test_a_poisoned_entry_is_refused_with_its_outcome_and_the_rest_stored(
    office: Office, caller: httpx.Client
) -> None:
    poisoned = patient(value="00000002", birthDate="kemarin")
    answer = caller.post("/fhir", json=bundle(organization(), patient(), poisoned, encounter()))
    assert statuses(answer) == ["201", "201", "422", "201"]
    outcome = answer.json()["entry"][2]["response"]["outcome"]
    assert outcome["issue"][0]["expression"] == ["Patient.birthDate"]
    get_fhir_model_class("OperationOutcome").model_validate(outcome)
    assert "Patient/00000002" not in office.held()


def test_strict_handling_stores_all_or_nothing(office: Office, caller: httpx.Client) -> None:
    answer = caller.post(
        "/fhir", json=bundle(patient(), patient(value="2", gender="x")), headers={"Prefer": "handling=strict"}
    )
    assert answer.status_code == 422
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert office.held() == {}


def test_what_mentions_something_unknown_or_refused_is_refused_with_it(
    office: Office, caller: httpx.Client
) -> None:
    answer = caller.post("/fhir", json=bundle(organization(), encounter(), condition()))
    assert statuses(answer) == ["201", "422", "422"]
    assert "does not resolve" in answer.json()["entry"][2]["response"]["outcome"]["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    "bad",
    [
        {"resource": None},
        {"resource": []},
        {"resource": {"resourceType": "Patient"}},
        {"resource": {"resourceType": "Medication"}, "request": {"method": "PUT", "url": "Medication/1"}},
        {**patient(), "request": {"method": "DELETE", "url": "Patient/1"}},
        {**patient(), "request": {"method": "PUT", "url": "Patient/1"}},
        {**patient(), "request": "PUT"},
        {**patient(), "request": {"method": "PUT", "url": NAMES.query("Patient", "00000009")}},
        patient(name=[]),
        patient(gender="P"),
        patient(identifier=[{"system": "https://fhir.kemkes.go.id/id/nik", "value": "12"}]),
        encounter(period={}),
        encounter(period="today"),
        encounter(period={"start": "2026-03-02"}),
        encounter(status="done"),
        encounter(subject={"reference": "Patient/1"}),
        condition(code="sakit"),
        {**condition(), "resource": {**condition()["resource"], "code": "I10"}},
        {**condition(), "resource": {**condition()["resource"], "code": {"coding": "I10"}}},
        {**patient(), "resource": {**patient()["resource"], "identifier": "x"}},
    ],
)
def test_odd_entries_are_refused_and_never_an_error_of_the_server(
    office: Office, caller: httpx.Client, bad: dict[str, Any]
) -> None:
    answer = caller.post("/fhir", json=bundle(organization(), patient(), bad))
    assert statuses(answer)[2] == "422"
    assert len(office.held()) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[1]", 400),
        (b"[" * 100_000, 400),
        (json.dumps({"resourceType": "Patient"}).encode(), 400),
        (json.dumps(bundle(type="collection")).encode(), 422),
        (json.dumps(bundle(day="someday")).encode(), 422),
        (json.dumps(bundle() | {"entry": "x"}).encode(), 413),
    ],
)
def test_odd_bodies_are_refused_as_a_whole(caller: httpx.Client, body: bytes, status: int) -> None:
    answer = caller.post("/fhir", content=body)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_batch_and_post_if_none_exist_are_understood(office: Office, caller: httpx.Client) -> None:
    identifier = NAMES.query("Patient", "00000001").partition("?")[2]
    only_new = {**patient(), "request": {"method": "POST", "url": "Patient", "ifNoneExist": identifier}}
    assert statuses(caller.post("/fhir", json=bundle(only_new, type="batch"))) == ["201"]
    before = office.held()
    changed = {**only_new, "resource": {**only_new["resource"], "gender": "male"}}
    assert statuses(caller.post("/fhir", json=bundle(changed))) == ["200"]
    assert office.held() == before


def test_gzip_is_taken_and_its_damage_and_size_refused(
    office: Office, caller: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(json.dumps(bundle(patient())).encode())
    headers = {"Content-Encoding": "gzip"}
    assert caller.post("/fhir", content=packed, headers=headers).status_code == 200
    for damaged in (packed[:-9], b"x" + packed, packed[: len(packed) // 2]):
        assert caller.post("/fhir", content=damaged, headers=headers).status_code == 400
    bomb = gzip.compress(b" " * 60 * 2**20)
    assert caller.post("/fhir", content=bomb, headers=headers).status_code == 413
    assert caller.post("/fhir", content=b" " * (9 * 2**20)).status_code == 413


def test_a_clinic_writes_and_reads_only_its_own(office: Office, caller: httpx.Client) -> None:
    caller.post("/fhir", json=bundle(patient()))
    other = Names("P0000000002")
    assert statuses(caller.post("/fhir", json=bundle(patient(other)))) == ["422"]
    token = add_clinic(office.settings, "P0000000002", "Lain")
    with office.client(token) as second:
        assert statuses(second.post("/fhir", json=bundle(patient(other)))) == ["201"]
        assert second.get("/fhir/Patient").json()["total"] == 1
        foreign = caller.get("/fhir/Patient").json()["entry"][0]["resource"]["id"]
        assert second.get(f"/fhir/Patient/{foreign}").status_code == 404
    viewer = (office.settings.home / "office.password").read_text().strip()
    with office.client(viewer) as reader:
        assert reader.get("/fhir/Patient").json()["total"] == 2
        assert reader.post("/fhir", json=bundle()).status_code == 401


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}])
def test_without_a_token_nothing_is_taken_or_shown(office: Office, header: dict[str, str]) -> None:
    for method, path in (
        ("POST", "/fhir"),
        ("POST", "/fhir/manifests"),
        ("GET", "/fhir/Patient"),
        ("GET", "/fhir/Patient/1"),
    ):
        answer = httpx.request(method, office.url + path, headers=header)
        assert answer.status_code == 401, path


def test_tokens_are_kept_as_hashes_and_a_new_one_ends_the_old(office: Office) -> None:
    files = b"".join(path.read_bytes() for path in office.settings.home.iterdir() if path.is_file())
    assert office.token.encode() not in files
    renewed = add_clinic(office.settings, CODE, "Puskesmas Contoh")
    for token, status in ((office.token, 401), (renewed, 200)):
        with office.client(token) as client:
            assert client.get("/fhir/Patient").status_code == status


def test_searches_by_identifier_count_and_page(caller: httpx.Client) -> None:
    caller.post("/fhir", json=bundle(*[patient(value=f"{number:08d}") for number in range(7)]))
    system = NAMES.system("Patient")
    found = caller.get("/fhir/Patient", params={"identifier": f"{system}|00000003"}).json()
    assert [item["resource"]["identifier"][0]["value"] for item in found["entry"]] == ["00000003"]
    assert caller.get("/fhir/Patient", params={"_summary": "count"}).json() == {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 7,
    }
    pages = []
    address = "/fhir/Patient?_count=3"
    while address:
        page = caller.get(address).json()
        get_fhir_model_class("Bundle").model_validate(page)
        pages.append([item["resource"]["identifier"][0]["value"] for item in page["entry"]])
        address = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [value for page in pages for value in page] == [f"{number:08d}" for number in range(7)]
    assert caller.get("/fhir/Nothing").status_code == 404
    one = caller.get(f"/fhir/Patient/{found['entry'][0]['resource']['id']}")
    assert one.headers["etag"] == 'W/"1"'
    get_fhir_model_class("Patient").model_validate(one.json())


def test_the_capability_statement_is_valid(office: Office) -> None:
    document = httpx.get(f"{office.fhir}/metadata").json()
    get_fhir_model_class("CapabilityStatement").model_validate(document)
    assert {"transaction", "batch"} <= {item["code"] for item in document["rest"][0]["interaction"]}


def test_searches_by_patient_day_code_and_change(caller: httpx.Client) -> None:
    caller.post("/fhir", json=bundle(organization(), patient(), encounter(), condition()))

    def found(address: str) -> int:
        answer = caller.get(f"/fhir/{address}")
        assert answer.status_code == 200, answer.text
        return len(answer.json()["entry"])

    key = caller.get("/fhir/Patient").json()["entry"][0]["resource"]["id"]
    for address, expected in {
        f"Patient?_id={key}": 1,
        "Patient?_id=999,0": 0,
        "Encounter?patient=00000001": 1,
        f"Encounter?subject=Patient?identifier={NAMES.system('Patient')}|00000001": 1,
        "Encounter?subject=00000002": 0,
        "Encounter?status=finished": 1,
        "Encounter?status=planned,cancelled": 0,
        "Encounter?date=2026-03-02": 1,
        "Encounter?date=ge2026-03-01&date=lt2026-03-03": 1,
        "Encounter?date=gt2026-03-02": 0,
        "Condition?code=I10": 1,
        "Condition?code=http://hl7.org/fhir/sid/icd-10|A09": 0,
        "Condition?_lastUpdated=ge2026-01-01": 1,
        "Condition?_lastUpdated=ge2999-01-01T00:00:00Z": 0,
        f"Patient?identifier={Names('P0000000009').system('Patient')}|00000001": 0,
        "Patient?identifier=http://somebody/else|00000001": 0,
    }.items():
        assert found(address) == expected, address


@pytest.mark.parametrize("query", ["name=Siti", "patient=1&birthdate=1990-01-01", "date=yesterday", "_id="])
def test_what_is_not_searched_by_is_refused_rather_than_left_out(caller: httpx.Client, query: str) -> None:
    answer = caller.get(f"/fhir/Encounter?{query}")
    assert answer.status_code == 400
    get_fhir_model_class("OperationOutcome").model_validate(answer.json())


def test_a_full_office_says_when_to_come_again(
    office: Office, caller: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "ARRIVING", 0)
    answer = caller.post("/fhir", json=bundle(patient()))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    monkeypatch.undo()
    assert caller.post("/fhir", json=bundle(patient())).status_code == 200


@contextmanager
def half_sent(office: Office) -> Iterator[socket.socket]:
    """A line that dies in the middle of a body and tells nobody."""
    address = office.settings.office_http
    with socket.create_connection((address.host, address.port), timeout=30) as line:
        head = f"POST /fhir HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {office.token}\r\nContent-Length: 5000\r\n\r\n"
        line.sendall(head.encode() + b'{"resourceType"')
        yield line


def test_lines_that_died_half_way_keep_nobody_out(
    office: Office, caller: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SILENT_SECONDS", 1.0)
    with ExitStack() as lines:
        dead = [lines.enter_context(half_sent(office)) for _ in range(uploads.AT_ONCE * 2)]
        assert caller.post("/fhir", json=bundle(patient())).status_code == 200
        for line in dead:  # and they are let go
            assert b" 408 " in line.recv(200)


def test_a_clinics_token_ends_and_a_new_one_lets_it_in_again(office: Office) -> None:
    with office.client() as client:
        assert client.post("/fhir", json=bundle(patient())).status_code == 200
        bar_clinic(office.settings, CODE)
        assert client.post("/fhir", json=bundle(patient())).status_code == 401
    assert [(row["code"], row["barred"]) for row in list_clinics(office.settings)] == [(CODE, True)]
    fresh = add_clinic(office.settings, CODE, "Puskesmas Contoh")
    with office.client() as client:
        assert client.post("/fhir", json=bundle(patient())).status_code == 401
    with office.client(fresh) as client:
        assert client.post("/fhir", json=bundle(patient())).status_code == 200
    with pytest.raises(NotFoundError):
        bar_clinic(office.settings, "P9999999999")


def test_a_failed_request_gives_its_place_back(office: Office, caller: httpx.Client) -> None:
    for _ in range(20):
        caller.post("/fhir", content=b"nonsense")
    assert caller.post("/fhir", json=bundle(patient())).status_code == 200


def test_an_audit_log_that_was_cut_is_refused_and_shown(office: Office, caller: httpx.Client) -> None:
    def told(head: str) -> bool:
        word = {"day": "2026-11-23", "counts": {}, "hashes": {}}
        answer = caller.post("/fhir/manifests", json=word, headers={"X-Loket-Audit-Head": head})
        return bool(answer.json()["audit"]["accepted"])

    a, b = "a" * 64, "b" * 64
    assert told(f"100 {a} 0 -")
    assert told(f"120 {b} 100 {a}")
    assert not told(f"110 {a} 100 {a}")
    assert not told(f"130 {a} 120 {a}")
    with connection():
        assert OfficeClinic.get(OfficeClinic.audit_count == 120).audit_refused_at is not None
    assert told(f"130 {a} 120 {b}")


def test_manifests_agree_or_say_what_differs(office: Office, caller: httpx.Client) -> None:
    caller.post("/fhir", json=bundle(organization(), patient(), encounter(), condition()))
    totals = Totals()
    held = {key: known for key, known in office.held().items() if not key.startswith("Organization")}
    for key, known in held.items():
        totals.add(key, known)
    word = {"day": "2026-03-02", "counts": totals.counts, "hashes": totals.hashes()}
    assert caller.post("/fhir/manifests", json=word).json()["agrees"] is True
    wrong = {**word, "counts": {**totals.counts, "Condition": 2}}
    answer = caller.post("/fhir/manifests", json=wrong).json()
    assert (answer["agrees"], answer["differ"]) == (False, ["Condition"])
    mine = {**held, "Encounter/v2": "00", "Condition/v1-I10": "11"}
    del mine["Patient/00000001"]
    answer = caller.post("/fhir/manifests", json={**wrong, "records": mine}).json()
    assert (answer["missing"], answer["different"], answer["extra"]) == (
        ["Encounter/v2"],
        ["Condition/v1-I10"],
        ["Patient/00000001"],
    )
    empty = {"day": "2026-03-03", "counts": {}, "hashes": {}}
    assert caller.post("/fhir/manifests", json=empty).json()["agrees"] is True
    assert caller.post("/fhir/manifests", json={"day": "x"}).status_code == 400


def test_the_page_sums_up_the_city_and_masks_identity_numbers(office: Office, caller: httpx.Client) -> None:
    nik = {"system": "https://fhir.kemkes.go.id/id/nik", "value": "6371014101900001"}
    other = Names("P0000000002")
    token = add_clinic(office.settings, "P0000000002", "Puskesmas <Lain>")
    for names, key in ((NAMES, office.token), (other, token)):
        identifier = names.identifier("Patient", "00000001")
        with office.client(key) as client:
            made = bundle(
                organization(names),
                patient(names, identifier=[identifier, nik]),
                encounter(names),
                condition(names),
            )
            assert statuses(client.post("/fhir", json=made)) == ["201"] * 4
    page = office.page()
    assert page.status_code == 200
    assert "Puskesmas &lt;Lain&gt;" in page.text
    assert "<svg" in page.text
    assert "I10" in page.text
    assert "637101••••••0001" in page.text
    assert nik["value"] not in page.text
    assert "Contoh</td>" in page.text
    visits = office.page("/csv/visits.csv").text.splitlines()
    assert visits[-1] == "2026-03-02,2"
    assert office.page("/csv/diseases.csv").text.splitlines()[1] == "I10,2,Hipertensi (darah tinggi)"
    for name in ("clinics", "waits", "duplicates"):
        assert office.page(f"/csv/{name}.csv").status_code == 200
    assert office.page("/csv/secrets.csv").status_code == 404


@pytest.mark.parametrize(
    ("accepted", "title"),
    [
        ("", "Dinas Kesehatan Kota"),
        ("id,en;q=0.5", "Dinas Kesehatan Kota"),
        ("en-GB,en;q=0.9,id;q=0.8", "City Health Office"),
        ("de-DE,de;q=0.9", "Dinas Kesehatan Kota"),
    ],
)
def test_the_page_speaks_the_browsers_language(office: Office, accepted: str, title: str) -> None:
    page = office.page(headers={"Accept-Language": accepted})
    assert f"<h1>{title}</h1>" in page.text
    assert page.headers["vary"].startswith("Accept-Language") or "Accept-Language" in page.headers["vary"]


def test_an_empty_office_has_a_page_too(office: Office) -> None:
    assert office.page().status_code == 200


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "192.0.2.1"}, {"Host": "127.0.0.1"}])
def test_the_page_needs_the_password_always(office: Office, headers: dict[str, str]) -> None:
    """B11: a proxy that says nothing of itself is a caller on this machine."""
    for path in ("", "/csv/duplicates.csv"):
        assert httpx.get(f"{office.url}{path}", headers=headers).status_code == 401
        assert httpx.get(f"{office.url}{path}", headers=headers, auth=("office", "x")).status_code == 401
        assert office.page(path, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8470", "127.0.0.1.evil.example", "", "[evil]"]
)
def test_the_office_answers_to_its_own_names_only(office: Office, caller: httpx.Client, host: str) -> None:
    """B11, C8: a foreign name can be made to point here, and would stand in the links of a search."""
    for path in ("/", "/fhir/Patient", "/fhir/metadata", "/healthz"):
        assert caller.get(path, headers={"Host": host}).status_code == 421, path
    for own in ("127.0.0.1", "localhost:1", "[::1]:8470", "192.0.2.7"):
        assert caller.get("/healthz", headers={"Host": own}).status_code == 200, own


def test_the_office_answers_to_the_names_of_its_setting(tmp_path: Path) -> None:
    running = Office(tmp_path / "office", office_hosts="office.example, kota.example")
    try:
        for host, status in (("Kota.Example:443", 200), ("other.example", 421)):
            assert httpx.get(f"{running.url}/healthz", headers={"Host": host}).status_code == status
    finally:
        running.stop()


def test_who_guesses_has_to_wait_and_a_clinic_beside_is_heard(office: Office, caller: httpx.Client) -> None:
    """C8: wrong passwords and tokens of one address; a good token cannot be guessed and always is heard."""
    statuses_ = [httpx.get(office.url, auth=("office", "x")).status_code for _ in range(6)]
    statuses_ += [
        httpx.get(f"{office.fhir}/Patient", headers={"Authorization": "Bearer x"}).status_code
        for _ in range(6)
    ]
    assert statuses_ == [401] * 10 + [429] * 2
    refused = office.page()
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 900
    assert caller.post("/fhir", json=bundle(patient())).status_code == 200
    office.restart()  # forgives nobody
    assert office.page().status_code == 429
    later = clock.now() + timedelta(minutes=16)
    with clock.frozen(lambda: later):
        assert office.page().status_code == 200


def test_a_clinics_token_has_an_end(office: Office) -> None:
    """C8: a year unless said otherwise."""
    token = add_clinic(office.settings, CODE, "Puskesmas Contoh", days=30)
    (listed,) = list_clinics(office.settings)
    assert listed["token_ends_at"][:10] == (clock.now() + timedelta(days=30)).date().isoformat()
    with office.client(token) as client:
        assert client.post("/fhir", json=bundle(patient())).status_code == 200
        later = clock.now() + timedelta(days=31)
        with clock.frozen(lambda: later):
            assert client.post("/fhir", json=bundle(patient())).status_code == 401


@pytest.mark.parametrize("count", [-1, 2**63, 10**40])
def test_numbers_of_a_manifest_have_bounds(caller: httpx.Client, count: int) -> None:
    """C8: they go into the database, whose numbers end."""
    manifest = {"day": "2026-03-02", "counts": {"Encounter": count}, "hashes": {}}
    assert caller.post("/fhir/manifests", json=manifest).status_code == 400


def test_the_offices_calls_are_described_to_nobody(office: Office) -> None:
    assert httpx.get(f"{office.url}/openapi.json").status_code == 404


def test_it_is_all_there_after_a_restart(office: Office, caller: httpx.Client) -> None:
    caller.post("/fhir", json=bundle(patient()))
    before = office.held()
    office.restart()
    assert office.held() == before
    with office.client() as again:
        assert statuses(again.post("/fhir", json=bundle(patient()))) == ["200"]


def test_a_barred_clinic_is_not_heard(office: Office, caller: httpx.Client) -> None:
    with connection():
        OfficeClinic.update(disabled_at=date(2026, 1, 1).isoformat()).execute()
    assert caller.post("/fhir", json=bundle()).status_code == 401


def test_a_clinics_database_is_not_taken_for_the_offices(tmp_path: Path) -> None:
    open_clinic(tmp_path / "home")
    clinic_database.close()
    (tmp_path / "home" / "loket.sqlite3").rename(tmp_path / "home" / "office.sqlite3")
    with pytest.raises(SettingsError, match="clinic's database"):
        open_office(Settings(home=tmp_path / "home"))


def test_health(tmp_path: Path) -> None:
    app = create_office_app(Settings(home=tmp_path))
    assert "/healthz" in {getattr(route, "path", None) for route in app.routes}
