"""Simulated colleagues of the demo clinic: each calls from a room of its own, and works at its own pace."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from core.accounts import service as accounts
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, EntryAction, EntryStatus, OrderStatus, Role
from core.foundation.errors import CoreError
from core.foundation.identifiers import new_secret
from core.foundation.permissions import Actor, actor_of
from core.models import Account, Order, Prescription, QueueEntry
from core.orders import diagnoses, laboratory, prescribing
from core.queues import service as queues
from core.records import encounters
from core.schemas.queues import EntryCommand
from core.schemas.record import (
    DiagnosisFields,
    DispenseFields,
    EncounterFields,
    OrderFields,
    OrderResult,
    PrescriptionFields,
)

ROOM = "Ruang 2"
"""Room from which the colleagues call: whoever signs in to look around has a queue and a room left."""
LEFT_WAITING = 3
"""Patients in a queue whom the colleagues leave to whoever signs in."""
ANSWERS_WITHIN = timedelta(seconds=25)
"""Time from the call to the door of the room."""
SENT_TO_LABORATORY = 0.25  # share of the patients of a clinician
GIVEN_MEDICINE = 0.5


@dataclass(frozen=True)
class Colleague:
    """A simulated colleague.

    Attributes:
        username: Account, with a password that nobody knows.
        name: As shown.
        like: Demo account whose role and clusters it shares.
        takes: Usual time with a patient.
    """

    username: str
    name: str
    like: str
    takes: timedelta = field(default=timedelta(minutes=2))


CLERK = Colleague("clerk2", "Lena Marlina", "clerk")
ROOMS = (
    Colleague("doctor2", "dr. Sari Utami", "doctor"),
    Colleague("dentist2", "drg. Andi Pratama", "dentist", timedelta(minutes=3)),
    Colleague("midwife2", "Bidan Lilis Suryani", "midwife"),
    Colleague("lab2", "Nurdin Hamzah", "lab", timedelta(minutes=1)),
    Colleague("pharmacist2", "Apt. Yanti Kusuma", "pharmacist", timedelta(minutes=1)),
)

FOUND = {"UMUM": "J06.9", "GIGI": "K04.0", "KIA": "Z34.9", "LANSIA": "I10", "IGD": "T14.1"}
"""Cluster -> the diagnosis written there; elsewhere the widest one."""
USUAL = "Z00.0"
TESTED = {"Hemoglobin": (9.0, 15.0), "Gula darah sewaktu": (85.0, 260.0)}
"""Test -> the lowest and highest result drawn."""


def engage(colleague: Colleague) -> Actor:
    """Return a colleague ready to work; its account is made at the first start."""
    account = Account.get_or_none(Account.username == colleague.username)
    if account is None:
        like = Account.get(Account.username == colleague.like)
        accounts.create_account(
            colleague.username, colleague.name, Role(like.role), new_secret(), like.clusters
        )
        account = Account.get(Account.username == colleague.username)
    return actor_of(account, "demo")


class Room:
    """A room in which a colleague calls one patient after the other."""

    def __init__(self, clinic: Clinic, colleague: Colleague, chance: random.Random) -> None:
        self._clinic = clinic
        self._chance = chance
        self._actor = engage(colleague)
        self._takes = colleague.takes

    def step(self) -> bool:
        """Do what is next with the patient of the room, else call the next one; return whether anything was done."""
        entry = self._present()
        if entry is None:
            return self._call()
        now = clock.now()
        if entry.status == EntryStatus.CALLED:
            return _is_over(entry.called_at, ANSWERS_WITHIN, now) and self._act(entry, EntryAction.START)
        if not _is_over(entry.served_at, self._takes * self._chance.uniform(0.6, 1.6), now):
            return False
        return self._end(entry)

    def _present(self) -> QueueEntry | None:
        """Return the patient whom this colleague called or treats."""
        found: QueueEntry | None = (
            QueueEntry.select()
            .where(
                QueueEntry.practitioner == self._actor.account_id,
                QueueEntry.service_on == self._clinic.today(),
                QueueEntry.status.in_((EntryStatus.CALLED, EntryStatus.IN_SERVICE)),
                QueueEntry.ended_at.is_null(),
                QueueEntry.voided_at.is_null(),
            )
            .first()
        )
        return found

    def _call(self) -> bool:
        """Call the next one of the longest queue, unless too few would be left."""
        waiting = {
            code: QueueEntry.select()
            .where(
                QueueEntry.cluster == code,
                QueueEntry.service_on == self._clinic.today(),
                QueueEntry.status == EntryStatus.WAITING,
            )
            .count()
            for code in self._actor.clusters
        }
        cluster = max(waiting, key=lambda code: waiting[code], default="")
        if not cluster or waiting[cluster] <= LEFT_WAITING:
            return False
        return queues.call_next(self._clinic, self._actor, cluster, ROOM) is not None

    def _act(self, entry: QueueEntry, action: EntryAction, cluster: str | None = None) -> bool:
        queues.act(self._clinic, self._actor, entry.id, action, EntryCommand(cluster=cluster))
        return True

    def _end(self, entry: QueueEntry) -> bool:
        work: dict[Role, Callable[[QueueEntry], bool]] = {
            Role.LAB: self._test,
            Role.PHARMACIST: self._dispense,
        }
        return work.get(self._actor.role, self._treat)(entry)

    def _treat(self, entry: QueueEntry) -> bool:
        """Write a note and a diagnosis, then send to the laboratory, to the pharmacy, or home."""
        visit = entry.visit_id
        note = EncounterFields(
            cluster=entry.cluster, subjective=entry.visit.chief_complaint, objective="Keadaan umum baik",
            disposition=Disposition.HOME,
        )  # fmt: skip
        encounters.write_encounter(self._clinic, self._actor, visit, note)
        was_tested = Order.select().where(Order.visit == visit).exists()
        if not was_tested and self._chance.random() < SENT_TO_LABORATORY and "LAB" in self._clinic.clusters:
            test = self._chance.choice(list(TESTED))
            laboratory.order(self._clinic, self._actor, visit, OrderFields(test=test))
            return self._act(entry, EntryAction.SEND, "LAB")
        self._try(lambda: self._diagnose(entry))
        if self._chance.random() < GIVEN_MEDICINE and "FARMASI" in self._clinic.clusters:
            self._try(lambda: self._prescribe(visit))
            return self._act(entry, EntryAction.TRANSFER, "FARMASI")
        return self._act(entry, EntryAction.FINISH)

    def _diagnose(self, entry: QueueEntry) -> None:
        code = FOUND.get(entry.cluster, USUAL)
        diagnoses.add(self._clinic, self._actor, entry.visit_id, DiagnosisFields(code=code))

    def _prescribe(self, visit: str) -> None:
        fields = PrescriptionFields(medicine="Parasetamol 500 mg tablet", dose="1 tablet", frequency="3x sehari",
                                    amount="10 tablet")  # fmt: skip
        prescribing.prescribe(self._clinic, self._actor, visit, fields)

    def _test(self, entry: QueueEntry) -> bool:
        """Enter the results that were asked for, and send the patient back."""
        for order in Order.select().where(
            Order.visit == entry.visit_id, Order.result.is_null(), Order.status != OrderStatus.REVOKED
        ):
            low, high = TESTED.get(order.test, (10.0, 14.0))
            value = f"{self._chance.uniform(low, high):.1f}"
            fields = OrderResult(result=value)
            laboratory.enter_result(self._clinic, self._actor, order.id, fields)
        return self._act(entry, EntryAction.RETURN if entry.returns_to_id else EntryAction.FINISH)

    def _dispense(self, entry: QueueEntry) -> bool:
        for row in Prescription.select().where(
            Prescription.visit == entry.visit_id, Prescription.dispensed_at.is_null()
        ):
            self._try(partial(prescribing.dispense, self._clinic, self._actor, row.id, DispenseFields()))
        return self._act(entry, EntryAction.FINISH)

    def _try(self, write: Callable[[], object]) -> None:
        """Write something, or leave it out where the core asks about it: a colleague here answers no questions."""
        try:
            write()
        except CoreError:
            return


def _is_over(since: datetime | None, length: timedelta, now: datetime) -> bool:
    return since is None or now - since >= length
