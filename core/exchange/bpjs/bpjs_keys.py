"""The clinic's keys at BPJS, the headers they sign, and the key that opens an answer.

Source: docs/reference/bpjs.md 2, docs/reference/bpjs.md 4.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.exchange.bpjs import lz_string

BLOCK_BITS = 128


@dataclass(frozen=True)
class Keys:
    """The clinic's keys for one of BPJS's services. Secrets are kept out of its text."""

    consumer_id: str
    secret: str = field(repr=False)
    user_key: str = field(repr=False)
    """Differs between P-Care and the queue."""
    username: str
    password: str = field(repr=False)
    application: str = "095"

    def headers(self, timestamp: int) -> dict[str, str]:
        """Return the headers of a request at a Unix second."""
        signed = hmac.new(self.secret.encode(), f"{self.consumer_id}&{timestamp}".encode(), hashlib.sha256)
        person = f"{self.username}:{self.password}:{self.application}"
        return {
            "X-cons-id": self.consumer_id,
            "X-timestamp": str(timestamp),
            "X-signature": base64.b64encode(signed.digest()).decode(),
            "X-authorization": f"Basic {base64.b64encode(person.encode()).decode()}",
            "user_key": self.user_key,
            "Accept": "application/json",
        }

    def encrypt(self, document: Any, timestamp: int) -> str:
        """Return a document as BPJS answers it to a request of that second."""
        padder = padding.PKCS7(BLOCK_BITS).padder()
        packed = lz_string.compress(json.dumps(document, ensure_ascii=False)).encode()
        encryptor = self._cipher(timestamp).encryptor()
        sealed = encryptor.update(padder.update(packed) + padder.finalize()) + encryptor.finalize()
        return base64.b64encode(sealed).decode()

    def decrypt(self, text: str, timestamp: int) -> Any:
        """Return the document in an encrypted answer.

        Args:
            text: The `response` of the envelope.
            timestamp: The one that the request was signed with.

        Raises:
            ValueError: It was not encrypted for this request.
        """
        sealed = base64.b64decode(text, validate=True)
        if not sealed or len(sealed) % (BLOCK_BITS // 8):
            raise ValueError("not a whole number of blocks")
        decryptor = self._cipher(timestamp).decryptor()
        unpadder = padding.PKCS7(BLOCK_BITS).unpadder()
        opened = unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()
        return json.loads(lz_string.decompress(opened.decode("ascii")))

    def _cipher(self, timestamp: int) -> Cipher[modes.CBC]:
        key = hashlib.sha256(f"{self.consumer_id}{self.secret}{timestamp}".encode()).digest()
        return Cipher(algorithms.AES(key), modes.CBC(key[: BLOCK_BITS // 8]))
