"""The clinic itself: its settings, the day's closing, synchronisation, backups and reports."""

from __future__ import annotations

from datetime import date

from core.schemas.clinic import BackupOut, ClinicOut, ClosingOut, DoctorOut, ReportOut, SyncOut, WrittenOut
from core.schemas.oversight import ApprovalOut
from tui.client.resource import ResourceClient


class ClinicClient(ResourceClient):
    """The clinic's settings and its daily administration."""

    async def settings(self) -> ClinicOut:
        """Return the settings that a terminal reads once, when a session begins."""
        return await self._connection.one(ClinicOut, "GET", "clinic")

    async def sync_status(self) -> SyncOut:
        """Return the state of synchronisation."""
        return await self._connection.one(SyncOut, "GET", "sync")

    async def run_sync(self) -> SyncOut:
        """Start a synchronisation."""
        return await self._connection.one(SyncOut, "POST", "sync/run")

    async def closing_status(self) -> ClosingOut:
        """Return the progress of the day's closing."""
        return await self._connection.one(ClosingOut, "GET", "closing")

    async def run_closing(self) -> ClosingOut:
        """Start the day's closing."""
        return await self._connection.one(ClosingOut, "POST", "closing/run")

    async def doctor(self) -> DoctorOut:
        """Return what the doctor found last."""
        return await self._connection.one(DoctorOut, "GET", "doctor")

    async def repair(self) -> DoctorOut:
        """Have the server mend what it can mend itself, and examine again."""
        return await self._connection.one(DoctorOut, "POST", "doctor/repair")

    async def run_doctor(self) -> DoctorOut:
        """Begin an examination."""
        return await self._connection.one(DoctorOut, "POST", "doctor/run")

    async def backups(self) -> list[BackupOut]:
        """List the backups that are kept, newest first."""
        return await self._connection.many(BackupOut, "backups")

    async def report(self, name: str, day: date) -> ReportOut:
        """Return one report as title, columns and rows."""
        return await self._connection.one(ReportOut, "GET", f"reports/{name}", date=day.isoformat())

    async def ask_for_report_file(self, name: str, day: date, reason: str) -> ApprovalOut:
        """Ask for leave to take a report that names patients as a file.

        Args:
            name: The report.
            day: The day it is of.
            reason: What for, in words.
        """
        path, body = f"reports/{name}/requests", {"reason": reason}
        return await self._connection.one(ApprovalOut, "POST", path, body, date=day.isoformat())

    async def write_report(self, name: str, day: date) -> WrittenOut:
        """Have the server write one report as CSV and XLSX."""
        params = {"date": day.isoformat()}
        response = await self._connection.send("POST", f"reports/{name}/files", params=params)
        return WrittenOut.model_validate_json(response.content)
