"""Counters' own machines: what the core gives them, and what it takes from them."""

from __future__ import annotations

from fastapi import Response

from core.counters import chains, copies, deliveries, machines, profiles
from core.foundation.codes import Permission
from core.foundation.database import connection
from core.schemas.counters import (
    ChainFields,
    CopyAsked,
    CounterOut,
    DeliveryFields,
    DeliveryOut,
    DroppedFields,
    FlaggedDelivery,
    ProfileOut,
    StoreCopy,
    StoreKeyFields,
    StoreKeyOut,
    UndoneFields,
)
from server.resources import resource
from server.security import ActorNow, ClinicNow

router = resource("counters")


@router.get("/counters")
def counters(actor: ActorNow) -> list[CounterOut]:
    """Return the machines, how long they have been silent, and what waits there."""
    return machines.listed(actor)


@router.get("/counters/profile")
def profile(actor: ActorNow, clinic: ClinicNow) -> ProfileOut:
    """Return the clinic's settings and files by which a counter works without the core."""
    with connection():
        machines.of(actor)
    return profiles.profile(clinic)


@router.get("/counters/store-key")
def store_key(actor: ActorNow) -> StoreKeyOut:
    """Return the key of a machine's store: while the core is there, it is opened without a password."""
    with connection():
        machine = machines.of(actor)
        return StoreKeyOut(name=machine.name, key=machine.store_key)


@router.put("/counters/store-key", status_code=204)
def keep_store_key(body: StoreKeyFields, actor: ActorNow) -> Response:
    """Keep the key of a machine's store."""
    machines.keep_key(actor, body.key)
    return Response(status_code=204)


@router.post("/counters/copy")
def copy(body: CopyAsked, actor: ActorNow, clinic: ClinicNow) -> StoreCopy:
    """Return what is new to a machine, and lend it numbers."""
    return copies.fresh(clinic, actor, body)


@router.post("/counters/deliveries")
def deliver(body: DeliveryFields, actor: ActorNow, clinic: ClinicNow) -> DeliveryOut:
    """Take one registration that was made without the core: delivered once, or a question."""
    with connection():
        return deliveries.deliver(clinic, actor, body)


@router.post("/counters/undone", status_code=204)
def undone(body: UndoneFields, actor: ActorNow) -> Response:
    """Void the numbers of registrations that were taken back before the core heard of them."""
    deliveries.undone(actor, body.numbers)
    return Response(status_code=204)


@router.post("/counters/chain")
def chain(body: ChainFields, actor: ActorNow) -> dict[str, int]:
    """Keep the next rows of a machine's own audit chain."""
    return {"length": chains.take(actor, body)}


@router.post("/counters/dropped", status_code=204)
def drop(body: DroppedFields, actor: ActorNow, clinic: ClinicNow) -> Response:
    """Void the number of a registration that was given up at a counter: the patient is registered otherwise."""
    actor.require(Permission.REGISTER)
    deliveries.drop(clinic, actor, body.number, body.reason)
    return Response(status_code=204)


@router.get("/counters/flagged")
def flagged(actor: ActorNow) -> list[FlaggedDelivery]:
    """Return deliveries that the head of the clinic should look at."""
    return machines.flagged(actor)


@router.post("/counters/flagged/{delivery_id}/seen", status_code=204)
def look_at(delivery_id: str, actor: ActorNow) -> Response:
    """Note that a flagged delivery was looked at."""
    machines.look_at(actor, delivery_id)
    return Response(status_code=204)
