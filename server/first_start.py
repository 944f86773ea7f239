"""First content of a database: accounts, codes, and the demo's fictitious people."""

from __future__ import annotations

import os
import random
import sys
from datetime import timedelta
from pathlib import Path

from core.accounts import doors
from core.accounts import service as accounts
from core.daily import backup
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import MachineRole, NoIdentifierReason, Role, Sex
from core.foundation.database import transaction
from core.foundation.errors import SettingsError
from core.foundation.identifiers import new_secret
from core.foundation.permissions import Actor
from core.foundation.private_files import write_private
from core.models import Account, Patient
from core.orders import procedures
from core.patients import service as patients
from core.patients import villages
from core.queues.clusters import Cluster
from core.schemas.patients import PatientFields
from core.terminology import icd10
from server.text.backup_sentences import keep_the_key
from server.text.translation import _

FILE = "first-start.txt"
"""Words of the first start where nobody sits at a terminal: mode 0600, read once."""
DEMO_PASSWORD = "demo"

SERVICES_OF: dict[str, tuple[Role, frozenset[str]]] = {
    "nurse": (Role.NURSE, frozenset({"general", "emergency", "maternal"})),
    "doctor": (Role.CLINICIAN, frozenset({"general", "emergency", "infectious", "procedure", "nutrition"})),
    "dentist": (Role.CLINICIAN, frozenset({"dental"})),
    "midwife": (Role.CLINICIAN, frozenset({"maternal"})),
    "lab": (Role.LAB, frozenset({"laboratory"})),
    "pharmacist": (Role.PHARMACIST, frozenset({"pharmacy"})),
}
"""Demo account -> role and the services whose clusters it works in."""

DEMO_NAMES = {
    "clerk": "Rina Pertiwi",
    "nurse": "Ns. Laila Safitri",
    "doctor": "dr. Yusuf Hakim",
    "dentist": "drg. Maya Lestari",
    "midwife": "Bidan Norhasanah",
    "lab": "Arif Wibowo",
    "pharmacist": "Dewi Anggraini",
    "records": "Wahyu Nugroho",
    "supervisor": "dr. Hasan Basri",
    "admin": "Fahmi Ramadhan",
    "display": "Ruang tunggu",
}
DEMO_ADMIN = {
    "clerk": Role.CLERK,
    "records": Role.RECORDS,
    "supervisor": Role.SUPERVISOR,
    "admin": Role.ADMIN,
    "display": Role.DISPLAY,
}

GIVEN = {
    Sex.MALE: [
        "Ahmad",
        "Muhammad",
        "Budi",
        "Rahmat",
        "Hendra",
        "Yudi",
        "Agus",
        "Slamet",
        "Irfan",
        "Bayu",
        "Suryani",
        "Taufik",
        "Joko",
        "Rizki",
    ],
    Sex.FEMALE: [
        "Siti",
        "Aisyah",
        "Nurul",
        "Dewi",
        "Ratna",
        "Sri",
        "Fitri",
        "Rahmah",
        "Lina",
        "Wati",
        "Maimunah",
        "Jumiati",
        "Kartini",
        "Mega",
    ],
}
FAMILY = [
    "Santoso",
    "Rahman",
    "Hidayat",
    "Fauzi",
    "Lestari",
    "Halim",
    "Saputra",
    "Wijaya",
    "Anwar",
    "Maulana",
    "Noor",
    "Basuki",
]
STREETS = (
    "Jl. Sungai Andai",
    "Gg. Damai",
    "Jl. Kelayan A",
    "Jl. Belitung Darat",
    "Komp. Mawar",
    "Jl. Pramuka",
)
DEMO_DISTRICT, DEMO_AROUND, DEMO_OUTSIDE = "637101", "637103", "630305"
"""Districts in which the demo's patients live: the clinic's own, one of the town, one of another regency."""
DEMO_VILLAGES = 8
"""Villages of a district in which they live."""
DEMO_PEOPLE = 60


def prepare(clinic: Clinic) -> None:
    """Make sure there are accounts, diagnosis codes and the door's credential; idempotent.

    Side effects: without `--demo`, the very first start tells the admin's password and the recovery key, once: on the
    terminal, or where there is none in a file for `loket first-start show`.

    Raises:
        SettingsError: The demo would listen on other addresses than 127.0.0.1.
    """
    if clinic.settings.role == MachineRole.COUNTER:
        return  # its people and rows come from the core, and diagnoses have no place there
    icd10.load_builtin()
    procedures.load_builtin()
    accounts.system_actor()
    renew_door_token(clinic)
    if clinic.demo:
        if not clinic.settings.http.is_loopback or not clinic.settings.ssh.is_loopback:
            raise SettingsError("LOKET_HTTP: the demo's passwords are known, so it listens on 127.0.0.1 only")
        _demo(clinic)
    elif not Account.select().where(Account.role == Role.ADMIN, Account.username != "system").exists():
        password = new_secret()[:16]
        accounts.create_account("admin", "Administrator", Role.ADMIN, password, must_change=True)
        _tell(clinic.settings.home, password)


