"""The doctor over HTTP, for the admin: the same checks as `loket doctor`."""

from __future__ import annotations

from fastapi import BackgroundTasks, Request

from core.schemas.clinic import DoctorOut
from server.examination import Examination
from server.resources import resource
from server.security import AdminNow, LanguageNow

router = resource("clinic")


@router.get("/doctor")
def doctor_findings(request: Request, actor: AdminNow) -> DoctorOut:
    """Return what the doctor found last."""
    return _examination(request).newest


@router.post("/doctor/run", status_code=202)
def run_doctor(
    request: Request, actor: AdminNow, language: LanguageNow, background: BackgroundTasks
) -> DoctorOut:
    """Begin an examination; it goes on after the answer."""
    examination = _examination(request)
    if examination.begin():
        background.add_task(examination.run, language)
    return examination.newest


@router.post("/doctor/repair", status_code=202)
def repair(
    request: Request, actor: AdminNow, language: LanguageNow, background: BackgroundTasks
) -> DoctorOut:
    """Mend what Loket can mend itself, and examine again; both go on after the answer."""
    examination = _examination(request)
    if examination.begin():
        background.add_task(examination.run, language, f"doctor: {actor.username}")
    return examination.newest


def _examination(request: Request) -> Examination:
    found: Examination = request.app.state.examination
    return found
