"""One SSH connection: who signs in, which terminal they have, and the bytes both ways."""

from __future__ import annotations

import asyncio
import logging

import asyncssh

from tui.door.asyncssh_internals import drop_padding_packets, is_alive, unsent_bytes, watch_line
from tui.door.contracts import ConnectionInfo, DoorTexts, PersonSession, SignInUnavailableError
from tui.door.lines import Lines
from tui.door.reception import Reception
from tui.door.seats import Arrival, NoSeatError, Seat
from tui.terminal.capabilities import detect
from tui.terminal.failures import describe_failure

logger = logging.getLogger(__name__)

WAITING_SECONDS = 1.0  # before somebody waiting for a seat is told so
FAILED_SECONDS = 1.0  # before the answer to a wrong password, against guessing
TYPED_AHEAD_BYTES = 16_384  # kept from before the app is there


class ChannelSink:
    """Writes to an SSH channel; one that is gone swallows what is written."""

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
            return  # closed a moment ago; the seat hears of it by `connection_lost`

    def pending_bytes(self) -> int:
        """Count what the client has not acknowledged yet."""
        return self._channel.get_write_buffer_size() + unsent_bytes(self._connection)


class Visitor(asyncssh.SSHServer):
    """Somebody at the door, until they are signed in."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._key: str | None = None
        self._failed = 0
        self.connection: asyncssh.SSHServerConnection | None = None
        self.session: PersonSession | None = None
        self.username = ""
        self.peer = ""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Greet, or turn away when too many stand at the door."""
        self.connection = conn
        self.peer = str((conn.get_extra_info("peername") or ("",))[0])
        drop_padding_packets(conn)
        watch_line(conn)
        self._reception.connections.add(conn)
        if self._reception.signing_in > self._reception.options.most_signing_in:
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget; tell of a fault of our own, which asyncssh hands on here instead of raising it."""
        if exc is not None and not isinstance(exc, asyncssh.Error | OSError):
            logger.error("a connection failed: %s", describe_failure(exc))
        if self.connection is not None:
            self._reception.connections.discard(self.connection)
            self._reception.signed_in.discard(self.connection)

    def begin_auth(self, username: str) -> bool:
        """Ask everybody to sign in."""
        self.username, self._key, self.session = username, None, None
        return True

    def auth_completed(self) -> None:
        """Count this one as inside."""
        if self.connection is not None:
            self._reception.signed_in.add(self.connection)

    def password_auth_supported(self) -> bool:
        """Offer passwords."""
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Sign in by password."""
        try:
            self.session = await self._reception.authenticator.password(username, password, self.peer)
        except SignInUnavailableError:
            self._turn_away(self._reception.texts_for(None).unavailable)
            return False
        if self.session is not None:
            return True
        self._failed += 1
        await asyncio.sleep(FAILED_SECONDS)
        if self._failed >= self._reception.options.failed_attempts:
            self._turn_away("")
        return False

    def public_key_auth_supported(self) -> bool:
        """Offer keys."""
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Accept a key for now; asyncssh checks the signature afterwards and only then lets the client in."""
        public_key = key.export_public_key("openssh").decode("ascii").strip()
        try:
            known = await self._reception.authenticator.key_known(username, public_key)
        except SignInUnavailableError:
            self._turn_away(self._reception.texts_for(None).unavailable)
            return False
        self._key = public_key if known else None
        return known

    def session_requested(
        self,
    ) -> tuple[asyncssh.SSHServerChannel[bytes], asyncssh.SSHServerSession[bytes]]:
        """Open a channel that passes bytes as they are."""
        assert self.connection is not None
        channel = self.connection.create_server_channel(encoding=None)
        return channel, Place(self._reception, self)

    async def signed_in_session(self) -> tuple[PersonSession | None, str]:
        """Give the session and how it was signed in; a key is turned into one only now, when proved."""
        if self.session is not None:
            return self.session, "password"
        if self._key is None:
            return None, "key"
        session = await self._reception.authenticator.key_session(self.username, self._key)
        return session, "key"

    def _turn_away(self, reason: str) -> None:
        if self.connection is not None:
            self.connection.disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, reason)


class Place(asyncssh.SSHServerSession[bytes]):
    """A channel of a signed-in person, which leads to a seat or to a dialogue of lines."""

    def __init__(self, reception: Reception, visitor: Visitor) -> None:
        self._reception = reception
        self._visitor = visitor
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None
        self._term: str | None = None
        self._command: str | None = None
        self._size = (80, 24)
        self._task: asyncio.Task[None] | None = None
        self._seat: Seat | None = None
        self._lines: Lines | None = None
        self._early = b""
        self._has_ended = False
        self.is_gone = False
        self.sink: ChannelSink

    # What asyncssh tells

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """Take the channel."""
        assert self._visitor.connection is not None
        self._channel = chan
        self.sink = ChannelSink(chan, self._visitor.connection)

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: object) -> bool:
        """Take note of the terminal."""
        self._term, self._size = term_type, term_size[:2]
        return True

    def shell_requested(self) -> bool:
        """Agree to serve."""
        return True

    def exec_requested(self, command: str) -> bool:
        """Agree to serve; what was asked for is passed on, never run."""
        self._command = command
        return True

    def session_started(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Pass keys on."""
        if self._seat is not None:
            self._seat.terminal.receive(data)
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
        if self._seat is not None:
            self._seat.terminal.resize(self._size)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the seat; its app stays for a while."""
        self.is_gone = True
        if self._lines is not None:
            self._lines.end(broken=True)
        if self._seat is not None:
            self._reception.seats.leave(self._seat, self)

    # What a seat asks of its link

    def finish(self, text: str, status: int) -> None:
        """Show a last sentence, if any, and hang up."""
        self._seat = None
        if self._channel is None or self.is_gone:
            return
        if text:
            self.sink.write(f"{text}\r\n".encode("utf-8", "replace"))
        try:
            self._channel.exit(status)
        except OSError:
            return  # closed a moment ago

    async def is_alive(self, seconds: float) -> bool:
        """Find out whether somebody is still at the other end."""
        connection = self._visitor.connection
        return not self.is_gone and connection is not None and await is_alive(connection, seconds)

    # Serving

    async def _serve(self) -> None:
        try:
            session, method = await self._visitor.signed_in_session()
        except SignInUnavailableError:
            self.finish(self._reception.texts_for(None).unavailable, 1)
            return
        if session is None:
            self.finish("", 1)
            return
        texts = self._reception.texts_for(session)
        try:
            if self._term is None or not self._capabilities_addressable():
                await self._serve_lines(session, method)
            else:
                await self._serve_terminal(session, method)
        except NoSeatError:
            self.finish(texts.full, 1)
        except Exception as error:
            # The connection's own edge: whatever failed, its person is told and nobody else notices.
            logger.error("a connection failed: %s", describe_failure(error))
            self.finish(texts.failed, 1)

    async def _serve_terminal(self, session: PersonSession, method: str) -> None:
        reception, info = self._reception, self._info(method)
        capabilities = detect(self._term, info.environment, reception.options.terminal_overrides)
        texts = reception.texts_for(session)
        seat = await reception.seats.find(session.identity)
        if self.is_gone:
            return
        arrival = Arrival(self, session, capabilities, self._size, info)
        if seat is not None:
            self._seat = seat
            reception.seats.resume(seat, arrival)
        else:
            notice = asyncio.get_running_loop().call_later(WAITING_SECONDS, self._tell_waiting, texts)
            try:
                await reception.seats.open(arrival, reception.app_factory, texts, self._sit)
            finally:
                notice.cancel()
        early, self._early = self._early, b""
        if early and self._seat is not None:
            self._seat.terminal.receive(early)

    def _sit(self, seat: Seat) -> None:
        self._seat = seat
        seat.terminal.resize(self._size)  # it may have changed while waiting

    async def _serve_lines(self, session: PersonSession, method: str) -> None:
        if self._reception.line_mode is None:
            self.finish(self._reception.texts_for(session).no_line_mode, 1)
            return
        info = self._info(method)
        capabilities = detect(self._term, {"LANG": "C.UTF-8", **info.environment})
        lines = Lines(
            self.sink,
            capabilities,
            has_terminal=self._term is not None,
            idle_seconds=self._reception.idle_seconds,
        )
        self._lines = lines
        lines.receive(self._early)
        self._early = b""
        if self._has_ended:
            lines.end()
        status = await self._reception.line_mode(session, lines, lines)
        self.finish(self._reception.texts_for(session).idle if lines.is_idle else "", status)

    def _tell_waiting(self, texts: DoorTexts) -> None:
        if not self.is_gone and self._seat is None:
            self.sink.write(f"{texts.waiting}\r\n".encode())

    def _capabilities_addressable(self) -> bool:
        return detect(self._term, self._environment(), self._reception.options.terminal_overrides).addressable

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
