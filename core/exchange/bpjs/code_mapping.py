"""The clinic's clusters, clinicians, medicines, procedures and allergies, and the codes that they have in BPJS's lists.

A code comes from somebody who chose it, from the file of the clusters, or from the very same name in BPJS's list;
it is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import httpx

from core.exchange.bpjs import code_lists
from core.exchange.bpjs.allergy_codes import ALLERGY, NOT_LISTED, AllergyItem, fold
from core.exchange.bpjs.bpjs_link import is_set_up, pcare_link, shared_client
from core.exchange.bpjs.code_lists import DOCTOR, MEDICINE, POLI, PROCEDURE
from core.exchange.bpjs.pcare_bodies import WELL, Codes
from core.exchange.pacing import TryAgainError
from core.foundation import audit
from core.foundation.clinic import Clinic
from core.foundation.codes import OrderStatus, OutboxStatus, Permission, Role
from core.foundation.database import connection, transaction
from core.foundation.errors import SyncError, ValidationError
from core.foundation.permissions import Actor
from core.models import (
    Account,
    Allergy,
    BpjsCode,
    BpjsListItem,
    BpjsQueue,
    BpjsVisit,
    Prescription,
    Procedure,
    Visit,
)
from core.records.pcare_form import INSURED
from core.schemas.bpjs import BpjsCodeOut, BpjsCodesOut, BpjsListItemOut

KINDS = (POLI, DOCTOR, MEDICINE, PROCEDURE, ALLERGY)
MAY_BE_OUTSIDE = frozenset({MEDICINE, PROCEDURE, ALLERGY})
BY_NAME = frozenset({MEDICINE, ALLERGY})
"""Kinds that are looked up by their folded names."""
"""Kinds of which BPJS's list may lack something: it is said so once, and that travels by name, or not at all."""
LOOK_BACK = timedelta(days=60)
"""Age up to which a medicine or a procedure of an insured visit is asked about."""
FOUND = 60
"""Most items of a list that are offered at once."""


@dataclass
class Ours:
    """Something of the clinic's that needs a code at BPJS."""

    kind: str
    ours: str
    title: str
    used: int = 0
    """Times it was written for an insured person of late."""


def map_doctors() -> None:
    """Map the accounts that are named as a doctor of BPJS, where nobody has mapped them."""
    by_name = {fold(item.name): item for item in code_lists.items(DOCTOR)}
    mapped = _mapped(DOCTOR)
    with transaction():
        for account in Account.select().where(Account.disabled_at.is_null()):
            item = by_name.get(fold(account.name))
            if item is not None and account.username not in mapped:
                _write(DOCTOR, account.username, item.code, item.name)


def map_code(clinic: Clinic, actor: Actor, kind: str, ours: str, theirs: str, name: str = "") -> None:
    """Say which code BPJS has for something of the clinic's; an empty one takes it back.

    Visits that were set aside for what they lack are tried again at once.

    Args:
        clinic: For its clusters.
        actor: Who says so.
        kind: One of `KINDS`.
        ours: Code of a cluster, username, name of a medicine or an allergy, or code of a procedure.
        theirs: The code there; `-`: BPJS's list has none (medicines, procedures and allergies alone).
        name: Its name there.

    Raises:
        ValidationError: `kind` or `ours` is `unknown`; `theirs` is `not_in_list`, or a poli `for_the_ill` where
            healthy visits go.
        NotAllowedError: The actor may not administer.
    """
    actor.require(Permission.ADMINISTER)
    if kind not in KINDS:
        raise ValidationError({"kind": "unknown"})
    if (kind == POLI and ours not in {*clinic.clusters, WELL}) or (kind == DOCTOR and not _is_account(ours)):
        raise ValidationError({"ours": "unknown"})
    if theirs and not _is_listed(kind, theirs):
        raise ValidationError({"theirs": "not_in_list"})
    if ours == WELL and code_lists.flags(POLI).get(theirs):
        raise ValidationError({"theirs": "for_the_ill"})
    key = fold(ours) if kind in BY_NAME else ours
    with transaction():
        if theirs:
            _write(kind, key, theirs, name or _name_of(kind, theirs))
        else:
            BpjsCode.delete().where(BpjsCode.kind == kind, BpjsCode.ours == key).execute()
        gaps_alone = (BpjsVisit.status == OutboxStatus.REFUSED) & BpjsVisit.error.is_null()
        BpjsVisit.update(status=OutboxStatus.PENDING).where(gaps_alone).execute()
        waits_in_queue = (BpjsQueue.status == OutboxStatus.REFUSED) & BpjsQueue.error.is_null()
        BpjsQueue.update(status=OutboxStatus.PENDING).where(waits_in_queue).execute()
        audit.record(actor, "bpjs_code_mapped", "bpjs_code", f"{kind}:{key}"[:80], None, theirs=theirs)


