"""Draws the screens for the documentation from the running app, on a demo clinic of its own.

    python -m bench.pictures [FOLDER]     (docs/screens unless given)

Every picture is made at 80x24 in Indonesian; a few again in English and at 120x40.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import httpx

from bench.morning import busy_morning
from core.accounts import second_factor
from core.accounts import service as accounts
from core.foundation import approvals, clock
from core.foundation.codes import ApprovalKind
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.identifiers import new_id
from core.models import Account, Encounter
from core.schemas.record import StatedReason
from server.run import Background
from tests.people import registration
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import save_picture
from tui.screens import stray_keys
from tui.screens.record.copy_dialog import give_copy
from tui.screens.record.dialogs import TextDialog
from tui.screens.record.glass import GlassDialog

ROOT = Path(__file__).parents[1]
NIK = "6371015708900002"  # made up; belongs to nobody
DOCTORS_PLACE = 4  # of the doctor in the list of accounts, counted from 0
SIZES = (("id", (80, 24)), ("en", (80, 24)), ("id", (120, 40)))
WAITING = (
    ("sakit gigi geraham", "GIGI"), ("batuk pilek 3 hari", "UMUM"), ("gusi bengkak", "GIGI"), ("demam", "UMUM"),
    ("kontrol tensi", "UMUM"), ("gigi berlubang", "GIGI"), ("cek gula darah", "LAB"), ("pusing", "UMUM"),
)  # fmt: skip


async def draw(counter: Counter, folder: Path) -> None:
    """Draw all pictures."""
    with counter.api() as clerk:
        patients = [patient for patient in clerk.get("patients").json() if 18 <= patient["age"] < 60]
        for patient, (complaint, cluster) in zip(patients, WAITING, strict=False):
            body = registration(
                patient_id=patient["id"], chief_complaint=complaint, cluster=cluster, override_reason="contoh"
            )
            clerk.post("registrations", json=body).raise_for_status()
        look_alikes(clerk)
    for language, size in SIZES:
        name = f"{language}-{size[0]}x{size[1]}"
        await counter_screens(counter, folder, name, size, language)
        await quiet_hour_screens(counter, folder, name, size, language)
        await clinic_screens(counter, folder, name, size, language)
        await record_screens(counter, folder, name, size, language)
        await admin_screens(counter, folder, name, size, language)
        await supervisor_screens(counter, folder, name, size, language)
        await sign_in_screens(counter, folder, name, size, language)


async def counter_screens(
    counter: Counter, folder: Path, name: str, size: tuple[int, int], language: str
) -> None:
    """Draw the clerk's screens."""
    async with counter.at("clerk", size, language) as (app, pilot):
        save_picture(app, folder / f"search-{name}.png")
        await type_text(pilot, "Ana Mendoza")
        await press(pilot, "f2")
        await type_text(pilot, NIK)
        await press(pilot, *["tab"] * 13)
        await type_text(pilot, "sakit gigi geraham")
        await asyncio.sleep(0.5)
        await settle(pilot)
        save_picture(app, folder / f"form-{name}.png")
        await press(pilot, "f10")
        save_picture(app, folder / f"confirm-{name}.png")
        await press(pilot, "escape", "f3", "f1")
        save_picture(app, folder / f"help-{name}.png")


def look_alikes(clerk: httpx.Client) -> None:
    """Draw duplicates and a newborn's mother."""
    home = {
        "sex": "female",
        "mother_name": "Rusmini",
        "address": "Gg. Melati No. 7 RT 4 RW 2",
        "rt": "4",
        "rw": "2",
    }
    people = (
        {
            "name": "Sulastri Wardani",
            "birth_date": "1974-09-30",
            "nik": "6371017009740021",
            "identity_verified": True,
        },
        {"name": "Soelastri Wardani", "birth_date": "1974-09-30", "no_identifier_reason": "forgotten"},
        {
            "name": "Halimatus Sadiah",
            "birth_date": "1995-06-12",
            "nik": "6371015206950031",
            "family_card_number": "6371010101150009",
            "phone": "081255500021",
        },
    )
    for person in people:
        body = registration(patient={**home, **person}, override_reason="contoh")
        clerk.post("registrations", json=body).raise_for_status()


