"""A save while the disk refuses each of its writes and syncs in turn: told in words, never a false "saved"."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from bench.simulated.disk import Disk, Fault
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.models import Registration, Ticket
from server.run import Background
from tests.people import Caller, registration
from tui.text import problem_words as told_at_the_counter

TOLD: dict[Fault, str] = {"write error": "disk_error", "sync error": "disk_error", "disk full": "disk_full"}
"""Fault -> the code of the refusal."""
OPERATIONS = 16
"""Writes and syncs of a save that are refused, each in a save of its own; some saves have fewer."""


@pytest.fixture
def disk(settings: Settings) -> Iterator[Disk]:
    """All databases that are opened in this process from here on stand on a disk that fails by plan."""
    made = Disk()
    made.begin(settings.home, random.Random(1))
    yield made
    database.close()
    made.unregister()


@pytest.mark.parametrize("fault", list(TOLD))
def test_a_save_whose_disk_fails_is_told_in_words_and_saved_once_afterwards(
    settings: Settings, disk: Disk, fault: Fault
) -> None:
    answers: Counter[tuple[int, str]] = Counter()
    numbers = []
    with Background(settings) as server, Caller(server.url, "clerk") as clerk:
        for operation in range(1, OPERATIONS + 1):
            body = registration()
            disk.plan(fault, operation)
            refused = clerk.post("registrations", json=body)
            still_to_come = disk.withdraw()
            if refused.status_code != 201:
                answers[refused.status_code, refused.json()["code"]] += 1
                assert not still_to_come
            again = clerk.post("registrations", json=body)
            assert again.status_code in {200, 201}, again.text
            if refused.status_code == 201:
                assert again.json() == refused.json(), "what was called saved is saved"
            numbers.append(again.json()["ticket"]["number"])
        with connection():
            assert Registration.select().count() == OPERATIONS
            assert Ticket.select().count() == OPERATIONS
    assert numbers == [f"B-{number:03d}" for number in range(1, OPERATIONS + 1)], "once each, without gaps"
    assert {code for _status, code in answers} == {TOLD[fault]}, answers
    assert {status for status, _code in answers} <= {503, 507}, "never an unknown fault"
    assert TOLD[fault] in told_at_the_counter.PROBLEMS
