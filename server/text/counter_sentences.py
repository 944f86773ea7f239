"""Sentences about counters' own machines: above all the notice that the law asks for when one is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from core.foundation import clock
from core.foundation.clinic import Clinic
from core.models import Counter, Patient
from core.schemas.counters import CounterOut
from server.text.formatting import when
from server.text.translation import _

NOTICE_WITHIN = timedelta(days=3)
"""Three times 24 hours, in writing, to each person and to the authority (UU 27/2022, article 46)."""


def notice(clinic: Clinic, machine: Counter, people: Sequence[Patient]) -> str:
    """Return the draft of the notice, and the list of those who are to get it.

    Args:
        clinic: The clinic.
        machine: The lost machine.
        people: Whose cards its store held.
    """
    return "\n".join(_lines(clinic, machine, people)) + "\n"


def _lines(clinic: Clinic, machine: Counter, people: Sequence[Patient]) -> Iterator[str]:
    zone = clinic.zone
    lost_at = clock.known(machine.lost_at)
    due = (lost_at + NOTICE_WITHIN).astimezone(zone)
    yield _("DRAFT - notice of a failure to protect personal data (UU 27/2022, article 46)")
    yield _("To be given in writing to each person below and to the authority before {time}.").format(
        time=f"{due:%d-%m-%Y %H:%M}"
    )
    yield ""
    yield _("From: {facility} ({code})").format(
        facility=clinic.settings.facility_name, code=clinic.settings.facility_code
    )
    yield _("What happened: the machine of the counter {name} was reported lost on {time}.").format(
        name=machine.name, time=f"{lost_at.astimezone(zone):%d-%m-%Y %H:%M}"
    )
    yield _("Its last contact with the clinic's server: {time}.").format(
        time=f"{machine.contact_at.astimezone(zone):%d-%m-%Y %H:%M}" if machine.contact_at else "-"
    )
    yield _(
        "Which data: name, sex, birth date, address, telephone, NIK and BPJS number, record number, allergies;"
    )
    yield _("for those of that day also the cluster and the number. No diagnoses, complaints or notes.")
    yield _("How it was protected: encrypted (AES-256-GCM); {key}.").format(key=_key_words(machine))
    yield _(
        "What was done: the machine's access was ended, its key at the server destroyed, its numbers voided."
    )
    waiting = machine.waiting + machine.asked
    yield _("Registrations that it had not delivered at the last contact: {count}.").format(count=waiting)
    yield _(
        "What people can do: watch for the use of their NIK or BPJS number; ask at the clinic: ____________"
    )
    yield ""
    yield _("{count} people:").format(count=len(people))
    for person in people:
        yield f"  {person.medical_record_number}  {person.name}  {person.phone or '-'}  {person.address}".rstrip()


def _key_words(machine: Counter) -> str:
    if machine.has_secret:
        return _("the key needs a password and a secret that is not on the disk")
    return _("the key needs a password alone, so the disk's image and a guessed password open it")


def broken_chain(words: str) -> str:
    """Return what is wrong with the audit chain of a counter's own machine.

    Args:
        words: As the core says it: the counter's name, and which row.
    """
    return _("The log of a counter's machine is not whole: {what}").format(what=words)


def faults(machine: CounterOut, zone: ZoneInfo) -> Iterator[str]:
    """Yield what is to be done about a counter's machine.

    Args:
        machine: As the core knows it.
        zone: The clinic's.
    """
    if machine.contact_at is None:
        yield _("{name} has never spoken to the core. On its machine: loket serve --role counter").format(
            name=machine.name
        )
        return
    if machine.is_away:
        yield _(
            "{name} has been silent since {time}. Look at its line and whether it is switched on; if it is lost: "
            "loket counter lost NAME"
        ).format(name=machine.name, time=when(machine.contact_at, zone))
    if machine.asked:
        yield _("{name}: {count} registrations wait for an answer there (F8 on its screen)").format(
            name=machine.name, count=machine.asked
        )
    if not machine.has_secret:
        yield _(
            "{name} has no secret besides its people's passwords: its disk's image plus a password opens the store, "
            "so it holds today's people only. See docs/counter.md"
        ).format(name=machine.name)


def well(machine: CounterOut) -> str:
    """Return how a counter's machine stands of which nothing is wrong."""
    return _("{name}: in contact, {people} people's cards, {numbers} numbers in advance").format(
        name=machine.name, people=machine.people, numbers=machine.numbers_lent
    )
