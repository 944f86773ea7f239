"""The loket command: what the admin types.

Each command is a thin wrapper around one core function; `--json` prints what scripts read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import json
import os
import pwd
import sys
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import peewee
import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from core import accounts
from core.clinic import Clinic
from core.config import Settings
from core.database import connection, unusable
from core.errors import BackupError, CoreError, SettingsError, ValidationError
from core.vocabulary import Role, Sex
from server import command_help, text, words

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print local variables, and those hold patients
    help="Loket: the counter of a Puskesmas.",
)
sync_app = typer.Typer(no_args_is_help=True, help="Synchronisation with the City Health Office.")
backup_app = typer.Typer(no_args_is_help=True, help="Backups.")
account_app = typer.Typer(no_args_is_help=True, help="Accounts and their SSH keys.")
import_app = typer.Typer(no_args_is_help=True, help="Bring in lists: patients, ICD-10 codes.")
forms_app = typer.Typer(no_args_is_help=True, help="The specialised forms of the record.")
routing_app = typer.Typer(no_args_is_help=True, help="The words and rules that propose a cluster.")
for name, group in (
    ("sync", sync_app), ("backup", backup_app), ("account", account_app), ("import", import_app),
    ("routing", routing_app), ("forms", forms_app),
):  # fmt: skip
    app.add_typer(group, name=name)

REPORTS = ("daily-register", "lb1", "top-diagnoses", "skdr", "payers", "waits", "misrouting")
"""For the help; a test holds them against `core.reports`, which is loaded only when a report is made."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
out = Console()


def _settings(**overrides: Any) -> Settings:
    text.speak(Settings.language_wanted())
    settings = Settings.load()
    text.speak(settings.language)
    _as_owner(settings.home)
    return settings.model_copy(update={key: value for key, value in overrides.items() if value is not None})


def _as_owner(home: Path) -> None:
    """Refuse to act in somebody else's data folder: files made there as root would lock the server out.

    Raises:
        SettingsError: The folder belongs to another user.
    """
    if home.exists() and (owner := home.stat().st_uid) != os.geteuid():
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise SettingsError(
            "{setting}: {home} belongs to {name}. Run the command as that user: sudo -u {name} loket ...",
            setting="LOKET_HOME",
            home=home,
            name=name,
        )


def _clinic(settings: Settings | None = None) -> Clinic:
    return Clinic.open(settings or _settings())


