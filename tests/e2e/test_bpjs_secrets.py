"""The keys of BPJS in a clinic that runs: in no log, no process list, no answer, no backup, no report of the doctor."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyrage
import pytest

from core.daily.backup import archives
from core.foundation import clock
from core.foundation.config import Settings
from server.bpjs_stand_in import Books, PcareHost
from server.bpjs_stand_in.pcare_host import DEMO_KEYS
from tests.e2e.terminals import DemoClinic, children_of
from tests.loket_command import loket
from tests.people import Caller

SECRETS = {
    "bpjs_secret": "rahasia-konsumen-7Kq",
    "bpjs_user_key": "kunci-pengguna-9Zx",
    "bpjs_password": "sandi-pcare-3Wv",
}
QUEUE_KEY = "kunci-antrean-5Tb"
KEYS = replace(
    DEMO_KEYS,
    secret=SECRETS["bpjs_secret"],
    user_key=SECRETS["bpjs_user_key"],
    password=SECRETS["bpjs_password"],
)
PERSON = base64.b64encode(f"{KEYS.username}:{KEYS.password}:{KEYS.application}".encode()).decode()
HIDDEN = [word.encode() for word in (*SECRETS.values(), QUEUE_KEY, PERSON)]
CARD = "0001234567890"


@pytest.fixture
def pcare() -> Iterator[PcareHost]:
    books = Books(lambda: clock.now().astimezone(Settings().timezone))
    books.add_participant(CARD, "6371014107900001", "SITI AMINAH", "P", date(1990, 7, 1))
    host = PcareHost(books, KEYS)
    yield host
    host.close()


def told(where: str, content: bytes) -> list[str]:
    """The secrets that stand in something, by place."""
    return [f"{where}: {word.decode()}" for word in HIDDEN if word in content]


def secret_files(folder: Path) -> dict[str, str]:
    """Keep each secret in a file of its own; return the settings that name them."""
    settings = {}
    for name, value in {**SECRETS, "bpjs_queue_user_key": QUEUE_KEY}.items():
        file = folder / name
        file.write_text(value)
        file.chmod(0o600)
        settings[f"LOKET_{name.upper()}_FILE"] = str(file)
    return settings


def family(pid: int) -> list[int]:
    """A process, its children and theirs."""
    return [pid, *(one for child in children_of(pid) for one in family(child))]


def processes(clinic: DemoClinic) -> list[str]:
    """The command lines and environments of the server and all its children."""
    found: list[str] = []
    server, *children = family(clinic.process.pid)
    assert children, "the door is a process of its own"
    for pid in (server, *children):
        for name in ("cmdline", "environ"):
            found += told(f"{name} of a process", Path(f"/proc/{pid}/{name}").read_bytes())
    return found


def content_of(backup_file: Path, key: str) -> bytes:
    """Everything in a backup, decrypted and unpacked."""
    plain = pyrage.decrypt(backup_file.read_bytes(), [archives.identity(key)])
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:gz") as archive:
        files = (archive.extractfile(member) for member in archive.getmembers())
        return b"\0".join(file.read() for file in files if file is not None)


def test_the_keys_of_bpjs_stand_nowhere_but_in_their_files(pcare: PcareHost, tmp_path: Path) -> None:
    plain = {
        f"LOKET_{name.upper()}": value for name, value in pcare.settings().items() if name not in SECRETS
    }
    home = tmp_path / "clinic" / "home"
    home.parent.mkdir()
    clinic = DemoClinic(home, **plain, **secret_files(tmp_path), LOKET_BPJS_QUEUE_URL=pcare.url)
    found = []
    with clinic, Caller(clinic.url, "clerk") as clerk, Caller(clinic.url, "admin") as admin:
        assert clerk.post("insurance/check", json={"bpjs_number": CARD}).json()["status"] == "active"
        pcare.mischief.extend(["html", "lose_answer", "cut", "error_500"])
        person = {"name": "Siti Aminah", "sex": "female", "birth_date": "1990-07-01", "bpjs_number": CARD,
                  "no_identifier_reason": "none_yet"}  # fmt: skip
        clerk.registered(
            patient=person, payer="jkn_pbi", chief_complaint="batuk", cluster="UMUM", duplicate_decision="new"
        )
        for _ in range(8):  # the faults, then the visit
            sent = loket("bpjs", "send", environment=clinic.environment)
            found += told("loket bpjs send", (sent.stdout + sent.stderr).encode())
        assert pcare.books.registrations, "the clinic does reach BPJS with these keys"
        for path in (
            "bpjs",
            "bpjs/codes",
            "bpjs/set-aside",
            "bpjs/lists/poli",
            "clinic",
            "doctor",
            "audit",
            "sync",
        ):
            asked = (clerk if path == "bpjs/set-aside" else admin).get(path)
            found += told(f"GET {path}", asked.content + str(asked.headers).encode())
        wrong = admin.put("bpjs/codes", json={"kind": "poli", "ours": "UMUM", "theirs": "999"})
        found += told("PUT bpjs/codes", wrong.content)
        key = loket("backup", "key", environment=clinic.environment).stdout
        for words in (
            ["backup", "now"],
            ["doctor"],
            ["doctor", "--json"],
            ["bpjs", "check"],
            ["bpjs", "compare"],
        ):
            said = loket(*words, environment=clinic.environment)
            found += told(f"loket {' '.join(words)}", (said.stdout + said.stderr).encode())
        found += processes(clinic)
    found += told("the logs", clinic.log.read_bytes())
    [sealed] = list(home.rglob("*.age"))
    found += told("the sealed backup", sealed.read_bytes())
    recovery = next(word for word in key.split() if word.startswith("AGE-SECRET-KEY-"))
    inside = content_of(sealed, recovery)
    assert CARD.encode() in inside, "it is the content that is looked through"
    found += told("the backup", inside)
    for file in home.rglob("*"):
        found += told(str(file.relative_to(home)), file.read_bytes()) if file.is_file() else []
    assert found == []
