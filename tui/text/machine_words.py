"""Words for the machine: its folders, and the settings that are changed on the screen."""

from __future__ import annotations

from collections.abc import Mapping

from core.schemas.machine import PlaceOut, SettingOut
from tui.text.formatting import number_text
from tui.text.translation import N_, _

USES: Mapping[str, str] = {
    "data": N_("Data"),
    "backup_second": N_("Second place"),
    "journal_dir": N_("Journal"),
    "shared": N_("Servers' folder"),
}
"""Use of a folder -> its name."""

TITLES: Mapping[str, str] = {
    "LOKET_TIMEZONE": N_("Time zone"),
    "LOKET_LANGUAGE": N_("Language of the screens"),
    "LOKET_CLOSE_AT": N_("The day closes at"),
    "LOKET_CLOSE_LATEST": N_("Queues end at the latest at"),
    "LOKET_FACILITY_NAME": N_("Name of the clinic"),
    "LOKET_PRINTER": N_("Printer at the server"),
    "LOKET_PRINTER_COLUMNS": N_("Letters in a row of its paper"),
    "LOKET_PRINT_TICKETS": N_("Every ticket is printed"),
    "LOKET_BACKUP_SECOND": N_("Second place for backups"),
    "LOKET_PRIORITY_RATIO": N_("Priority patients for a regular one"),
    "LOKET_REGULAR_WAIT_LIMIT_MINUTES": N_("Longest wait, minutes"),
    "LOKET_WAIT_WARNING_MINUTES": N_("Wait that is marked, minutes"),
    "LOKET_SKIP_RETURNS_AFTER": N_("Skipped: again after others"),
    "LOKET_CALLS_BEFORE_SKIP": N_("Calls before skipping"),
    "LOKET_UNDO_SECONDS": N_("Undo of a registration, seconds"),
    "LOKET_TOKEN_HOURS": N_("A sign-in lasts, hours"),
    "LOKET_IDLE_LOCK_MINUTES": N_("An idle terminal locks, minutes"),
    "LOKET_RESUME_MINUTES": N_("A cut line is resumed for, minutes"),
    "LOKET_JKN_HORIZON_DAYS": N_("Mobile JKN: days ahead"),
    "LOKET_JKN_QUOTA": N_("Mobile JKN: numbers a day"),
    "LOKET_SYNC_OFFSET_MINUTES": N_("Sending begins after, minutes"),
    "LOKET_SATUSEHAT_PER_MINUTE": N_("SATUSEHAT: requests a minute"),
    "LOKET_BPJS_WAIT_SECONDS": N_("Wait for BPJS, seconds"),
}
"""Variable -> what it is; the others stand under their variable."""

SOURCES: Mapping[str, str] = {
    "default": N_("default"),
    "file": ".env",
    "environment": N_("service"),
    "secret_file": N_("own file"),
}
"""Where a value comes from."""

FIXED: Mapping[str, str] = {
    "machine": N_("{name} is changed on the machine, in .env: docs/running.md."),
    "environment": N_(
        "{name} is set in the environment of the service, which goes over .env. Change it there."
    ),
}
"""Why a setting is not changed on the screen."""


def place_text(place: PlaceOut) -> str:
    """Return how much room a folder has."""
    if not place.answers:
        return _("DOES NOT ANSWER: {path}").format(path=place.path)
    if not place.is_there or place.free_bytes is None or place.total_bytes is None:
        return _("IS NOT THERE: {path}").format(path=place.path)
    return _("{free} free of {total}   {path}").format(
        free=_size(place.free_bytes), total=_size(place.total_bytes), path=place.path
    )


def _size(number: int) -> str:
    return f"{number_text(round(number / 1e9, 1))} GB"


def title(setting: SettingOut) -> str:
    """Return what a setting is; its variable where there are no words."""
    return _(TITLES[setting.variable]) if setting.variable in TITLES else setting.variable


def value_text(setting: SettingOut) -> str:
    """Return a setting's value, and the one that still runs where they differ."""
    hidden = _("(hidden)") if setting.is_set else "-"
    shown = hidden if setting.is_hidden else setting.value or "-"
    if setting.waits and not setting.is_hidden:
        shown += ", " + _("now {running}").format(running=setting.running or "-")
    return shown
