"""Words for how far a referral's number is at BPJS."""

from __future__ import annotations

from collections.abc import Sequence

from core.schemas.bpjs import ReferralOut
from tui.text import bpjs_words
from tui.text.translation import _

SHOWN_PARTS = 2
"""Parts of a letter's number that a list has room for: `001/RJB` of `001/RJB/XII/2026`."""


def is_refused(item: ReferralOut) -> bool:
    """Return whether somebody has to mend something before a number can come."""
    return not item.number and bool(item.error or item.gaps)


def is_ready(item: ReferralOut) -> bool:
    """Return whether the number has come and stands on no letter yet."""
    return bool(item.number) and not item.letter_has_number


def state_text(item: ReferralOut) -> str:
    """Return the number, or why there is none yet."""
    if item.number:
        return item.number
    if is_refused(item):
        troubles = [_("BPJS says: {words}").format(words=item.error)] if item.error else []
        return "; ".join(troubles + [bpjs_words.gap_text(gap) for gap in item.gaps])
    return _("number follows")


def letter_text(item: ReferralOut) -> str:
    """Return which letter was issued, and whether it has to be printed again."""
    if not item.letter:
        return _("no letter")
    if is_ready(item):
        return _("print again")
    return "/".join(item.letter.split("/")[:SHOWN_PARTS])


def waiting_text(items: Sequence[ReferralOut]) -> list[str]:
    """Return what whoever referred has to know: numbers that have come, and referrals that were refused."""
    ready, refused = sum(map(is_ready, items)), sum(map(is_refused, items))
    found = [_("J: referral numbers come: {number}").format(number=ready)] if ready else []
    return found + ([_("J: REFERRALS NOT TAKEN: {number}").format(number=refused)] if refused else [])
