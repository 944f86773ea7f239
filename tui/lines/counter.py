"""The registration counter in line mode: search, form, receipt, undo."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from core.foundation.identifiers import new_id
from core.schemas.patients import PatientOut
from core.schemas.queues import EntryCommand
from core.schemas.registration import DraftOut, Receipt, TicketOut
from tui.client.errors import RefusedError, UnreachableError
from tui.lines.confirmation import confirm
from tui.lines.conversation import Conversation, HungUpError, LeaveError
from tui.lines.identity_lines import ask_identity
from tui.lines.late_lines import ask_late
from tui.lines.registration_dialogue import CancelledError, RegistrationDialogue, person_text
from tui.printing import NotPrintedError, print_document
from tui.registration import late_entry
from tui.registration.drafts import RegistrationDraft, complaint_of, label_of, take_up, unfinished
from tui.registration.form_values import FormValues, is_number_of, values_from_search
from tui.registration.identity import identity_to_ask
from tui.session import Session
from tui.text import problem_words
from tui.text.translation import _
from tui.ticket import page_address, ticket_document, ticket_of

MOST_FOUND = 8
SHORTEST_SEARCH = 2  # letters; a single one is a command


class CounterDialogue:
    """Serves one clerk, from the first search to leaving."""

    def __init__(self, session: Session, talk: Conversation) -> None:
        self._session = session
        self._talk = talk
        self._receipt: Receipt | None = None
        self._moves = 0
        """Moves of the last registration that were not taken back."""
        self._receipt_unseen = False
        self._unanswered = ""
        self._listed: list[PatientOut] = []
        self._printing: asyncio.Task[None] | None = None
        self._open_identity: list[str] = []
        """Fields of the identity that nobody has asked the last patient about."""
        self._registered: FormValues | None = None
        """The form that was registered last."""
        self._late: dict[str, str] = {}
        """What is known of the late entry that the next form is."""
        self._draft_key = ""
        """Draft of the form that was opened last."""
        self._commands: dict[str, Callable[[], Awaitable[None]]] = {
            "?": self._help,
            "+": self._new,
            "d": self._continue_draft,
            "l": self._late_entry,
            "z": self._undo,
            "m": self._move,
            "p": self._print,
            "a": self._address,
            "s": self._ask_sharing,
            "i": self._ask_identity,
            "q": self._leave,
        }

    async def run(self) -> None:
        """Serve until the person leaves.

        Raises:
            HungUpError: The input ended in the middle of a form.
            LeaveError: The person leaves, or the sign-in ended.
        """
        await self._offer_draft()
        while True:
            try:
                answer = await self._talk.ask(self._prompt())
            except HungUpError:
                if self._printing is not None:
                    await self._printing
                if self._receipt_unseen and await self._talk.delivered():
                    await self._drop_draft()
                return
            if self._receipt_unseen:
                await self._drop_draft()  # a clerk who types on has seen the receipt
            with self._talk.telling_refusals():
                await self._answer(answer)

    def _prompt(self) -> str:
        clinic = self._session.clinic
        late = late_entry.summary(self._late, clinic)
        return f"{late}. {self._question()}" if late else self._question()

    def _question(self) -> str:
        if self._listed:
            return _("Number, + new, or search:")
        return _("Search (? help):") if self._receipt is None else _("Search:")

    async def _answer(self, answer: str) -> None:
        command = self._commands.get(answer.casefold())
        listed, self._listed = self._listed, []
        if command is not None:
            await command()
        elif answer.isdigit() and 1 <= int(answer) <= len(listed):
            await self._form(RegistrationDraft(new_id(), {}, listed[int(answer) - 1]))
        elif answer and len(answer) < SHORTEST_SEARCH:
            self._talk.refuse(_("Type at least two letters, or ? for help."))
        else:
            await self._search(answer or self._unanswered)

    # Searching

    async def _search(self, text: str) -> None:
        self._unanswered = text  # Enter repeats it when the core did not answer
        found = await self._session.client.patients.search(text, MOST_FOUND + 1)
        self._unanswered = ""
        if not text:
            self._listed = found[:MOST_FOUND]
            self._list(self._listed)
        elif len(found) == 1 and is_number_of(text, found[0]):
            await self._form(RegistrationDraft(new_id(), {}, found[0]))
        elif found:
            await self._choose(text, found)
        elif values_from_search(text):
            self._talk.say(_("Nobody found: a new patient."))
            await self._form(RegistrationDraft(new_id(), values_from_search(text)))
        else:
            self._talk.refuse(_("Nobody found. + registers a new patient."))

    def _facts(self) -> FormValues:
        return FormValues({}, None, self._session.clinic.today)

    def _list(self, found: list[PatientOut]) -> None:
        facts = self._facts()
        for number, patient in enumerate(found, start=1):
            self._talk.say(f"{number} {person_text(patient, facts)}")

    async def _choose(self, text: str, found: list[PatientOut]) -> None:
        """Open one of several results by its number; other text is searched for."""
        self._list(found[:MOST_FOUND])
        if len(found) > MOST_FOUND:
            self._talk.say(_("There are more: type more of the name, or the birth date behind it."))
        self._talk.discard_typed_ahead()  # a number means nothing before its list was seen
        answer = await self._talk.ask(_("Number, + new, or search:"))
        if answer.isdigit() and 1 <= int(answer) <= min(len(found), MOST_FOUND):
            await self._form(RegistrationDraft(new_id(), {}, found[int(answer) - 1]))
        elif answer == "+":
            await self._form(RegistrationDraft(new_id(), values_from_search(text)))
        elif answer and not answer.startswith("<"):
            await self._answer(answer)

    # Registering

    async def _new(self) -> None:
        await self._form(RegistrationDraft(new_id(), {}))

    async def _late_entry(self) -> None:
        """Ask when somebody came who was written on paper; the next form is theirs."""
        self._late = await ask_late(self._session, self._talk)

    async def _form(self, left: RegistrationDraft) -> None:
        self._draft_key = left.key
        left.values.update(self._late)
        self._late = {}
        form = RegistrationDialogue(self._session, self._talk, left)
        try:
            receipt = await form.run()
        except CancelledError:
            self._talk.say(_("Not saved. D continues it."))
        else:
            self._registered = form.facts
            self._show(receipt)
            await self._tell_whether_asked(receipt)
            self._open_identity = identity_to_ask(self._session, form.facts)
            if self._open_identity:
                self._talk.say(_("I: identity, not asked yet."))
            if self._session.clinic.print_tickets:
                # Printed in the background; a failure is reported with a later question.
                self._printing = asyncio.create_task(self._print_ticket(receipt.ticket))

    async def _tell_whether_asked(self, receipt: Receipt) -> None:
        """Say that nobody has asked this patient about SATUSEHAT yet; the next answer need not be about it."""
        if not self._session.clinic.asks_sharing:
            return
        with contextlib.suppress(RefusedError, UnreachableError):  # the card asks too
            decision = await self._session.client.patients.sharing(receipt.patient_id)
            if decision.agreed is None:
                self._talk.say(_("S: may the record go to SATUSEHAT? Not asked yet."))

    async def _ask_sharing(self) -> None:
        """Ask whether the last patient's record may go to SATUSEHAT, and show the paper to sign."""
        if self._receipt is None:
            self._talk.refuse(_("Nothing was registered here yet."))
            return
        self._talk.discard_typed_ahead()
        answer = await self._talk.ask(_("May the record go to SATUSEHAT? (S agrees, T refuses):"))
        agreed = {"s": True, "t": False}.get(answer.casefold())
        if agreed is None:
            self._talk.say(_("Not noted."))
            return
        patients = self._session.client.patients
        kept = await patients.decide_sharing(self._receipt.patient_id, agreed=agreed)
        for line in kept.text.splitlines():
            self._talk.say(line)

    async def _ask_identity(self) -> None:
        """Ask the last patient what the law asks of an identity besides."""
        if self._receipt is None:
            self._talk.refuse(_("Nothing was registered here yet."))
            return
        self._talk.discard_typed_ahead()
        answers = await ask_identity(self._talk, self._open_identity)
        if not answers:
            self._talk.say(_("Not noted."))
            return
        await self._session.client.patients.edit(self._receipt.patient_id, answers)
        self._open_identity = [name for name in self._open_identity if name not in answers]
        self._talk.say(_("Identity noted."))

    def _show(self, receipt: Receipt) -> None:
        self._receipt, self._receipt_unseen, self._moves = receipt, True, 0
        ticket = receipt.ticket
        parts = [f"{ticket.number} {self._session.cluster_name(ticket.cluster)}"]
        if ticket.position:
            parts.append(_("Place in the queue: {number}").format(number=ticket.position))
        if ticket.expected_wait_minutes is not None:
            wait = _("Expected wait: about {number} minutes")
            parts.append(wait.format(number=ticket.expected_wait_minutes))
        self._talk.say(_("SAVED:") + " " + ". ".join(parts))

    # Drafts

    async def _offer_draft(self) -> None:
        drafts: list[DraftOut] = []
        with self._talk.telling_refusals():
            drafts = await unfinished(self._session.client)
        names = ", ".join(label_of(draft) for draft in drafts)
        if len(drafts) == 1:
            self._talk.say(_("A form was left unfinished: {name}. D continues it.").format(name=names))
        elif drafts:
            note = _("{number} forms were left unfinished: {names}. D lists them.")
            self._talk.say(note.format(number=len(drafts), names=names))

    async def _continue_draft(self) -> None:
        drafts = await unfinished(self._session.client)
        if not drafts:
            self._talk.refuse(_("There is no unfinished form."))
            return
        draft = drafts[0] if len(drafts) == 1 else await self._pick_draft(drafts)
        if draft is None:
            return
        left = await take_up(self._session.client, draft)
        if left.receipt is not None:  # saved, and only the answer was lost
            self._draft_key = left.key
            self._registered = FormValues(left.values, left.patient, self._session.clinic.today)
            self._show(left.receipt)
        else:
            await self._form(left)

    async def _pick_draft(self, drafts: list[DraftOut]) -> DraftOut | None:
        """Return the one of several unfinished forms that the clerk picks by its number."""
        for number, draft in enumerate(drafts, start=1):
            self._talk.say(f"{number} {label_of(draft)}  {complaint_of(draft)}".rstrip())
        self._talk.discard_typed_ahead()
        answer = await self._talk.ask(_("Number of the form:"))
        if answer.isdigit() and 1 <= int(answer) <= len(drafts):
            return drafts[int(answer) - 1]
        self._talk.refuse(_("No form is opened."))
        return None

    async def _drop_draft(self) -> None:
        with contextlib.suppress(
            RefusedError, UnreachableError
        ):  # the draft is offered again, and its id finds the receipt
            await self._session.client.drafts.drop(self._draft_key)
            self._receipt_unseen = False

    # After the receipt

    async def _print(self) -> None:
        if self._receipt is None:
            self._talk.refuse(_("Nothing was registered here yet."))
            return
        await self._print_ticket(self._receipt.ticket)

    async def _address(self) -> None:
        ticket = self._receipt.ticket if self._receipt is not None else None
        address = page_address(self._session.clinic, ticket) if ticket is not None else ""
        self._talk.say(address or _("There is no page for this number."))

    async def _print_ticket(self, ticket: TicketOut) -> None:
        document = ticket_document(self._session.clinic, ticket, self._session.cluster_name(ticket.cluster))
        try:
            self._talk.say(await print_document(self._session, self._talk.printer, document))
        except NotPrintedError as failure:
            self._talk.say(f"! {ticket.number}: {failure}")

    async def _undo(self) -> None:
        if self._receipt is None:
            self._talk.refuse(_("Nothing was registered here yet."))
            return
        if self._moves:
            await self._move_back(self._receipt)
            return
        await self._session.client.registrations.undo(self._receipt.registration_id)
        note = _("Taken back: {number}. The number is not given out again.")
        self._talk.say(note.format(number=self._receipt.ticket.number))
        self._receipt = None

    async def _move_back(self, receipt: Receipt) -> None:
        entry = await self._session.client.queues.act(receipt.ticket.id, "undo", EntryCommand())
        self._moves -= 1
        self._receipt = receipt.model_copy(update={"ticket": ticket_of(entry)})
        note = _("The move is taken back: {number}, {cluster}. Z again: the step before.")
        self._talk.say(note.format(number=entry.number, cluster=self._session.cluster_name(entry.cluster)))

    async def _move(self) -> None:
        if self._receipt is None:
            self._talk.refuse(_("Nothing was registered here yet."))
            return
        ticket = self._receipt.ticket
        others = [item for item in self._session.destinations if item.code != ticket.cluster]
        letters = ", ".join(f"{item.prefix} {item.name}" for item in others)
        answer = await self._talk.ask(_("Letter of the cluster ({letters}):").format(letters=letters))
        chosen = next((item.code for item in others if item.prefix == answer.upper()), None)
        if chosen is None:
            self._talk.refuse(problem_words.field_problem("cluster", "not_a_choice"))
            return
        agreed = await confirm(
            self._session, self._talk, self._facts_of_last(chosen), _MoveQuestion(), asks_doubt=False
        )
        if agreed is None or agreed.cluster == ticket.cluster:
            place = self._session.cluster_name(ticket.cluster)
            self._talk.say(_("Not moved: the patient stays in {cluster}.").format(cluster=place))
            return
        # Whoever is recorded as dead was asked about at the registration a moment ago.
        command = EntryCommand(cluster=agreed.cluster, reason=agreed.reason or "", deceased_confirmed=True)
        entry = await self._session.client.queues.act(ticket.id, "transfer", command)
        self._receipt = self._receipt.model_copy(update={"ticket": ticket_of(entry)})
        self._moves += 1
        self._talk.say(
            _("Moved. The new number is {number}. Z takes the move back.").format(number=entry.number)
        )

    def _facts_of_last(self, cluster: str) -> FormValues:
        """Return the form that was registered last, with another cluster chosen."""
        facts = self._registered or self._facts()
        return FormValues({**facts.values, "cluster": cluster}, facts.patient, facts.today)

    async def _help(self) -> None:
        self._talk.say(
            _(
                "Type a NIK, BPJS number, record number or name; Enter alone lists the last patients. "
                "+ new patient, D unfinished form, P prints the last ticket, A tells the address of its page, "
                "L late entry of somebody written on paper, M moves that patient, S asks about SATUSEHAT, I asks what the law wants of an identity, Z takes back what was done last (a move, else the registration), Q leaves. While registering: < back, << cancel, = show all, ? help."
            )
        )

    async def _leave(self) -> None:
        raise LeaveError


class _MoveQuestion:
    """Behind the confirmation of a move there is no form: every way back leaves the patient where he is."""

    def took_command(self, answer: str) -> bool:
        """Take `<`, `<<` and `=` as the way back."""
        return answer.startswith(("<", "="))

    def reopen(self, field: str | None) -> None:
        """Do nothing: no field can be asked again."""
