"""HTTPS beyond loopback: the clinic's own authority, kept at the first contact, and no silent change (B9)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import operator
import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh
import httpx
import pytest
from cryptography import x509

from core.daily.backup import home_files
from core.foundation import certificates, clock
from core.foundation.certificate_files import CertificateFiles
from core.foundation.config import HostPort, Settings
from core.foundation.errors import SettingsError
from server import encryption, tls_groups
from server.doctor import reach_checks
from server.door_process import without_secrets
from server.run import Background
from tests.people import Caller
from tests.ports import free_port
from tui import first_contact
from tui.client import trust

EVERYWHERE = HostPort(host="0.0.0.0", port=8460)


def yes(fingerprint: str) -> bool:
    return True


def no(fingerprint: str) -> bool:
    return False


@contextlib.contextmanager
def encrypted(settings: Settings) -> Iterator[tuple[Background, Settings]]:
    """A server on loopback that speaks HTTPS as one beyond it does."""
    files = settings.certificate_files
    certificates.prepare(files, "Puskesmas Contoh", {"localhost", "127.0.0.1"})
    chosen = settings.model_copy(
        update={"tls_certificate": str(files.server), "tls_key": str(files.server_key)}
    )
    with Background(chosen) as server:
        server.url = server.url.replace("http://", "https://")
        yield server, chosen


@pytest.fixture
def counter(tmp_path: Path) -> Settings:
    """Settings of a counter's own machine."""
    return Settings(home=tmp_path / "counter")


def hand_out(monkeypatch: pytest.MonkeyPatch, authority: bytes) -> None:
    """Let the authority's certificate be found where a server of the clinic's own hands it out."""
    real = httpx.get

    def get(url: str, **asked: Any) -> httpx.Response:
        if url.endswith(trust.AUTHORITY_PATH):
            return httpx.Response(200, content=authority)
        return real(url, **asked)

    monkeypatch.setattr(httpx, "get", get)


def test_an_authority_is_made_once_and_its_keys_are_private(tmp_path: Path) -> None:
    files = CertificateFiles(tmp_path / "tls")
    certificates.prepare(files, "Puskesmas Contoh", {"127.0.0.1"})
    first, server = files.authority.read_bytes(), files.server.read_bytes()
    for key in (files.authority_key, files.server_key):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    certificates.prepare(files, "Puskesmas Contoh", {"127.0.0.1"})
    assert (files.authority.read_bytes(), files.server.read_bytes()) == (first, server)
    certificates.prepare(files, "Puskesmas Contoh", {"127.0.0.1", "loket.local"})
    assert files.authority.read_bytes() == first
    assert files.server.read_bytes() != server


def test_a_certificate_is_renewed_long_before_it_ends(tmp_path: Path) -> None:
    files = CertificateFiles(tmp_path / "tls")
    certificates.prepare(files, "Puskesmas Contoh", {"127.0.0.1"})
    server = files.server.read_bytes()
    later = clock.now() + timedelta(days=310)
    with clock.frozen(lambda: later):
        certificates.prepare(files, "Puskesmas Contoh", {"127.0.0.1"})
        assert files.server.read_bytes() != server
        assert certificates.ends_at(files.server.read_bytes()) - later > timedelta(days=360)


def test_a_certificate_lives_no_longer_than_mozilla_allows(tmp_path: Path) -> None:
    files = CertificateFiles(tmp_path / "tls")
    certificates.prepare(files, "Puskesmas Contoh", {"127.0.0.1"})
    leaf = x509.load_pem_x509_certificate(files.server.read_bytes())
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc < timedelta(days=366)


def server_certificate(server: Background, context: ssl.SSLContext) -> bytes:
    """The certificate that a counter is shown."""
    with (
        socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0)) as line,
        context.wrap_socket(line, server_hostname="127.0.0.1") as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown is not None
    return shown


@pytest.mark.parametrize("by_setting", [False, True])
def test_a_running_server_renews_and_what_counters_keep_goes_on_to_hold(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, by_setting: bool
) -> None:
    """Its own authority's certificate it makes anew; one by setting it reads anew when somebody has put it there."""
    monkeypatch.setattr(encryption, "RENEWAL_SECONDS", 0.05)
    files = settings.certificate_files
    long_ago = clock.now() - timedelta(days=310)
    with clock.frozen(lambda: long_ago):
        certificates.prepare(files, "Puskesmas Contoh", {"localhost", "127.0.0.1"})
    kept = ssl.create_default_context(cafile=str(files.authority))
    update: dict[str, Any] = {"tls_certificate": str(files.server), "tls_key": str(files.server_key)}
    if not by_setting:  # loopback would be plain: the rest is as beyond it
        monkeypatch.setattr(Settings, "http_is_encrypted", property(lambda _: True))
        update = {}
    with Background(settings.model_copy(update=update)) as server:
        before = server_certificate(server, kept) if by_setting else b""
        if by_setting:
            certificates.renew(files)  # as another program would
        leaf = x509.load_der_x509_certificate(until_other(server, kept, before))
        assert leaf.not_valid_after_utc - clock.now() > timedelta(days=360)


