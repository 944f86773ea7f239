"""A registration as a dialogue: question by question, then the confirmation, then the save."""

from __future__ import annotations

import contextlib
from typing import Any

from core.identifiers import new_id
from core.identity import Outcome
from core.schemas.base import Problem
from core.schemas.patients import DuplicateResult, PatientShape
from core.schemas.registration import Receipt
from core.vocabulary import DuplicateBand
from tui import words
from tui.client import Refused, UnreachableError
from tui.formatting import age_text, date_text, sex_letter
from tui.lines.confirmation import confirm, save
from tui.lines.conversation import Conversation
from tui.lines.questions import QUESTIONS, VISIT_FIELDS, MisreadError, Question, question_for
from tui.registration.drafts import DRAFT_KEY, Draft, draft_data
from tui.registration.facts import Facts, from_nik
from tui.session import Session
from tui.text import _

BACK, CANCEL, SHOW, HELP, CLEAR = "<", "<<", "=", "?", "-"
PERSON = {"nik", "no_identifier_reason", "name", "birth_date", "sex"}
"""Answered first; then it is looked up whether such a person is known."""
MOST_CANDIDATES = 5


class CancelledError(Exception):
    """The clerk leaves the form; its draft stays."""


class Form:
    """One registration.

    Attributes:
        values: Field -> what was typed or chosen.
        patient: Who it is about when they are known already.
    """

    def __init__(self, session: Session, talk: Conversation, left: Draft) -> None:
        self._session = session
        self._talk = talk
        self._id = left.registration_id
        self.values = dict(left.values)
        self.patient = left.patient
        self._answered = _answered_in(left.values)
        self._put_so_far: list[str] = []
        self._decision: str | None = None
        self._looked_up: dict[str, Any] | None = None

    @property
    def facts(self) -> Facts:
        """What is known now."""
        return Facts(self.values, self.patient, self._session.clinic.today)

    async def run(self) -> Receipt:
        """Ask until it is saved.

        Raises:
            CancelledError: The clerk left it; what was typed is kept as a draft.
            HungUpError: The input ended; the same.
            LeaveError: The sign-in ended; the same.
        """
        self._introduce()
        while True:
            question = self._next_question()
            knows_person = question is None or question.field not in PERSON
            if knows_person and await self._decide_duplicates(final=question is None):
                continue
            if question is not None:
                await self._put(question)
                continue
            receipt = await self._finish()
            if receipt is not None:
                return receipt

    # Questions

    def _next_question(self) -> Question | None:
        facts = self.facts
        open_questions = (q for q in QUESTIONS if q.applies(facts) and q.field not in self._answered)
        return next(open_questions, None)

    async def _put(self, question: Question) -> None:
        """Ask one question and take its answer, or a command."""
        clusters = self._session.destinations
        answer = await self._talk.ask(question.text(self.facts, clusters))
        if answer == HELP:
            self._talk.say(question.help_text(clusters))
            self._talk.say(_("< back, << cancel, = show all, - clear"))
        elif not self.took_command(answer, question):
            if not answer or (answer == CLEAR and question.field != "visit"):
                self._keep_or_clear(question, answer)
            else:
                self._take(question, answer)
            if question.field in self._answered:
                self._put_so_far.append(question.field)
            await self._keep_draft()

    def took_command(self, answer: str, here: Question | None = None) -> bool:
        """Obey `<`, `<name`, `<<` and `=`; tells whether it was one of them.

        Raises:
            CancelledError: It was `<<`.
        """
        if answer == CANCEL:
            raise CancelledError
        if answer == SHOW:
            self._talk.say(self._all_values())
        elif answer.startswith(BACK):
            self._go_back(answer[1:].strip(), here)
        else:
            return False
        return True

    def _go_back(self, label: str, here: Question | None) -> None:
        asked = [question for question in QUESTIONS if question.applies(self.facts)]
        if label:
            found = [item for item in asked if _(item.label).casefold().startswith(label.casefold())]
            if not found:
                self._talk.refuse(_("{word}: there is no such question").format(word=label))
            target = found[:1]
        else:
            target = self._put_before(here)
            if not target:
                raise CancelledError
        self._answered -= {question.field for question in target}

    def _put_before(self, here: Question | None) -> list[Question]:
        """The question put before this one; what the NIK answered by itself was never put."""
        while self._put_so_far:
            question = question_for(self._put_so_far.pop())
            if question.applies(self.facts) and question != here:
                return [question]
        return []

    def _keep_or_clear(self, question: Question, answer: str) -> None:
        if answer == CLEAR:
            self._set({question.field: ""} | ({"rt": "", "rw": ""} if question.field == "address" else {}))
        if question.required and not self.facts.text(question.field):
            self._talk.refuse(words.field_problem(question.field, "required"))
        else:
            self._check(question)

    def _take(self, question: Question, answer: str) -> None:
        try:
            values = question.read(answer, self.facts, self._session.destinations)
        except MisreadError as misread:
            self._talk.refuse(str(misread))
            return
        self._set(values)
        self._check(question)

    def _check(self, question: Question) -> None:
        """Count a question as answered; an answer that cannot be right is not kept for Enter to repeat."""
        problem = self.facts.problems().get(question.field)
        if problem is not None and problem != "required":
            self._talk.refuse(words.field_problem(question.field, problem))
            self._answered.discard(question.field)
            self.values.pop(question.field, None)
            return
        self._answered.add(question.field)
        if question.field == "nik":
            self._read_nik()
        elif question.field == "birth_date" and not self.facts.is_estimated:
            self.values["birth_date"] = date_text(self.facts.birth_date)

    def _set(self, values: dict[str, str]) -> None:
        if any(self.values.get(name, "") != value for name, value in values.items() if name in PERSON):
            self._decision = None  # about somebody else now
        if "nik" in values and values["nik"] != self.values.get("nik"):
            self._forget_nik()
        self.values |= values

    def _forget_nik(self) -> None:
        """Take back what the earlier number had filled in."""
        before = self.values.pop("nik", "")
        today = self._session.clinic.today
        for name, value in (from_nik(before, {}, today)[1] if before else {}).items():
            if self.values.get(name) == value:
                del self.values[name]
                self._answered.discard(name)

    def _read_nik(self) -> None:
        nik = self.facts.text("nik")
        if not nik:
            return
        check, filled = from_nik(nik, self.values, self._session.clinic.today)
        self.values |= filled
        self._answered |= set(filled)
        if filled:
            self._talk.say(f"{self.values['birth_date']}, {sex_letter(self.values['sex'])}")
        if check.outcome is not Outcome.REJECT:
            for finding in check.findings:
                self._talk.say("! " + words.word(words.IDENTITY_WARNINGS, finding.code))

    # What is shown

    def _introduce(self) -> None:
        if self.patient is not None:
            self._talk.say(banner(self.patient, self.facts))
        elif len(self._answered) > 1:
            self._talk.say(self._all_values())
        if self.values.get("nik"):
            self._take(question_for("nik"), self.values["nik"])

    def _all_values(self) -> str:
        facts = self.facts
        clusters = self._session.destinations
        shown = [
            f"{_(question.label)}: {question.value(facts)}"
            for question in QUESTIONS
            if question.applies(facts) and question.value(facts)
        ]
        if self.patient is not None:
            shown.insert(0, self.patient.name)
        return "; ".join([*shown, question_for("visit").text(facts, clusters).split(" (")[0]])

    # Duplicates

    async def _decide_duplicates(self, *, final: bool) -> bool:
        """Look for known people like this one; tells whether something changed by it."""
        query = self.facts.duplicates() or {}
        compared = query if final else {name: query[name] for name in PERSON if name in query}
        if self.patient is not None or self._decision is not None or compared == self._looked_up:
            return False
        try:
            found = await self._session.client.duplicates(query)
        except (Refused, UnreachableError) as failure:
            await self._wait_for_retry(failure)
            return True
        self._looked_up = compared
        if found.band is DuplicateBand.NEW:
            return False
        await self._ask_who(found)
        return True

    async def _wait_for_retry(self, failure: Refused | UnreachableError) -> None:
        self._talk.tell_failure(failure)
        answer = await self._talk.ask(_("Enter: try again:"))
        self.took_command(answer)

    async def _ask_who(self, found: DuplicateResult) -> None:
        """Open a known person, or say that it is somebody new; Enter decides nothing."""
        sure = found.band is DuplicateBand.EXISTING
        self._talk.say(_("Known already?") if sure else _("Perhaps known already:"))
        candidates = found.candidates[:MOST_CANDIDATES]
        for number, candidate in enumerate(candidates, start=1):
            why = ", ".join(words.word(words.LIKENESS, code) for code in candidate.reasons[:3])
            self._talk.say(f"{number} {person_text(candidate.patient, self.facts)}: {why}")
        # What was typed ahead was meant for another question than this one.
        self._talk.discard_typed_ahead()
        while True:
            answer = await self._talk.ask(_("Number: open, N: somebody new:"))
            if answer.isdigit() and 1 <= int(answer) <= len(candidates):
                await self._become(candidates[int(answer) - 1].patient)
                return
            if answer.casefold() == "n":
                self._decision = "new"
                return
            if self.took_command(answer):
                if answer.startswith(BACK):
                    self._looked_up = None
                    return
            else:
                self._talk.refuse(_("Type a number or N; << cancels."))

    async def _become(self, patient: PatientShape) -> None:
        self.patient, self._id = patient, new_id()
        self.values = {
            name: value for name, value in self.values.items() if name not in self._person_values()
        }
        self._answered &= {"chief_complaint", "visit"}
        self._talk.say(banner(patient, self.facts))
        await self._keep_draft()

    def _person_values(self) -> set[str]:
        visit = {"chief_complaint", *VISIT_FIELDS}
        return set(self.values) - visit

    # Saving

    async def _finish(self) -> Receipt | None:
        """Confirm and save; None when a question is open again."""
        facts = self.facts
        problems = facts.problems()
        if problems:
            self._reopen(problems)
            return None
        try:
            agreed = await confirm(self._session, self._talk, facts, self)
        except (Refused, UnreachableError) as failure:
            await self._wait_for_retry(failure)
            return None
        if agreed is None:
            return None
        request = facts.registration(self._id, agreed.cluster, agreed.reason, self._decision)
        saved = await save(self._session, self._talk, request)
        if isinstance(saved, Problem):
            await self._refused(saved)
            return None
        return saved

    async def _refused(self, problem: Problem) -> None:
        if problem.code == "duplicate_decision_required":
            await self._ask_who(DuplicateResult.model_validate(problem.details))
        elif problem.fields:
            self._reopen(problem.fields)
        else:
            self._talk.tell_failure(Refused(problem))
            if problem.code not in {"override_reason_required", "cluster_blocked"}:
                self._answered.discard("visit")

    def reopen(self, field: str | None) -> None:
        """Ask a field again; without one, the last question."""
        self._answered.discard(question_for(field or "visit").field)

    def _reopen(self, problems: dict[str, str]) -> None:
        for path, code in problems.items():
            self._talk.refuse(words.field_problem(path, code))
            self.reopen(path)

    async def _keep_draft(self) -> None:
        data = draft_data(self._id, self.values, self.patient, self.facts.name)
        with contextlib.suppress(Refused, UnreachableError):  # the next answer tries again
            await self._session.client.save_draft(DRAFT_KEY, data)


def _answered_in(values: dict[str, str]) -> set[str]:
    """Questions a kept form has behind it: with a value, or left empty before one that has."""
    numbers = [number for number, question in enumerate(QUESTIONS) if values.get(question.field)]
    passed = QUESTIONS[: max(numbers, default=0)]
    return {QUESTIONS[number].field for number in numbers} | {q.field for q in passed if not q.required}


def person_text(patient: PatientShape, facts: Facts) -> str:
    """A known person in one line: name, sex, age, birth date, record number."""
    age = age_text(patient.birth_date, facts.today)
    return (
        f"{patient.name}, {sex_letter(patient.sex)}, {age} ({date_text(patient.birth_date)}),"
        f" RM {patient.medical_record_number}"
    )


def banner(patient: PatientShape, facts: Facts) -> str:
    """A known person with what must be known of them before anything else."""
    notes = [person_text(patient, facts)]
    if patient.allergies:
        notes.append(_("ALLERGIES: {names}").format(names=", ".join(patient.allergies)))
    if patient.open_entry:
        notes.append(_("in a queue now: {entry}").format(entry=patient.open_entry))
    if patient.identity_verified_at is None:
        notes.append(_("identity not verified: ask for the card"))
    return "\n! ".join(notes)
