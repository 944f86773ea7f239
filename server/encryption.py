"""Encryption of HTTP: none, or with which certificate.

On loopback nobody listens in. Beyond it HTTPS is the rule: with a certificate by setting, or one of the clinic's own
authority. Plain HTTP has to be asked for, and is told at each start.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import socket
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from core.foundation import certificates
from core.foundation.config import Settings
from core.foundation.errors import SettingsError
from core.foundation.high_water import had_clinic

log = logging.getLogger(__name__)

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2; those of 1.3 are all good."""
RENEWAL_SECONDS = 3600.0
"""Interval at which it is looked whether the certificate ends soon."""


def require_decision(settings: Settings) -> None:
    """Stop a clinic that went on without encryption so far, until it says which way it goes on.

    Raises:
        SettingsError: It has to add one line.
    """
    if settings.http.is_loopback or settings.tls_certificate or settings.plain_http is not None:
        return
    if had_clinic(settings.home) and not settings.certificate_files.authority.exists():
        raise SettingsError(
            "LOKET_HTTP: {address} is open to the network without encryption. Add one line to .env: "
            "LOKET_PLAIN_HTTP=no to encrypt it from now on (counters and doors then ask for https://), or "
            "LOKET_PLAIN_HTTP=yes to go on as before",
            address=f"{settings.http.host}:{settings.http.port}",
        )


def require_office(settings: Settings) -> None:
    """Stop an office that would take patients' records over the network in the clear.

    It has no authority of its own: clinics all over a city would have to be told of it.

    Raises:
        SettingsError: It has neither a certificate nor the admin's word.
    """
    if settings.office_http.is_loopback:
        return
    if settings.tls_certificate:
        _require_usable(settings)
    elif settings.plain_http:
        log.warning("LOKET_PLAIN_HTTP=yes: %s is not encrypted", settings.office_http.url)
    else:
        raise SettingsError(
            "LOKET_OFFICE_HTTP: {address} is open to the network without encryption. Set LOKET_TLS_CERTIFICATE, or "
            "LOKET_OFFICE_HTTP=127.0.0.1:8470 behind a web server with TLS, or add LOKET_PLAIN_HTTP=yes",
            address=f"{settings.office_http.host}:{settings.office_http.port}",
        )


def require_certificate(settings: Settings) -> None:
    """Refuse a certificate by setting that cannot be used.

    Raises:
        SettingsError: The certificate or its key cannot be read, or they do not fit.
    """
    if settings.http_is_encrypted and settings.tls_certificate:
        _require_usable(settings)


def prepare(settings: Settings) -> None:
    """Make what HTTPS needs, and say how this server is reached.

    Raises:
        SettingsError: The certificate or its key cannot be used.
    """
    if settings.http.is_loopback and not settings.tls_certificate:
        return
    if not settings.http_is_encrypted:
        log.warning(
            "LOKET_PLAIN_HTTP=yes: %s is not encrypted; passwords and records can be read on the network",
            settings.http.url,
        )
        return
    if settings.tls_certificate:
        _require_usable(settings)
        return
    files = settings.certificate_files
    is_first = not files.authority.exists()
    certificates.prepare(files, settings.facility_name, names_of(settings))
    said = "this clinic's own certificate authority: SHA-256 %s"
    (log.warning if is_first else log.info)(said, certificates.fingerprint(files.authority.read_bytes()))


def _require_usable(settings: Settings) -> None:
    try:
        context_of(settings)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            "LOKET_TLS_CERTIFICATE: {file} and its key cannot be used ({why})",
            file=settings.tls_certificate,
            why=getattr(error, "strerror", None) or type(error).__name__,
        ) from None


def names_of(settings: Settings) -> set[str]:
    """Return the names and addresses that the server's certificate bears."""
    given = {urlsplit(url).hostname or "" for url in (*settings.server_urls, settings.public_url)}
    given |= {name.strip() for name in settings.tls_names.split(",")}
    given |= {settings.http.host, socket.gethostname(), *_own_addresses()}
    return {name for name in given if name and not _is_any(name)} | {"localhost", "127.0.0.1", "::1"}


def _is_any(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_unspecified
    except ValueError:
        return False


def _own_addresses() -> set[str]:
    """Return this machine's addresses as far as it knows them without asking anybody."""
    found = set()
    try:
        found = {
            str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(socket.gethostname(), None)
        }
    except OSError:
        log.info("this machine's name has no address")
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:  # no packet is sent: the kernel only says which address it would use
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((elsewhere, 9))
                found.add(str(probe.getsockname()[0]))
        except OSError:
            continue  # no network of this kind
    return found


def context_of(settings: Settings) -> ssl.SSLContext:
    """Return the TLS of the server.

    Raises:
        OSError: The certificate or its key cannot be read, or do not fit (`ssl.SSLError`).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    _load(context, settings)
    return context


def _load(context: ssl.SSLContext, settings: Settings) -> None:
    if settings.tls_certificate:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key or None)
    else:
        files = settings.certificate_files
        context.load_cert_chain(files.server, files.server_key)


def renew(settings: Settings, context: ssl.SSLContext, seen: float) -> float:
    """Renew the certificate of the clinic's own authority where it ends soon; offer what is new from now on.

    A certificate by setting is renewed by others: its file is read anew when it has changed.

    Args:
        settings: The clinic's.
        context: The server's TLS, used by whoever connects from then on.
        seen: When the file that it uses was written.

    Returns:
        When the file that it uses now was written.

    Raises:
        OSError: The files cannot be read, written or used.
        ValueError: One of them is no certificate.
    """
    if not settings.tls_certificate and certificates.renew(settings.certificate_files):
        log.warning("the server's certificate was renewed; counters and doors go on trusting the authority")
    written = written_at(settings)
    if written != seen:
        # Tried apart first: a certificate whose key is not there yet would leave the running server without either.
        _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), settings)
        _load(context, settings)
    return written


def written_at(settings: Settings) -> float:
    """Return when the server's certificate or its key was written last, in seconds.

    Raises:
        OSError: It is not there.
    """
    files = settings.certificate_files
    certificate = settings.tls_certificate or files.server
    key = (settings.tls_key or certificate) if settings.tls_certificate else files.server_key
    return max(os.stat(certificate).st_mtime, os.stat(key).st_mtime)


async def keep_renewed(settings: Settings, context: ssl.SSLContext) -> None:
    """Look after the server's certificate for as long as it runs; what goes wrong is logged and tried again.

    Args:
        settings: The clinic's.
        context: The server's TLS.
    """
    seen = written_at(settings)
    while True:
        await asyncio.sleep(RENEWAL_SECONDS)
        try:
            seen = renew(settings, context, seen)
        except (OSError, ValueError) as error:
            log.error("the server's certificate cannot be renewed: %s", type(error).__name__)


def factory_of(settings: Settings) -> Callable[[Any, Any], ssl.SSLContext] | None:
    """Return what uvicorn makes its TLS with; None for plain HTTP."""
    if not settings.http_is_encrypted:
        return None
    return lambda config, default: context_of(settings)


def office_factory_of(settings: Settings) -> Callable[[Any, Any], ssl.SSLContext] | None:
    """Return the same for the office."""
    if settings.office_http.is_loopback or not settings.tls_certificate:
        return None
    return lambda config, default: context_of(settings)