async def quiet_hour_screens(
    counter: Counter, folder: Path, name: str, size: tuple[int, int], language: str
) -> None:
    """Draw the lists for clerical review: cards, duplicates and mothers."""
    async with counter.at("admin", size, language) as (app, pilot):
        await press(pilot, "f2", "f7")
        save_picture(app, folder / f"lists-{name}.png")
        await press(pilot, "v")
        await until(pilot, lambda: len(app.screen.query_one("#found").rows) > 0)
        await settle(pilot)
        save_picture(app, folder / f"verify-later-{name}.png")
        await type_text(pilot, "Soelastri")
        await until(pilot, lambda: app.screen._answered == "Soelastri")
        await press(pilot, "f9", "tab", "tab", "end")
        await type_text(pilot, "ingsih")
        await asyncio.sleep(0.6)
        await settle(pilot)
        save_picture(app, folder / f"card-{name}.png")
        await press(pilot, "escape", "escape", "escape", "f7", "d")
        await until(pilot, lambda: app.screen.query("#items") and app.screen.query_one("#items").rows)
        save_picture(app, folder / f"look-alikes-{name}.png")
        await press(pilot, "enter")
        save_picture(app, folder / f"compare-{name}.png")
        await press(pilot, "escape", "escape", "f2", "f8")
        await type_text(pilot, "halimatus")
        await until(pilot, lambda: app.screen.query_one("#mothers").rows)
        save_picture(app, folder / f"mother-{name}.png")
        await press(pilot, "enter")
        await asyncio.sleep(0.6)
        await settle(pilot)
        save_picture(app, folder / f"newborn-{name}.png")


async def clinic_screens(
    counter: Counter, folder: Path, name: str, size: tuple[int, int], language: str
) -> None:
    """Draw the dentist's screens."""
    async with counter.at("dentist", size, language) as (app, pilot):
        await press(pilot, "n", "enter")
        await asyncio.sleep(0.5)
        await settle(pilot)
        save_picture(app, folder / f"record-{name}.png")
        await find(app, pilot, "f8", "asam mefenamat")
        await press(pilot, "enter", "f10")
        save_picture(app, folder / f"allergies-asked-{name}.png")


async def record_screens(
    counter: Counter, folder: Path, name: str, size: tuple[int, int], language: str
) -> None:
    """Draw a pregnant woman's record, with a long name, from the midwife to the laboratory."""
    receipt = a_visit(counter, f"637101550795{size[0]:03d}{language == 'id':d}")
    async with counter.at("midwife", size, language) as (app, pilot):
        await choose(app, pilot, receipt["ticket"]["id"])
        for value in ("150", "95", "88", "20", "36,5", "98", "55", "150", "110", "23"):
            await type_text(pilot, value)
            await press(pilot, "enter")
        await press(pilot, "enter")
        for value in ("2", "1", "0", "01-05-2026", "3", "4", *"tttttt", "24"):
            await type_text(pilot, value)
            await press(pilot, "enter")
        save_picture(app, folder / f"anc-{name}.png")
        await press(pilot, "f10")
        await find(app, pilot, "f7", "hipertensi kehamilan")
        save_picture(app, folder / f"diagnosis-{name}.png")
        await press(pilot, "enter")
        await find(app, pilot, "f8", "tambah darah")
        await press(pilot, "enter")
        save_picture(app, folder / f"medicine-{name}.png")
        await press(pilot, "f10")
        for words in ("hemoglobin", "protein urin"):
            await find(app, pilot, "f9", words)
            await press(pilot, "enter", "f10")
        save_picture(app, folder / f"record-anc-{name}.png")
        await press(pilot, "f2", "s", "1")
        await type_text(pilot, "3")
        await press(pilot, "f10")
        save_picture(app, folder / f"letter-{name}.png")
        await press(pilot, "escape", "f10")
        save_picture(app, folder / f"outcome-{name}.png")
        await press(pilot, "l")
    async with counter.at("lab", size, language) as (app, pilot):
        await press(pilot, "f2")
        save_picture(app, folder / f"worklist-{name}.png")
        await press(pilot, "enter")
        await type_text(pilot, "10,2")
        await press(pilot, "enter")
        await type_text(pilot, "3")
        save_picture(app, folder / f"results-{name}.png")
        await press(pilot, "f10")


