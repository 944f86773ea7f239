"""Numbers taken from home, from BPJS's call to the ticket at the counter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from core.foundation import clock
from core.foundation.config import Settings
from core.models import Appointment, BpjsListItem
from core.visits import appointments
from server.run import Background
from tests.people import Caller
from tests.people import patient as person

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

    def shown(self, card: str = CARD, poli: str = "002", day: str = TODAY) -> dict:
        return self.get(f"/antrean/sisapeserta/{card}/{poli}/{day}").json()


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


def test_of_whom_mobile_jkn_was_told_is_kept(jkn: MobileJkn, admin: Caller) -> None:
    record_number = known(jkn)
    assert known(jkn) == record_number
    jkn.book()
    assert message(jkn.shown())[0] == 200
    [shown] = admin.get("patients", params={"q": record_number}).json()
    rows = admin.get("audit", params={"patient_id": shown["id"], "log": "reads"}).json()
    told = [(row["action"], row["detail"]) for row in rows if row["account"] == "system"]
    assert told == [("booking_read", {"cluster": "GIGI", "date": TODAY}), ("patient_read", {})]


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
        assert shown["appointment"] == {
            "number": "B-001", "cluster": "GIGI", "chief_complaint": "sakit gigi", "bpjs_number": CARD,
        }  # fmt: skip
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
    assert message(jkn.cancel()) == (201, "Nomor antrean B-001 sudah dibatalkan")
    assert message(jkn.shown()) == (201, "Nomor antrean B-001 sudah dibatalkan")
    assert message(jkn.cancel(tanggalperiksa=TODAY, kodepoli="001")) == (201, "Nomor antrean tidak ditemukan")
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


SUNDAY = "2026-03-08"
ROSTER = """
closed_on = [2026-03-05]

[[session]]
cluster = "GIGI"
doctor = 4711
name = "drg. Contoh Satu"
weekdays = ["monday", "tuesday", "thursday"]
hours = "08:00-12:00"
quota = 1

[[session]]
cluster = "GIGI"
doctor = 4712
name = "drg. Contoh Dua"
weekdays = ["monday"]
hours = "07:30-08:30"
"""


@pytest.fixture
def jkn_with_roster(settings: Settings, tmp_path: Path) -> Iterator[MobileJkn]:
    """BPJS before a clinic whose roster knows the dentists' hours; numbers for a week ahead."""
    file = tmp_path / "roster.toml"
    file.write_text(ROSTER)
    wanted = {"roster": str(file), "jkn_horizon_days": 7}
    with Background(settings.model_copy(update=wanted)) as server, MobileJkn(server.url) as caller:
        yield caller


@pytest.mark.parametrize("door", ["shown", "cancel"])
def test_whoever_booked_with_a_card_that_the_clinic_lacks_sees_and_cancels_the_number(
    jkn: MobileJkn, clerk: Caller, door: str
) -> None:
    """A newborn, a new member, somebody registered without the card: the record has the NIK alone."""
    clerk.registered(patient=person(nik=NIK, birth_date="1990-08-17", no_identifier_reason=None))
    taken = jkn.book(nomorkartu="0007776665554", kodepoli="001", keluhan="batuk")
    assert message(taken) == (200, "Ok")
    number = taken["response"]["nomorantrean"]
    if door == "shown":
        assert jkn.shown("0007776665554", "001")["response"]["nomorantrean"] == number
    else:
        assert message(jkn.cancel(nomorkartu="0007776665554", kodepoli="001")) == (200, "Ok")
    assert message(jkn.shown("0001112223334"))[0] == 201  # nobody else's card shows it


