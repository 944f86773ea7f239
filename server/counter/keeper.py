"""Keeps a counter's store fresh while the core is there, and delivers what was made without it once it is back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from anyio import to_thread

from core.counters import chains, fresh_copy, pending
from core.foundation import logs, state
from core.foundation.database import connection
from core.foundation.errors import CoreError
from core.models import LentNumber, PendingRegistration
from core.schemas.counters import CopyAsked, DeliveryOut, ProfileOut, StoreCopy
from server.counter.link import AwayError, Link, code_of, is_revoked
from server.counter.machine import Machine, key_of, key_text

log = logging.getLogger(__name__)

SETTLE_SECONDS = 1.0
"""Pause after a change before the store is brought up to date: a morning brings several a second."""
CONTACT_SECONDS = 30.0
"""Longest pause between two contacts, so that the core knows how the counter stands."""
NOTED_SECONDS = 60.0
"""Pause between two notes of the time that has passed without the core."""
TRY_SECONDS = 1.0
"""Pause before the core is tried again: each finished registration is to be there within a minute."""


class RevokedError(Exception):
    """The core does not know this machine any more."""


class Keeper:
    """The work that goes on beside the requests."""

    def __init__(self, machine: Machine, link: Link) -> None:
        self._machine = machine
        self._link = link
        self._task: asyncio.Task[None] | None = None
        self._noting: asyncio.Task[None] | None = None
        self._told = ""
        self.name = ""
        """This counter's, as the core knows it."""
        self.delivered = asyncio.Event()
        """Set when everything that waited was told to the core."""

    def start(self) -> None:
        """Begin, from the running event loop."""
        self._task = asyncio.create_task(self._keep())
        self._noting = asyncio.create_task(self._note())

    async def stop(self) -> None:
        """End."""
        for task in (self._task, self._noting):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _keep(self) -> None:
        while True:
            try:
                await self._meet()
                await self._follow()
            except AwayError:
                self._link.lose()
            except RevokedError:
                self._link.lose()
                log.error("the core does not know this counter any more")
                await self._machine.close()
            except (
                Exception
            ) as error:  # the outermost handler of this work: it goes on, and the admin sees why
                self._link.lose()
                self._tell(logs.describe_failure(error))
            await asyncio.sleep(TRY_SECONDS)

    def _tell(self, failure: str) -> None:
        """Log a failure once, and not at each try."""
        if failure != self._told:
            log.error("the counter cannot be kept fresh: %s", failure)
        self._told = failure

    async def _meet(self) -> None:
        """Open the store with the core's help, deliver, and let requests go to the core."""
        await self._link.begin_anew()
        await self._open()
        await self._refresh()
        await self._deliver_all()
        self._told = ""
        self._link.come_near()

    async def _open(self) -> None:
        found = (await self._asked("GET", "/counters/store-key")).json()
        self.name = found["name"]
        self._machine.slots.forgive()
        if self._machine.is_open:
            return
        profile = ProfileOut.model_validate((await self._asked("GET", "/counters/profile")).json())
        if found["key"] and self._machine.has_store:
            await self._machine.open(key_of(found["key"]), profile)
            return
        self._machine.drop_store()
        key = Machine.new_key()
        copy = await self._copied(CopyAsked(has_secret=self._machine.has_secret))
        await self._machine.open(key, profile, copy)
        await self._asked("PUT", "/counters/store-key", {"key": key_text(key)})
        self._meet_clock(copy)

    async def _asked(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self._link.ask(method, path, body)
        if is_revoked(answer):
            raise RevokedError
        if answer.is_error:
            log.error("the core refused %s: %s", path, code_of(answer))
            raise AwayError(is_sent=True)
        return answer

    async def _copied(self, asked: CopyAsked) -> StoreCopy:
        answer = await self._asked("POST", "/counters/copy", asked.model_dump(mode="json"))
        return StoreCopy.model_validate_json(answer.content)

    def _meet_clock(self, copy: StoreCopy) -> None:
        self._machine.clock.meet(copy.now)
        self._link.clock = self._machine.clock

    async def _refresh(self) -> None:
        """Bring the store up to date, and tell the core how the counter stands."""
        asked = await to_thread.run_sync(self._standing)
        copy = await self._copied(asked)
        self._meet_clock(copy)
        await to_thread.run_sync(self._apply, copy)

    def _standing(self) -> CopyAsked:
        with connection():
            fact = state.fact(fresh_copy.FRESH_FACT) or {}
            waiting, asked = pending.counts()
            holds = [row.number for row in LentNumber.select().where(LentNumber.visit.is_null(False))]
        return CopyAsked(
            after=fact.get("sequence", 0),
            day=fact.get("day"),
            has=fact.get("digests", {}),
            has_secret=self._machine.has_secret,
            waiting=waiting,
            asked=asked,
            away_since=self._link.away_since,
            holds=holds,
        )

    def _apply(self, copy: StoreCopy) -> None:
        with connection():
            fresh_copy.apply(copy)
            self._machine.slots.keep_only(fresh_copy.accounts_that_sign_in())
        self._machine.note_contact()
        self._machine.fold_if_due()

    async def _deliver_all(self) -> None:
        """Deliver what waits, in order; then the chain of this machine."""
        if undone := await to_thread.run_sync(pending.undone_numbers):
            await self._asked("POST", "/counters/undone", {"numbers": undone})
            await to_thread.run_sync(pending.undone_told, undone)
        delivered = 0
        while waiting := await to_thread.run_sync(pending.waiting):
            for row in waiting:
                await self._deliver(row)
            delivered += len(waiting)
        await self._send_chain()
        if delivered:
            log.warning("%d registrations were delivered", delivered)
            await self._refresh()
        self.delivered.set()

    async def _deliver(self, row: PendingRegistration) -> None:
        fields = pending.delivery(row).model_dump(mode="json", exclude_unset=True)
        answer = await self._link.ask("POST", "/counters/deliveries", fields)
        if is_revoked(answer):
            raise RevokedError
        if answer.is_error and not code_of(answer):
            raise AwayError(is_sent=True)  # not the own answer of a core
        if (
            answer.is_error
        ):  # a shape that an older or newer core does not read: nothing is lost, a person looks at it
            told = DeliveryOut(outcome="asked", code=code_of(answer) or "refused")
        else:
            told = DeliveryOut.model_validate_json(answer.content)
        await to_thread.run_sync(pending.answered, row, told)

    async def _send_chain(self) -> None:
        while True:
            after, rows, sent = await to_thread.run_sync(chains.to_send)
            if not rows:
                return
            body = {"after": after, "rows": [row.model_dump(mode="json") for row in rows]}
            answer = await self._link.ask("POST", "/counters/chain", body)
            if answer.is_error:
                log.error("the chain was refused: %s", code_of(answer))
                return
            await to_thread.run_sync(chains.note_sent, sent)

    async def _follow(self) -> None:
        """Follow the core's feed: bring the store up to date after changes, and tell how the counter stands."""
        events = self._link.lines()
        loop = asyncio.get_running_loop()
        refreshed, is_due = loop.time(), False
        async with contextlib.aclosing(events):
            async for event in events:
                is_due = is_due or event in {"change", "reset"}
                pause = SETTLE_SECONDS if is_due else CONTACT_SECONDS
                if loop.time() - refreshed >= pause:
                    await self._catch_up()
                    refreshed, is_due = loop.time(), False

    async def _catch_up(self) -> None:
        await self._refresh()
        await self._deliver_all()

    async def _note(self) -> None:
        """Note now and then how much time has passed without the core."""
        while True:
            await asyncio.sleep(NOTED_SECONDS)
            if self._machine.is_open:
                with contextlib.suppress(CoreError, OSError):
                    await to_thread.run_sync(self._machine.note_contact)
                    await to_thread.run_sync(self._machine.fold_if_due)
