"""Line mode against a real server: answers in, sentences out, the same rules as on the screens."""

from __future__ import annotations

import asyncio
import re
from datetime import date

import pytest

from core.foundation.codes import Sex
from core.patients.national_ids import compose_nik
from tests.tui.conftest import Counter
from tui.lines.dialogue import line_mode
from tui.lines.questions import choose, question_for
from tui.registration.form_values import FormValues
from tui.text.translation import Translator

pytestmark = pytest.mark.usefixtures("no_parked_forms")


class Person:
    """Answers one question at a time; `ahead` lines are there before their questions."""

    def __init__(self, answers: list[str], ahead: int = 0) -> None:
        self._answers = answers
        self._ahead = ahead
        self.heard = ""
        self.writes = 0

    async def readline(self) -> str | None:
        self._ahead = max(0, self._ahead - 1)
        return self._answers.pop(0) if self._answers else None

    def has_line(self) -> bool:
        return self._ahead > 0

    def hide(self, *, hidden: bool) -> None:
        self.heard += "(hidden)" if hidden else ""

    def discard(self) -> int:
        number, self._ahead = self._ahead, 0
        del self._answers[:number]
        return number

    def write(self, text: str) -> None:
        self.heard += text
        self.writes += 1

    async def drain(self) -> None:
        await asyncio.sleep(0)

    prints_escpos = False

    def print_local(self, data: bytes) -> bool:
        return False

    async def delivered(self) -> bool:
        return True


async def talk(
    counter: Counter, *answers: str, who: str = "clerk", language: str = "en", ahead: int = 0
) -> tuple[Person, int]:
    """Somebody at the dialogue until it ends; gives them and its exit status."""
    person = Person(list(answers), ahead)
    session = await counter.session(who, language)
    token = session.client.token
    try:
        with pytest.MonkeyPatch.context() as patch:
            # The next dialogue uses the same token.
            patch.setattr(session.client.accounts, "sign_out", lambda: asyncio.sleep(0))
            return person, await line_mode(session, person, person)
    finally:
        session.client.token = token
        await session.client.close()


async def heard(counter: Counter, *answers: str, **options) -> str:
    person, _ = await talk(counter, *answers, **options)
    return person.heard


def number_in(text: str) -> str:
    found = re.search(r"(?:SAVED|TERSIMPAN): ([A-Z]-\d{3})", text)
    assert found is not None, text
    return found[1]


def nik(serial: int, sex: Sex = Sex.FEMALE) -> str:
    """A number unlike the others: who differs in one digit is found as perhaps the same."""
    born = date(1975 + serial % 17, 1 + serial % 12, 1 + serial % 28)
    return compose_nik("637101", born, sex, 7919 * serial % 9999 + 1)


NO_MORE = [""] * 5  # BPJS, family card, mother, phone, address


async def test_a_new_patient_from_search_to_receipt(counter: Counter):
    text = await heard(
        counter, nik(201), "Ana Mendoza", "0001234567201", "", "Siti Aminah", "0812345",
        "Jl. Melati 5 RT 3/RW 2", "sakit gigi geraham", "2 card", "",
    )  # fmt: skip
    number = number_in(text)
    assert number.startswith("B-")
    assert number in counter.open_numbers("GIGI")
    with counter.api() as api:
        (saved,) = api.get("patients", params={"q": nik(201)}).json()
        entries = api.get("queues/GIGI").json()["entries"]
    assert (saved["name"], saved["sex"], saved["birth_date"]) == ("Ana Mendoza", "female", "1989-10-06")
    assert (saved["address"], saved["rt"], saved["rw"]) == ("Jl. Melati 5", "3", "2")
    assert saved["bpjs_number"] == "0001234567201"
    assert saved["mother_name"] == "Siti Aminah"
    assert saved["identity_verified_at"] is not None
    assert [e["chief_complaint"] for e in entries if e["number"] == number] == ["sakit gigi geraham"]


async def test_each_answer_costs_one_packet(counter: Counter):
    """Everything that is said leaves with the next question."""
    answers = [nik(202), "Bela Sari", *NO_MORE, "sakit gigi", "", ""]
    person, _ = await talk(counter, *answers)
    number_in(person.heard)
    assert person.writes == len(answers) + 1  # and the first question