def test_a_card_gets_one_number_whoever_the_record_says(jkn: MobileJkn, clerk: Caller) -> None:
    clerk.registered(patient=person(nik=NIK, birth_date="1990-08-17", no_identifier_reason=None))
    jkn.book(nomorkartu="0007776665554", kodepoli="001", keluhan="batuk")
    twice = jkn.book(nomorkartu="0007776665554", kodepoli="001", keluhan="batuk")
    assert "sudah mempunyai nomor" in message(twice)[1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kodedokter": 999999}, "Dokter tidak ditemukan"),
        ({"kodedokter": "4711", "jampraktek": "25:00-26:00"}, "Jam praktik harus"),
        ({"kodedokter": 4711, "jampraktek": "13:00-15:00"}, "jadwal dokter: 08:00-12:00"),
        ({"kodedokter": 4712, "jampraktek": "07:30-08:30"}, "berakhir pukul 08:30"),
        ({"kodedokter": 4712, "tanggalperiksa": TOMORROW}, "Tidak ada jadwal"),
        ({"tanggalperiksa": "2026-03-04"}, "Tidak ada jadwal"),
        ({"tanggalperiksa": "2026-03-05"}, "tutup"),
        ({"tanggalperiksa": SUNDAY}, "tutup"),
    ],
)
def test_doctor_hours_and_days_are_the_rosters(
    jkn_with_roster: MobileJkn, changes: dict[str, object], said: str
) -> None:
    known(jkn_with_roster)
    code, text = message(jkn_with_roster.book(**changes))
    assert (code, said in text) == (201, True), text
    assert Appointment.select().count() == 0


@pytest.mark.parametrize("hours", ["08:00-12:00", "08.00 - 12.00", "8:00-12:00"])
def test_a_doctors_numbers_have_their_own_limit(jkn_with_roster: MobileJkn, hours: str) -> None:
    known(jkn_with_roster)
    other = {"nomorkartu": "0000000000018", "nik": "6371011708900002"}
    jkn_with_roster.post("/peserta", json=PERSON | other | {"nama": "Somebody Else"})
    assert jkn_with_roster.book(kodedokter=4711, jampraktek=hours)["response"]["angkaantrean"] == 1
    assert "habis" in message(jkn_with_roster.book(**other, kodedokter="4711"))[1]
    assert "habis" in message(jkn_with_roster.book(**other))[1]  # who names nobody gets whoever has room
    [held] = Appointment.select()
    assert (held.doctor, held.hours) == ("4711", "08:00-12:00")


def test_the_state_is_told_for_each_doctor(jkn_with_roster: MobileJkn) -> None:
    known(jkn_with_roster)
    jkn_with_roster.book(kodedokter=4711, jampraktek="08:00-12:00")
    told = jkn_with_roster.get(f"/antrean/status/002/{TODAY}").json()["response"]
    assert [(item["kodedokter"], item["namadokter"], item["jampraktek"]) for item in told] == [
        ("4712", "drg. Contoh Dua", "07:30-08:30"),
        ("4711", "drg. Contoh Satu", "08:00-12:00"),
    ]
    assert {item["totalantrean"] for item in told} == {1}
    general = jkn_with_roster.get(f"/antrean/status/001/{TODAY}").json()["response"]
    assert general["namapoli"]  # nothing is known of doctors there
    assert "15:00" in general["keterangan"]


def test_closed_days_need_no_roster(settings: Settings) -> None:
    ahead = settings.model_copy(update={"jkn_horizon_days": 7})
    with Background(ahead) as server, MobileJkn(server.url) as jkn:
        known(jkn)
        assert "tutup" in message(jkn.book(tanggalperiksa=SUNDAY))[1]
        assert message(jkn.book(kodedokter="x", jampraktek="25:00-26:00"))[0] == 201
        assert message(jkn.book(tanggalperiksa="2026-03-07"))[0] == 200


def test_a_doctor_is_looked_for_in_bpjs_own_list(jkn: MobileJkn) -> None:
    known(jkn)
    BpjsListItem.create(kind="doctor", code="4711", name="drg. Contoh", read_at=MORNING)
    assert "Dokter" in message(jkn.book(kodedokter=999999))[1]
    assert message(jkn.book(kodedokter=4711))[0] == 200


