"""The line to P-Care against the stand-in: signed, decrypted, and honest about what is not known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from core.exchange.bpjs.bpjs_link import BpjsLink, NoSuchUserError, pcare_link, queue_link
from core.exchange.pacing import TryAgainError
from core.foundation import clock
from core.foundation.config import Settings
from server.bpjs_stand_in import PcareHost, Unconfirmed
from tests.core.exchange.bpjs.conftest import CARD, NIK

SEALED = json.dumps({"response": "bm90IG91cnM=" * 4, "metaData": {"code": 200, "message": "OK"}}).encode()
"""An answer that was sealed for another request."""
NUMBERS = ("sistole", "diastole", "beratBadan", "tinggiBadan", "respRate", "lingkarPerut", "heartRate")


def registration(**other: Any) -> dict[str, Any]:
    day = clock.now().astimezone(ZoneInfo("Asia/Makassar"))
    return {
        "kdProviderPeserta": "0114U163", "tglDaftar": day.strftime("%d-%m-%Y"), "noKartu": CARD, "kdPoli": "001",
        "keluhan": "batuk", "kunjSakit": True, **dict.fromkeys(NUMBERS, 0), "rujukBalik": 0, "kdTkp": "10", **other,
    }  # fmt: skip


def visit(**other: Any) -> dict[str, Any]:
    body = registration()
    kept = {name: body[name] for name in ("tglDaftar", "noKartu", "kdPoli", "keluhan", *NUMBERS)}
    return {
        **kept, "noKunjungan": None, "kdSadar": "01", "kdStatusPulang": "3", "tglPulang": body["tglDaftar"],
        "kdDokter": "D001", "kdDiag1": "J06.9", "kdDiag2": None, "kdDiag3": None, "kdPoliRujukInternal": None,
        "rujukLanjut": None, "kdTacc": -1, "alasanTacc": None, "anamnesa": "batuk", "alergiMakan": "00",
        "alergiUdara": "00", "alergiObat": "00", "kdPrognosa": "02", "terapiObat": "-", "terapiNonObat": "-",
        "bmhp": "-", "suhu": "36,4", **other,
    }  # fmt: skip


def test_a_participant_by_card_and_by_nik(link: BpjsLink) -> None:
    for path in (f"peserta/{CARD}", f"peserta/nik/{NIK}"):
        answer = link.get(path)
        assert (answer.is_done, answer.body["nama"]) == (True, "SITI AMINAH")
    assert link.get("peserta/0009999999999").is_nothing


@pytest.mark.parametrize("seed", range(12))
def test_a_whole_visit_whatever_the_unconfirmed_facts_are(
    pcare: PcareHost, link: BpjsLink, seed: int
) -> None:
    pcare.books.facts = Unconfirmed.by_seed(seed)
    assert link.call("POST", "pendaftaran", registration()).number("noUrut") == "A1"
    made = link.call("POST", "kunjungan/V1", visit())
    number = made.number("noKunjungan")
    assert number in pcare.books.visits
    assert [item["noKunjungan"] for item in link.get(f"kunjungan/peserta/{CARD}").items()] == [number]
    assert link.call("PUT", "kunjungan/V1", visit(noKunjungan=number, kdDiag1="J00")).is_done
    assert link.call("DELETE", f"kunjungan/{number}").is_done


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (registration(tglDaftar="2026-03-02"), "tglDaftar"),
        (registration(tglDaftar="01-01-2020"), "tglDaftar"),
        (registration(noKartu="123"), "noKartu"),
        (registration(kdPoli="999"), "kdPoli"),
        (registration(kdPoli="021"), "kunjSakit"),
        (registration(kdTkp="50"), "kunjSakit"),
        (registration(beratBadan=55.0), "beratBadan"),
        (registration(kdProviderPeserta="0000X000"), "kdProviderPeserta"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_registration_that_is_refused(link: BpjsLink, body: dict[str, Any], field: str) -> None:
    answer = link.call("POST", "pendaftaran", body)
    assert not answer.is_done
    assert [item["field"] for item in answer.fields] == [field]
    assert answer.words.startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kdDiag1": None}, "kdDiag1"),
        ({"kdDokter": "D999"}, "kdDokter"),
        ({"kdStatusPulang": "4", "kdDiag1": "J06.9"}, "kdTacc"),
        ({"suhu": 36.4}, "suhu"),
        ({"heartRate": 80.0}, "heartRate"),
        ({"kdDiag1": "batuk"}, "kdDiag1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_visit_that_is_refused(link: BpjsLink, changes: dict[str, Any], field: str) -> None:
    link.call("POST", "pendaftaran", registration())
    answer = link.call("POST", "kunjungan/V1", visit(**changes))
    assert [item["field"] for item in answer.fields] == [field]


def test_the_order_between_the_calls(link: BpjsLink) -> None:
    assert link.call("POST", "kunjungan/V1", visit()).words.startswith("noKartu: Peserta belum terdaftar")
    number = link.call("POST", "pendaftaran", registration()).number("noUrut")
    assert "sudah terdaftar" in link.call("POST", "pendaftaran", registration()).words
    link.call("POST", "kunjungan/V1", visit())
    taken_back = link.call(
        "DELETE",
        f"pendaftaran/peserta/{CARD}/tglDaftar/{registration()['tglDaftar']}/noUrut/{number}/kdPoli/001",
    )
    assert "kunjungan" in taken_back.words
    assert "tidak ditemukan" in link.call("PUT", "kunjungan/V1", visit(noKunjungan="X")).words


def test_an_inactive_participant_is_refused_with_the_reason(pcare: PcareHost, link: BpjsLink) -> None:
    pcare.books.participants[CARD].update(aktif=False, ketAktif="PREMI BELUM DIBAYAR")
    assert "PREMI BELUM DIBAYAR" in link.call("POST", "pendaftaran", registration()).words


@pytest.mark.parametrize(
    "fault", ["html", "error_500", "lose_request", "lose_answer", "commit_then_500", "cut"]
)
def test_no_readable_answer_says_that_the_outcome_is_not_known(
    pcare: PcareHost, link: BpjsLink, fault: str
) -> None:
    pcare.mischief.append(fault)
    with pytest.raises(TryAgainError):
        link.call("POST", "pendaftaran", registration())
    done = fault in {"lose_answer", "commit_then_500", "cut"}
    assert bool(pcare.books.registrations) == done


@pytest.mark.parametrize("name", ["consumer_id", "secret", "user_key", "username", "password", "application"])
def test_each_wrong_key_is_not_let_in(pcare: PcareHost, name: str) -> None:
    with httpx.Client() as client:
        wrong = BpjsLink(pcare.url, replace(pcare.keys, **{name: "wrong"}), client)
        with pytest.raises(NoSuchUserError):
            wrong.get(f"peserta/{CARD}")


def test_a_clock_that_is_far_off_takes_over_the_one_of_bpjs(pcare: PcareHost, link: BpjsLink) -> None:
    ours = clock.now
    pcare.books.now = lambda: _later(ours(), minutes=40)
    assert link.get(f"peserta/{CARD}").is_done
    assert timedelta(minutes=39) < link.clock_offset < timedelta(minutes=41)


def _later(instant: datetime, minutes: int) -> datetime:
    return instant + timedelta(minutes=minutes)


def test_a_form_encoded_body_is_refused(pcare: PcareHost) -> None:
    timestamp = int(clock.now().timestamp())
    answer = httpx.post(
        f"{pcare.url}/pendaftaran", data={"noKartu": CARD}, headers=pcare.keys.headers(timestamp)
    )
    assert answer.json()["metaData"]["code"] == 400


def test_the_queue_has_a_key_of_its_own(pcare: PcareHost) -> None:
    settings = Settings(
        **{**pcare.settings(), "bpjs_queue_url": pcare.url, "bpjs_queue_user_key": "of-the-queue"}
    )
    with httpx.Client() as client:
        assert pcare_link(settings, client).get(f"peserta/{CARD}").is_done
        with pytest.raises(NoSuchUserError):
            queue_link(settings, client).get(f"peserta/{CARD}")


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "application/json; charset=utf-8", "text/plain"]
)
def test_requests_as_public_clients_make_them_are_taken(pcare: PcareHost, kind: str) -> None:
    """JSON text under a content type of their own, the temperature as a whole number."""
    timestamp = int(clock.now().timestamp())
    headers = {**pcare.keys.headers(timestamp), "Content-Type": kind}
    for path, body in (("pendaftaran", registration()), ("kunjungan/V1", visit(suhu=36))):
        answer = httpx.post(f"{pcare.url}/{path}", content=json.dumps(body), headers=headers)
        assert answer.json()["metaData"]["code"] == 201, answer.text


def test_a_list_that_cannot_be_opened_is_no_empty_one(pcare: PcareHost, link: BpjsLink) -> None:
    """Whoever finds nothing sends again: a text that does not decrypt must not look like nothing."""
    link.call("POST", "pendaftaran", registration())
    pcare._answer = lambda *_: (200, SEALED)  # type: ignore[method-assign]
    with pytest.raises(TryAgainError):
        link.read(f"kunjungan/peserta/{CARD}")
