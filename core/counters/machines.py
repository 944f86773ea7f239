"""The machines of counters that go on without the core: added by the admin, known by a credential, revoked when lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from core.accounts import sign_ins
from core.foundation import audit, clock
from core.foundation.codes import NumberStatus, Permission, Role
from core.foundation.database import connection, transaction
from core.foundation.errors import NotAllowedError, NotFoundError, RuleError, ValidationError
from core.foundation.identifiers import new_id, new_secret
from core.foundation.permissions import Actor, actor_of
from core.models import Account, Counter, CounterDelivery, CounterPerson, LentNumber, Patient, Ticket, Token
from core.queues import lent_blocks
from core.schemas.counters import CounterOut, FlaggedDelivery

CREDENTIAL_DAYS = 365
"""Life of a machine's credential: it has to outlive a year in which nobody thinks of it."""
DAYS = 90
"""Patients who came within so many days are held, unless the head of the clinic approves more."""
MOST_DAYS = 730
"""Of what can be asked for: two years are nearly everybody who comes again."""
AWAY_AFTER = timedelta(seconds=90)
"""Silence after which a machine counts as away: it speaks at least every half a minute."""


def add(name: str, by: Actor | None = None) -> str:
    """Return the credential of a new machine; it is shown once.

    Args:
        name: As people call it.
        by: Actor of the audit event; None for a command.

    Raises:
        ValidationError: `name`: `required` or `taken`.
    """
    name = name.strip()[:40]
    with transaction():
        if not name:
            raise ValidationError({"name": "required"})
        if Counter.select().where(Counter.name == name).exists():
            raise ValidationError({"name": "taken"})
        machine: Counter = Counter.create(
            id=new_id(),
            name=name,
            account=_account(name),
            created_at=clock.now(),
            created_by=by.account_id if by is not None else None,
        )
        secret = _credential(machine)
        audit.record(by, "counter_added", "counter", machine.id, counter=name)
    return secret


def _account(name: str) -> Account:
    made: Account = Account.create(
        id=new_id(),
        username=f"counter:{new_id()[-12:]}",
        name=name,
        role=Role.COUNTER,
        password_hash="!",
        created_at=clock.now(),
        disabled_at=clock.now(),  # no password will ever sign it in
    )
    return made


def _credential(machine: Counter) -> str:
    secret, now = new_secret(), clock.now()
    Token.create(
        id=new_id(),
        token_hash=sign_ins.hash_of(secret),
        account=machine.account_id,
        created_at=now,
        expires_at=now + timedelta(days=CREDENTIAL_DAYS),
        method=sign_ins.DOOR,
        label=machine.name,
    )
    return secret


def of(actor: Actor) -> Counter:
    """Return the machine that an actor is.

    Raises:
        NotAllowedError: It is none, or it was reported lost.
    """
    actor.require(Permission.SERVE_COUNTER)
    machine: Counter | None = Counter.get_or_none(Counter.account == actor.account_id)
    if machine is None or machine.lost_at is not None:
        raise NotAllowedError(Permission.SERVE_COUNTER)
    return machine


def named(name: str) -> Counter:
    """Return a machine by its name.

    Raises:
        NotFoundError: There is none.
    """
    machine: Counter | None = Counter.get_or_none(Counter.name == name.strip())
    if machine is None:
        raise NotFoundError("counter", name)
    return machine


def keep_key(actor: Actor, key: str) -> None:
    """Keep the key of a machine's store, so that the machine opens it by itself while the core is there.

    Args:
        actor: The machine.
        key: Base64 of 32 bytes.
    """
    with transaction():
        machine = of(actor)
        machine.store_key = key
        machine.save()
        audit.record(actor, "counter_key_kept", "counter", machine.id, counter=machine.name)


def listed(actor: Actor) -> list[CounterOut]:
    """Return all machines, for the head of the clinic and the admin.

    Raises:
        NotAllowedError: The role neither administers nor approves.
    """
    if not actor.can(Permission.ADMINISTER):
        actor.require(Permission.APPROVE)
    with connection():
        return [shape(machine) for machine in Counter.select().order_by(Counter.name)]


def shape(machine: Counter) -> CounterOut:
    """Return a machine as it is sent."""
    lent = _lent(machine).count()
    return CounterOut(
        id=machine.id,
        name=machine.name,
        contact_at=machine.contact_at,
        away_since=machine.away_since,
        waiting=machine.waiting,
        asked=machine.asked,
        numbers_lent=lent,
        people=_held(machine).count(),
        days=machine.days if machine.has_secret else 0,
        has_secret=machine.has_secret,
        lost_at=machine.lost_at,
        is_away=is_away(machine) and lent > 0,
    )


