"""One visit brought up to date at BPJS, call by call, each safe to be cut off anywhere.

Before a call that changes something, its name is kept as the row's doubt; the answer takes it away again.
After a crash or a lost answer the doubt is looked up first: nothing is ever sent again blindly.

Source: docs/reference/bpjs.md 5, docs/reference/bpjs.md 9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from core.exchange import outbox
from core.exchange.bpjs import eligibility
from core.exchange.bpjs.bpjs_link import BpjsLink
from core.exchange.bpjs.envelope import BpjsAnswer
from core.exchange.bpjs.pcare_bodies import Item, WantedVisit, day_text, digest
from core.foundation import clock, feed
from core.foundation.codes import JKN_PAYERS, InsuranceStatus, PayerSource
from core.foundation.config import Settings
from core.foundation.database import transaction
from core.models import BpjsVisit, Visit
from core.schemas.bpjs import REFERRED
from core.schemas.insurance import InsuranceOut

PAGE = 500
"""Registrations of a day asked for at once: P-Care gives no more."""
REGISTRATION, VISIT = "registration", "visit"
LISTS = {"medicine": "obat/kunjungan", "procedure": "tindakan/kunjungan"}
"""Kind of item -> path of a visit's items."""
ADDS = {"medicine": "obat/kunjungan", "procedure": "tindakan"}
NUMBERS = {"medicine": "kdObatSK", "procedure": "kdTindakanSK"}
PATHS = {"medicine": "obat", "procedure": "tindakan"}
CODES = {"medicine": "kdObat", "procedure": "kdTindakan"}


class RefusedByBpjsError(Exception):
    """BPJS refuses this visit as it is.

    Attributes:
        words: Its own words.
    """

    def __init__(self, words: str) -> None:
        super().__init__("refused by BPJS")
        self.words = words


