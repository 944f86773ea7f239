"""Tries the attacks of the first security review on running clinics, on this commit and on others beside it.

    python -m bench.findings [--beside FOLDER ...] [--only A1 B4]

Each attack is what a person with an account, or without one, sends; it says whether it got through, or what else came.
The numbers are those of `docs/reference/security-findings.md`, which names the test that holds each. Floods (B1 to B3,
B14) are in `bench/hostile.py`. A commit to compare with is a folder in which it is checked out.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import asyncssh
import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench import hostile
from tests.people import Caller, patient

HERE = Path(__file__).parents[1]
STRANGER = "127.0.0.2"
"""Address of somebody elsewhere: all of 127.0.0.0/8 is this machine."""
OLD = "2020-01-01T00:00:00.000000Z"
SHOWN_SECONDS = 15  # a pane is repainted within a second or two
SECRET = "RAHASIA"
JKN_PASSWORD = "sandi-jkn-yang-panjang"


@dataclass
class Target:
    """A running demo clinic of one commit."""

    checkout: Path
    home: Path
    http: int
    ssh: int
    server: subprocess.Popen[bytes]
    people: dict[str, Caller] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Return the address of the server."""
        return f"http://127.0.0.1:{self.http}"

    def __getitem__(self, name: str) -> Caller:
        """Return a signed-in person of the demo."""
        if name not in self.people:
            self.people[name] = Caller(self.url, name)
        return self.people[name]

    def command(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run `loket` with these words."""
        return subprocess.run(
            [sys.executable, "-m", "server.cli", *words], cwd=self.checkout, env=environment(self.checkout, self.home),
            input=given, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def behind(self, *statements: str) -> None:
        """Change the database with another program, its triggers taken off."""
        file = apsw.Connection(str(self.home / "loket.sqlite3"))
        file.set_busy_timeout(10_000)
        triggers = file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _sql in triggers:
            file.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            file.execute(statement)
        for _name, sql in triggers:
            file.execute(str(sql))
        file.close()

    def visit(self, **changes: Any) -> dict[str, Any]:
        """Return the receipt of a patient in the doctor's room, with a note of the doctor's."""
        made = {"cluster": "UMUM", "chief_complaint": "batuk pilek", **changes}
        receipt = self["clerk"].registered(**made)
        for action in ("call", "start"):
            self["doctor"].act(receipt["ticket"]["id"], action).raise_for_status()
        body = {"subjective": f"{SECRET}-S", "assessment": f"{SECRET}-A"}
        self["doctor"].put(f"visits/{receipt['visit_id']}/encounter", json=body).raise_for_status()
        return receipt

    def aged(self, visit: str) -> None:
        """Let a visit's contacts and results be of three days ago."""
        self.behind(
            *(
                f"UPDATE encounter SET {column} = '{OLD}' WHERE visit_id = '{visit}' AND {column} IS NOT NULL"
                for column in ("entered_at", "started_at", "signed_at")
            ),
            f"UPDATE visit SET started_at = '{OLD}', service_on = '2020-01-01' WHERE id = '{visit}'",
            *(
                f"UPDATE \"order\" SET {column} = '{OLD}' WHERE visit_id = '{visit}' AND {column} IS NOT NULL"
                for column in ("ordered_at", "resulted_at", *self._first_resulted())
            ),
        )

    def _first_resulted(self) -> tuple[str, ...]:
        file = apsw.Connection(str(self.home / "loket.sqlite3"))
        names = {row[1] for row in file.execute('PRAGMA table_info("order")')}
        file.close()
        return tuple({"first_resulted_at"} & names)


def environment(checkout: Path, home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a command of a checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
    return {**kept, "PYTHONPATH": str(checkout), "LOKET_HOME": str(home), **more}


@contextlib.contextmanager
def clinic(checkout: Path) -> Iterator[Target]:
    """Run a checkout's demo clinic until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        home, http, ssh = Path(folder) / "home", hostile.free_port(), hostile.free_port()
        more = {
            "LOKET_HTTP": f"127.0.0.1:{http}", "LOKET_SSH": f"127.0.0.1:{ssh}", "LOKET_JKN_USERNAME": "bpjs",
            "LOKET_JKN_PASSWORD": JKN_PASSWORD,
        }  # fmt: skip
        with (Path(folder) / "server.log").open("wb") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "server", "--demo"], cwd=checkout, env=environment(checkout, home, **more),
                stdout=log, stderr=log,
            )  # fmt: skip
            try:
                hostile.wait_for(http, ssh, server)
                yield Target(checkout, home, http, ssh, server)
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait()


def stranger(target: Target) -> httpx.Client:
    """Return somebody at another address, without an account."""
    transport = httpx.HTTPTransport(local_address=STRANGER)
    return httpx.Client(base_url=f"{target.url}/api/v1/", transport=transport, timeout=60)


def addendum_shows_the_note(target: Target) -> bool:
    visit = target.visit()["visit_id"]
    return SECRET in target["midwife"].post(f"visits/{visit}/addenda", json={"text": "."}).text


def anybody_writes_by_naming_a_cluster(target: Target) -> bool:
    visit = target.visit()["visit_id"]
    body = {"cluster": "GIGI", "subjective": "punya orang lain"}
    return target["dentist"].put(f"visits/{visit}/encounter", json=body).is_success


def lock_passed_by_another_cluster(target: Target) -> bool:
    visit = target.visit()["visit_id"]
    target.aged(visit)
    body = {"cluster": "LANSIA", "subjective": "catatan baru di kunjungan lama"}
    return target["doctor"].put(f"visits/{visit}/encounter", json=body).is_success


def lock_passed_by_striking(target: Target) -> bool:
    receipt = target.visit()
    visit = receipt["visit_id"]
    made = target["doctor"].post(f"visits/{visit}/diagnoses", json={"code": "J00"}).raise_for_status().json()
    sent = target["doctor"].act(receipt["ticket"]["id"], "transfer", cluster="GIGI", reason="periksa gigi")
    sent.raise_for_status()
    target.aged(visit)
    struck = target["dentist"].delete(
        f"visits/{visit}/diagnoses/{made['id']}", params={"reason": "iseng saja"}
    )
    return struck.is_success


def lock_passed_by_a_result(target: Target) -> bool:
    visit = target.visit()["visit_id"]
    made = (
        target["doctor"].post(f"visits/{visit}/orders", json={"test": "Hemoglobin"}).raise_for_status().json()
    )
    path = f"orders/{made['id']}/result"
    target["lab"].post(path, json={"result": "12,1"}).raise_for_status()
    target.aged(visit)
    return target["lab"].post(path, json={"result": "6,2"}).is_success


def dismissed_keeps_watching(target: Target) -> bool:
    return asyncio.run(_sees_after_dismissal(target))


async def _sees_after_dismissal(target: Target) -> bool:
    async with asyncssh.connect(
        "127.0.0.1", target.ssh, username="dentist", password="demo", known_hosts=None, client_keys=None,
        agent_path=None, config=None,
    ) as connection:  # fmt: skip
        process = await connection.create_process(term_type="xterm", encoding=None, term_size=(80, 24))
        await _read(process, hostile.SCREEN, 60)
        done = await asyncio.to_thread(target.command, "account", "disable", "dentist")
        assert done.returncode == 0, done.stderr
        person = patient(name="Dipecat Kemudian")
        await asyncio.to_thread(lambda: target["clerk"].registered(patient=person))
        seen = await _read(process, b"Dipecat", SHOWN_SECONDS)
    await asyncio.to_thread(target.behind, "UPDATE account SET disabled_at = NULL WHERE username = 'dentist'")
    target.people.pop("dentist", None)
    return b"Dipecat" in seen


async def _read(process: Any, until: bytes, seconds: float) -> bytes:
    seen = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while until not in seen and (data := await process.stdout.read(4096)):
                seen += data
    return seen


def owner_is_locked_out(target: Target) -> bool:
    Caller(target.url, "pharmacist").close()
    with stranger(target) as guesser:
        for _ in range(6):
            guesser.post("tokens", json={"username": "pharmacist", "password": "salah"})
    answer = httpx.post(
        f"{target.url}/api/v1/tokens", json={"username": "pharmacist", "password": "demo"}, timeout=60
    )
    return answer.status_code == 429


def guesses_leave_no_trace(target: Target) -> bool:
    with stranger(target) as guesser:
        guesser.post("tokens", json={"username": "lab", "password": "salah"})
    return "sign_in_failed" not in target["admin"].get("audit", params={"limit": 50}).text


def weak_password_is_taken(target: Target) -> bool:
    words = "account", "password", "midwife", "--password-stdin"
    good = target.command(*words, given="kuda laut terbang tinggi\n")
    assert good.returncode == 0, good.stderr
    done = target.command(*words, given="password\n")
    target.behind(
        "UPDATE account SET password_hash = (SELECT password_hash FROM account WHERE username = 'clerk')"
        " WHERE username = 'midwife'"
    )
    target.people.pop("midwife", None)
    return done.returncode == 0


def reads_leave_no_row(target: Target) -> bool:
    target["clerk"].registered()
    target["pharmacist"].get("patients/recent", params={"limit": 100}).raise_for_status()
    rows = (
        target["admin"].get("audit", params={"account": "pharmacist", "limit": 100}).raise_for_status().json()
    )
    return not any(row["action"] in {"recent_read", "patients_read"} for row in rows)


def feed_tells_all(target: Target) -> bool:
    target.visit(chief_complaint=f"batuk {SECRET}")
    seen = ""
    address = f"{target.url}/api/v1/changes"
    head = dict(target["pharmacist"].headers)
    with (
        contextlib.suppress(httpx.ReadTimeout),
        httpx.stream("GET", address, params={"after": 0}, headers=head, timeout=4) as stream,
    ):
        for part in stream.iter_text():
            seen += part
    return SECRET in seen


def cut_log_is_called_whole(target: Target) -> bool:
    target.behind("DELETE FROM audit_event WHERE sequence > (SELECT MAX(sequence) - 10 FROM audit_event)")
    findings = target.command("doctor", "--json").stdout
    return bool(
        re.search(r'"level": *"ok"[^}]*"subject": *"audit"|"subject": *"audit"[^}]*"level": *"ok"', findings)
    )


def record_changes_unseen(target: Target) -> bool:
    visit = target.visit()["visit_id"]
    target.behind(f"UPDATE encounter SET subjective = 'lain' WHERE visit_id = '{visit}'")
    findings = target.command("doctor", "--json").stdout
    return "behind" not in findings and "diam-diam" not in findings and "di luar Loket" not in findings


def plain_http_beyond_loopback(target: Target) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        port, ssh = hostile.free_port(), hostile.free_port()
        more = {"LOKET_HTTP": f"0.0.0.0:{port}", "LOKET_SSH": f"127.0.0.1:{ssh}"}
        server = subprocess.Popen(
            [sys.executable, "-m", "server"], cwd=target.checkout,
            env=environment(target.checkout, Path(folder) / "home", **more),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            return _answers_plainly(port, server)
        finally:
            server.terminate()
            server.wait()


def _answers_plainly(port: int, server: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
        except httpx.ConnectError:
            time.sleep(0.3)
        except httpx.HTTPError:
            return False  # somebody answers who speaks no plain HTTP
    return False


def first_start_tells_its_secrets(target: Target) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        more = {
            "LOKET_HTTP": f"127.0.0.1:{hostile.free_port()}",
            "LOKET_SSH": f"127.0.0.1:{hostile.free_port()}",
        }
        log = Path(folder) / "log"
        with log.open("wb") as out:
            server = subprocess.Popen(
                [sys.executable, "-m", "server"], cwd=target.checkout,
                env=environment(target.checkout, Path(folder) / "home", **more),
                stdout=out, stderr=out, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            port = int(more["LOKET_HTTP"].rpartition(":")[2])
            _answers_plainly(port, server)
            server.terminate()
            server.wait()
        return b"AGE-SECRET-KEY" in log.read_bytes()


def public_key_signs_in(target: Target) -> bool:
    key = Ed25519PrivateKey.generate().public_key()
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    file = target.home / "key.pub"
    file.write_text(f"{line} admin@meja\n")
    ways = (("account", "key", "admin", str(file)), ("account", "key", "add", "admin", str(file)))
    assert any(target.command(*way).returncode == 0 for way in ways)
    secret = (target.home / "door.token").read_text().strip()
    answer = httpx.post(
        f"{target.url}/api/v1/door/tokens", json={"username": "admin", "public_key": line},
        headers={"Authorization": f"Bearer {secret}"}, timeout=30,
    )  # fmt: skip
    return answer.status_code == 201


def office_page_is_open(target: Target) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        port = hostile.free_port()
        server = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "office"], cwd=target.checkout,
            env=environment(target.checkout, Path(folder) / "home", LOKET_HTTP=f"127.0.0.1:{port}", LOKET_OFFICE_HTTP=f"127.0.0.1:{port}"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and server.poll() is None:
                with contextlib.suppress(httpx.HTTPError):
                    status = httpx.get(f"http://127.0.0.1:{port}/", timeout=5).status_code
                    assert status in {200, 401}, status
                    return status == 200
                time.sleep(0.3)
            raise RuntimeError("the office did not start")
        finally:
            server.terminate()
            server.wait()


def letter_destroys_the_register(target: Target) -> bool:
    return target["clerk"].register(patient=patient(name="N a\ufffeb")).is_success


def _jkn(target: Target) -> httpx.Client:
    client = httpx.Client(base_url=target.url, timeout=30)
    signed_in = client.get("/auth", headers={"x-username": "bpjs", "x-password": JKN_PASSWORD}).json()
    client.headers.update({"x-token": signed_in["response"]["token"], "x-username": "bpjs"})
    return client


def mobile_jkn_breaks(target: Target) -> bool:
    client = _jkn(target)
    body = {
        "nomorkartu": "0000000000017", "nik": "6371011708900001", "kodepoli": "002",
        "tanggalperiksa": time.strftime("%Y-%m-%d"), "keluhan": "sakit\x1b gigi",
    }  # fmt: skip
    broken = client.post("/antrean", json=body).status_code >= 500
    with contextlib.suppress(httpx.ReadError):  # cut off: it was not read to its end
        deep = client.post("/antrean", content=b"[" * 100_000, headers={"Content-Type": "application/json"})
        broken = broken or deep.status_code >= 500
    return broken


def strangers_shut_mobile_jkn_out(target: Target) -> bool:
    with httpx.Client(
        base_url=target.url, transport=httpx.HTTPTransport(local_address=STRANGER), timeout=60
    ) as guesser:
        for _ in range(6):
            guesser.get("/auth", headers={"x-username": "bpjs", "x-password": "salah"})
    answer = httpx.get(
        f"{target.url}/auth", headers={"x-username": "bpjs", "x-password": JKN_PASSWORD}, timeout=60
    )
    return "response" not in answer.json()


def letter_holds_commands(target: Target) -> bool:
    visit = target.visit()["visit_id"]
    taken = []
    for kind in target["doctor"].get("letters").json():
        for each in kind["fields"]:
            if each.get("type") == "text":
                body = {"kind": kind["kind"], "answers": {each["name"]: "\x1b]52;c;QQ==\x07"}}
                answer = target["doctor"].post(f"visits/{visit}/letters", json=body)
                taken.append(answer.is_success or "control_characters" not in answer.text)
    return any(taken)


def origin_is_believed(target: Target) -> bool:
    head = {"X-Loket-Origin": "ssh 10.9.9.9 admin"}
    target["clerk"].get("patients", params={"q": "siti"}, headers=head).raise_for_status()
    return "10.9.9.9" in target["admin"].get("audit", params={"limit": 50}).text


def dot_breaks_the_glass(target: Target) -> bool:
    visit = target.visit()["visit_id"]
    return SECRET in target["lab"].get(f"visits/{visit}", params={"reason": "."}).text


def version_tells(target: Target) -> bool:
    receipt = target.visit()
    answer = target["display"].act(receipt["ticket"]["id"], "finish", expected_version=999)
    return answer.status_code == 409


def drafts_fill_the_disk(target: Target) -> bool:
    text = base64.b64encode(os.urandom(40_000)).decode()
    taken = [target["display"].put(f"drafts/k{number}", json={"data": {"a": text}}) for number in range(60)]
    return all(answer.is_success for answer in taken)


def no_list_of_sessions(target: Target) -> bool:
    return target["admin"].get("accounts/clerk/sessions").status_code == 404


def door_has_all_secrets(target: Target) -> bool:
    threads = Path(f"/proc/{target.server.pid}/task").iterdir()
    children = [child for thread in threads for child in (thread / "children").read_text().split()]
    doors = [child for child in children if b"door" in Path(f"/proc/{child}/cmdline").read_bytes()]
    assert doors
    return any(JKN_PASSWORD.encode() in Path(f"/proc/{door}/environ").read_bytes() for door in doors)


def weak_curve_is_offered(target: Target) -> bool:
    async def connected() -> bool:
        try:
            async with asyncssh.connect(
                "127.0.0.1", target.ssh, username="lab", password="demo", known_hosts=None, client_keys=None,
                agent_path=None, config=None, kex_algs=["ecdh-sha2-nistp256"],
            ):  # fmt: skip
                return True
        except (asyncssh.Error, OSError):
            return False

    return asyncio.run(connected())


Attack = Callable[[Target], bool]
ATTACKS: dict[str, tuple[str, Attack]] = {
    "A1": ("an addendum answers with another's note", addendum_shows_the_note),
    "A2": ("a note in a cluster that the visit never had", anybody_writes_by_naming_a_cluster),
    "A3a": ("after 48 hours: a note by another cluster's name", lock_passed_by_another_cluster),
    "A3b": ("after 48 hours: another's diagnosis struck", lock_passed_by_striking),
    "A3c": ("after 48 hours: a result overwritten", lock_passed_by_a_result),
    "A4": ("a dismissed person's open screen shows newcomers", dismissed_keeps_watching),
    "B5": ("wrong passwords leave no trace", guesses_leave_no_trace),
    "B6": ("'password' is a password", weak_password_is_taken),
    "B7": ("a hundred cards read without a row", reads_leave_no_row),
    "B7 feed": ("the feed from 0 tells a pharmacist complaints", feed_tells_all),
    "B9": ("plain HTTP beyond loopback, unasked", plain_http_beyond_loopback),
    "B10": ("a public key and the door's token sign in as admin", public_key_signs_in),
    "B11": ("the office's page without a password", office_page_is_open),
    "B12": ("a name with U+FFFE, which no workbook can hold", letter_destroys_the_register),
    "C1": ("Mobile JKN: a control character or 100,000 brackets answer 500", mobile_jkn_breaks),
    "C2": ("a letter with terminal commands", letter_holds_commands),
    "C3": ("anybody says where they sit", origin_is_believed),
    "C4": ("'.' opens a stranger's note to the laboratory", dot_breaks_the_glass),
    "C5": ("a wrong version tells the display about an entry", version_tells),
    "C6": ("the display fills the disk with drafts", drafts_fill_the_disk),
    "C7": ("no list of sign-ins to end", no_list_of_sessions),
    "C9": ("the first start prints the recovery key into the log", first_start_tells_its_secrets),
    "C10": ("the door's process has BPJS's password", door_has_all_secrets),
    "C13": ("SSH by a curve of NIST's", weak_curve_is_offered),
    "B4": ("a stranger's guesses lock the owner out", owner_is_locked_out),
    "B4 JKN": ("a stranger's guesses shut Mobile JKN out", strangers_shut_mobile_jkn_out),
    "B8": ("ten rows of the log cut off, and it is called whole", cut_log_is_called_whole),
    "B8 record": ("a note changed in the database, and nothing says so", record_changes_unseen),
}
"""Number -> what it does, and the attack; those that break the log come last."""


def tried(checkout: Path, numbers: list[str]) -> dict[str, str]:
    """Return number -> `got through`, `held`, or why it could not be tried."""
    found = {}
    with clinic(checkout) as target:
        for number in numbers:
            try:
                found[number] = "got through" if ATTACKS[number][1](target) else "held"
            except Exception as error:  # one attack that an older clinic answers otherwise stops no other
                found[number] = f"{type(error).__name__}: {error}"[:60]
    return found


def main() -> None:
    """Try the attacks on each commit and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--beside", type=Path, nargs="*", default=[])
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    numbers = [number for number in ATTACKS if not options.only or number in options.only]
    checkouts = [*(folder.resolve() for folder in options.beside), HERE]
    results = [tried(checkout, numbers) for checkout in checkouts]
    print(f"{'':10} {'attack':66} " + " ".join(f"{hostile.commit_of(each):12}" for each in checkouts))
    for number in numbers:
        print(f"{number:10} {ATTACKS[number][0]:66} " + " ".join(f"{found[number]:12}" for found in results))


if __name__ == "__main__":
    main()
