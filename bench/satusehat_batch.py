"""A day with everything at SATUSEHAT's stand-in, measured in bytes, time and memory; run by `bench.sync --satusehat`."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from core.exchange.fhir.systems import ICD10
from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, OrderStatus
from core.foundation.database import connection, database, transaction
from core.foundation.identifiers import new_id
from core.models import (
    Account,
    Encounter,
    Letter,
    MedicineCode,
    OfficialDisplay,
    Order,
    Prescription,
    Procedure,
    Visit,
)
from tests.core.days import CODES, Days, open_clinic
from tests.server.satusehat import CLIENT, ORGANIZATION, SECRET, Satusehat, official_icd10

ROOT = Path(__file__).parents[1]
DAY = date(2026, 3, 2)
DOCTOR_NIK = "6371010101700001"
PRODUCT = "93900004"
VITALS = {
    "systolic": 150, "diastolic": 95, "pulse": 88, "respiration": 18, "temperature": 37.2, "oxygen_saturation": 98,
    "weight": 61.5, "height": 158, "waist": 84, "arm_circumference": 26, "head_circumference": 55, "glucose": 130,
}  # fmt: skip
TESTS = (("Hemoglobin", "718-7", "12,5", "g/dL"), ("Kolesterol total", "2093-3", "180", "mg/dL"))
FACILITY = frozenset({"Organization", "Location"})
"""Types that are sent once, not for a visit."""
ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|P\d{11}|N\d{8}")
"""Ids of the clinic's rows, of places in a Bundle, and of what SATUSEHAT made."""


class Recording(Satusehat):
    """The stand-in, which keeps what was sent to it."""

    def __init__(self) -> None:
        super().__init__(per_minute=10**9, now=datetime(2026, 3, 3, tzinfo=UTC))
        self.bodies: list[bytes] = []

    def serve(self, http: Any, body: bytes) -> None:
        """Keep the body of a resource, then answer."""
        if http.command in {"POST", "PUT"} and "/fhir-r4/" in http.path:
            self.bodies.append(body)
        super().serve(http, body)


def settings_of(ministry: Recording) -> dict[str, str]:
    """Return the settings of the sender, by variable."""
    return {
        "LOKET_SYNC_TARGET": "satusehat", "LOKET_SATUSEHAT_URL": ministry.url, "LOKET_SATUSEHAT_CLIENT_ID": CLIENT,
        "LOKET_SATUSEHAT_CLIENT_SECRET": SECRET, "LOKET_SATUSEHAT_ORGANIZATION": ORGANIZATION,
        "LOKET_SATUSEHAT_PER_MINUTE": "6000", "LOKET_CLOSE_AT": "23:59",
    }  # fmt: skip