async def test_a_known_patient_by_name_and_number_in_the_list(counter: Counter):
    counter.register("Dewi Kartikasari", nik(203), "sakit gigi", "GIGI")
    text = await heard(counter, "dewi kartikasari", "1", "batuk pilek", "", "")
    assert "1 Dewi Kartikasari, F, 34 yr (08-12-1991), RM" in text
    assert number_in(text).startswith("A-")


async def test_one_of_the_last_patients_by_number(counter: Counter):
    """Enter alone lists them with numbers; a number then opens one, and means nothing later."""
    counter.register("Ratih Purwasih", nik(230), "batuk", "UMUM")
    text = await heard(counter, "", "1", "<<", "1", "q")
    assert "1 Ratih Purwasih, F, " in text
    assert "Number, + new, or search: Ratih Purwasih, F, " in text
    assert "Search (? help): ! Type at least two letters" in text


async def test_a_long_list_says_that_there_are_more(counter: Counter):
    for number in range(9):
        counter.register(f"Sulastri {'abcdefghi'[number] * 5}", nik(240 + number * 2), "batuk", "UMUM")
    text = await heard(counter, "sulastri", "<", "q")
    assert "8 Sulastri" in text
    assert "9 Sulastri" not in text
    assert "There are more: type more of the name" in text


async def test_everything_is_indonesian_where_the_setting_says_so(counter: Counter):
    answers = [nik(204), "Eka Putri", *NO_MORE, "sakit gigi", "?", "", ""]
    text = await heard(counter, *answers, language="id")
    assert "Tidak ditemukan: pasien baru." in text
    assert "Keluhan:" in text
    assert "JKN PBI" in text
    assert "Enter: SIMPAN KE Poli Gigi:" in text
    number_in(text)
    assert not re.search(r"\b(the|patient|Search|Name|Complaint)\b", text)


async def test_enter_never_passes_a_mismatch(counter: Counter):
    """The letter of the proposed cluster saves there; nothing else does."""
    start = [nik(205, Sex.MALE), "Fajar Nugroho", *NO_MORE, "sakit gigi geraham", "A"]
    before = counter.open_numbers("UMUM"), counter.open_numbers("GIGI")
    text = await heard(counter, *start, "", "", "y", "x")
    assert "SAVED" not in text
    assert (counter.open_numbers("UMUM"), counter.open_numbers("GIGI")) == before
    assert "B: SAVE TO Poli Gigi, !: keep Poli Umum, with a reason:" in text
    text = await heard(counter, *start, "b")
    assert number_in(text).startswith("B-")


async def test_keeping_the_other_cluster_takes_a_reason(counter: Counter):
    start = [nik(206, Sex.MALE), "Galih Pratama", *NO_MORE, "sakit gigi geraham", "A"]
    text = await heard(counter, *start, "!", "", "7", "x", "2")
    assert text.count("Reason: is too short") == 3
    assert number_in(text).startswith("A-")
    with counter.api("doctor") as api:
        entries = api.get("queues/UMUM").json()["entries"]
        visit = api.get(f"visits/{entries[-1]['visit_id']}", params={"reason": "check"}).json()
    assert visit["override_reason"] == "Referred here by a clinician"


async def test_enter_never_passes_words_that_say_too_little(counter: Counter):
    start = [nik(207, Sex.MALE), "Hari Sukma", *NO_MORE, "sakit", ""]
    before = counter.open_numbers("UMUM")
    text = await heard(counter, *start, "", "", "", "q")
    assert "SAVED" not in text
    assert counter.open_numbers("UMUM") == before
    # A letter picks, Enter then saves what was picked here.
    text = await heard(counter, *start, "", "a", "")
    assert "you picked this cluster" in text
    assert number_in(text).startswith("A-")


async def test_a_danger_sign_comes_first(counter: Counter):
    text = await heard(
        counter,
        nik(208, Sex.MALE),
        "Iwan Setia",
        *NO_MORE,
        "nyeri dada kiri menjalar, keringat dingin",
        "",
        "",
    )
    told = text[text.index("DANGER SIGN") :]
    assert told.index("priority RED") < told.index("Iwan Setia")
    assert number_in(text).startswith("F-")


