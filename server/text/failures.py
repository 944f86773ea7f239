"""Failures of a command: one sentence each, with its remedy."""

from __future__ import annotations

import peewee

from core.daily.reports.registry import REPORTS
from core.foundation.database import unusable
from core.foundation.errors import (
    BackupError,
    ConflictError,
    CoreError,
    DatabaseError,
    NotAllowedError,
    NotFoundError,
    SettingsError,
    ValidationError,
)
from server.text import problem_words
from server.text.translation import N_, _

FIELD_REMEDIES = {
    ("file", "unreadable"): N_("The file cannot be read: give a CSV (UTF-8) or an XLSX."),
    ("file", "old_workbook"): N_(
        "This is an old Excel file (.xls), or a web page under its name. Open it in a spreadsheet program "
        "and save it as .xlsx or .csv."
    ),
    ("file", "too_large"): N_(
        "The file is larger than a list may be: 250,000 rows, 6 million cells (empty formatted ones too), 64 MB. "
        "Delete empty columns and rows, or split it."
    ),
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
    ("report", "name"): N_("There is no such report. There are: {reports}"),
    ("cluster", "unknown"): N_("There is no such cluster."),
    ("cluster", "not_a_first_destination"): N_(
        "Nobody is sent there from the counter: forms are for the other clusters."
    ),
    ("reason", "words"): N_("Say in words why: --reason, five letters or more, at most 200."),
    ("because", "words"): N_("Say in words why: --because, five letters or more, at most 200."),
    ("output", "suffix"): N_("The file's name must end in .csv or .xlsx."),
    ("nik", "nik_length"): N_("A NIK has 16 digits."),
    ("until", "format"): N_("The moment must be written 2026-01-31 14:00."),
    ("day", "format"): N_("The day must be written 2026-01-31."),
    ("password", "too_short"): N_("The password is too short: take at least 10 characters."),
    ("password", "too_common"): N_(
        "The password is one of those that are guessed first: take three or four words."
    ),
    ("password", "own_name"): N_("The password is made of the person's own name: take three or four words."),
    ("role", "last_admin"): N_("Nobody could administer then: give another account that role first."),
    ("account", "last_admin"): N_("Nobody could administer then: give another account that role first."),
    ("name", "taken"): N_("There is a door of that name already."),
    ("username", "taken"): N_("There is an account of this name already."),
    ("clusters", "required"): N_("A clinician needs clusters: --clusters UMUM,LANSIA"),
    ("public_key", "format"): N_(
        "This is no OpenSSH public key. Take the file that ends in .pub, one line that begins with ssh-"
    ),
    ("public_key", "taken"): N_("This key signs somebody in already."),
}

KINDS = {
    "account": N_("account"),
    "clinic": N_("clinic"),
    "cluster": N_("cluster"),
    "lent_number": N_("form"),
    "patient": N_("patient"),
}


CODES = {
    "no_printer": N_("There is no printer: set LOKET_PRINTER, or write a file with --to FILE."),
    "paper_ended": N_("This form is used or ended already."),
}
"""Failure of few words by its code."""


