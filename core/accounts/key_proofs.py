"""Proofs of possession of an SSH key: what a client signs to sign in (RFC 4252, section 7).

The client signs the session's id together with its request. The door passes all of it on, so that a door alone,
which knows everybody's public keys, can sign nobody in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from core.foundation import clock
from core.foundation.errors import NotSignedInError, ValidationError
from core.models import KeyProof

KEY_KINDS = ("ssh-", "ecdsa-", "sk-")
"""Beginnings of OpenSSH's key types."""
USERAUTH_REQUEST = 50
SERVICE, METHOD = b"ssh-connection", b"publickey"
RSA_HASHES: dict[bytes, HashAlgorithm] = {b"rsa-sha2-256": SHA256(), b"rsa-sha2-512": SHA512()}
EC_HASHES: dict[str, HashAlgorithm] = {"secp256r1": SHA256(), "secp384r1": SHA384(), "secp521r1": SHA512()}


@dataclass(frozen=True)
class KeyProofGiven:
    """A client's signature and the bytes it signed, in base64.

    Attributes:
        session_id: Of the SSH connection.
        signed: The request that was signed with it.
        signature: Algorithm and signature.
    """

    session_id: str
    signed: str
    signature: str


class _Packet:
    """Reads the fields of an SSH message."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def byte(self) -> int:
        """Return the next byte.

        Raises:
            ValueError: The message ends before it.
        """
        value, self._data = self._data[:1], self._data[1:]
        if not value:
            raise ValueError("too short")
        return value[0]

    def string(self) -> bytes:
        """Return the next string.

        Raises:
            ValueError: The message ends within it.
        """
        size = int.from_bytes(self._data[:4], "big")
        value, rest = self._data[4 : 4 + size], self._data[4 + size :]
        if len(self._data) < 4 + size:
            raise ValueError("too short")
        self._data = rest
        return value

    def end(self) -> None:
        """Check that nothing is left.

        Raises:
            ValueError: Something is.
        """
        if self._data:
            raise ValueError("too long")


def normalise_key(public_key: str) -> str:
    """Return `ssh-ed25519 AAAA...` without the comment.

    Raises:
        ValidationError: `public_key`: `format`.
    """
    kind, data, *_comment = [*public_key.split(), "", ""]
    if not (kind.startswith(KEY_KINDS) and data.startswith("AAAA")):
        raise ValidationError({"public_key": "format"})
    return f"{kind} {data}"


def fingerprint(public_key: str) -> str:
    """Return a key's fingerprint as `ssh-keygen -l` shows it."""
    digest = hashlib.sha256(base64.b64decode(public_key.split()[1] + "==")).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def accept(proof: KeyProofGiven, username: str, public_key: str) -> None:
    """Accept a proof, once; in the caller's transaction.

    Args:
        proof: What the client has signed.
        username: The name it must have been signed for.
        public_key: The key it must have been signed with.

    Raises:
        NotSignedInError: It does not fit, or was used before.
    """
    try:
        session_id, signed, signature = (
            base64.b64decode(text, validate=True)
            for text in (proof.session_id, proof.signed, proof.signature)
        )
        _require_request(signed, username, public_key)
        _verify(public_key, len(session_id).to_bytes(4, "big") + session_id + signed, signature)
    except (ValueError, binascii.Error, InvalidSignature, UnsupportedAlgorithm, KeyError):
        raise NotSignedInError("the signature does not fit") from None
    if not session_id:
        raise NotSignedInError("no session")
    # By what was signed, not by the signature: of some kinds of key anybody can make another that fits too.
    digest = hashlib.sha256(len(session_id).to_bytes(4, "big") + session_id + signed).hexdigest()
    if KeyProof.select().where(KeyProof.digest == digest).exists():
        raise NotSignedInError("the signature was used before")
    KeyProof.create(digest=digest, at=clock.now())


def _require_request(signed: bytes, username: str, public_key: str) -> None:
    """Check that a request asks to sign this name in with this key.

    Raises:
        ValueError: It asks for something else.
    """
    packet = _Packet(signed)
    kind, name, service, method = packet.byte(), packet.string(), packet.string(), packet.string()
    is_signed, _algorithm, key = packet.byte(), packet.string(), packet.string()
    packet.end()
    wanted = base64.b64decode(normalise_key(public_key).split()[1])
    asked = (kind, service, method, is_signed) == (USERAUTH_REQUEST, SERVICE, METHOD, 1)
    same_name = name.decode("utf-8").strip().lower() == username.strip().lower()
    if not (asked and same_name and hmac.compare_digest(key, wanted)):
        raise ValueError("another request")


def _verify(public_key: str, data: bytes, signature: bytes) -> None:
    """Check a signature.

    Raises:
        InvalidSignature: It does not fit.
        ValueError: It cannot be read, or the key's kind is not taken.
    """
    packet = _Packet(signature)
    algorithm, value = packet.string(), packet.string()
    packet.end()
    key = load_ssh_public_key(normalise_key(public_key).encode())
    if isinstance(key, Ed25519PublicKey):
        key.verify(value, data)
    elif isinstance(key, RSAPublicKey):
        key.verify(value, data, padding.PKCS1v15(), RSA_HASHES[algorithm])
    elif isinstance(key, EllipticCurvePublicKey):
        numbers = _Packet(value)
        r, s = (int.from_bytes(numbers.string(), "big") for _ in range(2))
        key.verify(encode_dss_signature(r, s), data, ECDSA(EC_HASHES[key.curve.name]))
    else:
        raise ValueError("another kind of key")
