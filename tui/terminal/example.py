"""An app on the thin driver: `python -m tui.terminal.example`. Any Textual app runs the same way."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Label

from tui.terminal.inputs import ThinInput
from tui.terminal.local import run_local


class Greeting(App[str]):
    """Asks for a name and ends with it."""

    def compose(self) -> ComposeResult:
        """Show a question and a field."""
        yield Label("Your name?")
        yield ThinInput()

    def on_input_submitted(self, event: ThinInput.Submitted) -> None:
        """End with the name."""
        self.exit(event.value)


if __name__ == "__main__":
    print(run_local(lambda capabilities: Greeting()))  # noqa: T201  # an example shows its result
