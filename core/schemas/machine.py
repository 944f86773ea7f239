"""The machine and its settings, as the admin sees them on the screen."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core.schemas.base import Line, Schema


class PlaceOut(Schema):
    """The disk behind one folder."""

    use: str
    """`data`, `backup_second`, `journal_dir` or `shared`."""
    path: str
    free_bytes: int | None = None
    """None: it is not there, or does not answer."""
    total_bytes: int | None = None
    is_there: bool
    answers: bool


class MachineOut(Schema):
    """`GET machine`: the server, its disks, and what waits for its next start."""

    version: str
    started_at: datetime
    places: list[PlaceOut]
    waiting: list[str]
    """Settings whose change applies at the next start."""
    problem: str = ""
    """Why the server would not start with what is written now, in words; empty: it would."""
    can_restart: bool


class SettingOut(Schema):
    """One setting."""

    variable: str
    running: str
    """Value in the running server; empty: none, or a secret's."""
    value: str
    """Value at the next start."""
    is_set: bool
    is_hidden: bool
    waits: bool
    """Whether a change applies at the next start."""
    source: str
    """`default`, `file` (.env), `environment` or `secret_file`."""
    fixed: str
    """Empty: it may be changed here. `machine`: in .env on the machine only. `environment`: it is set there."""


class SettingsOut(Schema):
    """`GET settings`: every setting, those that may be changed here first."""

    file: str
    """The file that is written."""
    settings: list[SettingOut]


class SettingFields(Schema):
    """`PUT settings/{variable}`: the new value as it stands in `.env`; empty: the default."""

    value: Annotated[Line, Field(max_length=400)]


class LogOut(Schema):
    """`GET log`: the newest lines of the server's log, oldest first."""

    lines: list[str]