def _is_account(username: str) -> bool:
    return bool(Account.select().where(Account.username == username).exists())


def _is_listed(kind: str, theirs: str) -> bool:
    """Return whether a code can stand in BPJS's list; a list that was not read yet refuses nothing."""
    if theirs == NOT_LISTED:
        return kind in MAY_BE_OUTSIDE
    known = {item.code for item in _items(kind)}
    return kind == MEDICINE or not known or theirs in known


def _name_of(kind: str, theirs: str) -> str:
    return next((item.name for item in _items(kind) if item.code == theirs), "")


def _items(kind: str) -> Sequence[BpjsListItem | AllergyItem]:
    return code_lists.allergies() if kind == ALLERGY else code_lists.items(kind)


def _write(kind: str, ours: str, theirs: str, name: str) -> None:
    BpjsCode.insert(kind=kind, ours=ours, theirs=theirs, name=name[:200]).on_conflict(
        conflict_target=[BpjsCode.kind, BpjsCode.ours],
        update={BpjsCode.theirs: theirs, BpjsCode.name: name[:200]},
    ).execute()


def _mapped(kind: str) -> dict[str, BpjsCode]:
    return {row.ours: row for row in BpjsCode.select().where(BpjsCode.kind == kind)}


# What there is to map


def ours(clinic: Clinic) -> Iterator[Ours]:
    """Yield everything of the clinic's that needs a code at BPJS."""
    for cluster in clinic.clusters.first_destinations:
        yield Ours(POLI, cluster.code, cluster.name)
    yield Ours(POLI, WELL, "")
    clinicians = Account.select().where(Account.role == Role.CLINICIAN, Account.disabled_at.is_null())
    for account in clinicians.order_by(Account.name):
        yield Ours(DOCTOR, account.username, account.name)
    yield from _medicines(clinic).values()
    yield from _procedures(clinic).values()
    yield from _allergies(clinic).values()


def _medicines(clinic: Clinic) -> dict[str, Ours]:
    """Return the ready medicines of late and those with a code, by folded name."""
    found = {key: Ours(MEDICINE, key, key) for key in _mapped(MEDICINE)}
    written = Prescription.select(Prescription.medicine, Prescription.ingredients).join(Visit)
    for row in written.where(Prescription.status != OrderStatus.REVOKED, _is_of_late(clinic)):
        if not row.ingredients:
            one = found.setdefault(fold(row.medicine), Ours(MEDICINE, fold(row.medicine), row.medicine))
            one.title, one.used = row.medicine, one.used + 1
    return found


def _procedures(clinic: Clinic) -> dict[str, Ours]:
    """Return the procedures of late and those with a code, by code."""
    found = {key: Ours(PROCEDURE, key, key) for key in _mapped(PROCEDURE)}
    written = Procedure.select(Procedure.code, Procedure.title).join(Visit)
    for row in written.where(Procedure.voided_at.is_null(), _is_of_late(clinic)):
        one = found.setdefault(row.code, Ours(PROCEDURE, row.code, row.code))
        one.title, one.used = f"{row.code} {row.title}", one.used + 1
    return found


def _allergies(clinic: Clinic) -> dict[str, Ours]:
    """Return the allergies of insured people who came of late and those with a code, by folded name."""
    found = {key: Ours(ALLERGY, key, key) for key in _mapped(ALLERGY)}
    came = Visit.select(Visit.patient).where(_is_of_late(clinic))
    for row in Allergy.select().where(Allergy.patient.in_(came), Allergy.voided_at.is_null()):
        one = found.setdefault(fold(row.substance), Ours(ALLERGY, fold(row.substance), row.substance))
        one.title, one.used = row.substance, one.used + 1
    return found


def _is_of_late(clinic: Clinic) -> Any:
    """Return the condition that a visit is of late, and of an insured person."""
    return (Visit.service_on >= clinic.today() - LOOK_BACK) & Visit.payer.in_(list(INSURED))


def mapping(clinic: Clinic, actor: Actor) -> BpjsCodesOut:
    """Return everything that needs a code with the code it has: first what has none, the most used on top.

    Raises:
        NotAllowedError: The actor may not administer.
    """
    actor.require(Permission.ADMINISTER)
    found = [_code_out(clinic, one) for one in ours(clinic)]
    found.sort(
        key=lambda one: (bool(one.code) or one.ours == WELL, KINDS.index(one.kind), -one.used, one.title)
    )
    return BpjsCodesOut(items=found, read_at=code_lists.read_at(POLI))


