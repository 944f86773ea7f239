"""One SSH connection: its sign-in, its terminal, and the bytes both ways."""

from __future__ import annotations

import asyncio
import logging

import asyncssh

from core.foundation.logs import describe_failure
from tui.door.admission import ConnectionPlace, Penalty, RefusedConnectionError
from tui.door.asyncssh_internals import drop_padding_packets, is_alive, keep_proof, unsent_bytes, watch_line
from tui.door.contracts import (
    DoorTexts,
    PersonSession,
    SignedRequest,
    SignInUnavailableError,
    SignInWaitError,
)
from tui.door.line_channel import Lines
from tui.door.sessions import (
    AccountFullError,
    AttachRequest,
    TerminalSession,
    TooManySessionsError,
)
from tui.door.state import DoorState
from tui.terminal.capabilities import detect
from tui.terminal.events import ConnectionInfo

logger = logging.getLogger(__name__)

WAITING_SECONDS = 1.0  # before a person who waits for a session is told so
EXPLAIN_SECONDS = 5.0  # for a refused client to come to where it can be told why
FAILED_SECONDS = 1.0  # of delay before the answer to a wrong password, against guessing
TYPED_AHEAD_BYTES = 16_384  # kept until the app is there; beyond it keys are dropped


class ChannelSink:
    """Writes to an SSH channel; on one that is gone the bytes are dropped."""

    def __init__(
        self, channel: asyncssh.SSHServerChannel[bytes], connection: asyncssh.SSHServerConnection
    ) -> None:
        self._channel = channel
        self._connection = connection

    def write(self, data: bytes) -> None:
        """Send bytes."""
        try:
            self._channel.write(data)
        except OSError:
            return  # closed a moment ago; the session is told by `connection_lost`

    def pending_bytes(self) -> int:
        """Return the number of bytes that the client has not acknowledged yet."""
        return self._channel.get_write_buffer_size() + unsent_bytes(self._connection)


