"""What the `loket` command says: sentences in the clinic's language, each failure with its remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any
from zoneinfo import ZoneInfo

from rich.cells import cell_len

from core.errors import BackupError, CoreError, DatabaseError, NotFoundError, SettingsError, ValidationError
from core.reports import Report
from core.schemas.clinic import ClosingShape, SyncShape
from server import problem_words
from server.text import N_, _

COUNTED = {
    "patient": N_("patients"),
    "visit": N_("visits"),
    "encounter": N_("encounters"),
    "diagnosis": N_("diagnoses"),
    "account": N_("accounts"),
}
"""Tables whose rows tell an admin how much a backup holds."""

FIELD_REMEDIES = {
    ("file", "unreadable"): N_("The file cannot be read: give a CSV (UTF-8) or an XLSX."),
    ("file", "no_headings"): N_(
        "No line names the columns. The list needs a line of headings, such as Nama, L/P, Tanggal Lahir, NIK."
    ),
    ("file", "columns"): N_(
        "The first line must name the columns: code (or kode), and title_id (or nama) or title_en."
    ),
    ("file", "empty"): N_("No line of the file holds a code with a title."),
    ("file", "edition"): N_(
        "This list is newer than ICD-10 2010 (it has A97 and neither A90 nor A91); SATUSEHAT and "
        "PCare would refuse its codes. Take the 2010 list."
    ),
    ("report", "name"): N_(
        "There is no such report. There are: daily-register, lb1, top-diagnoses, skdr, payers, waits, misrouting"
    ),
    ("output", "suffix"): N_("The file's name must end in .csv or .xlsx."),
    ("nik", "nik_length"): N_("A NIK has 16 digits."),
    ("day", "format"): N_("The day must be written 2026-01-31."),
    ("password", "too_short"): N_("The password is too short: take at least 8 characters."),
    ("username", "taken"): N_("There is an account of this name already."),
    ("clusters", "required"): N_("A clinician needs clusters: --clusters UMUM,LANSIA"),
    ("public_key", "format"): N_(
        "This is no OpenSSH public key. Take the file that ends in .pub, one line that begins with ssh-"
    ),
    ("public_key", "taken"): N_("This key signs somebody in already."),
}

KINDS = {"account": N_("account"), "clinic": N_("clinic"), "cluster": N_("cluster"), "patient": N_("patient")}


def failure(error: CoreError) -> str:
    """One sentence for a command that could not do its work."""
    if isinstance(error, (BackupError, DatabaseError)):
        return problem_words.sentence(str(error))
    if isinstance(error, SettingsError):
        return wrong_setting(error)
    if isinstance(error, NotFoundError):
        kind = _(KINDS[error.kind]) if error.kind in KINDS else error.kind
        return _("There is no such {kind}: {key}").format(kind=kind, key=error.key)
    if isinstance(error, ValidationError):
        known = [FIELD_REMEDIES.get(item) for item in error.fields.items()]
        return " ".join(
            _(text) if text else f"{field}: {problem}"
            for text, (field, problem) in zip(known, error.fields.items(), strict=True)
        )
    return f"{error.code}: {error}"


def when(instant: str | datetime | None, zone: ZoneInfo) -> str:
    """An instant on the clinic's clock: `24-11-2026 15:00`."""
    if not instant:
        return "-"
    moment = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return moment.astimezone(zone).strftime("%d-%m-%Y %H:%M")


def size(count: int) -> str:
    """Bytes as people read them: `31 KiB`."""
    value, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}"


def rows(counts: Mapping[str, int]) -> str:
    """How much a backup holds: `1200 patients, 3400 visits`."""
    return ", ".join(f"{counts[table]} {_(word)}" for table, word in COUNTED.items() if table in counts)


def keep_the_key() -> str:
    """Before the recovery key, which is shown once."""
    return _(
        "Backups are encrypted. Write this recovery key down and keep it off this machine; "
        "without it no backup can be opened:"
    )


