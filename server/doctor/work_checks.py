"""Checks of the clinic's own work: closed days, signed danger signs, doubtful passports, medicines, printed forms."""

from __future__ import annotations

from collections.abc import Iterator

from core.daily import closing
from core.foundation.clinic import Clinic
from core.foundation.codes import RunStatus
from core.orders.medicines.checks import counted_sources
from core.patients import service as patients
from core.queues import paper_forms
from core.visits import danger_signatures
from server.doctor.findings import CheckResult
from server.text import problem_words
from server.text.problem_words import sentence
from server.text.translation import _


def check_closing(clinic: Clinic) -> Iterator[CheckResult]:
    """Check that every day is closed."""
    status = closing.status(clinic)
    if closing.was_cut_off(clinic):
        words = _("{day}: ").format(day=status.day) + sentence("cut_off")
        yield CheckResult("error", "closing", words, repair="closing")
    elif status.status == RunStatus.FAILED:
        for problem in problem_words.told(status.error):
            words = _("The closing of {day} is not whole: {error}").format(day=status.day, error=problem.text)
            yield CheckResult("error", "closing", f"{words} {problem.remedy}".strip(), repair="closing")
    elif (missed := closing.missed_day(clinic)) is not None and missed < clinic.today():
        yield CheckResult(
            "warning",
            "closing",
            _("{day} was never closed. The server does it after its start.").format(day=missed.isoformat()),
            repair="closing",
        )
    else:
        yield CheckResult("ok", "closing", _("every day is closed"))


def check_dangers(clinic: Clinic) -> Iterator[CheckResult]:
    """Say how many danger signs no clinician of this clinic has signed as they are now."""
    standing = danger_signatures.counted(clinic)
    if standing.unsigned:
        words = _(
            "{number} of {all} danger signs ({rules} rules) are not signed, {changed} of them changed since. The "
            "head of the clinic reads and signs them: F6, S."
        )
        yield CheckResult("warning", "dangers", words.format(
            number=standing.unsigned, all=standing.signs, rules=standing.unsigned_rules, changed=standing.changed
        ))  # fmt: skip
    else:
        words = _("all {number} danger signs are signed").format(number=standing.signs)
        yield CheckResult("ok", "dangers", words)


def check_passports(clinic: Clinic) -> Iterator[CheckResult]:
    """Tell of passport numbers that several patients have: they are sent nowhere until a person has looked."""
    for number, records in patients.doubtful_passports().items():
        words = _(
            "The passport {passport} stands on {number} cards: RM {records}. Correct the wrong ones (F9 in the search), "
            "or make the records one; until then the number is sent nowhere."
        )
        words = words.format(passport=number, number=len(records), records=", ".join(records))
        yield CheckResult("warning", "patients", words)


def check_medicines(clinic: Clinic) -> Iterator[CheckResult]:
    """Say how many questions about medicines rest on a text that was read; the others are asked all the same."""
    rules, read = counted_sources()
    words = _(
        "{number} contraindications are asked about; the source of {read} was read, of {named} only named "
        "(docs/reference/medicines.md)"
    )
    yield CheckResult("ok", "medicines", words.format(number=rules, read=read, named=rules - read))


def check_paper(clinic: Clinic) -> Iterator[CheckResult]:
    """Say for which clusters no stack of numbered forms lies ready: it cannot be printed while nothing works."""
    short = paper_forms.clusters_without_stack(clinic)
    if short:
        words = _(
            "Fewer than {least} printed forms for: {clusters}. Without them nobody is registered properly while no "
            "computer answers. Run: loket paper print --cluster {first} --count 20 (or F6, F)"
        )
        yield CheckResult("warning", "paper", words.format(
            least=paper_forms.LEAST_READY, clusters=", ".join(short), first=short[0]
        ))  # fmt: skip
    else:
        yield CheckResult("ok", "paper", _("a stack of printed forms for each cluster"))
