"""Does every path to BPJS work by keys alone, over real ssh, and does BPJS's list say so after each step?

    python -m bench.bpjs_by_keys [FOLDER] [--language id|en]

A clerk and a doctor sit at terminals of 80x24 beside the strict stand-in. Scan, registration, consultation; the end
taken back and the visit cancelled; a registration undone on its receipt; a referral with its number, an urgent one
while the line is cut, whose number follows. Each screen is kept; after each step the
stand-in's books are read. Exit code 1 when a screen never came or the books hold something else.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

from bench.morning_by_keys import NUMBER, Seat, Tally, Words, folder_and_language
from core.foundation import clock
from core.foundation.config import Settings
from server.bpjs_stand_in import Books, PcareHost
from tests.e2e.terminals import DemoClinic
from tests.people import Caller

SUNDAY = 6
PATIENCE_SECONDS = 120.0
"""Longest wait for BPJS's books: the clinic sends every half minute."""
MEDICINE = ("Parasetamol 500 mg tablet", "130000001")
"""The one that is prescribed, and its code at the stand-in."""
PEOPLE = (
    ("0001234567801", "6371014107900001", "SITI AMINAH", "P", date(1990, 7, 1)),
    ("0007654321902", "6371010203850002", "BUDI SANTOSA", "L", date(1985, 3, 2)),
    ("0003456789103", "6371015512720003", "NURHAYATI", "P", date(1972, 12, 15)),
    ("0009876501204", "6371011010800004", "RAHMAT HIDAYAT", "L", date(1980, 10, 10)),
    ("0005550123405", "6371014505880005", "MARLINA", "P", date(1988, 5, 5)),
)


