"""Checks of how people reach the server: by HTTP, encrypted, and by SSH."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx

from core.foundation import certificates, clock
from core.foundation.config import HostPort, Settings
from server.doctor.findings import CheckResult
from server.text.problem_words import sentence
from server.text.translation import _

LONGEST_CODE = 40
"""Letters that a server of ours says at most when it is asked whether it is ready."""
CERTIFICATE_DAYS = 30
"""Before the end of a certificate it is told."""


def check_server(settings: Settings) -> list[CheckResult]:
    """Check that the server answers, and its SSH door."""
    url = settings.resolved_server_url
    try:
        answer = httpx.get(f"{url}/readyz", timeout=3, verify=trust(settings))
    except httpx.ConnectError:
        return [CheckResult("warning", "server", _("It does not answer. Start it with: loket serve"))]
    except httpx.TransportError:
        answer = None
    if answer is None or answer.status_code not in {200, 503} or len(answer.text) > LONGEST_CODE:
        words = _(
            "Something else, or a server that hangs, is at {url}. End it, or set LOKET_HTTP to another port."
        )
        return [CheckResult("error", "server", words.format(url=url))]
    if answer.status_code != 200:
        words = _("It is not ready; see its log.") + f" {sentence(answer.text.strip())}"
        return [CheckResult("error", "server", words.strip())]
    return [CheckResult("ok", "server", _("answers")), *_door(settings.ssh)]


def trust(settings: Settings) -> ssl.SSLContext:
    """Return the TLS for the server of this data folder, or for publicly known ones."""
    file = settings.tls_certificate or str(settings.certificate_files.authority)
    if not (settings.http_is_encrypted and Path(file).exists()):
        return ssl.create_default_context()
    context = ssl.create_default_context(cafile=file)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False  # the file says which server it is
    return context


def check_https(settings: Settings) -> Iterator[CheckResult]:
    """Tell how others reach the server: unencrypted, or until when its certificate is good."""
    if settings.http.is_loopback and not settings.tls_certificate:
        yield CheckResult("ok", "https", _("not needed: the server is reached from this machine only"))
        return
    if not settings.http_is_encrypted:
        words = _(
            "{address} is not encrypted: passwords and records can be read on the network. Set LOKET_PLAIN_HTTP=no"
        )
        yield CheckResult("warning", "https", words.format(address=settings.http.url))
        return
    files = settings.certificate_files
    file = Path(settings.tls_certificate or files.server)
    try:
        left = certificates.ends_at(file.read_bytes()) - clock.now()
        shown = certificates.fingerprint((file if settings.tls_certificate else files.authority).read_bytes())
    except ValueError:
        yield CheckResult("error", "https", _("{file} is no certificate.").format(file=file))
        return
    if left < timedelta(0):
        words = _("The certificate has ended: {file}. Restart the server, or put a new one there.")
        yield CheckResult("error", "https", words.format(file=file))
    elif left < timedelta(days=CERTIFICATE_DAYS):
        words = _("The certificate ends in {days} days: {file}. Restart the server, or put a new one there.")
        yield CheckResult("warning", "https", words.format(days=left.days, file=file))
    else:
        words = _("good for {days} days; SHA-256 {fingerprint}").format(days=left.days, fingerprint=shown)
        yield CheckResult("ok", "https", words)


def _door(address: HostPort) -> Iterator[CheckResult]:
    """Check the SSH door: it sends its version to every connection."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104  # not bound to
    try:
        with socket.create_connection((host, address.port), timeout=3) as line:
            said = line.recv(4)
    except OSError:
        said = b""
    if said == b"SSH-":
        yield CheckResult("ok", "ssh", _("answers"))
    else:
        words = _("The SSH door does not answer at port {port}. See the server's log.").format(
            port=address.port
        )
        yield CheckResult("warning", "ssh", words)
