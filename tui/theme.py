"""Styles of states, by attribute first and colour second.

Every style says the same in monochrome: colour only repeats what a word, a sign or bold and
reverse already say. The sixteen ANSI colours are the person's own, so contrast is theirs.
"""

from __future__ import annotations

from rich.style import Style

THEME = "ansi-dark"
"""The only kind of theme that sends real ANSI colours and the terminal's own background."""

PLAIN = Style()
STRONG = Style(bold=True)
QUIET = Style(dim=True)
"""A label, and what was measured last time: the eye finds the value first. A terminal without faint text shows it plain."""
CURSOR = Style(reverse=True)
"""The selected row, seen without colour."""
BAR = Style(reverse=True)
"""A pane's title, over its whole width."""
TITLE = Style(reverse=True, bold=True)
"""The title of a screen or a dialog, and the person signed in."""
GOOD = Style(bold=True, color="green")
WARNING = Style(bold=True, color="yellow")
ALERT = Style(bold=True, color="red")
CALLED = Style(bold=True, color="cyan")
QR = Style(color="black", bgcolor="bright_white")
"""Readers want dark on light, whatever the terminal's own colours are."""
