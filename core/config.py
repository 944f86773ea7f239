"""Settings: environment or `.env`, checked once at the start.

Every setting is named `LOKET_...` and listed in `.env.example`. A wrong value stops the
start with one line that names the setting and what would be right.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs
from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.errors import SettingsError

PREFIX = "LOKET_"
SPREAD_MINUTES = 60
"""Over how long a city's clinics are spread when they close at the same hour."""


class Address(BaseModel):
    """Where a server listens: `host:port`."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int = Field(ge=0, le=65535)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")

    @property
    def url(self) -> str:
        """`http://host:port`, IPv6 hosts in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def _address(value: object) -> object:
    if not isinstance(value, str):
        return value
    host, separator, port = value.strip().rpartition(":")
    if not separator or not host or not re.fullmatch("[0-9]{1,5}", port):
        raise ValueError("must be host:port, for example 127.0.0.1:8460")
    return {"host": host.strip("[]"), "port": int(port)}


def _zone(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("must be a time zone such as Asia/Makassar") from error


def _language(value: str) -> str:
    if value not in {"id", "en"}:
        raise ValueError("must be id or en")
    return value


def _target(value: str) -> str:
    if value not in {"office", "satusehat"}:
        raise ValueError("must be office or satusehat")
    return value


def _database_url(value: str) -> str:
    if value and not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return value


def _https(value: str) -> str:
    """The client's secret goes there: only a test server on this machine may do without TLS."""
    local = value.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))
    if value and not local and not value.startswith("https://"):
        raise ValueError("must begin with https://")
    return value


def _command(value: str) -> str:
    try:
        shlex.split(value)
    except ValueError:
        raise ValueError("a quotation mark has no end") from None
    return value


def _web_address(value: str) -> str:
    if value and (not value.startswith(("http://", "https://")) or not urlsplit(value).hostname):
        raise ValueError("must be a web address such as https://office.example/fhir")
    return value.rstrip("/")


