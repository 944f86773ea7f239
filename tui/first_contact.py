"""The words of a counter's or a door's first contact with the core over HTTPS."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Sequence

import httpx

from core.foundation.config import HostPort, Settings
from tui.client import trust
from tui.text.translation import N_, _

YES = frozenset({"y", "yes", "ya", "j"})
REASONS = {
    "changed": N_(
        "Another server answers than the one that was trusted. Ask the admin; if the server was set up anew, remove {detail}"
    ),
    "refused": N_(
        "The server was not accepted. Compare with what the admin sees in `loket doctor`: SHA-256 {detail}"
    ),
    "unknown": N_("The server at {detail} proves by nothing that it is the clinic's."),
}


class NoTrustError(Exception):
    """The core cannot be trusted, or not be asked; the message says why."""


class NoAnswerError(NoTrustError):
    """Nothing answers there; another address may."""


def trusted_of_several(
    settings: Settings, addresses: Sequence[str], accept: Callable[[str], bool]
) -> dict[str, ssl.SSLContext | None]:
    """Return the TLS for each address at which the core may be.

    An address that does not answer yet is trusted as those that do: the machine that takes over has its certificate of
    the same clinic's authority.

    Args:
        settings: Of the counter or the door.
        addresses: Of the core; the first is asked first.
        accept: Asks whether a fingerprint is the right one.

    Raises:
        NoTrustError: One is not to be trusted, or none answers.
    """
    contexts: dict[str, ssl.SSLContext | None] = {}
    silent = []
    for address in addresses:
        try:
            contexts[address] = trusted(settings, address, accept)
        except NoAnswerError as error:
            silent.append((address, error))
    if not contexts:
        raise silent[0][1]
    known = next((context for context in contexts.values() if context is not None), None)
    for address, _error in silent:
        is_encrypted = address.startswith("https://")
        contexts[address] = (known or ssl.create_default_context()) if is_encrypted else None
    return {address: contexts[address] for address in addresses}


def trusted(settings: Settings, address: str, accept: Callable[[str], bool]) -> ssl.SSLContext | None:
    """Return the TLS with which an address is asked; None for plain HTTP.

    Args:
        settings: Of the counter or the door.
        address: Of the core.
        accept: Asks whether a fingerprint is the right one.

    Raises:
        NoTrustError: It is not to be trusted, or is not encrypted.
        NoAnswerError: It does not answer.
    """
    url = httpx.URL(address)
    if url.scheme == "http" and not HostPort(host=url.host, port=0).is_loopback and not settings.plain_http:
        raise NoTrustError(
            _("{address} is not encrypted: use https://, or set LOKET_PLAIN_HTTP=yes").format(address=address)
        )
    try:
        return trust.context_for(settings, address, accept)
    except trust.UntrustedServerError as error:
        raise NoTrustError(_(REASONS[error.reason]).format(detail=error.detail)) from None
    except httpx.TransportError:
        raise NoAnswerError(_("{address} does not answer.").format(address=address)) from None


def ask(fingerprint: str) -> bool:
    """Ask the person at the terminal; where there is none, nothing is accepted."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(
        _("First contact with this server. Compare its fingerprint with `loket doctor` there:") + "\n"
    )
    sys.stderr.write(f"  SHA-256 {fingerprint}\n")
    sys.stderr.write(_("Is it the same? (yes/no)") + " ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in YES
