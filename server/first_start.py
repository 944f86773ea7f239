"""What a database needs before its first day: accounts, codes, and the demo's made-up people."""

from __future__ import annotations

import os
import random
import sys
from datetime import timedelta

from core import accounts, backup, clock, icd10, patients, procedures
from core.clinic import Clinic
from core.clusters import Cluster
from core.database import transaction
from core.errors import SettingsError
from core.identifiers import new_secret
from core.models import Account, Patient
from core.schemas.patients import PatientFields
from core.vocabulary import NoIdentifierReason, Role, Sex
from server.text import _
from server.words import keep_the_key

DEMO_PASSWORD = "demo"

SERVICES_OF: dict[str, tuple[Role, frozenset[str]]] = {
    "doctor": (Role.CLINICIAN, frozenset({"general", "emergency", "infectious", "procedure", "nutrition"})),
    "dentist": (Role.CLINICIAN, frozenset({"dental"})),
    "midwife": (Role.CLINICIAN, frozenset({"maternal"})),
    "lab": (Role.LAB, frozenset({"laboratory"})),
    "pharmacist": (Role.PHARMACIST, frozenset({"pharmacy"})),
}
"""Demo account -> role and the services whose clusters it works in."""

DEMO_NAMES = {
    "clerk": "Rina Pertiwi",
    "doctor": "dr. Yusuf Hakim",
    "dentist": "drg. Maya Lestari",
    "midwife": "Bidan Norhasanah",
    "lab": "Arif Wibowo",
    "pharmacist": "Dewi Anggraini",
    "admin": "Fahmi Ramadhan",
    "display": "Ruang tunggu",
}
DEMO_ADMIN = {"clerk": Role.CLERK, "admin": Role.ADMIN, "display": Role.DISPLAY}

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
DEMO_PEOPLE = 60


def prepare(clinic: Clinic) -> None:
    """Make sure there are accounts, diagnosis codes and the door's credential; idempotent.

    Side effects: without `--demo`, the very first start prints the admin's password, once.
    """
    icd10.load_builtin()
    procedures.load_builtin()
    accounts.system_actor()
    _door_token(clinic)
    if clinic.demo:
        if not clinic.settings.http.is_loopback or not clinic.settings.ssh.is_loopback:
            raise SettingsError("LOKET_HTTP: the demo's passwords are known, so it listens on 127.0.0.1 only")
        _demo(clinic)
    elif not Account.select().where(Account.role == Role.ADMIN, Account.username != "system").exists():
        password = new_secret()[:16]
        accounts.create_account("admin", "Administrator", Role.ADMIN, password)
        sys.stderr.write(
            _("First start. Sign in as admin with the password {password} - it is not shown again.").format(
                password=password
            )
            + "\n"
        )
        if not backup.has_recovery_key(clinic.settings.home):
            key = backup.create_recovery_key(clinic.settings.home)
            sys.stderr.write(f"{keep_the_key()}\n{key}\n")


def _door_token(clinic: Clinic) -> None:
    file = clinic.settings.door_token_file
    if file.exists():
        return
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(accounts.issue_door_token() + "\n")


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


def _demo_people(clinic: Clinic) -> None:
    """Made-up patients, the same at each start; their numbers follow the rules and belong to nobody."""
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
            no_identifier_reason=None if has_card else NoIdentifierReason.FORGOTTEN,
            identity_verified=has_card,
        )
        with transaction():
            patients.create(clinic, actor, fields, clock.now())
