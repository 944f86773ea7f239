"""The stand-in's queue of Mobile JKN: who has which number, and the rules by which it takes or refuses a call.

Source: docs/reference/bpjs.md 3, docs/reference/bpjs.md 10.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from server.bpjs_stand_in import pcare_lists
from server.bpjs_stand_in.pcare_books import CARD, Document, PcareRefusal, broken

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
NIK = re.compile(r"\d{16}|")
ADD_FIELDS = (
    "nomorkartu", "nik", "nohp", "kodepoli", "namapoli", "norm", "tanggalperiksa", "kodedokter", "namadokter",
    "jampraktek", "nomorantrean", "angkaantrean", "keterangan",
)  # fmt: skip
CALL_FIELDS = ("tanggalperiksa", "kodepoli", "nomorkartu", "status", "waktu")
CANCEL_FIELDS = ("tanggalperiksa", "kodepoli", "nomorkartu", "alasan")
THERE_ALREADY = 201
PRESENT, ABSENT = 1, 2

Key = tuple[str, str, str]


@dataclass
class HeldNumber:
    """One number as Mobile JKN shows it."""

    body: Document
    is_cancelled: bool = False
    told: list[tuple[int, int]] = field(default_factory=list)
    """Status and instant of each `panggil`."""


class QueueBooks:
    """Numbers by day, poli and card; those without a card by their own text."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.held: dict[Key, HeldNumber] = {}
        self.log: list[tuple[str, Key]] = []
        """Every call that was taken, in order."""
        self.repeated: Counter[str] = Counter()
        """Calls that were done before."""
        self.unknown: Counter[str] = Counter()
        """Calls about a number that nobody added: out of order."""

    def doctors(self, poli: str, day: str) -> list[Document]:
        """Return the doctors and hours of a poli and day.

        Raises:
            PcareRefusal: The day is written otherwise.
        """
        _require_day(day)
        return [
            {"kodedokter": code, "namadokter": name, "jampraktek": hours, "kapasitas": 30}
            for own, code, name, hours in pcare_lists.SESSIONS
            if own == poli
        ]

    def add(self, body: Document) -> None:
        """Take a number.

        Raises:
            PcareRefusal: A rule is broken, or it is there already.
        """
        _require(body, ADD_FIELDS)
        self._require_number(body)
        session = {name: body[name] for name in ("kodedokter", "namadokter", "jampraktek")}
        offered = self.doctors(body["kodepoli"], body["tanggalperiksa"])
        if session not in [{name: row[name] for name in session} for row in offered]:
            raise broken("kodedokter", "Dokter dan jam praktek tidak sesuai referensi")
        key = self._key(body, body["nomorkartu"] or body["nomorantrean"])
        held = self.held.get(key)
        if held is not None and not held.is_cancelled:
            self.repeated["add"] += 1
            raise PcareRefusal(THERE_ALREADY, "Antrean sudah ada")
        self.held[key] = HeldNumber(body)
        self.log.append(("add", key))

    def call(self, body: Document) -> None:
        """Take whether a patient is there.

        Raises:
            PcareRefusal: A rule is broken, nobody has this number, or it was told before.
        """
        _require(body, CALL_FIELDS)
        if body["status"] not in {PRESENT, ABSENT} or not isinstance(body["waktu"], int):
            raise broken("status", "Status 1 atau 2, waktu dalam milidetik")
        key, held = self._of(body, "panggil")
        if held is None or held.is_cancelled:
            raise PcareRefusal(THERE_ALREADY, "Antrean tidak ditemukan")
        if (body["status"], body["waktu"]) in held.told or PRESENT in dict(held.told):
            self.repeated["panggil"] += 1
            raise PcareRefusal(THERE_ALREADY, "Antrean sudah dipanggil")
        held.told.append((body["status"], body["waktu"]))
        self.log.append((f"panggil {body['status']}", key))

    def cancel(self, body: Document) -> None:
        """Take that a number was cancelled.

        Raises:
            PcareRefusal: A rule is broken, nobody has this number, or it was cancelled before.
        """
        _require(body, CANCEL_FIELDS)
        if not str(body["alasan"]).strip():
            raise broken("alasan", "Alasan harus diisi")
        key, held = self._of(body, "batal")
        if held is None or held.is_cancelled:
            self.repeated["batal"] += held is not None
            raise PcareRefusal(THERE_ALREADY, "Antrean tidak ditemukan atau sudah dibatalkan")
        held.is_cancelled = True
        self.log.append(("batal", key))

    def _of(self, body: Document, kind: str) -> tuple[Key, HeldNumber | None]:
        _require_day(body["tanggalperiksa"])
        if not CARD.fullmatch(body["nomorkartu"]):
            raise broken("nomorkartu", "Nomor kartu harus 13 digit")
        key = self._key(body, body["nomorkartu"])
        self.unknown[kind] += key not in self.held
        return key, self.held.get(key)

    @staticmethod
    def _key(body: Document, last: str) -> Key:
        return body["tanggalperiksa"], body["kodepoli"], last

    def _require_number(self, body: Document) -> None:
        _require_day(body["tanggalperiksa"])
        if body["tanggalperiksa"] > self.now().date().isoformat():
            raise broken("tanggalperiksa", "Tanggal tidak boleh lebih dari hari ini")
        if body["nomorkartu"] and not CARD.fullmatch(body["nomorkartu"]):
            raise broken("nomorkartu", "Nomor kartu harus 13 digit atau kosong")
        if not NIK.fullmatch(body["nik"]):
            raise broken("nik", "NIK harus 16 digit")
        names = {code: name for code, name, _ill in pcare_lists.POLIS}
        if names.get(body["kodepoli"]) != body["namapoli"]:
            raise broken("kodepoli", "Poli tidak sesuai referensi")
        if not body["nomorantrean"] or not body["norm"]:
            raise broken("nomorantrean", "Nomor antrean dan norm harus diisi")
        for name in ("kodedokter", "angkaantrean"):
            if not isinstance(body[name], int) or isinstance(body[name], bool):
                raise broken(name, f"{name} harus bilangan bulat")


def _require(body: Document, names: tuple[str, ...]) -> None:
    for name in names:
        if name not in body or body[name] is None:
            raise broken(name, f"{name} harus ada")


def _require_day(day: Any) -> None:
    if not isinstance(day, str) or not DAY.fullmatch(day):
        raise broken("tanggalperiksa", "Format tanggal yyyy-mm-dd")
