"""Each day proven: counts and hashes compared with the office's, and what differs sent again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from core.exchange import outbox
from core.exchange.fhir import Entry, Mapper, Record, digest
from core.exchange.link import BatchRefusedError, OfficeLink
from core.exchange.manifests import Totals
from core.exchange.outbox import PATIENT, VISIT
from core.exchange.pacing import Patience
from core.exchange.sending import ACK_SLICE, SLICE, column, slices
from core.foundation import audit, clock, state
from core.foundation.clinic import Clinic
from core.foundation.codes import OutboxStatus
from core.foundation.database import instant_text, transaction
from core.foundation.errors import SyncError
from core.foundation.job_problems import JobProblem
from core.models import Outbox, Visit

UNCONFIRMED = "sync_unconfirmed"


class Proof:
    """Compares days over one link."""

    def __init__(self, clinic: Clinic, mapper: Mapper, link: OfficeLink, patience: Patience) -> None:
        self._clinic = clinic
        self._mapper = mapper
        self._link = link
        self._patience = patience

    def unconfirm(self, day: date) -> None:
        """Remember, before it is sent, that a day has to be proven."""
        days = self._unconfirmed()
        if day not in days:
            state.note(UNCONFIRMED, days=[known.isoformat() for known in sorted({*days, day})])

    def _unconfirmed(self) -> list[date]:
        known = state.fact(UNCONFIRMED)
        return [date.fromisoformat(day) for day in known["days"]] if known else []

    def confirm_days(self) -> tuple[bool | None, bool]:
        """Compare every unproven day and today.

        Returns:
            Whether all agree (None when none could be compared), and whether something was put
            back into the outbox.
        """
        repaired = False
        agreements: list[bool] = []
        extra = 0
        today = self._clinic.today()
        for day in sorted({*self._unconfirmed(), today}):
            if not self._is_settled(day):
                continue
            agrees, again, more = self._confirm(day)
            extra += more
            agreements.append(agrees)
            repaired = repaired or again
            if agrees:
                left = [known.isoformat() for known in self._unconfirmed() if known != day]
                state.note(UNCONFIRMED, days=left)
            else:
                self.unconfirm(day)
        if not agreements:
            return None, repaired
        agrees = all(agreements)
        state.note(
            outbox.MANIFEST, agrees=agrees, extra=extra, day=today.isoformat(), at=instant_text(clock.now())
        )
        return agrees, repaired

    def _is_settled(self, day: date) -> bool:
        """Return whether nothing of a day waits; otherwise its manifest would be out of date at once."""
        visits = Visit.select(Visit.id).where(Visit.service_on == day)
        patients = Visit.select(Visit.patient).where(Visit.service_on == day)
        waiting = Outbox.select().where(Outbox.status == OutboxStatus.PENDING)
        return not (
            waiting.where(Outbox.kind == VISIT, Outbox.target.in_(visits)).exists()
            or waiting.where(Outbox.kind == PATIENT, Outbox.target.in_(patients)).exists()
        )

    def _confirm(self, day: date) -> tuple[bool, bool, int]:
        """Compare one day.

        Returns:
            Whether it agrees, whether something was put back into the outbox, and how many
            resources only the office holds. These stay there: after a restore from an older backup
            they may be the only copy.
        """
        body = self._summary(day)
        if not self._is_settled(day):
            return True, False, 0  # changed while it was read; the next run compares it
        answer = self._manifest(body)
        if answer["agrees"]:
            return True, False, 0
        # Only now record by record: most days agree, and a large day's keys would fill the memory.
        differ = set(_list(answer, "differ"))
        owners: dict[str, tuple[str, str]] = {}
        body["records"] = {}
        for record, entry in self._entries(day):
            if entry.type in differ:
                owners[entry.key] = (record.kind, record.target)
                body["records"][entry.key] = digest(entry.resource).hex()
        answer = self._manifest(body)
        keys = _list(answer, "missing") + _list(answer, "different")
        again = self._put_back({owners[key] for key in keys if key in owners})
        # Of the types that agree nothing was named: all of them would look like the office's alone.
        extra = [key for key in _list(answer, "extra") if str(key).partition("/")[0] in differ]
        return bool(answer["agrees"]), again, len(extra)

    def _summary(self, day: date) -> dict[str, Any]:
        """Return a day's manifest: counts and hashes by resource type."""
        totals = Totals()
        for _, entry in self._entries(day):
            totals.add(entry.key, digest(entry.resource).hex())
        return {
            "day": day.isoformat(),
            "counts": totals.counts,
            "hashes": totals.hashes(),
            "audit_hash": audit.last_row()[1],
        }

    def _entries(self, day: date) -> Iterator[tuple[Record, Entry]]:
        """Yield every resource of a day's visits and of the patients who made them, with its record."""
        visits = Visit.select(Visit.id).where(Visit.service_on == day)
        patients = Visit.select(Visit.patient).distinct().where(Visit.service_on == day)
        for read, query in ((self._mapper.patients, patients), (self._mapper.visits, visits)):
            for part in slices(column(query), SLICE):
                for record in read(part):
                    for entry in record.entries:
                        yield record, entry
                self._patience.rest()

    def _manifest(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            head = audit.head_to_tell()
            answer = self._patience.until_answered(lambda: self._link.manifest(body, head))
            audit.note_told(head, answer.get("audit"))
            return answer
        except BatchRefusedError as error:
            raise SyncError(JobProblem("manifest_refused", {"reason": error.reason})) from None

    def _put_back(self, records: Iterable[tuple[str, str]]) -> bool:
        """Send again what the office lacks; what it refused stays set aside."""
        changed = 0
        for part in slices(sorted(records), ACK_SLICE):
            with transaction():
                for kind, target in part:
                    changed += (
                        Outbox.update(status=OutboxStatus.PENDING, change=Outbox.change + 1)
                        .where(
                            Outbox.kind == kind,
                            Outbox.target == target,
                            Outbox.status == OutboxStatus.SENT,
                        )
                        .execute()
                    )
        return changed > 0


def _list(answer: dict[str, Any], name: str) -> list[Any]:
    """Return a list of the office's answer; empty when it is missing or null."""
    return list(answer.get(name) or [])
