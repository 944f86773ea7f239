"""The loket command as the admin types it: sentences for people, JSON for scripts, one line for a failure."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import typer

from core.daily.reports.registry import REPORTS
from core.foundation.config import Settings
from server import cli
from server.run import Background
from tests import loket_command
from tests.people import Caller


class Command:
    """`loket` with a clinic's own data folder."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(
        self, *arguments: object, language: str | None = "en", typed: str = ""
    ) -> tuple[int, str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
        environment |= {"LOKET_HOME": str(self.home), "COLUMNS": "80"}
        if language is not None:
            environment["LOKET_LANGUAGE"] = language
        done = loket_command.loket(*arguments, environment=environment, folder=self.home.parent, typed=typed)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr

    def __getattr__(self, name: str) -> Path:
        return self.home.parent / name


@pytest.fixture
def loket(settings: Settings) -> Command:
    """A demo clinic that was stopped, with one registration today."""
    with Background(settings) as server, Caller(server.url, "clerk") as clerk:
        clerk.registered()
    command = Command(settings.home)
    (settings.home / "recovery.pub").unlink(missing_ok=True)
    code, secret, _ = command("backup", "key")
    assert code == 0
    command.key.write_text(secret)
    return command


def test_a_backup_is_told_in_sentences_and_restores_a_fresh_machine(loket: Command, tmp_path: Path) -> None:
    code, said, _ = loket("backup", "now")
    assert code == 0
    assert "61 patients" in said
    assert "found equal" in said
    [made] = json.loads(loket("backup", "list", "--json")[1])
    code, said, _ = loket("backup", "list", language="id")
    assert "pasien" in said
    assert made["path"] in said
    assert loket("backup", "verify", made["path"], "--key", loket.key)[0] == 0
    fresh = Command(tmp_path / "fresh")
    code, said, _ = fresh("restore", made["path"], "--key", loket.key, typed="n\n")
    assert code == 1
    assert "nothing will be lost" in said
    assert not (fresh.home / "loket.sqlite3").exists()
    code, said, _ = fresh(
        "restore", made["path"], "--key", loket.key, "--yes", "--because", "cakram lama rusak"
    )
    assert code == 0
    assert "Restored: 61 patients" in said
    assert "loket doctor" in said


def test_what_a_restore_refuses_is_a_sentence_and_changes_nothing(loket: Command) -> None:
    loket("backup", "now")
    [made] = json.loads(loket("backup", "list", "--json")[1])
    present = (loket.home / "loket.sqlite3").read_bytes()
    loket.other.write_text("AGE-SECRET-KEY-18648YA29UV888GSG8DXN3ZFFAC85XW6T35XQNW8ZTA3JXVKHL87S58FN98")
    loket.bad.write_bytes(Path(made["path"]).read_bytes()[:-40])
    for file, key, words in (
        (made["path"], loket.other, "does not open this backup"),
        (made["path"], loket.bad, "does not open this backup"),
        (made["path"], loket.nowhere, "no such file"),
        (loket.bad, loket.key, "damaged"),
        (loket.nowhere, loket.key, "no such file"),
    ):
        code, _, said = loket("restore", file, "--key", key, "--yes", "--because", "cakram lama rusak")
        assert code == 1
        assert words in said
        assert said.count("\n") == 1
    assert (loket.home / "loket.sqlite3").read_bytes() == present


def test_the_doctor_speaks_the_clinics_language_and_marks_what_is_wrong(loket: Command) -> None:
    (loket.home / "door.token").touch()
    (loket.home / "door.token").chmod(0o644)
    code, said, _ = loket("doctor")
    assert code == 1
    assert "!!  secrets" in said
    assert "chmod 600" in said
    (loket.home / "door.token").chmod(0o600)
    code, said, _ = loket("doctor", language="id")
    assert code == 0
    assert "Jalankan: loket backup now" in said
    levels = {row["subject"]: row["level"] for row in json.loads(loket("doctor", "--json")[1])}
    assert levels["database"] == "ok"


def test_synchronisation_is_told_in_sentences(loket: Command) -> None:
    code, said, _ = loket("sync", "status")
    assert code == 0
    assert "records wait" in said
    assert json.loads(loket("sync", "status", "--json")[1])["pending"] > 0
    code, said, _ = loket("sync", "now", language="id")
    assert code == 1
    assert "LOKET_OFFICE_URL" in said


def test_a_practitioners_nik_is_noted_and_shown_masked(loket: Command) -> None:
    def shown() -> str:
        rows = json.loads(loket("account", "list", "--json")[1])
        return next(str(row["nik"]) for row in rows if row["username"] == "doctor")

    assert shown() == ""
    assert loket("account", "nik", "doctor", "6371 0117 0880 0031")[0] == 0
    assert shown() == "637101..0031"
    assert loket("account", "nik", "doctor", "")[0] == 0
    assert shown() == ""


def test_reports_are_tables_json_and_files(loket: Command) -> None:
    code, said, _ = loket("report", "lb1")
    assert code == 0
    heads = next(line for line in said.splitlines() if line.startswith("ICD-10"))
    assert ">=70 th P" in heads  # a wide table stays whole
    document = json.loads(loket("report", "payers", "--json")[1])
    assert len(document["rows"][0]) == len(document["columns"])


def test_a_report_that_names_patients_is_released_by_another_person(
    loket: Command, settings: Settings
) -> None:
    written = loket.register.with_suffix(".csv")
    register = ("report", "daily-register")
    for arguments in ((), ("--json",), ("--output", written)):
        code, said, complained = loket(*register, *arguments)
        assert (code, said) == (1, "")
        assert '--because "why, in words"' in complained
    assert "five letters" in loket(*register, "--because", "ya")[2]
    code, said, _ = loket(*register, "--because", "rapat dinas")
    assert code == 1
    assert said.startswith("Asked.")
    assert "asked for already" in loket(*register, "--because", "rapat dinas")[2]
    with Background(settings) as server, Caller(server.url, "supervisor") as supervisor:
        [asked] = supervisor.get("approvals").json()
        assert (asked["kind"], asked["reason"]) == ("export", "rapat dinas")
        assert "loket command" in asked["detail"]["by"]
        assert supervisor.post(f"approvals/{asked['id']}/approve").status_code == 200
    assert loket(*register, "--output", written)[0] == 0
    assert written.stat().st_mode & 0o777 == 0o600
    assert written.read_text("utf-8-sig").startswith("No,Jam")
    assert loket(*register, "--because", "rapat dinas")[0] == 0  # released already
    assert loket(*register, "--day", "2026-01-31")[0] == 1  # another day is another file


def test_a_restore_needs_words_and_is_approved_afterwards(loket: Command, tmp_path: Path) -> None:
    loket("backup", "now")
    [made] = json.loads(loket("backup", "list", "--json")[1])
    command = ("restore", made["path"], "--key", loket.key)
    fresh = Command(tmp_path / "fresh")
    for arguments, typed in ((("--yes",), ""), ((), "y\nya\n"), (("--because", "ya"), "y\n")):
        code, _, complained = fresh(*command, *arguments, typed=typed)
        assert code == 1
        assert "in words" in complained
        assert not (fresh.home / "loket.sqlite3").exists()
    assert fresh(*command, typed="y\ncakram lama rusak\n")[0] == 0
    for _start in range(2):  # it is asked once, whatever the number of starts
        with (
            Background(Settings(home=fresh.home)) as server,
            Caller(server.url, "supervisor") as supervisor,
            Caller(server.url, "admin") as admin,
        ):
            [asked] = supervisor.get("approvals").json()
            assert (asked["kind"], asked["reason"], asked["outcome"]) == (
                "restore",
                "cakram lama rusak",
                None,
            )
            assert "loket command" in asked["detail"]["by"]
            restored = supervisor.get("audit", params={"action": "database_restored"}).json()
            assert [row["detail"]["reason"] for row in restored] == ["cakram lama rusak"]
            assert admin.post(f"approvals/{asked['id']}/approve").status_code == 403
    with Background(Settings(home=fresh.home)) as server, Caller(server.url, "supervisor") as supervisor:
        assert supervisor.post(f"approvals/{asked['id']}/approve").json()["outcome"] == "approved"


def test_the_help_names_every_report() -> None:
    report = typer.main.get_group(cli.composed()).commands["report"]
    context = report.make_context("report", [], resilient_parsing=True)
    usage = "".join(context.get_usage().split())  # without the breaks of its lines
    assert [name for name in REPORTS if name not in usage] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (None, ("Masukkan daftar pasien", "Opsi", "Jangan bertanya", "Tampilkan pesan ini", "[wajib]")),
        ("en", ("Take a patient list", "Options", "Do not ask", "Show this message", "[required]")),
    ],
)
def test_help_speaks_the_clinics_language(
    tmp_path: Path, language: str | None, words: tuple[str, ...]
) -> None:
    code, said, _ = Command(tmp_path / "home")("import", "patients", "--help", language=language)
    assert code == 0
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize(
    ("arguments", "typed", "words"),
    [
        (["backup", "key"], "", "a recovery key already"),
        (["report", "daily-register", "--day", "31-01-2026"], "", "2026-01-31"),
        (["report", "nonsense"], "", "There are: daily-register, lb1"),
        (["report", "lb1", "--output", "lb1.txt"], "", ".csv or .xlsx"),
        (["account", "nik", "clerk", "123"], "", "16 digits"),
        (["account", "disable", "nobody"], "", "no such account: nobody"),
        (["account", "add", "clerk", "clerk", "--password-stdin"], "longenough", "account of this name"),
        (["account", "add", "new", "clerk", "--password-stdin"], "short", "at least 10"),
        (
            ["account", "add", "new", "clinician", "--clusters", "X", "--password-stdin"],
            "longenough",
            "cluster: X",
        ),
        (["account", "key", "clerk", "/dev/null"], "", "OpenSSH"),
        (["account", "key", "clerk", "/nowhere"], "", "no such file"),
        (["import", "diagnoses", "/dev/null"], "", "columns"),
        (["import", "diagnoses", "/nowhere"], "", "file"),
    ],
)
def test_a_wrong_command_gets_one_line(loket: Command, arguments: list[str], typed: str, words: str) -> None:
    code, _, said = loket(*arguments, typed=typed)
    assert code == 1
    assert words in said
    assert said.startswith("loket: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("LOKET_HTTP=abc", "LOKET_HTTP: harus host:port"),
        ("LOKET_HTTP=127.0.0.1:99999", "LOKET_HTTP: paling besar 65535"),
        ("LOKET_CLOSE_AT=25:00", "LOKET_CLOSE_AT: harus jam"),
        ("LOKET_TIMEZONE=Mars", "LOKET_TIMEZONE: harus zona waktu"),
        ("LOKET_LANGUAGE=fr", "LOKET_LANGUAGE: harus id atau en"),
        ("LOKET_BACKUP_KEEP_DAILY=0", "LOKET_BACKUP_KEEP_DAILY: paling kecil 1"),
        ("LOKET_BACKUP_KEEP_DAILY=many", "LOKET_BACKUP_KEEP_DAILY: harus bilangan bulat"),
        ("LOKET_IDLE_LOCK_MINUTES=0", "LOKET_IDLE_LOCK_MINUTES: harus lebih dari 0"),
        ("LOKET_IDLE_LOCK_MINUTES=soon", "LOKET_IDLE_LOCK_MINUTES: harus angka"),
        ("LOKET_PRINT_TICKETS=maybe", "LOKET_PRINT_TICKETS: harus yes atau no"),
        ("LOKET_SATUSEHAT_EARLIEST=early", "LOKET_SATUSEHAT_EARLIEST: harus tanggal"),
        ("LOKET_SYNC_TARGET=moon", "LOKET_SYNC_TARGET: harus office atau satusehat"),
        ("LOKET_OFFICE_URL=office.example", "LOKET_OFFICE_URL: harus alamat web"),
        ("LOKET_SATUSEHAT_URL=http://a.example", "LOKET_SATUSEHAT_URL: harus diawali https://"),
        ("LOKET_PUBLIC_URL=a.example", "LOKET_PUBLIC_URL: harus alamat web"),
        ("LOKET_DATABASE_URL=mysql://a", "LOKET_DATABASE_URL: harus diawali sqlite:/// atau"),
        ("LOKET_BACKUP_COMMAND='rclone \"x'", "LOKET_BACKUP_COMMAND: ada tanda kutip tanpa penutup"),
        ("LOKET_OFFICE_TOKEN_FILE=/nowhere", "LOKET_OFFICE_TOKEN_FILE: /nowhere tidak dapat dibaca"),
        ("LOKET_SOMETHING=1", "LOKET_SOMETHING: pengaturan itu tidak ada"),
    ],
)
def test_every_wrong_setting_is_one_plain_line_in_indonesian(tmp_path: Path, line: str, words: str) -> None:
    loket = Command(tmp_path / "home")
    (tmp_path / ".env").write_text(f"{line}\n")
    code, _, said = loket("doctor", language=None)
    assert code == 2
    assert said.startswith(f"loket: {words}")
    assert said.count("\n") == 1


