"""The main job over a real ssh client: register, confirm, appear in the pane, call, finish."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.terminals import ROOT, DemoClinic, Terminal
from tests.loket_command import loket
from tests.people import Caller
from tests.ports import free_port

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")
TO_COMPLAINT = "<Tab>" * 13  # from NIK to the complaint, past every optional field


def entries(clinic: DemoClinic, cluster: str) -> list[dict[str, object]]:
    with Caller(clinic.url, "clerk") as clerk:
        return [
            entry
            for entry in clerk.get(f"queues/{cluster}").json()["entries"]
            if entry["status"] != "cancelled"
        ]


def new_patient(clerk: Terminal, name: str, nik: str, complaint: str) -> None:
    clerk.wait_for("Registration", "Search")
    clerk.press(f"{name}<F2>")
    clerk.wait_for("New patient", name)
    # One packet, as a slow line delivers it.
    clerk.press(f"{nik}{TO_COMPLAINT}{complaint}")
    clerk.wait_for(complaint)


def test_the_main_job(clinic: DemoClinic) -> None:
    with clinic.sign_in("clerk") as clerk, clinic.sign_in("dentist") as dentist:
        dentist.wait_for("Poli Gigi", "nobody waits")
        new_patient(clerk, "Ana Mendoza", "6371015708900002", "sakit gigi geraham")
        clerk.wait_for("17-08-1990", "Female")
        clerk.press("<F10>")
        clerk.wait_for("Confirm before saving", "Poli Gigi", "geraham")
        clerk.press("<Enter>")
        clerk.wait_for("Saved", "B-001", "Poli Gigi")
        # The dentist has pressed nothing.
        dentist.wait_for("B-001", "Ana Mendoza")
        clerk.press("<Enter>")
        clerk.wait_for("Registration", "Search")
        # A returning patient, for another complaint.
        clerk.press("ana mendoza<Enter>")
        clerk.wait_for("Complaint", "Ana Mendoza")
        clerk.press("batuk pilek")
        clerk.wait_for("Poli Umum")
        clerk.press("<F10>")
        clerk.wait_for("Confirm before saving", "Poli Umum")
        clerk.press("<Enter>")
        clerk.wait_for("Saved", "A-001")
        # Call, open, record, finish.
        dentist.press("n")
        dentist.wait_for("B-001", "CALLED")
        dentist.press("<Enter>")
        dentist.wait_for("Record", "Ana Mendoza", "sakit gigi geraham")
        dentist.press("120<Tab>80<F7>")
        dentist.wait_for("Diagnosis (ICD-10)")
        dentist.press("dental caries<Enter>")
        dentist.wait_for("K02.9")
        dentist.press("<F10>")
        dentist.wait_for("How does the visit go on?")
        dentist.press("p")
        dentist.wait_for("My queue", "nobody waits")
    (done,) = entries(clinic, "GIGI")
    assert done["status"] == "done"
    with Caller(clinic.url, "dentist") as dentist_again:
        visit = dentist_again.get(f"visits/{done['visit_id']}").json()
    assert visit["encounters"][0]["vitals"] == {"systolic": 120, "diastolic": 80}
    assert [diagnosis["code"] for diagnosis in visit["diagnoses"]] == ["K02.9"]
    assert visit["disposition"] == "home"


def test_enter_through_everything_never_saves_a_wrong_cluster(clinic: DemoClinic) -> None:
    with clinic.sign_in("clerk") as clerk:
        new_patient(clerk, "Budi Santosa", "6371011708950009", "sakit gigi geraham")
        # Poli Umum chosen against the rules: complaint, payer, pregnant, disability, cluster.
        clerk.press("<Tab><Tab><Tab><Tab>a")
        clerk.wait_for("Poli Umum")
        clerk.press("<Enter>" * 8)
        # None that was pressed before the question was in view agrees to it.
        clerk.wait_for("Confirm before saving", "Enter came before this question")
        assert entries(clinic, "GIGI") == entries(clinic, "UMUM") == []
        for _ in range(4):
            clerk.press("<Enter>")
        # Through the confirmation and the receipt; the ones too many open nobody from the empty box.
        clerk.wait_for("Registration", "Last patients")
        assert len(entries(clinic, "GIGI")) == 1
        assert entries(clinic, "UMUM") == []


def test_enter_through_everything_saves_nothing_while_the_words_say_too_little(clinic: DemoClinic) -> None:
    with clinic.sign_in("clerk") as clerk:
        new_patient(clerk, "Budi Santosa", "6371011708950009", "sakit")
        for _ in range(12):
            clerk.press("<Enter>")
        clerk.press("<F10>")
        clerk.wait_for("Confirm before saving")
        for _ in range(6):
            clerk.press("<Enter>")
        clerk.wait_for("Confirm before saving")
        with Caller(clinic.url, "clerk") as caller:
            assert all(cluster["waiting"] == 0 for cluster in caller.get("clusters").json())


def test_a_broken_line_brings_the_half_typed_form_back(clinic: DemoClinic) -> None:
    clerk = clinic.sign_in("clerk")
    new_patient(clerk, "Citra Lestari", "6371015708900002", "gusi beng")
    clerk.cut()
    with clinic.sign_in("clerk", columns=100, rows=30) as again:
        again.wait_for("New patient", "Citra Lestari", "gusi beng")
        again.press("kak<F10>")
        again.wait_for("Confirm before saving", "gusi bengkak")
        again.press("<Enter>")
        again.wait_for("Saved", "B-001")
    assert len(entries(clinic, "GIGI")) == 1


def test_the_visit_reaches_the_office_once(clinic: DemoClinic, tmp_path: Path) -> None:
    with Caller(clinic.url, "clerk") as clerk, Caller(clinic.url, "dentist") as dentist:
        clerk.registered()
        entry = dentist.post("queues/GIGI/call-next", json={}).json()
        dentist.act(entry["id"], "start")
        dentist.post(f"visits/{entry['visit_id']}/diagnoses", json={"code": "K02.9"})
        dentist.act(entry["id"], "finish", disposition="home")
    office_home, port = tmp_path / "office", free_port()
    at_office = {**os.environ, "LOKET_HOME": str(office_home), "LOKET_OFFICE_HTTP": f"127.0.0.1:{port}"}
    added = loket("office", "--add-clinic", "P6371010101", "--name", "Puskesmas Loket", environment=at_office)
    token = added.stdout.strip()
    at_clinic = {
        **clinic.environment,
        "LOKET_OFFICE_URL": f"http://127.0.0.1:{port}/fhir",
        "LOKET_OFFICE_TOKEN": token,
    }

    def sync() -> dict[str, object]:
        return dict(json.loads(loket("sync", "now", "--json", environment=at_clinic).stdout))

    # The office is down: everything stays, and the reason is visible.
    assert sync()["error"]
    waiting = json.loads(loket("sync", "status", "--json", environment=at_clinic).stdout)
    assert waiting["pending"] > 0
    assert waiting["last_error"]
    serve = [sys.executable, "-m", "server.cli", "office"]
    office = subprocess.Popen(serve, env=at_office, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        first = sync()
        for _ in range(100):
            if not first["error"]:
                break
            first = sync()
        second = sync()
    finally:
        office.terminate()
        office.wait()
    assert first["sent"] == waiting["pending"]
    assert first["manifest_agrees"] is True
    assert second["sent"] == 0
    assert second["manifest_agrees"] is True
