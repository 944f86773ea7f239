"""Drafts of forms, saved on the server while they are typed, so that a lost line costs next to nothing."""

from __future__ import annotations

from time import monotonic
from typing import Any

from textual import on, work
from textual.await_complete import AwaitComplete
from textual.timer import Timer
from textual.widgets import TextArea

from tui.client.errors import KeptHereError, RefusedError, UnreachableError
from tui.screens.base import LoketScreen, ResultT
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.translation import _
from tui.widgets import ChoiceField, TextField

STILL_SECONDS = 2.0  # seconds without a key after which what was typed is saved, in whatever field
RETRY_SECONDS = 5.0  # seconds after which a draft that could not be saved is tried again


class KeepsDraft(LoketScreen[ResultT]):
    """Saves a form as a draft when typing pauses, at each field, when another screen covers it, and when idle.

    A form without any typed text is not saved. When it cannot be saved, the status line says so until it can.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._kept: dict[str, Any] | None = None
        self._kept_at = monotonic()
        self._keep_timer: Timer | None = None
        self._still_timer: Timer | None = None
        self._is_over = False
        self._is_kept = True

    @property
    def draft_key(self) -> str:
        """Return the key of the draft."""
        raise NotImplementedError

    def draft(self) -> dict[str, Any] | None:
        """Return the form as `PUT drafts/{key}` takes it; None when there is nothing to save."""
        raise NotImplementedError

    def settle_draft(self) -> None:
        """Treat the current form as the saved baseline."""
        self._kept = self.draft()

    def keep_again(self) -> None:
        """Save the current form even when it equals the baseline: it is about another person now."""
        self._kept = None
        self.keep_soon()

    def end_draft(self) -> None:
        """Stop saving drafts of this form: it is saved or left."""
        self._is_over = True

    def dismiss(self, result: ResultT | None = None) -> AwaitComplete:
        """Leave; the fields that disappear one after the other are no change of the form."""
        self.end_draft()
        return super().dismiss(result)

    def keep_soon(self) -> None:
        """Save a changed form: at once, or when the last draft is old enough."""
        self._keep_after(self.session.draft_seconds)

    async def keep_now(self) -> None:
        """Save a changed form, and wait until it is saved.

        Raises:
            RefusedError: The core refuses it; the next field tries again.
            UnreachableError: The core does not answer; the next field tries again.
        """
        data = self.draft() if self.is_attached and not self._is_over else None
        if data is None or data == self._kept:
            return
        self._kept, self._kept_at = data, monotonic()
        try:
            await self.session.client.drafts.save(self.draft_key, data)
        except (RefusedError, UnreachableError):
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
        try:
            await self.keep_now()
        except (RefusedError, UnreachableError) as failure:
            self._tell_unkept(failure)
        else:
            self._tell_kept()

    def _tell_unkept(self, failure: RefusedError | UnreachableError) -> None:
        """Say that what was typed is not on the server, and try again by itself."""
        self._is_kept = False
        self.say(_unkept_text(failure), "warning")
        if not self._is_over and self.is_attached:
            self.set_timer(RETRY_SECONDS, self._keep)

    def _tell_kept(self) -> None:
        if not self._is_kept:
            self._is_kept = True
            self.say(_("Kept again."), "good")

    @work(exclusive=True, group="draft", exit_on_error=False)
    async def keep_and_leave(self) -> None:
        """Save the form, then leave it; show the reason when it cannot be saved."""
        with self.saying_refusals(), hold_keys(self.app):
            try:
                await self.keep_now()
            except KeptHereError:
                if not self.leave_kept_here():
                    raise
            else:
                self.dismiss(None)

    def leave_kept_here(self) -> bool:
        """Leave a form that lies on this machine's disk, if the screen before goes on without the core."""
        return False

    @on(TextArea.Changed)
    @on(TextField.Changed)
    @on(ChoiceField.Changed)
    def keep_when_still(self) -> None:
        """Save when typing pauses, also in the middle of a field: a machine may die before the next one."""
        if self._still_timer is not None:
            self._still_timer.stop()
        self._still_timer = self.set_timer(max(STILL_SECONDS, self.session.draft_seconds), self._keep)

    def on_screen_suspend(self) -> None:
        """Save when another screen, such as the lock, covers this one: the field keeps its focus then."""
        self.keep_soon()


def _unkept_text(failure: RefusedError | UnreachableError) -> str:
    if isinstance(failure, KeptHereError):
        return _("No answer from the server: what you type is kept on this machine.")
    text = _("NOT KEPT: what you type is not on the server yet.")
    return (
        f"{text} {problem_words.problem_text(failure.problem)}" if isinstance(failure, RefusedError) else text
    )