def until_other(server: Background, kept: ssl.SSLContext, before: bytes) -> bytes:
    """Wait for a certificate that is good for long; each on the way is verified with what the counter kept."""
    while (shown := server_certificate(server, kept)) == before or _ends_soon(shown):
        time.sleep(0.05)
    return shown


def _ends_soon(shown: bytes) -> bool:
    return x509.load_der_x509_certificate(shown).not_valid_after_utc - clock.now() < timedelta(days=90)


def test_a_certificate_whose_key_is_not_there_yet_leaves_the_server_as_it_was(
    settings: Settings, tmp_path: Path
) -> None:
    files = settings.certificate_files
    certificates.prepare(files, "Puskesmas Contoh", {"localhost"})
    clinic = settings.model_copy(
        update={"tls_certificate": str(files.server), "tls_key": str(files.server_key)}
    )
    context = encryption.context_of(clinic)
    seen = encryption.written_at(clinic)
    another = settings.model_copy(update={"home": tmp_path / "another"}).certificate_files
    certificates.prepare(another, "Puskesmas Lain", {"localhost"})
    whole = files.server.read_bytes()
    files.server.write_bytes(another.server.read_bytes())
    os.utime(files.server, (seen + 60, seen + 60))
    with pytest.raises(ssl.SSLError):
        encryption.renew(clinic, context, seen)
    assert shaken_hands(context, files.authority)
    files.server.write_bytes(whole)
    os.utime(files.server_key, (seen + 120, seen + 120))  # a key that came alone is noticed as well
    assert encryption.renew(clinic, context, seen) == seen + 120


def shaken_hands(server: ssl.SSLContext, authority: Path) -> bool:
    """Return whether somebody who trusts the authority still comes to terms with a server."""
    trusting = ssl.create_default_context(cafile=str(authority))
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there, server_hostname="localhost")
    host = server.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (client, host):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return client.version() is not None


def test_a_certificate_that_cannot_be_renewed_is_told_and_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(encryption, "RENEWAL_SECONDS", 0.01)
    clinic = settings.model_copy(update={"http": EVERYWHERE, "plain_http": False})
    encryption.prepare(clinic)
    context = encryption.context_of(clinic)

    async def looked_after() -> None:
        keeper = asyncio.create_task(encryption.keep_renewed(clinic, context))
        await asyncio.sleep(0)
        whole = clinic.certificate_files.server.read_bytes()
        clinic.certificate_files.server.write_bytes(b"torn")
        while "cannot be renewed" not in caplog.text:  # noqa: ASYNC110  # a log has no event to wait for
            await asyncio.sleep(0.01)
        clinic.certificate_files.server.write_bytes(whole)
        assert not keeper.done()
        keeper.cancel()

    asyncio.run(looked_after())


