"""The line to one of BPJS's services: signed requests, and the errors that their answers mean.

Source: docs/reference/bpjs.md 2, docs/reference/bpjs.md 3.
"""

from __future__ import annotations

import json
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx

from core.exchange.bpjs.bpjs_keys import Keys
from core.exchange.bpjs.envelope import NOT_LET_IN, BpjsAnswer, UnreadableError, open_answer
from core.exchange.link import retry_after, unreachable
from core.exchange.pacing import TryAgainError
from core.foundation import clock, stopping
from core.foundation.config import Settings
from core.foundation.errors import SyncError
from core.foundation.job_problems import JobProblem

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds without a byte after which an answer of the daily work is given up."""
CLOCKS_APART = timedelta(seconds=90)
"""From here on the clock of BPJS is believed for the signature, not this machine's."""


@cache
def shared_client() -> httpx.Client:
    """Return this process's connections to BPJS; a client of one's own reads all authorities' certificates anew."""
    return httpx.Client()


class NoSuchUserError(SyncError):
    """BPJS does not let this clinic in: keys, user or clock."""


class FailingError(TryAgainError):
    """BPJS answers that it cannot, or not now.

    Attributes:
        words: Its own words; they may name a patient, and so are in no problem and no log.
    """

    def __init__(self, answer: BpjsAnswer, retry_after: float | None) -> None:
        super().__init__(JobProblem("busy", {"status": answer.code}), retry_after)
        self.words = f"{answer.code} {answer.words}".strip()[:200]


class BpjsLink:
    """Asks one service over one HTTP client."""

    def __init__(
        self,
        url: str,
        keys: Keys,
        client: httpx.Client,
        *,
        timeout: httpx.Timeout = TIMEOUT,
        content_type: str = "application/x-www-form-urlencoded",
    ) -> None:
        self._url = url.rstrip("/")
        self._keys = keys
        self._client = client
        self._timeout = timeout
        self._content_type = content_type
        self.clock_offset = timedelta()
        """Lead of BPJS's clock over ours; zero where it is small."""

    def get(self, path: str) -> BpjsAnswer:
        """Ask; raises like `call`."""
        return self.call("GET", path)

    def read(self, path: str) -> BpjsAnswer:
        """Ask for what is there: an object, a list, or nothing.

        What somebody finds here decides whether something is sent again, so a text in its place says nothing.

        Args:
            path: Below the service's address.

        Raises:
            TryAgainError: No answer, or one that says neither what is there nor that nothing is.
            SyncError: It will never work like this.
        """
        answer = self.get(path)
        if answer.is_done and isinstance(answer.body, str) and answer.body:
            raise TryAgainError(JobProblem("strange_answer", {"status": answer.code, "why": "not decrypted"}))
        return answer

    def call(self, method: str, path: str, body: Any = None) -> BpjsAnswer:
        """Send one request. A refusal is an answer, not an error.

        Args:
            method: HTTP's.
            path: Below the service's address.
            body: A document to send as JSON text.

        Raises:
            TryAgainError: No answer, an unreadable one, or a busy service. What it did is not known.
            SyncError: It will never work like this: wrong address, keys or user.
        """
        answer, response = self._exchange(method, path, body)
        if answer.code in NOT_LET_IN and self._learn_clock(response):
            answer, response = self._exchange(method, path, body)
        if answer.code in NOT_LET_IN:
            raise NoSuchUserError(JobProblem("bpjs_not_let_in", {"words": answer.words[:200]}))
        if answer.asks_to_wait:
            raise FailingError(answer, retry_after(response))
        return answer

    def _exchange(self, method: str, path: str, body: Any) -> tuple[BpjsAnswer, httpx.Response]:
        stopping.require_going_on()
        timestamp = int((clock.now() + self.clock_offset).timestamp())
        headers = self._keys.headers(timestamp)
        content = None
        if body is not None:
            headers["Content-Type"] = self._content_type
            content = json.dumps(body, ensure_ascii=False).encode()
        try:
            response = self._client.request(
                method, f"{self._url}/{path}", content=content, headers=headers, timeout=self._timeout
            )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise SyncError(JobProblem("address_wrong", {"setting": "LOKET_BPJS_URL"})) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise unreachable(error) from None
        try:
            return open_answer(response.content, self._keys, timestamp), response
        except UnreadableError as error:
            status = response.status_code
            facts: dict[str, str | int] = {"status": status, "why": str(error)}
            if status >= 500:
                raise TryAgainError(JobProblem("busy", {"status": status}), retry_after(response)) from None
            raise TryAgainError(JobProblem("strange_answer", facts), retry_after(response)) from None

    def _learn_clock(self, response: httpx.Response) -> bool:
        """Take over BPJS's clock when it is far from ours; return whether that is new."""
        try:
            theirs = parsedate_to_datetime(response.headers.get("date", ""))
            apart = theirs - clock.now()
        except (ValueError, TypeError):
            return False
        if abs(apart - self.clock_offset) < CLOCKS_APART:
            return False
        self.clock_offset = apart
        return True


def pcare_link(settings: Settings, client: httpx.Client, timeout: httpx.Timeout = TIMEOUT) -> BpjsLink:
    """Return the line to P-Care.

    Args:
        settings: Address, keys and the facts that are settings.
        client: The HTTP client to use.
        timeout: How long to wait for an answer.
    """
    keys = _keys(settings, settings.bpjs_user_key)
    return BpjsLink(settings.bpjs_url, keys, client, timeout=timeout, content_type=settings.bpjs_content_type)


def queue_link(settings: Settings, client: httpx.Client, timeout: httpx.Timeout = TIMEOUT) -> BpjsLink:
    """Return the line to the queue of Mobile JKN.

    Args:
        settings: Address, keys and the facts that are settings.
        client: The HTTP client to use.
        timeout: How long to wait for an answer.
    """
    keys = _keys(settings, settings.bpjs_queue_user_key)
    return BpjsLink(settings.bpjs_queue_url, keys, client, timeout=timeout, content_type="application/json")


def _keys(settings: Settings, user_key: str) -> Keys:
    return Keys(
        consumer_id=settings.bpjs_consumer_id,
        secret=settings.bpjs_secret,
        user_key=user_key,
        username=settings.bpjs_username,
        password=settings.bpjs_password,
        application=settings.bpjs_application,
    )


NEEDED_SETTINGS = (
    "bpjs_url",
    "bpjs_consumer_id",
    "bpjs_secret",
    "bpjs_user_key",
    "bpjs_username",
    "bpjs_password",
)
"""Settings without which P-Care cannot be asked."""


def is_set_up(settings: Settings) -> bool:
    """Return whether P-Care can be asked."""
    return all(getattr(settings, name) for name in NEEDED_SETTINGS)
