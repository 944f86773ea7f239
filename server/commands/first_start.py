"""`loket first-start`: what the first start of a service has to say to nobody at a terminal."""

from __future__ import annotations

import sys

import typer

from server.commands import console

app = typer.Typer(no_args_is_help=True, help="What the first start has to say.")


@app.callback()
def group() -> None:
    """Keep `show` a command of its own."""


@app.command("show")
def show() -> None:
    """Print the admin's password and the recovery key once, and remove them from this machine."""
    from server import first_start
    from server.text.translation import _

    told = first_start.take_told(console.load_settings().home)
    if not told:
        sys.stderr.write(_("There is nothing to show: it was read already.") + "\n")
        raise typer.Exit(1)
    print(told, end="")
