"""Draws who may make which call, from the table that the tests hold the server to.

    python -m docs.draw_access > docs/reference/access.md

A test compares the page with what this prints.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

TABLE = Path(__file__).parent.parent / "tests" / "server" / "access.toml"
ROLES = {
    "C": "clerk", "N": "nurse", "D": "clinician", "L": "lab", "P": "pharmacist", "R": "records",
    "S": "supervisor", "A": "admin", "T": "display", "O": "door", "K": "counter",
}  # fmt: skip
INTRODUCTION = """# Who may do what

Every call under `/api/v1` by every role, with the rights that roles have at first; the admin changes them with the
supervisor's approval (`/rights`). Drawn from `tests/server/access.toml`, which is written by hand and which
`tests/server/test_access_table.py` tries call by call. Without a token, with one that has ended, or with another
clinic's, every call but `POST /tokens` answers 401.
"""
RECORD = """
## What depends on the patient

Four signs: own cluster today, other cluster, own cluster on an earlier day within the time for corrections (48
hours), and after it. `+` goes on, `-` refused, `?` asks for a reason, `v` the visit was in none of one's clusters,
`l` locked: an addendum, or the supervisor's release. Empty: refused.
"""


WINDOW = """
## At a counter's own machine, while the core is away

Only clerk, nurse and clinician sign in, with the password that they signed in with there while the core was there, or
with a key at its yard door; nobody with a second factor, nor with a password that is to be changed. This goes on for at
most 12 hours after the last contact with the core. Five wrong passwords in a row close the store until the core opens it.
A sign-in made before the core was lost goes on for the same time. What is answered is what registering needs: clusters,
cards, duplicates, routing, registrations, queues, drafts and printing; all other calls answer 503 `core_away`. An account
that is disabled meanwhile is not known to the machine: what it registers is delivered, and flagged to the supervisor.
"""


def page() -> str:
    """Return the page in Markdown."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return (
        "\n".join(
            [INTRODUCTION, *_calls(table["calls"]), RECORD, *_record(table["record"]), WINDOW, *_apart(table)]
        )
        + "\n"
    )


def _heading() -> Iterator[str]:
    yield f"| call | {' | '.join(ROLES.values())} |"
    yield "|---|" + "---|" * len(ROLES)


def _calls(calls: dict[str, str]) -> Iterator[str]:
    yield from _heading()
    for call, letters in calls.items():
        cells = ["+" if letter in letters else "" for letter in ROLES]
        yield f"| `{call}` | {' | '.join(cells)} |"


def _record(calls: dict[str, dict[str, str]]) -> Iterator[str]:
    yield from _heading()
    for call, signs in calls.items():
        cells = [f"`{signs[letter]}`" if letter in signs else "" for letter in ROLES]
        yield f"| `{call}` | {' | '.join(cells)} |"


def _apart(table: dict[str, dict[str, str]]) -> Iterator[str]:
    yield "\n## Tried elsewhere\n"
    for call, why in table["apart"].items():
        yield f"- `{call}`: {why}"
    yield "\n## Beside the API, without a token of an account\n"
    for call, why in table["beside"].items():
        yield f"- `{call}`: {why}"


if __name__ == "__main__":
    sys.stdout.write(page())
