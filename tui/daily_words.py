"""Words for the daily work and its steps. What went wrong comes from the server in words."""

from __future__ import annotations

from collections.abc import Mapping

from core.schemas.clinic import ClosingStepShape
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
        return step.note
    facts = {
        "queues": lambda: _("{number} ended by the closing").format(number=detail["ended"]),
        "backup": lambda: _("{size}, opened again and compared").format(size=size_text(detail["bytes"])),
        "reports": lambda: _("{number} written as CSV and XLSX").format(number=detail["reports"]),
        "synchronise": lambda: _("{sent} sent, {refused} refused").format(
            sent=detail["sent"], refused=detail["refused"]
        ),
        "verify": lambda: _proven(detail["agrees"]) if step.status == "done" else "",
    }
    try:
        return facts[step.name]()
    except KeyError:  # a step that failed before it had anything to tell
        return ""


def _proven(agrees: bool | None) -> str:
    return _("backup whole, other end agrees") if agrees else _("backup whole")


def size_text(size: int) -> str:
    """Bytes as people read them: `3,4 MB`."""
    return _("{number} MB").format(number=number_text(round(size / 1e6, 1)))