def _code_out(clinic: Clinic, one: Ours) -> BpjsCodeOut:
    row = BpjsCode.get_or_none(BpjsCode.kind == one.kind, BpjsCode.ours == one.ours)
    code, name = (row.theirs, row.name) if row is not None else ("", "")
    if not code and one.kind == POLI:
        given = {**_only_poli_of_the_well(), **_codes_of_the_file(clinic)}
        code = given.get(one.ours, "")
        name = _name_of(POLI, code) if code else ""
    return BpjsCodeOut(
        kind=one.kind, ours=one.ours, title=one.title, used=one.used, code=code, code_name=name
    )


def unmapped(clinic: Clinic) -> dict[str, list[str]]:
    """Return kind -> titles of what has no code at BPJS; kinds without any are left out.

    A poli for healthy visits is no need: only a visit that is said to be one asks for it.
    """
    found: dict[str, list[str]] = {}
    for one in ours(clinic):
        if one.ours != WELL and not _code_out(clinic, one).code:
            found.setdefault(one.kind, []).append(one.title)
    return found


def codes(clinic: Clinic) -> Codes:
    """Return the clinic's codes at BPJS."""
    by_kind = {kind: {key: row.theirs for key, row in _mapped(kind).items()} for kind in KINDS}
    accounts = {row.username: row.id for row in Account.select(Account.id, Account.username)}
    is_for_the_ill = code_lists.flags(POLI)
    return Codes(
        polis={**_only_poli_of_the_well(), **_codes_of_the_file(clinic), **by_kind[POLI]},
        cluster_names={code: cluster.name for code, cluster in clinic.clusters.items()},
        doctors={accounts[name]: code for name, code in by_kind[DOCTOR].items() if name in accounts},
        medicines=by_kind[MEDICINE],
        procedures=by_kind[PROCEDURE],
        allergies=by_kind[ALLERGY],
        polis_of_the_well=frozenset(code for code, ill in is_for_the_ill.items() if not ill),
        non_specialist=code_lists.flags(code_lists.DIAGNOSIS),
        temperature=clinic.settings.bpjs_temperature,
    )


def _codes_of_the_file(clinic: Clinic) -> dict[str, str]:
    return {code: cluster.bpjs_code for code, cluster in clinic.clusters.items() if cluster.bpjs_code}


def _only_poli_of_the_well() -> dict[str, str]:
    """Return the poli of healthy visits, where BPJS's list has only one that is not for the ill."""
    of_the_well = [code for code, is_for_the_ill in code_lists.flags(POLI).items() if not is_for_the_ill]
    return {WELL: of_the_well[0]} if len(of_the_well) == 1 else {}


# BPJS's lists, to choose from


def offered(
    clinic: Clinic, actor: Actor, kind: str, words: str, client: httpx.Client | None = None
) -> list[BpjsListItemOut]:
    """Return items of a list of BPJS's that fit some words; of the long ones BPJS is asked as well.

    Args:
        clinic: The clinic.
        actor: Who chooses.
        kind: Of the list; `well`: the polis of healthy visits alone.
        words: As typed; none finds all that are known.
        client: An HTTP client to use instead of the shared one.

    Raises:
        ValidationError: `kind` is `unknown`.
        NotAllowedError: The actor may not administer.
    """
    actor.require(Permission.ADMINISTER)
    if kind == WELL:
        with connection():
            polis = code_lists.find(POLI, words, FOUND)
        return [BpjsListItemOut(code=item.code, name=item.name) for item in polis if not item.flag]
    if kind == ALLERGY:
        with connection():
            allergies = code_lists.find_allergies(words, FOUND)
        return [BpjsListItemOut(code=item.code, name=item.name) for item in allergies]
    if kind not in {*code_lists.WHOLE, *code_lists.SEARCHED}:
        raise ValidationError({"kind": "unknown"})
    if kind in code_lists.SEARCHED and words.strip() and is_set_up(clinic.settings):
        _ask_too(clinic, kind, words.strip(), client)
    with connection():
        return [
            BpjsListItemOut(code=item.code, name=item.name) for item in code_lists.find(kind, words, FOUND)
        ]


def _ask_too(clinic: Clinic, kind: str, words: str, client: httpx.Client | None) -> None:
    """Ask BPJS; without an answer the known items are what there is."""
    patience = httpx.Timeout(clinic.settings.bpjs_wait_seconds)
    link = pcare_link(clinic.settings, client or shared_client(), patience)
    ask = partial(code_lists.search, link, kind)
    try:
        with connection():
            ask(words.split()[0])
    except (TryAgainError, SyncError, code_lists.NoListError):
        return
