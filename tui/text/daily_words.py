"""Words for the daily work and its steps. Problems come from the server in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.daily.closing_steps import STEPS
from core.foundation.languages import in_language
from core.schemas.clinic import ClosingStepOut
from tui.text.formatting import number_text
from tui.text.translation import N_, _, language

SIGNS: Mapping[str | None, str] = {"done": "v", "running": ">", "failed": "!!", "skipped": "-", None: "."}

RECEIVERS: Mapping[str, str] = {"office": N_("the City Health Office"), "satusehat": N_("SATUSEHAT")}


def step_title(name: str) -> str:
    """Return the name of a step of the closing in the session's language."""
    return in_language(STEPS[name].titles, language()) if name in STEPS else name


def time_left(seconds: float | None) -> str:
    """Return how long it will go on, `about 2 min left`; empty when that is not known."""
    if seconds is None:
        return ""
    if seconds < 60:
        return _("less than a minute left")
    return _("about {minutes} min left").format(minutes=round(seconds / 60))


def step_facts(step: ClosingStepOut) -> str:
    """Return the facts of a step in a few words."""
    detail = step.detail
    if step.status == "running" and step.total:
        return _("{done} of {total}").format(done=step.done, total=step.total)
    if step.status == "skipped":
        return step.note
    facts = {
        "queues": lambda: _("{number} ended by the closing").format(number=detail["ended"]),
        "backup": lambda: _("{size}, opened again and compared").format(size=size_text(detail["bytes"])),
        "reports": lambda: _reports(detail),
        "synchronise": lambda: _("{sent} sent, {refused} refused").format(
            sent=detail["sent"], refused=detail["refused"]
        ),
        "verify": lambda: _proven(detail["agrees"]) if step.status == "done" else "",
    }
    try:
        return facts[step.name]()
    except KeyError:  # a step that failed before it had anything to tell
        return ""


def _reports(detail: Mapping[str, Any]) -> str:
    written = _("{number} written as CSV and XLSX").format(number=detail["reports"])
    if not (changed := detail.get("written_again")):
        return written
    return written + ", " + _("{number} of them changed").format(number=changed)


def _proven(agrees: bool | None) -> str:
    return _("backup whole, other end agrees") if agrees else _("backup whole")


def size_text(size: int) -> str:
    """Return a number of bytes as people read it: `3,4 MB`."""
    return _("{number} MB").format(number=number_text(round(size / 1e6, 1)))
