"""This counter's machine: its store, open or closed, with the clinic's own application on it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import os
from pathlib import Path

import apsw
from anyio import to_thread
from fastapi import FastAPI

from core.counters import fresh_copy, pending
from core.counters.machine_clock import MachineClock
from core.counters.sealed_store import KEY_BYTES, SealedStore
from core.counters.sign_in_slots import SignInSlots
from core.counters.store import OpenStore
from core.foundation import clock, state
from core.foundation.clinic import Clinic
from core.foundation.codes import MachineRole
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.setting_variables import variable
from core.queues import lent_blocks
from core.schemas.counters import ProfileOut, StoreCopy
from server.app import create_app

log = logging.getLogger(__name__)

CREDENTIAL_FILE = "counter.token"
PROFILE_FACT = "counter_profile"
"""Fact of the store: the clinic's settings and files."""
CONTACT_FACT = "counter_contact"
"""Fact of the store: the last contact with the core."""
NOT_HERE = {
    "database_url": "", "journal_dir": "", "backup_second": "", "shared": "", "office_url": "", "bpjs_url": "",
    "bpjs_queue_url": "", "satusehat_url": "", "jkn_username": "", "display_http": None, "wal_archive": "",
    "backup_command": "", "tls_certificate": "", "tls_key": "",
}  # fmt: skip
"""Settings of a core that a counter's store has no use for."""


class Machine:
    """The store and the application of this machine; one of the process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.slots = SignInSlots(settings.home, secret_of(settings))
        self.has_secret = bool(secret_of(settings))
        self.key: bytes | None = None
        """The store's key; None while the store is closed."""
        self.app: FastAPI | None = None
        """The clinic's application on the store; None while it is closed."""
        self.clock = MachineClock()
        self._store: OpenStore | None = None
        self._lifespan: contextlib.AsyncExitStack | None = None

    @property
    def is_open(self) -> bool:
        """Return whether the store is open."""
        return self.app is not None

    @property
    def has_store(self) -> bool:
        """Return whether there is a store on the disk."""
        return SealedStore.exists(self.settings.home)

    @staticmethod
    def new_key() -> bytes:
        """Return a key for a new store."""
        return os.urandom(KEY_BYTES)

    async def open(
        self, key: bytes, profile: ProfileOut | None = None, copy: StoreCopy | None = None
    ) -> None:
        """Open the store, or make it where there is none; nothing happens when it is open.

        Args:
            key: The store's.
            profile: As the core sent it now; without it the one in the store holds.
            copy: What the core sent, for a new store.

        Raises:
            DatabaseError: `store_key`, `store_damaged`.
            OSError: The disk or the memory cannot be written.
        """
        if self.is_open:
            return
        app = await to_thread.run_sync(self._open, key, profile, copy)
        stack = contextlib.AsyncExitStack()
        await stack.enter_async_context(app.router.lifespan_context(app))
        self._lifespan, self.key, self.app = stack, key, app

    def _open(self, key: bytes, profile: ProfileOut | None, copy: StoreCopy | None) -> FastAPI:
        memory = memory_of(self.settings)
        OpenStore.prepare(memory)
        store = OpenStore(SealedStore(self.settings.home, key), memory)
        if self.has_store:
            store.load()
            profile = profile or _stored_profile(memory)
        assert profile is not None
        settings = settings_here(self.settings, profile, memory)
        app = create_app(settings, demo=False)
        with connection():
            if copy is not None:
                fresh_copy.apply(copy)
            state.note(PROFILE_FACT, **profile.model_dump(mode="json"))
            self.clock = MachineClock.of_fact(state.fact(CONTACT_FACT))
            state.note(pending.CLOCK_FACT, uncertain=self.clock.is_uncertain)
        store.watch()
        clock.follow(lambda: self.clock.now())
        self._store = store
        log.warning("the store is open")
        return app

    def note_contact(self) -> None:
        """Keep the last contact with the core, so that the time goes on from it."""
        if self.clock.contact is None:
            return
        with connection():
            state.note(CONTACT_FACT, **self.clock.fact())
            if (state.fact(pending.CLOCK_FACT) or {}).get("uncertain") != self.clock.is_uncertain:
                state.note(pending.CLOCK_FACT, uncertain=self.clock.is_uncertain)

    def sequence(self) -> int:
        """Return the newest change of the core that the store holds."""
        with connection():
            return int((state.fact(fresh_copy.FRESH_FACT) or {}).get("sequence", 0))

    def numbers_left(self) -> dict[str, int]:
        """Return cluster -> numbers that can still be given out today without the core."""
        assert self.app is not None
        clinic: Clinic = self.app.state.clinic
        with connection():
            left = lent_blocks.left(clinic.today())
        return {code: left.get(code, 0) for code, each in clinic.clusters.items() if each.stage == "first"}

    def fold_if_due(self) -> None:
        """Fold the log into a new copy where it is due."""
        if self._store is not None:
            with connection():
                self._store.fold_if_due()

    async def close(self) -> None:
        """Close the store: nothing of it is left in memory, and a password or the core opens it again."""
        app, self.app, self.key = self.app, None, None
        if app is None:
            return
        if self._lifespan is not None:
            await self._lifespan.aclose()
        clock.follow(None)
        if self._store is not None:
            await to_thread.run_sync(self._store.close)
        log.warning("the store is closed")

    def drop_store(self) -> None:
        """Take away a store whose key nobody has; only where the core has everything."""
        for file in self.settings.home.glob("store*"):
            file.unlink(missing_ok=True)
        self.slots.clear()


