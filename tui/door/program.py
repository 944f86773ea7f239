"""The SSH door's own process: reads the settings, opens the door, and ends with its parent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import Any

from textual.app import App

from core.foundation import log_files, logs
from core.foundation.catalogues import catalogue
from core.foundation.config import Settings
from core.foundation.errors import SettingsError
from tui import first_contact
from tui.app import build_app
from tui.change_stream import ChangeHub
from tui.client.core_client import CoreClient
from tui.door.contracts import DoorOptions, DoorTexts
from tui.door.core_sign_in import CoreSignIn
from tui.door.ssh_server import serve
from tui.door.warm_up import rehearse
from tui.lines.dialogue import line_mode
from tui.session import Session
from tui.terminal.capabilities import Capabilities
from tui.terminal.events import ConnectionInfo

logger = logging.getLogger(__name__)

TOKEN_VARIABLE = "LOKET_DOOR_TOKEN"
"""Environment variable with the credential of a door on another machine; on the server's it is a file in LOKET_HOME."""
CREDENTIAL_READ_SECONDS = 600.0  # between looks whether there is another credential
WITH_PARENT = "--with-parent"


class NoCredentialError(Exception):
    """The door has nothing to sign in to the core with."""


def texts_in(language: str) -> DoorTexts:
    """Return the door's sentences in a language, for people without an app on the screen."""
    say = catalogue("tui", language).gettext
    plain = DoorTexts()
    return DoorTexts(**{name: say(getattr(plain, name)) for name in DoorTexts.__dataclass_fields__})


def make_app(session: Session, capabilities: Capabilities, connection: ConnectionInfo) -> App[Any]:
    """Make the app of a signed-in person.

    Args:
        session: The person.
        capabilities: Capabilities of the person's terminal.
        connection: Further facts about the connection; not used.

    Returns:
        The app.
    """
    session.capabilities = capabilities
    return build_app(session)


def door_options(settings: Settings) -> DoorOptions:
    """Return the door's bounds as the settings have them."""
    return DoorOptions(
        most_sessions=settings.ssh_seats,
        sessions_per_account=settings.ssh_seats_per_account,
        channels_per_connection=settings.ssh_channels,
        starts_begin=settings.ssh_starts.begin,
        starts_rate=settings.ssh_starts.rate,
        starts_full=settings.ssh_starts.full,
        starts_per_source=settings.ssh_starts_per_source,
        sign_in_seconds=settings.ssh_sign_in_seconds,
        handshake_seconds=min(settings.ssh_handshake_seconds, settings.ssh_sign_in_seconds),
        classic_exchange=settings.ssh_classic_exchange,
        reuse_port=settings.ssh_shared_port,
        most_penalty_seconds=settings.ssh_penalty_seconds,
        connections_per_account=settings.ssh_connections_per_account,
        connections_per_source=settings.ssh_connections_per_source,
    )


def _keep_first(fingerprint: str) -> bool:
    """Accept the first server: nobody sits at a door; `LOKET_SERVER_FINGERPRINT` says which one it has to be."""
    logger.warning("first contact: this door trusts the core with SHA-256 %s from now on", fingerprint)
    return True


async def run(settings: Settings, *, with_parent: bool) -> None:
    """Serve until SIGTERM or SIGINT, or, with a parent, until the other end of standard input is closed.

    A door that outlived a killed server would keep its port, and the server's next start would fail.

    Args:
        settings: Address, data folder and language.
        with_parent: Whether the process that started the door holds standard input open, and writes a byte into it
            once the core has passed all checks: the door gets ready meanwhile, and opens then.

    Raises:
        NoCredentialError: There is no credential.
    """
    await rehearse(settings.language)
    if with_parent and not await asyncio.to_thread(os.read, sys.stdin.fileno(), 1):
        return
    token = _credential(settings)
    if settings.home.is_dir():
        log_files.keep(settings.home)
    trust = await asyncio.to_thread(
        first_contact.trusted_of_several, settings, settings.server_urls, _keep_first
    )
    client = CoreClient(settings.resolved_server_url, token, trust=trust)
    sign_in = CoreSignIn(client, ChangeHub(client, is_door=True))

    def texts_for(session: Session | None) -> DoorTexts:
        return texts_in(session.translator.language if session is not None else settings.language)

    serving = serve(
        settings, make_app, sign_in, line_mode=line_mode, texts_for=texts_for, options=door_options(settings)
    )
    task = asyncio.ensure_future(serving)
    renewing = asyncio.ensure_future(_follow_credential(client, settings))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    if with_parent:
        loop.add_reader(sys.stdin, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        logger.info("the door is closed")
    finally:
        renewing.cancel()
        await client.close()


def _credential(settings: Settings) -> str:
    """Return what the door signs in to the core with.

    Raises:
        NoCredentialError: There is none.
    """
    try:
        return os.environ.get(TOKEN_VARIABLE) or settings.door_token_file.read_text().strip()
    except OSError:
        raise NoCredentialError from None


async def _follow_credential(client: CoreClient, settings: Settings) -> None:
    """Use the credential that the server writes before the old one ends."""
    while TOKEN_VARIABLE not in os.environ:
        await asyncio.sleep(CREDENTIAL_READ_SECONDS)
        with contextlib.suppress(OSError):
            client.token = settings.door_token_file.read_text().strip() or client.token


def main() -> int:
    """Run the door and return the exit code."""
    os.umask(0o077)  # the host key and all other files it writes are private
    logs.configure_logging()
    try:
        settings = Settings.load()
    except SettingsError as error:
        sys.stderr.write(f"loket: {error}\n")
        return 2
    try:
        asyncio.run(run(settings, with_parent=WITH_PARENT in sys.argv[1:]))
    except NoCredentialError:
        sys.stderr.write(
            f"loket: no door credential: start the server first, or set {TOKEN_VARIABLE} "
            f"(looked for {settings.door_token_file})\n"
        )
        return 2
    except first_contact.NoTrustError as error:
        sys.stderr.write(f"loket: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(
            f"loket: LOKET_SSH: cannot listen on {settings.ssh.host}:{settings.ssh.port} ({error.strerror})\n"
        )
        return 2
    return 0
