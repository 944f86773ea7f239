"""Forms that the server keeps while they are typed, so that a dead line or machine loses next to nothing."""

from __future__ import annotations

import contextlib
from time import monotonic
from typing import Any

from textual import on, work
from textual.await_complete import AwaitComplete
from textual.timer import Timer
from textual.widgets import TextArea

from tui.client import Refused, UnreachableError
from tui.screens.base import LoketScreen, ResultT
from tui.terminal.keyboard import hold_keys

TYPING_SECONDS = 15.0  # between two drafts while somebody writes a long text without leaving its field


class KeepsDraft(LoketScreen[ResultT]):
    """Keeps a form as a draft: at each field, when another screen covers it, and when nobody is there any more.

    A form that nothing was typed into is not kept.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._kept: dict[str, Any] | None = None
        self._kept_at = monotonic()
        self._keep_timer: Timer | None = None
        self._is_over = False

    @property
    def draft_key(self) -> str:
        """What the draft is kept under."""
        raise NotImplementedError

    def draft(self) -> dict[str, Any] | None:
        """The form as `PUT drafts/{key}` takes it; None while there is nothing to keep."""
        raise NotImplementedError

    def settle_draft(self) -> None:
        """Take what stands here now for kept, or for nobody's typing."""
        self._kept = self.draft()

    def keep_anew(self) -> None:
        """Keep what stands here although it may look kept: it is about somebody else now."""
        self._kept = None
        self.keep_soon()

    def end_draft(self) -> None:
        """Keep nothing of this form any more: it is saved, or left."""
        self._is_over = True

    def dismiss(self, result: ResultT | None = None) -> AwaitComplete:
        """Leave; fields that go one after the other are no change of the form."""
        self.end_draft()
        return super().dismiss(result)

    def keep_soon(self) -> None:
        """Keep what has changed; at once, or when the last draft is old enough."""
        self._keep_after(self.session.draft_seconds)

    async def keep_now(self) -> None:
        """Keep what has changed, and wait until it is kept.

        Raises:
            Refused, UnreachableError: It is not; the next field tries again.
        """
        data = self.draft() if self.is_attached and not self._is_over else None
        if data is None or data == self._kept:
            return
        self._kept, self._kept_at = data, monotonic()
        try:
            await self.session.client.save_draft(self.draft_key, data)
        except (Refused, UnreachableError):
            self._kept = None
            raise

    def _keep_after(self, seconds: float) -> None:
        if self._is_over:
            return
        left = self._kept_at + seconds - monotonic()
        if left <= 0:
            self._keep()
        elif self._keep_timer is None:
            self._keep_timer = self.set_timer(left, self._keep_later)

    def _keep_later(self) -> None:
        self._keep_timer = None
        self._keep()

    @work(exclusive=True, group="draft", exit_on_error=False)
    async def _keep(self) -> None:
        with contextlib.suppress(Refused, UnreachableError):
            await self.keep_now()

    @work(exclusive=True, group="draft", exit_on_error=False)
    async def keep_and_leave(self) -> None:
        """Keep the form, then leave it; what prevents that is said."""
        with self.saying_refusals(), hold_keys(self.app):
            await self.keep_now()
            self.dismiss(None)

    @on(TextArea.Changed)
    def keep_while_writing(self) -> None:
        """A note may be written for minutes in one field."""
        self._keep_after(max(TYPING_SECONDS, self.session.draft_seconds))

    def on_screen_suspend(self) -> None:
        """Another screen comes before this one, perhaps the lock: the field being typed is not left by that."""
        self.keep_soon()
