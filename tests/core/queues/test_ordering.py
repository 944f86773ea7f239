"""Who is called next: the rules, and that nobody is lost or starved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.queues.ordering import Policy, Waiting, calling_order

START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
POLICY = Policy(ratio=2, wait_limit=timedelta(minutes=60))


def waiting(name: str, rank: int, minute: int, back: int = 0) -> Waiting:
    return Waiting(name, rank, START + timedelta(minutes=minute), back)


def order(*entries: Waiting, recent: tuple[int, ...] = (), minute: int = 30) -> str:
    return "".join(calling_order(entries, recent, POLICY, START + timedelta(minutes=minute)))


def test_regular_patients_come_in_order_of_issue() -> None:
    assert order(waiting("b", 4, 2), waiting("a", 4, 1), waiting("c", 4, 3)) == "abc"


def test_red_then_yellow_then_the_rest() -> None:
    assert order(waiting("a", 4, 1), waiting("p", 2, 2), waiting("y", 1, 3), waiting("r", 0, 4)) == "rypa"


def test_two_protected_for_each_regular_patient() -> None:
    protected = [waiting(name, 2, index + 10) for index, name in enumerate("pqrs")]
    regular = [waiting(name, 4, index) for index, name in enumerate("abc")]
    assert order(*protected, *regular) == "pqarsbc"


def test_the_ratio_goes_on_from_what_was_called_before() -> None:
    assert order(waiting("p", 2, 1), waiting("a", 4, 2), recent=(2, 2)) == "ap"
    assert order(waiting("p", 2, 1), waiting("a", 4, 2), recent=(2, 4)) == "pa"
    assert order(waiting("p", 2, 1), waiting("a", 4, 2), recent=(0, 2, 2)) == "ap"


def test_who_waited_beyond_the_limit_no_longer_yields() -> None:
    assert order(waiting("p", 2, 50), waiting("a", 4, 0), minute=60) == "ap"
    assert order(waiting("p", 2, 50), waiting("a", 4, 0), minute=59) == "pa"


def test_a_skipped_patient_stands_behind_so_many_others() -> None:
    assert (
        order(waiting("s", 4, 0, back=2), waiting("a", 4, 1), waiting("b", 4, 2), waiting("c", 4, 3))
        == "absc"
    )
    assert order(waiting("s", 4, 0, back=3)) == "s"


entries = st.lists(
    st.builds(
        Waiting,
        st.uuids().map(str),
        st.sampled_from([0, 1, 2, 4]),
        st.integers(0, 600).map(lambda minute: START + timedelta(minutes=minute)),
        st.sampled_from([0, 0, 0, 1, 2, 3]),
    ),
    unique_by=lambda entry: entry.id,
    max_size=40,
)
recents = st.lists(st.sampled_from([0, 1, 2, 4]), max_size=10)


@given(entries, recents, st.integers(1, 5), st.integers(0, 700))
def test_everybody_once_whatever_the_order_given(
    found: list[Waiting], recent: list[int], ratio: int, minute: int
) -> None:
    policy = Policy(ratio, timedelta(minutes=60))
    now = START + timedelta(minutes=minute)
    first = calling_order(found, recent, policy, now)
    assert sorted(first) == sorted(entry.id for entry in found)
    assert calling_order(reversed(found), recent, policy, now) == first


@given(entries, recents)
def test_no_regular_patient_sees_more_than_the_ratio_go_by(found: list[Waiting], recent: list[int]) -> None:
    present = [entry for entry in found if entry.calls_until_back == 0 and entry.rank >= 2]
    ranks = {entry.id: entry.rank for entry in present}
    called = calling_order(present, recent, POLICY, START)
    run = 0
    regulars_left = sum(1 for rank in ranks.values() if rank == 4)
    for position, entry_id in enumerate(called):
        if ranks[entry_id] == 4:
            run, regulars_left = 0, regulars_left - 1
        elif regulars_left:
            run += 1
            earlier = len([rank for rank in recent if rank == 2]) if position < 2 else 0
            assert run <= POLICY.ratio or earlier
