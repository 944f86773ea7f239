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
    """Print where the program was taken from, the administration, the list of reports, and two codes."""
    settings = Settings.load({"LOKET_HOME": str(home), "LOKET_LANGUAGE": language}, home / "no.env")
    with Background(settings) as server:
        counter = Counter(server)
        async with counter.at("admin", language=settings.language) as (app, pilot):
            print(Path(core.__file__).parents[1])  # noqa: T201
            print(screen_text(app))  # noqa: T201
            await press(pilot, "r", "o")
            print(screen_text(app))  # noqa: T201
        async with counter.at("doctor", language=settings.language) as (app, _):
            assert app.session is not None
            codes = app.session.client.terminology
            for found in (await codes.find_diagnoses("I10"), await codes.find_procedures("23.09")):
                print([code.title for code in found])  # noqa: T201


if __name__ == "__main__":
    asyncio.run(show(Path(sys.argv[1]), sys.argv[2]))
