"""BPJS's own lists: whole ones read once a day, diagnoses and medicines as they are met, all kept here.

Source: docs/reference/bpjs.md 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from core.exchange.bpjs.allergy_codes import LISTS, NONE, TITLES, AllergyItem
from core.exchange.bpjs.bpjs_link import BpjsLink
from core.exchange.pacing import TryAgainError
from core.foundation import clock, state
from core.foundation.database import instant_text, transaction
from core.models import BpjsListItem, Diagnosis, Visit

READ = "bpjs_lists_read"
"""Key of the instants at which the whole lists were read last, by kind."""
MOST = 500
"""Items asked for at once: P-Care gives no more."""
FRESH = timedelta(hours=24)
FLAG_FRESH = timedelta(days=30)
"""Age up to which a diagnosis' flag is believed."""
LOOK_BACK = timedelta(days=30)
"""Diagnoses of so many days are asked about ahead, so that their flag is known at the next referral."""
AHEAD = 5
"""Diagnoses asked about ahead in one run."""
POLI, DOCTOR, PROCEDURE = "poli", "doctor", "procedure"
DIAGNOSIS, MEDICINE = "diagnosis", "medicine"
SPECIALIST, MEANS = "specialist", "means"
"""Lists of a referral; the others depend on what was chosen: `core.exchange.bpjs.referral_lists`."""


@dataclass(frozen=True)
class PcareList:
    """The address of one list, and the names in its items."""

    path: str
    """With `{start}/{limit}` where it comes in pages, `{words}` where it is searched."""
    code: str
    name: str
    flag: str = ""

    @property
    def has_pages(self) -> bool:
        """Return whether it is asked for page by page."""
        return "{start}" in self.path


WHOLE = {
    POLI: PcareList("poli/fktp/{start}/{limit}", "kdPoli", "nmPoli", "poliSakit"),
    DOCTOR: PcareList("dokter/{start}/{limit}", "kdDokter", "nmDokter"),
    "consciousness": PcareList("kesadaran", "kdSadar", "nmSadar"),
    "prognosis": PcareList("prognosa", "kdPrognosa", "nmPrognosa"),
    "leaving": PcareList("statuspulang/rawatInap/false", "kdStatusPulang", "nmStatusPulang"),
    "allergy_food": PcareList("alergi/jenis/01", "kdAllergi", "nmAllergi"),
    "allergy_air": PcareList("alergi/jenis/02", "kdAllergi", "nmAllergi"),
    "allergy_drug": PcareList("alergi/jenis/03", "kdAllergi", "nmAllergi"),
    PROCEDURE: PcareList("tindakan/kdTkp/10/{start}/{limit}", "kdTindakan", "nmTindakan"),
    "provider": PcareList("provider/{start}/{limit}", "kdProvider", "nmProvider"),
    SPECIALIST: PcareList("spesialis", "kdSpesialis", "nmSpesialis"),
    MEANS: PcareList("spesialis/sarana", "kdSarana", "nmSarana"),
}
"""Lists that are read whole, the needed ones first."""
SEARCHED = {
    DIAGNOSIS: PcareList("diagnosa/{words}/{start}/{limit}", "kdDiag", "nmDiag", "nonSpesialis"),
    MEDICINE: PcareList("obat/dpho/{words}/{start}/{limit}", "kdObat", "nmObat"),
}
"""Lists too long to be read whole."""
NEEDED = frozenset({POLI, DOCTOR})
"""Lists without which no visit can be sent."""


class NoListError(Exception):
    """BPJS refuses to give a list.

    Attributes:
        words: Its own words.
    """

    def __init__(self, words: str) -> None:
        super().__init__("no list")
        self.words = words


def refresh(link: BpjsLink) -> None:
    """Read the whole lists that are older than a day. One that does not come keeps its old items.

    Args:
        link: The line to P-Care.

    Raises:
        TryAgainError: No answer, and a list without which no visit can be sent was never read.
        SyncError: BPJS does not let this clinic in.
    """
    for kind in stale():
        try:
            replace(kind, WHOLE[kind], _read_whole(link, WHOLE[kind]))
        except (TryAgainError, NoListError) as error:
            if isinstance(error, TryAgainError) and kind in NEEDED and kind not in _read_at():
                raise
            if isinstance(error, TryAgainError):
                return
        note_read(kind)


def stale() -> list[str]:
    """Return the kinds of the whole lists that have to be read again."""
    known, since = _read_at(), clock.now() - FRESH
    return [kind for kind in WHOLE if kind not in known or datetime.fromisoformat(known[kind]) < since]


def read_at(kind: str) -> datetime | None:
    """Return the instant at which a whole list was read last; None before the first time."""
    found = _read_at().get(kind)
    return datetime.fromisoformat(found) if found is not None else None


def _read_at() -> dict[str, str]:
    return state.fact(READ) or {}


def note_read(kind: str) -> None:
    """Note that a list was read now."""
    state.note(READ, **{**_read_at(), kind: instant_text(clock.now())})


def ask(link: BpjsLink, code_list: PcareList, start: int = 0, words: str = "") -> list[dict[str, Any]]:
    """Return one page of a list as BPJS has it.

    Args:
        link: The line to P-Care.
        code_list: Which.
        start: Items to leave out.
        words: Word or code to search for.

    Raises:
        NoListError: BPJS refuses.
        TryAgainError: No answer.
        SyncError: BPJS does not let this clinic in.
    """
    answer = link.get(code_list.path.format(start=start, limit=MOST, words=quote(words, safe="")))
    if answer.is_nothing:
        return []
    if not answer.is_done:
        raise NoListError(answer.words)
    return answer.items()


