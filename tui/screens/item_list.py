"""Base of the screens that list items: read from the core, browsed with the arrows."""

from __future__ import annotations

from abc import abstractmethod
from typing import Generic, TypeVar

from textual.app import ComposeResult

from tui.screens.base import LoketScreen
from tui.session import Session
from tui.widgets import PickList, PickRow
from tui.widgets.painting import Line

ItemT = TypeVar("ItemT")


class ItemList(LoketScreen[None], Generic[ItemT]):
    """Lists items by their keys, a row each."""

    AREA = "register"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._items: dict[str, ItemT] = {}

    @abstractmethod
    def read(self) -> object:
        """Start reading the list, and explain it."""

    @abstractmethod
    def _row(self, item: ItemT) -> Line:
        """Return the text of an item."""

    def compose_body(self) -> ComposeResult:
        """Yield the list."""
        yield PickList("items")

    def on_mount(self) -> None:
        """Read the list."""
        self._list.focus()
        self.action_refresh_data()

    def after_language(self) -> None:
        """Show the list in the new language."""
        self._show()

    def action_refresh_data(self) -> None:
        """Read the list again."""
        self.read()

    def _show(self) -> None:
        self._list.show_rows([PickRow(key, self._row(item)) for key, item in self._items.items()], keep=True)

    @property
    def _list(self) -> PickList:
        return self.query_one("#items", PickList)

    @property
    def _chosen(self) -> ItemT | None:
        return self._items.get(self._list.chosen or "")
