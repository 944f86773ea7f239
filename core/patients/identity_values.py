"""Values of what the law asks of an identity besides: religion, education, occupation, marital status. Pure.

They are asked after the save, never in the queue's way. Three states are told apart: a code, `refused` (asked and not
answered), and empty (nobody asked).

Source: core/data/identity_values.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from core.foundation.languages import DEFAULT_LANGUAGE, LocalizedText
from core.linkage.names import fold

FILE = "identity_values.toml"
REFUSED = "refused"


@dataclass(frozen=True)
class IdentityValue:
    """One answer."""

    code: str
    """The decree's."""
    label: LocalizedText
    words: frozenset[str]
    """As patient lists write it, folded."""


@dataclass(frozen=True)
class IdentityList:
    """The answers to one question."""

    name: str
    """The patient's field."""
    from_age: int
    """Years from which the counter asks."""
    values: tuple[IdentityValue, ...]

    def takes(self, code: str) -> bool:
        """Return whether a value can be stored: one of the codes, `refused`, or empty."""
        return code in {"", REFUSED} or any(value.code == code for value in self.values)

    def label(self, code: str, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the words of a code; the code itself where it is none of the list."""
        found = next((value.label for value in self.values if value.code == code), {})
        return found.get(language) or found.get(DEFAULT_LANGUAGE) or code

    def read(self, text: str) -> str:
        """Return the code that a cell of a list says; empty where it cannot be read.

        A number alone is not read: other programs count their lists otherwise.
        """
        folded = fold(text)
        said = {value.code for value in self.values if folded in value.words}
        return said.pop() if len(said) == 1 else ""


@cache
def lists() -> Mapping[str, IdentityList]:
    """Return field -> its answers, in the order in which they are asked."""
    text = resources.files("core.data").joinpath(FILE).read_text(encoding="utf-8")
    return {
        row["name"]: IdentityList(row["name"], row["from_age"], tuple(_value(item) for item in row["values"]))
        for row in tomllib.loads(text)["fields"]
    }


def _value(item: Mapping[str, object]) -> IdentityValue:
    words, label = item["words"], item["label"]
    assert isinstance(words, list)
    assert isinstance(label, dict)
    return IdentityValue(str(item["code"]), label, frozenset(fold(str(word)) for word in words))


def still_to_ask(asked: Collection[str], known: Mapping[str, str], age_years: int | None) -> list[str]:
    """Return the fields that nobody has asked this person about, of those that the clinic asks.

    Args:
        asked: Fields that the clinic asks.
        known: Field -> value.
        age_years: The person's age; None where it is not known.
    """
    return [
        name
        for name, listed in lists().items()
        if name in asked and not known.get(name) and (age_years is None or age_years >= listed.from_age)
    ]