def test_a_wrong_setting_gets_one_line(loket: Command) -> None:
    (loket.home.parent / ".env").write_text("LOKET_CLOSE_AT=25:00\n")
    code, _, said = loket("doctor")
    assert code == 2
    assert "LOKET_CLOSE_AT: must be a time of day" in said
    assert said.count("\n") == 1


def test_a_vocabulary_is_checked_and_a_model_learnt_from_the_command_line(loket: Command) -> None:
    """A wrong file is told with its line; too few visits teach nothing, and say so."""
    assert loket("routing", "check") == (0, "ok\n", "")
    loket.words.write_text('[words]\ntooth = "kampil"\n\n[[rule]]\nid = "own.x"\nneeds = ["toth"]\n')
    code, said, _ = loket("routing", "check", loket.words)
    assert (code, f"{loket.words}:6: rule own.x: needs 'toth'" in said) == (1, True)
    code, said, _ = loket("routing", "learn")
    assert (code, said) == (0, "Visits: 1. Too few to judge by: 30 are needed. Not used.\n")


def test_the_routing_commands_speak_the_clinics_language(loket: Command) -> None:
    loket.words.write_text('[words]\ntoth = "kampil"\n')
    code, said, _ = loket("routing", "check", loket.words, language="id")
    assert code == 1
    assert "tidak dipakai oleh aturan mana pun; apakah maksudnya 'tooth'?" in said
    code, said, wrong = loket("routing", "explain", "kada sakit gigi", "--age", "30", language="id")
    assert (code, wrong) == (0, "")
    assert "kata          kada = tidak (persis)" in said
    assert "putusan       sesuai" in said
    code, said, _ = loket("routing", "learn", language="id")
    assert (code, said) == (0, "Kunjungan: 1. Terlalu sedikit untuk dinilai: perlu 30. Tidak dipakai.\n")


def test_other_words_are_tried_on_the_complaints_of_the_last_month(loket: Command) -> None:
    loket.words.write_text('[[rule]]\nid = "dental.tooth"\nkind = "general"\nneeds = ["tooth"]\n')
    code, said, wrong = loket("routing", "try", loket.words)
    assert (code, wrong) == (0, "")
    first, *changed = said.splitlines()
    assert first == "Visits of the last month: 1; answered otherwise: 1; dangers no longer seen: 0."
    assert "GIGI -> " in changed[0]
    loket.words.write_text('[words]\ntooth = "kampil"\n')
    code, said, _ = loket("routing", "try", loket.words, language="id")
    assert (code, said) == (
        0,
        "Kunjungan sebulan terakhir: 1; dijawab lain: 0; tanda bahaya yang tidak lagi terlihat: 0.\n",
    )


def test_a_complaint_is_explained_with_words_that_are_not_in_use_yet(loket: Command) -> None:
    loket.words.write_text('[words]\ntooth = "kampil"\n')
    asked = ("routing", "explain", "kampil", "--age", "30")
    assert "proposes  GIGI" not in loket(*asked)[1]
    assert "proposes  GIGI" in loket(*asked, "--with", loket.words)[1]