class SSHConnection(asyncssh.SSHServer):
    """asyncssh's server side of one connection: signs a person in."""

    def __init__(self, state: DoorState) -> None:
        self._state = state
        self._key: str | None = None
        self._proof: SignedRequest | None = None
        self._opening = asyncio.Lock()
        self._failed = 0
        self._place: ConnectionPlace | None = None
        self._refused: RefusedConnectionError | None = None
        self._is_signed_in = False
        self._began = 0.0
        self._handshake: asyncio.TimerHandle | None = None
        self._channels = 0
        self.connection: asyncssh.SSHServerConnection | None = None
        self.session: PersonSession | None = None
        self.username = ""
        self.peer = ""

    @property
    def is_known(self) -> bool:
        """Return whether somebody had signed in lately from where this connection comes from."""
        return self._place is not None and self._place.is_known

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Take the connection, or refuse it when there is no place for it."""
        loop = asyncio.get_running_loop()
        self.connection = conn
        self.peer = str((conn.get_extra_info("peername") or ("",))[0])
        self._began = loop.time()
        try:
            self._place = self._state.admission.arrive(self.peer, conn.abort)
        except RefusedConnectionError as refused:
            self._refuse(conn, refused)
            return
        drop_padding_packets(conn)
        watch_line(conn)
        keep_proof(conn, self._keep_proof)
        self._state.connections.add(conn)
        self._handshake = loop.call_later(self._state.options.handshake_seconds, conn.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; log a fault of our own, which asyncssh passes on here instead of raising it."""
        if exc is not None and not isinstance(exc, asyncssh.Error | OSError):
            logger.error("a connection failed: %s", describe_failure(exc))
        if self.connection is not None:
            self._state.connections.discard(self.connection)
        if self._handshake is not None:
            self._handshake.cancel()
        if self._refused is not None:
            self._state.admission.explained()
        if self._place is not None:
            self._give_back(self._place)

    def _give_back(self, place: ConnectionPlace) -> None:
        """Give back the place; who left without a try is made to wait."""
        admission, options = self._state.admission, self._state.options
        if self._is_signed_in:
            admission.sign_out(place, self.username)
            return
        admission.leave(place)
        if self._failed:
            return  # each failure had its penalty
        allowed = options.handshake_seconds if place.is_silent else options.sign_in_seconds
        sat_out = asyncio.get_running_loop().time() - self._began >= allowed
        admission.punish(place, Penalty.SILENT if sat_out else Penalty.LEFT)

    def begin_auth(self, username: str) -> bool:
        """Require authentication.

        Raises:
            asyncssh.DisconnectError: There is no place for this connection.
        """
        self.username, self._key, self._proof, self.session = username, None, None, None
        if self._place is not None:
            self._place.is_silent = False
        if self._handshake is not None:
            self._handshake.cancel()
        if self._refused is not None:
            raise self._explanation(self._refused)
        return True

    def auth_completed(self) -> None:
        """Count the connection as signed in, or refuse it when its account or source has too many."""
        if self._place is None:
            return
        try:
            self._state.admission.sign_in(self._place, self.username)
        except RefusedConnectionError:
            text = self._state.texts_for(self.session).account_full
            asyncio.get_running_loop().call_soon(self._turn_away, text, asyncssh.DISC_TOO_MANY_CONNECTIONS)
            return
        self._is_signed_in = True

    def password_auth_supported(self) -> bool:
        """Offer passwords."""
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Sign in by password."""
        try:
            self.session = await self._state.authenticator.password(username, password, self.peer)
        except SignInUnavailableError:
            self._turn_away(self._state.texts_for(None).unavailable)
            return False
        except SignInWaitError as wait:
            self._turn_away(self._state.texts_for(None).wait.format(seconds=wait.seconds))
            return False
        if self.session is not None:
            return True
        self._failed += 1
        if self._place is not None:
            self._state.admission.punish(self._place, Penalty.WRONG)
        await asyncio.sleep(FAILED_SECONDS)
        if self._failed >= self._state.options.failed_attempts:
            self._turn_away("")
        return False

    def public_key_auth_supported(self) -> bool:
        """Offer keys."""
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Accept a known key; asyncssh checks the signature afterwards and only then lets the client in."""
        public_key = key.export_public_key("openssh").decode("ascii").strip()
        try:
            known = await self._state.authenticator.key_known(username, public_key)
        except SignInUnavailableError:
            self._turn_away(self._state.texts_for(None).unavailable)
            return False
        self._key = public_key if known else None
        return known

    def session_requested(
        self,
    ) -> tuple[asyncssh.SSHServerChannel[bytes], asyncssh.SSHServerSession[bytes]]:
        """Open a channel of bytes.

        Raises:
            asyncssh.ChannelOpenError: The connection has as many channels as it may.
        """
        assert self.connection is not None
        if self._channels >= self._state.options.channels_per_connection:
            text = self._state.texts_for(self.session).account_full
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, text)
        self._channels += 1
        channel = self.connection.create_server_channel(encoding=None)
        return channel, TerminalChannel(self._state, self)

    def channel_closed(self) -> None:
        """Count one channel less."""
        self._channels -= 1

    async def signed_in_session(self) -> tuple[PersonSession | None, str]:
        """Return the session and the method of its sign-in; a key gives one only now that it is proved."""
        if self._key is None or self._proof is None:
            return self.session, "password"
        async with self._opening:  # a proof is good once; all channels of a connection share its sign-in
            if self.session is None:
                self.session = await self._state.authenticator.key_session(
                    self.username, self._key, self._proof, self.peer
                )
        return self.session, "key"

    def _keep_proof(self, session_id: bytes, signed: bytes, signature: bytes) -> None:
        self._proof = SignedRequest(session_id, signed, signature)

    def _turn_away(self, reason: str, code: int = asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE) -> None:
        if self.connection is not None:
            self.connection.disconnect(code, reason)

    def _refuse(self, conn: asyncssh.SSHServerConnection, refused: RefusedConnectionError) -> None:
        """Close the connection; where there is time, once its client can show why.

        Clients show no sentence that comes before the handshake: they are still sending their own.
        """
        if not self._state.admission.may_explain():
            conn.abort()
            return
        self._refused = refused
        self._handshake = asyncio.get_running_loop().call_later(EXPLAIN_SECONDS, conn.abort)

    def _explanation(self, refused: RefusedConnectionError) -> asyncssh.DisconnectError:
        texts = self._state.texts_for(None)
        text = texts.wait if refused.is_penalty else texts.crowded
        return asyncssh.DisconnectError(
            asyncssh.DISC_TOO_MANY_CONNECTIONS, text.format(seconds=refused.seconds)
        )


