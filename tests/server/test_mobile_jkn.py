"""Numbers taken from home, from BPJS's call to the ticket at the counter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from core.foundation import clock
from core.foundation.config import Settings
from core.models import Appointment
from core.visits import appointments
from server.run import Background
from tests.people import Caller

MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""09:00 in Makassar."""
TODAY, TOMORROW = "2026-03-02", "2026-03-03"
CARD, NIK = "0000000000017", "6371011708900001"
PERSON = {
    "nomorkartu": CARD, "nik": NIK, "nomorkk": "", "nama": "Made Up Person", "jeniskelamin": "L",
    "tanggallahir": "1990-08-17", "nohp": "081234567890", "alamat": "Jl. Contoh 1", "rw": 2, "rt": None,
}  # fmt: skip


class MobileJkn(httpx.Client):
    """BPJS's side."""

    def __init__(self, url: str, password: str = "rahasia-bpjs") -> None:
        super().__init__(base_url=url, timeout=30)
        signed_in = self.get("/auth", headers={"x-username": "bpjs", "x-password": password}).json()
        if "response" in signed_in:
            self.headers.update({"x-token": signed_in["response"]["token"], "x-username": "bpjs"})

    def __enter__(self) -> MobileJkn:
        return self  # open since it signed in

    def __exit__(self, *_: object) -> None:
        self.close()

    def book(self, **changes: object) -> dict:
        body = {
            "nomorkartu": CARD, "nik": NIK, "kodepoli": "002", "tanggalperiksa": TODAY, "keluhan": "sakit gigi",
        }  # fmt: skip
        answer = self.post("/antrean", json=body | changes)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def cancel(self, **changes: object) -> dict:
        body = {"nomorkartu": CARD, "kodepoli": "002", "tanggalperiksa": TODAY}
        return self.request("PUT", "/antrean/batal", json=body | changes).json()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"jkn_username": "bpjs", "jkn_password": "rahasia-bpjs"})


@pytest.fixture(autouse=True)
def nine_in_the_morning() -> Iterator[None]:
    with clock.frozen(lambda: MORNING):
        yield


@pytest.fixture
def jkn(server: Background) -> Iterator[MobileJkn]:
    with MobileJkn(server.url) as caller:
        yield caller


def known(jkn: MobileJkn) -> str:
    """Make the person known; returns the medical record number."""
    return jkn.post("/peserta", json=PERSON).json()["response"]["norm"]


def message(answer: dict) -> tuple[int, str]:
    return answer["metadata"]["code"], answer["metadata"]["message"]


def test_from_home_to_the_ticket(jkn: MobileJkn, clerk: Caller, dentist: Caller) -> None:
    # The phone takes 1; two people at the counter get 2 and 3; the phone's owner arrives and is called first.
    assert message(jkn.book())[0] == 202
    record_number = known(jkn)
    taken = jkn.book()["response"]
    assert (taken["nomorantrean"], taken["angkaantrean"]) == ("B-001", 1)
    assert taken["sisaantrean"] == 0
    assert "loket" in taken["keterangan"]
    others = [clerk.registered()["ticket"]["number"] for _ in range(2)]
    assert others == ["B-002", "B-003"]
    for typed in ("B-001", "b1", CARD):
        [shown] = clerk.get("patients", params={"q": typed}).json()
        assert shown["medical_record_number"] == record_number
        assert shown["appointment"] == {"number": "B-001", "cluster": "GIGI", "chief_complaint": "sakit gigi"}
    status = jkn.get(f"/antrean/status/002/{TODAY}").json()["response"]
    assert (status["totalantrean"], status["sisaantrean"], status["antreanpanggil"]) == (3, 3, "-")
    receipt = clerk.registered(patient=None, patient_id=shown["id"])
    assert (receipt["ticket"]["number"], receipt["ticket"]["position"]) == ("B-001", 1)
    assert clerk.get(f"patients/{shown['id']}").json()["appointment"] is None
    called = dentist.post("queues/GIGI/call-next", json={"service_point": "Gigi 1"}).json()
    assert called["number"] == "B-001"
    left = jkn.get(f"/antrean/sisapeserta/{CARD}/002/{TODAY}").json()["response"]
    assert (left["nomorantrean"], left["sisaantrean"], left["antreanpanggil"]) == ("B-001", 0, "B-001")
    assert "loket" in message(jkn.cancel())[1]
    # The next number at the counter goes on after those given.
    assert clerk.registered()["ticket"]["number"] == "B-004"


def test_the_counters_check_may_send_elsewhere_and_the_number_stays_kept(
    jkn: MobileJkn, clerk: Caller
) -> None:
    known(jkn)
    taken = jkn.book(kodepoli="001", keluhan="sakit gigi")
    assert "Gigi" in taken["response"]["keterangan"]
    [shown] = clerk.get("patients", params={"q": CARD}).json()
    assert clerk.registered(patient=None, patient_id=shown["id"])["ticket"]["number"] == "B-001"
    assert appointments.close_day(MORNING.date()) == 1
    assert [row.status for row in Appointment.select()] == ["fulfilled"]


def test_who_does_not_come_is_a_no_show(jkn: MobileJkn) -> None:
    known(jkn)
    jkn.book()
    appointments.close_day(MORNING.date())
    assert [row.status for row in Appointment.select()] == ["noshow"]
    assert appointments.close_day(MORNING.date()) == 0


def test_one_number_per_cluster_and_day_and_a_cancelled_one_is_not_given_again(jkn: MobileJkn) -> None:
    known(jkn)
    assert jkn.book()["response"]["nomorantrean"] == "B-001"
    code, said = message(jkn.book())
    assert code == 201
    assert "B-001" in said
    assert jkn.book(tanggalperiksa=TOMORROW)["response"]["nomorantrean"] == "B-001"
    assert message(jkn.cancel()) == (200, "Ok")
    assert message(jkn.cancel()) == (201, "Nomor antrean tidak ditemukan")
    assert jkn.book()["response"]["nomorantrean"] == "B-002"


