"""The settings as the admin sees them on the screen, and the change of one of them in `.env`.

Only what cannot turn the clinic against itself is changed there. Where the data lie, where records go, who may connect
and what is run stay with whoever has the machine: a sign-in as admin that somebody took over must not lead patients'
records elsewhere, nor a slip of the hand begin an empty clinic.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from core.foundation.config import SECRETS, HostPort, Settings, Startups
from core.foundation.errors import JournalError, SettingsError
from core.foundation.journal.patience import patiently
from core.foundation.private_files import sync_folder, write_private
from core.foundation.setting_variables import ENV_FILE, NOT_SETTINGS, PREFIX, variable, written

CHANGEABLE = (
    "timezone", "language", "close_at", "close_latest", "facility_name", "printer", "printer_columns",
    "print_tickets", "backup_second", "priority_ratio", "regular_wait_limit_minutes", "wait_warning_minutes",
    "skip_returns_after", "calls_before_skip", "undo_seconds", "token_hours", "idle_lock_minutes", "resume_minutes",
    "jkn_horizon_days", "jkn_quota", "sync_offset_minutes", "satusehat_per_minute", "bpjs_wait_seconds",
)  # fmt: skip
"""Names of the settings that are changed from the screen, in the order in which they stand there."""
HIDDEN = frozenset({*SECRETS, "backup_command", "database_url"})
"""Settings of which the screen says only that they are there; a command and an address may hold a password."""
DEVICES = re.compile(r"/dev/(usb/lp\d+|lp\d+|tty(USB|ACM|S)\d+)")
"""Printers at the machine itself; anything else under `/dev` may be a disk."""
PLAIN_VALUE = re.compile(r"[A-Za-z0-9_./:+,@%-]+")
"""Values that need no quotation marks in `.env`."""

Source = Literal["default", "file", "environment", "secret_file"]
Fixed = Literal["", "machine", "environment"]
"""Why a setting is not changed from the screen: it is the machine's, or the environment's goes over `.env`."""

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class SettingNow:
    """One setting: as the running server has it, and as the next start will have it."""

    variable: str
    running: str
    """Its value in this server; empty: none. Of a secret: empty."""
    value: str
    """Its value at the next start."""
    is_set: bool
    """Whether a secret is there."""
    is_hidden: bool
    waits: bool
    """Whether both differ: the change applies at the next start."""
    source: Source
    fixed: Fixed


def settings_now(
    running: Settings, environment: Mapping[str, str], env_file: Path = ENV_FILE
) -> Iterator[SettingNow]:
    """Yield every setting, those that can be changed here first.

    Args:
        running: Of this server.
        environment: Of this process; a restart keeps it.
        env_file: The clinic's `.env`.

    Raises:
        SettingsError: What is written would stop the next start.
    """
    coming = Settings.load(environment, env_file)
    in_file = written({}, env_file)
    others = [name for name in Settings.model_fields if name not in CHANGEABLE]
    for name in (*CHANGEABLE, *others):
        now, then = getattr(running, name), getattr(coming, name)
        is_hidden = name in HIDDEN
        yield SettingNow(
            variable=variable(name),
            running="" if is_hidden else text_of(now),
            value="" if is_hidden else text_of(then),
            is_set=bool(then),
            is_hidden=is_hidden,
            waits=now != then,
            source=_source(name, environment, in_file),
            fixed=_fixed(name, environment),
        )


def text_of(value: object) -> str:
    """Return a value as it is written in `.env`, a database's password left out."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, HostPort):
        return value.url.removeprefix("http://")
    if isinstance(value, Startups):
        return f"{value.begin}:{value.rate}:{value.full}"
    return _without_password(str(value))


def _without_password(text: str) -> str:
    address = urlsplit(text) if "://" in text else None
    if address is None or address.password is None:
        return text
    return text.replace(f":{address.password}@", ":***@", 1)


def _source(name: str, environment: Mapping[str, str], in_file: Mapping[str, str]) -> Source:
    setting = variable(name)
    if setting in environment:  # a blank one too: it goes over what `.env` says
        return "environment" if environment[setting].strip() else "default"
    if f"{setting}_FILE" in environment or f"{setting}_FILE" in in_file:
        return "secret_file"
    return "file" if setting in in_file else "default"


def _fixed(name: str, environment: Mapping[str, str]) -> Fixed:
    if name not in CHANGEABLE:
        return "machine"
    return "environment" if variable(name) in environment else ""


def change(
    name: str, value: str, environment: Mapping[str, str], env_file: Path = ENV_FILE
) -> tuple[str, str]:
    """Write one setting into `.env`, whose other lines stay as they are; it applies at the next start.

    The file is replaced in one step, and only by one with which the server would start. A link leads to the file that
    is replaced: the folder of the program need not be writable.

    Args:
        name: The setting, one of `CHANGEABLE`.
        value: As it is written there; empty: the default.
        environment: Of this process.
        env_file: The clinic's `.env`.

    Returns:
        The value before and the one that was written.

    Raises:
        SettingsError: It is not changed here, the value is wrong, or the file cannot be written. Nothing was changed.
    """
    if (fixed := _fixed(name, environment)) == "machine":
        raise SettingsError("{setting}: is changed on the machine only, in .env", setting=variable(name))
    if fixed:
        raise SettingsError(
            "{setting}: is set in the environment of the service, which goes over .env; change it there",
            setting=variable(name),
        )
    with _one_at_a_time:
        try:
            return _replace(name, value, environment, env_file.resolve())
        except OSError as error:
            raise SettingsError(
                "{file} cannot be written ({why}). docs/running.md says how Loket may write it.",
                file=env_file.resolve(), why=error.strerror,
            ) from None  # fmt: skip


