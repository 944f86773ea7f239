"""Cards corrected, look-alikes judged, merges and their undo, newborns: with keys only, on a real server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.foundation.identifiers import new_id
from core.schemas.base import Problem
from core.schemas.patients import CandidatePairOut
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import focused_id, said, screen_of, screen_text, session_of
from tui.app import LoketApp
from tui.client.errors import RefusedError
from tui.screens.patients.compare import CompareScreen
from tui.screens.patients.decisions import DecisionsScreen
from tui.screens.patients.edit import EditScreen
from tui.screens.patients.mother import MotherDialog
from tui.screens.patients.pairs import PairsScreen
from tui.screens.patients.person_form import PersonScreen
from tui.screens.reasons import LettersDialog
from tui.screens.registration.confirm import ConfirmDialog
from tui.screens.registration.duplicates import DuplicateDialog
from tui.screens.registration.registration_form import RegistrationScreen
from tui.screens.registration.search import SearchScreen
from tui.widgets import TextField


def chosen(app: LoketApp) -> CandidatePairOut:
    """The pair under the cursor."""
    pair = screen_of(app, PairsScreen)._chosen
    assert pair is not None
    return pair


def known(
    counter: Counter, name: str, birth_date: str, *, cluster: str = "GIGI", **fields: Any
) -> dict[str, Any]:
    """Somebody registered before, who waits in a cluster; gives the patient."""
    person = {"name": name, "sex": "female", "birth_date": birth_date, **fields}
    if "nik" not in fields:
        person["no_identifier_reason"] = "forgotten"
    body = {
        "id": new_id(), "patient": person, "chief_complaint": "sakit gigi", "cluster": cluster,
        "duplicate_decision": "new", "override_reason": "contoh",
    }  # fmt: skip
    with counter.api() as api:
        answer = api.post("registrations", json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = api.get(f"patients/{answer.json()['patient_id']}").json()
    return found


async def search(pilot, text: str) -> None:
    await type_text(pilot, text)
    await until(pilot, lambda: pilot.app.screen._answered == text, f"an answer to {text}")


async def go_to(pilot, field: str) -> None:
    for _ in range(40):
        if focused_id(pilot.app) == field:
            return
        await press(pilot, "tab")
    raise AssertionError(f"no Tab leads to {field}")


async def retype(pilot, text: str) -> None:
    await press(pilot, "end", *["backspace"] * len(pilot.app.screen.focused.value))
    await type_text(pilot, text)


async def open_list(pilot, letter: str, screen: type) -> None:
    await press(pilot, "f7", letter)
    await until(pilot, lambda: isinstance(pilot.app.screen, screen), f"the list {letter}")
    await settle(pilot)


async def test_a_card_is_corrected_and_the_earlier_version_kept(counter: Counter):
    patient = known(counter, "Marlina Kusuma", "1979-03-14")
    async with counter.at("clerk") as (app, pilot):
        await search(pilot, "marlina kusuma")
        await press(pilot, "f9")
        assert isinstance(app.screen, EditScreen)
        await press(pilot, "f10")
        assert "Nothing was changed" in screen_text(app)
        await go_to(pilot, "phone")
        await type_text(pilot, "08115550001")
        await press(pilot, "f10")
        assert isinstance(app.screen, SearchScreen)
        assert "Card corrected" in screen_text(app)
    with counter.api() as api:
        now = api.get(f"patients/{patient['id']}").json()
    assert (now["phone"], now["version"]) == ("08115550001", patient["version"] + 1)


async def test_whether_the_record_may_go_to_satusehat_is_asked_kept_and_changed(counter: Counter):
    patient = known(counter, "Marlina Satuhati", "1979-03-14")
    async with counter.at("clerk") as (app, pilot):
        await search(pilot, "marlina satuhati")
        await press(pilot, "f9")
        await press(pilot, "f4")
        await until(pilot, lambda: "Nobody has asked yet" in screen_text(app), "the question")
        await press(pilot, "t")
        await until(pilot, lambda: "PENOLAKAN" in screen_text(app), "the paper")
        assert "P: print" in screen_text(app)
        await press(pilot, "s")
        await until(pilot, lambda: "PERSETUJUAN" in screen_text(app), "the other paper")
        await press(pilot, "escape")
        assert isinstance(app.screen, EditScreen)
    with counter.api() as api:
        kept = api.get(f"patients/{patient['id']}/sharing").json()
    assert (kept["agreed"], "Marlina Satuhati" in kept["text"]) == (True, True)


async def test_a_death_that_a_list_reported_by_mistake_is_taken_back(counter: Counter):
    patient = known(counter, "Sarwono Atmojo", "1951-05-20")
    with counter.api() as api:
        dead = api.patch(f"patients/{patient['id']}", json={"death_reported_on": "2024-02-03"}).json()
    assert dead["deceased_on"] == "2024-02-03"
    async with counter.at("clerk") as (app, pilot):
        await search(pilot, "sarwono atmojo")
        await press(pilot, "f9")
        assert "DIED 03-02-2024" in screen_text(app)
        assert "F5=Is alive" in screen_text(app)
        await press(pilot, "f5", "escape")
        assert isinstance(app.screen, EditScreen)
        await press(pilot, "f5", "enter")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen), "the search")
        assert "No longer marked as deceased: Sarwono Atmojo" in screen_text(app)
        await press(pilot, "f9")
        assert "F5=Is alive" not in screen_text(app)
    with counter.api() as api:
        assert api.get(f"patients/{patient['id']}").json()["deceased_on"] is None
    with counter.api("admin") as api:
        events = api.get("audit", params={"patient_id": patient["id"]}).json()
    assert "death_taken_back" in [event["action"] for event in events]


async def test_leaving_with_something_typed_takes_a_second_escape(counter: Counter):
    known(counter, "Yustina Wibowo", "1981-03-15")
    async with counter.at("clerk") as (app, pilot):
        await search(pilot, "yustina wibowo")
        await press(pilot, "f9")
        await go_to(pilot, "phone")
        await type_text(pilot, "0811")
        await press(pilot, "escape")
        assert isinstance(app.screen, EditScreen)
        assert "Not saved yet" in screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, SearchScreen)


async def test_a_wrong_number_stays_typed_and_is_pointed_at(counter: Counter):
    known(counter, "Rosmala Hadi", "1983-03-16")
    async with counter.at("clerk") as (app, pilot):
        await search(pilot, "rosmala hadi")
        await press(pilot, "f9")
        await go_to(pilot, "bpjs_number")
        await type_text(pilot, "123")
        await press(pilot, "f10")
        assert isinstance(app.screen, EditScreen)
        assert focused_id(app) == "bpjs_number"
        assert app.screen.query_one("#bpjs_number", TextField).value == "123"
        assert "13 digits" in screen_text(app)


async def test_a_correction_that_makes_two_alike_is_asked_about(counter: Counter):
    home = {"mother_name": "Salamah", "address": "Jl. Manggis 4"}
    one = known(counter, "Fitriani Lubis", "1988-02-11", **home)
    other = known(counter, "Mariati", "1988-02-11", **home)
    async with counter.at("clerk") as (app, pilot):
        await search(pilot, "mariati")
        await press(pilot, "f9")
        await go_to(pilot, "name")
        await retype(pilot, "Fitriyani Lubis")
        await press(pilot, "f10")
        assert isinstance(app.screen, DuplicateDialog)
        assert "Fitriani Lubis" in screen_text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, DuplicateDialog)  # a reflex decides nothing
        await press(pilot, "n", "f10")
        assert isinstance(app.screen, SearchScreen)
    with counter.api() as api:
        assert api.get(f"patients/{other['id']}").json()["name"] == "Fitriyani Lubis"
        assert api.get(f"patients/{one['id']}").json()["name"] == "Fitriani Lubis"


async def test_a_card_that_comes_later_takes_the_patient_off_the_list(counter: Counter):
    patient = known(counter, "Nurjanah Basri", "1991-11-05")
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f7", "v")
        await until(pilot, lambda: "to see: Enter" in screen_text(app), "the verify-later list")
        while "> Nurjanah" not in screen_text(app).replace(">Nurjanah", "> Nurjanah"):
            await press(pilot, "down")
        await press(pilot, "enter")
        assert isinstance(app.screen, EditScreen)
        assert focused_id(app) == "nik"
        await type_text(pilot, "6371014511910031")
        await go_to(pilot, "identity_verified")
        await press(pilot, "y", "enter")
        assert isinstance(app.screen, SearchScreen)
        assert "Nurjanah" not in screen_text(app).split("\n", 3)[3].split("Card corrected")[0]
    with counter.api() as api:
        now = api.get(f"patients/{patient['id']}").json()
    assert now["nik"] == "6371014511910031"
    assert now["identity_verified_at"] is not None


async def test_the_card_of_a_verified_record_makes_both_one(counter: Counter):
    known(counter, "Hartini Saleh", "1985-05-21", nik="6371016105850041", identity_verified=True)
    again = known(counter, "Hartini Saleh", "1985-05-21", cluster="UMUM")
    async with counter.at("clerk") as (app, pilot):
        await search(pilot, again["medical_record_number"])
        await press(pilot, "f9")
        await type_text(pilot, "6371016105850041")
        await go_to(pilot, "identity_verified")
        await press(pilot, "y", "f10")
        assert isinstance(app.screen, SearchScreen)
        assert "both records are one now" in screen_text(app)
    with counter.api() as api:
        named = [p["name"] for p in api.get("patients", params={"q": "hartini saleh"}).json()]
    assert named.count("Hartini Saleh") == 1


async def test_a_pair_is_put_side_by_side_merged_and_taken_back(counter: Counter):
    home = {"mother_name": "Rusmini", "address": "Gg. Melati 7"}
    one = known(counter, "Sulastri Wardani", "1974-09-30", rt="03", rw="02", **home)
    other = known(counter, "Soelastri Wardani", "1974-09-30", cluster="UMUM", rt="11", rw="02", **home)
    async with counter.at("admin") as (app, pilot):
        await press(pilot, "f2")
        await open_list(pilot, "d", PairsScreen)
        await until(pilot, lambda: "Sulastri" in screen_text(app), "the pair")
        while "Sulastri" not in chosen(app).left.name + chosen(app).right.name:
            await press(pilot, "down")
        await press(pilot, "enter")
        assert isinstance(app.screen, CompareScreen)
        shown = screen_text(app)
        assert "Soelastri Wardani" in shown
        assert "same name" in shown
        lines = {line.split()[1]: line.split()[0] for line in shown.splitlines() if len(line.split()) > 2}
        assert (lines["Name"], lines["Mother"], lines["Address"]) == (
            "=",
            "=",
            "~",
        )  # the street alone is one
        assert "Gg. Melati 7 RT 03 RW 02" in shown
        await press(pilot, "enter")
        assert isinstance(app.screen, CompareScreen)  # a reflex decides nothing
        await press(pilot, "s", "enter")
        with counter.api() as api:
            assert len(api.get("patients", params={"q": "sulastri wardani"}).json()) == 2
        await press(pilot, "y")
        await until(pilot, lambda: isinstance(app.screen, PairsScreen), "the list again")
        with counter.api() as api:
            assert len(api.get("patients", params={"q": "sulastri wardani"}).json()) == 1
        await press(pilot, "escape")
        await open_list(pilot, "m", DecisionsScreen)
        await press(pilot, "u", "y")
        await until(pilot, lambda: "two records again" in screen_text(app), "the undo")
    with counter.api() as api:
        numbers = {p["id"] for p in api.get("patients", params={"q": "sulastri wardani"}).json()}
    assert numbers == {one["id"], other["id"]}


async def test_the_card_of_somebody_who_waits_in_the_same_queue_is_refused_in_words(counter: Counter):
    known(counter, "Masniah Kadir", "1985-05-23", nik="6371016305850041", identity_verified=True)
    again = known(counter, "Masniah Kadir", "1985-05-23")
    async with counter.at("clerk") as (app, pilot):
        await search(pilot, again["medical_record_number"])
        await press(pilot, "f9")
        await type_text(pilot, "6371016305850041")
        await go_to(pilot, "identity_verified")
        await press(pilot, "y", "f10")
        assert said(app).startswith("Both wait in GIGI (")
        assert app.screen.query_one("#nik", TextField).value == "6371016305850041", "what was typed stays"


async def test_a_pair_that_waits_in_one_queue_is_refused_with_both_numbers(counter: Counter):
    home = {"mother_name": "Salasiah", "address": "Gg. Rambai 2"}
    pair = [known(counter, name, "1979-04-12", **home) for name in ("Noorlaila Asmah", "Nurlaila Asmah")]
    numbers = counter.open_numbers("GIGI")[-2:]
    async with counter.at("admin") as (app, pilot):
        await press(pilot, "f2")
        await open_list(pilot, "d", PairsScreen)
        await until(pilot, lambda: "Asmah" in screen_text(app), "the pair")
        while "Asmah" not in chosen(app).left.name:
            await press(pilot, "down")
        await press(pilot, "enter", "s", "y")
        assert isinstance(app.screen, CompareScreen), "the pair is still open"
        assert said(app).startswith("Both wait in GIGI (")
        assert all(number in said(app) for number in numbers)
        assert "then merge." in screen_text(app)
    with counter.api() as api:
        found = {each["id"] for each in api.get("patients", params={"q": "nurlaila asmah"}).json()}
    assert {each["id"] for each in pair} <= found, "both are still found"


async def test_a_clerk_sees_a_merge_and_cannot_take_it_back(counter: Counter):
    one = known(counter, "Fatmawati Noor", "1980-03-04", mother_name="Hasnah")
    other = known(counter, "Fatmawaty Noor", "1980-03-04", cluster="UMUM", mother_name="Hasnah")
    with counter.api("admin") as api:
        assert api.post(f"patients/{other['id']}/merge", json={"into": one["id"]}).status_code == 201
    async with counter.at("clerk") as (app, pilot):
        await open_list(pilot, "m", DecisionsScreen)
        await until(pilot, lambda: "Fatmawati" in screen_text(app), "the merge")
        await press(pilot, "u")
        assert said(app) == "Only an administrator takes a merge back."


async def test_a_clerk_says_two_people_and_it_is_remembered(counter: Counter):
    home = {"mother_name": "Hasnah", "address": "Gg. Kenanga 9"}
    known(counter, "Raudatul Jannah", "2001-01-19", **home)
    known(counter, "Raudatul Janah", "2001-01-19", **home)
    async with counter.at("clerk") as (app, pilot):
        await open_list(pilot, "d", PairsScreen)
        await until(pilot, lambda: "Raudatul" in screen_text(app), "the pair")
        while "Raudatul" not in chosen(app).left.name:
            await press(pilot, "down")
        await press(pilot, "enter")
        await press(pilot, "s")
        assert isinstance(app.screen, CompareScreen)  # only an administrator makes two records one
        await press(pilot, "n")
        assert isinstance(app.screen, PairsScreen)
        assert "Raudatul" not in screen_text(app)
        await press(pilot, "f5")
        await settle(pilot)
        assert "Raudatul" not in screen_text(app)
        await press(pilot, "u")  # N was a slip
        await until(pilot, lambda: "Raudatul" in screen_text(app), "the pair again")
        assert said(app).startswith("Taken back")
        await press(pilot, "u")
        assert said(app) == "There is nothing to undo here."
        assert "Raudatul" in chosen(app).left.name
        await press(pilot, "n")
        await until(pilot, lambda: "Raudatul" not in screen_text(app), "the pair gone")
        await press(pilot, "escape")
        await open_list(pilot, "m", DecisionsScreen)  # the slip is seen later
        await until(pilot, lambda: "two people" in screen_text(app), "the decision")
        assert "Raudatul" in next(line for line in screen_text(app).splitlines() if "two people" in line)
        await press(pilot, "u", "enter")
        assert isinstance(app.screen, LettersDialog)  # a reflex takes nothing back
        await press(pilot, "y")
        await until(pilot, lambda: "Taken back" in screen_text(app), "the undo")
        await press(pilot, "escape")
        await open_list(pilot, "d", PairsScreen)
        await until(pilot, lambda: "Raudatul" in screen_text(app), "the pair once more")


async def test_a_newborn_takes_over_what_the_mother_has(counter: Counter):
    mother = known(
        counter, "Halimatus Sadiah", "1995-06-12", address="Jl. Kuin Utara 17", phone="08125550002",
        family_card_number="6371010101150009",
    )  # fmt: skip
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2", "f8")
        assert isinstance(app.screen, MotherDialog)
        await type_text(pilot, "halimatus")
        await until(pilot, lambda: "Halimatus Sadiah" in screen_text(app), "the mother")
        await press(pilot, "enter")
        assert isinstance(app.screen, RegistrationScreen)
        values = screen_of(app, PersonScreen).form_values()
        assert values["name"] == "By. Ny. Halimatus Sadiah"
        assert values["family_card_number"] == "6371010101150009"
        assert values["address"] == "Jl. Kuin Utara 17"
        assert values["no_identifier_reason"] == "newborn"
        await go_to(pilot, "birth_date")
        await type_text(pilot, f"{counter.clinic.today():%d%m%Y}")
        await go_to(pilot, "sex")
        await press(pilot, "m")
        await go_to(pilot, "chief_complaint")
        await type_text(pilot, "imunisasi bayi baru lahir")
        await press(pilot, "f10")
        if isinstance(app.screen, DuplicateDialog):
            await press(pilot, "n", "f10")
        assert isinstance(app.screen, ConfirmDialog)
        await press(pilot, "enter")
        await settle(pilot)
    with counter.api() as api:
        babies = api.get("patients", params={"q": "By. Ny. Halimatus Sadiah"}).json()
    assert mother["id"] in {baby["mother_id"] for baby in babies}


async def test_the_mother_is_looked_for_by_the_newborns_name(counter: Counter):
    known(counter, "Siti Zulaikha", "1996-02-11", address="Jl. Kuin Selatan 8")
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        await go_to(pilot, "name")
        await type_text(pilot, "By. Ny. St. Zulaikha")
        await press(pilot, "f8")
        await until(pilot, lambda: "Siti Zulaikha" in screen_text(app), "the mother")
        await press(pilot, "enter")
        assert screen_of(app, PersonScreen).form_values()["mother_name"] == "Siti Zulaikha"


async def test_when_the_check_fails_nothing_is_lost_and_the_clerk_is_told(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        await type_text(pilot, "6371014903870077")
        await go_to(pilot, "name")
        await type_text(pilot, "Maimunah Jafar")
        client = session_of(app).client

        async def broken(person, visit):
            raise RefusedError(Problem(title="x", status=500, code="internal"))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(client.registrations, "check", broken)
            await go_to(pilot, "chief_complaint")
            await type_text(pilot, "sakit gigi")
            await press(pilot, "f10")
            assert isinstance(app.screen, RegistrationScreen)
            assert "check for known patients" in screen_text(app)
        assert screen_of(app, PersonScreen).form_values()["name"] == "Maimunah Jafar"
        await press(pilot, "f10")
        assert isinstance(app.screen, ConfirmDialog)


async def test_no_key_waits_for_the_look_alikes(counter: Counter, monkeypatch: pytest.MonkeyPatch):
    async with counter.at("clerk") as (app, pilot):
        asked = asyncio.Event()

        async def never(person, visit):
            asked.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(session_of(app).client.registrations, "check", never)
        await press(pilot, "f2")
        await type_text(pilot, "6371014903870078")
        await pilot.press("tab", "tab")
        async with asyncio.timeout(10):
            await asked.wait()
        await type_text(pilot, "Zubaidah")
        await pilot.pause()
        assert app.screen.query_one("#name", TextField).value == "Zubaidah"