async def admin_screens(
    counter: Counter, folder: Path, name: str, size: tuple[int, int], language: str
) -> None:
    """Draw accounts with their keys and sign-ins, the rights, and what asks for a right."""
    with counter.api("admin") as admin:
        admin.post("accounts/doctor/keys", json={"public_key": a_key(), "label": "laptop poli"})
    async with counter.at("doctor"), counter.at("admin", size, language) as (app, pilot):
        save_picture(app, folder / f"system-{name}.png")
        await press(pilot, "a")
        await until(pilot, lambda: len(app.screen._items) > 3, "the accounts")
        save_picture(app, folder / f"accounts-{name}.png")
        await press(pilot, "a")
        save_picture(app, folder / f"account-new-{name}.png")
        await press(pilot, "escape", *["down"] * DOCTORS_PLACE)
        for key, picture in (("e", "account"), ("p", "account-password"), ("k", "keys"), ("s", "sessions")):
            await press(pilot, key)
            await settle(pilot)
            save_picture(app, folder / f"{picture}-{name}.png")
            await press(pilot, "escape")
        await press(pilot, "escape", "g")
        await settle(pilot)
        save_picture(app, folder / f"rights-{name}.png")
        await press(pilot, "a", "down", "enter")
        save_picture(app, folder / f"rights-ask-{name}.png")
        await press(pilot, "escape", "l")
        await settle(pilot)
        save_picture(app, folder / f"rights-all-{name}.png")


async def supervisor_screens(
    counter: Counter, folder: Path, name: str, size: tuple[int, int], language: str
) -> None:
    """Draw the list of the day with what waits, a break of the log to vouch for, and the audit log."""
    receipt = a_visit(counter, f"637101550794{size[0]:03d}{language == 'id':d}")
    with counter.api("dentist") as dentist:
        query = {"reason": "pasien menelepon minta hasil", "reason_code": "patient"}
        dentist.get(f"visits/{receipt['visit_id']}", params=query).raise_for_status()
    with connection():
        told = [
            "Catatan 912 diubah sesudahnya.",
            "Pasien 01a231f0-9fd9-7000 diubah di luar Loket, sesudah catatan 640.",
        ]
        approvals.ask(
            accounts.system_actor("loket command: rina"), ApprovalKind.TAMPERING, "2", "disk rusak, teknisi memulihkan baris",
            by="loket command: rina", told=told, breaks=[new_id(), new_id()],
        )  # fmt: skip
    async with counter.at("supervisor", size, language) as (app, pilot):
        await press(pilot, "f6")
        await until(pilot, lambda: len(app.screen._items) > 2, "the day")
        save_picture(app, folder / f"day-list-{name}.png")
        await press(pilot, "enter")
        save_picture(app, folder / f"day-list-request-{name}.png")
        await press(pilot, "escape", "l")
        await settle(pilot)
        save_picture(app, folder / f"audit-log-{name}.png")
        await press(pilot, "enter")
        save_picture(app, folder / f"audit-log-row-{name}.png")
        await press(pilot, "escape", "p")
        save_picture(app, folder / f"audit-log-patient-{name}.png")
    with counter.api("supervisor") as supervisor:
        for asked in supervisor.get("approvals").json():
            if asked["outcome"] is None:
                supervisor.post(f"approvals/{asked['id']}/refuse").raise_for_status()