def _replace(name: str, value: str, environment: Mapping[str, str], file: Path) -> tuple[str, str]:
    text = file.read_text("utf-8") if file.exists() else ""
    before = text_of(getattr(Settings.load(environment, file), name))
    candidate = file.with_name(f"{file.name}.candidate")
    write_private(candidate, _with_value(text, variable(name), value).encode())
    try:
        _require_nothing_else(variable(name), value, text, candidate)
        settings = Settings.load(environment, candidate)
        _require_others_alike(name, Settings.load(environment, file), settings)
        FURTHER.get(name, _nothing_further)(settings)
        candidate.replace(file)
    finally:
        candidate.unlink(missing_ok=True)
    sync_folder(file.parent)
    return before, text_of(getattr(settings, name))


def _with_value(text: str, setting: str, value: str) -> str:
    """Return the text of `.env` with one value in place of what stood there; the last one counts, so it is the only."""
    line = f"{setting}={_quoted(value)}\n" if value else ""
    parts = []
    for binding in parse_stream(io.StringIO(text)):
        part = binding.original.string
        if binding.key == setting:
            part = part[: len(part) - len(part.lstrip())] + line
            line = ""
        parts.append(part)
    whole = "".join(parts)
    if line and whole and not whole.endswith("\n"):
        whole += "\n"
    return whole + line


def _quoted(value: str) -> str:
    if PLAIN_VALUE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _require_nothing_else(setting: str, value: str, before: str, candidate: Path) -> None:
    """Refuse a value that is not read back as it was given, or that changes what other lines mean.

    Raises:
        SettingsError: It holds what `.env` reads in another way, such as `${`.
    """
    was = _others(dict(dotenv_values(stream=io.StringIO(before), interpolate=False)), setting)
    read = dict(dotenv_values(candidate, encoding="utf-8"))
    now = _others(dict(dotenv_values(candidate, interpolate=False, encoding="utf-8")), setting)
    if not value.isprintable() or (read.get(setting) or "") != value or was != now:
        raise SettingsError("{setting}: holds signs that .env reads in another way", setting=setting)


def _require_others_alike(name: str, before: Settings, after: Settings) -> None:
    """Refuse a change that moves another setting, which refers to this one in `.env`.

    Raises:
        SettingsError: Another setting would have another value.
    """
    moved = [
        other
        for other in Settings.model_fields
        if other != name and getattr(before, other) != getattr(after, other)
    ]
    if moved:
        raise SettingsError(
            "{setting}: {other} is made of it in .env; change it on the machine",
            setting=variable(name), other=variable(moved[0]),
        )  # fmt: skip


def _others(values: dict[str, str | None], setting: str) -> dict[str, str | None]:
    is_ours = {name for name in values if name.startswith(PREFIX) and name not in NOT_SETTINGS}
    return {name: values[name] for name in is_ours - {setting}}


def _nothing_further(settings: Settings) -> None:
    """Ask nothing more of a setting than its own shape."""


def _require_printer(settings: Settings) -> None:
    """Refuse to print into a file: what is printed would be written over it.

    Raises:
        SettingsError: It is neither on the network nor a device.
    """
    printer = settings.printer
    host = re.fullmatch(r"([^\s/]+):[0-9]{1,5}", printer)
    is_near = host is not None and _is_in_the_house(host[1])
    if printer and not is_near and not DEVICES.fullmatch(printer):
        raise SettingsError(
            "{setting}: must be address:port of the house's own network, or a device such as /dev/usb/lp0",
            setting=variable("printer"),
        )


def _is_in_the_house(host: str) -> bool:
    """Return whether an address is one of a network of one's own: what is printed must not be led elsewhere."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return False


def _require_second_place(settings: Settings) -> None:
    """Refuse a second place that is not there: the backups would stay on the first disk.

    Raises:
        SettingsError: It is no folder on its own that Loket can write, or does not answer.
    """
    setting, folder = variable("backup_second"), Path(settings.backup_second)
    if not settings.backup_second or not folder.is_absolute():
        raise SettingsError("{setting}: must be the whole path of a folder, from / on", setting=setting)
    if folder.resolve().is_relative_to(settings.home.resolve()):
        raise SettingsError(
            "{setting}: {path} lies in the data folder and is lost with it", setting=setting, path=folder
        )

    def look() -> None:
        with tempfile.TemporaryFile(dir=folder):
            os.listdir(folder)

    try:
        patiently(look)
    except JournalError:
        raise SettingsError("{setting}: {path} does not answer", setting=setting, path=folder) from None
    except OSError as error:
        raise SettingsError(
            "{setting}: {path} cannot be written ({why}). Is it connected?",
            setting=setting, path=folder, why=error.strerror,
        ) from None  # fmt: skip


FURTHER: Mapping[str, Callable[[Settings], None]] = {
    "printer": _require_printer,
    "backup_second": _require_second_place,
}
"""Setting -> what is asked of a value that comes from a screen, beside its shape."""
