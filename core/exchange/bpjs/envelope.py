"""An answer of BPJS, whatever it is wrapped in: both spellings, encrypted or plain, an object or a list.

Source: docs/reference/bpjs.md 3.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from core.exchange.bpjs.bpjs_keys import Keys

DONE = frozenset({1, 200, 201})
"""Codes of success; the queue says 1."""
NOTHING = frozenset({204, 404})
"""Codes of "there is none"."""
NOT_LET_IN = frozenset({401, 403})
LATER = frozenset({408, 424, 425, 429})
"""Codes that ask to come again."""
LATER_WORDS = ("kuota", "quota", "limit")
"""Words in a refusal that mean the same."""


class UnreadableError(ValueError):
    """Raised for what is no answer of BPJS: a gateway's page, or something cut off."""


@dataclass(frozen=True)
class BpjsAnswer:
    """One answer, opened."""

    code: int
    message: str
    body: Any = None
    """Content of `response`: an object, a list, a text or None."""

    @property
    def is_done(self) -> bool:
        """Return whether what was asked for was done or found."""
        return self.code in DONE

    @property
    def is_nothing(self) -> bool:
        """Return whether there is nothing of what was asked for."""
        return self.code in NOTHING or (self.is_done and self.body in (None, "", [], {}))

    @property
    def asks_to_wait(self) -> bool:
        """Return whether the same request may be taken later."""
        return self.code in LATER or self.code >= 500 or self._says(LATER_WORDS)

    def _says(self, marks: tuple[str, ...]) -> bool:
        return not self.is_done and any(mark in self.words.casefold() for mark in marks)

    @property
    def words(self) -> str:
        """BPJS's own words, each field's after its name."""
        told = [f"{item['field']}: {item['message']}" for item in self.fields if item.get("message")]
        if not told and isinstance(self.body, str):
            told = [self.body]
        return "; ".join([*told, *([self.message] if self.message and self.message not in told else [])])

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The `{field, message}` pairs of the body, be it one or a list of them."""
        items = self.body if isinstance(self.body, list) else [self.body]
        return [item for item in items if isinstance(item, dict) and "field" in item]

    def number(self, field: str) -> str | None:
        """Return the number that a call gave, such as `noUrut`; None when it names none."""
        found = (
            item.get("message") for item in self.fields if str(item["field"]).casefold() == field.casefold()
        )
        return next((str(value) for value in found if value), None)

    def items(self) -> list[dict[str, Any]]:
        """Return the items of a list, with or without `count` and `list` around them."""
        body = self.body.get("list") if isinstance(self.body, dict) and "list" in self.body else self.body
        items = body if isinstance(body, list) else [body]
        return [item for item in items if isinstance(item, dict)]


def open_answer(raw: bytes, keys: Keys, timestamp: int) -> BpjsAnswer:
    """Return an answer, decrypted where it is encrypted.

    Args:
        raw: The body as it came.
        keys: The keys that the request was signed with.
        timestamp: And its second.

    Raises:
        UnreadableError: It is no answer of BPJS.
    """
    try:
        document = json.loads(raw)
    except ValueError:
        raise UnreadableError("not JSON") from None
    if not isinstance(document, dict):
        raise UnreadableError("no envelope")
    by_name = {str(name).casefold(): value for name, value in document.items()}
    metadata = by_name.get("metadata")
    if not isinstance(metadata, dict):
        raise UnreadableError("no metadata")
    try:
        code = int(metadata.get("code", ""))
    except (TypeError, ValueError):
        raise UnreadableError("no code") from None
    return BpjsAnswer(
        code, str(metadata.get("message") or ""), _body(by_name.get("response"), keys, timestamp)
    )


def _body(response: Any, keys: Keys, timestamp: int) -> Any:
    """Return what a response holds; a text that does not decrypt is taken as plain."""
    if not isinstance(response, str) or not response:
        return response
    try:
        return keys.decrypt(response, timestamp)
    except ValueError:
        return response