def secret_of(settings: Settings) -> bytes:
    """Return the machine's secret: on a token, unsealed by the TPM (systemd's credentials), or empty where there is none.

    Raises:
        OSError: The token is not in, or the file cannot be read.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    given = Path(folder) / "loket-counter" if folder else None
    if settings.counter_secret:
        return Path(settings.counter_secret).read_bytes()
    return given.read_bytes() if given is not None and given.exists() else b""


def memory_of(settings: Settings) -> Path:
    """Return the folder in memory where the store of a data folder is open."""
    name = hashlib.sha256(str(settings.home.resolve()).encode()).hexdigest()[:12]
    return Path(settings.counter_memory) / f"loket-counter-{name}"


def credential_of(settings: Settings) -> str:
    """Return what this machine signs in to the core with.

    Raises:
        OSError: There is none.
    """
    return (settings.home / CREDENTIAL_FILE).read_text("ascii").strip()


def settings_here(own: Settings, profile: ProfileOut, memory: Path) -> Settings:
    """Return the settings of the application on the store: the clinic's rules, and this machine's printer.

    Args:
        own: Of this machine.
        profile: The clinic's.
        memory: Where the store is open.
    """
    written = {variable(name): value for name, value in profile.settings.items() if value}
    for name, text in profile.files.items():
        file = memory / f"{name}.clinic"
        file.write_text(text, "utf-8")
        written[variable(name)] = str(file)
    clinics = Settings.model_validate(written)
    rules = {name: getattr(clinics, name) for name in profile.settings}
    here = {**NOT_HERE, **rules, "home": memory, "role": MachineRole.COUNTER}
    return own.model_copy(update=here)


def _stored_profile(memory: Path) -> ProfileOut:
    opened = apsw.Connection(str(memory / "loket.sqlite3"))
    try:
        row = opened.execute("SELECT value FROM state WHERE key = ?", (PROFILE_FACT,)).fetchone()
    finally:
        opened.close()
    assert row is not None
    return ProfileOut.model_validate_json(str(row[0]))


def key_text(key: bytes) -> str:
    """Return a key as it is sent."""
    return base64.b64encode(key).decode()


def key_of(text: str) -> bytes:
    """Return a key as it was sent."""
    return base64.b64decode(text)
