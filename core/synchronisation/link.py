"""One clinic's line to the office: what is sent, and what may come back."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import httpx

from core.errors import SyncError
from core.fhir import Answer, Sendable, answers, outcome_text
from core.synchronisation.pace import TryAgainError

TIMEOUT = httpx.Timeout(90.0, connect=15.0)
"""Seconds. Ninety without a byte is longer than a satellite link is ever silent while it works."""

BUSY = frozenset({408, 425, 429})
"""Statuses below 500 that ask to come again."""


class BatchRefusedError(Exception):
    """The office refused a Bundle as a whole; something in it is the cause.

    Attributes:
        reason: The office's own words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Link:
    """Sends to one FHIR base over one HTTP client."""

    def __init__(self, url: str, token: str, client: httpx.Client) -> None:
        self._url = url.rstrip("/")
        self._client = client
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/fhir+json, application/json",
            "Accept-Encoding": "gzip",
            "Content-Encoding": "gzip",
        }
        self.sent_bytes = 0
        """Compressed request bodies, as far as they were handed to the link."""
        self.received_bytes = 0
        """Answer bodies as received, compressed."""

    def send(self, bundle: Sendable) -> tuple[list[Answer], float]:
        """Post one Bundle.

        Returns:
            An answer an entry, and the seconds it took.

        Raises:
            TryAgainError: No answer, an unreadable one, or a busy or failing office.
            BatchRefusedError: The office refused the Bundle as a whole.
            SyncError: It will never work like this: wrong address or token.
        """
        began = time.monotonic()
        document = self._post(
            self._url,
            bundle.body,
            {"Content-Type": "application/fhir+json", "Prefer": "return=minimal, handling=lenient"},
        )
        try:
            return answers(document, len(bundle.owners)), time.monotonic() - began
        except ValueError as error:
            raise TryAgainError(str(error)) from None

    def manifest(self, body: dict[str, Any]) -> dict[str, Any]:
        """Compare a day's manifest; raises like `send`."""
        raw = gzip.compress(json.dumps(body, separators=(",", ":")).encode(), mtime=0)
        document = self._post(f"{self._url}/manifests", raw, {"Content-Type": "application/json"})
        if not isinstance(document, dict) or not isinstance(document.get("agrees"), bool):
            raise TryAgainError("the answer to the manifest is not one")
        return document

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Any:
        try:
            with self._client.stream(
                "POST", url, content=body, headers={**self._headers, **headers}, timeout=TIMEOUT
            ) as response:
                self.sent_bytes += len(body)
                response.read()
                self.received_bytes += response.num_bytes_downloaded
        except httpx.InvalidURL:
            raise SyncError("LOKET_OFFICE_URL is not a web address") from None
        except httpx.UnsupportedProtocol:
            raise SyncError("LOKET_OFFICE_URL must begin with http:// or https://") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            # Includes an answer cut off half-way: what the office did is not known, and sending
            # again is harmless.
            raise TryAgainError(f"the office cannot be reached ({type(error).__name__})") from None
        return self._read(response)

    def _read(self, response: httpx.Response) -> Any:
        status = response.status_code
        if status in {401, 403}:
            raise SyncError(f"the office does not accept this clinic's token ({status})")
        if status in {404, 405}:
            raise SyncError(f"there is no office at LOKET_OFFICE_URL ({status})")
        if status in BUSY or status >= 500:
            raise TryAgainError(f"the office is busy or failing ({status})", retry_after(response))
        try:
            document = response.json()
        except ValueError:  # a gateway's HTML, or a captive portal's
            document = None
        if status >= 400:
            raise BatchRefusedError(outcome_text(document, f"refused with status {status}"))
        if status >= 300 or document is None:
            raise TryAgainError(f"the answer is not the office's ({status})")
        return document


def retry_after(response: httpx.Response) -> float | None:
    """The wait asked for in seconds; dates are rare and not worth a clock comparison."""
    text = response.headers.get("retry-after", "").strip()
    return float(text) if text.isdigit() and len(text) < 7 else None
