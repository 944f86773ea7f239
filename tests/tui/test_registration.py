"""Registering at the counter with keys only, against the real server."""

from __future__ import annotations

import pytest

from core.accounts.service import system_actor
from core.foundation import clock
from core.foundation.database import connection
from core.models import Patient
from core.visits import appointments, roster_versions
from core.visits.roster import Roster
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import focused_id, said, screen_of, screen_text, session_of
from tui.screens.base import LoketScreen
from tui.screens.registration.confirm import ConfirmDialog
from tui.screens.registration.duplicates import DuplicateDialog
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.registration_form import RegistrationScreen
from tui.screens.registration.search import SearchScreen
from tui.widgets import TextField

pytestmark = pytest.mark.usefixtures("no_parked_forms")


async def fill_new_patient(pilot, nik: str, name: str, complaint: str) -> None:
    """From the search box to the complaint, as a clerk types it; birth date and sex come from the NIK."""
    await press(pilot, "f2")
    await type_text(pilot, nik)
    await press(pilot, "enter", "enter")
    await type_text(pilot, name)
    screen = pilot.app.screen
    while screen.focused.id != "chief_complaint":
        await press(pilot, "enter")
    await type_text(pilot, complaint)


async def press_enter_to_the_end(pilot, limit: int = 30) -> None:
    """Enter, and nothing else, until the receipt is there or nothing more happens."""
    for _ in range(limit):
        if isinstance(pilot.app.screen, ReceiptScreen):
            return
        await press(pilot, "enter")


async def test_a_new_patient_is_registered_with_keys_only(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371014107900123", "Ratna Sari", "sakit gigi geraham")
        await press_enter_to_the_end(pilot)
        assert isinstance(app.screen, ReceiptScreen)
        number = screen_of(app, ReceiptScreen).receipt.ticket.number
        assert screen_of(app, ReceiptScreen).receipt.ticket.cluster == "GIGI"
        assert number in screen_text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, SearchScreen)
        assert said(app) == f"{number}  Ratna Sari, Poli Gigi"  # still, when the list was read anew
    assert number in counter.open_numbers("GIGI")


async def test_an_enter_too_many_opens_nobody_and_an_arrow_chooses(counter: Counter):
    """After a receipt the last patient stands first in the list; the next one's name must not land in their form."""
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371014203770123", "Endang Wulan", "sakit gigi geraham")
        await press_enter_to_the_end(pilot)
        assert isinstance(app.screen, ReceiptScreen)
        await press(pilot, "enter", "enter", "enter")
        assert isinstance(app.screen, SearchScreen)
        assert "Last patients" in said(app)
        await type_text(pilot, "Budi")
        assert app.screen.query_one("#search", TextField).text == "Budi"
        await press(pilot, "escape")
        await until(pilot, lambda: "Last patients" in said(app))
        await press(pilot, "down", "enter")
        assert isinstance(app.screen, RegistrationScreen)
        assert "Endang Wulan" in screen_text(app)


async def test_a_clusters_letter_is_never_taken_for_another_key(counter: Counter):
    """Over a mismatch every letter picks its cluster, K as well; keeping the other one has a key of its own."""
    async with counter.at("clerk") as (app, pilot):
        clusters = session_of(app).clusters
        place = next(number for number, cluster in enumerate(clusters) if cluster.code == "KIA")
        clusters[place] = clusters[place].model_copy(update={"prefix": "K"})
        await fill_new_patient(pilot, "6371014107900777", "Laila Hasanah", "sakit gigi geraham")
        while focused_id(app) != "cluster":
            await press(pilot, "enter")
        await press(pilot, "a", "f10")
        assert isinstance(app.screen, ConfirmDialog)
        assert "!: keep Poli Umum" in screen_text(app)
        await press(pilot, "k")
        assert "Kesehatan Ibu dan Anak" in screen_text(app).split("Chosen")[1].splitlines()[0]
        await press(pilot, "exclamation_mark")
        assert "keep Kesehatan" not in screen_text(app)
        await press(pilot, "1")
        assert isinstance(app.screen, ReceiptScreen)
        assert screen_of(app, ReceiptScreen).receipt.ticket.cluster == "KIA"