class TerminalChannel(asyncssh.SSHServerSession[bytes]):
    """The channel of a signed-in person, which leads to a session or to a dialogue of lines."""

    def __init__(self, state: DoorState, visitor: SSHConnection) -> None:
        self._state = state
        self._visitor = visitor
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None
        self._term: str | None = None
        self._command: str | None = None
        self._size = (80, 24)
        self._task: asyncio.Task[None] | None = None
        self._session: TerminalSession | None = None
        self._lines: Lines | None = None
        self._early = b""
        self._has_ended = False
        self.is_gone = False
        self.sink: ChannelSink

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """Take the channel."""
        assert self._visitor.connection is not None
        self._channel = chan
        self.sink = ChannelSink(chan, self._visitor.connection)

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: object) -> bool:
        """Store the terminal's type and size."""
        self._term, self._size = term_type, term_size[:2]
        return True

    def shell_requested(self) -> bool:
        """Accept."""
        return True

    def exec_requested(self, command: str) -> bool:
        """Accept; the command is passed on, never run."""
        self._command = command
        return True

    def session_started(self) -> None:
        """Start serving."""
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Pass keys on."""
        if self._session is not None:
            self._session.terminal.receive(data)
        elif self._lines is not None:
            self._lines.receive(data)
        elif len(self._early) < TYPED_AHEAD_BYTES:
            self._early += data

    def eof_received(self) -> bool:
        """End a dialogue of lines; a terminal's end of input is a hang-up that follows by itself."""
        self._has_ended = True
        if self._lines is not None:
            self._lines.end()
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Follow the terminal's size."""
        self._size = (width, height)
        if self._session is not None:
            self._session.terminal.resize(self._size)

    def connection_lost(self, exc: Exception | None) -> None:
        """Detach the session; its app goes on for a while."""
        self.is_gone = True
        self._visitor.channel_closed()
        if self._lines is not None:
            self._lines.end(broken=True)
        if self._session is not None:
            self._state.sessions.detach(self._session, self)

    def finish(self, text: str, status: int) -> None:
        """Show a last sentence, if any, and hang up; does nothing on a connection that is gone."""
        self._session = None
        if self._channel is None or self.is_gone:
            return
        if text:
            self.sink.write(f"{text}\r\n".encode("utf-8", "replace"))
        try:
            self._channel.exit(status)
        except OSError:
            return  # closed a moment ago

    async def is_alive(self, seconds: float) -> bool:
        """Return whether the client answers within so many seconds."""
        connection = self._visitor.connection
        return not self.is_gone and connection is not None and await is_alive(connection, seconds)

    async def _serve(self) -> None:
        try:
            session, method = await self._visitor.signed_in_session()
        except SignInUnavailableError:
            self.finish(self._state.texts_for(None).unavailable, 1)
            return
        if session is None:
            self.finish("", 1)
            return
        texts = self._state.texts_for(session)
        try:
            if self._term is None or not self._capabilities_addressable():
                await self._serve_lines(session, method)
            else:
                await self._serve_terminal(session, method)
        except AccountFullError:
            self.finish(texts.account_full, 1)
        except TooManySessionsError:
            self.finish(texts.full, 1)
        except Exception as error:
            # Any failure concerns this person only: the person is told, and others go on.
            logger.error("a connection failed: %s", describe_failure(error))
            self.finish(texts.failed, 1)

    async def _serve_terminal(self, session: PersonSession, method: str) -> None:
        state, info = self._state, self._info(method)
        capabilities = detect(self._term, info.environment, state.options.terminal_overrides)
        texts = state.texts_for(session)
        found = await state.sessions.find(session.identity)
        if self.is_gone:
            return
        request = AttachRequest(
            self, session, capabilities, self._size, info, is_known=self._visitor.is_known
        )
        if found is not None:
            self._session = found
            state.sessions.reattach(found, request)
        else:
            notice = asyncio.get_running_loop().call_later(WAITING_SECONDS, self._tell_waiting, texts)
            try:
                await state.sessions.start(request, state.app_factory, texts, self._attached)
            finally:
                notice.cancel()
        early, self._early = self._early, b""
        if early and self._session is not None:
            self._session.terminal.receive(early)

    def _attached(self, session: TerminalSession) -> None:
        self._session = session
        session.terminal.resize(self._size)  # it may have changed while waiting

    async def _serve_lines(self, session: PersonSession, method: str) -> None:
        if self._state.line_mode is None:
            self.finish(self._state.texts_for(session).no_line_mode, 1)
            return
        info = self._info(method)
        capabilities = detect(self._term, {"LANG": "C.UTF-8", **info.environment})
        lines = Lines(
            self.sink,
            capabilities,
            has_terminal=self._term is not None,
            idle_seconds=self._state.idle_seconds,
        )
        self._lines = lines
        lines.receive(self._early)
        self._early = b""
        if self._has_ended:
            lines.end()
        with self._state.sessions.dialogue(session.identity, is_known=self._visitor.is_known):
            status = await self._state.line_mode(session, lines, lines)
        self.finish(self._state.texts_for(session).idle if lines.is_idle else "", status)

    def _tell_waiting(self, texts: DoorTexts) -> None:
        if not self.is_gone and self._session is None:
            self.sink.write(f"{texts.waiting}\r\n".encode())

    def _capabilities_addressable(self) -> bool:
        return detect(self._term, self._environment(), self._state.options.terminal_overrides).addressable

    def _environment(self) -> dict[str, str]:
        return dict(self._channel.get_environment()) if self._channel is not None else {}

    def _info(self, method: str) -> ConnectionInfo:
        return ConnectionInfo(
            username=self._visitor.username,
            peer=self._visitor.peer,
            term=self._term or "",
            environment=self._environment(),
            command=self._command,
            method=method,
        )
