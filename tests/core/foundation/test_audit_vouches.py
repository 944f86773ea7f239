"""A break of the audit log that two people have looked into is named for good, and every further one is new."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from peewee import IntegrityError

from core.accounts import service as accounts
from core.foundation import approvals, audit, audit_check, audit_reads, audit_vouches
from core.foundation.clinic import Clinic
from core.foundation.codes import Role
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.foundation.errors import ConflictError, NotAllowedError, RuleError, ValidationError
from core.foundation.permissions import Actor, actor_of
from core.models import Account, Approval
from tests.core.foundation.test_audit_chain import TAMPERINGS, behind, home, made_home

__all__ = ["home", "made_home"]

WORDS = "disk rusak, baris dipulihkan teknisi"
LASTING = [
    name for name, (_how, code) in TAMPERINGS.items() if code in audit_vouches.LASTING or "cut" in code
]
FURTHER = "UPDATE audit_event SET detail = '{\"place\":77}' WHERE sequence = 6"


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    database.close()


def person(username: str) -> Actor:
    with connection():
        return actor_of(Account.get(Account.username == username))


def opened(home: Path) -> None:
    Clinic.open(Settings(home=home))


def asked(actor: Actor) -> Approval:
    report = audit_check.examine(actor)
    return audit_vouches.ask(actor, report.problems, WORDS, ["Kejadian diubah"])


def vouched_by_two(*, approved: bool = True) -> None:
    if Account.get_or_none(Account.username == "kepala") is None:
        accounts.create_account("kepala", "Kepala", Role.SUPERVISOR, "panjang sekali 1")
    request = asked(accounts.system_actor("loket command: budi"))
    approvals.decide(person("kepala"), request, approved=approved)


@pytest.mark.parametrize("name", LASTING)
def test_a_break_that_is_vouched_for_is_named_with_who_and_why(name: str, home: Path) -> None:
    how, _code = TAMPERINGS[name]
    how(home) if callable(how) else behind(home, *how)
    opened(home)
    before = {problem.code for problem in audit_check.verify().problems}
    vouched_by_two()
    report = audit_check.verify()
    assert before
    assert [problem for problem in report.problems if problem.code != "unprotected"] == []
    assert report.vouched
    for _problem, vouch in report.vouched:
        assert (vouch.words, vouch.asked_by, vouch.approved_by) == (WORDS, "loket command: budi", "kepala")


@pytest.mark.parametrize(
    "further",
    [
        (FURTHER,),
        ("UPDATE audit_event SET detail = '{\"place\":98}' WHERE sequence = 9",),  # the same row once more
        ("DELETE FROM audit_event WHERE sequence = 7",),
        ("UPDATE account SET name = 'Orang Ketiga' WHERE username = 'sari'",),  # the same record once more
        ("DELETE FROM audit_event WHERE action LIKE 'approval%'",),
        (
            "UPDATE audit_event SET detail = replace(detail, 'disk', 'tape') WHERE action = 'approval_requested'",
        ),
    ],
)
def test_what_comes_after_is_a_new_break(home: Path, further: tuple[str, ...]) -> None:
    first = ("UPDATE audit_event SET detail = '{\"place\":99}' WHERE sequence = 9",)
    behind(home, *first, "UPDATE account SET name = 'Orang Lain' WHERE username = 'sari'")
    opened(home)
    vouched_by_two()
    assert {problem.code for problem, _vouch in audit_check.verify().vouched} == {
        "row_changed",
        "record_changed",
    }
    behind(home, *further)
    opened(home)
    assert audit_check.verify().problems


@pytest.mark.parametrize("approved", [False, None])
def test_one_person_alone_vouches_for_nothing(home: Path, approved: bool | None) -> None:
    behind(home, FURTHER)
    opened(home)
    if approved is None:
        asked(accounts.system_actor("loket command: budi"))
    else:
        vouched_by_two(approved=approved)
    report = audit_check.verify()
    assert [problem.code for problem in report.problems] == ["row_changed"]
    assert report.vouched == []


def test_nobody_approves_what_they_asked_for(home: Path) -> None:
    behind(home, FURTHER)
    opened(home)
    accounts.create_account("kepala", "Kepala", Role.SUPERVISOR, "panjang sekali 1")
    with pytest.raises(NotAllowedError):
        approvals.decide(person("kepala"), asked(person("kepala")), approved=True)
    with pytest.raises(ConflictError):
        asked(person("kepala"))


def test_what_the_request_is_changed_to_afterwards_is_not_vouched_for(home: Path) -> None:
    behind(home, FURTHER)
    opened(home)
    accounts.create_account("kepala", "Kepala", Role.SUPERVISOR, "panjang sekali 1")
    request = asked(accounts.system_actor("loket command: budi"))
    behind(home, "UPDATE audit_event SET detail = '{\"place\":98}' WHERE sequence = 9")
    opened(home)
    new = next(problem for problem in audit_check.verify().problems if problem.sequence == 9)
    Approval.update(detail={**request.detail, "breaks": [new.fingerprint]}).where(
        Approval.id == request.id
    ).execute()
    approvals.decide(person("kepala"), approvals.find(request.id), approved=True)
    assert new in audit_check.verify().problems


def test_there_is_nothing_to_vouch_for_in_a_whole_log_nor_without_words(home: Path) -> None:
    opened(home)
    actor = accounts.system_actor("loket command: budi")
    with pytest.raises(RuleError, match="nothing_to_vouch_for"):
        asked(actor)
    behind(home, FURTHER)
    opened(home)
    with pytest.raises(ValidationError):
        audit_vouches.ask(actor, audit_check.examine(actor).problems, "....", [])


def test_triggers_that_are_gone_are_mended_and_never_vouched_for(home: Path) -> None:
    behind(home, FURTHER)
    opened(home)
    database.execute_sql("DROP TRIGGER audit_event_no_delete")
    vouched_by_two()
    audit.record(None, "entry_called", "queue_entry", "later")
    assert [problem.code for problem in audit_check.verify().problems] == ["unprotected"]
    audit.protect(accounts.system_actor("loket command: budi"))
    assert [problem.code for problem in audit_check.verify().problems] == ["was_unprotected"]
    with pytest.raises(IntegrityError, match="append-only"), transaction():
        database.execute_sql("DELETE FROM audit_event")
    vouched_by_two()
    report = audit_check.verify()
    assert report.problems == []
    assert "was_unprotected" in {problem.code for problem, _vouch in report.vouched}


def test_a_trigger_that_refuses_nothing_is_none(home: Path) -> None:
    opened(home)
    database.execute_sql("DROP TRIGGER audit_event_no_update")
    database.execute_sql(
        "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event WHEN 0 BEGIN SELECT 1; END"
    )
    assert [problem.code for problem in audit_check.verify().problems] == ["unprotected"]


@pytest.mark.parametrize("restarted", [True, False])
def test_the_log_of_reads_says_that_it_was_unprotected(home: Path, restarted: bool) -> None:
    opened(home)
    actor = accounts.system_actor("loket command: budi")
    audit_reads.shown(actor, "patients_searched", [])
    file = apsw.Connection(str(home / audit_reads.READS_FILE))
    file.execute("DROP TRIGGER read_person_no_delete")
    file.close()
    assert [(problem.log, problem.code) for problem in audit_check.verify().problems] == [
        ("reads", "unprotected")
    ]
    if restarted:
        opened(home)
        audit_reads.shown(actor, "patients_searched", [])
    else:
        audit.protect(actor)
    found = [(problem.log, problem.code) for problem in audit_check.verify().problems]
    assert found == [("reads", "was_unprotected")]
