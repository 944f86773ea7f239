"""Checks of what is sent: to the office or SATUSEHAT, and to BPJS."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from core.accounts.service import system_actor
from core.exchange import outbox
from core.exchange import service as synchronisation
from core.exchange.bpjs import bpjs_link, code_mapping, pcare_views
from core.foundation.clinic import Clinic
from core.foundation.config import HostPort, Settings
from core.foundation.job_problems import JobProblem
from core.schemas.clinic import SyncOut
from server.doctor.database_checks import CLOCK_SECONDS
from server.doctor.findings import CheckResult
from server.text.problem_words import sentence
from server.text.translation import N_, _

UNMAPPED = {
    "poli": N_("clusters"),
    "doctor": N_("clinicians"),
    "medicine": N_("medicines"),
    "procedure": N_("procedures"),
    "allergy": N_("allergies"),
}
"""Kinds of what needs a code at BPJS."""


def check_sync(clinic: Clinic) -> Iterator[CheckResult]:
    """Check that the receiver of the records answers, and what waits to be sent."""
    settings = clinic.settings
    missing = synchronisation.what_is_missing(settings)
    if missing is not None:
        yield CheckResult("warning", "sync", sentence(f"not_set_up: {missing}"))
        return
    with httpx.Client() as client:
        found = synchronisation.probe(settings, client)
    if found.problem:
        yield CheckResult("error", "sync", sentence(found.problem))
    yield from _clock_difference(found.ahead_seconds)
    yield from _encryption(settings)
    yield from _outbox(outbox.status(clinic), found.problem)


def _clock_difference(ahead_seconds: float | None) -> Iterator[CheckResult]:
    """Compare the clock with the receiver's."""
    if ahead_seconds is None or abs(ahead_seconds) <= CLOCK_SECONDS:
        return
    words = _(
        "It differs from the other end's by {minutes:.0f} minutes. Set it: sudo timedatectl set-ntp true"
    )
    yield CheckResult("error", "clock", words.format(minutes=abs(ahead_seconds) / 60))


def _encryption(settings: Settings) -> Iterator[CheckResult]:
    """Warn of patients' records that cross a network unencrypted."""
    if settings.sync_target != "office":
        return  # the settings allow SATUSEHAT by https:// only
    url = urlsplit(settings.office_url)
    if url.scheme == "http" and not _is_here(url.hostname or ""):
        words = _("Records of patients go to {host} unencrypted. Ask the office for an https:// address.")
        yield CheckResult("warning", "sync", words.format(host=url.hostname))


def _outbox(status: SyncOut, told_problem: JobProblem | None) -> Iterator[CheckResult]:
    """Report waiting and refused records; `told_problem` was reported already."""
    if status.last_error and status.last_error != str(told_problem):
        words = _("At the last sending, {number} records still wait: {error}")
        words = words.format(number=status.pending, error=sentence(status.last_error))
        yield CheckResult("warning", "sync", words, repair="sync")
    if status.refused:
        words = _("The office refused {number} records. See: loket sync status")
        yield CheckResult("warning", "sync", words.format(number=status.refused))
    if not (told_problem or status.last_error or status.refused):
        words = _("{pending} pending, {sent} sent").format(pending=status.pending, sent=status.sent)
        yield CheckResult("ok", "sync", words)


def check_bpjs(clinic: Clinic) -> Iterator[CheckResult]:
    """Report how the visits of insured people get to BPJS, where it is set up; `loket bpjs check` asks it."""
    if not bpjs_link.is_set_up(clinic.settings):
        return
    status = pcare_views.status(clinic, system_actor())
    if status.last_error:
        yield CheckResult("warning", "bpjs", sentence(status.last_error))
    if status.set_aside:
        words = _("{number} visits were set aside; at the counter, F7 and B say why and what to do.")
        yield CheckResult("warning", "bpjs", words.format(number=status.set_aside))
    if status.comparison is not None and (status.comparison["missing"] or status.comparison["only_there"]):
        words = _("On {day} BPJS did not hold the same. Run: loket bpjs compare")
        yield CheckResult("warning", "bpjs", words.format(day=status.comparison["day"]))
    for kind, titles in code_mapping.unmapped(clinic).items():
        words = _("Without a code at BPJS: {kind}: {titles}. The admin maps them at the counter: F7, K.")
        names = ", ".join(titles[:5]) + (f", ... ({len(titles)})" if len(titles) > 5 else "")
        yield CheckResult("warning", "bpjs", words.format(kind=_(UNMAPPED[kind]), titles=names))
    if not status.last_error and not status.set_aside:
        yield CheckResult("ok", "bpjs", _("{number} visits wait to be sent").format(number=status.waiting))


def _is_here(host: str) -> bool:
    return HostPort(host=host, port=0).is_loopback
