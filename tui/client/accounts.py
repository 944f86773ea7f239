"""Signing in and out, and one's own account."""

from __future__ import annotations

import asyncio

from core.schemas.accounts import (
    AccountOut,
    KeyProofIn,
    RightsChangeOut,
    RightsOut,
    SecondFactorOffer,
    TokenOut,
)
from tui.client.resource import ResourceClient


class AccountsClient(ResourceClient):
    """Accounts and tokens."""

    async def sign_in(self, username: str, password: str) -> TokenOut:
        """Exchange name and password for a token, which the connection then uses."""
        body = {"username": username, "password": password}
        token = await self._connection.one(TokenOut, "POST", "tokens", body)
        self.use(token)
        if (kept := self._connection.kept_drafts) is not None:
            await asyncio.to_thread(kept.unlock, username, password)
        return token

    def use(self, token: TokenOut) -> None:
        """Go on with a token."""
        self._connection.token, self._connection.session_id = token.token, token.session_id

    async def sign_out(self, token: str | None = None) -> None:
        """End a token.

        Args:
            token: One that another has replaced; None: the one in use.
        """
        await self._connection.send("DELETE", "tokens", token=token)
        if token is None:
            self._connection.token = None
            if (kept := self._connection.kept_drafts) is not None:
                kept.lock()

    async def me(self) -> AccountOut:
        """Return the account that the token belongs to."""
        return await self._connection.one(AccountOut, "GET", "accounts/me")

    async def choose_service_point(self, service_point: str) -> AccountOut:
        """Set the room to which this account calls patients from now on."""
        body = {"service_point": service_point}
        return await self._connection.one(AccountOut, "PUT", "accounts/me/service-point", body)

    async def key_known(self, username: str, public_key: str) -> bool:
        """Return whether an SSH key may sign an account in; for the SSH door only."""
        body = {"username": username, "public_key": public_key}
        response = await self._connection.send("POST", "door/keys/check", body)
        return bool(response.json()["known"])

    async def known_sources(self) -> list[str]:
        """Return the addresses that have signed in lately; for the SSH door only."""
        response = await self._connection.send("GET", "door/sources")
        return [str(address) for address in response.json()]

    async def token_for_key(self, username: str, public_key: str, proof: KeyProofIn) -> TokenOut:
        """Return a token for an SSH key, whose possession is proved; for the SSH door only.

        Args:
            username: User name of the account.
            public_key: A line of OpenSSH's `.pub` file.
            proof: What the client has signed.
        """
        body = {"username": username, "public_key": public_key, "proof": proof.model_dump()}
        return await self._connection.one(TokenOut, "POST", "door/tokens", body)

    async def change_password(self, old: str, new: str) -> None:
        """Choose another password for oneself; one's other sign-ins end."""
        body = {"old_password": old, "new_password": new}
        await self._connection.send("POST", "account/password", body)
        if (kept := self._connection.kept_drafts) is not None:
            await asyncio.to_thread(kept.change_password, new)

    async def give_code(self, code: str) -> None:
        """Give the code of one's second factor."""
        await self._connection.send("POST", "account/code", {"code": code})

    async def offer_second_factor(self) -> SecondFactorOffer:
        """Return a secret for an authenticator app."""
        return await self._connection.one(SecondFactorOffer, "POST", "account/second-factor")

    async def set_up_second_factor(self, secret: str, code: str) -> None:
        """Ask for a code at every sign-in of one's own account from now on."""
        await self._connection.send("PUT", "account/second-factor", {"secret": secret, "code": code})

    async def rights(self) -> list[RightsOut]:
        """List what every role may do."""
        return await self._connection.many(RightsOut, "rights")

    async def rights_changes(self) -> list[RightsChangeOut]:
        """List the requests to change rights, newest first."""
        return await self._connection.many(RightsChangeOut, "rights/changes")

    async def request_rights_change(
        self, role: str, permission: str, granted: bool, reason: str
    ) -> RightsChangeOut:
        """Ask for a right to be given to a role, or taken from it.

        Args:
            role: Code of the role.
            permission: Code of the right.
            granted: True gives it, False takes it away.
            reason: Why, in words.
        """
        body = {"role": role, "permission": permission, "granted": granted, "reason": reason}
        return await self._connection.one(RightsChangeOut, "POST", "rights/changes", body)

    async def approve_rights_change(self, change_id: str) -> RightsChangeOut:
        """Approve a change that another person asked for."""
        return await self._connection.one(RightsChangeOut, "POST", f"rights/changes/{change_id}/approve")

    async def refuse_rights_change(self, change_id: str) -> RightsChangeOut:
        """Refuse a change that another person asked for."""
        return await self._connection.one(RightsChangeOut, "POST", f"rights/changes/{change_id}/refuse")

    async def withdraw_rights_change(self, change_id: str) -> RightsChangeOut:
        """Take a request back that nobody has decided on."""
        return await self._connection.one(RightsChangeOut, "DELETE", f"rights/changes/{change_id}")
