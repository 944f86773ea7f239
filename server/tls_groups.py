"""The groups with which TLS agrees on keys: those of Mozilla's guidelines alone.

OpenSSL also offers X448, P-521 and finite fields by itself. Python before 3.15 cannot say which ones are wanted, OpenSSL's
configuration can, and it is read once, when a process begins: so the server begins anew with it.
"""

from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path

CLASSIC = "X25519:P-256:P-384"
POST_QUANTUM = "X25519MLKEM768"
KNOWN_SINCE = (3, 5)
"""OpenSSL's version from which it knows the post-quantum group; an unknown one would stop every connection."""
CONFIGURATION = Path(__file__).with_name("openssl.cnf")


def groups(version: tuple[int, ...] = ssl.OPENSSL_VERSION_INFO) -> str:
    """Return the groups as OpenSSL's configuration names them, the preferred one first.

    Args:
        version: OpenSSL's.
    """
    return f"{POST_QUANTUM}:{CLASSIC}" if version[:2] >= KNOWN_SINCE else CLASSIC


def bound(*, encrypted: bool) -> None:
    """Begin this process anew with the groups bounded, where it offers TLS and was not begun so.

    An admin's own `OPENSSL_CONF` is left alone.

    Args:
        encrypted: Whether this process offers TLS.
    """
    if not encrypted or "OPENSSL_CONF" in os.environ or not sys.orig_argv[1:]:
        return
    os.environ |= {"OPENSSL_CONF": str(CONFIGURATION), "TLS_GROUPS": groups()}
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