def test_a_red_flag_is_told_at_home(jkn: MobileJkn) -> None:
    known(jkn)
    taken = jkn.book(kodepoli="001", keluhan="nyeri dada menjalar ke lengan kiri, keringat dingin")
    assert "119" in taken["response"]["keterangan"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"nomorkartu": ""}, "Nomor kartu harus diisi"),
        ({"nomorkartu": "12"}, "13 angka"),
        ({"nomorkartu": "00000000000a7"}, "13 angka"),
        ({"nik": ""}, "NIK harus diisi"),
        ({"nik": "123"}, "16 angka"),
        ({"kodepoli": "999"}, "Poli tidak ditemukan"),
        ({"kodepoli": ""}, "Poli tidak ditemukan"),
        ({"kodepoli": {"x": 1}}, "Poli tidak ditemukan"),
        ({"tanggalperiksa": "02-03-2026"}, "tahun-bulan-tanggal"),
        ({"tanggalperiksa": "2026-02-30"}, "tahun-bulan-tanggal"),
        ({"tanggalperiksa": "2026-03-01"}, "sudah lewat"),
        ({"tanggalperiksa": "2026-03-04"}, "terlalu jauh"),
        ({"keluhan": " "}, "Keluhan harus diisi"),
        ({"nik": "6371014107900123"}, "NIK berbeda"),
        ({"kodepoli": "003", "keluhan": "kontrol hamil"}, "pilih poli lain"),
    ],
)
def test_a_refusal_says_what_to_do(jkn: MobileJkn, changes: dict[str, object], said: str) -> None:
    known(jkn)
    code, text = message(jkn.book(**changes))
    assert code == 201
    assert said in text
    assert Appointment.select().count() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_a_body_that_is_no_object(jkn: MobileJkn, body: bytes) -> None:
    for method, path in (("POST", "/antrean"), ("PUT", "/antrean/batal"), ("POST", "/peserta")):
        assert jkn.request(method, path, content=body).json()["metadata"]["code"] == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"nik": "1"}, {"nomorkartu": None}, {"nama": ""}, {"nama": "x" * 500}, {"jeniskelamin": "?"},
        {"tanggallahir": "1990"}, {"tanggallahir": "2099-01-01"}, {"nomorkk": "1"},
        {"tanggallahir": "1951-01-01"},  # the NIK is another person's
    ],
)  # fmt: skip
def test_a_person_who_cannot_be_taken(jkn: MobileJkn, changes: dict[str, object]) -> None:
    answer = jkn.post("/peserta", json=PERSON | changes)
    assert answer.status_code == 200
    assert message(answer.json())[0] == 201
    assert len(message(answer.json())[1]) > 10


def test_a_person_is_taken_once_and_still_shows_the_card_at_the_counter(
    jkn: MobileJkn, clerk: Caller
) -> None:
    assert known(jkn) == known(jkn)
    [shown] = clerk.get("patients", params={"q": NIK}).json()
    assert not shown["identity_verified"]
    assert (shown["rt"], shown["rw"]) == ("", "2")


def test_after_closing_time_no_number_for_today(jkn: MobileJkn) -> None:
    known(jkn)
    with clock.frozen(lambda: MORNING.replace(hour=7)):  # 15:00 in Makassar
        assert "15:00" in message(jkn.book())[1]
        assert jkn.book(tanggalperiksa=TOMORROW)["response"]["angkaantrean"] == 1


def test_a_quota_is_kept(settings: Settings) -> None:
    with Background(settings.model_copy(update={"jkn_quota": 1})) as server, MobileJkn(server.url) as jkn:
        known(jkn)
        other = {"nomorkartu": "0000000000018", "nik": "6371011708900002"}
        jkn.post("/peserta", json=PERSON | other | {"nama": "Somebody Else"})
        assert jkn.book()["response"]["angkaantrean"] == 1
        assert "habis" in message(jkn.book(**other))[1]
        jkn.cancel()
        assert jkn.book(**other)["response"]["angkaantrean"] == 2


def test_nobody_else_gets_in(server: Background, jkn: MobileJkn) -> None:
    token = jkn.headers["x-token"]
    ends, _, signature = token.partition(".")
    for headers in (
        {},
        {"x-token": token, "x-username": "other"},
        {"x-token": f"{int(ends) + 1}.{signature}", "x-username": "bpjs"},
        {"x-token": "nonsense", "x-username": "bpjs"},
        {"x-token": f"{'9' * 400}.{signature}", "x-username": "bpjs"},
    ):
        answer = httpx.get(f"{server.url}/antrean/status/001/{TODAY}", headers=headers).json()
        assert message(answer) == (201, "Token tidak sah atau sudah kedaluwarsa")
    with clock.frozen(lambda: MORNING.replace(hour=14)):
        assert "Token" in message(jkn.get(f"/antrean/status/001/{TODAY}").json())[1]
    with MobileJkn(server.url, password="guess") as guesser:
        assert "x-token" not in guesser.headers
        for _ in range(5):
            refused = guesser.get("/auth", headers={"x-username": "bpjs", "x-password": "guess"}).json()
        assert "Terlalu banyak" in message(refused)[1]


def test_a_clinic_without_an_agreement_has_no_such_calls(demo_home: object, settings: Settings) -> None:
    plain = settings.model_copy(update={"jkn_username": "", "jkn_password": ""})
    with Background(plain) as server:
        assert httpx.get(f"{server.url}/auth").status_code == 404
        assert httpx.post(f"{server.url}/antrean", json={}).status_code == 404