def failure(error: CoreError) -> str:
    """Return one sentence for a command that failed."""
    if isinstance(error, (BackupError, DatabaseError)):
        return problem_words.sentence(str(error))
    if isinstance(error, SettingsError):
        return wrong_setting(error)
    if isinstance(error, NotFoundError):
        kind = _(KINDS[error.kind]) if error.kind in KINDS else error.kind
        return _("There is no such {kind}: {key}").format(kind=kind, key=error.key)
    if isinstance(error, NotAllowedError) and error.code == "approval_required":
        return _(
            'This report names patients. Ask for leave: loket report ... --because "why, in words"; '
            "the head of the clinic releases it for a day (list of the day, Y)."
        )
    if error.code == "nothing_to_vouch_for":
        return _("There is no break that could be vouched for.")
    if isinstance(error, ConflictError) and error.code == "already_requested":
        return _("The same is asked for already: the head of the clinic decides (list of the day, Y).")
    if error.code in CODES:
        return _(CODES[error.code])
    if isinstance(error, ValidationError):
        known = [FIELD_REMEDIES.get(item) for item in error.fields.items()]
        return " ".join(
            _(text).format(reports=", ".join(REPORTS)) if text else f"{field}: {problem}"
            for text, (field, problem) in zip(known, error.fields.items(), strict=True)
        )
    return f"{error.code}: {error}"


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
    N_("{setting}: must be addresses such as 192.0.2.1, with commas between them"),
    N_("{setting}: must be begin:rate:full, for example 40:30:200"),
    N_(
        "LOKET_HTTP: {address} is open to the network without encryption. Add one line to .env: "
        "LOKET_PLAIN_HTTP=no to encrypt it from now on (counters and doors then ask for https://), or "
        "LOKET_PLAIN_HTTP=yes to go on as before"
    ),
    N_(
        "LOKET_OFFICE_HTTP: {address} is open to the network without encryption. Set LOKET_TLS_CERTIFICATE, or "
        "LOKET_OFFICE_HTTP=127.0.0.1:8470 behind a web server with TLS, or add LOKET_PLAIN_HTTP=yes"
    ),
    N_("LOKET_TLS_CERTIFICATE: {file} and its key cannot be used ({why})"),
    N_("LOKET_HOME: {path} cannot be used ({why})"),
    N_("LOKET_SHARED: {path} is not there. Is it connected?"),
    N_(
        "Another server of this database has the servers' key. Copy {file} from its data folder into {home} "
        "(chmod 600), then start again."
    ),
    N_("{file} is no key of the servers."),
    N_("LOKET_DATABASE_URL: {path} cannot be made ({why})"),
    N_("The data is a newer Loket's ({step}): install that version again."),
    N_(
        "The data is an older Loket's ({step} is missing): start the server again, it brings the data up to date."
    ),
    N_("{setting}: is changed on the machine only, in .env"),
    N_("{setting}: is set in the environment of the service, which goes over .env; change it there"),
    N_("{file} cannot be written ({why}). docs/running.md says how Loket may write it."),
    N_("{file} belongs to a clinic; the demo does not change it"),
    N_("{setting}: holds signs that .env reads in another way"),
    N_("{setting}: {other} is made of it in .env; change it on the machine"),
    N_("{setting}: must be address:port of the house's own network, or a device such as /dev/usb/lp0"),
    N_("{setting}: must be the whole path of a folder, from / on"),
    N_("{setting}: must not be before LOKET_CLOSE_AT"),
    N_("{setting}: {path} lies in the data folder and is lost with it"),
    N_("{setting}: {path} does not answer"),
    N_("{setting}: {path} cannot be written ({why}). Is it connected?"),
    N_("{setting}: {home} belongs to {name}. Run the command as that user: sudo -u {name} loket ..."),
)
"""Sentences of `SettingsError`, for the catalogue."""


def wrong_setting(error: SettingsError) -> str:
    """Return the line with which the start stops."""
    return _(error.sentence).format(**error.values) if error.values else _(error.sentence)


def file_failure(error: OSError) -> str:
    """Return one sentence for a given file that the command cannot use."""
    if isinstance(error, FileNotFoundError):
        return failure(BackupError("missing", error.filename))
    return _("{file} cannot be used: {reason}").format(file=error.filename, reason=error.strerror)


def expected_failure(error: Exception) -> str | None:
    """Return the sentence for an error that a command may end with, or None for a defect of Loket."""
    if isinstance(error, CoreError):
        return failure(error)
    if isinstance(error, peewee.DatabaseError):
        known = unusable(error)
        return failure(known) if known is not None else None
    if isinstance(error, OSError) and error.filename is not None and not isinstance(error, BrokenPipeError):
        return file_failure(error)
    return None
