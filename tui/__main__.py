"""`python -m tui --server URL`: the terminal on this machine, over HTTP to the core."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from core.foundation import garbage, logs
from core.foundation.config import Settings
from core.foundation.errors import SettingsError
from tui import first_contact
from tui.client.core_client import CoreClient
from tui.client.kept_drafts import KeptDrafts
from tui.terminal.capabilities import detect
from tui.terminal.local import AppFailedError, NoTerminalError, run_local
from tui.text.translation import LANGUAGES, Translator, _

logger = logging.getLogger(__name__)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tui", description="Loket in this terminal.")
    parser.add_argument("--server", help="address of the core, such as http://127.0.0.1:8460")
    parser.add_argument("--username", default="", help="what stands in the name field already")
    parser.add_argument("--demo", action="store_true", help="say on the sign-in screen how to get in")
    parser.add_argument(
        "--lines",
        action="store_true",
        help="questions and answers instead of a screen; reads piped answers too",
    )
    parser.add_argument("--language", choices=LANGUAGES, help="screen language")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run until the person leaves and return the exit code."""
    chosen = _arguments(arguments)
    try:
        settings = Settings.load()
    except SettingsError as error:
        sys.stderr.write(f"loket: {error}\n")
        return 2
    language = chosen.language or settings.language
    Translator(language).activate()
    logs.configure_logging(logging.CRITICAL)  # the screen is the app's; nothing less may write over it

    with garbage.not_collected():
        from tui.app import build_app

    addresses = (
        [given.rstrip("/") for given in chosen.server.split(",")] if chosen.server else settings.server_urls
    )
    try:
        trust = first_contact.trusted_of_several(settings, addresses, first_contact.ask)
    except first_contact.NoTrustError as error:
        sys.stderr.write(f"loket: {error}\n")
        return 2
    client = CoreClient(addresses[0], language=language, trust=trust)
    client.kept_drafts = KeptDrafts(settings.home / "drafts")
    if chosen.lines or (sys.stdin.isatty() and not detect(os.environ.get("TERM")).addressable):
        from tui.lines.standard_io import run_lines

        return run_lines(client, chosen.username, language)
    note = ""
    if chosen.demo:
        note = _("Demo: everybody's password is demo.") + "\n"
        note += _("A second terminal:") + f" ssh -p {settings.ssh.port} dentist@{settings.ssh.host}"
    try:
        run_local(
            lambda capabilities: build_app(
                client=client, username=chosen.username, language=language, note=note
            ),
            report=lambda error: logger.error("the app failed: %s", logs.describe_failure(error)),
        )
    except NoTerminalError:
        sys.stderr.write(_("This needs a terminal; with --lines it takes answers from a file too.") + "\n")
        return 2
    except AppFailedError:
        sys.stderr.write(
            _("This screen had to close because of a fault; what you saved is safe. Please sign in again.")
            + "\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