def _read_whole(link: BpjsLink, code_list: PcareList) -> list[dict[str, Any]]:
    found = ask(link, code_list)
    page = found
    while code_list.has_pages and len(page) == MOST:
        page = ask(link, code_list, len(found))
        found = [*found, *page]
    return found


def replace(
    kind: str,
    code_list: PcareList,
    found: Iterable[dict[str, Any]],
    note_of: Callable[[dict[str, Any]], str] = lambda item: "",
) -> None:
    """Keep a list as BPJS has it now, in place of what was known of it.

    Args:
        kind: Of the list.
        code_list: The names in its items.
        found: Its items as they came.
        note_of: Returns what stands beside an item's name.
    """
    with transaction():
        BpjsListItem.delete().where(BpjsListItem.kind == kind).execute()
        _keep(kind, code_list, found, note_of)


def _keep(
    kind: str,
    code_list: PcareList,
    found: Iterable[dict[str, Any]],
    note_of: Callable[[dict[str, Any]], str] = lambda item: "",
) -> None:
    for item in found:
        code = str(item.get(code_list.code) or "")
        if not code:
            continue
        flag = item.get(code_list.flag) if code_list.flag else None
        name = str(item.get(code_list.name) or "")[:200]
        _write(kind, code, name, flag if isinstance(flag, bool) else None, note_of(item))


def _write(kind: str, code: str, name: str, flag: bool | None, note: str = "") -> None:
    values = {
        BpjsListItem.name: name,
        BpjsListItem.flag: flag,
        BpjsListItem.note: note,
        BpjsListItem.read_at: clock.now(),
    }
    BpjsListItem.insert({BpjsListItem.kind: kind, BpjsListItem.code: code, **values}).on_conflict(
        conflict_target=[BpjsListItem.kind, BpjsListItem.code], update=values
    ).execute()


def items(kind: str) -> list[BpjsListItem]:
    """Return the items of a list as far as they are known, by code."""
    return list(BpjsListItem.select().where(BpjsListItem.kind == kind).order_by(BpjsListItem.code))


def allergies() -> list[AllergyItem]:
    """Return the known items of the three lists of allergies, but for those that say there is none."""
    return [
        AllergyItem(f"{number}/{item.code}", f"{TITLES[number]}: {item.name}")
        for number, kind in LISTS.items()
        for item in items(kind)
        if item.code != NONE
    ]


def find_allergies(words: str, limit: int) -> list[AllergyItem]:
    """Return the known allergies that hold every word.

    Args:
        words: As typed; none finds all.
        limit: Most items returned.
    """
    wanted = words.casefold().split()
    return [item for item in allergies() if all(_holds(item, word) for word in wanted)][:limit]


def find(kind: str, words: str, limit: int) -> list[BpjsListItem]:
    """Return known items that hold every word, or begin with it as their code.

    Args:
        kind: Of the list.
        words: As typed; none finds all.
        limit: Most items returned.
    """
    wanted = words.casefold().split()
    found = [item for item in items(kind) if all(_holds(item, word) for word in wanted)]
    return found[:limit]


def _holds(item: BpjsListItem | AllergyItem, word: str) -> bool:
    return word in item.name.casefold() or item.code.casefold().startswith(word)


def search(link: BpjsLink, kind: str, words: str) -> None:
    """Ask BPJS for the items of a long list that it finds for a word, and keep them.

    Args:
        link: The line to P-Care.
        kind: `diagnosis` or `medicine`.
        words: Word or code.

    Raises:
        NoListError: BPJS refuses.
        TryAgainError: No answer.
        SyncError: BPJS does not let this clinic in.
    """
    code_list = SEARCHED[kind]
    found = ask(link, code_list, words=words)
    with transaction():
        _keep(kind, code_list, found)


def know_diagnoses(link: BpjsLink, codes: Sequence[str]) -> None:
    """Learn whether diagnoses are ones that primary care treats to the end.

    Args:
        link: The line to P-Care.
        codes: ICD-10.

    Raises:
        TryAgainError: No answer.
        SyncError: BPJS does not let this clinic in.
    """
    since = clock.now() - FLAG_FRESH
    known = {item.code for item in items(DIAGNOSIS) if item.read_at > since}
    for code in dict.fromkeys(codes):
        if code in known:
            continue
        with suppress(NoListError):
            search(link, DIAGNOSIS, code)
        _note_asked(code, since)


def _note_asked(code: str, since: datetime) -> None:
    """Keep a diagnosis that BPJS does not list, so that it is not asked about in each run."""
    row = BpjsListItem.get_or_none(BpjsListItem.kind == DIAGNOSIS, BpjsListItem.code == code)
    if row is None or row.read_at <= since:
        with transaction():
            _write(DIAGNOSIS, code, "", None)


def know_ahead(link: BpjsLink, today: datetime) -> None:
    """Learn the flags of a few diagnoses that this clinic made of late; raises like `know_diagnoses`.

    Args:
        link: The line to P-Care.
        today: Now.
    """
    since = today - FLAG_FRESH
    known = {item.code for item in items(DIAGNOSIS) if item.read_at > since}
    made = (
        Diagnosis.select(Diagnosis.code)
        .join(Visit)
        .where(Visit.service_on >= (today - LOOK_BACK).date(), Diagnosis.voided_at.is_null())
        .distinct()
    )
    wanted = sorted({row.code for row in made} - known)
    know_diagnoses(link, wanted[:AHEAD])


def flags(kind: str) -> dict[str, bool]:
    """Return code -> flag of the items of a list whose flag BPJS told."""
    rows = BpjsListItem.select().where(BpjsListItem.kind == kind, BpjsListItem.flag.is_null(False))
    return {row.code: bool(row.flag) for row in rows}
