"""A small counter: the app that the driver and the SSH door are tried with."""

from __future__ import annotations

from typing import Any

from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Label, Static

from tui.terminal.events import IdleTimeout
from tui.terminal.inputs import ThinInput

FIELDS = ["family", "given", "birth", "street", "village", "phone", "mother", "complaint", "payer", "remark"]


class Confirm(ModalScreen[bool]):
    """A dialog that Enter agrees to."""

    BINDINGS = [("escape", "dismiss(False)", "Back")]
    CSS = "Confirm { align: center middle; } Confirm Vertical { width: 40; height: 7; border: solid white; }"

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label("Save this patient?")
            yield Button("Save", id="save", compact=True)

    def on_button_pressed(self) -> None:
        self.dismiss(True)


class Counter(App[str]):
    """Ten fields, a dialog, a list."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { layers: base; } Label { width: 12; } ThinInput { width: 40; } #list { height: 5; }"
    BINDINGS = [
        ("f2", "save", "Save"),
        ("f9", "fail", "Fail"),
        ("f10", "quit", "Quit"),
    ]

    def __init__(self, person: str = "clerk", **options: Any) -> None:
        super().__init__(**options)
        self.theme = "ansi-dark"
        self.person = person
        self.saved: list[dict[str, str]] = []
        self.locked = 0

    def compose(self) -> ComposeResult:
        yield Static(f"Counter of {self.person}", id="title")
        for name in FIELDS:
            yield ThinInput(id=name, placeholder=name)
        yield Static("nobody waits", id="list")

    def values(self) -> dict[str, str]:
        return {name: self.screen_stack[0].query_one(f"#{name}", ThinInput).value for name in FIELDS}

    def action_save(self) -> None:
        def answered(agreed: bool | None) -> None:
            if agreed:
                self.saved.append(self.values())
                for name in FIELDS:
                    self.query_one(f"#{name}", ThinInput).value = ""
                self.query_one("#family").focus()

        self.push_screen(Confirm(), answered)

    def action_fail(self) -> None:
        patient_name = "Siti Rahmawati 6371014101900001"
        raise ValueError(f"cannot show {patient_name}")

    def on_idle_timeout(self, message: IdleTimeout) -> None:
        self.locked += 1
