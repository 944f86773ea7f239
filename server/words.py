"""What the `loket` command says: sentences in the clinic's language, each failure with its remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.catalogues import catalogue
from core.errors import BackupError, CoreError, NotFoundError, ValidationError

_language = "id"


def speak(language: str) -> None:
    """Set the language of this process's sentences: `id` or `en`."""
    global _language
    _language = language


def _(msgid: str) -> str:
    return catalogue("server", _language).gettext(msgid)


def N_(msgid: str) -> str:  # gettext's own name for "translated later"
    """Mark a sentence for the catalogue."""
    return msgid


COUNTED = {
    "patient": N_("patients"),
    "visit": N_("visits"),
    "encounter": N_("encounters"),
    "diagnosis": N_("diagnoses"),
    "account": N_("accounts"),
}
"""Tables whose rows tell an admin how much a backup holds."""

BACKUP_REMEDIES = {
    "no_recovery_key": N_("There is no recovery key. Make one with: loket backup key"),
    "key_exists": N_(
        "There is a recovery key already. Making another would make the older backups look lost; "
        "if it is lost, move the file away first: {detail}"
    ),
    "wrong_key": N_("This recovery key does not open this backup. Nothing was changed."),
    "damaged": N_("The backup is damaged ({detail}). Nothing was changed. Take another: loket backup list"),
    "missing": N_("There is no such file or folder: {detail}"),
    "newer_schema": N_(
        "The backup was made by a newer Loket ({detail}). Nothing was changed. Install that version first."
    ),
    "newer_format": N_(
        "The backup was made by a newer Loket ({detail}). Nothing was changed. Install that version first."
    ),
    "other_engine": N_("The backup is for another kind of database: {detail}. Nothing was changed."),
    "in_use": N_("The database is in use. Stop the server first, then restore."),
    "running": N_("A backup is being made already. Wait for it."),
    "disk_full": N_("The disk is full. Make room, then try again."),
    "disk": N_("The disk refuses: {detail}"),
    "postgres_tool": N_("PostgreSQL's own tools failed: {detail}"),
    "command": N_("The command of LOKET_BACKUP_COMMAND failed: {detail}"),
}

FIELD_REMEDIES = {
    ("file", "unreadable"): N_("The file cannot be read: give a CSV (UTF-8) or an XLSX."),
    ("file", "columns"): N_(
        "The first line must name the columns: code (or kode), and title_id (or nama) or title_en."
    ),
    ("file", "empty"): N_("No line of the file holds a code with a title."),
    ("file", "edition"): N_(
        "This list is newer than ICD-10 2010 (it has A97 and neither A90 nor A91); SATUSEHAT and "
        "PCare would refuse its codes. Take the 2010 list."
    ),
    ("day", "format"): N_("The day must be written 2026-01-31."),
    ("password", "too_short"): N_("The password is too short: take at least 8 characters."),
    ("username", "taken"): N_("There is an account of this name already."),
    ("clusters", "required"): N_("A clinician needs clusters: --clusters UMUM,LANSIA"),
    ("public_key", "format"): N_(
        "This is no OpenSSH public key. Take the file that ends in .pub, one line that begins with ssh-"
    ),
    ("public_key", "taken"): N_("This key signs somebody in already."),
}

SYNC_REMEDIES = {
    "complete_the_nik": N_("Complete the patient's NIK; the record is sent again by itself."),
    "complete_the_practitioner": N_("Complete the practitioner's NIK: loket account list"),
    "enter_a_diagnosis": N_("Enter a diagnosis in the visit's record."),
    "nothing_to_do": N_("Too old for the other end: nothing to do."),
    "look_for_the_other_record": N_("The other end knows this patient twice: look for duplicates."),
    "choose_another_code": N_("Choose another ICD-10 code in the visit's record."),
    "check_the_settings": N_("Check the SATUSEHAT settings in .env."),
    "tell_the_maintainer": N_("Tell the maintainers, with these words."),
    "send_the_patient_first": N_("The patient must arrive first; it is tried again at the next run."),
    "correct_the_patient": N_("Correct the patient's data; the record is sent again by itself."),
}

KINDS = {"account": N_("account"), "clinic": N_("clinic"), "cluster": N_("cluster"), "patient": N_("patient")}


def failure(error: CoreError) -> str:
    """One sentence for a command that could not do its work."""
    if isinstance(error, BackupError):
        text = BACKUP_REMEDIES.get(error.reason)
        return _(text).format(detail=error.detail) if text else f"{error.reason}: {error.detail}"
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
    for problem in info["problems"]:
        yield "! " + str(problem)


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
    return _("Restore?")


def sync_done(outcome: Mapping[str, Any]) -> Iterator[str]:
    """What a run of the synchronisation did."""
    yield _("{sent} records sent, {refused} set aside, {pending} still wait.").format(**outcome)
    yield from _agreement(outcome["manifest_agrees"])
    if outcome["error"]:
        yield "! " + str(outcome["error"])


def _agreement(agrees: bool | None) -> Iterator[str]:
    if agrees is None:
        return
    if agrees:
        yield _("The other end holds the same as this clinic.")
    else:
        yield _("The other end does NOT hold the same; what differs is sent at the next run.")


def sync_status(status: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """Where the synchronisation stands."""
    if status["running"]:
        yield _("Sending now: {done} of {total}.").format(**status)
    yield _("{pending} records wait, {sent} sent, {refused} set aside.").format(**status)
    yield _("Last contact: {when}").format(when=when(status["last_contact_at"], zone))
    yield from _agreement(status["manifest_agrees"])
    if status["last_error"]:
        yield "! " + str(status["last_error"])
    for refusal in status["refusals"]:
        remedy = _(SYNC_REMEDIES.get(refusal["remedy"], SYNC_REMEDIES["tell_the_maintainer"]))
        yield f"! {refusal['kind']} {refusal['target']}: {refusal['error']}"
        yield f"  {remedy}"


def file_failure(error: OSError) -> str:
    """One sentence for a file that the command was given and cannot use."""
    if isinstance(error, FileNotFoundError):
        return failure(BackupError("missing", error.filename))
    return _("{file} cannot be used: {reason}").format(file=error.filename, reason=error.strerror)


def nothing() -> str:
    """An empty list."""
    return _("There is none.")
