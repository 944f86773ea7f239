"""The twelve terminals of the day: three counters and nine rooms, each with a client of its own."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.day.plan import MINUTES, Person, plan_late
from tests.people import registration

CLERKS = ("clerk", "clerk2", "clerk3")
ROOMS = {
    "doctor": ("UMUM",), "doctor2": ("UMUM",), "doctor3": ("UMUM",), "elder": ("LANSIA",), "dentist": ("GIGI",),
    "midwife": ("KIA",), "emergency": ("IGD",), "lab": ("LAB",), "pharmacist": ("FARMASI",),
}  # fmt: skip
"""Account -> clusters; three of them race on one queue."""
CALLS_BEFORE_SKIP = 3
UNDONE, HELD, RAISED, BY_NAME = 0.04, 0.03, 0.01, 0.12
"""Share of steps undone and repeated, of services held, priorities raised, and patients called by name."""

Answer = dict[str, Any]


@dataclass
class Day:
    """The clock shared by all terminals, and their records."""

    speed: float
    """Seconds of the clinic in one second."""
    people: dict[str, Person] = field(default_factory=dict)
    """Visit id -> its person."""
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Action -> durations of its answers."""
    receipts: list[Answer] = field(default_factory=list)
    calls: list[Answer] = field(default_factory=list)
    """Entries returned by call-next, as answered."""
    calls_by_name: set[tuple[str, int]] = field(default_factory=set)
    """(entry, version afterwards) of calls of a certain person."""
    losers: list[Answer] = field(default_factory=list)
    """Refusals of those who were too late."""
    unexpected: list[str] = field(default_factory=list)
    arrivals_left: int = 0
    busy: int = 0
    """Rooms with a patient."""

    async def minutes(self, number: float) -> None:
        """Wait so many minutes of the clinic."""
        await asyncio.sleep(number * 60 / self.speed)


class Terminal:
    """One signed-in person."""

    def __init__(self, day: Day, url: str, username: str, seed: int) -> None:
        self.day, self.username = day, username
        self.chance = random.Random(f"{seed} {username}")
        self.http = httpx.AsyncClient(base_url=f"{url}/api/v1/", timeout=30)

    async def sign_in(self) -> None:
        """Get a token; in the morning's rush the server may say to wait."""
        while True:
            answer = await self.http.post("tokens", json={"username": self.username, "password": "demo"})
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            await asyncio.sleep(float(answer.headers["Retry-After"]))
        answer.raise_for_status()
        self.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    async def ask(self, name: str, method: str, path: str, body: Answer | None = None) -> httpx.Response:
        """Send one timed call."""
        began = time.perf_counter()
        answer = await self.http.request(method, path, json=body)
        if answer.status_code == 401:  # on a slow machine the day gets longer than a session
            await self.sign_in()
            answer = await self.http.request(method, path, json=body)
        self.day.seconds[name].append(time.perf_counter() - began)
        if answer.status_code == 409 and answer.json()["code"] == "changed_meanwhile":
            self.day.losers.append(answer.json())
        elif answer.is_error:
            self.day.unexpected.append(f"{self.username} {name}: {answer.status_code} {answer.text[:200]}")
        return answer

    async def act(self, entry: Answer, action: str, **body: Any) -> Answer | None:
        """Act on an entry as seen; None when another was faster. Sometimes undo and repeat it."""
        command = {"expected_version": entry["version"], **body}
        answer = await self.ask(action, "POST", f"queue-entries/{entry['id']}/{action}", command)
        if answer.is_error:
            return None
        after: Answer = answer.json()
        if action != "undo" and self.chance.random() < UNDONE:
            back = await self.act(after, "undo")
            return await self.act(back, action, **body) if back is not None else None
        return after


class Clerk(Terminal):
    """A counter: registers patients, and is told of those who leave."""

    async def work(self, people: Iterable[Person]) -> None:
        """Register the day's people of this counter, each on arrival."""
        passed = 0.0
        leaving = []
        for person in people:
            await self.day.minutes(max(0.0, person.arrives - passed))
            passed = max(passed, person.arrives)
            began = time.monotonic()
            receipt = await self.register(person)
            passed += (time.monotonic() - began) * self.day.speed / 60
            if receipt is not None and person.goes_away_after is not None:
                leaving.append(asyncio.create_task(self.sees_leave(receipt, person.goes_away_after)))
            self.day.arrivals_left -= 1
        await asyncio.gather(*leaving)

    async def register(self, person: Person) -> Answer | None:
        """Register one patient, perhaps twice, perhaps undone at once."""
        body = registration(**person.registration)
        answer = await self.ask("register", "POST", "registrations", body)
        if answer.is_error:
            return None
        receipt: Answer = answer.json()
        self.day.people[receipt["visit_id"]] = person
        self.day.receipts.append(receipt)
        if person.registered_twice:
            again = await self.ask("register again", "POST", "registrations", body)
            if again.status_code != 200 or again.json()["ticket"]["number"] != receipt["ticket"]["number"]:
                self.day.unexpected.append("the second send got another receipt")
        if person.taken_back:
            path = f"registrations/{receipt['registration_id']}/undo"
            taken = await self.http.post(path)
            if taken.is_error and taken.json()["code"] not in {"undo_not_possible", "undo_too_late"}:
                self.day.unexpected.append(f"undo of a registration: {taken.text[:200]}")
        return receipt

    async def sees_leave(self, receipt: Answer, minutes: float) -> None:
        """Note that a patient leaves; too late when they were called meanwhile."""
        await self.day.minutes(minutes)
        entry = {"id": receipt["ticket"]["id"], "version": None}
        await self.act(entry, "leave")