async def test_a_blocked_registration_leads_back_to_its_field(counter: Counter):
    text = await heard(
        counter, nik(209, Sex.MALE), "Jaka Tingkir", *NO_MORE, "periksa kehamilan", "", "", "b", "!", "<",
        "", "", "<complaint", "batuk pilek", "",
    )  # fmt: skip
    assert "!! The complaint asks for a service for women" in text
    assert "Sex (M/F) [Male]:" in text
    assert text.count("nothing was saved") == 3
    assert "Complaint [periksa kehamilan]:" in text
    assert number_in(text).startswith("A-")


async def test_a_birth_date_that_cannot_be_is_asked_again(counter: Counter):
    text = await heard(
        counter, "+", "", "5", "Orang Asing", "31122099", "31121990", "m", *NO_MORE, "demam", "", ""
    )
    assert "Birth date: lies in the future; correct it" in text
    number_in(text)


async def test_errors_name_field_and_remedy_and_keep_the_rest(counter: Counter):
    text = await heard(
        counter, "+", "63710157089", nik(210), "", "Kartini Wulandari", "123", "-", *NO_MORE[1:], "", "batuk pilek",
        "9", "2", "", "z", "q",
    )  # fmt: skip
    assert "NIK: has 16 digits; count them again\nNIK: " in text
    assert "Name: must be filled in" in text
    assert "BPJS number: has 13 digits; count them again" in text
    assert "Complaint: must be filled in" in text
    assert "9: not one of the choices; ? lists them" in text
    assert f"Taken back: {number_in(text)}" in text


async def test_going_back_changing_and_showing(counter: Counter):
    text = await heard(
        counter, "+", nik(211), "Lila Anggrani", "<", "Lila Anggraini", *NO_MORE, "sakit gigi", "<name",
        "Lila Anggraeni", "=", "", "<<", "q",
    )  # fmt: skip
    assert "Name [Lila Anggrani]:" in text
    assert "Name: Lila Anggraeni; Birth date: 16-08-1982; Sex (M/F): Female" in text
    assert "Not saved. D continues it." in text
    text = await heard(counter, "d", "", "")
    number_in(text)
    assert "A form was left unfinished: Lila Anggraeni. D continues it." in text


async def test_input_that_ends_in_the_middle_is_kept_and_continued(counter: Counter):
    _person, status = await talk(counter, nik(212), "Mawar Melati", "", "", "", "0899")
    assert status == 1
    with counter.api() as api:
        kept = api.get("drafts", params={"kind": "registration"}).json()[0]["data"]
    assert kept["values"]["phone"] == "0899"
    text = await heard(counter, "d", "", "sakit gigi", "", "")
    assert "A form was left unfinished: Mawar Melati" in text
    number_in(text)
    text = await heard(counter, "q")
    assert "unfinished" not in text


async def test_somebody_known_is_never_registered_twice_by_reflex(counter: Counter):
    def known(beginning: str) -> list[str]:
        with counter.api() as api:
            found = api.get("patients", params={"q": beginning}).json()
        return sorted(patient["name"] for patient in found if patient["name"].startswith(beginning))

    counter.register("Nurul Hidayati", nik(213), "sakit gigi", "GIGI")
    start = ["Nurul Hidayaty", "+", "", "3", "18101984", "f"]
    text = await heard(counter, *start, "", "", "x", "<<", "q")
    assert "known already" in text.lower()
    assert "SAVED" not in text
    text = await heard(counter, *start, "1", "batuk pilek", "", "")
    assert number_in(text).startswith("A-")
    assert known("Nurul Hiday") == ["Nurul Hidayati"]
    text = await heard(counter, *start, "n", *NO_MORE, "batuk pilek", "", "")
    number_in(text)
    assert known("Nurul Hiday") == ["Nurul Hidayati", "Nurul Hidayaty"]


async def test_lines_typed_ahead_are_not_used_for_another_question(counter: Counter):
    """A refused answer must not let the next ones slide into the wrong fields."""
    answers = ["+", "123", "Olivia Ratna", "", "sakit gigi", "", ""]
    text = await heard(counter, *answers, ahead=len(answers))
    assert "NIK: has 16 digits" in text
    assert "5 lines typed ahead were not used." in text
    assert "SAVED" not in text


async def test_lines_typed_ahead_make_a_whole_registration(counter: Counter):
    answers = [nik(214), "Putri Ayu", *NO_MORE, "sakit gigi", "", "", "q"]
    text = await heard(counter, *answers, ahead=len(answers))
    number_in(text)
    assert "Name" not in text  # nobody waited for the question