def prepare(clinic: Clinic, ministry: Recording) -> Days:
    """Import what the clinic needs: titles of diagnoses, a product, who serves."""
    days = Days(clinic)
    Account.update(practitioner_nik=DOCTOR_NIK).where(Account.id == days.account.id).execute()
    ministry.practitioners[DOCTOR_NIK] = "N10000001"
    OfficialDisplay.insert_many(
        {
            "system": ICD10, "code": code, "display": official_icd10(code), "source": "x",
            "imported_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
        for code in sorted({code for listed in CODES.values() for code in listed})
    ).execute()  # fmt: skip
    MedicineCode.create(
        code=PRODUCT, name="Amlodipine Besylate 5 mg Tablet", brand="CONTOH", ingredients=["amlodipin"], form="Tablet",
        form_code="BS066",
    )  # fmt: skip
    ministry.products[PRODUCT] = "Amlodipine Besylate 5 mg Tablet (CONTOH)"
    return days


def fill(days: Days, count: int) -> None:
    """Write visits that hold everything."""
    with transaction():
        Prescription.delete().execute()
        people = [
            days.patient(nik=f"6371019{days.seed * 10_000_000 + days._serial + 1:09d}", rt="001", rw="002")
            for _ in range(count)
        ]
        for patient in people:
            everything(
                days,
                days.visit(
                    DAY, patient, cluster="UMUM", codes=["J06.9", "I10"], disposition=Disposition.REFERRED
                ),
            )


def everything(days: Days, visit: Visit) -> None:
    """Write all that a visit can hold beside its diagnoses."""
    contact = Encounter.get(Encounter.visit == visit.id)
    at, who = contact.entered_at, days.account
    form = {"bpjs": {"consciousness": "01", "prognosis": "02"}}
    Encounter.update(vitals=VITALS, form=form, plan="obat rutin; kontrol 7 hari lagi").where(
        Encounter.id == contact.id
    ).execute()
    shared = {"visit": visit, "encounter": contact}
    Prescription.delete().where(Prescription.visit == visit.id).execute()
    Order.delete().where(Order.visit == visit.id).execute()
    Prescription.create(
        id=new_id(), **shared, medicine="Amlodipin 5 mg tablet", dose="1 tablet", frequency="1x sehari", amount="30 tablet",
        status=OrderStatus.COMPLETED, prescribed_at=at, prescribed_by=who, dispensed_at=at + timedelta(minutes=5),
        dispensed_by=who, dispensed_amount="30 tablet",
    )  # fmt: skip
    for test, code, result, unit in TESTS:
        Order.create(
            id=new_id(), **shared, test=test, code=code, status=OrderStatus.COMPLETED, ordered_at=at, ordered_by=who,
            result=result, unit=unit, resulted_at=at + timedelta(minutes=5), resulted_by=who,
        )  # fmt: skip
    Procedure.create(
        id=new_id(),
        **shared,
        code="93.94",
        title="Nebulizer",
        is_local=False,
        performed_at=at,
        performed_by=who,
    )
    Letter.create(
        id=new_id(), **shared, kind="referral", year=2026, sequence=Letter.select().count() + 1, number=new_id()[:36],
        data={"hospital": "RSUD Contoh", "department": "Penyakit Dalam", "reason": "krisis hipertensi"}, text="x",
        issued_at=at, issued_by=who,
    )  # fmt: skip


def send(home: Path, ministry: Recording) -> tuple[dict[str, Any], float, float]:
    """Run the sender as a process of its own; return its outcome, seconds, and largest resident size in MiB."""
    environment = {**os.environ, "LOKET_HOME": str(home), **settings_of(ministry)}
    began = time.perf_counter()
    sender = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "sync", "now", "--json"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    peak = 0.0
    while sender.poll() is None:
        try:
            lines = Path(f"/proc/{sender.pid}/status").read_text().splitlines()
        except OSError:
            break
        peak = max([peak, *(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))])
        time.sleep(0.05)
    outcome: dict[str, Any] = json.loads(sender.communicate()[0])
    return outcome, time.perf_counter() - began, peak


def measure(visits: int) -> None:
    """Print the figures of two days, one with a quarter of the visits.

    Args:
        visits: Visits of the larger day.
    """
    for count in (max(1, visits // 4), visits):
        ministry = Recording()
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "clinic"
            clinic = open_clinic(home)
            with connection():
                fill(prepare(clinic, ministry), count)
            database.close()
            outcome, seconds, peak = send(home, ministry)
            again, _seconds, bare = send(home, ministry)
            report(count, ministry, outcome, seconds)
            print(
                f"  sender's memory: peak {peak:.0f} MiB, with nothing to send {bare:.0f} MiB; second run sent {again['sent']}"
            )
        ministry.stop()


def resources(bodies: list[bytes]) -> list[bytes]:
    """Return each resource that was sent, those in a Bundle apart; sorted, the alike stand together as in a day's batch."""
    found = []
    for body in bodies:
        document = json.loads(body)
        entries = document.get("entry") if document["resourceType"] == "Bundle" else [{"resource": document}]
        found += [entry["resource"] for entry in entries if entry["resource"]["resourceType"] not in FACILITY]
    # The type, then what it is about, first: gzip looks back 32 KiB, less than one visit.
    order = ("resourceType", "code", "category", "vaccineCode")
    return [
        json.dumps(
            {name: item[name] for name in (*order, *item) if name in item}, ensure_ascii=False
        ).encode()
        for item in found
    ]


def report(count: int, ministry: Recording, outcome: dict[str, Any], seconds: float) -> None:
    """Print what one day cost.

    Args:
        count: Its visits.
        ministry: What was sent.
        outcome: The sender's own figures.
        seconds: Of the sending.
    """
    batch = b"\n".join(sorted(resources(ministry.bodies)))
    whole, content = len(gzip.compress(batch, 9)), len(gzip.compress(ID.sub(b"x", batch), 9))
    kinds = {kind: len(held) / count for kind, held in ministry.resources.items() if held}
    print(
        f"visits {count}  refused {outcome['refused']}  error {outcome['error']}  seconds {seconds:.1f}  "
        f"visits/s {count / seconds:.1f}  load {os.getloadavg()[0]:.1f}"
    )
    print(
        f"  bytes/visit: plain {len(batch) / count:.0f}, the day's batch gzipped {whole / count:.0f} "
        f"(content {content / count:.0f}, ids {(whole - content) / count:.0f})"
    )
    print("  resources/visit: " + ", ".join(f"{kind} {number:.1f}" for kind, number in sorted(kinds.items())))
