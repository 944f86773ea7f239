"""By keys: allergies are asked about, recorded with how grave they are, struck out, and told to who relied on them."""

from __future__ import annotations

from typing import Any

from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import screen_text
from tests.tui.test_line_mode import heard
from tests.tui.test_other_roles import open_entry, with_note

AMOXICILLIN = {
    "medicine": "Amoksisilin 500 mg tablet", "dose": "1 tablet", "frequency": "3x sehari", "amount": "15 tablet",
}  # fmt: skip


def number_of(counter: Counter, seen: dict[str, str]) -> str:
    with counter.api("dentist") as api:
        return str(api.get(f"visits/{seen['visit']}").json()["entries"][0]["number"])


def allergies(counter: Counter, seen: dict[str, str]) -> dict[str, Any]:
    with counter.api("dentist") as api:
        return dict(api.get(f"patients/{seen['patient']}/allergies").json())


def prescriptions(counter: Counter, seen: dict[str, str]) -> list[dict[str, Any]]:
    with counter.api("dentist") as api:
        return list(api.get(f"visits/{seen['visit']}").json()["prescriptions"])


async def test_an_allergy_is_recorded_with_reaction_severity_and_source(counter: Counter):
    seen = with_note(counter, "Sari Rahmawati", "6371014307900741")
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], number_of(counter, seen))
        await press(pilot, "f2", "a")
        assert "Allergies: not asked yet" in screen_text(app)
        await press(pilot, "a")
        await type_text(pilot, "Penicilin")
        await press(pilot, "enter")
        assert "Read as: penicillin" in screen_text(app) or "Read as: penisilin" in screen_text(app)
        await type_text(pilot, "sesak napas")
        await press(pilot, "enter", "3", "enter", "2", "enter")
        await until(pilot, lambda: "ALLERGIES: Penicilin" in screen_text(app), "the banner")
        await press(pilot, "f2", "a")
        assert "Penicilin: sesak napas, SEVERE (family" in screen_text(app)
    [kept] = allergies(counter, seen)["allergies"]
    assert (kept["reaction"], kept["severity"], kept["source"]) == ("sesak napas", "severe", "family")


async def test_what_cannot_be_read_is_said_while_it_is_typed(counter: Counter):
    seen = with_note(counter, "Fitri Handayani", "6371014307900742")
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], number_of(counter, seen))
        await press(pilot, "f2", "a", "a")
        await type_text(pilot, "obat merah")
        await press(pilot, "enter")
        assert "obat merah cannot be checked by itself" in screen_text(app)
        await press(pilot, "f10")
        await until(pilot, lambda: "cannot be checked, unread: obat merah" in screen_text(app), "the warning")


async def test_the_same_allergy_twice_is_refused_by_name(counter: Counter):
    seen = with_note(counter, "Dewi Kartika", "6371014307900743")
    with counter.api("dentist") as api:
        api.post(f"patients/{seen['patient']}/allergies", json={"substance": "penisilin"})
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], number_of(counter, seen))
        await press(pilot, "f2", "a", "a")
        await type_text(pilot, "Penicillin")
        await press(pilot, "f10")
        await until(pilot, lambda: "recorded already: penisilin" in screen_text(app), "the refusal")
    assert len(allergies(counter, seen)["allergies"]) == 1


async def test_none_known_needs_a_letter_and_enter_and_is_not_the_same_as_not_asked(counter: Counter):
    seen = with_note(counter, "Rina Wulandari", "6371014307900744")
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], number_of(counter, seen))
        await press(pilot, "f2", "a", "t")
        assert not allergies(counter, seen)["asked"], "a letter alone records nothing"
        await press(pilot, "enter")
        await until(pilot, lambda: "No known allergies" in screen_text(app).splitlines()[1], "the banner")
    assert allergies(counter, seen) == {"allergies": [], "asked": True}


async def test_an_allergy_entered_in_error_is_struck_out_with_a_reason(counter: Counter):
    seen = with_note(counter, "Yuni Astuti", "6371014307900745")
    with counter.api("dentist") as api:
        api.post(f"patients/{seen['patient']}/allergies", json={"substance": "sulfa"})
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], number_of(counter, seen))
        await press(pilot, "f2", "a", "t")
        assert "strike them out first" in screen_text(app), "none is no answer while there are some"
        await press(pilot, "c")
        assert "Entered in error: why?" in screen_text(app)
        await type_text(pilot, "pasien lain")
        await press(pilot, "enter")
        await until(pilot, lambda: "ALLERGIES" not in screen_text(app), "struck out")
        assert "Allergies: not asked yet" in screen_text(app), "struck out is not: none known"


async def test_the_first_medicine_asks_about_allergies_and_keeps_what_was_typed(counter: Counter):
    seen = with_note(counter, "Lestari Ningsih", "6371014307900746")
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], number_of(counter, seen))
        await press(pilot, "f8")
        await type_text(pilot, "amoksisilin 500 mg tablet")
        await press(pilot, "enter", "f10")
        assert "Does this patient have allergies?" in screen_text(app)
        await press(pilot, "t")
        assert prescriptions(counter, seen) == []
        await press(pilot, "escape")
        assert "Amoksisilin 500 mg tablet" in screen_text(app), "what was typed is still there"
        await press(pilot, "f10", "a")
        await type_text(pilot, "penisilin")
        await press(pilot, "f10")
        await until(pilot, lambda: "ALLERGY: prescribe all the same?" in screen_text(app), "the clash")
        await press(pilot, "n")
    assert prescriptions(counter, seen) == []
    assert [each["substance"] for each in allergies(counter, seen)["allergies"]] == ["penisilin"]


