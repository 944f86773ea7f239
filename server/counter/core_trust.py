"""Trust of a counter's machine in its core: the clinic's own authority, kept at the first contact."""

from __future__ import annotations

import logging
import ssl

import httpx

from core.foundation.certificates import fingerprint
from core.foundation.config import Settings
from core.foundation.errors import SettingsError
from core.foundation.private_files import write_private

log = logging.getLogger(__name__)

AUTHORITY_PATH = "/ca.pem"
LARGEST_BYTES = 16_384
"""Of a certificate: anything longer is none."""


def context_for(settings: Settings) -> ssl.SSLContext | None:
    """Return the TLS with which the core is asked; None for plain HTTP.

    Args:
        settings: Of this machine; the kept certificate stands in its data folder, where the terminal keeps it too.

    Raises:
        SettingsError: Another authority answers than LOKET_SERVER_FINGERPRINT names.
        httpx.TransportError: Nothing answers, and no certificate was kept yet.
    """
    url = httpx.URL(settings.resolved_server_url)
    if url.scheme != "https":
        return None
    kept = settings.home / "trusted" / f"{url.host}_{url.port or 443}.pem"
    if not kept.exists():
        with httpx.Client(verify=False) as client:  # noqa: S501  # what it hands out is compared with the fingerprint
            content = client.get(url.copy_with(path=AUTHORITY_PATH)).content[:LARGEST_BYTES]
        found = fingerprint(content)
        if settings.server_fingerprint and found != settings.server_fingerprint:
            raise SettingsError("LOKET_SERVER_FINGERPRINT: another core answers ({found})", found=found)
        log.warning("first contact: this counter trusts the core with SHA-256 %s from now on", found)
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(kept, content)
    return ssl.create_default_context(cafile=str(kept))
