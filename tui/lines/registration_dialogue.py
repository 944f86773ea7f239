"""A registration as a dialogue: questions, then the confirmation, then the save."""

from __future__ import annotations

from typing import Any

from core.foundation.codes import DuplicateBand, NikHolder
from core.foundation.identifiers import new_id
from core.patients.national_ids import Outcome
from core.schemas.base import Problem
from core.schemas.patients import DuplicateResult, NikDoubt, PatientOut, VillageOut
from core.schemas.registration import CheckOut, Receipt
from tui.client.errors import RefusedError, UnreachableError
from tui.lines.confirmation import confirm, save
from tui.lines.conversation import Conversation
from tui.lines.insurance_lines import InsuranceLines
from tui.lines.late_lines import ask_late
from tui.lines.questions import (
    ONLY_FOR_A_REASON,
    QUESTIONS,
    VISIT_FIELDS,
    MisreadError,
    Question,
    question_for,
)
from tui.registration import nik_holder
from tui.registration.drafts import RegistrationDraft, draft_data
from tui.registration.form_values import YES, FormValues, from_nik, village_in
from tui.registration.late_entry import LATE_FIELDS
from tui.session import Session
from tui.text import problem_words
from tui.text.formatting import age_text, date_text, sex_letter
from tui.text.translation import _

BACK, CANCEL, SHOW, HELP, CLEAR = "<", "<<", "=", "?", "-"
PERSON = {"nik", "no_identifier_reason", "name", "birth_date", "sex"}
"""Fields answered first; after them the core is asked for duplicates."""
MOST_CANDIDATES = 5


class CancelledError(Exception):
    """The clerk leaves the form; its draft stays."""


