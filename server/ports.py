"""Checks before a server starts that its port is free, so that the start stops with one line."""

from __future__ import annotations

import socket

from core.foundation.config import HostPort
from core.foundation.errors import SettingsError


def must_be_free(address: HostPort, setting: str, *, is_shared: bool = False) -> None:
    """Raise unless this process can listen on an address.

    Args:
        address: The address of a server that is about to start.
        setting: The setting that holds it, for the error.
        is_shared: Whether other servers of ours may listen there too.

    Raises:
        SettingsError: The address is in use, or may not be used.
    """
    with socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise SettingsError(
                "{setting}: cannot listen on {address} ({why}). Does another server run? "
                "End it, or set another port.",
                setting=setting,
                address=f"{address.host}:{address.port}",
                why=error.strerror,
            ) from None
