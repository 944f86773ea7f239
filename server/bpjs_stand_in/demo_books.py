"""The stand-in of the demo clinic: its people are insured, some not actively, some elsewhere."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.foundation import clock
from core.foundation.codes import Sex
from core.foundation.config import Settings
from core.foundation.database import connection
from core.models import Patient
from server.bpjs_stand_in.pcare_books import Books
from server.bpjs_stand_in.pcare_host import PcareHost

ELSEWHERE = {"kdProvider": "0114U999", "nmProvider": "PUSKESMAS SEBERANG"}
NEWCOMERS: tuple[tuple[str, str, str, str, date, dict[str, Any]], ...] = (
    ("0001200300401", "6371014107900001", "SITI AMINAH", "P", date(1990, 7, 1), {}),
    ("0001200300402", "6371010203850002", "BUDI SANTOSO", "L", date(1985, 3, 2), {"aktif": False, "ketAktif": "PENANGGUHAN PEMBAYARAN"}),
    ("0001200300403", "6371015512720003", "NURHAYATI", "P", date(1972, 12, 15), {"kdProviderPst": ELSEWHERE}),
)  # fmt: skip
"""Insured people whom the clinic does not know yet: one of its own, one not active, one of another facility."""


class DemoBooks(Books):
    """Books that know every patient of the demo clinic by card or NIK, also those who come later."""

    def participant(self, card: str) -> dict[str, Any]:
        """Return the participant of a card.

        Raises:
            PcareRefusal: Nobody has it.
        """
        self._insure(Patient.bpjs_number == card)
        return super().participant(card)

    def participant_by_nik(self, nik: str) -> dict[str, Any]:
        """Return the participant with a NIK.

        Raises:
            PcareRefusal: Nobody has it.
        """
        self._insure(Patient.nik == nik)
        return super().participant_by_nik(nik)

    def _insure(self, condition: Any) -> None:
        with connection():
            found = list(Patient.select().where(condition, Patient.voided_at.is_null()))
        niks = {person["noKTP"] for person in self.participants.values()}
        for patient in found:
            card = patient.bpjs_number or f"0001{(patient.nik or '')[-9:]}"
            if card not in self.participants and patient.nik not in niks:
                sex = "L" if patient.sex == Sex.MALE else "P"
                self.add_participant(card, patient.nik or "", patient.name.upper(), sex, patient.birth_date)


def start(settings: Settings) -> tuple[PcareHost, Settings]:
    """Start the stand-in for a demo clinic.

    Args:
        settings: The demo's.

    Returns:
        The running service, and the settings with which the clinic asks it.
    """
    books = DemoBooks(lambda: clock.now().astimezone(settings.timezone))
    for card, nik, name, sex, born, other in NEWCOMERS:
        books.add_participant(card, nik, name, sex, born, **other)
    host = PcareHost(books)
    return host, settings.model_copy(update={**host.settings(), **host.queue_settings()})
