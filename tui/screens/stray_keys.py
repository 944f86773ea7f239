"""Keys that were meant for a text field, told apart from commands.

Where a letter is a command, somebody who believes that a field has the focus (one Escape too many, a screen that
closed by itself) acts on patients by typing. A key is judged by the instant at which it was pressed, `Message.time`,
so that what was typed ahead on a slow line counts from when it left the hand, not from when it arrived here.
"""

from __future__ import annotations

from textual import events

QUIET_SECONDS = (
    1.0  # seconds after a screen closed, or a choice changed by itself, in which no key is a command
)
TYPING_SECONDS = 0.35  # seconds; a key that follows a stray one this fast belongs to the same typing

CLOSED, TYPING, NOT_SHOWN, CHANGED, UNKNOWN = "closed", "typing", "not_shown", "changed", "unknown"
"""Reasons for which a key is set aside."""


def is_typed(event: events.Key) -> bool:
    """Return whether a key writes something into a text, or ends it: a letter, a digit, Space, Enter."""
    return event.is_printable or event.key == "enter"


class StrayKeys:
    """Judges the keys of one screen. All instants are those of `time.monotonic`, in seconds."""

    def __init__(self) -> None:
        self._closed_at = self._chosen_at = self._changed_at = self._stray_at = float("-inf")

    def screen_closed(self, at: float) -> None:
        """Take note that another screen closed over this one."""
        self._closed_at = at

    def choice_moved(self, at: float) -> None:
        """Take note that a key chose another row."""
        self._chosen_at = at

    def choice_changed(self, at: float) -> None:
        """Take note that another row is chosen although no key asked for it: the chosen one has gone."""
        self._changed_at = at

    def choice_confirmed(self) -> None:
        """Take note that the person has acted on the chosen row: the next key means the same one."""
        self._changed_at = float("-inf")

    def judge(self, event: events.Key, *, is_command: bool, needs_row: bool) -> str | None:
        """Return the reason for which a key is no command; None for a command.

        Args:
            event: A key for which `is_typed`.
            is_command: Whether it means anything on this screen.
            needs_row: Whether it acts on the chosen row.
        """
        reason = self._reason(event, is_command=is_command, needs_row=needs_row)
        if reason is not None:
            self._stray_at = event.time
        return reason

    def _reason(self, event: events.Key, *, is_command: bool, needs_row: bool) -> str | None:
        if event.time < self._closed_at + QUIET_SECONDS:
            return CLOSED
        if event.time < self._stray_at + TYPING_SECONDS:
            return TYPING
        if not is_command:
            return UNKNOWN if event.is_printable else None
        if needs_row and event.time < self._changed_at + QUIET_SECONDS:
            return CHANGED
        # Enter opens what an arrow of the same packet has chosen: that ends nothing.
        is_early = event.is_printable and event.time <= self._chosen_at
        return NOT_SHOWN if is_early else None
