"""The end of a cluster's day: who is still there, what its people say to that, and what the closing ended.

From ten minutes before the closing hour the cluster is asked as long as somebody is there. *Going on* keeps them
for an hour, also beyond `LOKET_CLOSE_LATEST`; *ending* ends them at once; without an answer the closing ends them at
that hour. What it ended by itself is told to the cluster until somebody has seen it, and can be taken back.
"""

from __future__ import annotations

from core.foundation import audit, clock, feed, state
from core.foundation.clinic import Clinic
from core.foundation.codes import DayEndAnswer, Permission
from core.foundation.database import connection, instant_text, transaction
from core.foundation.errors import RuleError
from core.foundation.permissions import Actor
from core.models import QueueEntry
from core.queues import people_left, service_days
from core.queues.entries import open_entries, shown_by_ids
from core.queues.service import close_entries
from core.queues.views import entry_row_out, for_actor
from core.schemas.queues import DayEndOut, EntryOut


def day_end(clinic: Clinic, actor: Actor, cluster: str) -> DayEndOut:
    """Return how a cluster's day ends, with those whom the closing ended by itself.

    Args:
        clinic: The clinic.
        actor: Actor who reads.
        cluster: Code of the cluster.

    Raises:
        NotAllowedError: The role may not see queues.
        NotFoundError: There is no such cluster.
    """
    actor.require(Permission.READ_QUEUES)
    code = clinic.clusters[cluster].code
    with connection():
        ended = [for_actor(actor, shown) for shown in _ended_by_closing(clinic, code)]
        return people_left.present_state(clinic, code).model_copy(update={"ended": ended})


def asking(clinic: Clinic) -> list[str]:
    """Return the codes of the clusters whose people are asked now."""
    with connection():
        return [code for code in clinic.clusters if people_left.present_state(clinic, code).asks]


def remind(clinic: Clinic) -> None:
    """Have every pane read again, if some cluster is asked: the hour alone changes no pane."""
    if asking(clinic):
        with transaction():
            feed.append("day_closing")


def answer(clinic: Clinic, actor: Actor, cluster: str, said: DayEndAnswer) -> DayEndOut:
    """Take the answer of a cluster's people about those who are still there.

    Args:
        clinic: The clinic.
        actor: Actor who answers.
        cluster: Code of the cluster.
        said: The answer.

    Returns:
        How the day ends now.

    Raises:
        NotAllowedError: The cluster is not one of the actor's.
        NotFoundError: There is no such cluster.
        RuleError: `not_closing_yet`: it is not asked before ten minutes before its hour.
    """
    code = clinic.clusters[cluster].code
    actor.require(Permission.WORK_QUEUE)
    actor.require_cluster(code)
    with transaction():
        here = people_left.left_in(clinic, [code], service_days.asked_day(clinic, code))
        if said is not DayEndAnswer.SEEN:
            _require_hour(clinic, code)
        _note(code, actor, said)
        if said is DayEndAnswer.END:
            close_entries(actor, [entry.id for entry in here])
        audit.record(actor, "day_end_answered", "cluster", code, answer=said.value, people=len(here))
        feed.append("day_closing")
    return day_end(clinic, actor, code)


def _require_hour(clinic: Clinic, cluster: str) -> None:
    """Refuse an answer in the middle of the day: a key pressed by mistake must send nobody home."""
    today = service_days.present_day(clinic, cluster)
    closes = service_days.closes_at(clinic, cluster, today)
    if (
        service_days.asked_day(clinic, cluster) != today
        and not people_left.present_state(clinic, cluster).people
    ):
        raise RuleError("not_closing_yet", closes=closes.astimezone(clinic.zone).strftime("%H:%M"))


def _note(cluster: str, actor: Actor, said: DayEndAnswer) -> None:
    known = state.fact(people_left.fact_key(cluster)) or {}
    now = clock.now()
    if said is DayEndAnswer.SEEN:
        known["seen_at"] = instant_text(now)
    else:
        until = now + people_left.GOES_ON if said is DayEndAnswer.GO_ON else now
        known |= {"until": instant_text(until), "by": actor.account_id, "said": said.value}
    state.note(people_left.fact_key(cluster), **known)


def end_of_night(clinic: Clinic, actor: Actor) -> int:
    """End those who are left of a night shift, an hour after its end, where nobody said that they stay.

    The closing of the day would do it only in the afternoon.

    Returns:
        Number of entries ended.
    """
    nights = [code for code, cluster in clinic.clusters.items() if cluster.day_ends_at is not None]
    stays = people_left.may_stay(clinic, clinic.today())
    with connection():
        left = list(open_entries(QueueEntry.select()).where(QueueEntry.cluster.in_(nights or [""])))
    return close_entries(actor, [entry.id for entry in left if not stays(entry)])


def _ended_by_closing(clinic: Clinic, cluster: str) -> list[EntryOut]:
    """Return those whom the closing ended in the last days, the newest first."""
    ids = people_left.ids_ended(cluster)
    return [entry_row_out(row) for row in shown_by_ids(ids)]
