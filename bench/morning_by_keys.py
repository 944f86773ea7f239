"""A clinic's morning by keys alone, over real ssh: 25 registrations, 15 consultations, laboratory and pharmacy.

Five people sit at terminals of 80x24. Each step presses keys and waits for what its person must then see; the
screen after it is kept as a text file. At the end the records are compared with what was done. Exit code 1 when a
step's screen never came or a record is not as it was typed.

    python -m bench.morning_by_keys [FOLDER] [--language id|en]
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from core.foundation.catalogues import catalogue
from core.foundation.codes import Sex
from core.patients.national_ids import compose_nik
from tests.e2e.terminals import DemoClinic, Terminal, single_keys
from tests.people import Caller
from tui.screens.stray_keys import QUIET_SECONDS

NUMBER = re.compile(r"\b[A-G]-\d{3}\b")
PEOPLE = ("clerk", "doctor", "dentist", "midwife", "lab", "pharmacist")


@dataclass(frozen=True)
class Arrival:
    """A person who comes to the counter.

    Attributes:
        complaint: As it is said.
        cluster: Where the words lead.
        name: Of somebody new; empty for one who was here before.
        born: Of somebody new.
        sex: Of somebody new.
        has_card: Whether somebody new has the card with the NIK.
    """

    complaint: str
    cluster: str
    name: str = ""
    born: date = date(1990, 1, 1)
    sex: Sex = Sex.FEMALE
    has_card: bool = True


@dataclass(frozen=True)
class Consultation:
    """A visit in a clinician's room.

    Attributes:
        who: The clinician's account.
        diagnosis: Typed into the search.
        code: The code that must be stored for it.
        medicine: Prescribed; empty for none.
        test: Asked of the laboratory; empty for none.
        result: Measured there.
        measured: The first two vital signs, in the order in which the record asks for them.
    """

    who: str
    diagnosis: str
    code: str
    medicine: str = ""
    test: str = ""
    result: str = ""
    measured: tuple[tuple[str, int], ...] = (("systolic", 120), ("diastolic", 80))


NEW = (
    Arrival("batuk pilek sejak dua hari", "UMUM", "Ratih Purwasih", date(1991, 4, 7)),
    Arrival("gusi bengkak", "GIGI", "Endang Susilowati", date(1987, 9, 21)),
    Arrival("kontrol tensi", "LANSIA", "Darmawan Wijaya", date(1951, 2, 13), Sex.MALE),
    Arrival("mau KB suntik", "KIA", "Murniati Lestari", date(1994, 11, 3)),
    Arrival("tangan tersayat pisau", "IGD", "Bambang Hermawan", date(1979, 6, 30), Sex.MALE),
    Arrival("cek gula darah", "LAB", "Sukarti Ningrum", date(1968, 12, 9)),
    Arrival("diare sejak kemarin", "UMUM", "Teguh Prakoso", date(1983, 3, 17), Sex.MALE),
    Arrival("gigi berlubang", "GIGI", "Yuliana Maharani", date(2001, 8, 25)),
    Arrival("pegal linu", "LANSIA", "Kartinah Soewarno", date(1948, 5, 1)),
    Arrival("gatal di kaki", "UMUM", "Rudi Hartawan", date(1995, 10, 12), Sex.MALE),
    Arrival("sakit kepala", "UMUM", "Dewi Anjani", date(1989, 1, 28), Sex.FEMALE, False),
    Arrival("sakit gigi", "GIGI", "Slamet Raharjo", date(1975, 7, 19), Sex.MALE, False),
    Arrival("nyeri lutut", "LANSIA", "Mbah Tumirah", date(1946, 4, 4), Sex.FEMALE, False),
    Arrival("gigi goyang", "GIGI", "Agus Supriyanto", date(1972, 2, 2), Sex.MALE),
    Arrival("batuk pilek", "KIA", "Aisyah Putri Ramadhani", date(2023, 8, 8)),
    Arrival("sakit pinggang", "UMUM", "Hendra Kusumajaya", date(1985, 5, 26), Sex.MALE),
    Arrival("susah tidur", "UMUM", "Lina Marlina Sasmita", date(1978, 9, 15)),
)
RETURNING = (
    "demam dua hari", "sakit gigi geraham", "pusing", "batuk berdahak", "mual", "gatal gatal",
    "sakit tenggorokan", "cek kolesterol",
)  # fmt: skip
"""Complaints of those who were here before."""
CONSULTATIONS = (
    Consultation("doctor", "ispa", "J06.9", medicine="parasetamol 500"),
    Consultation("doctor", "diare", "A09", medicine="oralit"),
    Consultation("doctor", "hipertensi", "I10", test="kolesterol total", result="214"),
    Consultation("doctor", "sakit kepala", "R51"),
    Consultation("doctor", "dispepsia", "K30", medicine="antasida"),
    Consultation("doctor", "mialgia", "M79.1"),
    Consultation("doctor", "demam", "R50.9", test="hb", result="13,1"),
    Consultation("doctor", "ispa", "J06.9"),
    Consultation("dentist", "karies", "K02.9", medicine="asam mefenamat"),
    Consultation("dentist", "gingivitis", "K05.1"),
    Consultation("dentist", "karies", "K02.9"),
    Consultation("dentist", "pulpitis", "K04.0", medicine="parasetamol 500"),
    Consultation("midwife", "ispa", "J06.9", measured=(("pulse", 120), ("respiration", 32))),  # a small child
    Consultation("doctor", "dermatitis", "L30.9"),
    Consultation("doctor", "faringitis", "J02.9", medicine="parasetamol 500"),
)


@dataclass
class Tally:
    """Counts of what was done."""

    steps: int = 0
    keys: int = 0
    seconds: dict[str, list[float]] = field(default_factory=dict)


class Words:
    """The words on the screens, in the language of the morning."""

    def __init__(self, language: str) -> None:
        self._texts = catalogue("tui", language)

    def __call__(self, msgid: str) -> str:
        """Return the words for an English msgid, without what is filled in later."""
        return self._texts.gettext(msgid).split("{")[0].strip()


class Seat:
    """One person at a terminal, whose screens are kept."""

    def __init__(self, who: str, terminal: Terminal, folder: Path, tally: Tally) -> None:
        self.who, self.terminal = who, terminal
        self._folder, self._tally = folder, tally

    def do(self, step: str, keys: str, *shows: str, not_now: str = "") -> str:
        """Press keys, wait for what must be seen, and keep the screen.

        Args:
            step: Name of the step.
            keys: As `Terminal.press` takes them.
            shows: Words that must all stand on the screen afterwards.
            not_now: Words that must not stand there any more.

        Returns:
            The text of the screen.
        """
        began = time.monotonic()
        self.terminal.press(keys)
        if not_now:
            self.terminal.wait_without(not_now)
        shown = self.terminal.wait_for(*shows)
        self._tally.seconds.setdefault(step, []).append(time.monotonic() - began)
        self._tally.steps += 1
        self._tally.keys += len(single_keys(keys))
        file = self._folder / f"{self._tally.steps:03d}-{self.who}-{step.replace(' ', '-')}.txt"
        file.write_text(shown + "\n", encoding="utf-8")
        return shown

    def rest(self) -> None:
        """Look at the screen first: a list may not be the answer yet, and a new screen takes no letter at once."""
        time.sleep(QUIET_SECONDS + 0.2)


class Morning:
    """The people of one morning, and what they did."""

    def __init__(self, clinic: DemoClinic, seats: dict[str, Seat], words: Words) -> None:
        self._clinic, self._seats, self._words = clinic, seats, words
        self.registered: Counter[str] = Counter()
        self.treated: list[tuple[str, Consultation]] = []
        self.measured = 0
        """People tested who came to the laboratory straight from the counter."""

    def register_all(self) -> None:
        """Register those who are new and those who were here before, in turn."""
        with Caller(self._clinic.url, "clerk") as clerk:
            known = [person for person in clerk.get("patients").json() if 18 <= person["age"] < 60]
        for number, arrival in enumerate(NEW):
            self._register_new(arrival, 4711 + number)
        for complaint, person in zip(RETURNING, known, strict=True):
            self._register_known(person["medical_record_number"], person["name"], complaint)

    def _register_new(self, arrival: Arrival, serial: int) -> None:
        clerk, words = self._seats["clerk"], self._words
        clerk.do("search", arrival.name, arrival.name)
        clerk.do("new patient", "<F2>", words("New patient"), arrival.name)
        if arrival.has_card:
            nik = compose_nik("637101", arrival.born, arrival.sex, serial)
            clerk.do("NIK", nik, f"{arrival.born:%d-%m-%Y}")
        else:
            sex = words("Female" if arrival.sex is Sex.FEMALE else "Male")[0].lower()
            clerk.do(
                "no card", f"<Tab>3<Tab><Tab>{arrival.born:%d%m%Y}<Tab>{sex}", f"{arrival.born:%d-%m-%Y}"
            )
        clerk.do("complaint", f"<F4>{arrival.complaint}", arrival.complaint)
        self._confirm(arrival.cluster)

    def _register_known(self, record_number: str, name: str, complaint: str) -> None:
        clerk, words = self._seats["clerk"], self._words
        clerk.do("known patient", f"{record_number}<Enter>", words("Complaint"), name.split()[0])
        clerk.do("complaint", complaint, complaint)
        self._confirm()

    def _confirm(self, cluster: str = "") -> None:
        clerk, words = self._seats["clerk"], self._words
        clerk.do("confirmation", "<F10>", words("Confirm before saving"))
        clerk.rest()
        receipt = clerk.do("saved", "<Enter>", words("Saved"))
        number = NUMBER.search(receipt)
        assert number is not None, receipt
        with Caller(self._clinic.url, "clerk") as caller:
            prefixes = {each["prefix"]: each["code"] for each in caller.get("clusters").json()}
        went_to = prefixes[number.group()[0]]
        assert not cluster or went_to == cluster, f"{went_to} instead of {cluster}:\n{receipt}"
        self.registered[went_to] += 1
        clerk.do("next patient", "<Enter>", words("Search"), words("Last patient"), not_now=words("Undo"))

    def treat_all(self) -> None:
        """Have each clinician call and treat, and the laboratory and the pharmacy do what they asked for."""
        while self.registered["LAB"] > self.measured:
            self._test_first()
        for consultation in CONSULTATIONS:
            self._treat(consultation)

    def _treat(self, consultation: Consultation) -> None:
        seat, words = self._seats[consultation.who], self._words
        number = self._call(seat, "")
        first, second = (str(value) for _name, value in consultation.measured)
        seat.do("vital signs", f"{first}<Tab>{second}", first, second)
        seat.do("diagnosis", f"<F7>{consultation.diagnosis}", words("Diagnosis (ICD-10)"), consultation.code)
        seat.rest()
        seat.do("diagnosis taken", "<Enter>", consultation.code, not_now=words("Diagnosis (ICD-10)"))
        if consultation.medicine:
            self._prescribe(seat, consultation.medicine)
        if consultation.test:
            self._order(seat, consultation.test)
        self._end(seat, consultation, number)
        self.treated.append((number, consultation))

    def _prescribe(self, seat: Seat, medicine: str) -> None:
        words = self._words
        seat.do("medicine", f"<F8>{medicine}", words("Frequency"), medicine.split()[0].capitalize())
        seat.rest()
        seat.do("medicine taken", "<Enter>", words("Enter: next line    F10: prescribe    Esc: back"))
        seat.do("prescribed", "<F10>", not_now=words("Enter: next line    F10: prescribe    Esc: back"))
        none_yet, question = words("Medicine").ljust(12) + "-", words("Does this patient have allergies?")
        terminal = seat.terminal
        terminal.wait_until(
            lambda: none_yet not in terminal.text or question in terminal.text, "the medicine was taken"
        )
        if question in terminal.text:
            seat.rest()
            seat.do("no allergies known", "t", question)
            seat.rest()
            seat.do("allergies asked", "<Enter>", words("Medicine"), not_now=none_yet)

    def _order(self, seat: Seat, test: str) -> None:
        words = self._words
        seat.do("test", f"<F9>{test}", test)
        seat.rest()
        seat.do("test taken", "<Enter>", test)
        seat.do("tests ordered", "<Enter>", words("no result yet"))

    def _end(self, seat: Seat, consultation: Consultation, number: str) -> None:
        words = self._words
        if consultation.test:
            seat.do("outcome", "<F10>", words("How does the visit go on?"))
            seat.rest()
            seat.do("to the laboratory", "l", words("My queue"))
            self._measure(consultation.result)
            self._call(seat, number)
        seat.do("outcome", "<F10>", words("How does the visit go on?"))
        seat.rest()
        letter = "f" if consultation.medicine else "p"
        seat.terminal.press(letter)
        queue, agree = words("My queue"), words("Enter: yes    another letter: choose again    Esc: back")
        seat.terminal.wait_until(
            lambda: queue in seat.terminal.text or agree in seat.terminal.text, "the outcome was taken"
        )
        if agree in seat.terminal.text:
            seat.rest()
            seat.do("outcome agreed", "<Enter>", queue)
        else:
            seat.do("outcome taken", "", queue)
        if consultation.medicine:
            self._dispense()

    def _test_first(self) -> None:
        """Test somebody who came straight from the counter: the laboratory adds the test itself."""
        lab, words = self._seats["lab"], self._words
        self._call(lab, "D-")
        lab.do("test", "<F9>gds", "Gula darah sewaktu")
        lab.rest()
        lab.do("test taken", "<Enter>", "Gula darah sewaktu")
        lab.do("tests ordered", "<Enter>", "mg/dL")
        lab.do("result", "121", "121")
        lab.do("result saved", "<F10>", words("My queue"))
        self.measured += 1

    def _measure(self, result: str) -> None:
        lab, words = self._seats["lab"], self._words
        self._call(lab, "D-")
        lab.do("result", result, result)
        lab.do("result saved", "<F10>", words("My queue"))

    def _dispense(self) -> None:
        pharmacist, words = self._seats["pharmacist"], self._words
        self._call(pharmacist, "G-")
        pharmacist.do("dispensed", "<F10>", words("My queue"))

    def _call(self, seat: Seat, number: str) -> str:
        """Call the next person and open the record, or what is to be done for them.

        Args:
            seat: Who calls.
            number: Beginning of the number that must be called.

        Returns:
            The whole number.
        """
        called_word = self._words("CALLED")
        seat.terminal.wait_for(number)
        seat.rest()
        called = seat.do("call", "n", called_word)
        line = next(line for line in called.splitlines() if called_word in line)
        ticket = NUMBER.search(line)
        assert ticket is not None, called
        assert ticket.group().startswith(number), called
        seat.rest()
        seat.do("open", "<Enter>", ticket.group(), not_now=self._words("My queue"))
        return ticket.group()

    def differences(self) -> list[str]:
        """Return what the records hold otherwise than it was typed; empty when all is as it was done."""
        found = []
        with Caller(self._clinic.url, "clerk") as clerk:
            for cluster in clerk.get("clusters").json():
                entries = clerk.get(f"queues/{cluster['code']}").json()["entries"]
                if len(entries) < self.registered[cluster["code"]]:
                    found.append(
                        f"{cluster['code']}: {len(entries)} instead of {self.registered[cluster['code']]}"
                    )
        for number, consultation in self.treated:
            found += self._differences_of(number, consultation)
        return found

    def _differences_of(self, number: str, consultation: Consultation) -> list[str]:
        with Caller(self._clinic.url, consultation.who) as caller:
            clusters = caller.get("clusters").json()
            cluster = next(each["code"] for each in clusters if each["prefix"] == number[0])
            entries = caller.get(f"queues/{cluster}").json()["entries"]
            visit_id = next(entry["visit_id"] for entry in entries if entry["number"] == number)
            visit = caller.get(f"visits/{visit_id}").json()
        facts = {
            "vital signs": visit["encounters"][0]["vitals"] == dict(consultation.measured),
            "diagnosis": [each["code"] for each in visit["diagnoses"]] == [consultation.code],
            "medicine": [each["status"] for each in visit["prescriptions"]]
            == (["completed"] if consultation.medicine else []),
            "result": [each["result"] for each in visit["orders"]]
            == ([consultation.result] if consultation.test else []),
        }
        return [f"{number}: the {name} is not as typed" for name, is_so in facts.items() if not is_so]


def play(folder: Path, language: str) -> int:
    """Play the morning, print its table, and return the exit code.

    Args:
        folder: Takes the screens.
        language: Of the terminals.
    """
    tally = Tally()
    words = Words(language)
    with tempfile.TemporaryDirectory() as home, ExitStack() as opened:
        clinic = opened.enter_context(DemoClinic(Path(home) / "clinic", LOKET_LANGUAGE=language))
        seats = {who: Seat(who, opened.enter_context(clinic.sign_in(who)), folder, tally) for who in PEOPLE}
        for who, seat in seats.items():
            seat.do("signed in", "", words("Search") if who == "clerk" else words("My queue"))
        morning = Morning(clinic, seats, words)
        morning.register_all()
        morning.treat_all()
        differences = morning.differences()
    _print_table(tally, morning)
    for line in differences:
        print(f"  !! {line}")
    print(f"{len(differences)} differences; the screens are in {folder}")
    return 1 if differences else 0


def _print_table(tally: Tally, morning: Morning) -> None:
    print(f"{'step':<22} {'times':>6} {'median s':>9} {'longest s':>10}")
    for step, seconds in tally.seconds.items():
        ordered = sorted(seconds)
        print(f"{step:<22} {len(ordered):>6} {ordered[len(ordered) // 2]:>9.2f} {ordered[-1]:>10.2f}")
    print(f"registered {morning.registered.total()}, treated {len(morning.treated)}", end=", ")
    print(f"{tally.steps} steps, {tally.keys} keys")


def folder_and_language(description: str, prefix: str) -> tuple[Path, str]:
    """Read the command line of a bench that is played by keys.

    Args:
        description: Of the bench.
        prefix: Of the name of a new folder for the screens, where none is given.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, help="takes the screens; a new temporary one by default"
    )
    parser.add_argument("--language", choices=("id", "en"), default="id")
    chosen = parser.parse_args()
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix=prefix))
    folder.mkdir(parents=True, exist_ok=True)
    return folder, chosen.language


def main() -> int:
    return play(*folder_and_language(__doc__ or "", "loket-morning-"))


if __name__ == "__main__":
    sys.exit(main())
