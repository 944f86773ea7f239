"""Certificates for HTTPS within a clinic: an authority of its own, and the server's certificate under it.

No public authority vouches for a machine in a clinic's network. The clinic's own is made once; counters and doors keep
its certificate at their first contact, and refuse any other from then on.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.foundation import clock
from core.foundation.certificate_files import CertificateFiles
from core.foundation.private_files import write_private

CA_DAYS = 20 * 365
SERVER_DAYS = 364
"""With the day for slow clocks a certificate lives 365 days: Mozilla's guidelines allow 366, browsers 398."""
RENEWED_BEFORE = timedelta(days=60)
"""A new certificate is made so long before the old one ends, at a start and while the server runs. What counters keep
is the authority, which stays."""
BACKDATED = timedelta(days=1)
"""For clocks of counters that are behind."""
LONGEST_NAME = 60
NAMES_LIMIT = 64
"""Letters of the subject's name that X.509 allows."""


def fingerprint(pem: bytes) -> str:
    """Return the SHA-256 of a certificate as people compare it: `AB12 CD34 ...`."""
    digest = x509.load_pem_x509_certificate(pem).fingerprint(SHA256()).hex().upper()
    return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))


def ends_at(pem: bytes) -> datetime:
    """Return when the first certificate of a file ends."""
    return x509.load_pem_x509_certificate(pem).not_valid_after_utc


def prepare(files: CertificateFiles, clinic: str, names: Iterable[str]) -> bool:
    """Make the authority, if there is none, and a server certificate unless there is one that will do.

    Args:
        files: Where they stand.
        clinic: Name of the clinic, for people who look at the certificate.
        names: Names and addresses under which the server is asked for.

    Returns:
        True if the server has a new certificate.
    """
    files.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not files.authority_key.exists():
        _make_authority(files, clinic)
    wanted = sorted(set(names))
    if _will_do(files, wanted):
        return False
    _issue(files, wanted)
    return True


def renew(files: CertificateFiles) -> bool:
    """Make a new certificate for the same names where the server's ends soon.

    Returns:
        True if there is a new one.

    Raises:
        OSError: The files cannot be read or written.
        ValueError: One of them is no certificate.
    """
    certificate = x509.load_pem_x509_certificate(files.server.read_bytes())
    if certificate.not_valid_after_utc - clock.now() > RENEWED_BEFORE:
        return False
    borne = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    _issue(files, sorted(str(name.value) for name in borne))
    return True


def _make_authority(files: CertificateFiles, clinic: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named(f"Loket {clinic}"[:LONGEST_NAME])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    write_private(files.authority_key, _pem_of(key))
    files.authority.write_bytes(certificate.public_bytes(Encoding.PEM))


def _issue(files: CertificateFiles, names: list[str]) -> None:
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    authority_key = load_pem_private_key(files.authority_key.read_bytes(), None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_named(names[0][:NAMES_LIMIT]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=SERVER_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), False)
        .sign(authority_key, SHA256())
    )
    write_private(files.server_key, _pem_of(key))
    files.server.write_bytes(certificate.public_bytes(Encoding.PEM) + files.authority.read_bytes())


def _will_do(files: CertificateFiles, names: list[str]) -> bool:
    """Return whether the server's certificate is the authority's, lasts a while, and bears all names."""
    try:
        certificate = x509.load_pem_x509_certificate(files.server.read_bytes())
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(files.authority.read_bytes()))
        borne = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    lasts = certificate.not_valid_after_utc - clock.now() > RENEWED_BEFORE
    return lasts and files.server_key.exists() and {_general(name) for name in names} <= set(borne)


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.lower())


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
