"""Problems of jobs: stored as JSON, told as lines; rows of Loket 0.1 stay readable."""

from __future__ import annotations

from pathlib import Path

from core.exchange import outbox
from core.foundation import job_problems, jobs, state
from core.foundation.codes import RunStatus
from core.foundation.database import connection
from core.foundation.job_problems import JobProblem
from core.models import JobRun
from tests.core.days import open_clinic


def test_problems_are_stored_with_their_facts_and_told_as_lines(tmp_path: Path) -> None:
    problems = [JobProblem("records_wait", {"records": 3}), JobProblem("cut_off"), JobProblem("disk", {"reason": "a\nb"})]  # fmt: skip
    open_clinic(tmp_path)
    with connection():
        run = jobs.begin("closing")
        jobs.end(run, RunStatus.FAILED, problems)
        stored = JobRun.get_by_id(run.id).error
    assert job_problems.from_text(stored) == problems
    assert job_problems.as_lines(problems[:2]) == "records_wait: 3\ncut_off"


def test_the_first_fact_is_told_and_the_others_in_parentheses() -> None:
    problem = JobProblem("token_refused", {"setting": "LOKET_OFFICE_TOKEN", "status": 401})
    assert str(problem) == "token_refused: LOKET_OFFICE_TOKEN (401)"


def test_no_problem_is_no_text() -> None:
    assert job_problems.to_text([]) is None
    assert job_problems.as_lines([]) is None
    assert job_problems.from_text(None) == []


def test_rows_of_the_first_release_are_read() -> None:
    read = job_problems.from_text("records_wait: 3\nno_proven_backup")
    assert [(problem.code, problem.facts) for problem in read] == [
        ("records_wait", "3"),
        ("no_proven_backup", ""),
    ]
    assert job_problems.as_lines(read) == "records_wait: 3\nno_proven_backup"


def test_a_last_error_kept_by_the_first_release_is_read(tmp_path: Path) -> None:
    clinic = open_clinic(tmp_path)
    with connection():
        state.note(outbox.LAST_ERROR, text="busy: 503", at="2026-03-02T00:00:00.000000Z")
        assert outbox.status(clinic).last_error == "busy: 503"
