"""Registration by `ssh -T`, by a pipe and by a dumb terminal, through the real door and server."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.line_terminals import line_terminal, piped
from tests.e2e.terminals import PATIENCE_SECONDS, ROOT, DemoClinic
from tests.people import Caller

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")
NO_MORE = [""] * 5  # BPJS, family card, mother, phone, address
NIK = "6371015708900002"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Iterator[DemoClinic]:
    home = tmp_path_factory.mktemp("clinic") / "home"
    shutil.copytree(demo_home, home)
    with DemoClinic(home) as running:
        yield running


def names(clinic: DemoClinic, cluster: str) -> list[str]:
    with Caller(clinic.url, "clerk") as clerk:
        return [entry["patient"]["name"] for entry in clerk.get(f"queues/{cluster}").json()["entries"]]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_answers_from_a_file(clinic: DemoClinic) -> None:
    done = piped(clinic, "clerk", NIK, "Ana Mendoza", *NO_MORE, "sakit gigi geraham", "", "")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Ana Mendoza, F, 36 yr (17-08-1990), new patient" in done.stdout
    assert "SAVED: B-" in done.stdout
    assert names(clinic, "GIGI").count("Ana Mendoza") == 1


def test_a_file_that_ends_too_early_says_so_and_saves_nothing(clinic: DemoClinic) -> None:
    done = piped(clinic, "clerk", "6371011203810044", "Bambang Surya", *NO_MORE, "batuk pilek")
    assert done.returncode == 1
    assert "SAVED" not in done.stdout
    with line_terminal(clinic, "clerk") as clerk:
        clerk.hears("left unfinished: Bambang Surya")
        clerk.answers("<<", "q")  # at the search: nothing to cancel


def test_the_main_job_line_by_line(clinic: DemoClinic) -> None:
    with line_terminal(clinic, "clerk") as clerk, line_terminal(clinic, "midwife") as midwife:
        midwife.hears("waiting")
        clerk.answers("6371015203950031", "Citra Lestari", *NO_MORE, "kontrol hamil", "preg")
        clerk.hears("Proposed: C")
        clerk.answers("")
        clerk.hears("SAVED: C-001 ")
        midwife.answers("n")
        midwife.hears("C-001, CALLED, pregnant, Citra Lestari, 31 yr, kontrol hamil")
        midwife.answers("d", "1")
        midwife.hears("Record HOME for Citra Lestari?")  # nothing is written in the record yet
        midwife.answers("y")
        midwife.hears("Done: C-001")
        clerk.answers("q")
        assert clerk.process.wait(30) == 0


def test_a_dumb_terminal_is_echoed(clinic: DemoClinic) -> None:
    with line_terminal(clinic, "clerk", "-tt") as clerk:
        clerk.hears("Search (? help):")
        clerk.types("+\r")
        clerk.hears("NIK:")
        clerk.types("63710\x7f\r")
        heard = clerk.hears("count them again")
        assert "6371" in heard
        assert "\x1b" not in clerk.text
        clerk.types("<<\rq\r")
        assert clerk.process.wait(30) == 0


def forget_forms(clinic: DemoClinic) -> None:
    """Throw away what other tests have left unfinished: the only form is opened without a question."""
    with Caller(clinic.url, "clerk") as clerk:
        for kept in clerk.get("drafts", params={"kind": "registration"}).json():
            assert clerk.delete(f"drafts/{kept['key']}").is_success


def test_a_line_cut_while_typing_keeps_what_was_typed(clinic: DemoClinic) -> None:
    forget_forms(clinic)
    with line_terminal(clinic, "clerk") as clerk:
        clerk.answers("6371014506880051", "Dahlia Kusuma", "", "", "Sri Wahyuni")
        clerk.hears("Phone:")
        clerk.cut()
    with line_terminal(clinic, "clerk") as clerk:
        clerk.hears("unfinished: Dahlia Kusuma")
        clerk.answers("d")
        clerk.hears("Mother: Sri Wahyuni")
        clerk.answers("", "", "sakit gigi", "", "")
        clerk.hears("SAVED: B-")
        clerk.answers("q")
        clerk.process.wait(30)
    assert names(clinic, "GIGI").count("Dahlia Kusuma") == 1


def test_a_line_cut_during_the_save_makes_exactly_one_ticket(clinic: DemoClinic) -> None:
    """The server stands still while the save is on its way; the person is gone when the answer comes."""
    forget_forms(clinic)
    with line_terminal(clinic, "clerk", "-tt") as clerk:
        clerk.answers("6371014207790061", "Endah Palupi", *NO_MORE, "sakit gigi", "")
        clerk.hears("SAVE TO Poli Gigi: ")
        os.kill(clinic.process.pid, signal.SIGSTOP)
        try:
            clerk.types("\n")
            clerk.hears("\n")  # the door has the answer
            clerk.cut()
        finally:
            os.kill(clinic.process.pid, signal.SIGCONT)
    until(lambda: "Endah Palupi" in names(clinic, "GIGI"))
    with line_terminal(clinic, "clerk") as clerk:
        clerk.hears("unfinished: Endah Palupi")
        clerk.answers("d")
        clerk.hears("SAVED: B-")
        clerk.answers("q")
        clerk.process.wait(30)
    assert names(clinic, "GIGI").count("Endah Palupi") == 1
    done = piped(clinic, "clerk", "q")
    assert "Endah" not in done.stdout


def test_a_dialogue_leaves_nothing_of_a_patient_in_the_log(clinic: DemoClinic) -> None:
    piped(clinic, "clerk", "6371015811770071", "Fitri Rahasia", *NO_MORE, "keluhan rahasia", "")
    log = (clinic.home.parent / "server.log").read_text()
    assert "Rahasia" not in log
    assert "6371015811770071" not in log


def test_rights_are_the_same(clinic: DemoClinic) -> None:
    done = piped(clinic, "display", "", "q")
    assert done.returncode == 0
    assert "Poli Gigi:" in done.stdout
    assert "Mendoza" not in done.stdout
    done = piped(clinic, "dentist", NIK)
    assert "no command here" in done.stdout


def test_the_same_on_this_machine_over_http(clinic: DemoClinic) -> None:
    """`python -m tui --lines < answers`: the password comes first."""

    def run(*answers: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tui", "--server", clinic.url, "--lines", "--username", "clerk"]
        text = "".join(f"{answer}\n" for answer in answers)
        return subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT, timeout=60)

    done = run("demo", "6371015311840088", "Gita Puspa", *NO_MORE, "sakit gigi", "", "")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "TERSIMPAN: B-" in done.stdout
    assert names(clinic, "GIGI").count("Gita Puspa") == 1
    done = run("demo", "6371015411840089", "Hana Sari")
    assert done.returncode == 1
    done = run("wrong", "6371015411840089")
    assert done.returncode == 1
    assert "salah" in done.stderr
    assert done.stdout == ""


def test_a_record_outside_the_queue_opens_for_a_reason_of_the_list_and_words(clinic: DemoClinic) -> None:
    with Caller(clinic.url, "clerk") as clerk:
        receipt = clerk.registered(cluster="UMUM", override_reason="contoh")
        name = clerk.get(f"patients/{receipt['patient_id']}").json()["name"]
    with Caller(clinic.url, "doctor") as doctor:
        assert doctor.act(receipt["ticket"]["id"], "start").is_success
        note = {"subjective": "RAHASIA sejak kemarin"}
        assert doctor.put(f"visits/{receipt['visit_id']}/encounter", json=note).is_success
    with line_terminal(clinic, "midwife", "-tt") as midwife:
        for reason, words in (
            ("", None),
            ("9", None),
            ("4", "ya"),
        ):  # none, none of the list, too few letters
            midwife.answers("b", name, "1")
            midwife.hears("Why do you open this record?")
            midwife.hears("7 Another reason")
            midwife.answers(reason)
            if words is not None:
                midwife.answers(words)
            midwife.hears("Not opened.")
        midwife.answers("b", name, "1")
        midwife.hears("4 Asked by the patient")
        midwife.answers("4", "menelepon minta hasil")
        midwife.answers("1")
        midwife.hears("RAHASIA sejak kemarin")
        midwife.answers("", "q")
        assert midwife.text.count("RAHASIA") == 1
    with Caller(clinic.url, "supervisor") as supervisor:
        glass = supervisor.get("break-glass").json()
    opened = {
        (row["username"], row["code"], row["reason"])
        for row in glass
        if row["patient_id"] == receipt["patient_id"]
    }
    assert opened == {("midwife", "patient", "menelepon minta hasil")}
