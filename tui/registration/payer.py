"""The payer of a visit, as far as it is known before the clerk chooses.

The order: the clerk's choice, BPJS's answer, the number on the card, the last visit. A number tells that JKN pays but not which
kind. BPJS's answer or the last visit may know it; otherwise the confirmation says that it is not known yet, and the first
answer of BPJS, at the counter or later by itself, puts it right. The origin is stored with the visit.
"""

from __future__ import annotations

from core.foundation.codes import JKN_PAYERS, Payer, PayerSource


def is_kind_known(last_payer: Payer | None) -> bool:
    """Return whether the last visit tells which kind of JKN pays."""
    return last_payer in JKN_PAYERS


def proposed_payer(bpjs_number: str, last_payer: Payer | None) -> tuple[Payer, PayerSource]:
    """Return the payer that is proposed, and its origin.

    Args:
        bpjs_number: As on the card or as typed; empty when there is none.
        last_payer: Payer of the last visit.
    """
    if bpjs_number:
        return (last_payer if last_payer in JKN_PAYERS else JKN_PAYERS[0]), PayerSource.NUMBER
    if last_payer is not None:
        return last_payer, PayerSource.LAST_VISIT
    return Payer.GENERAL, PayerSource.DEFAULT