async def test_a_reasonless_patient_without_a_card(counter: Counter):
    text = await heard(
        counter, "+", "", "", "1", "By Ny Ratih", "1 hr", "m", *NO_MORE, "bayi baru lahir kontrol", ""
    )
    assert "Type the NIK, or choose why there is no card." in text
    assert "By Ny Ratih" in text


async def test_clinicians_call_and_finish(counter: Counter):
    first = counter.register("Rudi Hartono", nik(215, Sex.MALE), "sakit gigi", "GIGI")["ticket"]["number"]
    text = await heard(counter, "n", "r", "s", "u", "d", "1", "y", "x", "?", "q", who="dentist")
    called = re.search(r"(B-\d{3}), CALLED", text)
    assert called is not None, text
    assert f"Called again: {called[1]}" in text
    assert f"Done: {called[1]}" in text
    assert "no command here" in text
    assert first in counter.open_numbers("GIGI") or called[1] == first
    assert called[1] not in counter.open_numbers("GIGI")


async def test_the_waiting_room_hears_numbers_and_no_names(counter: Counter):
    counter.register("Zulaikha Rahasia", nik(216), "sakit gigi", "GIGI")
    text = await heard(counter, "", "q", who="display")
    assert text.count("Poli Gigi:") == 2
    assert "Zulaikha" not in text


async def test_what_is_moved_gets_a_number_there(counter: Counter):
    text = await heard(
        counter,
        nik(217),
        "Sekar Arum",
        *NO_MORE,
        "sakit gigi",
        "",
        "",
        "m",
        "x",
        "m",
        "a",
        "b",  # the complaint points there: the patient stays
        "m",
        "a",
        "!",
        "1",
        "z",
        "z",
        "z",
        "q",
    )
    assert "Cluster: choose one of the offered values" in text
    assert "Not moved: the patient stays in Poli Gigi." in text
    assert "The new number is A-" in text
    back = text.index("The move is taken back: B-")
    assert text.index("Taken back: B-") > back
    assert "Nothing was registered here yet." in text


@pytest.mark.parametrize(
    ("typed", "address", "rt", "rw"),
    [
        ("Jl. Melati 5 RT 03/RW 02", "Jl. Melati 5", "03", "02"),
        ("Jl. Melati 5, rt. 3 rw. 2", "Jl. Melati 5", "3", "2"),
        ("Gg Start 12", "Gg Start 12", "", ""),
        ("RT 1/2", "", "1", "2"),
        ("Jl. RT Bambang 7", "Jl. RT Bambang 7", "", ""),
    ],
)
def test_rt_and_rw_are_read_from_the_address(typed: str, address: str, rt: str, rw: str, counter: Counter):
    facts = FormValues({}, None, counter.clinic.today())
    assert question_for("patient.rt").read(typed, facts, []) == {"address": address, "rt": rt, "rw": rw}


def test_a_beginning_that_fits_two_words_picks_none():
    Translator("en").activate()
    table = {"a": "General", "b": "Gentle", "c": "Other"}
    assert choose(table, "gene") == "a"
    assert choose(table, "gen") is None
    assert choose(table, "3") == "c"
    assert choose(table, "0") is None
    assert choose(table, "") is None


async def test_a_foreigner_is_asked_for_passport_and_village(counter: Counter):
    """Only then; everybody else's questions stay as few as they were."""
    text = await heard(
        counter, "Ingrid Lindqvist", "4", "C12", "c 123-4567", "", "03-04-1971", "F", "", "", "", "",
        "Jl. Kuin Utara 5", "6371011001", "sakit gigi geraham", "", "",
    )  # fmt: skip
    number_in(text)
    assert "Passport: has 5 to 20 letters and digits" in text
    with counter.api() as api:
        (saved,) = api.get("patients", params={"q": "Ingrid Lindqvist"}).json()
    assert (saved["passport_number"], saved["village_code"]) == ("C1234567", "6371011001")
    assert saved["no_identifier_reason"] == "foreigner"
    text = await heard(counter, nik(241), "Karin Nugraha", *NO_MORE, "sakit gigi geraham", "", "")
    assert "Passport" not in text
    assert "Village" not in text