async def test_a_returning_patient_is_registered_with_keys_only(counter: Counter):
    counter.register("Bagas Putra", "6371010203850122", "sakit gigi", "GIGI")
    async with counter.at("clerk") as (app, pilot):
        await type_text(pilot, "6371010203850122")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RegistrationScreen), "the visit's form")
        await type_text(pilot, "batuk pilek dua hari")
        await press_enter_to_the_end(pilot)
        assert isinstance(app.screen, ReceiptScreen)
        assert screen_of(app, ReceiptScreen).receipt.ticket.cluster == "UMUM"


async def test_enter_through_everything_takes_the_proposal_not_the_wrong_cluster(counter: Counter):
    before = counter.open_numbers("UMUM")
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371014507920124", "Wulan Dari", "gusi bengkak")
        while focused_id(app) != "cluster":
            await press(pilot, "enter")
        await press(pilot, "a")  # Poli Umum, which is wrong
        await press(pilot, "enter")
        assert isinstance(app.screen, ConfirmDialog)
        await press_enter_to_the_end(pilot)
        assert isinstance(app.screen, ReceiptScreen)
        assert screen_of(app, ReceiptScreen).receipt.ticket.cluster == "GIGI"
    assert counter.open_numbers("UMUM") == before


async def test_enter_alone_saves_nothing_when_the_words_say_too_little(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371014607930125", "Intan Permata", "sakit")
        for _ in range(12):
            await press(pilot, "enter")
        assert isinstance(app.screen, ConfirmDialog)
        with counter.api() as api:
            assert api.get("patients", params={"q": "6371014607930125"}).json() == []
        await press(pilot, "a")
        assert isinstance(app.screen, ConfirmDialog)  # a letter chooses, Enter agrees
        await press(pilot, "enter")
        assert isinstance(app.screen, ReceiptScreen)
        assert screen_of(app, ReceiptScreen).receipt.ticket.cluster == "UMUM"


async def test_an_unsure_complaint_needs_the_letter_also_when_the_form_named_a_cluster(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371014707930126", "Sekar Ayu", "kontrol")
        while focused_id(app) != "cluster":
            await press(pilot, "enter")
        await press(pilot, "a", "enter", "enter", "enter")
        assert isinstance(app.screen, ConfirmDialog)


async def test_another_cluster_is_kept_only_with_a_reason(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371014807940127", "Putri Melati", "sakit gigi")
        while focused_id(app) != "cluster":
            await press(pilot, "enter")
        await press(pilot, "a", "enter", "exclamation_mark")
        await press(pilot, "enter")
        assert not isinstance(app.screen, ReceiptScreen)
        await press(pilot, "2")
        assert isinstance(app.screen, ReceiptScreen)
        receipt = screen_of(app, ReceiptScreen).receipt
    assert receipt.ticket.cluster == "UMUM"


async def test_a_low_window_still_shows_where_enter_sends_the_patient(counter: Counter):
    async with counter.at("clerk", size=(44, 10)) as (app, pilot):
        await fill_new_patient(pilot, "6371015207930147", "Ayu Wandira", "sakit gigi")
        await press(pilot, "f10")
        assert isinstance(app.screen, ConfirmDialog)
        assert "Ayu Wandira" in screen_text(app)
        assert "Enter: SAVE TO Poli Gigi" in screen_text(app)


async def test_a_man_marked_as_pregnant_cannot_be_saved(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371010807940128", "Dimas Aji", "batuk")
        while focused_id(app) != "pregnant":
            await press(pilot, "enter")
        await press(pilot, "y")
        for _ in range(8):
            await press(pilot, "enter")
        assert isinstance(app.screen, ConfirmDialog)
        assert "Cannot be saved" in screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, RegistrationScreen)
        assert app.screen.query_one("#name", TextField).value == "Dimas Aji"


async def test_a_red_flag_goes_to_the_emergency_cluster_first(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371010907700129", "Hasan Basri", "nyeri dada menjalar ke lengan kiri")
        await press(pilot, "f10")
        assert isinstance(app.screen, ConfirmDialog)
        lines = screen_text(app).splitlines()
        danger = next(index for index, line in enumerate(lines) if "DANGER SIGN" in line)
        assert danger < next(index for index, line in enumerate(lines) if "Hasan Basri, M" in line)
        await press(pilot, "enter")
        assert screen_of(app, ReceiptScreen).receipt.ticket.cluster == "IGD"


async def test_enter_after_a_refused_save_does_not_lead_past_the_refused_field(counter: Counter):
    """F10 and Enter by habit, then typing on: the letters must not choose a payer."""
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        await type_text(pilot, "6371015608840145")
        await press(pilot, "enter", "enter")
        await type_text(pilot, "Sari Ratna")
        before = screen_of(app, LoketScreen).field_values()
        await press(pilot, "f10", "enter")
        assert focused_id(app) == "chief_complaint"
        assert "!Complaint" in screen_text(app)
        assert screen_of(app, LoketScreen).status_line.kind == "error"
        await press(pilot, "b")
        assert screen_of(app, LoketScreen).status_line.kind != "error"
        await type_text(pilot, "atuk")
        assert screen_of(app, LoketScreen).field_values() == {**before, "chief_complaint": "batuk"}
        await press(pilot, "enter")
        assert focused_id(app) != "chief_complaint"


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("nik", "637101410790", "16 digits"),
        ("nik", "1111111111111111", "repeated"),
        ("birth_date", "31021990", "31-12-1990"),
        ("birth_date", "01-01-2199", "future"),
        ("name", "", "must be filled in"),
        ("chief_complaint", "", "must be filled in"),
        ("bpjs_number", "123", "13 digits"),
    ],
)
async def test_bad_input_stays_in_the_form_and_is_named(counter: Counter, field: str, typed: str, told: str):
    good = {
        "nik": "",
        "name": "Sari Dewi",
        "birth_date": "05-05-1991",
        "sex": "female",
        "no_identifier_reason": "forgotten",
        "chief_complaint": "sakit gigi",
        "mother_name": "Aminah",
    }
    good[field] = typed
    if field == "nik":
        good["no_identifier_reason"] = ""
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        screen_of(app, RegistrationScreen).fill(good)
        await press(pilot, "f10")
        for _ in range(3):
            if isinstance(app.screen, DuplicateDialog):
                await press(pilot, "n", "f10")
            elif isinstance(app.screen, ConfirmDialog):
                await press(pilot, "enter")
        assert isinstance(app.screen, RegistrationScreen)
        assert told in said(app)
        assert focused_id(app) == field
        values = screen_of(app, LoketScreen).field_values()
        assert {name: values[name] for name in good} == good


@pytest.mark.parametrize(
    "name", ["Robert'); DROP TABLE patient;--", "[bold]Ani[/bold]", "王小明 (Wang)", "محمد علي"]
)
async def test_strange_names_are_stored_as_typed(counter: Counter, name):
    day = 10 + len(name) % 18
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        screen_of(app, RegistrationScreen).fill(
            {
                "name": name,
                "birth_date": f"{day:02}-03-19{60 + len(name)}",
                "sex": "male",
                "no_identifier_reason": "forgotten",
                "chief_complaint": "batuk pilek",
            }
        )
        await press(pilot, "f10")
        if isinstance(app.screen, DuplicateDialog):
            await press(pilot, "n", "f10")
        await press(pilot, "enter")
        assert isinstance(app.screen, ReceiptScreen), screen_text(app)
        patient_id = screen_of(app, ReceiptScreen).receipt.patient_id
    with counter.api() as api:
        assert api.get(f"patients/{patient_id}").json()["name"] == name


async def test_the_same_person_typed_again_is_offered_and_opened(counter: Counter):
    counter.register("Nurhayati Salim", "6371015210880130", "batuk", "UMUM")
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371015210880130", "Nurhayati Salim", "sakit gigi")
        await press(pilot, "f10")
        assert isinstance(app.screen, DuplicateDialog)
        assert "same NIK" in screen_text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RegistrationScreen), "back in the form")
        await settle(pilot)
        assert app.screen.query_one("#chief_complaint", TextField).value == "sakit gigi"
        assert not app.screen.query("#nik")
        await press(pilot, "f10", "enter")
        assert isinstance(app.screen, ReceiptScreen)
    with counter.api() as api:
        assert len(api.get("patients", params={"q": "6371015210880130"}).json()) == 1


