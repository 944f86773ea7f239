"""Breaks of the audit log that were looked into: two people vouch for each with words, and the log itself keeps it.

One person states what happened and asks, the head of the clinic approves: both are rows of the chain. A break that is
vouched for is named at every look from then on, with who and why; whatever differs from it is another break.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.foundation import approvals, audit_chain
from core.foundation.audit_files import AuditKey
from core.foundation.codes import ApprovalKind
from core.foundation.database import database, document_text, is_sqlite, tuples
from core.foundation.errors import RuleError, ValidationError
from core.foundation.permissions import Actor
from core.models import Account, Approval
from core.schemas.base import says_something

LASTING = frozenset(
    {
        "row_changed", "rows_missing", "rows_were_cut", "head_differed", "head_lost", "key_lost", "old_rows_changed",
        "record_changed", "record_missing", "record_unaudited", "was_unprotected",
        "version_missing",
    }
)  # fmt: skip
"""Codes of breaks that nobody can mend any more. What can be mended, such as triggers that are gone, stays a break."""
LONGEST_WORDS = 200  # characters, as they are kept


@dataclass(frozen=True)
class AuditProblem:
    """One thing that is not as it was written."""

    code: str
    """`row_changed`, `rows_missing`, `rows_cut`, `rows_were_cut`, `head_differs`,
    `head_differed`, `head_missing`, `head_lost`, `key_lost`,
    `old_rows_changed`, `unprotected`, `was_unprotected`, `version_missing`, `record_changed`, `record_missing`, `record_unaudited`, `chain_missing`, `log_missing`,
    `index_differs`."""
    sequence: int | None = None
    """The row of the log at which it shows."""
    kind: str = ""
    target: str = ""
    """The record."""
    number: int = 0
    """How many, where that is the matter."""
    log: str = "changes"
    """`changes` or `reads`."""
    state: str = ""
    """Hash of what stands there now: a second tampering at the same place is another break."""

    @property
    def fingerprint(self) -> str:
        """Return what tells this break from every other."""
        return hashlib.sha256(document_text(dataclasses.astuple(self)).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Vouch:
    """Words of two people about a break."""

    words: str
    asked_by: str
    """The one who asked: an account's sign-in name, or the person behind a command."""
    approved_by: str
    """Sign-in name of who approved."""
    at: datetime
    """Instant of the approval."""


def ask(actor: Actor, found: Sequence[AuditProblem], words: str, told: Sequence[str]) -> Approval:
    """Ask the head of the clinic to vouch for breaks that were found.

    Args:
        actor: Who asks; another person approves.
        found: The breaks.
        words: What happened, and who looked into it.
        told: The breaks in words, for whoever approves.

    Raises:
        ValidationError: `because`: `words`: it says nothing, or too much.
        RuleError: `nothing_to_vouch_for`: none of them lasts.
        ConflictError: `already_requested`.
    """
    if not says_something(words) or len(words) > LONGEST_WORDS:
        raise ValidationError({"because": "words"})
    breaks = [problem.fingerprint for problem in found if problem.code in LASTING]
    if not breaks:
        raise RuleError("nothing_to_vouch_for")
    return approvals.ask(
        actor,
        ApprovalKind.TAMPERING,
        str(len(breaks)),
        words,
        by=actor.origin or actor.username,
        told=list(told),
        breaks=breaks,
    )


def known(key: AuditKey) -> dict[str, Vouch]:
    """Return fingerprint -> vouch, as the chain itself tells: rows that do not fit their hash vouch for nothing.

    Args:
        key: The chain's key.
    """
    names: dict[str, str] = dict(tuples(Account.select(Account.id, Account.username)))
    asked = {row["target"]: row for row in _rows(key, "approval_requested")}
    found: dict[str, Vouch] = {}
    for row in _rows(key, "approval_approved"):
        request = asked.get(row["target"])
        if request is None or request["account"] == row["account"]:
            continue
        vouch = Vouch(
            words=request["detail"]["reason"],
            asked_by=request["detail"]["by"],
            approved_by=names.get(row["account"], ""),
            at=datetime.fromisoformat(row["at"]),
        )
        found |= dict.fromkeys(request["detail"]["breaks"], vouch)
    return found


COLUMNS = (
    "sequence", "at", "account_id", "origin", "action", "kind", "target", "patient_id", "detail", "record_version",
    "record_hash", "previous_hash", "hash",
)  # fmt: skip
"""Columns of a stored row of either log."""


def _rows(key: AuditKey, action: str) -> Iterator[dict[str, Any]]:
    """Yield the chain's own rows about breaks, in their order, with their details read."""
    mark = "?" if is_sqlite() else "%s"
    query = f"SELECT {', '.join(COLUMNS)} FROM audit_event WHERE action = {mark} ORDER BY sequence"  # noqa: S608
    for values in database.execute_sql(query, (action,)).fetchall():
        row = dict(zip(COLUMNS, values, strict=True))
        row["account"] = row["account_id"]
        detail = json.loads(row["detail"])
        is_own = row["hash"] == audit_chain.keyed_hash(key, row, row["at"], row["detail"])
        if is_own and detail.get("approval") == ApprovalKind.TAMPERING:
            yield {**row, "detail": detail}