def _clock_time(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        parsed = time.fromisoformat(value.strip())
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is not None:  # the zone is LOKET_TIMEZONE's
        raise ValueError("must be a time of day such as 15:00")
    return parsed


AddressSetting = Annotated[Address, BeforeValidator(_address)]
LanguageSetting = Annotated[str, AfterValidator(_language)]


class Settings(BaseModel):
    """Everything that differs between clinics. Immutable after the start."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, extra="forbid")

    home: Path = Field(default_factory=lambda: Path(platformdirs.user_data_path("loket")))
    """Data folder: database, keys, backups, logs."""
    database_url: Annotated[str, AfterValidator(_database_url)] = ""
    """Empty: SQLite in `home`. Otherwise `sqlite:///path` or `postgresql://...`."""
    http: AddressSetting = Address(host="127.0.0.1", port=8460)
    """Where the core server listens."""
    ssh: AddressSetting = Address(host="127.0.0.1", port=8422)
    """Where the SSH door listens."""
    office_http: AddressSetting = Address(host="127.0.0.1", port=8470)
    """Where `loket office` listens."""
    server_url: Annotated[str, AfterValidator(_web_address)] = ""
    """Where terminals and doors find the core; empty: derived from `http`."""
    timezone: Annotated[ZoneInfo, BeforeValidator(_zone)] = ZoneInfo("Asia/Makassar")
    """The clinic's time zone."""
    language: LanguageSetting = "id"
    """Screen language: `id` or `en`."""
    close_at: Annotated[time, BeforeValidator(_clock_time)] = time(15, 0)
    """Local time of the day's closing."""
    office_url: Annotated[str, AfterValidator(_web_address)] = ""
    """The City Health Office's FHIR base; empty: nothing is sent."""
    office_token: str = ""
    """This clinic's token at the office."""
    sync_target: Annotated[str, AfterValidator(_target)] = "office"
    """Which rules the other end has."""
    sync_offset_minutes: int | None = Field(default=None, ge=0, le=240)
    """Minutes after closing at which sending begins; unset: spread over an hour by facility code."""
    clusters: str = "poli"
    """`poli`, `ilp` or the path of a clusters file."""
    vocabulary: str = ""
    """Path of the clinic's own routing words; empty: the built-in ones."""
    facility_code: str = Field(default="P6371010101", min_length=1, max_length=32)
    """The facility's national code; the demo's is made up."""
    facility_name: str = Field(default="Puskesmas Loket", min_length=1, max_length=80)
    """Shown on screens, tickets and letters."""
    priority_ratio: int = Field(default=2, ge=1, le=20)
    """Priority patients called for each regular one while both wait."""
    regular_wait_limit_minutes: int = Field(default=60, ge=5, le=480)
    """Having waited this long, a regular patient no longer yields to the protected groups."""
    wait_warning_minutes: int = Field(default=30, ge=1, le=480)
    """Waits from here on are marked on the panes; from `regular_wait_limit_minutes` on as too long."""
    skip_returns_after: int = Field(default=3, ge=1, le=20)
    """How many others are called before a skipped patient's turn comes again."""
    calls_before_skip: int = Field(default=3, ge=1, le=10)
    """After this many calls without an answer the screen proposes to skip."""
    undo_seconds: int = Field(default=120, ge=10, le=3600)
    """How long a registration can be undone or moved by one key."""
    token_hours: int = Field(default=12, ge=1, le=72)
    """How long a sign-in lasts."""
    lock_hours: int = Field(default=48, ge=1, le=240)
    """A record can be corrected this long after entry; addenda only afterwards (PMK 24/2022 art. 30)."""
    idle_lock_minutes: float = Field(default=15, gt=0, le=240)
    """An idle terminal asks for the password after this time."""
    resume_minutes: float = Field(default=15, ge=0, le=240)
    """How long an app outlives its connection."""
    backup_keep_daily: int = Field(default=30, ge=1)
    """Daily backups kept."""
    backup_keep_monthly: int = Field(default=12, ge=0)
    """Monthly backups kept beyond that."""
    backup_second: str = ""
    """A second folder for backups, on another disk."""
    backup_command: Annotated[str, AfterValidator(_command)] = ""
    """A command run with each new backup: its path where `{file}` stands, or as the last argument."""
    printer: str = ""
    """Empty: the printer at the terminal. `host:port` for ESC/POS on the network, or the path of a device or
    file: ESC/POS too, plain text when it ends in `.txt`."""
    printer_columns: int = Field(default=32, ge=24, le=136)
    """Letters in a row of the paper: 32 on a roll of 58 mm, 48 on one of 80 mm."""
    print_tickets: bool = False
    """Whether each ticket is printed without a key."""
    public_url: Annotated[str, AfterValidator(_web_address)] = ""
    """Where patients' phones find this server; empty: tickets carry no address of their page."""
    satusehat_url: Annotated[str, AfterValidator(_https)] = ""
    """SATUSEHAT's host, when `sync_target` is satusehat."""
    satusehat_client_id: str = ""
    """OAuth2 client id."""
    satusehat_client_secret: str = ""
    """OAuth2 client secret."""
    satusehat_organization: str = ""
    """The facility's IHS organisation number."""
    satusehat_per_minute: int = Field(default=60, ge=1, le=6000)
    """Requests per minute; no limit is published, so start low (indonesia.md 5.7)."""
    satusehat_earliest: date = date(2014, 6, 3)
    """No visit before this day is sent; descriptions differ (indonesia.md 5.5)."""
    satusehat_create_patients: bool = True
    """Make a patient whose NIK SATUSEHAT does not know; otherwise the visits wait."""
    satusehat_bundles: bool = True
    """Send a new visit as one transaction; otherwise each resource by itself."""
    satusehat_vitals: str = "8480-6,8462-4,8867-4,9279-1,8310-5,29463-7,8302-2"
    """LOINC codes of the vital signs that are sent: those of the playbook (indonesia.md 5.4)."""
    jkn_username: str = ""
    """What Mobile JKN signs in with; empty: its endpoints answer 404."""
    jkn_password: str = ""
    """And its password."""
    jkn_horizon_days: int = Field(default=1, ge=0, le=30)
    """How many days ahead Mobile JKN may take numbers."""
    jkn_quota: int = Field(default=0, ge=0, le=1000)
    """Most numbers taken from home per cluster and day; 0: no limit."""

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, env_file: Path | None = None) -> Settings:
        """Read `.env` (the current folder's unless given), then the environment over it.

        Raises:
            SettingsError: One line naming the setting, its value's fault and the remedy.
        """
        values: dict[str, str | None] = dict(dotenv_values(env_file or Path(".env")))
        values.update(os.environ if environment is None else environment)
        chosen = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in values.items()
            if name.startswith(PREFIX) and value is not None and value.strip() != ""
        }
        for name in SECRETS:
            if (file := chosen.pop(f"{name}_file", None)) is not None:
                chosen[name] = _secret(f"{PREFIX}{name.upper()}_FILE", Path(file))
        known = set(cls.model_fields)
        unknown = sorted(set(chosen) - known - NOT_SETTINGS)
        if unknown:
            raise SettingsError(
                "{setting}: there is no such setting; see .env.example", setting=PREFIX + unknown[0].upper()
            )
        try:
            return cls.model_validate({name: chosen[name] for name in chosen if name in known})
        except ValidationError as error:
            raise _fault(error) from None

    @classmethod
    def language_wanted(cls) -> str:
        """The language in which to say that another setting is wrong."""
        values = {**dotenv_values(Path(".env")), **os.environ}
        wanted = values.get(f"{PREFIX}LANGUAGE")
        return wanted if wanted in {"id", "en"} else "id"

    @property
    def resolved_database_url(self) -> str:
        """The database's URL, the default filled in."""
        return self.database_url or f"sqlite:///{self.home / 'loket.sqlite3'}"

    @property
    def resolved_server_url(self) -> str:
        """Where to reach the core over HTTP."""
        return self.server_url or self.http.url

    @property
    def resolved_sync_offset_minutes(self) -> int:
        """The offset, the default filled in: the same for a clinic every day, 0 to 59."""
        if self.sync_offset_minutes is not None:
            return self.sync_offset_minutes
        return int.from_bytes(hashlib.sha256(self.facility_code.encode()).digest()[:4]) % SPREAD_MINUTES

    @property
    def door_token_file(self) -> Path:
        """The SSH door's own credential, mode 0600."""
        return self.home / "door.token"


