"""One's own queue in line mode: call, recall, skip, finish, undo; each by one letter."""

from __future__ import annotations

from core.schemas.queues import EntryCommand, EntryShape
from core.vocabulary import Disposition, EntryStatus
from tui import words
from tui.lines.conversation import Conversation, HungUpError, LeaveError
from tui.lines.questions import choose
from tui.session import Session
from tui.text import _

MOST_LISTED = 10
BUSY = frozenset({EntryStatus.CALLED, EntryStatus.IN_SERVICE})


class QueueDialogue:
    """One person who calls patients, in one of their clusters at a time."""

    def __init__(self, session: Session, talk: Conversation) -> None:
        self._session = session
        self._talk = talk
        codes = [cluster.code for cluster in session.clusters]
        self._own = [code for code in codes if code in session.account.clusters] or codes[:1]
        self._shown = self._own[0]
        self._entry: EntryShape | None = None
        self._actions = {
            "r": ("recall", _("Called again: {number} {person}")),
            "s": ("skip", _("Skipped: {number} {person}; comes back after the next ones")),
            "l": ("leave", _("Has left: {number} {person}")),
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

    async def _entries(self) -> list[EntryShape]:
        queue = await self._session.client.queue(self._shown)
        return list(queue.entries)

    def _in_hand(self, entries: list[EntryShape]) -> EntryShape | None:
        name = self._session.account.name
        own = [entry for entry in entries if entry.practitioner == name and entry.status in BUSY]
        return max(own, key=lambda entry: entry.called_at or entry.started_at, default=None)

    def _status(self, entries: list[EntryShape]) -> str:
        waiting = sum(entry.status is EntryStatus.WAITING for entry in entries)
        text = f"{self._session.cluster_name(self._shown)}, " + _("{number} waiting").format(number=waiting)
        return f"{text}. {self._text(self._entry)}" if self._entry is not None else text

    def _text(self, entry: EntryShape) -> str:
        person = entry.patient
        parts = [entry.number, words.word(words.STATUSES, entry.status)]
        if entry.priority != "regular":
            parts.append(words.word(words.PRIORITIES, entry.priority))
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

    async def _call_next(self) -> None:
        entry = await self._session.client.call_next(self._shown)
        if entry is None:
            self._talk.say(_("Nobody waits."))
            return
        self._entry = entry
        self._talk.say(self._text(entry))

    async def _act(self, action: str, sentence: str, command: EntryCommand | None = None) -> None:
        if self._entry is None:
            self._talk.refuse(_("Nobody has been called here yet; N calls the next."))
            return
        entry = await self._session.client.act(self._entry.id, action, command or EntryCommand())
        self._entry = entry
        person = entry.patient.name if entry.patient else ""
        self._talk.say(sentence.format(number=entry.number, person=person))

    async def _finish(self) -> None:
        if self._entry is None:
            self._talk.refuse(_("Nobody has been called here yet; N calls the next."))
            return
        options = ", ".join(f"{n} {_(label)}" for n, label in enumerate(words.DISPOSITIONS.values(), start=1))
        answer = await self._talk.ask(_("How does the visit end?") + f" ({options}):")
        disposition = choose(words.DISPOSITIONS, answer)
        if disposition is None:
            self._talk.refuse(words.field_problem("disposition", "not_a_choice"))
            return
        command = EntryCommand(disposition=Disposition(disposition))
        await self._act("finish", _("Done: {number} {person}"), command)

    async def _list(self) -> None:
        entries = await self._entries()
        self._entry = self._in_hand(entries) or self._entry
        self._talk.say(self._status(entries))
        for entry in entries[:MOST_LISTED]:
            if self._entry is None or entry.id != self._entry.id:
                self._talk.say(self._text(entry))

    def _help(self) -> None:
        letters = ", ".join(f"={self._session.prefix_of(code)}" for code in self._own)
        self._talk.say(
            _(
                "N calls who is next, R calls again, S skips, D ends the visit, L has left, U undoes the last "
                "step, Enter lists the queue, {letters} shows another of your queues, Q leaves."
            ).format(letters=letters)
        )
