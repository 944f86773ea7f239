"""The doctor's newest examination in a running server: done by a process of its own, one at a time."""

from __future__ import annotations

import threading

from core.foundation import clock
from core.foundation.clinic import Clinic
from core.schemas.clinic import DoctorOut, FindingOut
from server import worker_process


class Examination:
    """Keeps what the doctor found last, and whether it is looking now."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic
        self._guard = threading.Lock()
        self._newest = DoctorOut(ran_at=None, running=False, findings=[])

    @property
    def newest(self) -> DoctorOut:
        """Findings of the last look."""
        return self._newest

    def begin(self) -> bool:
        """Note that an examination begins; False when one is under way."""
        with self._guard:
            if self._newest.running:
                return False
            self._newest = self._newest.model_copy(update={"running": True})
            return True

    def run(self, language: str, repair_by: str = "") -> None:
        """Examine the installation; called after `begin`.

        Args:
            language: Language of the words.
            repair_by: Who asked to mend what can be mended first; empty: nobody.
        """
        found = []
        try:
            answer = worker_process.run(
                self._clinic, "doctor", language=language, by=repair_by, repair=bool(repair_by)
            )
            found = [FindingOut(**finding) for finding in answer.get("findings", [])]
        finally:
            self._newest = DoctorOut(ran_at=clock.now(), running=False, findings=found)
