"""A vaccine in the record: what is asked, what stands against it, and how it is struck out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.foundation.config import Settings
from core.foundation.database import connection
from core.models import AuditEvent
from server.run import Background
from tests.people import Caller
from tests.people import patient as a_patient


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Iterator[Background]:
    home = tmp_path_factory.mktemp("vaccines") / "home"
    shutil.copytree(demo_home, home)
    with Background(Settings(home=home)) as running:
        yield running


@pytest.fixture(scope="module")
def callers(server: Background) -> Iterator[dict[str, Caller]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(Caller(server.url, name)) for name in ("clerk", "midwife")}


@pytest.fixture
def child(callers: dict[str, Caller], server: Background, request: pytest.FixtureRequest) -> dict[str, Any]:
    born = server.clinic.today() - timedelta(days=200)
    person = a_patient(nik=None, no_identifier_reason="none_yet", name=f"Anak {request.node.name}"[:60])
    receipt = callers["clerk"].registered(
        cluster="KIA", chief_complaint="imunisasi", override_reason="uji",
        patient=person | {"birth_date": born.isoformat(), "sex": "female"},
    )  # fmt: skip
    for action in ("call", "start"):
        assert callers["midwife"].act(receipt["ticket"]["id"], action).is_success
    return dict(receipt)


def fields(server: Background, **changes: Any) -> dict[str, Any]:
    keeps = server.clinic.today() + timedelta(days=30)
    return {
        "vaccine": "Vaksin BCG", "dose_number": 1, "lot_number": "X1", "expires_on": keeps.isoformat(), **changes,
    }  # fmt: skip


def test_it_is_recorded_shown_and_struck_out(
    callers: dict[str, Caller], server: Background, child: dict[str, Any]
) -> None:
    midwife, path = callers["midwife"], f"visits/{child['visit_id']}"
    made = midwife.post(f"{path}/immunisations", json=fields(server, site="LA"))
    assert made.status_code == 201, made.text
    (shown,) = midwife.get(path).json()["immunisations"]
    assert (shown["vaccine"], shown["dose_number"], shown["site"]) == ("Vaksin BCG", 1, "LA")
    gone = midwife.delete(f"{path}/immunisations/{shown['id']}", params={"reason": "salah pasien"})
    assert gone.status_code == 204, gone.text
    assert midwife.get(path).json()["immunisations"] == []
    with connection():
        actions = {row.action for row in AuditEvent.select().where(AuditEvent.target == shown["id"])}
    assert actions == {"immunisation_added", "immunisation_voided"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"vaccine": "Amoksisilin 500 mg tablet"}, "vaccine"),
        ({"vaccine": "vaksin entah"}, "vaccine"),
        ({"product": "93009999"}, "product"),
        ({"dose_number": 0}, "dose_number"),
        ({"lot_number": " "}, "lot_number"),
        ({"expires_on": None}, "expires_on"),
    ],
)
def test_what_is_no_vaccine_or_lacks_its_lot_is_refused(
    callers: dict[str, Caller], server: Background, child: dict[str, Any], changes: dict[str, Any], field: str
) -> None:
    answer = callers["midwife"].post(
        f"visits/{child['visit_id']}/immunisations", json=fields(server, **changes)
    )
    assert answer.status_code == 422
    assert field in answer.json()["fields"]


def test_an_allergy_and_an_expired_lot_need_a_reason(
    callers: dict[str, Caller], server: Background, child: dict[str, Any]
) -> None:
    midwife, path = callers["midwife"], f"visits/{child['visit_id']}/immunisations"
    known = midwife.post(f"patients/{child['patient_id']}/allergies", json={"substance": "vaksin"})
    assert known.is_success, known.text
    late = fields(server, expires_on=(server.clinic.today() - timedelta(days=1)).isoformat())
    first = midwife.post(path, json=late)
    assert (first.status_code, first.json()["code"]) == (422, "allergy")
    late |= {"allergy_override": True, "override_reason": "keputusan dokter"}
    second = midwife.post(path, json=late)
    assert (second.status_code, second.json()["code"]) == (422, "vaccine_expired")
    third = midwife.post(path, json=late | {"expired_override": True})
    assert third.status_code == 201, third.text
    assert third.json()["override_reason"] == "keputusan dokter"


def test_vaccines_are_found_by_their_names(callers: dict[str, Caller]) -> None:
    found = callers["midwife"].get("vaccines", params={"q": "campak"}).json()
    assert [item["vaccine"] for item in found] == ["Vaksin campak rubela (MR)"]
    assert len(callers["midwife"].get("vaccines", params={"limit": 100}).json()) == 13
    assert callers["clerk"].get("vaccines").status_code == 403
