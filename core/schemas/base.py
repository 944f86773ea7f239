"""Parts that all schemas share: clean texts, ids, documents and problems.

Lengths are in characters after trimming. Every text field refuses control characters and
bidirectional overrides: what a clerk reads must be what is stored (a name that displays
backwards is a wrong patient). Characters that show nothing at all, which come along when text is
pasted, are left out. Wide and right-to-left letters themselves are welcome.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from core.foundation.identifiers import is_uuid7

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = dict.fromkeys(
    [
        0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, *range(0x2060, 0x2065), 0x2800, 0x3164, 0xFEFF,
        0xFFA0, *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE0080),
    ]
)  # fmt: skip
"""Unicode's default ignorable characters (soft hyphen, zero-width space, word joiner, fillers, byte order mark, tags),
and Braille's empty cell. The joiners and the variation selectors stay: scripts and emoji need them."""
_NOTHING_ALONE = frozenset(map(chr, (0x200C, 0x200D, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
"""Joiners and variation selectors: without another letter they show nothing."""


_UNSAFE = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that are not stored. Cn holds what no letter has: noncharacters such as U+FFFE, which no XML
file may contain, and code points that nothing is assigned to."""


def _is_unsafe(character: str, *, lines: bool) -> bool:
    if lines and character in "\n\t":
        return False
    return character in _BIDI_CONTROLS or unicodedata.category(character) in _UNSAFE


def _clean(value: object, *, lines: bool) -> object:
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFC", value.translate(_INVISIBLE)).replace("\r\n", "\n").strip()
    if any(_is_unsafe(character, lines=lines) for character in text):
        raise PydanticCustomError("control_characters", "control characters are not stored")
    if all(character in _NOTHING_ALONE or character.isspace() for character in text):
        return ""
    return text if lines else " ".join(text.split())


def is_clean(text: str) -> bool:
    """Return whether a text holds nothing but line ends that a terminal or a printer would obey."""
    return not any(_is_unsafe(character, lines=False) for character in text if character != "\n")


def clean_line(text: str) -> str:
    """Return one line of text as it is stored, for texts that come in without a schema.

    Raises:
        ValueError: It holds characters that are not stored.
    """
    return str(_clean(text, lines=False))


def _clean_line(value: object) -> object:
    return _clean(value, lines=False)


def _clean_lines(value: object) -> object:
    return _clean(value, lines=True)


def _spaced_line(value: str) -> str:
    if any(_is_unsafe(character, lines=False) for character in value):
        raise PydanticCustomError("control_characters", "control characters are not printed")
    return value


def _registration_id(value: str) -> str:
    if not is_uuid7(value):
        raise PydanticCustomError("uuid7", "must be a UUIDv7")
    return value.lower()


FEWEST_LETTERS, FEWEST_KINDS = 5, 3
"""Letters of words that say something to whoever reviews them, and how many of them differ: "." says nothing, neither
do "......", "aaaaaa" and "ya ya ya"."""


def says_something(text: str) -> bool:
    """Return whether words of a reason say something."""
    letters = [letter for letter in text.casefold() if letter.isalpha()]
    return len(letters) >= FEWEST_LETTERS and len(set(letters)) >= FEWEST_KINDS


def _words(value: str) -> str:
    if not says_something(value):
        raise PydanticCustomError("string_too_short", "these words say nothing")
    return value


DOCUMENT_BYTES = 64 * 1024


def _document(value: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except ValueError:  # lone surrogates, NaN, infinity
        raise PydanticCustomError("control_characters", "cannot be stored as JSON") from None
    if size > DOCUMENT_BYTES:
        raise PydanticCustomError("string_too_long", "too large")
    return value


Document = Annotated[dict[str, Any], AfterValidator(_document)]
"""A JSON object of at most 64 KiB."""
Line = Annotated[str, BeforeValidator(_clean_line)]
"""One line of text: trimmed, inner white space folded."""
SpacedLine = Annotated[str, AfterValidator(_spaced_line)]
"""One line of text, its spaces kept."""
Prose = Annotated[str, BeforeValidator(_clean_lines), Field(max_length=8000)]
"""Several lines of text."""
Because = Annotated[Line, Field(max_length=200), AfterValidator(_words)]
"""A reason in words that say something; another person reads it."""
Name = Annotated[Line, Field(min_length=1, max_length=120)]
Identifier = Annotated[Line, Field(max_length=36)]
"""An id as it was given out; one that nothing has is answered as unknown, not as malformed."""
RegistrationId = Annotated[str, AfterValidator(_registration_id)]


class Schema(BaseModel):
    """Base of all schemas: unknown fields are refused, so that a typing error is seen."""

    model_config = ConfigDict(extra="forbid", use_enum_values=False)


class ForDeceased(Schema):
    """A request that is asked about for a patient who is recorded as dead."""

    deceased_confirmed: bool = False
    """The mark was looked at: it is meant all the same, or was before the death."""


class Problem(BaseModel):
    """RFC 9457 problem details as Loket sends them."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str = ""
    fields: dict[str, str] = {}
    """Field path -> stable problem code."""
    details: dict[str, Any] = {}
    """Facts the screen needs: candidates, receipt, verdict."""
