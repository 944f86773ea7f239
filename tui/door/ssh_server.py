"""The SSH door: one process in which every person has an app.

`serve` is what `loket door` and the server's child process run. The door knows nothing of patients: sign-in,
apps, line mode and sentences are given to it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import asyncssh

from core.foundation.logs import describe_failure
from tui.door.admission import Admission
from tui.door.connection import SSHConnection
from tui.door.contracts import (
    AppFactory,
    Authenticator,
    DoorOptions,
    DoorSettings,
    LineMode,
    SignInUnavailableError,
    TextsFor,
    default_texts,
)
from tui.door.host_key import FILE_NAME, load_host_key
from tui.door.sessions import SessionRegistry
from tui.door.state import DoorState
from tui.terminal.textual_internals import prepare_process

logger = logging.getLogger(__name__)

# One or two of each kind: a short list is a short handshake. Clients that know a post-quantum exchange name it first
# (OpenSSH 9.9 and newer; 2.3 KB more); all others since 2014, PuTTY and Dropbear have the second. No NIST curve.
# Only AEAD ciphers, which `asyncssh_internals` relies on.
POST_QUANTUM = ["mlkem768x25519-sha256"]
CLASSIC = ["curve25519-sha256"]
CIPHERS = ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com"]
MACS = ["hmac-sha2-256-etm@openssh.com"]  # never used with these ciphers, but the list may not be empty
COMPRESSIONS = ["zlib@openssh.com", "none"]  # the client chooses: `ssh -C`
SIGNATURES = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-256"]
KNOWN_READ_SECONDS = 60.0  # between looks who has signed in lately
UNREAD_SECONDS = 5.0  # before another try when the core did not answer
REKEY_SECONDS = 3600  # while there is traffic; a key exchange costs 2 KB (RFC 4253, section 9)


class Door:
    """An SSH server whose sessions are apps.

    Attributes:
        state: Connections and sessions.
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
        sessions = SessionRegistry(options, settings.resume_minutes * 60, idle_seconds)
        self.state = DoorState(
            options,
            app_factory,
            authenticator,
            line_mode,
            texts_for,
            sessions,
            idle_seconds,
            Admission(options, time.monotonic),
        )
        self._settings = settings
        self._listener: asyncssh.SSHAcceptor | None = None
        self._following: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The TCP port; 0 before `open`."""
        return self._listener.get_port() if self._listener is not None else 0

    async def open(self) -> None:
        """Start to listen.

        Raises:
            OSError: The address is in use, or not one of this machine.
        """
        prepare_process()
        asyncssh.set_log_level(logging.WARNING)  # its chattier levels write what clients send
        asyncio.get_running_loop().set_exception_handler(_log_stray_failure)
        key = load_host_key(self.state.options.host_key or self._settings.home / FILE_NAME)
        self._listener = await asyncssh.listen(
            self._settings.ssh.host,
            self._settings.ssh.port,
            server_factory=lambda: SSHConnection(self.state),
            server_host_keys=[key],
            kex_algs=POST_QUANTUM + (CLASSIC if self.state.options.classic_exchange else []),
            encryption_algs=CIPHERS,
            mac_algs=MACS,
            compression_algs=COMPRESSIONS,
            signature_algs=SIGNATURES,
            server_version="Loket",
            login_timeout=self.state.options.sign_in_seconds,
            keepalive_interval=0,
            rekey_seconds=REKEY_SECONDS,
            line_editor=False,
            kbdint_auth=False,
            gss_host=None,
            agent_forwarding=False,
            x11_forwarding=False,
            allow_scp=False,
            reuse_port=self.state.options.reuse_port or None,
            config=None,
        )
        self.state.sessions.begin()
        self._following = asyncio.get_running_loop().create_task(self._follow_known())
        logger.info("the SSH door listens on port %s", self.port)

    async def close(self) -> None:
        """Stop listening, end every app and close the connections."""
        if self._listener is None:
            return
        if self._following is not None:
            self._following.cancel()
        self._listener.close()
        await self._listener.wait_closed()
        await self.state.sessions.close()
        connections = list(self.state.connections)
        for connection in connections:
            connection.close()
        if connections:
            await asyncio.wait(
                [asyncio.ensure_future(connection.wait_closed()) for connection in connections], timeout=2.0
            )
        self._listener = None

    async def _follow_known(self) -> None:
        """Learn from the core who has signed in lately, also through other doors and before this one began."""
        while True:
            try:
                for address in await self.state.authenticator.known_sources():
                    self.state.admission.known.add(address)
            except SignInUnavailableError:
                await asyncio.sleep(UNREAD_SECONDS)
                continue
            await asyncio.sleep(KNOWN_READ_SECONDS)


async def serve(
    settings: DoorSettings,
    app_factory: AppFactory,
    authenticator: Authenticator,
    *,
    line_mode: LineMode | None = None,
    texts_for: TextsFor = default_texts,
    options: DoorOptions | None = None,
) -> None:
    """Serve until cancelled; cancelling ends every app in order and closes the connections.

    Args:
        settings: Address, data folder, times for which sessions are kept.
        app_factory: Makes the app for a signed-in person: `(session, capabilities, connection) -> App`. Its
            app gets `IdleTimeout` and `Resumed` messages; leaving it (`App.exit`) signs the person out.
        authenticator: Signs people in.
        line_mode: Serves people without a terminal: `async (session, reader, writer) -> exit status`;
            None: they are told that one is needed.
        texts_for: Gives the sentences in a person's language.
        options: Limits.

    Raises:
        OSError: The address is in use, or not one of this machine.
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
    """Log an exception that no task waited for, without its message."""
    error = context.get("exception")
    described = describe_failure(error) if isinstance(error, BaseException) else "no exception"
    logger.error("a task failed unseen: %s", described)
