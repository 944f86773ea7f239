"""BPJS's lists for a referral: specialists, subspecialists, facilities; without an answer, as they were read last.

Source: docs/reference/bpjs.md 5, docs/reference/bpjs.md 14.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx

from core.exchange.bpjs import code_lists
from core.exchange.bpjs.bpjs_link import BpjsLink, is_set_up, pcare_link, shared_client
from core.exchange.bpjs.code_lists import MEANS, SPECIALIST, NoListError, PcareList
from core.exchange.bpjs.pcare_bodies import day_text
from core.exchange.pacing import TryAgainError
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Permission
from core.foundation.database import connection
from core.foundation.errors import SyncError, ValidationError
from core.foundation.permissions import Actor
from core.schemas.bpjs import ReferralItemOut, ReferralListOut

SUBSPECIALIST, FACILITY = "subspecialist", "facility"
KINDS = (SPECIALIST, SUBSPECIALIST, MEANS, FACILITY)
ANY_MEANS = "0"
"""Code in a path where the referral names no means (sarana) [check]."""
FRESH = timedelta(days=7)
"""Age up to which the subspecialists of a specialist are not asked for again."""
AHEAD = 5
"""Specialists whose subspecialists are read ahead in one run, so that they are known when the line is cut."""
FOUND = 100
"""Most items offered at once."""
CODE = str.isalnum
"""Codes stand in a path: letters and digits alone."""


@dataclass(frozen=True)
class ReferralQuery:
    """A list that is asked for."""

    kind: str
    """One of `KINDS`."""
    of: str = ""
    """The specialist of subspecialists, the subspecialist of facilities."""
    means: str = ""
    """Code of the means that a facility must have; empty: any."""
    on: date | None = None
    """The day on which a facility is to take the patient."""
    words: str = ""
    """As typed; none finds all."""
    diagnosis: str = ""
    """First diagnosis of whoever is referred: BPJS may ask why primary care does not treat it."""


def offered(
    clinic: Clinic, actor: Actor, query: ReferralQuery, client: httpx.Client | None = None
) -> ReferralListOut:
    """Return the items of a list that fit the words; BPJS is asked, and does not keep anybody waiting for long.

    Args:
        clinic: The clinic.
        actor: Who refers.
        query: The list.
        client: An HTTP client to use instead of the shared one.

    Raises:
        ValidationError: `kind` or `of` is `unknown`, `on` is `required`.
        NotAllowedError: The actor writes no records.
    """
    actor.require(Permission.WRITE_RECORDS)
    _check(query)
    kind = kept_as(query)
    with connection():
        answered = _is_fresh(kind, query) or _ask(clinic, query, kind, client)
        found = code_lists.find(kind, query.words, FOUND)
        flag = _flag_of(clinic, query.diagnosis, client) if query.diagnosis else None
    return ReferralListOut(
        items=[ReferralItemOut(code=item.code, name=item.name, note=item.note) for item in found],
        read_at=min((item.read_at for item in found), default=None),
        answered=answered,
        non_specialist=flag,
    )


def _flag_of(clinic: Clinic, code: str, client: httpx.Client | None) -> bool | None:
    """Return whether primary care treats a diagnosis to the end; BPJS is asked where that is not known."""
    known = code_lists.flags(code_lists.DIAGNOSIS)
    if code not in known and (link := _link(clinic, client)) is not None:
        with suppress(TryAgainError, SyncError):
            code_lists.know_diagnoses(link, [code])
        known = code_lists.flags(code_lists.DIAGNOSIS)
    return known.get(code)


def _link(clinic: Clinic, client: httpx.Client | None) -> BpjsLink | None:
    """Return a line that keeps nobody waiting for long; None where BPJS is not set up."""
    if not is_set_up(clinic.settings):
        return None
    patience = httpx.Timeout(clinic.settings.bpjs_wait_seconds)
    return pcare_link(clinic.settings, client or shared_client(), patience)


def _check(query: ReferralQuery) -> None:
    problems: dict[str, str] = {}
    if query.kind not in KINDS:
        problems["kind"] = "unknown"
    if query.kind in {SUBSPECIALIST, FACILITY} and not CODE(query.of):
        problems["of"] = "unknown"
    if query.kind == FACILITY and query.means and not CODE(query.means):
        problems["means"] = "unknown"
    if query.kind == FACILITY and query.on is None:
        problems["on"] = "required"
    if problems:
        raise ValidationError(problems)


def kept_as(query: ReferralQuery) -> str:
    """Return the kind under which the items of a list are kept here.

    The facilities of another day are kept under the same one: they are what is known when nobody answers.
    """
    if query.kind == SUBSPECIALIST:
        return f"sub/{query.of}"[:16]
    return f"rs/{query.of}/{query.means or ANY_MEANS}"[:16] if query.kind == FACILITY else query.kind


def _is_fresh(kind: str, query: ReferralQuery) -> bool:
    """Return whether a list was read so lately that nobody is asked; facilities change from hour to hour."""
    age = code_lists.FRESH if query.kind in code_lists.WHOLE else FRESH
    read_at = code_lists.read_at(kind)
    return query.kind != FACILITY and read_at is not None and read_at > clock.now() - age


def _ask(clinic: Clinic, query: ReferralQuery, kind: str, client: httpx.Client | None) -> bool:
    """Ask BPJS and keep what it lists; return whether it answered."""
    link = _link(clinic, client)
    if link is None:
        return False
    with suppress(TryAgainError, SyncError, NoListError):
        _read(link, query, kind)
        return True
    return False


def _read(link: BpjsLink, query: ReferralQuery, kind: str) -> None:
    code_list, note_of = _list_of(query)
    code_lists.replace(kind, code_list, code_lists.ask(link, code_list), note_of)
    code_lists.note_read(kind)


def _list_of(query: ReferralQuery) -> tuple[PcareList, Callable[[dict[str, Any]], str]]:
    if query.kind == SUBSPECIALIST:
        path = f"spesialis/{query.of}/subspesialis"
        return PcareList(path, "kdSubSpesialis", "nmSubSpesialis"), _no_note
    if query.kind != FACILITY:
        return code_lists.WHOLE[query.kind], _no_note
    assert query.on is not None
    path = f"spesialis/rujuk/subspesialis/{query.of}/sarana/{query.means or ANY_MEANS}/tglEstRujuk/{day_text(query.on)}"
    return PcareList(path, "kdppk", "nmppk"), facility_note


def _no_note(_item: dict[str, Any]) -> str:
    return ""


def facility_note(item: dict[str, Any]) -> str:
    """Return what a clinician chooses a facility by: distance, class, how many it has taken, hours, town."""
    class_name, distance = _text(item, "kelas"), _text(item, "distance")
    parts = [
        f"{distance.replace('.', ',')} km" if distance else "",
        f"kelas {class_name}" if class_name else "",
        f"{_text(item, 'jmlRujuk') or '0'}/{_text(item, 'kapasitas')}" if _text(item, "kapasitas") else "",
        _text(item, "jadwal"),
        _text(item, "nmkc"),
    ]
    return ", ".join(part for part in parts if part)[:200]


def _text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    return " ".join(str(value).split()) if value is not None else ""


def know_ahead(link: BpjsLink) -> None:
    """Read the subspecialists of a few specialists of which none, or old ones, are known here.

    Args:
        link: The line to P-Care.

    Raises:
        TryAgainError: No answer.
        SyncError: BPJS does not let this clinic in.
    """
    queries = [ReferralQuery(SUBSPECIALIST, item.code) for item in code_lists.items(SPECIALIST)]
    due = [one for one in queries if CODE(one.of) and not _is_fresh(kept_as(one), one)]
    for query in due[:AHEAD]:
        with suppress(NoListError):
            _read(link, query, kept_as(query))
            continue
        code_lists.note_read(kept_as(query))
