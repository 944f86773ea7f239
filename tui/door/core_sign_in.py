"""Signing people in at the door against the core, by password or by key."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import TypeVar

from core.foundation.codes import Role
from core.schemas.accounts import KeyProofIn, TokenOut
from tui.change_stream import ChangeHub
from tui.client.core_client import CoreClient
from tui.client.errors import RefusedError, UnreachableError
from tui.door.contracts import SignedRequest, SignInUnavailableError, SignInWaitError
from tui.session import Session, open_session

T = TypeVar("T")


class CoreSignIn:
    """Authenticates against the core; keeps no list of accounts."""

    def __init__(self, door: CoreClient, hub: ChangeHub) -> None:
        """Args: `door` acts with the door's own credential; `hub` is the change feed of all its apps."""
        self._door = door
        self._hub = hub

    async def password(self, username: str, password: str, peer: str) -> Session | None:
        """Sign in by password; None when the core refuses.

        Args:
            username: User name of the account.
            password: As typed.
            peer: The client's address.

        Raises:
            SignInUnavailableError: The core does not answer.
            SignInWaitError: Too many wrong passwords.
        """
        client = self._door.through_door(f"ssh {peer}")
        return await _answer(lambda: self._open(client, client.accounts.sign_in(username, password)))

    async def key_known(self, username: str, public_key: str) -> bool:
        """Return whether a key belongs to an account."""
        return bool(await _answer(lambda: self._door.accounts.key_known(username, public_key)))

    async def key_session(
        self, username: str, public_key: str, proof: SignedRequest, peer: str
    ) -> Session | None:
        """Sign in by a key whose possession the client has proved, to the core too.

        Args:
            username: User name of the account.
            public_key: A line of OpenSSH's `.pub` file.
            proof: What the client has signed.
            peer: The client's address.
        """
        parts = (proof.session_id, proof.signed, proof.signature)
        session_id, signed, signature = (b64encode(part).decode() for part in parts)
        shown = KeyProofIn(session_id=session_id, signed=signed, signature=signature)
        client = self._door.through_door(f"ssh {peer}")
        door = self._door.through_door(f"ssh {peer}")
        door.token = self._door.token
        return await _answer(
            lambda: self._open(client, door.accounts.token_for_key(username, public_key, shown))
        )

    async def known_sources(self) -> list[str]:
        """Return the addresses that have signed in lately."""
        return await _answer(self._door.accounts.known_sources) or []

    async def _open(self, client: CoreClient, signing_in: Awaitable[TokenOut]) -> Session:
        token = await signing_in
        client.accounts.use(token)
        # The waiting room's account may not read panes: its app follows the feed by itself.
        hub = None if token.account.role is Role.DISPLAY else self._hub
        return await open_session(client, token.account, hub=hub)


async def _answer(ask: Callable[[], Awaitable[T]]) -> T | None:
    try:
        return await ask()
    except RefusedError as refusal:
        if refusal.code == "too_many_attempts":
            raise SignInWaitError(int(refusal.problem.details.get("retry_after_seconds", 60))) from refusal
        return None
    except UnreachableError as error:
        raise SignInUnavailableError from error
