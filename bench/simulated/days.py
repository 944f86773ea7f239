"""Some days of a clinic: clerks and clinicians in an order drawn from the seed, and a disk that fails between."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import apsw
import peewee

from bench.simulated.disk import FAULTS, Disk, remove
from bench.simulated.promises import Broken, Promises
from core.accounts import service as accounts
from core.foundation import clock, identifiers
from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, EntryAction, EntryStatus, Payer, Priority, Role
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.errors import CoreError, DatabaseError
from core.foundation.permissions import Actor, actor_of
from core.models import Account
from core.queues import service as queueing
from core.queues import undo as queue_undo
from core.schemas.queues import EntryCommand
from core.schemas.registration import RegistrationRequest
from core.visits import registration

BLOCK_DAYS = 10
"""Days that one clinic lives: the longer, the more each look at everything costs."""
FIRST = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)  # 08:00 at the clinic
COMPLAINTS = {"UMUM": "batuk pilek tiga hari", "GIGI": "sakit gigi geraham", "KIA": "suntik KB"}
STAFF = {
    "rina": (Role.CLERK, ()), "budi": (Role.CLERK, ()),
    "umum": (Role.CLINICIAN, ("UMUM",)), "kedua": (Role.CLINICIAN, ("UMUM", "GIGI")),
    "gigi": (Role.CLINICIAN, ("GIGI",)), "bidan": (Role.CLINICIAN, ("KIA",)),
    "analis": (Role.LAB, ("LAB",)),
}  # fmt: skip
A = EntryAction
NEXT = {
    EntryStatus.CALLED: (A.START, A.START, A.START, A.RECALL, A.SKIP, A.LEAVE, A.UNDO, A.FINISH),
    EntryStatus.IN_SERVICE: (A.FINISH, A.FINISH, A.FINISH, A.TRANSFER, A.SEND, A.HOLD, A.UNDO, A.RETURN),
    EntryStatus.ON_HOLD: (A.RESUME, A.RESUME, A.FINISH, A.LEAVE),
}
"""Status of the entry in the room -> what may be next, as often as it stands here."""
IN_ROOM = (
    "SELECT id, status, cluster, returns_to_id IS NOT NULL FROM queue_entry"
    " WHERE practitioner_id = ? AND ended_at IS NULL AND voided_at IS NULL"
    f" AND status IN ({', '.join(repr(str(status)) for status in NEXT)}) ORDER BY id LIMIT 1"
)
"""The entry that a clinician goes on with, asked for at each of their steps."""
ENDS = frozenset({A.SKIP, A.LEAVE, A.FINISH, A.TRANSFER, A.SEND, A.RETURN, A.UNDO, A.CANCEL})
"""Actions after which a call no longer holds."""
MOVES = frozenset({A.TRANSFER, A.SEND, A.RETURN})
FAULT_SHARE = 0.08  # of the steps
LOST_ANSWERS = 0.06


class Crashed(Exception):
    """The machine is gone; whatever was under way is not known to have happened."""


@dataclass
class Tally:
    """Counts of the events in some blocks of days."""

    days: int = 0
    people: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Of everything that happened, in order: two runs of one seed have the same."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16]


class Block:
    """One clinic for some days, all from one seed."""

    def __init__(self, disk: Disk, prepared: Path, folder: Path, seed: str, tally: Tally) -> None:
        self._chance = random.Random(seed)
        self._disk = disk
        self._home = folder / "home"
        shutil.copytree(prepared, self._home)
        self._tally = tally
        self._promises = Promises(checked=tally.checked)
        self._now = FIRST
        self._ids = 0
        self._unsent: dict[str, RegistrationRequest] = {}
        """Clerk -> the form that is not answered yet; it is sent again with the same id."""
        self._last: dict[str, tuple[str, str]] = {}
        """Clerk -> the last one's visit and entry, who may be undone or cancelled."""
        self._patients: list[str] = []
        self._names: dict[str, str] = {}

    def run(self, days: int) -> None:
        """Live some days.

        Raises:
            Broken: A promise was not kept.
        """
        with clock.frozen(lambda: self._now), self._seeded_ids():
            self._disk.begin(self._home, self._chance)
            self._open()
            for _ in range(days):
                self._day()
                self._tally.days += 1
        self._close()
        remove(self._home)

    @contextmanager
    def _seeded_ids(self) -> Iterator[None]:
        before = identifiers.uuid7
        identifiers.uuid7 = self._uuid7
        try:
            yield
        finally:
            identifiers.uuid7 = before

    def _uuid7(self) -> UUID:
        """Return ids in the order of their making, from the seed alone."""
        self._ids += 1
        return UUID(int=(self._ids << 80) | 0x7 << 76 | 0x2 << 62 | self._chance.getrandbits(60))

    def _open(self) -> None:
        self._clinic = Clinic.open(Settings(home=self._home))
        with connection():
            self._actors = {row.username: actor_of(row, "simulated") for row in Account.select()}

    def _close(self) -> None:
        with suppress(peewee.DatabaseError, apsw.Error):
            database.close()

    # A day.

    def _day(self) -> None:
        start = self._now
        people = self._chance.randint(10, 20)
        self._tally.people += people
        coming = people
        while coming > 0 or self._somebody_is_here():
            who = self._chance.choice([*(name for name in STAFF), "keeper"])
            if STAFF.get(who, ("",))[0] == Role.CLERK and (coming > 0 or who in self._unsent):
                coming -= self._attempt(who, self._clerk)
            elif who == "keeper":
                self._attempt(who, self._keep)
            elif who in STAFF and STAFF[who][0] != Role.CLERK:
                self._attempt(who, self._clinician)
            self._now += timedelta(seconds=self._chance.randint(1, 90))
            if (self._now - start) > timedelta(hours=6):
                break
        while not self._attempt("closing", self._close_day):
            pass
        self._promises.whole(self._clinic)
        self._now = start + timedelta(days=1, minutes=self._chance.randint(0, 30))

    def _somebody_is_here(self) -> bool:
        with connection():
            here = database.execute_sql("SELECT 1 FROM queue_entry WHERE ended_at IS NULL LIMIT 1")
            return here.fetchone() is not None

    def _attempt(self, who: str, step: Callable[[str], str]) -> bool:
        """Let somebody do one step, perhaps with a fault; return whether it was answered."""
        fault = self._chance.choice(FAULTS) if self._chance.random() < FAULT_SHARE else None
        if fault is not None:
            self._disk.plan(fault, self._chance.randint(1, 14))
        outcome, done = self._outcome_of(who, step)
        if fault is not None and not self._disk.withdraw():
            self._tally.faults[fault] += 1
            outcome += f" [{fault}]"
        if self._chance.random() < 0.01 and self._disk.crashed_into is None:
            self._disk.crash(power=False)
            self._tally.faults["kill between two transactions"] += 1
        self._tally.steps[outcome.split(" ")[0]] += 1
        self._tally.trace.append(f"{self._now:%d %H:%M:%S} {who}: {outcome}")
        if self._disk.crashed_into is not None:
            self._go_on_after_crash()
        self._promises.after_step()
        return done

    def _outcome_of(self, who: str, step: Callable[[str], str]) -> tuple[str, bool]:
        try:
            outcome = step(who)
        except DatabaseError as error:
            return f"unsaved {error.reason}", False
        except CoreError as error:
            return f"refused {error.code}", True
        except (peewee.DatabaseError, apsw.Error) as error:
            if self._disk.crashed_into is None and not _is_of_the_disk(error):
                raise
            return "unsaved", False
        if self._disk.crashed_into is not None and "answered" not in outcome:
            return f"unsaved {outcome}", False
        return outcome, True

    def _go_on_after_crash(self) -> None:
        """Start again on what the crash has left, and look whether it is all there."""
        self._close()
        before, self._home = self._home, self._disk.crashed_into or self._home
        self._disk.begin(self._home, self._chance)
        try:
            self._open()
        except DatabaseError as refused:
            raise Broken("what was acknowledged is there", f"the start is refused: {refused}") from None
        remove(before)
        self._tally.trace.append("-- started again")
        self._promises.whole(self._clinic)

    # Who is there.

    def _clerk(self, who: str) -> str:
        """Register somebody; what was not answered is sent again, word for word."""
        if who in self._last and self._chance.random() < 0.1:
            return self._take_back(who)
        request = self._unsent.get(who) or self._form()
        self._unsent[who] = request
        actor = self._actors[who]
        try:
            receipt, made = registration.register(self._clinic, actor, request)
        except DatabaseError:
            raise
        except CoreError:
            del self._unsent[who]
            self._require_not_saved(request)
            raise
        if self._disk.crashed_into is not None:
            raise DatabaseError("disk_error")  # the answer does not arrive any more
        self._promises.told_receipt(self._clinic, actor, receipt)
        if self._chance.random() < LOST_ANSWERS:
            self._tally.faults["answer lost"] += 1
            return f"registered {receipt.ticket.number}, answer lost"
        del self._unsent[who]
        self._last[who] = (receipt.visit_id, receipt.ticket.id)
        if receipt.patient_id not in self._patients:
            self._patients.append(receipt.patient_id)
        return f"registered {receipt.ticket.number} {'' if made else 'again'}".strip()

    def _require_not_saved(self, request: RegistrationRequest) -> None:
        """Look whether a form that was refused was saved before: then it would have been answered with its receipt."""
        if request.id in self._promises.receipts:
            raise Broken("once", f"a form that was saved is refused: {request.id}")

    def _form(self) -> RegistrationRequest:
        cluster = self._chance.choice(list(COMPLAINTS))
        values = {
            "id": identifiers.new_id(), "chief_complaint": COMPLAINTS[cluster], "cluster": cluster,
            "duplicate_decision": "new", "payer": Payer.GENERAL, "override_reason": "pilihan pasien",
        }  # fmt: skip
        if self._patients and self._chance.random() < 0.4:
            return RegistrationRequest(**values, patient_id=self._chance.choice(self._patients))
        letters = "".join(self._chance.choice("abdefghiklmnoprstu") for _ in range(14))
        patient = {
            "name": f"{letters[:6].title()} {letters[6:].title()}", "sex": "female",
            "birth_date": f"{self._chance.randint(1975, 2000)}-0{self._chance.randint(1, 9)}-17",
            "no_identifier_reason": "forgotten",
        }  # fmt: skip
        return RegistrationRequest(**values, patient=patient)

    def _take_back(self, who: str) -> str:
        """Undo the last registration, cancel it, or raise its priority."""
        visit, entry = self._last.pop(who)
        actor = self._actors[who]
        way = self._chance.choice(("undo", "cancel", "prioritise"))
        if way == "undo":
            with self._perhaps_done(entry, A.CANCEL):
                out, action = queue_undo.undo_registration(self._clinic, actor, visit), A.CANCEL
        elif way == "cancel":
            out, action = self._act(actor, entry, A.CANCEL, reason="pulang"), A.CANCEL
        else:
            out, action = (
                self._act(actor, entry, A.PRIORITISE, reason="lemas", priority=Priority.YELLOW),
                A.PRIORITISE,
            )
        return self._told(out, action, who)

    def _clinician(self, who: str) -> str:
        """Go on with who is in the room, or call the next one."""
        actor = self._actors[who]
        with connection():
            in_room = database.execute_sql(IN_ROOM, (actor.account_id,)).fetchone()
        if in_room is None:
            cluster = self._chance.choice(STAFF[who][1])
            out = queueing.call_next(self._clinic, actor, cluster)
            return "nobody waits" if out is None else self._told(out, A.CALL, who)
        entry_id, status, here, is_round_trip = in_room
        action = self._chance.choice(NEXT[EntryStatus(status)])
        changes: dict[str, object] = {}
        if action is A.TRANSFER:
            changes = {"cluster": self._chance.choice([code for code in COMPLAINTS if code != here])}
        elif action is A.SEND:
            changes = {"cluster": "LAB"}
        elif action is A.FINISH:
            changes = {"disposition": Disposition.HOME}
        elif action is A.LEAVE:
            changes = {"reason": "no_show"}
        out = self._act(actor, entry_id, action, **changes)
        done = A.RETURN if action is A.FINISH and is_round_trip else action  # it ends where it began
        return self._told(out, done, who, entry_id)

    def _act(self, actor: Actor, entry_id: str, action: EntryAction, **changes: object):
        with self._perhaps_done(entry_id, action):
            return queueing.act(self._clinic, actor, entry_id, action, EntryCommand.model_validate(changes))

    @contextmanager
    def _perhaps_done(self, entry_id: str, action: EntryAction) -> Iterator[None]:
        """Note that an action which ends a call may have been done, though nobody was told so.

        A sync that failed and a kill right after it leave a commit in the log that the next start takes for one.
        """
        try:
            yield
            if self._disk.crashed_into is not None:
                raise DatabaseError("disk_error")  # the answer does not arrive any more
        except (DatabaseError, peewee.DatabaseError, apsw.Error):
            if action in ENDS:
                self._promises.forget_caller(entry_id)
            raise

    def _told(self, out, action: EntryAction, who: str, acted: str = "") -> str:
        """Tell the answer to whoever acted; `acted` is the entry before a move, whose answer is the one after it."""
        if self._disk.crashed_into is not None:
            raise DatabaseError("disk_error")
        if action in ENDS:
            self._promises.forget_caller(acted or out.id)
        self._promises.told_entry(out, action, who, acted if action in MOVES else out.id)
        return f"{action} {out.number} {out.cluster} {out.status}"

    def _keep(self, who: str) -> str:
        """Write the mark, as the server does every two seconds."""
        self._clinic.note_mark()
        return "mark"

    def _close_day(self, who: str) -> str:
        ended = queueing.close_day(self._clinic, accounts.system_actor("closing"), self._clinic.today())
        return f"closed {ended}"


def _is_of_the_disk(error: BaseException) -> bool:
    words = str(error).lower()
    return any(mark in words for mark in ("disk i/o", "simulated", "full", "locked", "malformed"))


def prepare(folder: Path) -> Path:
    """Make the data folder from which every block starts: accounts, and nobody registered yet."""
    home = folder / "prepared"
    with clock.frozen(lambda: FIRST - timedelta(hours=1)):
        Clinic.open(Settings(home=home))
        for name, (role, clusters) in STAFF.items():
            accounts.create_account(name, name.title(), role, "panjang sekali begini", list(clusters))
        accounts.system_actor("closing")
        database.close()
    return home
