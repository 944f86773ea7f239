"""Trust of a counter or a door in its server: the clinic's own, kept at the first contact, or one that is known publicly.

At the first contact the server hands out the certificate of its clinic's authority. Its fingerprint is shown and, once
accepted, kept; from then on nothing else is believed under that address.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx

from core.foundation.certificates import fingerprint
from core.foundation.config import Settings
from core.foundation.private_files import write_private

AUTHORITY_PATH = "/ca.pem"
LARGEST_BYTES = 16_384
SECONDS = 10.0


class UntrustedServerError(Exception):
    """The server is not the one that was trusted, or nobody has trusted it yet.

    Attributes:
        reason: `changed`, `refused` or `unknown`.
        detail: The fingerprint, or where the kept certificate stands.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def context_for(settings: Settings, base_url: str, accept: Callable[[str], bool]) -> ssl.SSLContext | None:
    """Return the TLS with which an address is asked; None for plain HTTP.

    Args:
        settings: Of the counter or the door; kept certificates stand in its data folder.
        base_url: Address of the core.
        accept: Asks whether a fingerprint is the right one, at the first contact.

    Raises:
        UntrustedServerError: Another server answers, or its fingerprint was not accepted.
        httpx.TransportError: Nothing answers.
    """
    url = httpx.URL(base_url)
    if url.scheme != "https":
        return None
    is_here = settings.certificate_files.authority.exists() or not settings.server_url
    if base_url == settings.resolved_server_url and is_here:
        return beside_the_server(settings)
    kept = settings.home / "trusted" / f"{url.host}_{url.port or 443}.pem"
    if not kept.exists():
        if _answers(base_url, ssl.create_default_context()):
            return ssl.create_default_context()
        _keep(base_url, kept, accept, settings.server_fingerprint)
    context = ssl.create_default_context(cafile=str(kept))
    with contextlib.suppress(httpx.TransportError):  # a core that is down is waited for elsewhere
        if not _answers(base_url, context):
            raise UntrustedServerError("changed", str(kept))
    return context


def beside_the_server(settings: Settings) -> ssl.SSLContext:
    """Return the TLS for the server of this data folder: its certificate is a file here."""
    if not settings.tls_certificate:
        return ssl.create_default_context(cafile=str(settings.certificate_files.authority))
    context = ssl.create_default_context(cafile=settings.tls_certificate)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False  # it bears the public name, and this is asked by the machine's own address
    return context


def _answers(base_url: str, context: ssl.SSLContext) -> bool:
    """Return whether the server proves itself to such TLS; any answer will do."""
    try:
        httpx.get(f"{base_url}/healthz", verify=context, timeout=SECONDS)
    except httpx.ConnectError as error:
        if _is_about_trust(error):
            return False
        raise
    return True


def _is_about_trust(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _keep(base_url: str, kept: Path, accept: Callable[[str], bool], expected: str) -> None:
    """Fetch the authority's certificate and keep it once it is accepted."""
    # Nothing is believed yet: what comes is only shown, and the server must prove itself by it afterwards.
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    answer = httpx.get(f"{base_url}{AUTHORITY_PATH}", verify=unverified, timeout=SECONDS)
    pem = answer.content[:LARGEST_BYTES]
    try:
        shown = fingerprint(pem)
    except ValueError:
        raise UntrustedServerError("unknown", base_url) from None
    is_right = _plain(shown) == _plain(expected) if expected else accept(shown)
    if not is_right:
        raise UntrustedServerError("refused", shown)
    if not _answers(base_url, ssl.create_default_context(cadata=pem.decode("ascii"))):
        raise UntrustedServerError("unknown", base_url)
    kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(kept, pem)


def _plain(fingerprint_: str) -> str:
    return "".join(letter for letter in fingerprint_.upper() if letter.isalnum()).removeprefix("SHA256")
