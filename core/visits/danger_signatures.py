"""Signatures of the head of the clinic under the danger signs: who has read which page, and whether it is still that page.

A signature holds for the page that was read (`core.complaints.danger_page`): when a rule, an example or a word of it
changes, the sign is unsigned again. Nothing is erased: a signature that is taken back stays with who, when and why.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from core.complaints.danger_page import DangerPage, PageItem, danger_page, page_change
from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Permission, SignatureState
from core.foundation.database import connection, transaction
from core.foundation.errors import ConflictError, NotAllowedError, NotFoundError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import DangerSignature
from core.schemas.oversight import DangerItem, DangerOut, DangerPageOut

OutT = TypeVar("OutT", bound=DangerOut)


class SignatureCount(NamedTuple):
    """Number of signs and rules that are signed as they are now, and that are not."""

    signs: int
    unsigned: int
    """Signs without a valid signature."""
    changed: int
    """Of these, signs whose page has changed since it was signed."""
    unsigned_rules: int
    """Rules behind the signs without a valid signature."""


def counted(clinic: Clinic) -> SignatureCount:
    """Count the signatures, for the doctor; nobody is asked for a right."""
    with connection():
        newest = _newest()
    states = [(page, _state(page, newest.get(page.code))) for page in _pages(clinic)]
    unsigned = [(page, state) for page, state in states if state is not SignatureState.SIGNED]
    return SignatureCount(
        signs=len(states),
        unsigned=len(unsigned),
        changed=sum(state is SignatureState.CHANGED for _page, state in unsigned),
        unsigned_rules=sum(page.rules for page, _state in unsigned),
    )


def listed(clinic: Clinic, actor: Actor) -> list[DangerOut]:
    """Return every danger sign with its signature, those without a valid one first.

    Args:
        clinic: For its words and rules.
        actor: Who asks.

    Raises:
        NotAllowedError: The role neither approves nor administers.
    """
    _require_reader(actor)
    with connection():
        newest = _newest()
        signs = [_out(page, newest.get(page.code), DangerOut) for page in _pages(clinic)]
    return sorted(signs, key=lambda sign: (sign.state is SignatureState.SIGNED, sign.code))


def of_sign(clinic: Clinic, actor: Actor, code: str) -> DangerPageOut:
    """Return the page of a danger sign, with what has changed since it was signed last.

    Args:
        clinic: For its words and rules.
        actor: Who asks.
        code: The danger sign.

    Raises:
        NotAllowedError: The role neither approves nor administers.
        NotFoundError: The clinic's rules have no such sign.
    """
    _require_reader(actor)
    page = _page(clinic, code)
    with connection():
        return _whole(page, _newest(code).get(code))


def sign(clinic: Clinic, actor: Actor, code: str, digest: str) -> DangerPageOut:
    """Sign a danger sign as it stands on the page that was read; what is signed already stays as it is.

    Args:
        clinic: For its words and rules.
        actor: The head of the clinic.
        code: The danger sign.
        digest: Of the page that was read.

    Raises:
        NotAllowedError: The role does not approve.
        NotFoundError: The clinic's rules have no such sign.
        ConflictError: The rules are others by now than those that were read.
    """
    actor.require(Permission.APPROVE)
    page = _page(clinic, code)
    if page.digest != digest:
        raise ConflictError()
    with transaction():
        last = _newest(code).get(code)
        if last is None or last.digest != digest:
            last = DangerSignature.create(
                id=new_id(),
                code=code,
                digest=digest,
                page=[list(item) for item in page.items],
                signed_at=clock.now(),
                signed_by=actor.account_id,
            )
            audit.record(actor, "danger_signed", "danger_sign", code, digest=digest)
        return _whole(page, last)


def take_back(clinic: Clinic, actor: Actor, code: str, reason: str) -> DangerPageOut:
    """Take the signature under a danger sign back; whoever approves may, also another person's.

    Args:
        clinic: For its words and rules.
        actor: The head of the clinic.
        code: The danger sign.
        reason: Why it no longer holds.

    Raises:
        NotAllowedError: The role does not approve.
        NotFoundError: The clinic's rules have no such sign.
        ConflictError: Nobody has signed it.
    """
    actor.require(Permission.APPROVE)
    page = _page(clinic, code)
    with transaction():
        last = _newest(code).get(code)
        if last is None:
            raise ConflictError(status=SignatureState.UNSIGNED)
        DangerSignature.update(
            taken_back_at=clock.now(), taken_back_by=actor.account_id, taken_back_because=reason
        ).where(DangerSignature.code == code, DangerSignature.taken_back_at.is_null()).execute()
        audit.record(
            actor, "danger_signature_taken_back", "danger_sign", code, reason=reason, digest=last.digest
        )
        return _whole(page, None)


def _require_reader(actor: Actor) -> None:
    if not actor.can(Permission.APPROVE) and not actor.can(Permission.ADMINISTER):
        raise NotAllowedError(Permission.APPROVE)


def _page(clinic: Clinic, code: str) -> DangerPage:
    if code not in clinic.vocabulary.dangers:
        raise NotFoundError("danger_sign", code)
    return danger_page(clinic.vocabulary, code)


def _pages(clinic: Clinic) -> list[DangerPage]:
    return [danger_page(clinic.vocabulary, code) for code in clinic.vocabulary.dangers]


def _newest(code: str | None = None) -> dict[str, DangerSignature]:
    """Return the newest signature of each sign that was not taken back, of one sign where that is given."""
    rows = DangerSignature.select().where(DangerSignature.taken_back_at.is_null())
    if code is not None:
        rows = rows.where(DangerSignature.code == code)
    return {row.code: row for row in rows.order_by(DangerSignature.signed_at, DangerSignature.id)}


def _state(page: DangerPage, row: DangerSignature | None) -> SignatureState:
    if row is None:
        return SignatureState.UNSIGNED
    return SignatureState.SIGNED if row.digest == page.digest else SignatureState.CHANGED


def _out(page: DangerPage, row: DangerSignature | None, shape: type[OutT]) -> OutT:
    return shape(
        code=page.code,
        rules=page.rules,
        digest=page.digest,
        state=_state(page, row),
        signed_at=row.signed_at if row is not None else None,
        signed_by=row.signed_by.name if row is not None else "",
    )


def _whole(page: DangerPage, row: DangerSignature | None) -> DangerPageOut:
    change = page_change(row.page if row is not None else (), page)
    is_changed = _state(page, row) is SignatureState.CHANGED
    out = _out(page, row, DangerPageOut)
    out.items = [_item(item) for item in page.items]
    out.added = [_item(item) for item in change.added] if is_changed else []
    out.removed = [_item(item) for item in change.removed] if is_changed else []
    return out


def _item(item: PageItem) -> DangerItem:
    return DangerItem(kind=item.kind, text=item.text)
