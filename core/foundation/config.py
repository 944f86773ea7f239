"""Settings: environment or `.env`, checked once at the start.

Every setting is named `LOKET_...` and listed in `.env.example`. A wrong value stops the
start with one line that names the setting and what would be right.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import shlex
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.foundation.catalogues import installed_languages
from core.foundation.certificate_files import CertificateFiles
from core.foundation.codes import MachineRole
from core.foundation.errors import SettingsError
from core.foundation.languages import DEFAULT_LANGUAGE
from core.foundation.setting_sources import SECRET, SecretFiles, WrittenSettings, secrets
from core.foundation.setting_variables import ENV_FILE, variable

LANGUAGES = installed_languages()
"""Languages that a clinic can choose."""
SPREAD_MINUTES = 60
"""Over how long a city's clinics are spread when they close at the same hour."""
CLOSING_GRACE = timedelta(hours=1)
"""Time for which people stay in the queues after the closing hour, unless `LOKET_CLOSE_LATEST` says otherwise."""


class HostPort(BaseModel):
    """Address at which a server listens: `host:port`."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int = Field(ge=0, le=65535)

    @property
    def is_loopback(self) -> bool:
        """True where only this machine can reach it."""
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


class Startups(BaseModel):
    """Connections that have not signed in: `begin:rate:full`, as OpenSSH's MaxStartups."""

    model_config = ConfigDict(frozen=True)

    begin: int = Field(ge=1, le=10_000)
    rate: int = Field(ge=0, le=100)
    full: int = Field(ge=2, le=10_000)


