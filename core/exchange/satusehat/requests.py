"""Requests to SATUSEHAT: signed in, at its rate, with its refusals read."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

import httpx

from core.exchange.fhir import outcome_text
from core.exchange.link import BUSY, TIMEOUT, retry_after, unreachable
from core.exchange.pacing import TryAgainError
from core.foundation import stopping
from core.foundation.config import Settings
from core.foundation.errors import SyncError
from core.foundation.job_problems import JobProblem

TOKEN_PATH = "/oauth2/v1/accesstoken"
FHIR_PATH = "/fhir-r4/v1"
TOKEN_MARGIN_SECONDS = 600.0
"""Seconds before its end at which a token is renewed, at most half its life (docs/reference/indonesia.md 5.1)."""
RULE = re.compile(r"RuleNumber:?\s*(\d{4,6})")
DUPLICATE_RULE = "20002"
NO_PERMISSION_RULE = "20003"
CLIENT_SETTINGS = "LOKET_SATUSEHAT_CLIENT_ID, LOKET_SATUSEHAT_CLIENT_SECRET"


class SatusehatRefusedError(Exception):
    """SATUSEHAT refused one request; asking again changes nothing.

    Attributes:
        status: HTTP status.
        words: Its own words, with the rule's number where it gave one.
        rule: That number, or empty.
        duplicate: It has this already.
    """

    def __init__(self, status: int, words: str, *, duplicate: bool) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        found = RULE.search(words)
        self.rule = found[1] if found else ""
        self.duplicate = duplicate or self.rule == DUPLICATE_RULE


class Access:
    """One client of SATUSEHAT, for one run."""

    def __init__(self, settings: Settings, client: httpx.Client, timeout: httpx.Timeout = TIMEOUT) -> None:
        self._timeout = timeout
        self._settings = settings
        self._client = client
        self._base = settings.satusehat_url.rstrip("/")
        self._interval = 60.0 / settings.satusehat_per_minute
        self._next_at = 0.0
        self._token = ""
        self._token_until = 0.0
        self.sent_bytes = 0
        """Request bodies."""
        self.received_bytes = 0

    def greet(self) -> None:
        """Sign in, to learn whether SATUSEHAT is there and knows this client; raises like `send`."""
        self._signed_in()

    def search(self, kind: str, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the resources of a type that match; raises like `send`."""
        document = self._ask("GET", f"/{kind}", parameters=parameters)
        entries = document.get("entry")
        resources = [
            entry.get("resource") for entry in (entries or []) if isinstance(entry, dict)
        ] if isinstance(entries, list) else []  # fmt: skip
        return [resource for resource in resources if isinstance(resource, dict) and resource.get("id")]

    def read(self, kind: str, remote_id: str) -> dict[str, Any]:
        """Return one resource by its id; raises like `send`."""
        return self._ask("GET", f"/{kind}/{remote_id}")

    def send(self, method: str, path: str, resource: Mapping[str, Any]) -> dict[str, Any]:
        """POST or PUT one resource, or a Bundle to the base (an empty path).

        Args:
            method: `POST` or `PUT`.
            path: Below the FHIR base; empty for a Bundle.
            resource: The resource to send.

        Raises:
            RefusedError: It refused, with its words.
            TryAgainError: No answer, or it is busy or failing.
            SyncError: It will never work like this: wrong address, client or secret.
        """
        return self._ask(method, path, body=resource)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        for attempt in (1, 2):
            headers = {"Authorization": f"Bearer {self._signed_in()}", "Accept": "application/json"}
            if content is not None:
                headers["Content-Type"] = "application/json"
            response = self._exchange(
                method, FHIR_PATH + path, params=parameters, content=content, headers=headers
            )
            if response.status_code != 401 or attempt == 2:
                break
            self._token = ""  # ended early or taken back: once more with a new one
        return self._read(response)

    def _signed_in(self) -> str:
        if self._token and time.monotonic() < self._token_until:
            return self._token
        form = {
            "client_id": self._settings.satusehat_client_id,
            "client_secret": self._settings.satusehat_client_secret,
        }
        response = self._exchange("POST", f"{TOKEN_PATH}?grant_type=client_credentials", data=form)
        if response.status_code in {400, 401, 403}:
            raise SyncError(JobProblem("client_refused", {"settings": CLIENT_SETTINGS}))
        document = self._read(response)
        token, life = document.get("access_token"), str(document.get("expires_in", ""))
        if not isinstance(token, str) or not token:
            raise TryAgainError(JobProblem("strange_answer", {"answer": "token"}))
        seconds = float(life) if life.isdigit() else TOKEN_MARGIN_SECONDS  # it comes as a string
        self._token = token
        self._token_until = time.monotonic() + seconds - min(TOKEN_MARGIN_SECONDS, seconds / 2)
        return token

    def _exchange(self, method: str, path: str, **request: Any) -> httpx.Response:
        self._wait_turn()
        stopping.require_going_on()
        try:
            response = self._client.request(method, f"{self._base}{path}", timeout=self._timeout, **request)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise SyncError(JobProblem("address_wrong", {"setting": "LOKET_SATUSEHAT_URL"})) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise unreachable(error) from None
        self.sent_bytes += len(response.request.content)
        self.received_bytes += response.num_bytes_downloaded
        return response

    def _wait_turn(self) -> None:
        """Keep the rate: requests are spaced evenly, so that no window of any length is overrun."""
        now = time.monotonic()
        if now < self._next_at:
            time.sleep(self._next_at - now)
        self._next_at = max(now, self._next_at) + self._interval

    def _read(self, response: httpx.Response) -> dict[str, Any]:
        status = response.status_code
        try:
            document = response.json()
        except ValueError:  # a gateway's HTML or plain text
            document = None
        words = outcome_text(document, f"refused with status {status}")
        if status in BUSY or status >= 500:
            raise TryAgainError(JobProblem("busy", {"status": status}), retry_after(response))
        if status >= 400:
            raise _refusal(status, words, is_fhir=isinstance(document, dict))
        if status >= 300 or not isinstance(document, dict):
            raise TryAgainError(JobProblem("strange_answer", {"status": status}))
        return document


def _refusal(status: int, words: str, *, is_fhir: bool) -> SyncError | SatusehatRefusedError:
    """Return the error of a status from 400 to 499.

    Args:
        status: The HTTP status.
        words: The answer's own words.
        is_fhir: Whether the answer is a JSON object, and so from SATUSEHAT itself.
    """
    if status == 403 and RULE.search(words):  # one resource is not this client's; the others may be
        return SatusehatRefusedError(status, words, duplicate=False)
    if status in {401, 403}:
        return SyncError(JobProblem("client_refused", {"settings": CLIENT_SETTINGS, "status": status}))
    if status in {404, 405} and not is_fhir:
        return SyncError(JobProblem("nobody_there", {"setting": "LOKET_SATUSEHAT_URL", "status": status}))
    return SatusehatRefusedError(status, words, duplicate=status == 409 or words.startswith("duplicate"))
