"""`loket move-database`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from server.commands import console


def move_database(
    target: Annotated[
        str, typer.Argument(help="The empty database: postgresql://..., or sqlite:///path on the way back.")
    ],
) -> None:
    """Copy the clinic to another database and compare every table; cut off, it goes on when run again."""
    from core.daily import moving
    from server import ports
    from server.text import move_sentences as sentences

    settings = console.load_settings()
    ports.must_be_free(settings.http, "LOKET_HTTP")
    moved = moving.move_clinic(settings, target, sentences.Told(sys.stderr))
    for line in sentences.moved(moved, target):
        print(line)