async def test_a_registration_is_taken_back_and_moved(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371015310890131", "Laras Wening", "sakit gigi")
        await press(pilot, "f10", "enter")
        first = screen_of(app, ReceiptScreen).receipt.ticket.number
        await press(pilot, "m", "a", "enter")
        assert "The complaint points to another cluster" in screen_text(app)
        await press(pilot, "enter")  # a reflex leaves the patient where the rules say
        assert "Not moved: the patient stays in Poli Gigi" in said(app)
        await press(pilot, "m", "a", "enter", "exclamation_mark", "1")
        assert "Moved" in said(app)
        assert "A-" in screen_text(app)
        assert "Z takes the move back" in said(app)
        assert first not in counter.open_numbers("GIGI")
        moved = screen_of(app, ReceiptScreen)._ticket.number
        await press(pilot, "z")  # the last thing first: the move
        assert f"The move is taken back: {first}, Poli Gigi" in said(app)
        assert (first in counter.open_numbers("GIGI"), moved in counter.open_numbers("UMUM")) == (True, False)
        await press(pilot, "z")
        assert first not in counter.open_numbers("GIGI")
        assert isinstance(app.screen, SearchScreen)
        assert "Taken back" in said(app)


async def test_each_of_several_moves_is_taken_back_by_a_z_of_its_own(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371015310890139", "Puspa Wening", "sakit gigi")
        await press(pilot, "f10", "enter")
        screen = screen_of(app, ReceiptScreen)
        first = screen.receipt.ticket.number
        for letter in ("a", "d"):
            await press(pilot, "m", letter, "enter", "exclamation_mark", "1")
            assert "Moved" in said(app)
        assert screen._ticket.cluster == "LAB"
        await press(pilot, "z")
        assert screen._ticket.cluster == "UMUM"
        await press(pilot, "z")
        assert (screen._ticket.cluster, screen._ticket.number) == ("GIGI", first)
        assert first in counter.open_numbers("GIGI")


async def test_a_move_that_the_next_room_has_taken_up_is_not_taken_back(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371015310890140", "Ayu Wening", "sakit gigi")
        await press(pilot, "f10", "enter")
        await press(pilot, "m", "a", "enter", "exclamation_mark", "1")
        moved = screen_of(app, ReceiptScreen)._ticket
        with counter.api("doctor") as api:
            assert api.post(f"queue-entries/{moved.id}/call", json={}).is_success
        await press(pilot, "z")
        assert isinstance(app.screen, ReceiptScreen)  # nothing else is undone in its place
        assert "cannot be undone" in said(app).lower() or "undo" in said(app).lower()
    assert moved.number in counter.open_numbers("UMUM")


async def test_a_form_left_unfinished_is_offered_and_continued(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await fill_new_patient(pilot, "6371015410900132", "Gita Puspita", "demam")
        await press(pilot, "enter")
        await settle(pilot)
    async with counter.at("clerk") as (app, pilot):
        await until(pilot, lambda: "Gita Puspita" in said(app), "the offer")
        await press(pilot, "f8")
        assert isinstance(app.screen, RegistrationScreen)
        assert screen_of(app, LoketScreen).field_values()["chief_complaint"] == "demam"
        assert screen_of(app, LoketScreen).field_values()["nik"] == "6371015410900132"


async def test_the_language_changes_without_losing_what_was_typed(counter: Counter):
    async with counter.at("clerk", language="id") as (app, pilot):
        await press(pilot, "f2")
        await type_text(pilot, "6371015510910133")
        assert "Tgl lahir" in screen_text(app)
        await press(pilot, "f12")
        assert "Birth date" in screen_text(app)
        assert screen_of(app, LoketScreen).field_values()["nik"] == "6371015510910133"
        assert focused_id(app) == "nik"


async def test_an_age_alone_gives_an_estimated_birth_date(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        screen_of(app, RegistrationScreen).fill(
            {
                "name": "Orang Terlantar",
                "birth_date": "47",
                "sex": "male",
                "no_identifier_reason": "unknown_person",
                "chief_complaint": "batuk pilek",
            }
        )
        await press(pilot, "f10")
        assert "estimated" in screen_text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, ReceiptScreen), screen_text(app)
        patient_id = screen_of(app, ReceiptScreen).receipt.patient_id
    with counter.api() as api:
        patient = api.get(f"patients/{patient_id}").json()
    assert patient["birth_date_estimated"]
    assert patient["age"] == 47


async def test_a_number_from_home_fills_the_visit_and_keeps_the_check(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(roster_versions, "current", lambda _clinic: Roster(frozenset()))  # Sundays too
    receipt = counter.register("Nadia Putri", "6371014203910456", "batuk pilek", "UMUM")
    early = clock.now().replace(hour=1)  # 09:00 in the clinic
    with clock.frozen(lambda: early):
        with connection():
            patient = Patient.get_by_id(receipt["patient_id"])
            wanted = appointments.Booking("GIGI", counter.clinic.today(), "gusi bengkak")
            held = appointments.book(counter.clinic, system_actor(), patient, wanted)
        async with counter.at("clerk") as (app, pilot):
            await type_text(pilot, held.number)
            await settle(pilot)
            await until(pilot, lambda: "Nadia Putri" in screen_text(app))
            assert f"<{held.number}>" in screen_text(app)
            await press(pilot, "enter")
            assert f"number from Mobile JKN: {held.number}, Poli Gigi" in screen_text(app)
            assert "gusi bengkak" in screen_text(app)
            await press(pilot, "f10")
            assert isinstance(app.screen, ConfirmDialog)
            await press_enter_to_the_end(pilot)
            assert isinstance(app.screen, ReceiptScreen)
            assert held.number in screen_text(app)
    assert held.number in counter.open_numbers("GIGI")


async def test_a_foreigner_is_asked_for_passport_and_village(counter: Counter):
    """The row is there for that reason alone, and the form is no longer for others."""
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        screen = app.screen
        assert isinstance(screen, RegistrationScreen)
        assert "Passport" not in screen_text(app)
        assert "passport_number" not in screen.form_values()
        await press(pilot, "enter", "4")
        assert "Passport" in screen_text(app)
        await press(pilot, "enter")
        assert screen.focused is not None
        assert screen.focused.id == "passport_number"
        await type_text(pilot, "C12")
        await press(pilot, "f10")
        assert screen.focused.id == "name"  # what is missing comes first
        await type_text(pilot, "Astrid Bergman")
        await press(pilot, "enter")
        await type_text(pilot, "03041971")
        await press(pilot, "enter", "f", "f10")
        assert "5 to 20 letters and digits" in screen.said
        assert screen.focused.id == "passport_number"
        await press(pilot, *["backspace"] * 3)
        await type_text(pilot, "C7654321")
        while screen.focused.id != "chief_complaint":
            await press(pilot, "enter")
        await type_text(pilot, "sakit gigi geraham")
        await press_enter_to_the_end(pilot)
        assert isinstance(app.screen, ReceiptScreen)
    with connection():
        patient = Patient.get(Patient.name == "Astrid Bergman")
    assert (patient.passport_number, patient.no_identifier_reason) == ("C7654321", "foreigner")
