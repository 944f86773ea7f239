"""Whoever waits stays in the queue: over midnight, through the night shift, and whatever is done to the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from core.accounts.service import create_account
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryAction, EntryStatus, NoIdentifierReason, Payer, Role, Sex
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.errors import ConflictError, RuleError, SettingsError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor, actor_of
from core.models import QueueEntry
from core.queues import board, service_days, views, waiting_room
from core.queues import service as queueing
from core.queues.clusters import load_clusters
from core.records import access
from core.schemas.patients import PatientFields
from core.schemas.queues import EntryCommand, EntryOut
from core.schemas.registration import Receipt, RegistrationRequest
from core.visits import registration

ROUND_THE_CLOCK = Path("core/data/clusters_poli.toml").read_text("utf-8").replace(
    'prefix = "F"', 'prefix = "F"\nday_ends_at = "07:00"'
)  # fmt: skip
SERIAL = count(1)
MIDNIGHT = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)  # at the clinic: the end of 2 March
MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 09:00 at the clinic
HOUR, YEAR = timedelta(hours=1), timedelta(days=365)


class Hands:
    """A counter and a dentist, at a clock that can be set."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.now = MORNING
        self.clerk = self._actor("clerk", Role.CLERK)
        self.dentist = self._actor("dentist", Role.CLINICIAN, "GIGI", "IGD")
        self.boss = self._actor("boss", Role.SUPERVISOR)

    def _actor(self, name: str, role: Role, *clusters: str) -> Actor:
        return actor_of(
            create_account(name, f"Petugas {name}", role, "long enough 1", list(clusters)), "test"
        )

    def comes(self, cluster: str = "GIGI") -> Receipt:
        self.now += timedelta(minutes=1)
        serial = next(SERIAL)
        fields = PatientFields(
            name=f"{'Ani Budi Citra Dodi Euis Fajar Gita Hadi'.split()[serial % 8]} Nomor{chr(97 + serial % 26)}",
            sex=Sex.FEMALE, birth_date=date(1990, 1, 1) + timedelta(days=serial * 11), no_identifier_reason=NoIdentifierReason.FORGOTTEN,
        )  # fmt: skip
        request = RegistrationRequest(
            id=new_id(), patient=fields, payer=Payer.GENERAL, chief_complaint="sakit gigi", cluster=cluster,
            override_reason="begitu", duplicate_decision="different",
        )  # fmt: skip
        return registration.register(self.clinic, self.clerk, request)[0]

    def pane(self, cluster: str = "GIGI") -> list[EntryOut]:
        return views.queue(self.clinic, self.dentist, cluster).entries

    def numbers(self, cluster: str = "GIGI") -> list[str]:
        return [entry.number for entry in self.pane(cluster) if entry.ended_at is None]

    def calls(self, cluster: str = "GIGI") -> str | None:
        self.now += timedelta(minutes=1)
        called = queueing.call_next(self.clinic, self.dentist, cluster)
        return called.number if called is not None else None

    def does(self, action: EntryAction, entry_id: str) -> EntryOut:
        return queueing.act(self.clinic, self.dentist, entry_id, action, EntryCommand())


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    (tmp_path / "clusters.toml").write_text(ROUND_THE_CLOCK)
    clinic = Clinic.open(Settings(home=tmp_path, clusters=str(tmp_path / "clusters.toml")))
    hands: list[Hands] = []
    with clock.frozen(lambda: hands[0].now if hands else MORNING), connection():
        hands.append(Hands(clinic))
        yield hands[0]
    database.close()


def test_at_midnight_nobody_disappears(hands: Hands) -> None:
    hands.now = MIDNIGHT - timedelta(minutes=10)
    first, second, third = (hands.comes() for _ in range(3))
    hands.now = MIDNIGHT + timedelta(minutes=5)
    assert hands.numbers() == ["B-001", "B-002", "B-003"]
    assert hands.calls() == "B-001"
    assert hands.does(EntryAction.UNDO, first.ticket.id).status is EntryStatus.WAITING
    assert waiting_room.waiting_room(hands.clinic).waiting["Poli Gigi"] == 3
    assert {row.code: row.waiting for row in board.board(hands.clinic, hands.boss).clusters}["GIGI"] == 3
    assert {row.code: row.waiting for row in views.clusters(hands.clinic, hands.clerk)}["GIGI"] == 3
    assert access.is_own_patient(hands.clinic, hands.dentist, second.patient_id)
    hands.does(EntryAction.START, third.ticket.id)
    assert hands.does(EntryAction.FINISH, third.ticket.id).status is EntryStatus.DONE
    assert hands.does(EntryAction.UNDO, third.ticket.id).status is EntryStatus.IN_SERVICE