def is_away(machine: Counter) -> bool:
    """Return whether a machine that is in use has not spoken to the core for a while."""
    if machine.lost_at is not None or machine.contact_at is None:
        return False
    return clock.now() - machine.contact_at > AWAY_AFTER


def not_delivered(day: date) -> list[str]:
    """Return the names of the machines that may hold registrations of a day which the core does not have."""
    in_use = Counter.select().where(Counter.lost_at.is_null(), Counter.contact_at.is_null(False))
    return [machine.name for machine in in_use.order_by(Counter.name) if _may_hold(machine, day)]


def _may_hold(machine: Counter, day: date) -> bool:
    if machine.waiting or machine.asked:
        return True
    return is_away(machine) and bool(_lent(machine).where(LentNumber.service_on == day).exists())


def _lent(machine: Counter) -> Any:
    return LentNumber.select().where(
        LentNumber.counter == machine.id, LentNumber.status == NumberStatus.LENT, LentNumber.cluster != ""
    )


def _held(machine: Counter) -> Any:
    return CounterPerson.select().where(
        CounterPerson.counter == machine.id, CounterPerson.held_until.is_null()
    )


def lose(name: str, by: Actor | None = None) -> tuple[Counter, list[Patient]]:
    """Revoke a machine that is lost or stolen; return it, and whose cards its store held.

    Args:
        name: Its name.
        by: Actor of the audit event; None for a command.

    Raises:
        NotFoundError: There is none.
        RuleError: `counter_lost`: it was reported before.
    """
    with transaction():
        machine = named(name)
        if machine.lost_at is not None:
            raise RuleError("counter_lost", lost_at=machine.lost_at.isoformat())
        people = held_people(machine)
        machine.lost_at, machine.lost_by_id = clock.now(), by.account_id if by is not None else None
        machine.store_key = ""
        machine.save()
        sign_ins.end_all(machine.account, "disabled")
        account = actor_of(machine.account, "lost")
        lent_blocks.end(by or account, list(_lent(machine)), NumberStatus.VOIDED, f"{machine.name}: lost")
        audit.record(
            by, "counter_lost", "counter", machine.id, counter=machine.name, people=len(people),
            waiting=machine.waiting, asked=machine.asked,
        )  # fmt: skip
    return machine, people


def held_people(machine: Counter) -> list[Patient]:
    """Return the patients whose cards a machine's store holds, by name."""
    rows = (
        Patient.select()
        .join(CounterPerson)
        .where(CounterPerson.counter == machine.id, CounterPerson.held_until.is_null())
    )
    return list(rows.order_by(Patient.name))


def set_days(name: str, days: int, by: Actor | None = None) -> None:
    """Let a machine hold the patients of so many days; in the transaction of the approval, where it is more than `DAYS`.

    Args:
        name: Its name.
        days: 0: today's only.
        by: Actor of the audit event.

    Raises:
        ValidationError: `days`: `out_of_range`.
    """
    if not 0 <= days <= MOST_DAYS:
        raise ValidationError({"days": "out_of_range"})
    with transaction():
        machine = named(name)
        machine.days = days
        machine.save()
        audit.record(by, "counter_reach_set", "counter", machine.id, counter=machine.name, days=days)


def flagged(actor: Actor) -> list[FlaggedDelivery]:
    """Return the deliveries that the head of the clinic has not looked at yet.

    Raises:
        NotAllowedError: The role does not approve.
    """
    actor.require(Permission.APPROVE)
    with connection():
        rows: Sequence[CounterDelivery] = list(
            CounterDelivery.select()
            .where(CounterDelivery.flag != "", CounterDelivery.seen_at.is_null())
            .order_by(CounterDelivery.delivered_at)
        )
        return [_flagged(row) for row in rows]


def _flagged(row: CounterDelivery) -> FlaggedDelivery:
    ticket = Ticket.select().where(Ticket.visit == row.visit_id).order_by(Ticket.issued_at).first()
    return FlaggedDelivery(
        id=row.id,
        counter=row.counter.name,
        account=row.account.name,
        visit_id=row.visit_id,
        number=ticket.number if ticket is not None else "",
        flag=row.flag,
        delivered_at=row.delivered_at,
    )


def look_at(actor: Actor, delivery_id: str) -> None:
    """Note that the head of the clinic has looked at a flagged delivery.

    Raises:
        NotAllowedError: The role does not approve.
        NotFoundError: There is no such delivery.
    """
    actor.require(Permission.APPROVE)
    with transaction():
        row = CounterDelivery.get_or_none(CounterDelivery.id == delivery_id, CounterDelivery.flag != "")
        if row is None:
            raise NotFoundError("counter_delivery", delivery_id)
        row.seen_at, row.seen_by_id = clock.now(), actor.account_id
        row.save()
        audit.record(actor, "delivery_looked_at", "counter_delivery", row.id, flag=row.flag)
