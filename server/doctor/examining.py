"""Runs the checks in order, whatever one of them meets, and has mended what needs no decision."""

from __future__ import annotations

from collections.abc import Sequence

from core.foundation import high_water, jobs
from core.foundation.clinic import Clinic
from core.foundation.codes import MachineRole
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.errors import CoreError, SettingsError
from core.foundation.journal import standbys
from server import repairs
from server.doctor import (
    backup_checks,
    counter_checks,
    database_checks,
    journal_checks,
    machine_checks,
    reach_checks,
    sending_checks,
    work_checks,
)
from server.doctor.findings import SUBJECTS, CheckResult, looked
from server.text.failures import failure
from server.text.problem_words import sentence
from server.text.translation import _, speaking


def documents(
    clinic: Clinic, language: str, *, by: str = "", repair: bool = False
) -> dict[str, list[dict[str, str]]]:
    """Return every finding as `GET doctor` sends it.

    Args:
        clinic: The clinic, open in this process.
        language: Language of the words.
        by: Who asked for repairs, for the audit log.
        repair: Whether what Loket can mend itself is mended first.
    """
    with speaking(language):
        found = examine_open(clinic)
        if repair:
            found = [*mended(clinic, found, by), *examine_open(clinic)]
        return {
            "findings": [{**finding.document(), "title": _(SUBJECTS[finding.subject])} for finding in found]
        }


def mended(clinic: Clinic, findings: Sequence[CheckResult], by: str) -> list[CheckResult]:
    """Do the repairs that findings name, and return how each went.

    Args:
        clinic: The clinic, open.
        findings: Of an examination just before.
        by: Who asked for it, for the audit log.
    """
    subjects = {finding.repair: finding.subject for finding in findings if finding.repair}
    results = []
    for code, error in repairs.mend(clinic, subjects, by):
        if error is None:
            results.append(CheckResult("mended", subjects[code], _("Mended.")))
        else:
            why = failure(error) if isinstance(error, CoreError) else sentence(str(jobs.problem_of(error)))
            results.append(CheckResult("error", subjects[code], _("Not mended: {why}").format(why=why)))
    return results


def examine(settings: Settings) -> list[CheckResult]:
    """Run every check; an error in one does not hide the others."""
    findings = _before_opening(settings)
    if settings.role is MachineRole.COUNTER:
        return [*findings, *looked("counters", lambda: counter_checks.check_machine_here(settings))]
    if standbys.is_standby(settings.home):
        return [*findings, *looked("standby", lambda: journal_checks.check_standby(settings))]
    try:
        high_water.require_clinic(settings.home, settings.resolved_database_url)
        clinic = Clinic.open(settings, migrates=False)
    except SettingsError as error:
        return [
            *findings,
            CheckResult("error", "settings", failure(error)),
            *reach_checks.check_server(settings),
        ]
    except CoreError as error:
        refusal = error
        return [
            *findings,
            *looked("database", lambda: database_checks.check_unopened(refusal)),
            *reach_checks.check_server(settings),
        ]
    return [*findings, *_of_clinic(clinic), *reach_checks.check_server(settings)]


def examine_open(clinic: Clinic) -> list[CheckResult]:
    """Run every check on a clinic that is open."""
    return [
        *_before_opening(clinic.settings),
        *_of_clinic(clinic),
        *reach_checks.check_server(clinic.settings),
    ]


def _before_opening(settings: Settings) -> list[CheckResult]:
    return [
        *looked("disk", lambda: machine_checks.check_machine(settings)),
        *looked("memory", machine_checks.check_memory),
        *looked("zone", lambda: machine_checks.check_zone(settings)),
        *looked("printer", lambda: machine_checks.check_printer(settings)),
        *looked("https", lambda: reach_checks.check_https(settings)),
    ]


def _of_clinic(clinic: Clinic) -> list[CheckResult]:
    findings: list[CheckResult] = []
    with connection():
        for subject, look in (
            ("clock", database_checks.check_clock),
            ("database", database_checks.check_database),
            ("audit", database_checks.check_audit),
            ("backup", backup_checks.check_backups),
            ("journal", journal_checks.check_journal),
            ("backup", backup_checks.check_leftovers),
            ("database", database_checks.check_searches),
            ("clock", database_checks.check_unreal_sign_ins),
            ("closing", work_checks.check_closing),
            ("sync", sending_checks.check_sync),
            ("bpjs", sending_checks.check_bpjs),
            ("dangers", work_checks.check_dangers),
            ("patients", work_checks.check_passports),
            ("medicines", work_checks.check_medicines),
            ("paper", work_checks.check_paper),
            ("counters", counter_checks.check_counters),
        ):
            findings += looked(subject, lambda look=look: look(clinic))  # type: ignore[misc]
    return findings
