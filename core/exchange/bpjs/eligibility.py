"""Eligibility: BPJS's participants, as a counter and the daily work ask for them.

Source: docs/reference/bpjs.md 5.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from datetime import date, datetime
from typing import Any

import httpx

from core.exchange.bpjs.bpjs_link import BpjsLink, is_set_up, pcare_link, shared_client
from core.exchange.pacing import TryAgainError
from core.foundation.clinic import Clinic
from core.foundation.codes import InsuranceStatus, Payer, Permission, Sex
from core.foundation.config import Settings
from core.foundation.errors import SyncError
from core.foundation.permissions import Actor
from core.schemas.insurance import InsuranceOut, InsuranceQuery

log = logging.getLogger(__name__)

CARD_DIGITS, NIK_DIGITS = 13, 16
MOST_AT_ONCE = 4
"""Counters that wait for BPJS at one time; the others are told at once that there is no answer."""
_slots = threading.BoundedSemaphore(MOST_AT_ONCE)
NO_PROGRAMME = frozenset({"", "-", "0", "false", "tidak", "tidak ada", "none", "null"})
"""Words of BPJS's for a participant who is in no programme [check]."""
SEXES = {"L": Sex.MALE, "P": Sex.FEMALE}


def check(
    clinic: Clinic, actor: Actor, query: InsuranceQuery, client: httpx.Client | None = None
) -> InsuranceOut:
    """Ask BPJS about a person; whatever goes wrong there is told as no answer.

    Args:
        clinic: The clinic.
        actor: Actor at the counter.
        query: The numbers as typed.
        client: An HTTP client to use instead of the shared one.

    Raises:
        NotAllowedError: The actor may not register.
    """
    actor.require(Permission.REGISTER)
    path = path_of(query.bpjs_number, query.nik)
    if path is None or not is_set_up(clinic.settings):
        return InsuranceOut(status=InsuranceStatus.NOT_SET_UP)
    if not _slots.acquire(blocking=False):
        return InsuranceOut(status=InsuranceStatus.NO_ANSWER)
    try:
        link = pcare_link(
            clinic.settings, client or shared_client(), httpx.Timeout(clinic.settings.bpjs_wait_seconds)
        )
        return ask(clinic.settings, link, path)
    except (TryAgainError, SyncError) as error:
        log.warning("BPJS was asked for a participant and did not answer: %s", error)
        return InsuranceOut(status=InsuranceStatus.NO_ANSWER)
    finally:
        _slots.release()


def path_of(card: str, nik: str) -> str | None:
    """Return the call that finds a person; None when neither number is complete."""
    card, nik = _digits(card), _digits(nik)
    if len(card) == CARD_DIGITS:
        return f"peserta/{card}"
    return f"peserta/nik/{nik}" if len(nik) == NIK_DIGITS else None


def ask(settings: Settings, link: BpjsLink, path: str) -> InsuranceOut:
    """Return what BPJS says about a person.

    Args:
        settings: For the clinic's own number.
        link: The line to P-Care.
        path: From `path_of`.

    Raises:
        TryAgainError: No answer.
        SyncError: BPJS does not let this clinic in.
    """
    answer = link.get(path)
    if answer.is_nothing or not isinstance(answer.body, dict) or not answer.is_done:
        return InsuranceOut(status=InsuranceStatus.UNKNOWN, reason=answer.words[:200])
    return read_participant(answer.body, settings.bpjs_provider)


def read_participant(body: dict[str, Any], own_provider: str) -> InsuranceOut:
    """Return a participant as Loket names things; what cannot be read is left empty.

    Args:
        body: As P-Care has it.
        own_provider: The clinic's number at BPJS; empty: not known.
    """
    status = _status(body)
    kind = _text(_part(body, "jnsPeserta"), "nama")
    home = _part(body, "kdProviderPst")
    provider = _text(home, "kdProvider")
    return InsuranceOut(
        status=status,
        reason="" if status is InsuranceStatus.ACTIVE else _text(body, "ketAktif"),
        name=_text(body, "nama")[:120],
        birth_date=_day(_text(body, "tglLahir")),
        sex=SEXES.get(_text(body, "sex").upper()[:1]),
        nik=_whole(_text(body, "noKTP"), NIK_DIGITS),
        bpjs_number=_whole(_text(body, "noKartu"), CARD_DIGITS),
        class_name=_text(_part(body, "jnsKelas"), "nama"),
        kind=kind,
        payer=_payer(kind),
        facility_code=provider,
        facility_name=_text(home, "nmProvider"),
        is_own_member=provider == own_provider if own_provider and provider else None,
        back_referral=_programme(body, "pstPrb"),
    )


def _programme(body: dict[str, Any], name: str) -> str:
    """Return the programme that a participant is in, in BPJS's words; empty where there is none."""
    words = _text(body, name)[:120]
    return "" if words.casefold() in NO_PROGRAMME else words


def _status(body: dict[str, Any]) -> InsuranceStatus:
    is_active = str(body.get("aktif")).casefold() == "true"
    return InsuranceStatus.ACTIVE if is_active else InsuranceStatus.INACTIVE


def _payer(kind: str) -> Payer | None:
    """Return the payer that a kind of membership means: the poor are paid for by the state (PBI)."""
    if not kind:
        return None
    return Payer.JKN_PBI if "PBI" in kind.upper().replace("NON PBI", "") else Payer.JKN_NON_PBI


def _text(body: dict[str, Any], name: str) -> str:
    """Return a text on one line; empty when there is none."""
    value = body.get(name)
    return " ".join(str(value).split()) if value is not None else ""


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    part = body.get(name)
    return part if isinstance(part, dict) else {}


def _day(text: str) -> date | None:
    for form in ("%d-%m-%Y", "%Y-%m-%d"):
        with suppress(ValueError):
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007  # a day, not an instant
    return None


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and letter.isdigit())


def _whole(text: str, length: int) -> str:
    """Return a number's digits; empty when there are not as many as it has."""
    digits = _digits(text)
    return digits if len(digits) == length else ""
