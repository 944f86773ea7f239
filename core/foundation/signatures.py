"""Signatures of backups: each stands inside the archive, over what every file of it holds.

The recovery key keeps backups secret; anybody who knows its public half could make one that opens. The signer's
fingerprint stands beside the recovery key on paper, so that a planted backup is told from the clinic's.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from core.foundation.errors import BackupError
from core.foundation.private_files import write_private
from core.schemas.base import says_something

KEY_FILE = "backup-signer.key"
MEMBER = "signature.json"
CONTEXT = b"loket backup 1\n"
"""Before what is signed: a signature for something else is none for a backup."""
GROUPS = 8
"""Of four hexadecimal digits in a fingerprint: 128 bits, short enough to be typed from paper."""
LINE = re.compile(r"^#\s*signer:?\s*([0-9A-Fa-f ]+)$", re.MULTILINE)
"""The fingerprint's line in the file with the recovery key."""
CHUNK = 1024 * 1024


def signer_of(home: Path) -> Ed25519PrivateKey:
    """Return the key that signs this clinic's backups; made when there is none.

    Raises:
        BackupError: `no_signer`: the file holds no such key.
    """
    file = home / KEY_FILE
    if not file.exists():
        made = Ed25519PrivateKey.generate()
        write_private(file, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except ValueError:
        raise BackupError("no_signer", str(file)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BackupError("no_signer", str(file))
    return key


def fingerprint(public: Ed25519PublicKey) -> str:
    """Return a signer's fingerprint as it stands on paper: `AB12 CD34 ...`."""
    digest = hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest().upper()
    return " ".join(digest[at : at + 4] for at in range(0, GROUPS * 4, 4))


def expected(key_text: str, home: Path) -> str:
    """Return the signer that a backup must have: that of the paper, otherwise of this data folder; empty: not known."""
    on_paper = LINE.search(key_text)
    if on_paper is not None:
        return _plain(on_paper[1])
    return _plain(fingerprint(signer_of(home).public_key())) if (home / KEY_FILE).exists() else ""


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    total = hashlib.sha256()
    with file.open("rb") as reader:
        while chunk := reader.read(CHUNK):
            total.update(chunk)
    return total.hexdigest()


def sign(key: Ed25519PrivateKey, parts: Iterable[tuple[Path, str]]) -> str:
    """Return the signature of an archive's files, as the content of `MEMBER`.

    Args:
        key: The signer's.
        parts: Each file and its name in the archive.
    """
    members = {name: digest_of(file) for file, name in parts}
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    document = {
        "signer": b64encode(public).decode(),
        "members": members,
        "signature": b64encode(key.sign(_signed(members))).decode(),
    }
    return json.dumps(document)


def signer_in(document: bytes, extracted: Mapping[str, Path]) -> str:
    """Return the fingerprint of who signed what was taken out of an archive.

    Args:
        document: The content of `MEMBER`.
        extracted: Name in the archive -> file.

    Raises:
        BackupError: `damaged`: the signature does not fit, or a file is none of those that were signed.
    """
    try:
        given: dict[str, Any] = json.loads(document)
        members = {str(name): str(digest) for name, digest in given["members"].items()}
        public = Ed25519PublicKey.from_public_bytes(b64decode(given["signer"]))
        public.verify(b64decode(given["signature"]), _signed(members))
    except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
        raise BackupError("damaged", "signature") from None
    for name, file in extracted.items():
        if members.get(name) != digest_of(file):
            raise BackupError("damaged", name)
    return fingerprint(public)


def require(signer: str, wanted: str, unsigned_because: str) -> None:
    """Let a backup pass that the right one signed, or any other for a reason in words.

    Args:
        signer: Fingerprint of its signer; empty: it is not signed.
        wanted: From `expected`.
        unsigned_because: Why it is taken all the same; empty: it is not.

    Raises:
        BackupError: `unsigned`, `other_signer`, `signer_unknown` or `words_missing`.
    """
    if signer and wanted == _plain(signer):
        return
    if unsigned_because:
        if not says_something(unsigned_because):
            raise BackupError("words_missing")
        return
    if not signer:
        raise BackupError("unsigned")
    raise BackupError("other_signer" if wanted else "signer_unknown", signer)


def _signed(members: Mapping[str, str]) -> bytes:
    return CONTEXT + json.dumps(members, sort_keys=True, separators=(",", ":")).encode()


def _plain(text: str) -> str:
    return "".join(text.split()).upper()