async def sign_in_screens(
    counter: Counter, folder: Path, name: str, size: tuple[int, int], language: str
) -> None:
    """Draw the lock, the change of one's own password, the second factor, and the question before a stranger's record."""
    async with counter.at("supervisor", size, language) as (app, pilot):
        app.action_own_password()
        await settle(pilot)
        save_picture(app, folder / f"password-{name}.png")
        await press(pilot, "escape")
        app.action_second_factor()
        await settle(pilot)
        save_picture(app, folder / f"second-factor-{name}.png")
        await press(pilot, "escape")
        app.action_lock()
        await settle(pilot)
        save_picture(app, folder / f"locked-{name}.png")
    with connection():
        of_supervisor = Account.username == "supervisor"
        Account.update(second_factor=second_factor.new_secret()).where(of_supervisor).execute()
    async with counter.at("supervisor", size, language) as (app, pilot):
        save_picture(app, folder / f"code-{name}.png")
        await type_text(pilot, "000000")
        await press(pilot, "enter")
        await settle(pilot)
        save_picture(app, folder / f"code-wrong-{name}.png")
    with connection():
        Account.update(second_factor=None).where(of_supervisor).execute()
    async with counter.at("doctor", size, language) as (app, pilot):
        app.push_screen(GlassDialog(app.session))
        await settle(pilot)
        save_picture(app, folder / f"break-glass-{name}.png")


async def locked_record_screens(
    counter: Counter, folder: Path, name: str, size: tuple[int, int], language: str
) -> None:
    """Draw a record after its time, what asks for its release, the release among what waits, and the patient's copy."""
    receipt = a_visit(counter, f"637101550796{size[0]:03d}{language == 'id':d}")
    with counter.api("midwife") as midwife:
        midwife.post(f"queue-entries/{receipt['ticket']['id']}/start", json={}).raise_for_status()
        body = {"subjective": "kontrol hamil, pusing sejak kemarin"}
        midwife.put(f"visits/{receipt['visit_id']}/encounter", json=body).raise_for_status()
        midwife.post(f"queue-entries/{receipt['ticket']['id']}/finish", json={"disposition": "home"})
    with connection():
        entered = clock.now() - timedelta(days=3)
        Encounter.update(entered_at=entered).where(Encounter.visit == receipt["visit_id"]).execute()
    async with counter.at("midwife", size, language) as (app, pilot):
        await press(pilot, "f2")
        await type_text(pilot, f"637101550796{size[0]:03d}{language == 'id':d}")
        await settle(pilot)
        await press(pilot, "enter")
        await settle(pilot)
        save_picture(app, folder / f"visits-{name}.png")
        await press(pilot, "enter")
        await settle(pilot)
        save_picture(app, folder / f"visit-locked-{name}.png")
        await press(pilot, "l")
        await settle(pilot)
        save_picture(app, folder / f"release-ask-{name}.png")
        await type_text(pilot, "tensi tertukar dengan pasien lain")
        await press(pilot, "enter")
        await settle(pilot)
        save_picture(app, folder / f"release-asked-{name}.png")
        give_copy(app.screen, receipt["patient_id"], StatedReason())
        await until(pilot, lambda: isinstance(app.screen, TextDialog), "the copy")
        await settle(pilot)
        save_picture(app, folder / f"copy-{name}.png")
    async with counter.at("supervisor", size, language) as (app, pilot):
        await press(pilot, "f6")
        await until(pilot, lambda: len(app.screen._items) > 0, "the day")
        save_picture(app, folder / f"release-waits-{name}.png")
        await press(pilot, "enter")
        await settle(pilot)
        save_picture(app, folder / f"release-request-{name}.png")
        await press(pilot, "escape", "y")
        await settle(pilot)
        save_picture(app, folder / f"release-given-{name}.png")


PARTS = {
    "admin": admin_screens,
    "supervisor": supervisor_screens,
    "sign-in": sign_in_screens,
    "locked": locked_record_screens,
}
"""Screens that can be drawn by themselves."""


