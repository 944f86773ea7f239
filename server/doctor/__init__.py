"""Checks of an installation, each with its remedy, in plain words; a file for what each looks at.

Whoever adds a check: the subject in `findings.SUBJECTS`, the check where what it looks at stands, its place in the
order in `examining`.
"""

from server.doctor.examining import documents, examine, examine_open, mended
from server.doctor.findings import SUBJECTS, CheckResult, lines

__all__ = ["SUBJECTS", "CheckResult", "documents", "examine", "examine_open", "lines", "mended"]
