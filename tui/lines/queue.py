"""The clinician's own queue in line mode: call, recall, skip, finish, undo; one letter each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from core.foundation.codes import Disposition, EntryStatus, Permission, Role
from core.schemas.queues import EntryCommand, EntryOut
from tui.client.errors import RefusedError
from tui.lines.allergy_talk import AllergyDialogue
from tui.lines.conversation import Conversation, HungUpError, LeaveError
from tui.lines.pharmacy import PharmacyDialogue
from tui.lines.questions import choose
from tui.lines.record_reading import RecordDialogue
from tui.session import Session
from tui.text import problem_words
from tui.text.outcomes import NEED_ENTER, lacking, lacking_lines, outcome_word
from tui.text.translation import _

MOST_LISTED = 10
BUSY = frozenset({EntryStatus.CALLED, EntryStatus.IN_SERVICE})


class QueueDialogue:
    """Serves one person who calls patients, in one of their clusters at a time."""

    def __init__(self, session: Session, talk: Conversation) -> None:
        self._session = session
        self._talk = talk
        codes = [cluster.code for cluster in session.clusters]
        self._own = [code for code in codes if code in session.account.clusters] or codes[:1]
        self._shown = self._own[0]
        self._entry: EntryOut | None = None
        self._talks = self._offered()
        self._actions = {
            "r": ("recall", _("Called again: {number} {person}")),
            "s": ("skip", _("Skipped: {number} {person}; comes back after the next ones")),
            "u": ("undo", _("Undone: {number} {person}")),
        }

    async def run(self) -> None:
        """Serve until the person leaves.

        Raises:
            LeaveError: The person leaves, or the sign-in ended.
        """
        with self._talk.telling_refusals():
            entries = await self._entries()
            self._entry = self._in_hand(entries)
            self._talk.say(self._status(entries))
        while True:
            try:
                answer = await self._talk.ask(f"{self._session.prefix_of(self._shown)} (N, ?):")
            except HungUpError:
                return
            with self._talk.telling_refusals():
                await self._answer(answer.casefold())

    async def _entries(self) -> list[EntryOut]:
        queue = await self._session.client.queues.get(self._shown)
        return list(queue.entries)

    def _in_hand(self, entries: list[EntryOut]) -> EntryOut | None:
        name = self._session.account.name
        own = [entry for entry in entries if entry.practitioner == name and entry.status in BUSY]
        return max(own, key=lambda entry: entry.called_at or entry.started_at, default=None)

    def _status(self, entries: list[EntryOut]) -> str:
        waiting = sum(entry.status is EntryStatus.WAITING for entry in entries)
        text = f"{self._session.cluster_name(self._shown)}, " + _("{number} waiting").format(number=waiting)
        return f"{text}. {self._text(self._entry)}" if self._entry is not None else text

    def _text(self, entry: EntryOut) -> str:
        person = entry.patient
        parts = [entry.number, problem_words.word(problem_words.STATUSES, entry.status)]
        if entry.priority != "regular":
            parts.append(problem_words.word(problem_words.PRIORITIES, entry.priority))
        if person is not None:
            parts += [person.name, _("{number} yr").format(number=person.age), entry.chief_complaint]
        return ", ".join(parts)

    async def _answer(self, answer: str) -> None:
        prefixes = {self._session.prefix_of(code).casefold(): code for code in self._own}
        if answer == "n":
            await self._call_next()
        elif answer in self._actions:
            await self._act(*self._actions[answer])
        elif answer == "d":
            await self._finish()
        elif answer in self._talks:
            await self._talks[answer]()
        elif answer == "l":
            await self._leave()
        elif answer in {"", "="}:
            await self._list()
        elif answer == "?":
            self._help()
        elif answer == "q":
            raise LeaveError
        elif answer.startswith("=") and answer[1:].strip() in prefixes:
            self._shown = prefixes[answer[1:].strip()]
            await self._list()
        else:
            self._talk.refuse(_("That is no command here; ? lists them."))

    def _offered(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return letter -> dialogue, of those that this person's rights offer."""
        offered: dict[str, Callable[[], Awaitable[None]]] = {}
        if self._session.account.role is Role.PHARMACIST:
            offered["w"] = self._medicines
        if self._session.writes_records:
            offered["a"] = self._allergies
        if self._session.may(Permission.READ_RECORDS):
            offered["b"] = self._record
        return offered

    async def _record(self) -> None:
        await RecordDialogue(self._session, self._talk).run()

    async def _call_next(self) -> None:
        try:
            entry = await self._session.client.queues.call_next(self._shown)
        except RefusedError as refusal:
            if refusal.code != "patient_deceased":
                raise
            said = problem_words.problem_text(refusal.problem)
            if not await self._says_yes(f"! {said} " + _("Call all the same?")):
                return
            entry = await self._session.client.queues.call_next(self._shown, deceased_confirmed=True)
        if entry is None:
            self._talk.say(_("Nobody waits."))
            return
        self._entry = entry
        self._talk.say(self._text(entry))

    async def _act(self, action: str, sentence: str, command: EntryCommand | None = None) -> None:
        if self._entry is None:
            self._talk.refuse(_("Nobody has been called here yet; N calls the next."))
            return
        entry = await self._session.client.queues.act(self._entry.id, action, command or EntryCommand())
        self._entry = entry
        person = entry.patient.name if entry.patient else ""
        self._talk.say(sentence.format(number=entry.number, person=person))

    async def _medicines(self) -> None:
        if self._entry is None:
            self._talk.refuse(_("Nobody has been called here yet; N calls the next."))
            return
        await PharmacyDialogue(self._session, self._talk, self._entry).run()

    async def _allergies(self) -> None:
        if self._entry is None:
            self._talk.refuse(_("Nobody has been called here yet; N calls the next."))
            return
        await AllergyDialogue(self._session, self._talk, self._entry).run()

    async def _leave(self) -> None:
        """Note that the patient in hand has left, after a yes: one letter ends nobody's visit."""
        if self._entry is None:
            self._talk.refuse(_("Nobody has been called here yet; N calls the next."))
            return
        name = self._entry.patient.name if self._entry.patient else ""
        person = f"{self._entry.number} {name}".rstrip()
        if await self._says_yes(_("Has {person} left?").format(person=person)):
            await self._act("leave", _("Has left: {number} {person}"))

    async def _says_yes(self, question: str) -> bool:
        """Ask for a yes; lines typed ahead were meant for something else."""
        self._talk.discard_typed_ahead()
        answer = await self._talk.ask(question + " " + _("(Y: yes)"))
        return answer.strip().casefold() in {"y", "ya", "yes"}

    async def _finish(self) -> None:
        if self._entry is None:
            self._talk.refuse(_("Nobody has been called here yet; N calls the next."))
            return
        options = ", ".join(
            f"{n} {_(label)}" for n, label in enumerate(problem_words.DISPOSITIONS.values(), start=1)
        )
        answer = await self._talk.ask(_("How does the visit end?") + f" ({options}):")
        disposition = choose(problem_words.DISPOSITIONS, answer)
        if disposition is None:
            self._talk.refuse(problem_words.field_problem("disposition", "not_a_choice"))
            return
        if not await self._agrees(self._entry, disposition):
            return
        command = EntryCommand(disposition=Disposition(disposition))
        said = _("Done: {number} {person}") + f" ({outcome_word(disposition)})"
        await self._act("finish", said, command)

    async def _agrees(self, entry: EntryOut, disposition: str) -> bool:
        """Ask a clinician once more about what cannot be meant by a slip, or lacks something."""
        if self._session.account.role is not Role.CLINICIAN:
            return True
        visit = await self._session.client.visits.get(entry.visit_id)
        missing = lacking(visit, disposition, asks_bpjs=self._session.clinic.asks_bpjs)
        for line in lacking_lines(missing):
            self._talk.say("! " + line)
        if not missing and disposition not in NEED_ENTER:
            return True
        outcome = problem_words.word(problem_words.DISPOSITIONS, disposition).upper()
        person = entry.patient.name if entry.patient else entry.number
        question = _("Record {outcome} for {person}?").format(outcome=outcome, person=person)
        return await self._says_yes(question)

    async def _list(self) -> None:
        entries = await self._entries()
        self._entry = self._in_hand(entries) or self._entry
        self._talk.say(self._status(entries))
        for entry in entries[:MOST_LISTED]:
            if self._entry is None or entry.id != self._entry.id:
                self._talk.say(self._text(entry))

    def _help(self) -> None:
        if self._session.account.role is Role.PHARMACIST:
            self._talk.say(_("W shows the patient's medicines and hands them out."))
        if self._session.writes_records:
            self._talk.say(_("A shows and records the patient's allergies."))
        if "b" in self._talks:
            self._talk.say(_("B reads a patient's record; outside your own queue it asks why."))
        letters = ", ".join(f"={self._session.prefix_of(code)}" for code in self._own)
        self._talk.say(
            _(
                "N calls who is next, R calls again, S skips, D ends the visit, L has left, U undoes the last "
                "step, Enter lists the queue, {letters} shows another of your queues, Q leaves."
            ).format(letters=letters)
        )