def _tell(home: Path, password: str) -> None:
    """Tell the admin's password and the recovery key to who sits there; a journal must not learn them."""
    words = _("First start. Sign in as admin with the password {password} - it is not shown again.")
    told = words.format(password=password) + "\n"
    if not backup.has_recovery_key(home):
        told += f"{keep_the_key()}\n{backup.create_recovery_key(home)}\n"
    if sys.stderr.isatty():
        sys.stderr.write(told)
        return
    write_private(home / FILE, told.encode())
    words = _(
        "First start. The admin's password and the recovery key are shown once by: loket first-start show"
    )
    sys.stderr.write(words + "\n")


def take_told(home: Path) -> str:
    """Return what the first start told nobody yet, and remove it; empty when it was read."""
    file = home / FILE
    try:
        told = file.read_text("utf-8")
    except FileNotFoundError:
        return ""
    file.unlink()
    return told


def renew_door_token(clinic: Clinic) -> None:
    """Write the credential of the door beside the server; again some time before it ends."""
    file = clinic.settings.door_token_file
    if file.exists() and doors.is_fresh(file.read_text().strip()):
        return
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(doors.renew(doors.LOCAL) + "\n")
    new.replace(file)


def _clusters_for(clinic: Clinic, services: frozenset[str]) -> list[str]:
    def takes_any(cluster: Cluster) -> bool:
        return any(taking.service in services for taking in cluster.takes)

    return [cluster.code for cluster in clinic.clusters.values() if takes_any(cluster)]


def _demo(clinic: Clinic) -> None:
    if Account.select().where(Account.username == "clerk").exists():
        return
    people: dict[str, tuple[Role, list[str]]] = {name: (role, []) for name, role in DEMO_ADMIN.items()}
    for name, (role, services) in SERVICES_OF.items():
        people[name] = (role, _clusters_for(clinic, services))
    # Mothers and children are the midwife's, also where their cluster takes general complaints.
    people["doctor"] = (Role.CLINICIAN, [c for c in people["doctor"][1] if c not in people["midwife"][1]])
    for username, (role, clusters) in people.items():
        accounts.create_account(
            username, DEMO_NAMES[username], role, DEMO_PASSWORD, clusters, check_password=False
        )
    if not Patient.select().exists():
        _demo_people(clinic)


def _demo_village(clinic: Clinic, actor: Actor, serial: int) -> str:
    """Return where a fictitious patient lives: most in the clinic's district, some around it, some outside.

    Args:
        clinic: The clinic.
        actor: Who makes the demo.
        serial: Number of the patient.
    """
    area = DEMO_OUTSIDE if serial % 10 == 0 else DEMO_AROUND if serial % 4 == 0 else DEMO_DISTRICT
    found = villages.find(clinic, actor, area, DEMO_VILLAGES)
    return found[serial % len(found)].code


def _demo_people(clinic: Clinic) -> None:
    """Return fictitious patients, the same at each start; their numbers are valid in form and not issued."""
    chance = random.Random(2026)  # noqa: S311  # a repeatable demo, not a secret
    actor = accounts.system_actor("demo")
    today = clinic.today()
    for serial in range(1, DEMO_PEOPLE + 1):
        sex = chance.choice(list(Sex))
        born = today - timedelta(days=chance.randrange(20, 85 * 365))
        day = born.day + (40 if sex is Sex.FEMALE else 0)
        nik = f"63710{chance.randrange(1, 6)}{day:02d}{born:%m%y}9{serial:03d}"
        name = f"{chance.choice(GIVEN[sex])} {chance.choice(FAMILY)}"
        has_card = chance.random() < 0.9
        fields = PatientFields(
            name=name,
            sex=sex,
            birth_date=born,
            nik=nik if has_card else None,
            bpjs_number=f"000{chance.randrange(10**9, 10**10)}"
            if has_card and chance.random() < 0.7
            else None,
            mother_name=f"{chance.choice(GIVEN[Sex.FEMALE])} {chance.choice(FAMILY)}",
            phone=f"08{chance.randrange(10**9, 10**10)}",
            address=f"{chance.choice(STREETS)} No. {chance.randrange(1, 99)}",
            rt=f"{chance.randrange(1, 30):02d}",
            rw=f"{serial % 9 + 1:02d}",
            village_code=_demo_village(clinic, actor, serial),
            no_identifier_reason=None if has_card else NoIdentifierReason.FORGOTTEN,
            identity_verified=has_card,
        )
        with transaction():
            patients.create(clinic, actor, fields, clock.now())
