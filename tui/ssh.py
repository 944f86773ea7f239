"""The SSH door: one process in which everybody has an app of their own.

`serve` is what `loket door` and the server's child process run. The door knows nothing of patients: sign-in,
apps, line mode and sentences are given to it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import asyncssh

from tui.door.connection import Visitor
from tui.door.contracts import (
    AppFactory,
    Authenticator,
    DoorOptions,
    DoorSettings,
    LineMode,
    TextsFor,
    default_texts,
)
from tui.door.host_key import FILE_NAME, load_host_key
from tui.door.reception import Reception
from tui.door.seats import Seats
from tui.terminal.failures import describe_failure
from tui.terminal.textual_internals import prepare_process

logger = logging.getLogger(__name__)

# One or two of each kind, all of them in OpenSSH since 2014, PuTTY and Dropbear: a short list is a short
# handshake. Only AEAD ciphers, which `asyncssh_internals` relies on.
KEY_EXCHANGES = ["curve25519-sha256", "ecdh-sha2-nistp256"]
CIPHERS = ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com"]
MACS = ["hmac-sha2-256-etm@openssh.com"]  # never used with these ciphers, but the list may not be empty
COMPRESSIONS = ["zlib@openssh.com", "none"]  # the client chooses: `ssh -C`
SIGNATURES = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-256"]
REKEY_SECONDS = 24 * 3600  # a key exchange costs 2 KB; the default is every hour


class Door:
    """A listening door.

    Attributes:
        reception: Who is there, and the apps behind it.
    """

    def __init__(
        self,
        settings: DoorSettings,
        app_factory: AppFactory,
        authenticator: Authenticator,
        *,
        line_mode: LineMode | None = None,
        texts_for: TextsFor = default_texts,
        options: DoorOptions | None = None,
    ) -> None:
        options = options or DoorOptions()
        idle_seconds = settings.idle_lock_minutes * 60 or None
        seats = Seats(options, settings.resume_minutes * 60, idle_seconds)
        self.reception = Reception(
            options, app_factory, authenticator, line_mode, texts_for, seats, idle_seconds
        )
        self._settings = settings
        self._listener: asyncssh.SSHAcceptor | None = None

    @property
    def port(self) -> int:
        """The TCP port listened on; 0 before `open`."""
        return self._listener.get_port() if self._listener is not None else 0

    async def open(self) -> None:
        """Begin to listen.

        Raises:
            OSError: The address is taken or not ours.
        """
        prepare_process()
        asyncssh.set_log_level(logging.WARNING)  # its chattier levels write what clients send
        asyncio.get_running_loop().set_exception_handler(_log_stray_failure)
        key = load_host_key(self.reception.options.host_key or self._settings.home / FILE_NAME)
        self._listener = await asyncssh.listen(
            self._settings.ssh.host,
            self._settings.ssh.port,
            server_factory=lambda: Visitor(self.reception),
            server_host_keys=[key],
            kex_algs=KEY_EXCHANGES,
            encryption_algs=CIPHERS,
            mac_algs=MACS,
            compression_algs=COMPRESSIONS,
            signature_algs=SIGNATURES,
            server_version="Loket",
            login_timeout=self.reception.options.sign_in_seconds,
            keepalive_interval=0,
            rekey_seconds=REKEY_SECONDS,
            line_editor=False,
            kbdint_auth=False,
            gss_host=None,
            agent_forwarding=False,
            x11_forwarding=False,
            allow_scp=False,
            reuse_port=self.reception.options.reuse_port or None,
            config=None,
        )
        self.reception.seats.begin()
        logger.info("the SSH door listens on port %s", self.port)

    async def close(self) -> None:
        """Take nobody more, end every app, hang up."""
        if self._listener is None:
            return
        self._listener.close()
        await self._listener.wait_closed()
        await self.reception.seats.close()
        connections = list(self.reception.connections)
        for connection in connections:
            connection.close()
        if connections:
            await asyncio.wait(
                [asyncio.ensure_future(connection.wait_closed()) for connection in connections], timeout=2.0
            )
        self._listener = None


async def serve(
    settings: DoorSettings,
    app_factory: AppFactory,
    authenticator: Authenticator,
    *,
    line_mode: LineMode | None = None,
    texts_for: TextsFor = default_texts,
    options: DoorOptions | None = None,
) -> None:
    """Serve people until cancelled; cancelling ends every app well and hangs up.

    Args:
        settings: Where to listen, where the host key is, how long apps are kept.
        app_factory: Makes the app for a signed-in person: `(session, capabilities, connection) -> App`. Its
            app gets `IdleTimeout` and `Resumed` messages; leaving it (`App.exit`) signs the person out.
        authenticator: Signs people in.
        line_mode: Serves people without a terminal: `async (session, reader, writer) -> exit status`;
            None: they are told.
        texts_for: Gives the sentences in a person's language.
        options: Bounds.

    Raises:
        OSError: The address is taken or not ours.
    """
    door = Door(
        settings, app_factory, authenticator, line_mode=line_mode, texts_for=texts_for, options=options
    )
    await door.open()
    try:
        await asyncio.Event().wait()
    finally:
        await door.close()


def _log_stray_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what no task waited for, without what it was about."""
    error = context.get("exception")
    described = describe_failure(error) if isinstance(error, BaseException) else "no exception"
    logger.error("a task failed unseen: %s", described)