class RegistrationDialogue:
    """One registration.

    Attributes:
        values: Field -> value that was typed or chosen.
        patient: The patient, when already known.
    """

    def __init__(self, session: Session, talk: Conversation, left: RegistrationDraft) -> None:
        self._session = session
        self._talk = talk
        self._id = left.registration_id
        self._draft_key = left.key
        self._is_kept = True
        self._not_pregnant_in = ""
        self.values = dict(left.values)
        self.patient = left.patient
        self._answered = _answered_in(left.values)
        self._put_so_far: list[str] = []
        self._decision: str | None = None
        self._deceased_confirmed = False
        self._nik_is_own = False
        self._looked_up: dict[str, Any] | None = None
        self._insurance = InsuranceLines(session, talk)

    @property
    def facts(self) -> FormValues:
        """The values given so far."""
        return FormValues(self.values, self.patient, self._session.clinic.today)

    async def run(self) -> Receipt:
        """Ask until the registration is saved.

        Raises:
            CancelledError: The clerk left it; what was typed is kept as a draft.
            HungUpError: The input ended; the same.
            LeaveError: The sign-in ended; the same.
        """
        self._introduce()
        try:
            return await self._ask_all()
        finally:
            self._insurance.stop()

    async def _ask_all(self) -> Receipt:
        while True:
            self.values |= self._insurance.follow(self.facts, self._answered)
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
                if question.field == "address":
                    await self._find_village()
            if question.field in self._answered:
                self._put_so_far.append(question.field)
            await self._keep_draft()

    async def _find_village(self) -> None:
        """Find the village that the address names in the region list; several are asked about."""
        words = village_in(self.facts.text("address"))
        self.values["village_code"] = ""
        if not words:
            return
        try:
            found = await self._session.client.patients.find_villages(words, MOST_CANDIDATES)
        except (RefusedError, UnreachableError) as failure:
            self._talk.tell_failure(failure)
            found = []
        village = found[0] if len(found) == 1 else await self._ask_village(found)
        if village is None:
            self._talk.say("! " + _("Not in the region list: in the address as typed, without a code."))
        else:
            self.values["village_code"] = village.code
            self._answered.add("village_code")  # the address has answered it
            self._talk.say(f"{_('Kelurahan')}: {village.name}, {village.district}")

    async def _ask_village(self, found: list[VillageOut]) -> VillageOut | None:
        for number, village in enumerate(found, start=1):
            self._talk.say(f"{number} {village.name}, {village.district}, {village.regency}")
        while found:
            answer = await self._talk.ask(_("Number: that kelurahan, Enter: without a code:"))
            if not answer:
                break
            if answer.isdigit() and 1 <= int(answer) <= len(found):
                return found[int(answer) - 1]
            self._talk.refuse(_("Type a number, or Enter."))
        return None

    def took_command(self, answer: str, here: Question | None = None) -> bool:
        """Obey `<`, `<name`, `<<` and `=`; return whether the answer was one of them.

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
        """Return the question asked before this one; a field filled from the NIK was never asked."""
        while self._put_so_far:
            question = question_for(self._put_so_far.pop())
            if question.applies(self.facts) and question != here:
                return [question]
        return []

    def _keep_or_clear(self, question: Question, answer: str) -> None:
        if answer == CLEAR:
            self._set({question.field: ""} | ({"rt": "", "rw": ""} if question.field == "address" else {}))
        if question.required and not self.facts.text(question.field):
            self._talk.refuse(problem_words.field_problem(question.field, "required"))
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
        """Count a question as answered; drop a wrong answer, so that Enter does not repeat it."""
        problem = self.facts.problems().get(question.field)
        if problem is not None and problem != "required":
            self._talk.refuse(problem_words.field_problem(question.field, problem))
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
            self._decision = None  # the form is about another person now
            self._nik_is_own = False
        if "nik" in values and values["nik"] != self.values.get("nik"):
            self._forget_nik()
        self.values |= values

    def _forget_nik(self) -> None:
        """Take back the values that the earlier NIK filled in."""
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
                self._talk.say("! " + problem_words.word(problem_words.IDENTITY_WARNINGS, finding.code))

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
        """Show duplicates of the person; return whether the form changed by it."""
        query = self.facts.duplicates() or {}
        compared = query if final else {name: query[name] for name in PERSON if name in query}
        if self.patient is not None or self._decision is not None or compared == self._looked_up:
            return False
        try:
            answer = await self._session.client.registrations.check(query, None) if query else CheckOut()
        except (RefusedError, UnreachableError) as failure:
            await self._wait_for_retry(failure)
            return True
        if answer.nik is not None and not self._nik_is_own:
            await self._ask_whose_nik(answer.nik)
            return True
        self._looked_up = compared
        if answer.duplicates is None or answer.duplicates.band is DuplicateBand.NEW:
            return False
        await self._ask_who(answer.duplicates)
        return True

    async def _ask_whose_nik(self, doubt: NikDoubt) -> None:
        """Ask whose a NIK is that is plainly another person's; Enter decides nothing."""
        for note in [*nik_holder.notes(doubt, self.facts), nik_holder.finding_words(doubt)]:
            self._talk.say("! " + note)
        options = nik_holder.options(doubt)
        for number, (_value, words) in enumerate(options, start=1):
            self._talk.say(f"{number} {words}")
        self._talk.discard_typed_ahead()
        while True:
            answer = await self._talk.ask(_("Number: whose NIK it is:"))
            if answer.isdigit() and 1 <= int(answer) <= len(options):
                await self._nik_answered(doubt, options[int(answer) - 1][0])
                return
            if self.took_command(answer):
                if answer.startswith(BACK):
                    return
            else:
                self._talk.refuse(_("Type a number; < goes back to a question, << cancels."))

    async def _nik_answered(self, doubt: NikDoubt, answer: str) -> None:
        if answer == nik_holder.IS_HOLDER:
            assert doubt.holder is not None
            await self._become(doubt.holder)
        elif answer == NikHolder.SELF:
            self._nik_is_own = True
        else:
            moved = nik_holder.moved(doubt, answer, self.facts)
            self.values |= moved
            self._answered -= {name for name in ("birth_date", "sex") if name in moved}
            self._looked_up = None
            await self._keep_draft()

    async def _wait_for_retry(self, failure: RefusedError | UnreachableError) -> None:
        self._talk.tell_failure(failure)
        answer = await self._talk.ask(_("Enter: try again:"))
        self.took_command(answer)

    async def _ask_who(self, found: DuplicateResult) -> None:
        """Open a known person, or register a new one; Enter decides nothing."""
        sure = found.band is DuplicateBand.EXISTING
        self._talk.say(_("Known already?") if sure else _("Perhaps known already:"))
        candidates = found.candidates[:MOST_CANDIDATES]
        for number, candidate in enumerate(candidates, start=1):
            why = ", ".join(
                problem_words.word(problem_words.LIKENESS, code) for code in candidate.reasons[:3]
            )
            self._talk.say(f"{number} {person_text(candidate.patient, self.facts)}: {why}")
        # Lines typed ahead were meant for another question.
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

    async def _become(self, patient: PatientOut) -> None:
        self.patient, self._id = patient, new_id()
        self.values = {
            name: value for name, value in self.values.items() if name not in self._person_values()
        }
        self._answered &= {"chief_complaint", "visit"}
        self._talk.say(banner(patient, self.facts))
        await self._keep_draft()

    def _person_values(self) -> set[str]:
        visit = {"chief_complaint", *VISIT_FIELDS, *LATE_FIELDS}
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
            if await self._marked_pregnant(facts):
                return None
            agreed = await confirm(self._session, self._talk, facts, self)
        except (RefusedError, UnreachableError) as failure:
            await self._wait_for_retry(failure)
            return None
        if agreed is None:
            return None
        request = facts.registration(self._id, agreed.cluster, agreed.reason, self._decision)
        if agreed.doubt_answer is not None:
            request["doubt_answer"] = agreed.doubt_answer.value
        if self._deceased_confirmed:
            request["deceased_confirmed"] = True
        if self._nik_is_own:
            request["nik_holder"] = NikHolder.SELF.value
        saved = await save(self._session, self._talk, request)
        if isinstance(saved, Problem):
            await self._refused(saved)
            return None
        return saved

    async def _marked_pregnant(self, facts: FormValues) -> bool:
        """Ask where the words tell of a pregnancy that the form does not mark; return whether it is marked now."""
        complaint = facts.text("chief_complaint")
        if complaint == self._not_pregnant_in:
            return False
        routing = await self._session.client.registrations.routing(facts.routing(facts.text("cluster")))
        if not routing.says_pregnant:
            return False
        self._talk.discard_typed_ahead()
        answer = await self._talk.ask(_("Is the patient pregnant?") + " " + _("(Y: yes)"))
        if answer.casefold() in {"y", "ya", "yes"}:
            self._set({"pregnant": YES})
            return True
        self._not_pregnant_in = complaint
        return False

    async def _refused(self, problem: Problem) -> None:
        if problem.code == "duplicate_decision_required":
            await self._ask_who(DuplicateResult.model_validate(problem.details))
        elif problem.code == "nik_of_another":
            await self._ask_whose_nik(NikDoubt.model_validate(problem.details))
        elif problem.code == "patient_deceased":
            await self._ask_deceased(problem)
        elif any(path.startswith("late.") for path in problem.fields):
            await self._mend_late(problem)
        elif problem.fields:
            self._reopen(problem.fields)
        else:
            self._talk.tell_failure(RefusedError(problem))
            if problem.code not in {"override_reason_required", "cluster_blocked"}:
                self._answered.discard("visit")

    async def _mend_late(self, problem: Problem) -> None:
        """Ask again when somebody came and on which form."""
        self._talk.refuse(problem_words.problem_text(problem))
        self._talk.discard_typed_ahead()
        self.values |= await ask_late(self._session, self._talk, self.values)

    async def _ask_deceased(self, problem: Problem) -> None:
        """Register somebody who is marked as deceased only after a yes; anything else goes back to who it is."""
        self._talk.say("!! " + problem_words.problem_text(problem))
        self._talk.discard_typed_ahead()
        answer = await self._talk.ask(_("Y: register all the same:"))
        if answer.casefold() in {"y", "ya", "yes"}:
            self._deceased_confirmed = True
        else:
            self.reopen("visit")

    def reopen(self, field: str | None) -> None:
        """Ask a field again; without one, the last question."""
        self._answered.discard(question_for(field or "visit").field)

    def _reopen(self, problems: dict[str, str]) -> None:
        for path, code in problems.items():
            self._talk.refuse(problem_words.field_problem(path, code))
            self.reopen(path)

    async def _keep_draft(self) -> None:
        data = draft_data(self._id, self.values, self.patient, self.facts.name)
        try:
            await self._session.client.drafts.save(self._draft_key, data)
        except (RefusedError, UnreachableError):  # the next answer tries again
            if self._is_kept:
                self._talk.say("! " + _("NOT KEPT: what you type is not on the server yet."))
            self._is_kept = False
        else:
            if not self._is_kept:
                self._talk.say(_("Kept again."))
            self._is_kept = True