SECRETS = ("office_token", "satusehat_client_secret", "jkn_password")
"""Settings that can also stand in a file of their own: `LOKET_OFFICE_TOKEN_FILE=/path`."""


FAULTS = {
    "greater_than_equal": "must be at least {limit}",
    "greater_than": "must be more than {limit}",
    "less_than_equal": "must be at most {limit}",
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "bool_parsing": "must be yes or no",
    "date_from_datetime_parsing": "must be a day such as 2026-01-31",
    "string_too_long": "must be at most {limit} letters long",
}
"""Pydantic's error types in plain words."""
LIMITS = ("ge", "gt", "le", "max_length")


def _fault(error: ValidationError) -> SettingsError:
    """The first of what pydantic found, in plain words."""
    first = error.errors(include_url=False)[0]
    setting = PREFIX + str(first["loc"][0]).upper()
    words = FAULTS.get(first["type"], first["msg"].removeprefix("Value error, "))
    limit = next((value for name, value in (first.get("ctx") or {}).items() if name in LIMITS), "")
    return SettingsError(f"{{setting}}: {words}", setting=setting, limit=limit)


def _secret(setting: str, file: Path) -> str:
    """A secret from its file, which nobody else may read."""
    try:
        if file.stat().st_mode & 0o077:
            raise SettingsError(
                "{setting}: others can read {file}; run: chmod 600 {file}", setting=setting, file=file
            )
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(
            "{setting}: {file} cannot be read ({why})", setting=setting, file=file, why=error.strerror
        ) from None


NOT_SETTINGS = {"door_token"}
"""LOKET_ names that are read elsewhere and are not settings of the clinic."""