async def draw_part(counter: Counter, folder: Path, part: str) -> None:
    """Draw some of the screens at 80x24, in both languages."""
    for language in ("id", "en"):
        await PARTS[part](counter, folder, f"{language}-80x24", (80, 24), language)


def a_key() -> str:
    """Return the public half of a new SSH key."""
    return asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()


def a_visit(counter: Counter, nik: str) -> dict[str, Any]:
    """Register a pregnant woman who was here before."""
    name = f"Raden Ayu Siti Nurhaliza Kusumaningrum Wardhani {nik[-3:]}"
    patient = {"name": name, "nik": nik, "sex": "female", "birth_date": "1995-07-15"}
    body = registration(patient=patient, chief_complaint="kontrol hamil", cluster="KIA", pregnant=True)
    with counter.api() as clerk, counter.api("midwife") as midwife:
        first = (
            clerk.post("registrations", json={**body, "duplicate_decision": "new"}).raise_for_status().json()
        )
        entry, visit = first["ticket"]["id"], first["visit_id"]
        midwife.post(f"queue-entries/{entry}/start", json={})
        vitals = {"systolic": 142, "diastolic": 90, "weight": 53.5, "arm_circumference": 22.8}
        midwife.put(f"visits/{visit}/encounter", json={"vitals": vitals})
        midwife.post(f"visits/{visit}/diagnoses", json={"code": "J45.9"})
        midwife.post(f"patients/{first['patient_id']}/allergies", json={"substance": "amoksisilin"})
        midwife.post(f"queue-entries/{entry}/finish", json={"disposition": "home"})
        again = {**body, "id": new_id(), "patient": None, "patient_id": first["patient_id"]}
        receipt: dict[str, Any] = clerk.post("registrations", json=again).raise_for_status().json()
    return receipt


async def choose(app: Any, pilot: Any, entry_id: str) -> None:
    """Open one entry's record from one's own queue."""
    await until(pilot, lambda: any(entry.id == entry_id for entry in app.screen.pane.entries), "the patient")
    app.screen.pane.choose(entry_id)
    await press(pilot, "enter")


async def find(app: Any, pilot: Any, key: str, words: str) -> None:
    """Open a search and wait for its results."""
    await press(pilot, key)
    await type_text(pilot, words)
    await asyncio.sleep(0.5)
    await settle(pilot)


async def draw_busy(counter: Counter, folder: Path) -> None:
    """Draw 60 waiting patients: for a doctor, the counter, a supervisor and the waiting room."""
    screens = {"work": ("doctor", []), "queues": ("clerk", ["f3"]), "board": ("admin", ["f4"]),
               "waiting-room": ("display", [])}  # fmt: skip
    for language, size in SIZES:
        for screen, (username, keys) in screens.items():
            async with counter.at(username, size, language) as (app, pilot):
                await press(pilot, *keys)
                await asyncio.sleep(1)
                await settle(pilot)
                save_picture(app, folder / f"{screen}-{language}-{size[0]}x{size[1]}.png")


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("folder", type=Path, nargs="?", default=ROOT / "docs" / "screens")
    options.add_argument("--only", choices=list(PARTS), help="only these screens, at 80x24")
    given = options.parse_args()
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    stray_keys.QUIET_SECONDS = stray_keys.TYPING_SECONDS = 0.0  # the program is faster than any hand
    with tempfile.TemporaryDirectory() as home, Background(Settings(home=Path(home))) as server:
        asyncio.run(
            draw(Counter(server), folder)
            if given.only is None
            else draw_part(Counter(server), folder, given.only)
        )
    if given.only is not None:
        return
    with tempfile.TemporaryDirectory() as home, Background(Settings(home=Path(home))) as server:
        counter = Counter(server)
        with busy_morning(counter):
            asyncio.run(draw_busy(counter, folder))
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} pictures in {folder}\n")


if __name__ == "__main__":
    main()