def test_the_first_contact_is_shown_kept_and_nothing_else_is_believed_afterwards(
    settings: Settings, counter: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with encrypted(settings) as (server, chosen):
        authority = chosen.certificate_files.authority.read_bytes()
        hand_out(monkeypatch, authority)
        shown: list[str] = []

        def look(fingerprint: str) -> bool:
            shown.append(fingerprint)
            return False

        with pytest.raises(first_contact.NoTrustError, match="SHA-256"):
            first_contact.trusted(counter, server.url, look)
        assert shown == [certificates.fingerprint(authority)]
        assert first_contact.trusted(counter, server.url, yes) is not None
        tls = first_contact.trusted(counter, server.url, no)  # kept: nobody is asked again
        assert tls is not None
        assert httpx.get(f"{server.url}/healthz", verify=tls).status_code == 200
        (kept,) = (counter.home / "trusted").iterdir()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        # Somebody else's server at the same address:
        other = CertificateFiles(tmp_path / "other")
        certificates.prepare(other, "Puskesmas Lain", {"127.0.0.1"})
        kept.write_bytes(other.authority.read_bytes())
        with pytest.raises(first_contact.NoTrustError, match="trusted"):
            first_contact.trusted(counter, server.url, yes)


def test_a_server_that_hands_out_an_authority_that_is_not_its_own_is_not_kept(
    settings: Settings, counter: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = CertificateFiles(tmp_path / "other")
    certificates.prepare(other, "Puskesmas Lain", {"127.0.0.1"})
    with encrypted(settings) as (server, _):
        for handed_out in (other.authority.read_bytes(), b"no certificate", b""):
            hand_out(monkeypatch, handed_out)
            with pytest.raises(first_contact.NoTrustError):
                first_contact.trusted(counter, server.url, yes)
        assert not (counter.home / "trusted").exists()


def test_a_set_fingerprint_decides_instead_of_a_person(
    settings: Settings, counter: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with encrypted(settings) as (server, chosen):
        authority = chosen.certificate_files.authority.read_bytes()
        hand_out(monkeypatch, authority)
        right = certificates.fingerprint(authority)
        wrong = counter.model_copy(update={"server_fingerprint": right[:-1] + "?"})
        with pytest.raises(first_contact.NoTrustError):
            first_contact.trusted(wrong, server.url, yes)
        set_ = counter.model_copy(update={"server_fingerprint": right.lower().replace(" ", ":")})
        assert first_contact.trusted(set_, server.url, no) is not None


def test_an_end_does_not_wait_for_a_counter_that_reads_nothing(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """TLS is ended by both sides, and a counter between two requests looks at its connection at the next one."""
    with contextlib.ExitStack() as lines, encrypted(settings) as (server, clinic):
        trusted = ssl.create_default_context(cafile=str(clinic.certificate_files.authority))
        port = httpx.URL(server.url).port or 0
        plain = lines.enter_context(socket.create_connection(("127.0.0.1", port)))
        line = lines.enter_context(trusted.wrap_socket(plain, server_hostname="127.0.0.1"))
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
        assert line.recv(65536).startswith(b"HTTP/1.1 200")
    assert "graceful shutdown exceeded" not in caplog.text


def test_plain_http_beyond_loopback_is_not_asked(counter: Settings) -> None:
    with pytest.raises(first_contact.NoTrustError, match="LOKET_PLAIN_HTTP"):
        first_contact.trusted(counter, "http://192.0.2.1:8460", yes)
    agreed = counter.model_copy(update={"plain_http": True})
    assert first_contact.trusted(agreed, "http://192.0.2.1:8460", yes) is None
    assert first_contact.trusted(counter, "http://127.0.0.1:8460", yes) is None


def test_an_upgraded_clinic_is_asked_and_never_switched(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """B9: one line to add, either way; a new clinic is encrypted from the first start."""
    clinic = settings.model_copy(update={"http": EVERYWHERE})
    with pytest.raises(SettingsError) as stopped:
        encryption.require_decision(clinic)
    assert "LOKET_PLAIN_HTTP=yes" in stopped.value.sentence
    plain = clinic.model_copy(update={"plain_http": True})
    encryption.require_decision(plain)
    with caplog.at_level(logging.WARNING):
        encryption.prepare(plain)
    assert "is not encrypted" in caplog.text
    assert not plain.http_is_encrypted
    assert not plain.certificate_files.folder.exists()
    safe = clinic.model_copy(update={"plain_http": False})
    encryption.require_decision(safe)
    encryption.prepare(safe)
    assert certificates.fingerprint(safe.certificate_files.authority.read_bytes()) in caplog.text
    encryption.require_decision(clinic)  # decided: the authority is there
    assert clinic.http_is_encrypted


def test_the_office_takes_no_records_in_the_clear_unasked(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """B9's brother: patients' records and clinics' tokens cross a whole city."""
    office = settings.model_copy(update={"office_http": EVERYWHERE})
    for plain in (None, False):
        with pytest.raises(SettingsError) as stopped:
            encryption.require_office(office.model_copy(update={"plain_http": plain}))
        assert "LOKET_PLAIN_HTTP=yes" in stopped.value.sentence
    encryption.require_office(office.model_copy(update={"plain_http": True}))
    assert "is not encrypted" in caplog.text
    encryption.require_office(settings)  # loopback, behind a web server
    files = settings.certificate_files
    certificates.prepare(files, "Dinas", {"127.0.0.1"})
    chosen = office.model_copy(
        update={"tls_certificate": str(files.server), "tls_key": str(files.server_key)}
    )
    encryption.require_office(chosen)
    assert encryption.office_factory_of(chosen) is not None
    assert encryption.office_factory_of(settings) is None


def test_the_doctor_and_the_door_trust_the_authority_of_their_own_data_folder(settings: Settings) -> None:
    """Also where LOKET_SERVER_URL names the server for doors elsewhere."""
    clinic = settings.model_copy(
        update={"http": EVERYWHERE, "plain_http": False, "server_url": "https://127.0.0.1:8460"}
    )
    encryption.prepare(clinic)
    shown = trust.context_for(clinic, "https://127.0.0.1:8460", no)
    assert shown is not None
    issuers = {str(found["subject"]) for found in shown.get_ca_certs()}
    assert len(issuers) == 1
    assert "Loket" in next(iter(issuers))
    assert "Loket" in str(reach_checks.trust(clinic).get_ca_certs())


def test_a_new_clinic_is_encrypted_and_loopback_is_not(tmp_path: Path) -> None:
    new = Settings(home=tmp_path / "new", http=EVERYWHERE)
    encryption.require_decision(new)
    assert new.http_is_encrypted
    assert new.resolved_server_url == "https://127.0.0.1:8460"
    assert not Settings(home=tmp_path / "new").http_is_encrypted


def test_a_certificate_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    wrong = Settings(home=tmp_path, http=EVERYWHERE, tls_certificate=str(tmp_path / "none.pem"))
    with pytest.raises(SettingsError, match="LOKET_TLS_CERTIFICATE"):
        encryption.prepare(wrong)


def handshake(server: Background, context: ssl.SSLContext) -> tuple[str, str]:
    """Version and cipher that are agreed on."""
    with (
        socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0)) as line,
        context.wrap_socket(line, server_hostname="127.0.0.1") as secured,
    ):
        return str(secured.version()), secured.cipher()[0]  # type: ignore[index]


def test_old_tls_is_refused(settings: Settings) -> None:
    with encrypted(settings) as (server, chosen):
        context = ssl.create_default_context(cafile=str(chosen.certificate_files.authority))
        assert handshake(server, context)[0] == "TLSv1.3"
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        assert handshake(server, context)[1].startswith("ECDHE")
        for weak in ("AES128-SHA", "ECDHE-ECDSA-AES128-SHA"):
            context.set_ciphers(f"{weak}:@SECLEVEL=0")
            with pytest.raises(ssl.SSLError):
                handshake(server, context)


def test_the_doctor_tells_when_the_certificate_ends(settings: Settings) -> None:
    clinic = settings.model_copy(update={"http": EVERYWHERE, "plain_http": False})
    encryption.prepare(clinic)

    def told(chosen: Settings) -> tuple[str, str]:
        (finding,) = reach_checks.check_https(chosen)
        return finding.level, finding.words

    shown = certificates.fingerprint(clinic.certificate_files.authority.read_bytes())
    assert told(clinic)[0] == "ok"
    assert shown in told(clinic)[1]
    ends = certificates.ends_at(clinic.certificate_files.server.read_bytes())
    for days, level in ((20, "warning"), (-1, "error")):
        with clock.frozen(partial(operator.sub, ends, timedelta(days=days))):
            assert told(clinic)[0] == level
    assert told(clinic.model_copy(update={"plain_http": True}))[0] == "warning"
    assert told(settings)[0] == "ok"


def test_the_authority_is_in_the_backup_and_the_servers_certificate_is_not(settings: Settings) -> None:
    """A restored machine is the one that counters trust."""
    encryption.prepare(settings.model_copy(update={"http": EVERYWHERE, "plain_http": False}))
    names = {name for _, name in home_files.files_of(settings.home)}
    assert {"home/tls/ca.pem", "home/tls/ca.key"} <= names
    assert not any("server" in name for name in names)


def test_the_television_has_a_plain_port_with_numbers_only(settings: Settings) -> None:
    port = free_port()
    shown = settings.model_copy(update={"display_http": HostPort(host="127.0.0.1", port=port)})
    with Background(shown) as server, Caller(server.url, "clerk") as clerk:
        page = f"http://127.0.0.1:{port}"
        clerk.registered()
        assert httpx.get(f"{page}/display").status_code == 200
        assert httpx.get(f"{page}/display/board").json()["waiting"]
        with httpx.stream("GET", f"{page}/display/events") as events:
            assert next(events.iter_lines()).startswith("id:")
        for path in ("/api/v1/clinic", "/api/v1/tokens", "/metrics", "/openapi.json", "/auth", "/readyz"):
            assert httpx.get(f"{page}{path}").status_code == 404, path
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{page}/display")


def test_the_door_gets_no_secret_that_it_does_not_need() -> None:
    """C10: what stands in its environment can be read in /proc."""
    given = {
        "PATH": "/bin", "LOKET_LANGUAGE": "id", "LOKET_SSH_SEATS": "5", "LOKET_JKN_PASSWORD": "x",
        "LOKET_OFFICE_TOKEN": "x", "LOKET_OFFICE_TOKEN_FILE": "x", "LOKET_DATABASE_URL": "postgresql://x:y@z/w",
        "LOKET_SATUSEHAT_CLIENT_SECRET": "x",
    }  # fmt: skip
    assert set(without_secrets(given)) == {"PATH", "LOKET_LANGUAGE", "LOKET_SSH_SEATS"}


async def is_refused_over(ssh: int) -> bool:
    """Whether the door says no to a made-up name: it has asked the core. False while it does not answer."""
    try:
        await asyncssh.connect(
            "127.0.0.1", ssh, username="nobody", password="wrong", known_hosts=None, client_keys=None,
            agent_path=None, config=None,
        )  # fmt: skip
    except asyncssh.PermissionDenied:
        return True
    except (OSError, asyncssh.Error):
        return False
    raise AssertionError("signed in")


def test_a_new_clinic_open_to_the_network_is_encrypted_from_core_to_door(tmp_path: Path) -> None:
    """The whole of it as processes: server, its door, a counter that asks over HTTPS."""
    http, ssh = free_port(), free_port()
    home = tmp_path / "clinic"
    environment = {
        **os.environ, "LOKET_HOME": str(home), "LOKET_HTTP": f"0.0.0.0:{http}", "LOKET_SSH": f"127.0.0.1:{ssh}",
    }  # fmt: skip
    url = f"https://127.0.0.1:{http}"
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "server"],
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
        try:
            tls = until_ready(url, home / "tls" / "ca.pem", server)
            assert httpx.get(f"{url}/ca.pem", verify=tls).content == (home / "tls" / "ca.pem").read_bytes()
            with pytest.raises(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{http}/readyz")
            assert first_contact.trusted(Settings(home=tmp_path / "counter"), url, yes) is not None
            assert agreed_on(http) == {"X25519", "P-256", "P-384"}
            while not asyncio.run(is_refused_over(ssh)):
                assert server.poll() is None
                time.sleep(0.2)
        finally:
            server.terminate()
            server.wait()


def agreed_on(port: int) -> set[str]:
    """The groups with which keys are agreed on, of all that OpenSSL knows by itself."""
    groups = {"X25519", "P-256", "P-384", "P-521", "X448", "ffdhe2048", "ffdhe3072"}
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command here")
    found = set()
    for group in groups:
        asked = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-groups", group],
            input=b"", capture_output=True, check=False,
        )  # fmt: skip
        found |= (
            {group}
            if b"Server Temp Key" in asked.stdout or b"Negotiated TLS1.3 group" in asked.stdout
            else set()
        )
    return found


@pytest.mark.parametrize(
    ("version", "named"),
    [((3, 0, 19), "X25519:P-256:P-384"), ((3, 5, 0), "X25519MLKEM768:X25519:P-256:P-384")],
)
def test_the_post_quantum_group_is_named_where_openssl_knows_it(version: tuple[int, ...], named: str) -> None:
    assert tls_groups.groups(version) == named


def test_a_server_without_tls_and_an_admins_own_configuration_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(os, "execv", lambda program, _arguments: begun.append(program))
    monkeypatch.setenv("OPENSSL_CONF", "/etc/ssl/own.cnf")
    tls_groups.bound(encrypted=True)
    monkeypatch.delenv("OPENSSL_CONF")
    tls_groups.bound(encrypted=False)
    assert begun == []
    monkeypatch.setenv("TLS_GROUPS", "")
    tls_groups.bound(encrypted=True)
    assert (begun, os.environ.pop("OPENSSL_CONF")) == ([sys.executable], str(tls_groups.CONFIGURATION))


def until_ready(url: str, authority: Path, server: subprocess.Popen[bytes]) -> ssl.SSLContext:
    """Wait for a server; give the TLS that trusts it."""
    while server.poll() is None:
        if authority.exists():
            tls = ssl.create_default_context(cafile=str(authority))
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{url}/readyz", verify=tls).status_code == 200:
                    return tls
        time.sleep(0.2)
    raise AssertionError("the server did not start")
