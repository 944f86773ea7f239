"""One clinic's line to the office: requests, and the errors their answers mean."""

from __future__ import annotations

import gzip
import json
import ssl
import time
from typing import Any

import httpx

from core.exchange.fhir import Answer, Sendable, answers, outcome_text
from core.exchange.pacing import TryAgainError
from core.foundation.errors import SyncError
from core.foundation.job_problems import JobProblem

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


class OfficeLink:
    """Sends to one FHIR base over one HTTP client."""

    def __init__(self, url: str, token: str, client: httpx.Client, timeout: httpx.Timeout = TIMEOUT) -> None:
        self._url = url.rstrip("/")
        self._client = client
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/fhir+json, application/json",
            "Accept-Encoding": "gzip",
        }
        self._timeout = timeout
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
            raise TryAgainError(JobProblem("strange_answer", {"answer": str(error)})) from None

    def greet(self) -> None:
        """Ask for nothing, to learn whether the office is there and knows the token; raises like `send`."""
        self._exchange("GET", f"{self._url}/Organization?_summary=count", b"", {})

    def manifest(self, body: dict[str, Any], audit_head: str = "") -> dict[str, Any]:
        """Compare a day's manifest.

        Args:
            body: The manifest.
            audit_head: The end of the audit log, in a header that an older office passes over.

        Raises:
            TryAgainError: As `send`, or `strange_answer`: it does not say whether it agrees.
        """
        raw = gzip.compress(json.dumps(body, separators=(",", ":")).encode(), mtime=0)
        headers = {
            "Content-Type": "application/json",
            **({"X-Loket-Audit-Head": audit_head} if audit_head else {}),
        }
        document = self._post(f"{self._url}/manifests", raw, headers)
        if not isinstance(document, dict) or not isinstance(document.get("agrees"), bool):
            raise TryAgainError(JobProblem("strange_answer", {"answer": "manifest"}))
        return document

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Any:
        return self._exchange("POST", url, body, {"Content-Encoding": "gzip", **headers})

    def _exchange(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Any:
        try:
            with self._client.stream(
                method, url, content=body or None, headers={**self._headers, **headers}, timeout=self._timeout
            ) as response:
                self.sent_bytes += len(body)
                response.read()
                self.received_bytes += response.num_bytes_downloaded
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise SyncError(JobProblem("address_wrong", {"setting": "LOKET_OFFICE_URL"})) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            # Includes an answer cut off half-way: what the office did is not known, and sending
            # again is harmless.
            raise unreachable(error) from None
        return self._read(response)

    def _read(self, response: httpx.Response) -> Any:
        status = response.status_code
        if status in {401, 403}:
            raise SyncError(JobProblem("token_refused", {"setting": "LOKET_OFFICE_TOKEN", "status": status}))
        if status in {404, 405}:
            raise SyncError(JobProblem("nobody_there", {"setting": "LOKET_OFFICE_URL", "status": status}))
        if status in BUSY or status >= 500:
            raise TryAgainError(JobProblem("busy", {"status": status}), retry_after(response))
        try:
            document = response.json()
        except ValueError:  # a gateway's HTML, or a captive portal's
            document = None
        if status >= 400:
            raise BatchRefusedError(outcome_text(document, f"refused with status {status}"))
        if status >= 300 or document is None:
            raise TryAgainError(JobProblem("strange_answer", {"status": status}))
        return document


def unreachable(error: httpx.TransportError | httpx.DecodingError) -> TryAgainError:
    """Return the error of an answer that is missing or cut off; a certificate that does not hold has its own."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TryAgainError(JobProblem("certificate", {"reason": cause.verify_message}))
        cause = cause.__cause__ or cause.__context__
    return TryAgainError(JobProblem("unreachable", {"type": type(error).__name__}))


def retry_after(response: httpx.Response) -> float | None:
    """Return the wait asked for in seconds; dates are rare and not worth a clock comparison."""
    text = response.headers.get("retry-after", "").strip()
    return float(text) if text.isdigit() and len(text) < 7 else None