CARD = "bpjs_number"


def _answered_in(values: dict[str, str]) -> set[str]:
    """Return the answered questions of a draft: with a value, or left empty before one that has."""
    numbers = [number for number, question in enumerate(QUESTIONS) if values.get(question.field)]
    if {QUESTIONS[number].field for number in numbers} <= {CARD}:
        return {QUESTIONS[number].field for number in numbers}  # a scanned card: nothing was passed over yet
    passed = QUESTIONS[: max(numbers, default=0)]
    # Questions that depend on the reason are asked again when it has changed.
    skipped = {q.field for q in passed if not q.required and q.field not in ONLY_FOR_A_REASON}
    return {QUESTIONS[number].field for number in numbers} | skipped


def person_text(patient: PatientOut, facts: FormValues) -> str:
    """Return a known person in one line: name, sex, age, birth date, record number."""
    age = age_text(patient.birth_date, facts.today)
    return (
        f"{patient.name}, {sex_letter(patient.sex)}, {age} ({date_text(patient.birth_date)}),"
        f" RM {patient.medical_record_number}"
    )


def banner(patient: PatientOut, facts: FormValues) -> str:
    """Return a known person's identity and alerts, shown before anything else."""
    notes = [person_text(patient, facts)]
    if patient.deceased_on is not None:
        notes.append(_("DIED {day}").format(day=date_text(patient.deceased_on)))
    if patient.allergies:
        notes.append(_("ALLERGIES: {names}").format(names=", ".join(patient.allergies)))
    if patient.open_entry:
        notes.append(_("in a queue now: {entry}").format(entry=patient.open_entry))
    if patient.identity_verified_at is None:
        notes.append(_("identity not verified: ask for the card"))
    return "\n! ".join(notes)
