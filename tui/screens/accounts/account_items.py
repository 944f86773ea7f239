"""Base of the lists that belong to one account: its keys, its sign-ins."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable

from textual import work

from core.schemas.accounts import AccountOut
from tui.client.account_administration import AccountAdministrationClient
from tui.screens.item_list import ItemList, ItemT
from tui.session import Session


class AccountItems(ItemList[ItemT]):
    """Lists what one account has, and reads it again after each change."""

    AREA = "administer"

    def __init__(self, session: Session, account: AccountOut) -> None:
        super().__init__(session)
        self._account = account

    @property
    def _calls(self) -> AccountAdministrationClient:
        return self.session.client.account_administration

    @abstractmethod
    async def _read(self) -> None:
        """Read the items, show them and say how many there are."""

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self) -> None:
        """Read the list."""
        with self.saying_refusals():
            await self._read()

    async def _change(self, call: Awaitable[object], done: str) -> None:
        """Make one change, read the list again and say what was done."""
        with self.saying_refusals():
            await call
            await self._read()
            self.say(done, "good")
