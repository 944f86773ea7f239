"""The change feed over HTTP: it resumes where a reader stopped, and ends with the sign-in."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from core.accounts import doors
from server.run import Background
from tests.people import Caller


def _events(caller: Caller | httpx.Client, **asked: object) -> Iterator[tuple[str, int]]:
    """Kind and sequence of each event, as it comes."""
    with caller.stream("GET", "changes", **asked) as stream:  # type: ignore[arg-type]
        kind = ""
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                yield kind, json.loads(value)["sequence"]


@pytest.fixture
def sequences(clerk: Caller) -> list[int]:
    """Those of three registrations."""
    return [clerk.registered()["sequence"] for _ in range(3)]


def test_it_goes_on_after_what_was_seen(dentist: Caller, sequences: list[int]) -> None:
    first, second, third = sequences
    following = [("change", number) for number in range(first + 1, third + 1)]
    for asked in (
        {"params": {"after": first}},
        {"headers": {"Last-Event-ID": str(first)}},
        # A browser that reconnects asks at its first address, and says how far it came.
        {"params": {"after": 0}, "headers": {"Last-Event-ID": str(first)}},
    ):
        events = _events(dentist, **asked)
        assert [next(events) for _ in following] == following, asked
    assert second in {number for _, number in following}


@pytest.mark.parametrize("foreign", ["none of ours", "9" * 5000, "-1", "1.5"])
def test_another_feeds_id_begins_anew(dentist: Caller, sequences: list[int], foreign: str) -> None:
    assert next(_events(dentist, headers={"Last-Event-ID": foreign})) == ("reset", sequences[-1])


def test_a_feed_that_was_restored_begins_anew(dentist: Caller, sequences: list[int]) -> None:
    assert next(_events(dentist, params={"after": 10**30})) == ("reset", sequences[-1])


def test_it_tells_nothing_more_after_the_sign_in_has_ended(clerk: Caller, dentist: Caller) -> None:
    events = _events(dentist)
    assert next(events)[0] == "reset"
    httpx.delete(f"{dentist.base_url}tokens", headers=dentist.headers)
    clerk.registered()
    assert list(events) == []


def test_a_stream_of_a_person_writes_whom_it_shows_and_a_doors_does_not(
    server: Background, clerk: Caller, dentist: Caller, admin: Caller
) -> None:
    door = httpx.Client(
        base_url=f"{server.url}/api/v1/", headers={"Authorization": f"Bearer {doors.add('lobby')}"}
    )
    receipt = clerk.registered()
    asked = {"params": {"after": receipt["sequence"] - 1}}
    with door:
        for reader in (dentist, door):
            assert next(_events(reader, **asked)) == ("change", receipt["sequence"])
    query = {"log": "reads", "action": "pane_read", "patient_id": receipt["patient_id"]}
    assert [row["account"] for row in admin.get("audit", params=query).json()] == ["dentist"]
