"""The conditions of a start, looked at before it: by the start itself, and by a trial before a running server ends for it.

The trial is a process of its own (`loket serve --instead-of`), so that it reads `.env`, the clinic's files and Loket's code
as the next start will, while the server goes on serving.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence

from core.foundation.clinic import Clinic
from core.foundation.config import HostPort, Settings
from server import encryption, ports

SECONDS = 120.0
"""Longest wait for a trial: a slow machine reads all words and rules."""
SAID_BY = "loket: "
"""Words before the sentence with which a command ends."""


def require_startable(settings: Settings, *, with_door: bool, instead_of: Iterable[str] = ()) -> None:
    """Refuse settings, files or a database with which a server could not start; nothing is changed.

    Args:
        settings: Of the start.
        with_door: Whether the SSH door starts too.
        instead_of: Addresses of the server that ends before this one starts.

    Raises:
        SettingsError: A setting, a file of the clinic's own, the certificate or a port.
        DatabaseError: The database.
    """
    encryption.require_decision(settings)
    encryption.require_certificate(settings)
    held = frozenset(instead_of)
    for address, setting, is_shared in _addresses(settings, with_door=with_door):
        if _text(address) not in held:
            ports.must_be_free(address, setting, is_shared=is_shared)
    Clinic.require_openable(settings)


def held_by(settings: Settings) -> str:
    """Return the addresses that a running server gives up, as `instead_of` takes them in one word.

    Args:
        settings: Of the running server.
    """
    return ",".join(_text(address) for address, _setting, _shared in _addresses(settings, with_door=True))


def refusal(words: Sequence[str], running: Settings, language: str) -> str:
    """Try the next start; return the sentence with which it would stop, empty when it would not.

    Args:
        words: What follows `python -m server`.
        running: Settings of the running server.
        language: Of the sentence.
    """
    command = [sys.executable, "-m", "server", *words, f"--instead-of={held_by(running)}"]
    environment = {**os.environ, "LOKET_LANGUAGE": language}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{SECONDS:.0f} s"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"{done.returncode}"]
    said = [line.removeprefix(SAID_BY) for line in lines if line.startswith(SAID_BY)]
    return (said or lines)[-1]


def _addresses(settings: Settings, *, with_door: bool) -> Iterable[tuple[HostPort, str, bool]]:
    yield settings.http, "LOKET_HTTP", False
    if settings.display_http is not None:
        yield settings.display_http, "LOKET_DISPLAY_HTTP", False
    if with_door:
        yield settings.ssh, "LOKET_SSH", settings.ssh_shared_port


def _text(address: HostPort) -> str:
    return f"{address.host}:{address.port}"