def _print(document: Any, as_json: bool) -> None:
    if as_json or not isinstance(document, (dict, list)):
        print(json.dumps(document, ensure_ascii=False, indent=2, default=str))
        return
    rows = document if isinstance(document, list) else [document]
    if not rows:
        print(words.nothing())
        return
    table = Table(box=box.SIMPLE)
    for key in rows[0]:
        table.add_column(str(key), overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    out.print(table)


def _say(lines: Iterable[str], document: Any, as_json: bool) -> None:
    """Print sentences for people, or the document for scripts."""
    if as_json:
        _print(document, True)
        return
    for line in lines:
        print(line)


@app.command()
def serve(
    demo: Annotated[bool, typer.Option("--demo", help="Made-up people, known passwords.")] = False,
    door: Annotated[bool, typer.Option(help="Start the SSH door too.")] = True,
) -> None:
    """Run the clinic: core server, SSH door, daily work."""
    from server.run import serve as run

    raise typer.Exit(run(_settings(), demo=demo, with_door=door))


@app.command()
def demo() -> None:
    """Run a demo clinic in its own data folder and open the counter in this terminal, if there is one."""
    from server.run import run_demo

    raise typer.Exit(run_demo())


def _become(module: str, *arguments: str) -> None:
    """Replace this process: server and terminal do not import each other."""
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606


@app.command()
def tui(
    server: Annotated[str, typer.Option(help="The core's address; LOKET_SERVER_URL otherwise.")] = "",
    language: Annotated[str, typer.Option(help="id or en.")] = "",
    lines: Annotated[
        bool, typer.Option("--lines", help="Questions and answers instead of a screen.")
    ] = False,
) -> None:
    """Open the counter in this terminal."""
    arguments = ["--server", server] if server else []
    arguments += ["--language", language] if language else []
    _become("tui", *arguments, *(["--lines"] if lines else []))


@app.command()
def door() -> None:
    """Run an SSH door, here or on another machine (LOKET_SERVER_URL)."""
    _become("tui.door")


@app.command()
def office(
    add_clinic: Annotated[
        str, typer.Option(help="Facility code: makes its token (a new one if it has one) and prints it once.")
    ] = "",
    name: Annotated[str, typer.Option(help="The clinic's name, with --add-clinic.")] = "",
    bar_clinic: Annotated[str, typer.Option(help="Facility code: its token ends; what it sent stays.")] = "",
    clinics: Annotated[bool, typer.Option("--clinics", help="List the clinics.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the City Health Office's end, or see to who may send to it."""
    from server.office import app as office_app

    settings = _settings()
    if add_clinic:
        print(office_app.add_clinic(settings, add_clinic, name or add_clinic))
    elif bar_clinic:
        office_app.bar_clinic(settings, bar_clinic)
        print(f"{bar_clinic}: ok")
    elif clinics:
        _print(office_app.list_clinics(settings), as_json)
    else:
        office_app.serve_office(settings)


@sync_app.command("now")
def sync_now(as_json: JsonOption = False) -> None:
    """Send what the office has yet to get."""
    from core import synchronisation

    clinic = _clinic()
    with Progress("sync", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), disable=as_json) as bar:
        task = bar.add_task("sync", total=None)
        outcome = synchronisation.run(
            clinic, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    _say(words.sync_done(outcome.document()), outcome.document(), as_json)
    if outcome.error:
        raise typer.Exit(1)


@sync_app.command("status")
def sync_status(as_json: JsonOption = False) -> None:
    """How far the day's closing is; what is pending, sent and set aside, and why."""
    from core import closing, outbox
    from server.problem_words import closing_in_words, sync_in_words

    clinic = _clinic()
    with connection():
        status, day = sync_in_words(outbox.status(clinic)), closing_in_words(closing.status(clinic))
    document = status.model_dump(mode="json") | {"closing": day.model_dump(mode="json")}
    _say(words.sync_status(status, day, clinic.zone), document, as_json)


@backup_app.command("now")
def backup_now(as_json: JsonOption = False) -> None:
    """Make, encrypt and verify a backup."""
    from core import backup

    clinic = _clinic()
    info = backup.make(clinic).document()
    _say(words.backup_made(info, clinic.zone), info, as_json)
    if info["problems"] or not info["verified"]:
        raise typer.Exit(1)


@backup_app.command("key")
def backup_key() -> None:
    """Make the recovery key and print it once: write it down and keep it off this machine."""
    from core import backup

    key = backup.create_recovery_key(_settings().home)
    sys.stderr.write(f"{words.keep_the_key()}\n")
    print(key)


@backup_app.command("list")
def backup_list(as_json: JsonOption = False) -> None:
    """The backups kept, newest first."""
    from core import backup

    clinic = _clinic()
    kept = [info.document() for info in backup.list_backups(clinic)]
    _say(words.backups_kept(kept, clinic.zone), kept, as_json)


@backup_app.command("verify")
def backup_verify(
    file: Path,
    key: Annotated[Path, typer.Option(help="File with the recovery key.")],
    as_json: JsonOption = False,
) -> None:
    """The drill: restore a backup into a scratch database and compare."""
    from core import backup

    settings = _settings()
    info = backup.verify(file, _secret(key)).document()
    _say(words.backup_made(info, settings.timezone), info, as_json)


def _secret(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise BackupError("wrong_key") from None


@app.command()
def restore(
    file: Path,
    key: Annotated[Path, typer.Option(help="File with the recovery key.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Bring a fresh machine back from a backup; says first what will be lost."""
    from core import backup

    settings = _settings()
    secret = _secret(key)
    preview = backup.preview(file, secret, settings)
    _say(words.restore_preview(preview.document(), settings.timezone), None, False)
    if not yes and not _agreed():
        print(words.not_restored())
        raise typer.Exit(1)
    print(words.restored(backup.restore(file, secret, settings).document()))


def _agreed() -> bool:
    """Ask before a restore; whatever is no yes is a no."""
    print(words.ask_restore(), end=" ", flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "ya", "yes"}


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check the installation and say in plain words what is wrong and what to do."""
    from server.doctor import examine, lines

    findings = examine(_settings())
    _say(lines(findings), [finding.document() for finding in findings], as_json)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)


@account_app.command("add")
def account_add(
    username: str,
    role: Role,
    name: str = "",
    clusters: Annotated[str, typer.Option(help="Codes with commas, for clinicians: UMUM,LANSIA")] = "",
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
) -> None:
    """Make an account; asks for its password."""
    clinic = _clinic()
    codes = [clinic.clusters[code.strip().upper()].code for code in clusters.split(",") if code.strip()]
    password = sys.stdin.readline().rstrip("\n") if password_stdin else getpass.getpass("Password: ")
    with connection():
        accounts.create_account(
            username, name, role, password, codes, by=accounts.system_actor("loket command")
        )
    print(f"{username}: ok")


@account_app.command("list")
def account_list(as_json: JsonOption = False) -> None:
    """All accounts."""
    _clinic()
    with connection():
        rows = [
            {
                "username": account.username,
                "name": account.name,
                "role": account.role,
                "clusters": ",".join(account.clusters),
                "nik": ""
                if account.practitioner_nik is None
                else f"{account.practitioner_nik[:6]}..{account.practitioner_nik[-4:]}",
                "disabled": account.disabled_at is not None,
            }
            for account in accounts.list_accounts()
        ]
    _print(rows, as_json)


@account_app.command("key")
def account_key(username: str, file: Path, label: str = "") -> None:
    """Let an SSH public key sign an account in."""
    _clinic()
    with connection():
        accounts.add_key(username, file.read_text(), label, by=accounts.system_actor("loket command"))
    print(f"{username}: ok")


@account_app.command("password")
def account_password(
    username: str,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
) -> None:
    """Set a new password; the account's sign-ins end."""
    _clinic()
    password = sys.stdin.readline().rstrip("\n") if password_stdin else getpass.getpass("Password: ")
    with connection():
        accounts.set_password(username, password, by=accounts.system_actor("loket command"))
    print(f"{username}: ok")


@account_app.command("nik")
def account_nik(
    username: str, nik: Annotated[str, typer.Argument(help="16 digits; empty takes it away.")]
) -> None:
    """Note a clinician's NIK: SATUSEHAT takes visits only with one who is known there."""
    _clinic()
    with connection():
        accounts.set_practitioner_nik(username, nik, by=accounts.system_actor("loket command"))
    print(f"{username}: ok")


@account_app.command("disable")
def account_disable(username: str) -> None:
    """Bar an account; its sign-ins end."""
    _clinic()
    with connection():
        accounts.disable(username, by=accounts.system_actor("loket command"))
    print(f"{username}: ok")


@import_app.command("patients")
def import_patients(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    column: Annotated[
        list[str] | None, typer.Option(help="field=heading, where the guess is wrong; field= leaves it out.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: take the columns and store.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing.")] = False,
    tried: Annotated[bool, typer.Option("--tried", help="Store without a dry run before.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take a patient list (CSV or XLSX): confirm the columns, try, then store; goes on after a stop."""
    from server.patient_list import import_list

    clinic = _clinic()
    raise typer.Exit(
        import_list(clinic, file, given=column or [], yes=yes, dry_run=dry_run, tried=tried, as_json=as_json)
    )


@import_app.command("diagnoses")
def import_diagnoses(file: Path, as_json: JsonOption = False) -> None:
    """Take the full ICD-10 list (edition 2010, as SATUSEHAT and PCare use it) from CSV or XLSX."""
    from core import icd10

    _import_codes(file, icd10.import_codes, as_json)


@import_app.command("procedures")
def import_procedures(file: Path, as_json: JsonOption = False) -> None:
    """Take procedures from CSV or XLSX: ICD-9-CM codes, or the clinic's own (TG-01)."""
    from core import procedures

    _import_codes(file, procedures.import_codes, as_json)


def _import_codes(file: Path, take: Callable[[Path], Any], as_json: bool) -> None:
    _clinic()
    with connection():
        result = take(file)
    document = {"taken": result.taken, "newer": result.newer, "refused": list(result.refused)}
    _say(words.codes_imported(document), document, as_json)


@forms_app.command("check")
def forms_check(file: Path) -> None:
    """Check a form's file before it goes into LOKET_HOME/forms."""
    from core.forms import check_file

    problems = check_file(file)
    for problem in problems:
        print(problem)
    if problems:
        raise typer.Exit(1)
    print("ok")


@routing_app.command("check")
def routing_check(
    file: Annotated[Path | None, typer.Argument(help="The clinic's own file; else what Loket ships.")] = None,
) -> None:
    """Check a vocabulary file before it is taken into use."""
    from core.routing import check_vocabulary

    problems = check_vocabulary(file)
    for problem in problems:
        print(f"{problem.file}:{problem.line}: {problem.text}")
    if problems:
        raise typer.Exit(1)
    if file is None:
        print("ok")
        return
    print(f"{file}: ok. It is used once LOKET_VOCABULARY names it and the server was started again.")


@routing_app.command("explain")
def routing_explain(
    complaint: str,
    age: Annotated[float | None, typer.Option(help="Years; 0.25 for three months.", min=0, max=130)] = None,
    sex: Annotated[Sex | None, typer.Option()] = None,
    pregnant: bool = False,
) -> None:
    """Say which cluster is proposed for a complaint, and why, word by word."""
    from core.clusters import load_clusters
    from core.routing import Facts, Vocabulary, explain
    from core.routing_model import model_in

    settings = _settings()
    vocabulary = Vocabulary.load(Path(settings.vocabulary) if settings.vocabulary else None)
    age_days = None if age is None else round(age * 365.25)
    facts = Facts(complaint, age_days=age_days, sex=sex, pregnant=pregnant)
    clusters, model = load_clusters(settings.clusters), model_in(settings.home)
    for line in explain(facts, None, clusters, vocabulary, model).lines(settings.language):
        print(line)


@routing_app.command("learn")
def routing_learn(
    off: Annotated[bool, typer.Option("--off", help="Use the rules alone from now on.")] = False,
) -> None:
    """Train on the corrections made so far; used only when it helps more than it harms."""
    from core import routing_model
    from core.routing.learning import LEAST_EXAMPLES

    clinic = _clinic()
    with connection():
        actor = accounts.system_actor("loket command")
        if off:
            routing_model.switch_off(clinic, actor)
            print("off")
            return
        figures = routing_model.learn(clinic, actor)
    if figures.examples < LEAST_EXAMPLES:
        print(f"Visits: {figures.examples}. Too few to judge by: {LEAST_EXAMPLES} are needed. Not used.")
        return
    print(
        f"{figures.examples} visits, unseen when judged: rules alone {figures.rules_share:.1%} right, with the "
        f"model {figures.together_share:.1%} (helped {figures.helped}, harmed {figures.harmed}): "
        f"{'in use from now on' if figures.passed else 'not used'}"
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValidationError({"day": "format"}) from None


@app.command()
def report(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(REPORTS)}.")],
    day: Annotated[str, typer.Option(help="YYYY-MM-DD; today otherwise.")] = "",
    output: Annotated[Path | None, typer.Option(help="A .csv or .xlsx file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the report of a day, or of the week or month that holds it, or write it to a file."""
    from core import reports

    clinic = _clinic()
    if name not in reports.REPORTS:
        raise ValidationError({"report": "name"})
    if output is not None and output.suffix not in {".csv", ".xlsx"}:
        raise ValidationError({"output": "suffix"})
    with connection():
        built = reports.build(clinic, name, _day(day) if day else clinic.today())
    if output is not None:
        _write_private(
            output,
            reports.to_xlsx(built) if output.suffix == ".xlsx" else reports.to_csv(built).encode("utf-8-sig"),
        )
    elif as_json:
        _print({"name": name, **dataclasses.asdict(built)}, True)
    else:
        for line in words.report_lines(built):
            print(line)


def _write_private(file: Path, content: bytes) -> None:
    """Write a file that holds people's names, for nobody else to read."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as writer:
        writer.write(content)


def main(arguments: list[str] | None = None) -> None:
    """The command's entry: what goes wrong on purpose is one line, not a traceback."""
    os.umask(0o077)  # whatever Loket writes holds patients or secrets
    text.speak(Settings.language_wanted())
    with contextlib.suppress(BrokenPipeError):
        try:
            command_help.translated(app)(arguments)
        except SettingsError as error:
            sys.stderr.write(f"loket: {words.wrong_setting(error)}\n")
            sys.exit(2)
        except CoreError as error:
            sys.stderr.write(f"loket: {words.failure(error)}\n")
            sys.exit(1)
        except peewee.DatabaseError as error:
            if (known := unusable(error)) is None:
                raise
            sys.stderr.write(f"loket: {words.failure(known)}\n")
            sys.exit(1)
        except OSError as error:
            if error.filename is None or isinstance(error, BrokenPipeError):
                raise
            sys.stderr.write(f"loket: {words.file_failure(error)}\n")
            sys.exit(1)


if __name__ == "__main__":
    main()
