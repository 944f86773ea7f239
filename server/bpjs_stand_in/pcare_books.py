"""The stand-in's books, and the rules by which it takes or refuses a call.

Source: docs/reference/bpjs.md 5, docs/reference/bpjs.md 6, docs/reference/bpjs.md 7, docs/reference/bpjs.md 8,
docs/reference/bpjs.md 9.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from server.bpjs_stand_in import pcare_lists

Document = dict[str, Any]
CARD = re.compile(r"\d{13}")
DAY = re.compile(r"\d{2}-\d{2}-\d{4}")
DIAGNOSIS = re.compile(r"[A-Z]\d{2}(\.\d{1,2})?")
REGISTRATION_NUMBERS = (
    "sistole",
    "diastole",
    "beratBadan",
    "tinggiBadan",
    "respRate",
    "lingkarPerut",
    "heartRate",
)
REGISTRATION_FIELDS = (
    "kdProviderPeserta", "tglDaftar", "noKartu", "kdPoli", "keluhan", "kunjSakit", *REGISTRATION_NUMBERS,
    "rujukBalik", "kdTkp",
)  # fmt: skip
VISIT_FIELDS = (
    "noKunjungan", "noKartu", "tglDaftar", "kdPoli", "keluhan", "kdSadar", *REGISTRATION_NUMBERS,
    "kdStatusPulang", "tglPulang", "kdDokter", "kdDiag1", "kdDiag2", "kdDiag3", "kdPoliRujukInternal",
    "rujukLanjut", "kdTacc", "alasanTacc", "anamnesa", "alergiMakan", "alergiUdara", "alergiObat",
    "kdPrognosa", "terapiObat", "terapiNonObat", "bmhp", "suhu",
)  # fmt: skip
MEDICINE_FIELDS = (
    "kdObatSK", "noKunjungan", "racikan", "kdRacikan", "obatDPHO", "kdObat", "signa1", "signa2", "jmlObat",
    "jmlPermintaan", "nmObatNonDPHO",
)  # fmt: skip
PROCEDURE_FIELDS = ("kdTindakanSK", "noKunjungan", "kdTindakan", "biaya", "keterangan", "hasil")
REFERRED = "4"
PROMOTIVE = "50"
KINDS_OF_CARE = frozenset({"10", "20", PROMOTIVE})
NO_TACC = -1
SUNDAY = 6
SCHEDULE = "Senin-Sabtu 08:00-14:00"
REFERRAL_HOLDS = timedelta(days=89)
"""Time after its day for which a hospital takes a referral."""


class PcareRefusal(Exception):
    """Raised where the stand-in refuses instead of doing it.

    Attributes:
        code: The envelope's.
        fields: Pairs of a field and why.
    """

    def __init__(self, code: int, message: str, **fields: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = [{"field": name, "message": why} for name, why in fields.items()]


def broken(field: str, why: str) -> PcareRefusal:
    """Return the refusal of a broken rule."""
    return PcareRefusal(412, "PRECONDITION_FAILED", **{field: why})


@dataclass(frozen=True)
class Unconfirmed:
    """The facts that nobody could confirm, as this stand-in has them."""

    content_type: str | None = None
    """The one that is asked for; None takes all three."""
    temperature: str | None = None
    """`text` or `number`; None takes both."""
    http_status_follows: bool = True
    """True if HTTP's status is the envelope's code; otherwise it is always 200."""
    bare_lists: bool = False
    """True if a list comes without `count` and `list` around it."""
    flat_items: bool = False
    """True if card and poli stand in an item itself."""
    spelling: str = "metaData"
    second_registration_is_told: bool = True
    """True if a second registration is refused; otherwise it is answered with the first's number."""
    second_visit_is_told: bool = True
    """True if a second visit of a registration is refused; otherwise it is taken, and stands there twice."""
    visits_hold_registrations: bool = True
    """True if a registration that has a visit cannot be taken back."""
    refuses_inactive: bool = True
    takes_yesterday: bool = True
    """True if the last day of a month is taken on the first of the next."""
    refusals_are_encrypted: bool = False
    queue_success: int = 200
    """The queue's code of success: 200 or 1."""
    longest_page: int = 500
    """Most registrations of a day that are given at once, however many are asked for."""

    @classmethod
    def by_seed(cls, seed: int) -> Unconfirmed:
        """Return one mixture, the same for a seed."""
        chance = random.Random(seed)  # noqa: S311  # no secret
        return cls(
            http_status_follows=chance.random() < 0.5,
            bare_lists=chance.random() < 0.5,
            flat_items=chance.random() < 0.5,
            spelling=chance.choice(("metaData", "metadata")),
            second_registration_is_told=chance.random() < 0.7,
            second_visit_is_told=chance.random() < 0.5,
            visits_hold_registrations=chance.random() < 0.7,
            refuses_inactive=chance.random() < 0.7,
            takes_yesterday=chance.random() < 0.5,
            refusals_are_encrypted=chance.random() < 0.3,
            longest_page=chance.choice((500, 4)),
            queue_success=chance.choice((200, 1)),
        )


