"""A list of the quiet hour: read from the core, gone through with arrows."""

from __future__ import annotations

from abc import abstractmethod
from typing import Generic, TypeVar

from textual.app import ComposeResult

from tui.screens.base import LoketScreen
from tui.session import Session
from tui.widgets import PickList, PickRow
from tui.widgets.lines import Line

ItemT = TypeVar("ItemT")


class QuietList(LoketScreen[None], Generic[ItemT]):
    """Items by their keys, a row each."""

    AREA = "register"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._items: dict[str, ItemT] = {}

    @abstractmethod
    def read(self) -> object:
        """Begin to read the list, and say what it is."""

    @abstractmethod
    def _row(self, item: ItemT) -> Line:
        """What is shown of an item."""

    def compose_body(self) -> ComposeResult:
        """The list."""
        yield PickList("items")

    def on_mount(self) -> None:
        """Read it."""
        self._list.focus()
        self.action_refresh_data()

    def after_language(self) -> None:
        """Show it again."""
        self._show()

    def action_refresh_data(self) -> None:
        """Read the list anew."""
        self.read()

    def _show(self) -> None:
        self._list.show_rows([PickRow(key, self._row(item)) for key, item in self._items.items()], keep=True)

    @property
    def _list(self) -> PickList:
        return self.query_one("#items", PickList)

    @property
    def _chosen(self) -> ItemT | None:
        return self._items.get(self._list.chosen or "")