class Walk:
    """The two people, the stand-in, and what was seen."""

    def __init__(self, host: PcareHost, seats: dict[str, Seat], words: Words) -> None:
        self.host, self.words = host, words
        self.clerk, self.doctor = seats["clerk"], seats["doctor"]

    def books(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait until BPJS's books hold what they must, and say what they hold.

        Args:
            what: Is shown.
            holds: Whether they do.
        """
        began, deadline = time.monotonic(), time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"never at BPJS: {what}; {self._held()}"
            time.sleep(0.2)
        print(f"{what:<52} {self._held()}  ({time.monotonic() - began:.0f} s)", flush=True)

    def _held(self) -> str:
        books = self.host.books
        return (
            f"registrations {len(books.registrations)} visits {len(books.visits)} medicines {len(books.medicines)}"
            f"  last {' '.join(self.host.changes[-3:])}"
        )

    def register(self, card: str, name: str, complaint: str) -> str:
        """Scan a card, let BPJS fill the form, and save; return the ticket."""
        clerk, words = self.clerk, self.words
        clerk.do("scan", f"{card}<Enter>", words("Nobody found. F2 registers a new patient."))
        clerk.do("form", "<F2>", words("New patient"), name.title().split()[0].upper())
        clerk.do("taken over", "<F5>", next(person[1] for person in PEOPLE if person[0] == card))
        clerk.do("complaint", f"<F4>{complaint}", complaint)
        clerk.do("confirmation", "<F10>", words("Confirm before saving"))
        clerk.rest()
        receipt = clerk.do("saved", "<Enter>", words("Saved"))
        found = NUMBER.search(receipt)
        assert found is not None, receipt
        return found.group()

    def next_patient(self) -> None:
        """Leave the receipt."""
        self.clerk.do("next patient", "<Enter>", self.words("Search"), not_now=self.words("Undo"))

    def consult(self, number: str, diagnosis: str, code: str, medicine: str = "") -> None:
        """Call, open the record, write the diagnosis, and answer BPJS's form."""
        doctor, words = self.doctor, self.words
        doctor.terminal.wait_for(number)
        doctor.rest()
        doctor.do("call", "n", words("CALLED"))
        doctor.rest()
        doctor.do("open", "<Enter>", number, "BPJS (P-Care)", not_now=words("My queue"))
        doctor.do("vital signs", "120<Tab>80", "120", "80")
        doctor.do("diagnosis", f"<F7>{diagnosis}", words("Diagnosis (ICD-10)"), code)
        doctor.rest()
        doctor.do("diagnosis taken", "<Enter>", code, not_now=words("Diagnosis (ICD-10)"))
        if medicine:
            self._prescribe(medicine)
        self._answer_form()

    def _prescribe(self, medicine: str) -> None:
        doctor, words = self.doctor, self.words
        doctor.do("medicine", f"<F8>{medicine}", words("Frequency"), medicine.split()[0].capitalize())
        doctor.rest()
        doctor.do("medicine taken", "<Enter>", words("Enter: next line    F10: prescribe    Esc: back"))
        doctor.do("prescribed", "<F10>", not_now=words("Enter: next line    F10: prescribe    Esc: back"))
        question, none_yet = words("Does this patient have allergies?"), words("Medicine").ljust(12) + "-"
        terminal = doctor.terminal
        terminal.wait_until(
            lambda: none_yet not in terminal.text or question in terminal.text, "the medicine"
        )
        if question in terminal.text:
            doctor.rest()
            doctor.do("no allergies known", "t", question)
            doctor.rest()
            doctor.do("allergies asked", "<Enter>", words("Medicine"), not_now=none_yet)

    def _answer_form(self) -> None:
        doctor = self.doctor
        doctor.do("more", "<F2>", self.words("More"))
        doctor.rest()
        shown = doctor.do("form of BPJS", "f", "P-Care")
        if "TACC" not in shown:
            doctor.rest()
            doctor.do("form chosen", "1", "TACC")
        doctor.do("form answered", "1<Tab>2", "TACC")
        doctor.do("form left", "<F10>", "2 ")

    def end(self, letter: str) -> None:
        """End the visit with an outcome, whatever is asked about it."""
        doctor, words = self.doctor, self.words
        doctor.do("outcome", "<F10>", words("How does the visit go on?"))
        doctor.rest()
        doctor.terminal.press(letter)
        queue, agree = words("My queue"), words("Enter: yes    another letter: choose again    Esc: back")
        terminal = doctor.terminal
        terminal.wait_until(lambda: queue in terminal.text or agree in terminal.text, "the outcome")
        if agree in terminal.text:
            doctor.rest()
            doctor.do("outcome agreed", "<Enter>", not_now=agree)

    # The paths

    def come_and_go(self) -> None:
        """Scan to the visit's number; then the end is taken back, and the visit cancelled."""
        host, books, doctor, words = self.host, self.host.books, self.doctor, self.words
        number = self.register(PEOPLE[0][0], PEOPLE[0][2], "batuk pilek")
        self.next_patient()
        self.books("registered", lambda: len(books.registrations) == 1)
        self.consult(number, "ispa", "J06.9", "parasetamol 500")
        self.end("p")
        doctor.do("done", "", words("My queue"))
        self.books("visit and medicine", lambda: len(books.visits) == 1 and len(books.medicines) == 1)
        doctor.rest()
        doctor.do("taken back", "u", number)
        doctor.rest()
        agree = words("Enter: yes    Esc: back")
        if agree in doctor.terminal.text:
            doctor.do("taken back, agreed", "<Enter>", not_now=agree)
        self.books("the end was taken back", lambda: not books.visits and not books.medicines)
        assert host.changes[-2:] == ["DELETE obat", "DELETE kunjungan"], host.changes
        for _ in range(2):  # whoever is served cannot be cancelled: the start and the call are taken back too
            doctor.rest()
            doctor.do("step taken back", "u", words("Undone: {number} {person}"))
        doctor.terminal.wait_without(words("in service"))
        doctor.rest()
        doctor.do("cancel", "x", words("Reason"))
        doctor.rest()
        doctor.do("reason", "1", "1")
        doctor.rest()
        doctor.do("cancelled", "<Enter>", words("Cancelled: {number} {person}"))
        self.books("cancelled", lambda: not books.registrations)
        assert host.changes[-1] == "DELETE pendaftaran", host.changes

    def undo(self) -> None:
        """A registration undone on its receipt."""
        books, clerk = self.host.books, self.clerk
        self.register(PEOPLE[1][0], PEOPLE[1][2], "demam")
        self.books("registered", lambda: len(books.registrations) == 1)
        clerk.rest()
        clerk.do("undone", "z", self.words("Search"), not_now=self.words("Next patient"))
        self.books("undone", lambda: not books.registrations)
        assert self.host.changes[-1] == "DELETE pendaftaran", self.host.changes

    def refer(self) -> None:
        """A referral chosen from BPJS's lists; its number comes, and the letter bears it."""
        books, doctor, words = self.host.books, self.doctor, self.words
        number = self.register(PEOPLE[2][0], PEOPLE[2][2], "pusing")
        self.next_patient()
        self.consult(number, "hipertensi", "I10")
        self._return_date()
        self.end("r")
        self._choose("GINJAL", "RSUD")
        self.books("referred", lambda: any(held["rujukLanjut"] for held in books.visits.values()))
        doctor.do("told", "", words("J: referral numbers come: {number}"))
        doctor.rest()
        shown = doctor.do("referrals", "j", words("Referrals"), next(reversed(books.visits)))
        assert words("no letter") in shown, shown
        doctor.rest()
        doctor.do("letter", "<Enter>", words("Letter"))
        doctor.rest()
        doctor.do("letter shown", "l", "SURAT RUJUKAN FKTP", next(reversed(books.visits)))
        doctor.do("letter left", "<Esc>", "001/RJB")
        doctor.do(
            "queue again", "<Esc>", words("My queue"), not_now=words("J: referral numbers come: {number}")
        )

    def _return_date(self) -> None:
        """Say when the patient comes back: in a week, or on the day after where that is no working day."""
        doctor, words = self.doctor, self.words
        doctor.do("more", "<F2>", words("More"))
        doctor.rest()
        doctor.do("return date", "d", words("Return date"), "ddmmyyyy")
        days = "8" if (clock.now() + timedelta(days=7)).weekday() == SUNDAY else "7"
        doctor.do("days typed", days, days)
        doctor.rest()
        doctor.do("return date given", "<Enter>", words("Returns"), "(A-001")
        self.clerk.do("lists", "<F7>", words("Which list?"))
        self.clerk.rest()
        self.clerk.do("awaited", "t", words("Awaited today"))
        self.clerk.do("back", "<Esc>", words("Search"))
        self.clerk.do("lists", "<F7>", words("Which list?"))
        self.clerk.rest()
        self.clerk.do("did not come", "j", words("Did not come back"))
        self.clerk.do("back", "<Esc>", words("Search"))

    def refer_without_line(self) -> None:
        """An urgent referral while BPJS is out: printed at once, and its number follows when the line is back."""
        books, doctor, words = self.host.books, self.doctor, self.words
        number = self.register(PEOPLE[3][0], PEOPLE[3][2], "sakit kepala")
        self.next_patient()
        self.books("registered", lambda: len(books.registrations) == 2)
        self.consult(number, "hipertensi", "I10")
        self.host.is_down = True
        self.end("r")
        self._choose("GINJAL", "RSUD", is_urgent=True)
        doctor.do("no printer here", "", words("LETTER NOT PRINTED: J."))
        doctor.rest()
        shown = doctor.do("referrals", "j", words("number follows"))
        assert "002/RJB" in shown, shown
        self.host.is_down = False
        self.books("the line is back", lambda: len(books.visits) == 2)
        newest = next(reversed(books.visits))
        doctor.do("number has come", "", newest, words("print again"))
        doctor.rest()
        doctor.do("printed again", "p", "003/RJB")
        doctor.do("queue again", "<Esc>", words("My queue"))

    def _choose(self, subspecialist: str, hospital: str, *, is_urgent: bool = False) -> None:
        """Answer each question of a referral.

        Args:
            subspecialist: Part of a name in BPJS's list.
            hospital: Part of the first name in BPJS's list.
            is_urgent: Whether the letter leaves before its number.
        """
        doctor, words = self.doctor, self.words
        doctor.do("specialist", "penyakit dalam", words("Referral: specialist"), "PENYAKIT DALAM")
        doctor.rest()
        doctor.do("subspecialist", "<Enter>", words("Referral: subspecialist"), subspecialist)
        doctor.do("subspecialist typed", subspecialist.lower(), subspecialist)
        doctor.rest()
        doctor.do("means", "<Enter>", words("Referral: means"), words("any"))
        doctor.rest()
        doctor.do("day", "<Enter>", words("Referral: day"))
        doctor.rest()
        doctor.do("hospital", "<Down><Enter>", words("Referral: hospital"), hospital)
        doctor.rest()
        doctor.do("TACC", "<Enter>", words("Referral: why a primary-care diagnosis (TACC)"))
        doctor.rest()
        doctor.do("reason", "<Down><Down><Enter>", words("Referral: reason of the TACC"))
        doctor.do("reason typed", "I10 - krisis", "krisis")
        doctor.rest()
        doctor.do("ready", "<Enter>", words("Referral: ready"))
        doctor.rest()
        doctor.do("referred", "<Down><Enter>" if is_urgent else "<Enter>", words("My queue"))


def play(folder: Path, language: str) -> int:
    """Walk all paths in one language; return the exit code.

    Args:
        folder: Takes the screens.
        language: Of the terminals.
    """
    words, tally = Words(language), Tally()
    books = Books(lambda: clock.now().astimezone(Settings().timezone))
    for person in PEOPLE:
        books.add_participant(*person)
    host = PcareHost(books)
    told = {f"LOKET_{key.upper()}": str(value) for key, value in host.settings().items()}
    with tempfile.TemporaryDirectory() as home, ExitStack() as opened:
        opened.callback(host.close)
        clinic = opened.enter_context(DemoClinic(Path(home) / "clinic", LOKET_LANGUAGE=language, **told))
        seats = {
            who: Seat(who, opened.enter_context(clinic.sign_in(who)), folder, tally)
            for who in ("clerk", "doctor")
        }
        seats["clerk"].do("signed in", "", words("Search"))
        seats["doctor"].do("signed in", "", words("My queue"))
        with Caller(clinic.url, "admin") as admin:
            body = {"kind": "medicine", "ours": MEDICINE[0], "theirs": MEDICINE[1], "name": MEDICINE[0]}
            admin.put("bpjs/codes", json=body).raise_for_status()
        walk = Walk(host, seats, words)
        for path in (walk.come_and_go, walk.undo, walk.refer, walk.refer_without_line):
            print(f"-- {(path.__doc__ or '').strip()}", flush=True)
            path()
    print(f"{tally.steps} steps, {tally.keys} keys; the screens are in {folder}")
    return 0


def main() -> int:
    return play(*folder_and_language(__doc__ or "", "bpjs-"))


if __name__ == "__main__":
    sys.exit(main())
