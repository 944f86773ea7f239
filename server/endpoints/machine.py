"""The machine for the admin: disks, settings, the server's log, and its restart."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from fastapi import BackgroundTasks, Query, Request

import core
from core.foundation import audit, log_files, setting_editing
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, transaction
from core.foundation.errors import JournalError, NotFoundError, RuleError, SettingsError
from core.foundation.journal.patience import patiently
from core.foundation.setting_variables import ENV_FILE, variable, written
from core.schemas.base import Line
from core.schemas.machine import LogOut, MachineOut, PlaceOut, SettingFields, SettingOut, SettingsOut
from server import starting
from server.resources import resource
from server.restarting import Restarting
from server.security import AdminNow, ClinicNow, LanguageNow
from server.text.failures import wrong_setting
from server.text.translation import speaking

router = resource("machine")

NAMES = {variable(name): name for name in Settings.model_fields}
"""Variable -> the setting's name."""
OF_A_CLINIC = frozenset({"LOKET_HOME", "LOKET_DATABASE_URL", "LOKET_FACILITY_CODE"})
"""Settings by which an `.env` is a clinic's: the demo, whose passwords everybody knows, does not change it."""
LOG_LINES = 500


@router.get("/machine")
def machine(request: Request, actor: AdminNow, clinic: ClinicNow, language: LanguageNow) -> MachineOut:
    """Return the disks, what waits for the next start, and whether the server can be started again from here."""
    restarting = _restarting(request)
    waiting, problem = [], ""
    try:
        waiting = [setting.variable for setting in _settings_now(clinic) if setting.waits]
    except SettingsError as error:
        with speaking(language):
            problem = wrong_setting(error)
    return MachineOut(
        version=core.__version__,
        started_at=restarting.started_at,
        places=list(_places(clinic.settings)),
        waiting=waiting,
        problem=problem,
        can_restart=restarting.is_possible,
    )


@router.get("/settings")
def settings(actor: AdminNow, clinic: ClinicNow, language: LanguageNow) -> SettingsOut:
    """Return every setting with its value and its origin; secrets are hidden."""
    with _refusing(language):
        found = list(_settings_now(clinic))
    return SettingsOut(
        file=str(ENV_FILE.resolve()), settings=[SettingOut.model_validate(vars(setting)) for setting in found]
    )


@router.put("/settings/{name}")
def change_setting(
    name: str, body: SettingFields, actor: AdminNow, clinic: ClinicNow, language: LanguageNow
) -> SettingOut:
    """Write one setting into `.env`; it applies at the next start. A wrong value is refused, and nothing is written."""
    if name not in NAMES:
        raise NotFoundError("setting", name[:40])
    # The row of the audit log first: where it cannot be written, nothing is changed; a refused change takes it back.
    with _refusing(language), connection(), transaction():
        _require_own_file(clinic)
        before = _setting_now(clinic, name).value
        audit.record(actor, "setting_changed", "clinic", name, setting=name, before=before, after=body.value)
        setting_editing.change(NAMES[name], body.value, os.environ)
    return SettingOut.model_validate(vars(_setting_now(clinic, name)))


@router.get("/log")
def server_log(
    actor: AdminNow,
    clinic: ClinicNow,
    level: Annotated[Literal["INFO", "WARNING", "ERROR"], Query(description="The least grave")] = "INFO",
    text: Annotated[Line, Query(max_length=80, description="Letters that the line holds")] = "",
    limit: Annotated[int, Query(ge=1, le=LOG_LINES)] = 200,
) -> LogOut:
    """Return the newest lines of the server's log, which holds no patient's data."""
    return LogOut(lines=log_files.newest_lines(clinic.settings.home, limit, level=level, text=text))


@router.post("/machine/restart", status_code=202)
def restart(
    request: Request, actor: AdminNow, clinic: ClinicNow, language: LanguageNow, background: BackgroundTasks
) -> MachineOut:
    """Start the server again, when it would start with what is written now; the answer comes before.

    What would stop it is tried by a process of its own: settings, clusters, words, forms, roster, certificate, ports, database.
    """
    restarting = _restarting(request)
    if not restarting.is_possible:
        raise RuleError("restart_not_possible")
    if words := starting.refusal(restarting.words, clinic.settings, language):
        raise RuleError("setting_refused", words=words)
    with connection():
        audit.record(actor, "server_restarted", "clinic", clinic.settings.facility_code)
    background.add_task(restarting.ask)
    return machine(request=request, actor=actor, clinic=clinic, language=language)


def _restarting(request: Request) -> Restarting:
    found: Restarting = request.app.state.restarting
    return found


def _setting_now(clinic: Clinic, name: str) -> setting_editing.SettingNow:
    return next(setting for setting in _settings_now(clinic) if setting.variable == name)


def _settings_now(clinic: Clinic) -> Iterator[setting_editing.SettingNow]:
    return setting_editing.settings_now(clinic.settings, os.environ)


@contextmanager
def _refusing(language: str) -> Iterator[None]:
    """Turn a setting that is wrong into a refusal with its remedy, in the language that was asked for."""
    try:
        yield
    except SettingsError as error:
        with speaking(language):
            words = wrong_setting(error)
        raise RuleError("setting_refused", words=words) from None


def _require_own_file(clinic: Clinic) -> None:
    """Refuse to let the demo change a clinic's settings.

    Raises:
        SettingsError: The `.env` in this folder is a clinic's.
    """
    if clinic.demo and OF_A_CLINIC & written({}, ENV_FILE).keys():
        raise SettingsError(
            "{file} belongs to a clinic; the demo does not change it", file=ENV_FILE.resolve()
        )


def _places(settings: Settings) -> Iterator[PlaceOut]:
    folders = {"data": str(settings.home)} | {
        name: getattr(settings, name) for name in ("backup_second", "journal_dir", "shared")
    }
    for use, folder in folders.items():
        if folder:
            yield _place(use, Path(folder))


def _place(use: str, folder: Path) -> PlaceOut:
    """Return how much room there is in a folder, which may lie on a network that is away."""
    place = PlaceOut(use=use, path=str(folder), is_there=True, answers=True)
    try:
        usage = patiently(lambda: shutil.disk_usage(folder))
    except JournalError:
        return place.model_copy(update={"answers": False})
    except OSError:
        return place.model_copy(update={"is_there": False})
    return place.model_copy(update={"free_bytes": usage.free, "total_bytes": usage.total})