def test_past_days_are_refused_at_every_call(jkn: MobileJkn) -> None:
    known(jkn)
    past = "2026-03-01"
    answers = [
        jkn.get(f"/antrean/status/002/{past}").json(),
        jkn.book(tanggalperiksa=past),
        jkn.shown(day=past),
        jkn.cancel(tanggalperiksa=past),
    ]
    assert {message(answer) for answer in answers} == {(201, "Tanggal periksa sudah lewat")}


@pytest.mark.parametrize(
    ("region", "village", "in_address"),
    [
        ({"kodekel": "6371011001"}, "6371011001", ""),
        ({"kodekel": "63.71.01.1001"}, "6371011001", ""),
        ({"kodekel": "1234", "namakel": "MANTUIL", "namakec": "BANJARMASIN SELATAN"}, "6371011001", ""),
        ({"kodekel": "", "namakel": "Nowhere Such", "namakec": "Elsewhere"}, "", "Kel. Nowhere Such, Kec. Elsewhere"),
        ({}, "", "Jl. Contoh 1"),
    ],
)  # fmt: skip
def test_the_region_is_kept(
    jkn: MobileJkn, clerk: Caller, region: dict[str, str], village: str, in_address: str
) -> None:
    assert message(jkn.post("/peserta", json=PERSON | region).json())[0] == 200
    [shown] = clerk.get("patients", params={"q": NIK}).json()
    assert shown["village_code"] == village
    assert in_address in shown["address"]
    assert shown["address"].startswith("Jl. Contoh 1")


def test_the_telephone_of_a_booking_is_kept(jkn: MobileJkn) -> None:
    known(jkn)
    jkn.book(nohp="081299990000")
    assert [held.phone for held in Appointment.select()] == ["081299990000"]


@pytest.mark.parametrize("changes", [{"nomorkk": NIK}, {"nama": ""}, {"nama": "x" * 500}, {"nik": "637101"}])
def test_a_person_is_refused_in_indonesian(jkn: MobileJkn, changes: dict[str, object]) -> None:
    code, text = message(jkn.post("/peserta", json=PERSON | changes).json())
    assert (code, "name" in text or "_" in text) == (201, False), text


def test_a_complaint_may_be_left_to_the_counter(settings: Settings) -> None:
    optional = settings.model_copy(update={"jkn_complaint_required": False})
    with Background(optional) as server, MobileJkn(server.url) as jkn:
        known(jkn)
        assert message(jkn.book(keluhan=None))[0] == 200


@pytest.mark.parametrize(("setting", "status", "unknown"), [("200", 200, 200), ("code", 201, 202)])
def test_the_http_status_of_a_refusal_is_a_setting(
    settings: Settings, setting: str, status: int, unknown: int
) -> None:
    chosen = settings.model_copy(update={"jkn_http_status": setting})
    with Background(chosen) as server, MobileJkn(server.url) as jkn:
        body = {"nomorkartu": CARD, "nik": NIK, "kodepoli": "002", "tanggalperiksa": TODAY, "keluhan": "gigi"}
        assert jkn.post("/antrean", json=body).status_code == unknown
        assert jkn.post("/antrean", json=body | {"nik": "1"}).status_code == status
        assert jkn.get(f"/antrean/status/002/{TODAY}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth"),
        ("GET", "/antrean"),
        ("GET", "/peserta"),
        ("DELETE", "/antrean/batal"),
        ("GET", "/antrean/x"),
    ],
)
def test_a_call_that_there_is_not_is_answered_in_the_envelope(jkn: MobileJkn, method: str, path: str) -> None:
    answer = jkn.request(method, path)
    assert (answer.status_code, message(answer.json())[0]) == (200, 201)


def test_a_slash_at_the_end_changes_nothing(jkn: MobileJkn) -> None:
    signed_in = jkn.get("/auth/", headers={"x-username": "bpjs", "x-password": "rahasia-bpjs"})
    assert signed_in.json()["response"]["token"]
    assert message(jkn.get(f"/antrean/status/002/{TODAY}/").json())[0] == 200


