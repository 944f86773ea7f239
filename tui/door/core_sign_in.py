"""Signing people in at the door against the core, by password or by key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from core.schemas.accounts import TokenShape
from core.vocabulary import Role
from tui.changes import ChangeHub
from tui.client import CoreClient, Refused, UnreachableError
from tui.door.contracts import SignInUnavailableError
from tui.session import Session, open_session

T = TypeVar("T")


class CoreSignIn:
    """The door's authenticator: asks the core, and keeps no list of its own."""

    def __init__(self, door: CoreClient, hub: ChangeHub) -> None:
        """Args: `door` acts with the door's own credential; `hub` is the change feed of all its apps."""
        self._door = door
        self._hub = hub

    async def password(self, username: str, password: str, peer: str) -> Session | None:
        """Sign in by password; None when the core refuses."""
        client = self._door.with_token("", origin=f"ssh {peer}")
        return await _answer(lambda: self._open(client, client.sign_in(username, password)))

    async def key_known(self, username: str, public_key: str) -> bool:
        """Whether a key belongs to an account."""
        return bool(await _answer(lambda: self._door.key_known(username, public_key)))

    async def key_session(self, username: str, public_key: str) -> Session | None:
        """Sign in by a key whose possession was proved."""
        client = self._door.with_token("", origin="ssh")
        return await _answer(lambda: self._open(client, self._door.token_for_key(username, public_key)))

    async def _open(self, client: CoreClient, signing_in: Awaitable[TokenShape]) -> Session:
        token = await signing_in
        client.token = token.token
        # The waiting room's account may not read panes: its app follows the feed by itself.
        hub = None if token.account.role is Role.DISPLAY else self._hub
        return await open_session(client, token.account, hub=hub)


async def _answer(ask: Callable[[], Awaitable[T]]) -> T | None:
    try:
        return await ask()
    except Refused:
        return None
    except UnreachableError as error:
        raise SignInUnavailableError from error
