"""Sending to a City Health Office: whole Bundles of conditional updates, proven day by day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import httpx

from core.exchange import outbox
from core.exchange.fhir import Answer, Mapper, Record, digest
from core.exchange.fhir import transaction as make_bundle
from core.exchange.link import BatchRefusedError, OfficeLink
from core.exchange.office.proof import Proof
from core.exchange.outbox import PATIENT
from core.exchange.pacing import Patience
from core.exchange.target import NOT_FOUND, Verdict
from core.foundation import state
from core.foundation.clinic import Clinic
from core.foundation.errors import SyncError
from core.foundation.job_problems import JobProblem

LINK = "sync_link"


class OfficeTarget:
    """One office, for one run."""

    def __init__(self, clinic: Clinic, client: httpx.Client, patience: Patience) -> None:
        self._clinic = clinic
        self._patience = patience
        self._link = OfficeLink(clinic.settings.office_url, clinic.settings.office_token, client)
        self._mapper = Mapper(clinic)
        self._proof = Proof(clinic, self._mapper, self._link, patience)
        known = state.fact(LINK)
        self.batch_size = int(known["size"]) if known else patience.pace.first_batch

    @property
    def sent_bytes(self) -> int:
        """Compressed request bodies."""
        return self._link.sent_bytes

    @property
    def received_bytes(self) -> int:
        """Answer bodies as received."""
        return self._link.received_bytes

    def prepare(self) -> None:
        """Send the facility, its clusters and people, when they or the office changed.

        Raises:
            SyncError: `facility_refused`: nothing else would be taken.
        """
        record = self._mapper.directory()
        mark = {
            "digest": digest({"all": [entry.resource for entry in record.entries]}).hex(),
            "receiver": self._clinic.settings.office_url,
        }
        if state.fact(outbox.DIRECTORY) == mark:
            return
        try:
            answers, _ = self._link.send(make_bundle(self._mapper.names, [record]))
        except BatchRefusedError as error:
            raise SyncError(JobProblem("facility_refused", {"reason": error.reason})) from None
        refused = [answer.error for answer in answers if not answer.ok]
        if refused:
            raise SyncError(JobProblem("facility_refused", {"reason": refused[0]}))
        state.note(outbox.DIRECTORY, **mark)

    def read(self, kind: str, ids: Sequence[str]) -> Iterator[Record]:
        """Rows as records."""
        return self._mapper.patients(ids) if kind == PATIENT else self._mapper.visits(ids)

    def deliver(self, records: Sequence[Record], day: date | None) -> Iterator[list[Verdict]]:
        """Send one Bundle; one that is refused as a whole is halved until it shows why."""
        bundle = make_bundle(self._mapper.names, records, day)
        self._patience.rest()
        try:
            answers, seconds = self._link.send(bundle)
        except BatchRefusedError as error:
            if len(records) == 1:
                self._patience.succeed()
                yield [(0, error.reason)]
                return
            middle = len(records) // 2
            yield from self.deliver(records[:middle], day)
            for verdicts in self.deliver(records[middle:], day):
                yield [(index + middle, words) for index, words in verdicts]
            return
        self._patience.succeed()
        self._adapt(len(records), seconds)
        yield list(enumerate(verdicts_of(bundle.owners, answers, len(records))))

    def _adapt(self, count: int, seconds: float) -> None:
        """Size the next batch to the link, at most doubled or halved, and remember it."""
        pace = self._patience.pace
        wanted = round(count * pace.target / max(seconds, 0.001))
        size = min(max(wanted, count // 2, 1), max(count * 2, self.batch_size), pace.max_batch)
        if size != self.batch_size:
            self.batch_size = size
            state.note(LINK, size=size)

    def shrink(self) -> None:
        """Halve the next Bundle: a smaller one has a better chance on a line that breaks."""
        self.batch_size = max(1, self.batch_size // 2)

    def touch(self, day: date) -> None:
        """Remember that a day has to be proven."""
        self._proof.unconfirm(day)

    def prove(self) -> tuple[bool | None, bool]:
        """Compare every unproven day."""
        return self._proof.confirm_days()


def verdicts_of(owners: Sequence[int], answers: Sequence[Answer], count: int) -> list[str]:
    """Per record why it was refused, empty when all of it was taken.

    A refused entry drags along those that mention it: the cause counts, not its followers.

    Args:
        owners: For each entry of the Bundle, the place of its record.
        answers: The receiver's answer to each entry.
        count: How many records were sent.
    """
    words = [""] * count
    for owner, answer in zip(owners, answers, strict=True):
        if not answer.ok and (not words[owner] or words[owner].startswith(NOT_FOUND)):
            words[owner] = answer.error
    return words