async def test_whoever_cannot_be_asked_gets_the_medicine_and_is_asked_once(counter: Counter):
    seen = with_note(counter, "Maimunah Salim", "6371014307900747")
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], number_of(counter, seen))
        await press(pilot, "f8")
        await type_text(pilot, "parasetamol 500 mg tablet")
        await press(pilot, "enter", "f10", "n")
        await until(pilot, lambda: "Medicine    Parasetamol 500" in screen_text(app), "prescribed")
        await press(pilot, "f8")
        await type_text(pilot, "ctm 4 mg tablet")
        await press(pilot, "enter", "f10")
        await settle(pilot)
        assert "Does this patient" not in screen_text(app)
    assert len(prescriptions(counter, seen)) == 2
    assert allergies(counter, seen)["asked"] is False


async def test_who_prescribed_is_told_and_may_strike_out_at_once(counter: Counter):
    seen = with_note(counter, "Nurul Hidayah", "6371014307900748")
    with counter.api("dentist") as api:
        assert api.post(f"visits/{seen['visit']}/prescriptions", json=AMOXICILLIN).status_code == 201
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], number_of(counter, seen))
        await press(pilot, "f2", "a", "a")
        await type_text(pilot, "penisilin")
        await press(pilot, "f10")
        await until(
            pilot, lambda: "Prescribed today against this allergy" in screen_text(app), "the question"
        )
        assert "drg. Maya Lestari, not handed out yet" in screen_text(app)
        await press(pilot, "c")
        await until(pilot, lambda: "Struck out: Amoksisilin" in screen_text(app), "struck out")
    assert [each["status"] for each in prescriptions(counter, seen)] == ["revoked"]


async def test_the_row_and_the_record_tell_of_an_allergy_that_somebody_else_recorded(counter: Counter):
    seen = with_note(counter, "Aminah Zahra", "6371014307900749")
    with counter.api("dentist") as api:
        api.post(f"visits/{seen['visit']}/prescriptions", json=AMOXICILLIN)
        api.post(f"patients/{seen['patient']}/allergies", json={"substance": "penisilin"})
    async with counter.at("dentist") as (app, pilot):
        await until(pilot, lambda: "!!allergy" in screen_text(app), "the row")
        await open_entry_only(app, pilot, seen["entry"])
        await until(pilot, lambda: "CRITICAL: read this first" in screen_text(app), "the dialog")
        assert "Amoksisilin 500 mg tablet: ALLERGY penisilin" in screen_text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: "15 tablet !! ALLERGY:" in screen_text(app), "beside the medicine")
    assert prescriptions(counter, seen)[0]["clash_known_by"] == "drg. Maya Lestari"


async def open_entry_only(app: Any, pilot: Any, entry: str) -> None:
    from tests.tui.looking import pane_of

    pane_of(app).choose(entry)
    await press(pilot, "enter")


async def test_a_medicine_is_changed_by_keys(counter: Counter):
    seen = with_note(counter, "Siti Maryam Noor", "6371014307900750")
    with counter.api("dentist") as api:
        api.post(f"patients/{seen['patient']}/allergies/none", json={})
        api.post(f"visits/{seen['visit']}/prescriptions", json=AMOXICILLIN)
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], number_of(counter, seen))
        await press(pilot, "f2", "m", "enter")
        await press(pilot, "enter", "ctrl+u")
        await type_text(pilot, "2x sehari")
        await press(pilot, "f10")
        await until(pilot, lambda: "1 tablet 2x sehari" in screen_text(app), "changed")
    assert [(each["frequency"], each["status"]) for each in prescriptions(counter, seen)] == [
        ("3x sehari", "revoked"), ("2x sehari", "active"),
    ]  # fmt: skip


async def test_allergies_in_line_mode(counter: Counter):
    seen = with_note(counter, "Hj. Ruminah", "6371014307900751")
    with counter.api("dentist") as api:
        api.post(f"visits/{seen['visit']}/prescriptions", json=AMOXICILLIN)
    text = await heard(
        counter, "a", "Penicilin", "gatal", "3", "1", "a", "penisilin", "", "", "", "a", "-", "a", "x1", "salah",
        "a", "-", "a", "", "q", who="dentist",
    )  # fmt: skip
    assert "Allergies: not asked yet" in text
    assert "!! Prescribed already: Amoksisilin 500 mg tablet (drg. Maya Lestari, not handed out yet)" in text
    assert "1 Penicilin: gatal, SEVERE (patient" in text
    assert "! That allergy is recorded already: Penicilin." in text
    assert "! Allergies are recorded: Penicilin. Strike them out first." in text
    assert "Struck out." in text
    assert "Recorded: no known allergies." in text
    assert text.rstrip().count("No known allergies") == 1
    assert allergies(counter, seen) == {"allergies": [], "asked": True}


async def test_a_severity_that_is_not_understood_in_line_mode_is_asked_again(counter: Counter):
    seen = with_note(counter, "Hj. Masitah", "6371014307900752")
    text = await heard(
        counter, "a", "sulfa", "bengkak", "lupa", "9", "3", "entah", "", "", "q", who="dentist"
    )  # fmt: skip
    assert text.count("! Severity: choose one of the offered values") == 2
    assert text.count("! Source: choose one of the offered values") == 1
    (kept,) = allergies(counter, seen)["allergies"]
    assert (kept["severity"], kept["source"]) == ("severe", None)