SHAPES = {
    "catalogue": ({}, {"nomorkartu": CARD, "nik": NIK, "kodepoli": "002", "tanggalperiksa": TODAY, "keluhan": "gigi"}),
    "older, as form": (
        {"x-password": "rahasia-bpjs", "content-type": "application/x-www-form-urlencoded"},
        {"nomorkartu": CARD, "nik": NIK, "kodepoli": "002", "tanggalperiksa": TODAY},
    ),
    "per doctor": (
        {"content-type": "application/json; charset=utf-8"},
        {
            "nomorkartu": CARD, "nik": NIK, "nohp": "081234567890", "kodepoli": "002", "norm": "", "keluhan": "gigi",
            "tanggalperiksa": TODAY, "kodedokter": 4711, "jampraktek": "08:00-12:00",
        },
    ),
}  # fmt: skip
"""Head and body of a booking as three public programs that serve Mobile JKN read them: docs/reference/bpjs.md 11."""


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bookings_life_by_both_sides(settings: Settings, tmp_path: Path, shape: str) -> None:
    """Booked, seen at the counter, come, called, done: the telephone is told each step."""
    headers, body = SHAPES[shape]
    file = tmp_path / "roster.toml"
    file.write_text(ROSTER)
    chosen = {"roster": str(file), "jkn_complaint_required": False}
    with Background(settings.model_copy(update=chosen)) as server, MobileJkn(server.url) as jkn:
        known(jkn)
        taken = jkn.post("/antrean", content=json.dumps(body), headers=headers).json()
        assert message(taken) == (200, "Ok"), taken
        assert set(taken["response"]) == {
            "nomorantrean", "angkaantrean", "namapoli", "sisaantrean", "antreanpanggil", "keterangan",
        }  # fmt: skip
        clerk, dentist = Caller(server.url, "clerk"), Caller(server.url, "dentist")
        [booked] = clerk.get("appointments").json()
        assert (booked["number"], booked["status"]) == ("B-001", "booked")
        receipt = clerk.registered(patient=None, patient_id=booked["patient"]["id"])
        assert receipt["ticket"]["number"] == "B-001"
        assert "tunggu" in jkn.shown()["response"]["keterangan"]
        entry = dentist.post("queues/GIGI/call-next", json={"service_point": "1"}).json()
        assert "dipanggil" in jkn.shown()["response"]["keterangan"]
        assert [row["status"] for row in clerk.get("appointments").json()] == ["fulfilled"]
        assert "loket" in message(jkn.cancel())[1]
        dentist.post(f"queue-entries/{entry['id']}/start", json={})
        assert "dilayani" in jkn.shown()["response"]["keterangan"]


def test_a_number_whose_registration_was_undone_is_cancelled_for_the_telephone_too(
    jkn: MobileJkn, clerk: Caller
) -> None:
    known(jkn)
    jkn.book()
    [booked] = clerk.get("appointments").json()
    receipt = clerk.registered(patient=None, patient_id=booked["patient"]["id"])
    clerk.post(f"registrations/{receipt['registration_id']}/undo", json={})
    assert "sudah dibatalkan" in message(jkn.shown())[1]
    assert "sudah dibatalkan" in message(jkn.cancel())[1]
    assert jkn.book()["response"]["nomorantrean"] == "B-002"


def test_a_number_given_back_at_home_is_no_longer_awaited(jkn: MobileJkn, clerk: Caller) -> None:
    known(jkn)
    jkn.book(nohp="081299990000", keluhan="gusi bengkak")
    [booked] = clerk.get("appointments").json()
    assert (booked["phone"], booked["chief_complaint"]) == ("081299990000", "gusi bengkak")
    jkn.cancel(keterangan="sudah sembuh")
    [gone] = clerk.get("appointments").json()
    assert (gone["status"], gone["end_reason"]) == ("cancelled", "sudah sembuh")
