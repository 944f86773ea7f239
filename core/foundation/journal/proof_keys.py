"""The secrets that seal the journal: kept 0600 on the first disk for the current base, and encrypted to the recovery key.

Each secret is an age identity, so that the base can be encrypted to it too and the daily proof can open both without
the recovery key. Records are sealed with a key derived from it (AES-256-GCM): age costs half a millisecond each.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pyrage
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.foundation import signatures
from core.foundation.errors import BackupError
from core.foundation.private_files import write_private

FILE = "journal.key"
CONTEXT = b"loket journal 1\n"
"""Before what is signed, and in what keys are derived with."""
NONCE_BYTES = 12
KEPT = 2
"""Secrets kept: the current base's, and the one before, with which records may still be sealed while a base is made."""


class ProofKey:
    """One secret of the journal."""

    def __init__(self, secret: str) -> None:
        self._identity = pyrage.x25519.Identity.from_str(secret)
        self.secret = secret
        self.name = hashlib.sha256(str(self._identity.to_public()).encode()).hexdigest()[:16]
        """Tells one from another; says nothing about it."""
        derived = HKDF(SHA256(), 32, None, CONTEXT).derive(secret.encode())
        self._cipher = AESGCM(derived)

    @property
    def identity(self) -> Any:
        """The age identity: it opens the base."""
        return self._identity

    @property
    def recipient(self) -> Any:
        """The age recipient: the base is encrypted to it."""
        return self._identity.to_public()

    def sealed(self, content: bytes, header: bytes) -> bytes:
        """Return content encrypted and bound to its header.

        Args:
            content: A part of a changeset.
            header: What stands before it in the clear.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, header)

    def opened(self, body: bytes, header: bytes) -> bytes:
        """Return what was sealed.

        Args:
            body: From `sealed`.
            header: The same as then.

        Raises:
            BackupError: `damaged`.
        """
        try:
            return self._cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], header)
        except (InvalidTag, ValueError):
            raise BackupError("damaged", "journal") from None


def made() -> ProofKey:
    """Return a new secret."""
    return ProofKey(str(pyrage.x25519.Identity.generate()))


def keep(home: Path, key: ProofKey) -> None:
    """Let a secret be the current one; the one before stays beside it.

    Args:
        home: The data folder.
        key: The new one.

    Raises:
        OSError: The data folder cannot be written.
    """
    lines = [key.secret, *(known.secret for known in kept(home))][:KEPT]
    write_private(home / FILE, "".join(f"{line}\n" for line in lines).encode())


def kept(home: Path) -> list[ProofKey]:
    """Return the secrets of the data folder, the current one first.

    Args:
        home: The data folder.
    """
    try:
        return [ProofKey(line) for line in (home / FILE).read_text("ascii").split()]
    except FileNotFoundError:
        return []
    except (pyrage.IdentityError, ValueError):
        return []  # not readable: a new base makes a new one


def wrapped(key: ProofKey, home: Path, recipients: list[Any]) -> bytes:
    """Return a secret encrypted to the recovery key and others, signed by the signer of the clinic's backups.

    Args:
        key: The secret.
        home: The data folder.
        recipients: Public halves of the recovery key and of the standbys' keys.

    Raises:
        BackupError: `no_signer`.
    """
    signer = signatures.signer_of(home)
    public = signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    document = {
        "secret": key.secret,
        "signer": b64encode(public).decode(),
        "signature": b64encode(signer.sign(CONTEXT + key.secret.encode())).decode(),
    }
    content: bytes = pyrage.encrypt(json.dumps(document).encode(), recipients)
    return content


def unwrapped(body: bytes, recovery: Any) -> tuple[ProofKey, str]:
    """Return a secret that was encrypted to the recovery key, and the fingerprint of its signer.

    Args:
        body: From `wrapped`.
        recovery: Identity of the recovery key, or of a standby's.

    Raises:
        BackupError: `wrong_key` or `damaged`.
    """
    try:
        document = json.loads(pyrage.decrypt(body, [recovery]))
        public = Ed25519PublicKey.from_public_bytes(b64decode(document["signer"]))
        public.verify(b64decode(document["signature"]), CONTEXT + document["secret"].encode())
        return ProofKey(document["secret"]), signatures.fingerprint(public)
    except pyrage.DecryptError as error:
        raise BackupError("wrong_key" if "No matching keys" in str(error) else "damaged", "journal") from None
    except (ValueError, KeyError, TypeError, InvalidSignature, pyrage.IdentityError):
        raise BackupError("damaged", "journal") from None