class Books:
    """Participants, registrations, visits, medicines and procedures."""

    def __init__(self, now: Callable[[], datetime], facts: Unconfirmed | None = None) -> None:
        self.now = now
        """The hour at BPJS, in the clinic's zone."""
        self.facts = facts or Unconfirmed()
        self.participants: dict[str, Document] = {}
        """By card."""
        self.registrations: dict[tuple[str, str, str], Document] = {}
        """By card, day and poli."""
        self.visits: dict[str, Document] = {}
        self.medicines: dict[int, Document] = {}
        self.procedures: dict[int, Document] = {}
        self._last = 0

    # Participants

    def add_participant(self, card: str, nik: str, name: str, sex: str, born: date, **other: Any) -> Document:
        """Insure a made-up person.

        Args:
            card: 13 digits.
            nik: 16 digits.
            name: As BPJS writes it.
            sex: `L` or `P`.
            born: Birth date.
            other: Fields to say otherwise, such as `aktif=False`.
        """
        person: Document = {
            "noKartu": card, "nama": name, "sex": sex, "tglLahir": day_text(born), "noKTP": nik, "aktif": True,
            "ketAktif": "AKTIF", "jnsKelas": {"nama": "KELAS III", "kode": "3"},
            "jnsPeserta": {"nama": "PBI (APBN)", "kode": "21"},
            "kdProviderPst": {"kdProvider": pcare_lists.OWN_PROVIDER, "nmProvider": "PUSKESMAS LOKET"}, "tunggakan": 0,
            **other,
        }  # fmt: skip
        self.participants[card] = person
        return person

    def participant(self, card: str) -> Document:
        """Return the participant of a card.

        Raises:
            PcareRefusal: The card has not 13 digits, or nobody has it.
        """
        if not CARD.fullmatch(card):
            raise broken("noKartu", "noKartu harus 13 digit")
        if card not in self.participants:
            raise PcareRefusal(404, "Peserta tidak ditemukan")
        return self.participants[card]

    def participant_by_nik(self, nik: str) -> Document:
        """Return the participant with a NIK.

        Raises:
            PcareRefusal: Nobody has it.
        """
        found = [person for person in self.participants.values() if person["noKTP"] == nik]
        if not found:
            raise PcareRefusal(404, "Peserta tidak ditemukan")
        return found[0]

    # Registrations

    def register(self, body: Document) -> Document:
        """Take a registration; return its number.

        Raises:
            PcareRefusal: A rule is broken.
        """
        self._require_registration(body)
        key = (body["noKartu"], body["tglDaftar"], body["kdPoli"])
        if key in self.registrations:
            if self.facts.second_registration_is_told:
                raise broken("noKartu", "Peserta sudah terdaftar pada poli dan tanggal yang sama")
            return {"field": "noUrut", "message": self.registrations[key]["noUrut"]}
        number = f"A{1 + sum(1 for held in self.registrations if held[1] == body['tglDaftar'])}"
        while any(held["noUrut"] == number for held in self._of_day(body["tglDaftar"])):
            number = f"A{int(number[1:]) + 1}"
        self.registrations[key] = {**body, "noUrut": number}
        return {"field": "noUrut", "message": number}

    def registrations_of(self, day: str, start: int, limit: int) -> list[Document]:
        """Return a page of a day's registrations.

        Args:
            day: `dd-mm-yyyy`.
            start: How many to leave out.
            limit: Most that are returned; never more than `longest_page`.

        Raises:
            PcareRefusal: The day is written otherwise.
        """
        if not DAY.fullmatch(day):
            raise broken("tglDaftar", "Format tanggal dd-mm-yyyy")
        return [self._with_owner(held, "noUrut") for held in self._of_day(day)][
            start : start + min(limit, self.facts.longest_page)
        ]

    def take_back_registration(self, card: str, day: str, number: str, poli: str) -> None:
        """Delete a registration.

        Args:
            card: 13 digits.
            day: `dd-mm-yyyy`.
            number: Its number.
            poli: Its poli.

        Raises:
            PcareRefusal: There is none, or it has a visit.
        """
        held = self.registrations.get((card, day, poli))
        if held is None or held["noUrut"] != number:
            raise PcareRefusal(404, "Pendaftaran tidak ditemukan")
        if self.facts.visits_hold_registrations and self._visits_of((card, day, poli)):
            raise broken("noUrut", "Sudah ada kunjungan, hapus kunjungan lebih dulu")
        del self.registrations[card, day, poli]

    # Visits

    def add_visit(self, body: Document) -> list[Document]:
        """Take a visit; return its number.

        Raises:
            PcareRefusal: A rule is broken.
        """
        self._require_visit(body)
        key = (body["noKartu"], body["tglDaftar"], body["kdPoli"])
        if key not in self.registrations:
            raise broken("noKartu", "Peserta belum terdaftar")
        if self._visits_of(key) and self.facts.second_visit_is_told:
            raise broken("noKartu", "Kunjungan sudah ada")
        self._last += 1
        number = (
            f"{pcare_lists.OWN_PROVIDER}{body['tglDaftar'][3:5]}{body['tglDaftar'][-2:]}Y{self._last:06d}"
        )
        self.visits[number] = {**body, "noKunjungan": number}
        return [{"field": "noKunjungan", "message": number}]

    def edit_visit(self, body: Document) -> None:
        """Change a visit.

        Raises:
            PcareRefusal: There is none, or a rule is broken.
        """
        number = body.get("noKunjungan")
        if number not in self.visits:
            raise broken("noKunjungan", "Kunjungan tidak ditemukan")
        self._require_visit(body)
        held = self.visits[number]
        if any(held[name] != body[name] for name in ("noKartu", "tglDaftar", "kdPoli")):
            raise broken("noKunjungan", "Kunjungan milik pendaftaran lain")
        self.visits[number] = dict(body)

    def visits_of(self, card: str) -> list[Document]:
        """Return all visits of a card."""
        return [
            self._with_owner({**held, "tglKunjungan": held["tglDaftar"]}, "noKunjungan", "tglKunjungan")
            for held in self.visits.values()
            if held["noKartu"] == card
        ]

    def take_back_visit(self, number: str) -> None:
        """Delete a visit, which has to be empty.

        Raises:
            PcareRefusal: There is none, or it is not empty.
        """
        self._require_number(number)
        if any(
            held["noKunjungan"] == number for held in (*self.medicines.values(), *self.procedures.values())
        ):
            raise broken("noKunjungan", "Masih ada obat atau tindakan")
        del self.visits[number]

    # Medicines and procedures

    def add_medicine(self, body: Document) -> Document:
        """Take a medicine of a visit; return its number.

        Raises:
            PcareRefusal: A rule is broken.
        """
        _require(body, MEDICINE_FIELDS, ("signa1", "signa2", "jmlObat", "jmlPermintaan"))
        self._require_number(body["noKunjungan"])
        known = {code for code, _name in pcare_lists.MEDICINES}
        if body["obatDPHO"] and body["kdObat"] not in known:
            raise broken("kdObat", "kdObat tidak dikenal")
        if not body["obatDPHO"] and not str(body["nmObatNonDPHO"]).strip("-"):
            raise broken("nmObatNonDPHO", "Nama obat harus diisi")
        return {"field": "kdObatSK", "message": str(self._keep(self.medicines, body, "kdObatSK"))}

    def add_procedure(self, body: Document) -> Document:
        """Take a procedure of a visit; return its number.

        Raises:
            PcareRefusal: A rule is broken.
        """
        _require(body, PROCEDURE_FIELDS, ("biaya", "hasil"))
        self._require_number(body["noKunjungan"])
        if body["kdTindakan"] not in {code for code, _name in pcare_lists.PROCEDURES}:
            raise broken("kdTindakan", "kdTindakan tidak dikenal")
        return {"field": "kdTindakanSK", "message": str(self._keep(self.procedures, body, "kdTindakanSK"))}

    def medicines_of(self, number: str) -> list[Document]:
        """Return a visit's medicines."""
        self._require_number(number)
        held = (row for row in self.medicines.values() if row["noKunjungan"] == number)
        return [{**row, "obat": {"kdObat": row["kdObat"]}} for row in held]

    def procedures_of(self, number: str) -> list[Document]:
        """Return a visit's procedures."""
        self._require_number(number)
        return [row for row in self.procedures.values() if row["noKunjungan"] == number]

    def take_back_item(self, items: dict[int, Document], item: int, number: str) -> None:
        """Delete a medicine or a procedure of a visit.

        Args:
            items: `medicines` or `procedures`.
            item: Its number.
            number: The visit's.

        Raises:
            PcareRefusal: There is none.
        """
        if item not in items or items[item]["noKunjungan"] != number:
            raise PcareRefusal(404, "Tidak ditemukan")
        del items[item]

    # Rules

    def _require_open(self, day: str) -> None:
        today = self.now().date()
        if not DAY.fullmatch(str(day)):
            raise broken("tglDaftar", "Format tanggal dd-mm-yyyy")
        asked = datetime.strptime(day, "%d-%m-%Y").date()  # noqa: DTZ007  # a day, not an instant
        if asked > today:
            raise broken("tglDaftar", "Tanggal tidak boleh lebih dari hari ini")
        is_open = (asked.year, asked.month) == (today.year, today.month)
        is_yesterday = self.facts.takes_yesterday and asked == today - timedelta(days=1)
        if not is_open and not is_yesterday:
            raise broken("tglDaftar", "Bulan pelayanan sudah ditutup")

    def _require_registration(self, body: Document) -> None:
        _require(body, REGISTRATION_FIELDS, REGISTRATION_NUMBERS)
        person = self.participant(body["noKartu"])
        self._require_open(body["tglDaftar"])
        if not person["aktif"] and self.facts.refuses_inactive:
            raise broken("noKartu", f"Status peserta tidak aktif: {person['ketAktif']}")
        if body["kdProviderPeserta"] != person["kdProviderPst"]["kdProvider"]:
            raise broken("kdProviderPeserta", "Tidak sesuai dengan provider peserta")
        if body["kdTkp"] not in KINDS_OF_CARE:
            raise broken("kdTkp", "kdTkp tidak dikenal")
        polis = {code: is_for_the_ill for code, _name, is_for_the_ill in pcare_lists.POLIS}
        if body["kdPoli"] not in polis:
            raise broken("kdPoli", "kdPoli tidak dikenal")
        is_for_the_well = not polis[body["kdPoli"]] or body["kdTkp"] == PROMOTIVE
        if body["kunjSakit"] is True and is_for_the_well:
            raise broken("kunjSakit", "Poli kunjungan sehat")

    def _require_visit(self, body: Document) -> None:
        _require(body, VISIT_FIELDS, REGISTRATION_NUMBERS)
        self.participant(body["noKartu"])
        self._require_open(body["tglDaftar"])
        codes = {
            "kdDokter": pcare_lists.DOCTORS,
            "kdSadar": pcare_lists.CONSCIOUSNESS,
            "kdStatusPulang": pcare_lists.WAYS_OF_LEAVING,
            "kdPrognosa": pcare_lists.PROGNOSES,
        }
        for name, known in codes.items():
            if body[name] not in {code for code, *_ in known}:
                raise broken(name, f"{name} tidak dikenal")
        if not body["kdDiag1"]:
            raise broken("kdDiag1", "Diagnosa 1 harus diisi")
        for name in ("kdDiag1", "kdDiag2", "kdDiag3"):
            if body[name] is not None and not DIAGNOSIS.fullmatch(str(body[name])):
                raise broken(name, "Diagnosa tidak dikenal")
        self._require_temperature(body["suhu"])
        self._require_tacc(body)
        self._require_referral(body)

    def _require_tacc(self, body: Document) -> None:
        stays = body["kdDiag1"] in pcare_lists.NON_SPECIALIST
        if stays and body["kdStatusPulang"] == REFERRED and body["kdTacc"] == NO_TACC:
            raise broken("kdTacc", "Diagnosa non spesialistik, TACC harus diisi")

    def _require_referral(self, body: Document) -> None:
        """Refuse a referral that names what no list has, and one that the way of leaving does not fit."""
        referral = body["rujukLanjut"]
        if (referral is not None) != (body["kdStatusPulang"] == REFERRED):
            raise broken("rujukLanjut", "rujukLanjut dan status pulang tidak sesuai")
        if referral is None:
            return
        if not isinstance(referral, dict) or set(referral) != {
            "kdppk",
            "tglEstRujuk",
            "subSpesialis",
            "khusus",
        }:
            raise broken("rujukLanjut", "rujukLanjut tidak lengkap")
        wanted = referral["subSpesialis"]
        if not isinstance(wanted, dict) or referral["khusus"] is not None:
            raise broken("subSpesialis", "Isi subSpesialis atau khusus")
        day = str(referral["tglEstRujuk"])
        if not DAY.fullmatch(day):
            raise broken("tglEstRujuk", "Format tanggal dd-mm-yyyy")
        if _day_of(day) < _day_of(body["tglDaftar"]):
            raise broken("tglEstRujuk", "Tanggal rujuk sebelum tanggal kunjungan")
        found = self.facilities(str(wanted.get("kdSubSpesialis1")), str(wanted.get("kdSarana") or "0"), day)
        if referral["kdppk"] not in {item["kdppk"] for item in found}:
            raise broken("kdppk", "Faskes rujukan tidak melayani subspesialis pada tanggal tersebut")

    def facilities(self, subspecialist: str, means: str, day: str) -> list[Document]:
        """Return the hospitals that take a patient.

        Args:
            subspecialist: Its code.
            means: Code of the means; `0`: any.
            day: `dd-mm-yyyy`; nobody works on a Sunday.

        Raises:
            PcareRefusal: The day is written otherwise, or no list has the subspecialist.
        """
        if not DAY.fullmatch(day):
            raise broken("tglEstRujuk", "Format tanggal dd-mm-yyyy")
        known = {code for rows in pcare_lists.SUBSPECIALISTS.values() for code, _name in rows}
        if subspecialist not in known:
            raise broken("kdSubSpesialis1", "Subspesialis tidak dikenal")
        if _day_of(day).weekday() == SUNDAY:
            return []
        return [
            {
                "kdppk": code, "nmppk": name, "nmkc": town, "kelas": kind, "alamatPpk": f"JL. {name}", "telpPpk": "-",
                "distance": distance, "jadwal": SCHEDULE, "kapasitas": places, "jmlRujuk": taken,
                "persentase": round(100 * taken / places),
            }
            for code, name, town, kind, distance, places, taken, offers, has in pcare_lists.HOSPITALS
            if subspecialist in offers and means in ("0", *has)
        ]  # fmt: skip

    def referral_of(self, number: str) -> Document:
        """Return what is printed on the letter of a referral.

        Raises:
            PcareRefusal: There is no such visit, or nobody was referred.
        """
        self._require_number(number)
        held = self.visits[number]
        if held["rujukLanjut"] is None:
            raise PcareRefusal(404, "Rujukan tidak ditemukan")
        until = _day_of(held["rujukLanjut"]["tglEstRujuk"]) + REFERRAL_HOLDS
        return {
            "noRujukan": number, "nokaPst": held["noKartu"], "nmPst": self.participants[held["noKartu"]]["nama"],
            "tglKunjungan": held["tglDaftar"], "tglEstRujuk": held["rujukLanjut"]["tglEstRujuk"],
            "tglAkhirRujuk": day_text(until), "jadwal": SCHEDULE, "ppkRujuk": {"kdPPK": held["rujukLanjut"]["kdppk"]},
        }  # fmt: skip

    def _require_temperature(self, value: object) -> None:
        is_text = isinstance(value, str) and re.fullmatch(r"\d{1,2}(,\d)?", value) is not None
        is_number = isinstance(value, int) and not isinstance(value, bool)
        taken = {"text": is_text, "number": is_number, None: is_text or is_number}
        if not taken[self.facts.temperature]:
            raise broken("suhu", "Format suhu salah")

    def _require_number(self, number: str) -> None:
        if number not in self.visits:
            raise PcareRefusal(404, "Kunjungan tidak ditemukan")

    def _visits_of(self, key: tuple[str, str, str]) -> list[Document]:
        return [
            held
            for held in self.visits.values()
            if (held["noKartu"], held["tglDaftar"], held["kdPoli"]) == key
        ]

    def _of_day(self, day: str) -> list[Document]:
        return [held for (_card, held_day, _poli), held in self.registrations.items() if held_day == day]

    def _with_owner(self, held: Document, *names: str) -> Document:
        """Return an item of a list, with card and poli nested or flat."""
        item = {name: held[name] for name in names}
        owner = {"noKartu": held["noKartu"]}
        poli = {"kdPoli": held["kdPoli"]}
        return (
            {**item, **owner, **poli} if self.facts.flat_items else {**item, "peserta": owner, "poli": poli}
        )

    def _keep(self, items: dict[int, Document], body: Document, name: str) -> int:
        self._last += 1
        items[self._last] = {**body, name: self._last}
        return self._last


def _day_of(text: str) -> date:
    try:
        return datetime.strptime(text, "%d-%m-%Y").date()  # noqa: DTZ007  # a day, not an instant
    except ValueError:
        raise broken("tanggal", "Tanggal tidak ada di kalender") from None


def day_text(day: date) -> str:
    """Return a day as P-Care writes it."""
    return day.strftime("%d-%m-%Y")


def _require(body: Mapping[str, Any], names: Iterable[str], whole: Iterable[str]) -> None:
    """Refuse a body that lacks a key, or whose numbers are not whole."""
    for name in names:
        if name not in body:
            raise broken(name, f"{name} harus ada")
    for name in whole:
        if not isinstance(body[name], int) or isinstance(body[name], bool):
            raise broken(name, f"{name} harus bilangan bulat")