def backup_made(info: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """What a backup or its drill found."""
    yield _("Backup of {when}, {size}: {rows}").format(
        when=when(info["made_at"], zone), size=size(info["bytes"]), rows=rows(info["counts"])
    )
    yield str(info["path"])
    if info["verified"]:
        yield _("Restored into a scratch database and found equal.")
    else:
        yield _("NOT verified: do not rely on it. Run loket doctor.")
    yield from problem_words.lines("\n".join(info["problems"]))


def backups_kept(kept: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> Iterator[str]:
    """The backups, each with the path that a restore takes."""
    for info in kept:
        verified = _("verified") if info["verified"] else _("NOT VERIFIED")
        yield f"{when(info['made_at'], zone)}, {size(info['bytes'])}, {verified}: {rows(info['counts'])}"
        yield f"  {info['path']}"
    if not kept:
        yield nothing()


def restore_preview(preview: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """What a restore would bring and lose."""
    yield _("The backup of {when} holds {rows}.").format(
        when=when(preview["made_at"], zone), rows=rows(preview["counts"])
    )
    if not preview["present_counts"]:
        yield _("There is no database here yet: nothing will be lost.")
        return
    yield _("The database here holds {rows}. It is kept beside the restored one.").format(
        rows=rows(preview["present_counts"])
    )
    if preview["changes_lost"]:
        yield _("{number} changes made after the backup WILL BE MISSING.").format(
            number=preview["changes_lost"]
        )


def restored(preview: Mapping[str, Any]) -> str:
    """After a restore."""
    return _("Restored: {rows}. Start the server and run loket doctor.").format(rows=rows(preview["counts"]))


def ask_restore() -> str:
    """The question before a restore."""
    return _("Restore? (y/n)")


def sync_done(outcome: Mapping[str, Any]) -> Iterator[str]:
    """What a run of the synchronisation did."""
    yield _("{sent} records sent, {refused} set aside, {pending} still wait.").format(**outcome)
    yield from _agreement(outcome["manifest_agrees"])
    yield from problem_words.lines(outcome["error"])


def _agreement(agrees: bool | None, only_there: int = 0) -> Iterator[str]:
    if agrees is None:
        return
    if only_there:
        yield from problem_words.lines(f"only_there: {only_there}")
    elif agrees:
        yield _("The other end holds the same as this clinic.")
    else:
        yield _("The other end does NOT hold the same; what differs is sent at the next run.")


def sync_status(status: SyncShape, closing: ClosingShape, zone: ZoneInfo) -> Iterator[str]:
    """Where the day's closing and the synchronisation stand."""
    yield from _closing(closing, zone)
    counts = status.model_dump()
    if status.running:
        yield _("Sending now: {done} of {total}.").format(**counts)
    yield _("{pending} records wait, {sent} sent, {refused} set aside.").format(**counts)
    yield _("Last contact: {when}").format(when=when(status.last_contact_at, zone))
    yield from _agreement(status.manifest_agrees, status.only_there)
    yield from problem_words.lines(status.last_error)
    for refusal in status.refusals:
        yield f"! {refusal['kind']} {refusal['target']}: {refusal['error']}"
        yield f"  {problem_words.todo(refusal)}"


CLOSING_STATES: Mapping[str | None, str] = {
    None: N_("not begun"),
    "running": N_("cut off"),
    "done": N_("done"),
    "failed": N_("NOT WHOLE"),
    "skipped": N_("goes on later"),
}
STEPS = {
    "queues": N_("queues ended"),
    "backup": N_("backup"),
    "reports": N_("reports"),
    "synchronise": N_("sending"),
    "verify": N_("proof"),
}
"""Steps of the closing."""


def _closing(closing: ClosingShape, zone: ZoneInfo) -> Iterator[str]:
    day = f"{closing.day:%d-%m-%Y}"
    if closing.running:
        yield _("Closing {day}: step {done} of {total} is done.").format(
            day=day, done=closing.done, total=closing.total
        )
    else:
        yield _("Closing {day}: {state}").format(day=day, state=_(CLOSING_STATES[closing.status]))
    if closing.status is None:
        return
    for step in closing.steps:
        state = (
            _("going on") if step.status == "running" and closing.running else _(CLOSING_STATES[step.status])
        )
        at = step.ended_at.astimezone(zone).strftime("%H:%M") if step.ended_at else "     "
        yield f"  {at}  {_(STEPS[step.name])}: {step.note or state}"
        yield from (f"  {line}" for line in problem_words.lines(step.error))


def report_lines(report: Report) -> Iterator[str]:
    """A report as text: a wide one has long lines, for `less -S`, rather than broken columns."""
    yield report.title
    yield from wrap(report.definition, 80)
    yield from wrap(report.source, 80)
    yield ""
    table = [[str(cell) for cell in row] for row in (report.columns, *report.rows)]
    widths = [max(cell_len(row[index]) for row in table) for index in range(len(report.columns))]
    numbers = [
        index > 0 and any(isinstance(row[index], (int, float)) for row in report.rows)
        for index in range(len(report.columns))
    ]
    for row in table:
        cells = [
            cell.rjust(width) if number else cell + " " * (width - cell_len(cell))
            for cell, width, number in zip(row, widths, numbers, strict=True)
        ]
        yield "  ".join(cells).rstrip()


SETTINGS = (
    N_("{setting}: must be host:port, for example 127.0.0.1:8460"),
    N_("{setting}: must be a time zone such as Asia/Makassar"),
    N_("{setting}: must be id or en"),
    N_("{setting}: must be office or satusehat"),
    N_("{setting}: must begin with sqlite:/// or postgresql://"),
    N_("{setting}: must begin with https://"),
    N_("{setting}: must be a web address such as https://office.example/fhir"),
    N_("{setting}: must be a time of day such as 15:00"),
    N_("{setting}: must be at least {limit}"),
    N_("{setting}: must be more than {limit}"),
    N_("{setting}: must be at most {limit}"),
    N_("{setting}: must be a whole number"),
    N_("{setting}: must be a number"),
    N_("{setting}: must be yes or no"),
    N_("{setting}: must be a day such as 2026-01-31"),
    N_("{setting}: must be at most {limit} letters long"),
    N_("{setting}: a quotation mark has no end"),
    N_("{setting}: there is no such setting; see .env.example"),
    N_("{setting}: others can read {file}; run: chmod 600 {file}"),
    N_("{setting}: {file} cannot be read ({why})"),
    N_(
        "{setting}: cannot listen on {address} ({why}). Does another server run? End it, or set another port."
    ),
    N_("LOKET_HOME: {path} cannot be used ({why})"),
    N_("LOKET_DATABASE_URL: {path} cannot be made ({why})"),
    N_("The data is a newer Loket's ({step}): install that version again."),
    N_("{setting}: {home} belongs to {name}. Run the command as that user: sudo -u {name} loket ..."),
)
"""What `SettingsError` says, for the catalogue."""


def wrong_setting(error: SettingsError) -> str:
    """The one line with which the start stops."""
    return _(error.sentence).format(**error.values) if error.values else _(error.sentence)


def not_restored() -> str:
    """After a no."""
    return _("Nothing was changed.")


def codes_imported(outcome: Mapping[str, Any]) -> Iterator[str]:
    """What a list of codes brought.

    Args:
        outcome: taken, newer (numbers), refused (`line: code` each).
    """
    yield _("{number} codes taken.").format(number=outcome["taken"])
    if outcome["newer"]:
        yield _("{number} left out: newer than ICD-10 2010.").format(number=outcome["newer"])
    if outcome["refused"]:
        yield _("Refused (line: code): {codes}").format(codes=", ".join(outcome["refused"]))


def file_failure(error: OSError) -> str:
    """One sentence for a file that the command was given and cannot use."""
    if isinstance(error, FileNotFoundError):
        return failure(BackupError("missing", error.filename))
    return _("{file} cannot be used: {reason}").format(file=error.filename, reason=error.strerror)


def nothing() -> str:
    """An empty list."""
    return _("There is none.")
