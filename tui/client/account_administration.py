"""Accounts, for the administrator."""

from __future__ import annotations

from core.schemas.accounts import AccountEdit, AccountRow, KeyOut, NewAccount, SignInOut
from tui.client.resource import ResourceClient


class AccountAdministrationClient(ResourceClient):
    """Accounts with their keys and sign-ins."""

    async def list_accounts(self) -> list[AccountRow]:
        """Return all accounts, by user name."""
        return await self._connection.many(AccountRow, "accounts")

    async def add_account(self, new: NewAccount) -> AccountRow:
        """Add an account, whose first sign-in has to choose another password."""
        return await self._connection.one(AccountRow, "POST", "accounts", new.model_dump(mode="json"))

    async def edit_account(self, username: str, change: AccountEdit) -> AccountRow:
        """Change name, role or clusters."""
        body = change.model_dump(mode="json", exclude_unset=True)
        return await self._connection.one(AccountRow, "PATCH", f"accounts/{username}", body)

    async def disable(self, username: str) -> None:
        """Bar an account; its sign-ins end."""
        await self._connection.send("POST", f"accounts/{username}/disable")

    async def enable(self, username: str) -> None:
        """Let a disabled account sign in again."""
        await self._connection.send("POST", f"accounts/{username}/enable")

    async def reset_password(self, username: str, password: str) -> None:
        """Give a password that the next sign-in has to change."""
        await self._connection.send("POST", f"accounts/{username}/password", {"password": password})

    async def reset_second_factor(self, username: str) -> None:
        """Take another person's second factor away."""
        await self._connection.send("DELETE", f"accounts/{username}/second-factor")

    async def keys(self, username: str) -> list[KeyOut]:
        """Return the SSH keys that sign an account in."""
        return await self._connection.many(KeyOut, f"accounts/{username}/keys")

    async def add_key(self, username: str, public_key: str, label: str) -> KeyOut:
        """Let an SSH key sign an account in.

        Args:
            username: User name of the account.
            public_key: A line of OpenSSH's `.pub` file.
            label: Name of the key, for people.
        """
        body = {"public_key": public_key, "label": label}
        return await self._connection.one(KeyOut, "POST", f"accounts/{username}/keys", body)

    async def remove_key(self, username: str, key_id: str) -> None:
        """Let a key sign nobody in any longer."""
        await self._connection.send("DELETE", f"accounts/{username}/keys/{key_id}")

    async def sessions(self, username: str) -> list[SignInOut]:
        """Return the sign-ins of an account that have not ended, newest first."""
        return await self._connection.many(SignInOut, f"accounts/{username}/sessions")

    async def end_session(self, username: str, session_id: str) -> None:
        """End one sign-in."""
        await self._connection.send("DELETE", f"accounts/{username}/sessions/{session_id}")

    async def end_sessions(self, username: str) -> None:
        """End all sign-ins of an account."""
        await self._connection.send("DELETE", f"accounts/{username}/sessions")
