"""Prints what an admin sees in a language: `python -m tests.tui.language_screen HOME LANGUAGE`.

A process of its own, so that it takes up the catalogues and data that are on its path.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import core
from core.foundation.config import Settings
from server.run import Background
from tests.tui.conftest import Counter, press
from tests.tui.looking import screen_text


async def show(home: Path, language: str) -> None:
    """Print where the program was taken from, the administration and the list of reports."""
    settings = Settings.load({"LOKET_HOME": str(home), "LOKET_LANGUAGE": language}, home / "no.env")
    with Background(settings) as server:
        async with Counter(server).at("admin", language=settings.language) as (app, pilot):
            print(Path(core.__file__).parents[1])  # noqa: T201
            print(screen_text(app))  # noqa: T201
            await press(pilot, "r", "o")
            print(screen_text(app))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(show(Path(sys.argv[1]), sys.argv[2]))
