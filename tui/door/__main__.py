"""`python -m tui.door`: an SSH door for the core at LOKET_SERVER_URL (by default the one beside it)."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import Any

from textual.app import App

from core.catalogues import catalogue
from core.config import Settings
from core.errors import SettingsError
from tui.app import build_app
from tui.changes import ChangeHub
from tui.client import CoreClient
from tui.door.contracts import ConnectionInfo, DoorTexts
from tui.door.core_sign_in import CoreSignIn
from tui.door.rehearsal import rehearse
from tui.lines.dialogue import line_mode
from tui.session import Session
from tui.ssh import serve
from tui.terminal.capabilities import Capabilities

logger = logging.getLogger(__name__)

TOKEN_VARIABLE = "LOKET_DOOR_TOKEN"
"""The credential of a door on another machine; here it is a file in LOKET_HOME."""
WITH_PARENT = "--with-parent"


def texts_in(language: str) -> DoorTexts:
    """The door's sentences for people without an app on the screen."""
    say = catalogue("tui", language).gettext
    plain = DoorTexts()
    return DoorTexts(**{name: say(getattr(plain, name)) for name in DoorTexts.__dataclass_fields__})


def make_app(session: Session, capabilities: Capabilities, connection: ConnectionInfo) -> App[Any]:
    """The app of a signed-in person at a terminal."""
    session.capabilities = capabilities
    return build_app(session)


async def run(settings: Settings, token: str, *, with_parent: bool) -> None:
    """Serve until SIGTERM or SIGINT, or, with a parent, until the other end of standard input is closed.

    A door that outlived a killed server would keep its port, and the server's next start would fail.
    """
    client = CoreClient(settings.resolved_server_url, token)
    sign_in = CoreSignIn(client, ChangeHub(client))

    def texts_for(session: Session | None) -> DoorTexts:
        return texts_in(session.translator.language if session is not None else settings.language)

    await rehearse(settings.language)
    task = asyncio.ensure_future(serve(settings, make_app, sign_in, line_mode=line_mode, texts_for=texts_for))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    if with_parent:
        loop.add_reader(sys.stdin, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        logger.info("the door is closed")
    finally:
        await client.close()


def main() -> int:
    """Start the door; returns the exit code."""
    os.umask(0o077)  # the host key and what else it writes are its own
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("asyncssh", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        settings = Settings.load()
        token = os.environ.get(TOKEN_VARIABLE) or settings.door_token_file.read_text().strip()
    except SettingsError as error:
        sys.stderr.write(f"loket: {error}\n")
        return 2
    except OSError:
        sys.stderr.write(
            f"loket: no door credential: start the server first, or set {TOKEN_VARIABLE} "
            f"(looked for {settings.door_token_file})\n"
        )
        return 2
    try:
        asyncio.run(run(settings, token, with_parent=WITH_PARENT in sys.argv[1:]))
    except OSError as error:
        sys.stderr.write(
            f"loket: LOKET_SSH: cannot listen on {settings.ssh.host}:{settings.ssh.port} ({error.strerror})\n"
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