class GapError(Exception):
    """Loket knows too little, or something else, than BPJS needs.

    Attributes:
        code: Of the gap, as in `BpjsVisit.gaps`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Settling:
    """One visit, for one run."""

    def __init__(self, settings: Settings, link: BpjsLink, row: BpjsVisit, wanted: WantedVisit) -> None:
        self._settings = settings
        self._link = link
        self._row = row
        self._wanted = wanted

    def go(self) -> None:
        """Make BPJS hold what is wanted.

        Raises:
            RefusedByBpjsError: BPJS refuses a call.
            GapError: Something has to be mended here first.
            TryAgainError: No answer; what was asked last is the row's doubt.
            SyncError: BPJS does not let this clinic in.
        """
        self._clear_doubt()
        if not self._wanted.is_there or self._has_moved():
            self._take_back_all()
        if not self._wanted.is_registrable:
            return
        if self._row.registration_number is None:
            self._register()
        if self._wanted.visit is None:
            self._take_back_visit()
        else:
            self._send_visit(self._wanted.visit)
            self._send_items()
            self._learn_referral(self._wanted.visit)

    # What may have been done

    def _clear_doubt(self) -> None:
        """Find out whether the call without an answer was done."""
        doubt = self._row.doubt
        if doubt == REGISTRATION:
            self._note(registration_number=self._find_registration(), doubt="")
        elif doubt == VISIT:
            self._note(visit_number=self._row.visit_number or self._find_visit(), visit_digest="", doubt="")
        elif doubt:
            self._clear_item(*doubt.split(":", 2))

    def _clear_item(self, kind: str, key: str, code: str) -> None:
        """Take up a medicine or procedure that was added without an answer; one that is not wanted any more goes."""
        number = self._find_item(kind, code)
        item = self._wanted.items.get(key)
        items = dict(self._row.items)
        if number is not None:
            # Without the digest of what is wanted now it is taken back and added anew.
            mark = item.digest if item is not None and item.code == code else ""
            items[key] = {"kind": kind, "number": number, "digest": mark}
        self._note(items=items, doubt="")

    def _find_registration(self) -> str | None:
        """Return the number of the registration of this card, day and poli; None when there is none."""
        assert self._row.service_on is not None
        mine = (self._row.card_number, self._row.poli)
        there = registrations(self._link, self._row.service_on)
        return next((str(item.get("noUrut") or "") or None for item in there if owner_of(item) == mine), None)

    def _find_visit(self) -> str | None:
        return next(iter(visit_numbers(self._link, self._row)), None)

    def _find_item(self, kind: str, code: str) -> str | None:
        """Return the number of an item that BPJS has and no row here has; None when there is none."""
        if self._row.visit_number is None:
            return None
        known = {held["number"] for held in self._row.items.values() if held["kind"] == kind}
        answer = self._read(f"{LISTS[kind]}/{self._row.visit_number}")
        for there in answer.items():
            number = str(there.get(NUMBERS[kind]) or "")
            if number and number not in known and _code(there, kind) == code:
                return number
        return None

    def _read(self, path: str) -> BpjsAnswer:
        answer = self._link.read(path)
        if answer.is_nothing:
            return BpjsAnswer(answer.code, answer.message, [])
        if not answer.is_done:
            raise RefusedByBpjsError(answer.words)
        return answer

    # Registration

    def _has_moved(self) -> bool:
        """Return whether the registration is another card's, day's or poli's than the visit's."""
        row, wanted = self._row, self._wanted
        if row.registration_number is None:
            return False
        # What is not known now, such as a cluster that lost its code, is no reason to take back.
        known = ((wanted.card, row.card_number), (wanted.poli, row.poli), (wanted.day, row.service_on))
        return any(now and now != before for now, before in known)

    def _register(self) -> None:
        wanted = self._wanted
        person = self._participant()
        self._learn_kind(person)
        self._note(
            card_number=person.bpjs_number,
            provider=person.facility_code,
            poli=wanted.poli,
            service_on=wanted.day,
            back_referral=person.back_referral,
        )
        self._refuse_second_registration()
        body = {
            **wanted.registration,
            "noKartu": person.bpjs_number,
            "kdProviderPeserta": person.facility_code,
        }
        try:
            answer = self._change(REGISTRATION, "POST", "pendaftaran", body)
        except RefusedByBpjsError:
            # It may be there from before a restored backup, or typed into P-Care by hand.
            number = self._find_registration()
            if number is None:
                raise
        else:
            number = answer.number("noUrut") or self._find_registration()
        if number is None:
            raise RefusedByBpjsError("noUrut?")
        self._note(registration_number=number, doubt="")

    def _participant(self) -> InsuranceOut:
        """Return the person as BPJS has them, if it is this person and they are insured."""
        path = eligibility.path_of(self._wanted.card, self._wanted.nik)
        if path is None:
            raise GapError("card")
        person = eligibility.ask(self._settings, self._link, path)
        if person.status is InsuranceStatus.UNKNOWN or not self._is_that_card(person):
            raise GapError("unknown_participant")
        if self._wanted.born is not None and person.birth_date not in {None, self._wanted.born}:
            raise GapError("other_birth_date")
        if person.status is InsuranceStatus.INACTIVE:
            raise RefusedByBpjsError(person.reason or person.status.value)
        return person

    def _learn_kind(self, person: InsuranceOut) -> None:
        """Take over which kind of JKN pays where only the number on a card said that JKN does.

        Both kinds are BPJS's: nothing that it holds depends on it.
        """
        if person.payer is None:
            return
        with transaction():
            changed = (
                Visit.update(payer=person.payer, payer_source=PayerSource.BPJS)
                .where(
                    Visit.id == self._row.visit_id,
                    Visit.payer_source == PayerSource.NUMBER,
                    Visit.payer.in_(list(JKN_PAYERS)),
                )
                .execute()
            )
            if changed:
                outbox.enqueue(outbox.VISIT, self._row.visit_id)

    def _is_that_card(self, person: InsuranceOut) -> bool:
        """Return whether BPJS speaks of the card that was asked about."""
        return person.bpjs_number == (self._wanted.card or person.bpjs_number) != ""

    def _refuse_second_registration(self) -> None:
        """Refuse a second visit of a card in one day and poli: BPJS has one registration for them."""
        row = self._row
        others = BpjsVisit.select().where(
            BpjsVisit.visit != row.visit_id,
            BpjsVisit.card_number == row.card_number,
            BpjsVisit.service_on == row.service_on,
            BpjsVisit.poli == row.poli,
            BpjsVisit.registration_number.is_null(False),
        )
        if others.exists():
            raise GapError("second_visit")

    # Visit

    def _send_visit(self, body: Mapping[str, Any]) -> None:
        row, mark, path = self._row, digest(body), self._settings.bpjs_visit_path
        if row.visit_number is None:
            self._take_up_visit()
        if row.visit_number is not None and row.visit_digest == mark:
            return
        whole = {**body, "noKunjungan": row.visit_number, "noKartu": row.card_number}
        if row.visit_number is not None:
            self._change(VISIT, "PUT", path, whole)
            self._note(visit_digest=mark, doubt="")
            return
        answer = self._change(VISIT, "POST", path, whole)
        number = answer.number("noKunjungan") or self._find_visit()
        if number is None:
            raise RefusedByBpjsError("noKunjungan?")
        self._note(visit_number=number, visit_digest=mark, doubt="")

    def _learn_referral(self, body: Mapping[str, Any]) -> None:
        """Read the number and the days of a referral, once for each state of the visit; a plain visit has none."""
        row = self._row
        if body.get("rujukLanjut") is None:
            if row.referral:
                self._note(referral={})
            return
        if row.referral.get("digest") == row.visit_digest:
            return
        answer = self._link.read(f"kunjungan/rujukan/{row.visit_number}")
        if not answer.is_done and not answer.is_nothing:
            raise RefusedByBpjsError(answer.words)
        told = next(iter(answer.items()), {}) if answer.is_done else {}
        # A referral has the number of its visit; BPJS's own paper prints what it answers here.
        number = str(told.get("noRujukan") or row.visit_number)
        self._note(
            referral={
                "number": number,
                "schedule": str(told.get("jadwal") or "")[:120],
                "until": str(told.get("tglAkhirRujuk") or "")[:20],
                "digest": row.visit_digest,
            }
        )
        with transaction():
            feed.append(REFERRED, visit_id=row.visit_id)

    def _take_up_visit(self) -> None:
        """Look for the visit before it is sent first.

        It is there already after this clinic was restored from an older backup, or typed into P-Care by hand.
        """
        number = self._find_visit()
        if number is not None:
            self._note(visit_number=number, visit_digest="", items=self._items_there(number))

    def _items_there(self, number: str) -> dict[str, dict[str, str]]:
        """Return the medicines and procedures that BPJS has of a visit, by the wanted item each stands for.

        Their digest is empty, so that each is taken back and added as it is wanted. What nobody wants stays: it
        was typed there by hand.
        """
        found: dict[str, dict[str, str]] = {}
        for kind, path in LISTS.items():
            for there in self._read(f"{path}/{number}").items():
                held = {"kind": kind, "number": str(there.get(NUMBERS[kind]) or ""), "digest": ""}
                key = self._wanted_as(kind, _code(there, kind), found)
                if key is not None and held["number"]:
                    found[key] = held
        return found

    def _wanted_as(self, kind: str, code: str, taken: Mapping[str, Any]) -> str | None:
        """Return the id of the wanted item of a code that none stands for yet."""
        items = self._wanted.items.items()
        open_ones = (
            key for key, item in items if (item.kind, item.code) == (kind, code) and key not in taken
        )
        return next(open_ones, None)

    def _send_items(self) -> None:
        for key, held in list(self._row.items.items()):
            item = self._wanted.items.get(key)
            if item is None or item.digest != held["digest"]:
                self._take_back_item(key, held)
        for key, item in self._wanted.items.items():
            if key not in self._row.items:
                self._add_item(key, item)

    def _add_item(self, key: str, item: Item) -> None:
        body = {**item.body, "noKunjungan": self._row.visit_number}
        answer = self._change(f"{item.kind}:{key}:{item.code}", "POST", ADDS[item.kind], body)
        number = answer.number(NUMBERS[item.kind]) or self._find_item(item.kind, item.code)
        if number is None:
            raise RefusedByBpjsError(f"{NUMBERS[item.kind]}?")
        held = {"kind": item.kind, "number": number, "digest": item.digest}
        self._note(items={**self._row.items, key: held}, doubt="")

    # Taking back, in order: medicines and procedures, the visit, the registration

    def _take_back_all(self) -> None:
        self._take_back_visit()
        row = self._row
        if row.registration_number is None:
            return
        path = (
            f"pendaftaran/peserta/{row.card_number}/tglDaftar/{self._day()}"
            f"/noUrut/{row.registration_number}/kdPoli/{row.poli}"
        )
        self._delete(path)
        self._note(registration_number=None)

    def _take_back_visit(self) -> None:
        for key, held in list(self._row.items.items()):
            self._take_back_item(key, held)
        if self._row.visit_number is not None:
            self._delete(f"kunjungan/{self._row.visit_number}")
            self._note(visit_number=None, visit_digest="", referral={})

    def _take_back_item(self, key: str, held: Mapping[str, str]) -> None:
        self._delete(f"{PATHS[held['kind']]}/{held['number']}/kunjungan/{self._row.visit_number}")
        self._note(items={name: item for name, item in self._row.items.items() if name != key})

    def _delete(self, path: str) -> None:
        """Delete; what is not there any more was deleted by an attempt whose answer was lost."""
        answer = self._link.call("DELETE", path)
        if not answer.is_done and not answer.is_nothing:
            raise RefusedByBpjsError(answer.words)

    # Shared

    def _change(self, doubt: str, method: str, path: str, body: Mapping[str, Any]) -> BpjsAnswer:
        """Make a call that changes something, with its name kept while its outcome is not known."""
        self._note(doubt=doubt)
        answer = self._link.call(method, path, dict(body))
        if not answer.is_done:
            self._note(doubt="")
            raise RefusedByBpjsError(answer.words)
        return answer

    def _day(self) -> str:
        assert self._row.service_on is not None
        return day_text(self._row.service_on)

    def _note(self, **values: Any) -> None:
        """Keep what is known now, on disk before the next call."""
        for name, value in values.items():
            setattr(self._row, name, value)
        with transaction():
            BpjsVisit.update(**values, updated_at=clock.now()).where(
                BpjsVisit.visit == self._row.visit_id
            ).execute()


def registrations(link: BpjsLink, day: date) -> Iterator[dict[str, Any]]:
    """Yield BPJS's registrations of a day, page by page.

    A page that is shorter than was asked for may not be the last, and whether a count is the page's or the day's is
    not known: only a page without anything new ends them.

    Args:
        link: The line to P-Care.
        day: The clinic's.

    Raises:
        RefusedByBpjsError: BPJS does not list them.
        TryAgainError: No answer.
        SyncError: BPJS does not let this clinic in.
    """
    seen: set[str] = set()
    while True:
        answer = link.read(f"pendaftaran/tglDaftar/{day_text(day)}/{len(seen)}/{PAGE}")
        if not answer.is_done and not answer.is_nothing:
            raise RefusedByBpjsError(answer.words)
        page = [] if answer.is_nothing else answer.items()
        fresh = [item for item in page if digest(item) not in seen]
        yield from fresh
        seen |= {digest(item) for item in fresh}
        if not fresh:
            return


def visit_numbers(link: BpjsLink, row: BpjsVisit) -> list[str]:
    """Return the numbers of BPJS's visits of a row's card, day and poli.

    Args:
        link: The line to P-Care.
        row: Of the visit.

    Raises:
        RefusedByBpjsError: BPJS does not list them.
        TryAgainError: No answer.
        SyncError: BPJS does not let this clinic in.
    """
    answer = link.read(f"kunjungan/peserta/{row.card_number}")
    if not answer.is_done and not answer.is_nothing:
        raise RefusedByBpjsError(answer.words)
    if answer.is_nothing or row.service_on is None:
        return []
    day, owner = day_text(row.service_on), (row.card_number, row.poli)
    mine = [item for item in answer.items() if _day_of(item) == day and owner_of(item) == owner]
    return [str(item["noKunjungan"]) for item in mine if item.get("noKunjungan")]


def _day_of(item: Mapping[str, Any]) -> Any:
    return item.get("tglKunjungan") or item.get("tglDaftar")


def owner_of(item: Mapping[str, Any]) -> tuple[str, str]:
    """Return card and poli of an item of a list, nested or flat."""
    person, poli = item.get("peserta"), item.get("poli")
    card = person.get("noKartu") if isinstance(person, dict) else item.get("noKartu")
    code = poli.get("kdPoli") if isinstance(poli, dict) else item.get("kdPoli")
    return str(card or ""), str(code or "")


def _code(item: Mapping[str, Any], kind: str) -> str:
    """Return the code of an item of a visit, nested or flat; empty for a medicine outside DPHO."""
    nested = item.get(PATHS[kind])
    found = nested.get(CODES[kind]) if isinstance(nested, dict) else item.get(CODES[kind])
    return str(found or "")
