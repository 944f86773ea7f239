"""Findings of the checks: their level, their subject, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import peewee

from core.foundation.database import unusable
from core.foundation.errors import CoreError
from server.text.failures import failure
from server.text.problem_words import sentence
from server.text.translation import N_, _

Level = Literal["ok", "warning", "error", "mended"]


@dataclass(frozen=True)
class CheckResult:
    """Result of one check."""

    level: Level
    subject: str
    """One of `SUBJECTS`."""
    words: str
    """The finding and, unless it is `ok`, its remedy."""
    repair: str = ""
    """The repair that needs no person's decision, a name in `repairs.REPAIRS`; empty: there is none."""

    def document(self) -> dict[str, str]:
        """Return the result for `--json`."""
        return {"level": self.level, "subject": self.subject, "words": self.words, "repair": self.repair}


SIGNS: dict[Level, str] = {"ok": " ok ", "warning": "  ! ", "error": " !! ", "mended": "  + "}
SUBJECTS = {
    "disk": N_("disk"),
    "memory": N_("memory"),
    "zone": N_("time zone"),
    "printer": N_("printer"),
    "paper": N_("paper forms"),
    "counters": N_("counters"),
    "secrets": N_("secrets"),
    "sqlite": N_("SQLite"),
    "settings": N_("settings"),
    "clock": N_("clock"),
    "database": N_("database"),
    "audit": N_("audit"),
    "backup": N_("backup"),
    "journal": N_("journal"),
    "standby": N_("standby"),
    "drill": N_("drill"),
    "closing": N_("closing"),
    "sync": N_("sending"),
    "bpjs": N_("BPJS"),
    "dangers": N_("danger signs"),
    "patients": N_("patients"),
    "medicines": N_("medicines"),
    "server": N_("server"),
    "https": N_("encryption"),
    "ssh": N_("SSH door"),
}


def lines(findings: Sequence[CheckResult]) -> Iterator[str]:
    """Yield the results for people, faults marked by a sign."""
    names = {subject: _(word) for subject, word in SUBJECTS.items()}
    width = max(map(len, names.values()))
    for finding in findings:
        yield f"{SIGNS[finding.level]} {names[finding.subject]:{width}} {finding.words}"
    if number := sum(bool(finding.repair) for finding in findings):
        yield _("{number} of these Loket mends itself: loket doctor --repair").format(number=number)


def looked(subject: str, look: Callable[[], Iterator[CheckResult]]) -> Iterator[CheckResult]:
    """Run a check; one that fails is a finding itself."""
    try:
        yield from look()
    except CoreError as error:
        yield CheckResult("error", subject, failure(error))
    except peewee.DatabaseError as error:
        known = unusable(error)
        yield CheckResult(
            "error", subject, failure(known) if known else sentence(f"internal: {type(error).__name__}")
        )
    except OSError as error:
        yield CheckResult("error", subject, sentence(f"disk: {error.strerror} ({error.filename})"))