class Room(Terminal):
    """A room: calls, waits, serves, sends on."""

    def __init__(self, day: Day, url: str, username: str, seed: int, clusters: tuple[str, ...]) -> None:
        super().__init__(day, url, username, seed)
        self.cluster = clusters[0]

    async def work(self) -> None:
        """Call until no more patients can come."""
        idle = 0
        while idle < 3:
            entry = await self.call()
            if entry is not None:
                idle = 0
                self.day.busy += 1
                try:
                    await self.attend(entry)
                finally:
                    self.day.busy -= 1
                continue
            # A patient in another room may still be sent here.
            over = not self.day.arrivals_left and not self.day.busy
            idle = idle + 1 if over else 0
            await self.day.minutes(2)

    async def call(self) -> Answer | None:
        """Call the next patient; sometimes one by name, as two rooms may do at once."""
        if self.chance.random() < BY_NAME:
            pane = (await self.ask("read pane", "GET", f"queues/{self.cluster}")).json()
            waiting = [entry for entry in pane["entries"] if entry["status"] in {"waiting", "skipped"}]
            if waiting:
                await self.day.minutes(0.5)  # looking at the screen
                called = await self.act(waiting[0], "call", service_point=self.username)
                if called is not None:
                    self.day.calls_by_name.add((called["id"], called["version"]))
                return called
        body = {"service_point": self.username}
        answer = await self.ask("call next", "POST", f"queues/{self.cluster}/call-next", body)
        if answer.status_code != 200:
            return None
        entry: Answer = answer.json()
        self.day.calls.append({**entry, "by": self.username})
        if self.chance.random() < UNDONE:
            await self.act(entry, "undo")
            return await self.call()
        return entry

    async def attend(self, entry: Answer) -> None:
        """Attend a patient from the call to the end of the service, or to the chair that stays empty."""
        while entry["visit_id"] not in self.day.people:  # noqa: ASYNC110  # an event for each would say no more
            await asyncio.sleep(0.01)  # called before the counter had read its own receipt
        person = self.day.people[entry["visit_id"]]
        while entry["call_count"] < person.answers_call:
            await self.day.minutes(0.4)
            if entry["call_count"] % CALLS_BEFORE_SKIP == 0:
                action = "leave" if entry["call_count"] >= 2 * CALLS_BEFORE_SKIP else "skip"
                await self.act(entry, action)
                return
            again = await self.act(entry, "recall")
            if again is None:
                return
            entry = again
        started = await self.act(entry, "start")
        if started is not None:
            await self.serve(started, person)

    async def serve(self, entry: Answer, person: Person) -> None:
        """Serve a patient, then send them on."""
        if self.chance.random() < RAISED:
            raised = await self.act(entry, "prioritise", priority="yellow", reason="worse")
            entry = raised or entry
        if self.chance.random() < HELD:
            held = await self.act(entry, "hold")
            if held is not None:
                await self.day.minutes(1)
                entry = await self.act(held, "resume") or held
        await self.day.minutes(MINUTES[self.cluster] * self.chance.uniform(0.5, 1.5))
        if self.cluster == "UMUM" and person.moves_to is not None:
            target, person.moves_to = person.moves_to, None
            await self.act(entry, "transfer", cluster=target)
        elif person.laboratory and self.cluster not in {"LAB", "FARMASI"}:
            person.laboratory = False
            await self.act(entry, "send", cluster="LAB")
        elif entry["returns_to"] is not None:
            await self.act(entry, "return")
        elif person.pharmacy and self.cluster != "FARMASI":
            await self.act(entry, "transfer", cluster="FARMASI")
        else:
            await self.act(entry, "finish", disposition="home")


async def live_through(day: Day, url: str, people: list[Person], seed: int) -> None:
    """Open twelve terminals and play the day."""
    clerks = [Clerk(day, url, name, seed) for name in CLERKS]
    rooms = [Room(day, url, name, seed, clusters) for name, clusters in ROOMS.items()]
    day.arrivals_left = len(people)
    await asyncio.gather(*(terminal.sign_in() for terminal in (*clerks, *rooms)))
    await asyncio.gather(
        *(clerk.work(people[number :: len(clerks)]) for number, clerk in enumerate(clerks)),
        *(room.work() for room in rooms),
    )
    await stay_after_hours(clerks[0], rooms[0])
    for terminal in (*clerks, *rooms):
        await terminal.http.aclose()


async def stay_after_hours(clerk: Clerk, room: Room) -> None:
    """Play three late arrivals: at the closing one is in service, one called, one waits."""
    for person in plan_late(3):
        await clerk.register(person)
    for action in ("start", None):
        answer = await room.ask("call next", "POST", f"queues/{room.cluster}/call-next", {})
        room.day.calls.append({**answer.json(), "by": room.username})
        if action is not None:
            await room.ask(action, "POST", f"queue-entries/{answer.json()['id']}/{action}", {})
