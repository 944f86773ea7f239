"""Words for the daily work: its steps, what went wrong, and what to do about it.

Every table's values are msgids. A problem the tables do not know is shown as the core wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.schemas import ClosingStepShape
from tui.formatting import number_text
from tui.text import N_, _

STEPS: Mapping[str, str] = {
    "queues": N_("Queues ended"),
    "backup": N_("Backup"),
    "reports": N_("Reports"),
    "synchronise": N_("Sending"),
    "verify": N_("Proof"),
}
"""Step of the closing -> its name."""

SIGNS: Mapping[str | None, str] = {"done": "v", "running": ">", "failed": "!!", "skipped": "-", None: "."}

RECEIVERS: Mapping[str, str] = {"office": N_("the City Health Office"), "satusehat": N_("SATUSEHAT")}

REMEDIES: Mapping[str, str] = {
    "choose_another_code": N_("Choose another diagnosis code in the record and save it."),
    "check_the_settings": N_("Check LOKET_SATUSEHAT_ORGANIZATION in the settings."),
    "complete_the_nik": N_("Enter the patient's NIK; the visits follow by themselves."),
    "complete_the_practitioner": N_("Enter the NIK of who served the visit in their account."),
    "correct_and_save": N_("Open the record, correct it and save it."),
    "correct_the_patient": N_("Correct the patient's data and save them."),
    "enter_a_diagnosis": N_("Enter a diagnosis in the record and save it."),
    "look_for_the_other_record": N_("Look for a second record of this patient and merge them."),
    "nothing_to_do": N_("Nothing to do."),
    "send_the_patient_first": N_("Correct the patient first; the visit follows by itself."),
    "tell_the_maintainer": N_("Tell the maintainer of this program; keep the words above."),
}
"""Remedy of a record that was set aside -> what to do (`core.outbox.REMEDIES`)."""

PROBLEMS: Sequence[tuple[str, str]] = (
    ("no_recovery_key", N_("Run `loket backup key` once, write the key down and keep it off this machine.")),
    ("disk_full", N_("The disk is full: free space, then press C.")),
    ("No space left", N_("The disk is full: free space, then press C.")),
    ("second place", N_("The second place for backups is not there: is the disk connected?")),
    ("command:", N_("The command that takes backups away failed: see LOKET_BACKUP_COMMAND.")),
    (
        "postgres_tool",
        N_("PostgreSQL's pg_dump or pg_restore is missing or failed: `loket doctor` says more."),
    ),
    ("damaged", N_("The copy could not be proven. Run `loket doctor`, then press C.")),
    ("cannot be reached", N_("The internet line or the other end is away; it is tried again by itself.")),
    ("busy or failing", N_("The other end is busy; it is tried again by itself.")),
    ("token", N_("Ask the office for a new token and set LOKET_OFFICE_TOKEN.")),
    ("CLIENT_ID", N_("Check LOKET_SATUSEHAT_CLIENT_ID and its secret in the settings.")),
    ("LOKET_", N_("Correct the setting that is named, then start the server again.")),
    ("no proven backup", N_("Make a backup: press C.")),
    ("changed on the disk", N_("Make a new backup: press C, and look who changes files there.")),
    ("refused", N_("See below what to do about each record.")),
    ("records wait", N_("They are sent as soon as the other end answers.")),
    ("something else", N_("It is compared and sent again at the next sending.")),
    ("cut off", N_("Press C to go on where it stopped.")),
)
"""What a problem's words hold -> what to do; the first that fits."""


def remedy(problem: str) -> str:
    """What to do about a problem, translated; empty when the tables do not know it."""
    return next((_(text) for mark, text in PROBLEMS if mark in problem), "")


def time_left(seconds: float | None) -> str:
    """How long it will go on: `about 2 min left`; empty when nobody knows."""
    if seconds is None:
        return ""
    if seconds < 60:
        return _("less than a minute left")
    return _("about {minutes} min left").format(minutes=round(seconds / 60))


def step_facts(step: ClosingStepShape) -> str:
    """What a step did, in a few words."""
    detail = step.detail
    if step.status == "running" and step.total:
        return _("{done} of {total}").format(done=step.done, total=step.total)
    if step.status == "skipped":
        return str(detail.get("why", ""))
    facts = {
        "queues": lambda: _("{number} ended by the closing").format(number=detail["ended"]),
        "backup": lambda: _("{size}, opened again and compared").format(size=size_text(detail["bytes"])),
        "reports": lambda: _("{number} written to {folder}").format(
            number=detail["reports"], folder=detail["folder"]
        ),
        "synchronise": lambda: _("{sent} sent, {refused} refused").format(
            sent=detail["sent"], refused=detail["refused"]
        ),
        "verify": lambda: _("backup whole, other end agrees") if step.status == "done" else "",
    }
    try:
        return facts[step.name]()
    except KeyError:  # a step that failed before it had anything to tell
        return ""


def size_text(size: int) -> str:
    """Bytes as people read them: `3,4 MB`."""
    return _("{number} MB").format(number=number_text(round(size / 1e6, 1)))