def _startups(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not re.fullmatch("[0-9]{1,5}:[0-9]{1,3}:[0-9]{1,5}", value.strip()):
        raise ValueError("must be begin:rate:full, for example 40:30:200")
    return dict(zip(("begin", "rate", "full"), map(int, value.strip().split(":")), strict=True))


def _addresses(value: str) -> str:
    parts = [part.strip() for part in value.split(",") if part.strip()]
    try:
        for part in parts:
            ipaddress.ip_network(part)
    except ValueError:
        raise ValueError("must be addresses such as 192.0.2.1, with commas between them") from None
    return ",".join(parts)


def _zone(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("must be a time zone such as Asia/Makassar") from error


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


def _web_addresses(value: str) -> str:
    """Check a list of web addresses and return it with commas."""
    return ",".join(_web_address(part) for part in re.split(r"[,\s]+", value) if part)


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


def _absolute(value: str) -> str:
    if value and not Path(value).is_absolute():
        raise ValueError("must be the whole path of a folder, from / on")
    return value


IDENTITY_FIELDS = ("religion", "education", "occupation", "marital_status")
"""Fields of an identity that can be asked after the save."""


def _identity_fields(value: str) -> str:
    """Check the names of fields, with commas between them, and return them in their order."""
    named = {part for part in re.split(r"[,\s]+", value) if part}
    if named - set(IDENTITY_FIELDS):
        raise ValueError(f"must be some of {','.join(IDENTITY_FIELDS)}, or empty")
    return ",".join(name for name in IDENTITY_FIELDS if name in named)


def _absolute_file(value: str) -> str:
    if value and not Path(value).is_absolute():
        raise ValueError("must be the whole path of a file, from / on")
    return value


def _areas(value: str) -> str:
    """Check the codes of villages and districts, with commas between them, and return them without dots."""
    codes = [part for part in re.split(r"[,\s]+", value.replace(".", "")) if part]
    if any(not code.isdigit() or len(code) not in {4, 6, 10} for code in codes):
        raise ValueError("must be codes of villages (10 digits) or districts (6) such as 637101,6371031001")
    return ",".join(codes)


def _position(value: str) -> str:
    """Check latitude and longitude in degrees, with a comma between them."""
    parts = value.replace(" ", "")
    found = re.fullmatch(r"(-?\d{1,2}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)", parts)
    if parts and (found is None or abs(float(found[1])) > 90 or abs(float(found[2])) > 180):
        raise ValueError("must be latitude and longitude such as -3.3194,114.5908")
    return parts


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError(f"must be {' or '.join(LANGUAGES)}")
    return value


AddressSetting = Annotated[HostPort, BeforeValidator(_address)]
Language = Annotated[str, AfterValidator(_language)]
Receiver = Literal["office", "satusehat"]
Secret = Annotated[str, SECRET]


class Settings(BaseSettings):
    """Everything that differs between clinics. Immutable after the start.

    `load` reads what is written; made by hand, the settings are those given and the defaults, so that no program
    or test takes up another clinic's by chance.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=variable,
        validate_by_name=True,
        validate_default=False,
        case_sensitive=True,
        enable_decoding=False,  # `127.0.0.1:8460` is read by the field's own validator, not as JSON
    )

    home: Path = Field(default_factory=lambda: Path(platformdirs.user_data_path("loket")))
    """Data folder: database, keys, backups, logs."""
    role: MachineRole = MachineRole.CORE
    """`core`: keeps the records. `counter`: a counter's own machine, which goes on while the core of LOKET_SERVER_URL is
    away."""
    counter_secret: Annotated[str, AfterValidator(_absolute_file)] = ""
    """In the role `counter`: file on a removable token, or unsealed by the TPM, without which the store does not open."""
    counter_memory: Annotated[str, AfterValidator(_absolute)] = "/dev/shm"  # noqa: S108  # memory, not a disk
    """In the role `counter`: a folder in memory, where the store is open."""
    database_url: Annotated[str, AfterValidator(_database_url)] = ""
    """Empty: SQLite in `home`. Otherwise `sqlite:///path` or `postgresql://...`."""
    http: AddressSetting = HostPort(host="127.0.0.1", port=8460)
    """Where the core server listens."""
    ssh: AddressSetting = HostPort(host="127.0.0.1", port=8422)
    """Where the SSH door listens."""
    ssh_starts: Annotated[Startups, BeforeValidator(_startups)] = Startups(begin=40, rate=30, full=200)
    """Connections that have not signed in: from `begin` strangers on, `rate` percent of new ones are dropped, more
    and more up to all; `full` in all, one half of them for addresses that have signed in lately."""
    ssh_starts_per_source: int = Field(default=32, ge=1, le=10_000)
    """Such connections of one address that has not signed in lately."""
    ssh_handshake_seconds: float = Field(default=20, ge=1, le=600)
    """Time to agree on ciphers over SSH; a client that is there does so by itself."""
    ssh_sign_in_seconds: float = Field(default=60, ge=5, le=600)
    """Time to sign in over SSH."""
    ssh_penalty_seconds: float = Field(default=600, ge=0, le=86_400)
    """Longest time for which an address that guesses or floods is made to wait; 0: never."""
    ssh_connections_per_account: int = Field(default=20, ge=1, le=10_000)
    """SSH connections of one account that have signed in."""
    ssh_connections_per_source: int = Field(default=100, ge=1, le=10_000)
    """SSH connections of one address that have signed in; all counters of a clinic may share one."""
    ssh_channels: int = Field(default=10, ge=1, le=1_000)
    """Channels of one SSH connection, as OpenSSH's MaxSessions."""
    ssh_seats: int = Field(default=100, ge=1, le=1_000)
    """Screens and dialogues of one SSH door; addresses that were not known take half of them at most."""
    ssh_seats_per_account: int = Field(default=10, ge=1, le=1_000)
    """Those of one account."""
    http_connections: int = Field(default=800, ge=10, le=60_000)
    """HTTP connections; when there are more, the address that holds the most gives one up."""
    http_half_per_source: int = Field(default=64, ge=1, le=60_000)
    """HTTP connections of one address whose request's head is not complete; the oldest goes."""
    http_guesses_per_source: int = Field(default=10, ge=1, le=1_000)
    """Passwords of one address that has not signed in lately which may wait to be checked."""
    http_head_bytes: int = Field(default=16_384, ge=1_024, le=1_048_576)
    """Largest head of a request."""
    http_head_seconds: float = Field(default=15, ge=1, le=300)
    """Time for a request's head to arrive."""
    http_body_seconds: float = Field(default=120, ge=1, le=3_600)
    """Time for its body."""
    http_idle_seconds: int = Field(default=75, ge=1, le=3_600)
    """Silence between two requests."""
    http_streams: int = Field(default=300, ge=2, le=10_000)
    """Event streams; one half is kept for addresses that have signed in lately."""
    http_streams_per_account: int = Field(default=20, ge=1, le=10_000)
    """Those of one account."""
    http_streams_per_source: int = Field(default=100, ge=1, le=10_000)
    """Those of one address that has signed in lately."""
    http_streams_per_stranger: int = Field(default=20, ge=1, le=10_000)
    """Those of one other address: the waiting room's pages."""
    trusted_proxies: Annotated[str, AfterValidator(_addresses)] = ""
    """Addresses of web servers before this one, with commas, whose X-Forwarded-For is believed; empty: none."""
    office_http: AddressSetting = HostPort(host="127.0.0.1", port=8470)
    """Where `loket office` listens."""
    ssh_classic_exchange: bool = True
    """True if SSH clients without a post-quantum key exchange may connect: OpenSSH before 9.9, PuTTY before 0.83."""
    ssh_shared_port: bool = False
    """True if several SSH doors of this machine listen on one port: the system spreads new connections over them."""
    plain_http: bool | None = None
    """True if HTTP beyond loopback goes without encryption; unset: no, but a clinic that did so is asked first."""
    tls_certificate: str = ""
    """File with a certificate for HTTPS and those above it; empty: one of the clinic's own authority."""
    tls_key: str = ""
    """File with its private key; empty: in the same file."""
    tls_names: str = ""
    """Further names, with commas, for the certificate of the clinic's own authority."""
    server_fingerprint: str = ""
    """SHA-256 of the clinic's authority that a counter or a door is to find at its first contact."""
    display_http: AddressSetting | None = None
    """A plain port for the waiting room's page and the tickets' pages: numbers only, no people."""
    office_hosts: str = ""
    """Names, with commas, under which the office is asked for; addresses in figures and its own name always are."""
    server_url: Annotated[str, AfterValidator(_web_addresses)] = ""
    """Addresses at which terminals and doors find the core, with commas where another may take over; empty: derived from
    `http`."""
    timezone: Annotated[ZoneInfo, BeforeValidator(_zone)] = ZoneInfo("Asia/Makassar")
    """The clinic's time zone."""
    language: Language = DEFAULT_LANGUAGE
    """Screen language: `id` or `en`."""
    close_at: Annotated[time, BeforeValidator(_clock_time)] = time(15, 0)
    """Local time of the day's closing."""
    close_latest: Annotated[time | None, BeforeValidator(_clock_time)] = None
    """Local time at which those still in a queue are ended without an answer; empty: an hour after `close_at`."""
    office_url: Annotated[str, AfterValidator(_web_address)] = ""
    """The City Health Office's FHIR base; empty: nothing is sent."""
    office_token: Secret = ""
    """This clinic's token at the office."""
    sync_target: Receiver = "office"
    """Which rules the other end has."""
    sync_offset_minutes: int | None = Field(default=None, ge=0, le=240)
    """Minutes after closing at which sending begins; unset: spread over an hour by facility code."""
    clusters: str = "poli"
    """`poli`, `ilp` or the path of a clusters file."""
    vocabulary: str = ""
    """Path of the clinic's own routing words; empty: the built-in ones."""
    roster: str = ""
    """Path of the clinic's roster (closed days; who works when); empty: closed on Sundays, no hours known."""
    facility_code: str = Field(default="P6371010101", min_length=1, max_length=32)
    """The facility's national code; the demo's is made up."""
    facility_name: str = Field(default="Puskesmas Loket", min_length=1, max_length=80)
    """Shown on screens, tickets and letters."""
    catchment: Annotated[str, AfterValidator(_areas)] = ""
    """Codes of the villages or districts that the clinic serves, with commas; empty: reports do not say who is from there."""
    facility_position: Annotated[str, AfterValidator(_position)] = ""
    """Latitude and longitude of the building, for SATUSEHAT; empty: not told."""
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
    reports_with_names: bool = True
    """True if the closing writes reports that name patients into files; no: they are made on demand only."""
    backup_keep_daily: int = Field(default=30, ge=1)
    """Daily backups kept."""
    backup_keep_monthly: int = Field(default=12, ge=0)
    """Monthly backups kept beyond that."""
    shared: str = ""
    """A folder that all servers of one PostgreSQL reach, for backups and reports; empty: the data folder."""
    backup_second: str = ""
    """A second folder for backups, on another disk."""
    backup_command: Annotated[str, AfterValidator(_command)] = ""
    """A command run with each new backup: its path where `{file}` stands, or as the last argument."""
    journal_dir: Annotated[str, AfterValidator(_absolute)] = ""
    """A folder on another disk for the journal: what was acknowledged outlives this one. Empty: there is none."""
    wal_archive: Annotated[str, AfterValidator(_absolute)] = ""
    """The folder in which PostgreSQL's tools keep bases and log, for the doctor; empty: it is not looked into."""
    printer: str = ""
    """Empty: the printer at the terminal. `host:port` for ESC/POS on the network, or the path of a device or
    file: ESC/POS too, plain text when it ends in `.txt`."""
    printer_columns: int = Field(default=32, ge=24, le=136)
    """Letters in a row of the paper: 32 on a roll of 58 mm, 48 on one of 80 mm."""
    print_tickets: bool = False
    """Whether each ticket is printed without a key."""
    public_url: Annotated[str, AfterValidator(_web_address)] = ""
    """Where patients' phones find this server; empty: tickets carry no address of their page."""
    identity_asked: Annotated[str, AfterValidator(_identity_fields)] = (
        "religion,education,occupation,marital_status"
    )
    """Facts of an identity that are asked besides, after the save (KMK 1423/2022); empty: none."""
    satusehat_url: Annotated[str, AfterValidator(_https)] = ""
    """SATUSEHAT's host, when `sync_target` is satusehat."""
    satusehat_client_id: str = ""
    """OAuth2 client id."""
    satusehat_client_secret: Secret = ""
    """OAuth2 client secret."""
    satusehat_organization: str = ""
    """The facility's IHS organisation number."""
    satusehat_per_minute: int = Field(default=60, ge=1, le=6000)
    """Requests per minute; no limit is published, so start low (docs/reference/indonesia.md 5.7)."""
    satusehat_earliest: date = date(2014, 6, 3)
    """No visit before this day is sent; descriptions differ (docs/reference/indonesia.md 5.5)."""
    satusehat_create_patients: bool = True
    """Make a patient whose NIK SATUSEHAT does not know; otherwise the visits wait."""
    satusehat_bundles: bool = True
    """Send a new visit as one transaction; otherwise each resource by itself."""
    satusehat_vitals: str = (
        "8480-6,8462-4,8867-4,9279-1,8310-5,59408-5,29463-7,8302-2,8280-0,284473002,9843-4,2339-0"
    )
    """LOINC codes (SNOMED for the arm) of the vital signs that are sent: those of the playbook (docs/reference/indonesia.md 5.4)."""
    bpjs_url: Annotated[str, AfterValidator(_https)] = ""
    """P-Care's address; empty: BPJS is not asked (docs/reference/bpjs.md 1)."""
    bpjs_queue_url: Annotated[str, AfterValidator(_https)] = ""
    """The address of the queue that Mobile JKN shows."""
    bpjs_consumer_id: str = ""
    """The clinic's consumer id at BPJS."""
    bpjs_secret: Secret = ""
    """The consumer's secret: signs requests and opens answers."""
    bpjs_user_key: Secret = ""
    """The key for P-Care."""
    bpjs_queue_user_key: Secret = ""
    """The key for the queue; another than P-Care's."""
    bpjs_username: str = ""
    """The clinic's user in P-Care."""
    bpjs_password: Secret = ""
    """And its password."""
    bpjs_queue_adds_booked: bool = False
    """True tells the queue of a number that Mobile JKN itself gave; descriptions differ (docs/reference/bpjs.md 13)."""
    bpjs_application: str = "095"
    """The number of the application in P-Care's sign-in."""
    bpjs_provider: str = ""
    """The clinic's own number at BPJS (kdProvider): whose members are its own."""
    bpjs_members: int = Field(default=0, ge=0)
    """Members registered at this clinic, as BPJS counts them for the capitation; 0: not known, and no rate is worked out."""
    bpjs_content_type: Literal["application/x-www-form-urlencoded", "application/json", "text/plain"] = (
        "application/x-www-form-urlencoded"
    )
    """Content type of a body to P-Care; descriptions differ (docs/reference/bpjs.md 13)."""
    bpjs_visit_path: Literal["kunjungan/V1", "kunjungan"] = "kunjungan/V1"
    """Path of a visit in P-Care; descriptions differ (docs/reference/bpjs.md 13)."""
    bpjs_temperature: Literal["text", "number"] = "text"
    """A temperature is sent as "36,4" or as 36; descriptions differ (docs/reference/bpjs.md 13)."""
    bpjs_wait_seconds: float = Field(default=8, gt=0, le=60)
    """Time for which a counter waits in the background for an answer about a participant."""
    jkn_username: str = ""
    """User name of Mobile JKN; empty: its endpoints answer 404."""
    jkn_password: Secret = ""
    """And its password."""
    jkn_horizon_days: int = Field(default=1, ge=0, le=30)
    """How many days ahead Mobile JKN may take numbers."""
    jkn_quota: int = Field(default=0, ge=0, le=1000)
    """Most numbers taken from home per cluster and day; 0: no limit."""
    jkn_complaint_required: bool = True
    """True if nobody gets a number at home without a complaint; older versions of Mobile JKN send none."""
    jkn_http_status: Literal["200", "code"] = "200"
    """HTTP status of a refusal to Mobile JKN: always 200, or the code in the answer (201, 202)."""

    @field_validator("close_latest")
    @classmethod
    def _not_before_closing(cls, value: time | None, info: ValidationInfo) -> time | None:
        if value is not None and "close_at" in info.data and value < info.data["close_at"]:
            raise ValueError("must not be before LOKET_CLOSE_AT")
        return value

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, env_file: Path | None = None) -> Settings:
        """Read `.env` (the current folder's unless given), then the environment over it.

        Raises:
            SettingsError: One line naming the setting, its value's fault and the remedy.
        """
        written = WrittenSettings(
            cls, os.environ if environment is None else environment, env_file or ENV_FILE
        )
        secret_files = SecretFiles(cls, written)
        try:
            return cls.model_validate({**written(), **secret_files()})
        except ValidationError as error:
            raise _fault(error) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given by hand alone; `load` asks the others.

        Args:
            settings_cls: This class.
            init_settings: What is given by hand.
            env_settings: Not asked.
            dotenv_settings: Not asked.
            file_secret_settings: Not asked.
        """
        return (init_settings,)

    @property
    def resolved_database_url(self) -> str:
        """The database's URL, the default filled in."""
        return self.database_url or f"sqlite:///{self.home / 'loket.sqlite3'}"

    @property
    def resolved_server_url(self) -> str:
        """The core's address over HTTP: the first one, where there are several."""
        return self.server_urls[0]

    @property
    def server_urls(self) -> tuple[str, ...]:
        """Addresses at which the core may be; the first is asked first."""
        if self.server_url:
            return tuple(self.server_url.split(","))
        here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.http.host, self.http.host)  # noqa: S104  # not bound to
        url = HostPort(host=here, port=self.http.port).url
        return (url.replace("http://", "https://") if self.http_is_encrypted else url,)

    @property
    def http_is_encrypted(self) -> bool:
        """Return whether the core server speaks HTTPS."""
        return bool(self.tls_certificate) or not (self.http.is_loopback or self.plain_http)

    @property
    def certificate_files(self) -> CertificateFiles:
        """The clinic's own certificate authority."""
        return CertificateFiles(self.home / "tls")

    @property
    def resolved_sync_offset_minutes(self) -> int:
        """The offset, the default filled in: the same for a clinic every day, 0 to 59."""
        if self.sync_offset_minutes is not None:
            return self.sync_offset_minutes
        return int.from_bytes(hashlib.sha256(self.facility_code.encode()).digest()[:4]) % SPREAD_MINUTES

    @property
    def closing_grace(self) -> timedelta:
        """Time for which people stay in the queues after the closing hour unless somebody ends them: within the same day."""
        closes = datetime.combine(date.min, self.close_at)
        if self.close_latest is not None:
            return datetime.combine(date.min, self.close_latest) - closes
        return min(closes + CLOSING_GRACE, datetime.combine(date.min, time.max)) - closes

    @property
    def resolved_close_latest(self) -> time:
        """The latest hour, the default filled in."""
        return (datetime.combine(date.min, self.close_at) + self.closing_grace).time()

    @property
    def daily_folder(self) -> Path:
        """The folder into which the daily work puts backups and reports."""
        return Path(self.shared) if self.shared else self.home

    def require_daily_folder(self) -> None:
        """Refuse to write where the servers' common folder should be: making it could write below an empty mount point.

        Raises:
            SettingsError: It is not there.
        """
        if self.shared and not self.daily_folder.is_dir():
            raise SettingsError("LOKET_SHARED: {path} is not there. Is it connected?", path=self.shared)

    @property
    def door_token_file(self) -> Path:
        """The SSH door's own credential, mode 0600."""
        return self.home / "door.token"


SECRETS = secrets(Settings)
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
    "extra_forbidden": "there is no such setting; see .env.example",
}
"""Pydantic's error types in plain words."""
LIMITS = ("ge", "gt", "le", "max_length")


def _fault(error: ValidationError) -> SettingsError:
    """The first of what pydantic found, in plain words."""
    found = error.errors(include_url=False)
    # A setting that does not exist comes first: it may be the misspelt name of one whose value is missing.
    unknown = sorted(
        (fault for fault in found if fault["type"] == "extra_forbidden"), key=lambda fault: fault["loc"]
    )
    first = (unknown or found)[0]
    setting = str(first["loc"][0])
    facts = first.get("ctx") or {}
    words = FAULTS.get(first["type"], first["msg"].removeprefix("Value error, "))
    if first["type"] == "literal_error":  # a setting with choices, each in quotation marks
        words = f"must be {facts['expected']}".replace("'", "")
    limit = next((value for name, value in facts.items() if name in LIMITS), "")
    return SettingsError(f"{{setting}}: {words}", setting=setting, limit=limit)