def test_a_number_that_somebody_holds_is_not_given_again(hands: Hands) -> None:
    hands.now = MIDNIGHT - timedelta(minutes=10)
    waiting = [hands.comes() for _ in range(3)]
    hands.does(EntryAction.LEAVE, waiting[0].ticket.id)
    hands.now = MIDNIGHT + timedelta(minutes=5)
    later = [hands.comes().ticket.number for _ in range(2)]
    assert later == ["B-001", "B-004"]
    assert hands.numbers() == ["B-002", "B-003", "B-001", "B-004"]


def test_who_waits_since_yesterday_gets_no_second_place(hands: Hands) -> None:
    hands.now = MIDNIGHT - timedelta(minutes=10)
    receipt = hands.comes()
    hands.now = MIDNIGHT + timedelta(minutes=5)
    again = RegistrationRequest(
        id=new_id(), patient_id=receipt.patient_id, payer=Payer.GENERAL, chief_complaint="sakit gigi", cluster="GIGI"
    )  # fmt: skip
    with pytest.raises(ConflictError) as refused:
        registration.register(hands.clinic, hands.clerk, again)
    assert refused.value.details["number"] == "B-001"


def test_the_night_belongs_to_the_day_before_where_the_clock_goes_round(hands: Hands) -> None:
    hands.now = MIDNIGHT - timedelta(minutes=10)
    hands.comes("IGD")
    hands.now = MIDNIGHT + 2 * HOUR
    night = hands.comes("IGD")
    assert night.ticket.number == "F-002"
    assert QueueEntry.get_by_id(night.ticket.id).service_on == date(2026, 3, 2)
    hands.does(EntryAction.LEAVE, night.ticket.id)
    assert len(hands.pane("IGD")) == 2, "the whole night's list, not only who is still there"
    assert hands.does(EntryAction.UNDO, night.ticket.id).status is EntryStatus.WAITING
    assert hands.comes("GIGI").ticket.number == "B-001"
    hands.now = MIDNIGHT + 7 * HOUR
    assert hands.comes("IGD").ticket.number == "F-003", "F-001 and F-002 still wait"
    assert service_days.present_day(hands.clinic, "IGD") == date(2026, 3, 3)
    assert hands.numbers("IGD") == ["F-001", "F-002", "F-003"]


@pytest.mark.parametrize("wrong", ["25:00", "7", "13:00", "07:00:00", ""])
def test_a_wrong_end_of_the_night_stops_the_start(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "clusters.toml"
    file.write_text(ROUND_THE_CLOCK.replace('"07:00"', f'"{wrong}"'))
    with pytest.raises(SettingsError, match="day_ends_at must be a time in the morning such as 07:00"):
        load_clusters(str(file))


@pytest.mark.parametrize(
    ("ahead", "after"),
    [
        pytest.param(HOUR, timedelta(), id="an hour ahead and set right"),
        pytest.param(YEAR, timedelta(), id="a year ahead and set right"),
        pytest.param(YEAR, timedelta(days=1), id="a year ahead, set right on the next morning"),
        pytest.param(timedelta(), -HOUR, id="set back an hour"),
        pytest.param(timedelta(), timedelta(days=-1), id="set back a day"),
    ],
)
def test_who_came_first_is_called_first_whatever_the_clock_says(
    hands: Hands, ahead: timedelta, after: timedelta
) -> None:
    hands.now = MORNING + ahead
    early = [hands.comes().ticket.number for _ in range(3)]
    hands.now = MORNING + after + timedelta(minutes=3)
    late = [hands.comes().ticket.number for _ in range(3)]
    hands.now += timedelta(minutes=70)
    assert early + late == [f"B-{number:03d}" for number in range(1, 7)]
    assert [hands.calls() for _ in range(7)] == [*early, *late, None]


def test_what_ended_on_an_earlier_day_is_not_undone(hands: Hands) -> None:
    receipt = hands.comes()
    hands.does(EntryAction.LEAVE, receipt.ticket.id)
    hands.now += timedelta(days=1)
    with pytest.raises(RuleError, match="undo_not_possible"):
        hands.does(EntryAction.UNDO, receipt.ticket.id)
