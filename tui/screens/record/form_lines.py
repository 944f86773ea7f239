"""Specialised forms of a record: a line for each that fits the patient, with a summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from textual import on
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from core.foundation.languages import in_language
from core.records.forms import FormDefinition, offered, suggestions, visit_facts
from core.schemas.queues import EntryOut
from core.schemas.record import NO_REASON, StatedReason, VisitOut
from tui import theme
from tui.screens.draft_autosave import KeepsDraft
from tui.screens.reasons import LettersDialog
from tui.screens.record.additions import Additions
from tui.screens.record.form_screen import FormScreen, Typed, read_answers, typed_answers
from tui.session import Session
from tui.text.formatting import age_text, sex_letter
from tui.text.translation import N_, _, language
from tui.text.visit_words import computed_text, suggestion_titles, vitals_line
from tui.widgets.painting import paint, plain


class FormLine(Widget, can_focus=True):
    """A form that fits this patient, in one line; Enter opens it."""

    DEFAULT_CSS = """
    FormLine { height: 1; width: 1fr; }
    """
    BINDINGS = [Binding("enter", "open", show=False)]

    class Opened(Message):
        """Sent when Enter was pressed."""

        def __init__(self, form: FormDefinition) -> None:
            super().__init__()
            self.form = form

    def __init__(self, form: FormDefinition) -> None:
        super().__init__(id=f"form-{form.code}")
        self.form = form
        self._summary = ""

    def show(self, summary: str) -> None:
        """Show the summary of the form."""
        if summary != self._summary:
            self._summary = summary
            self.refresh()

    def action_open(self) -> None:
        """Open the form."""
        self.post_message(self.Opened(self.form))

    def render_line(self, y: int) -> Strip:
        """Return title and summary, reversed while focused."""
        title = in_language(self.form.title, language())
        text = self._summary or _("not filled in; Enter opens it")
        parts = [(f" > {title}: ", theme.STRONG), (text, theme.PLAIN)]
        if self.has_focus:
            return paint(plain(parts), self.size.width, theme.CURSOR)
        return paint(parts, self.size.width)


class RecordForms(KeepsDraft[str], Additions):
    """The part of the record's screen that holds its forms."""

    def __init__(self, session: Session, entry: EntryOut, reason: StatedReason = NO_REASON) -> None:
        super().__init__(session, entry, reason)
        self._typed_forms: dict[str, Typed] = {}

    def vitals_typed(self) -> tuple[dict[str, float], dict[str, str]]:
        """Return the typed vital signs, and the problem of each wrong one."""
        raise NotImplementedError

    # What was typed

    def take_answers(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        """Begin with the answers of the note; code of the form -> answers."""
        self._typed_forms = {
            code: typed_answers(self._forms[code], given)
            for code, given in answers.items()
            if code in self._forms
        }

    def take_typed(self, forms: Mapping[str, Mapping[str, Any]]) -> None:
        """Go on with a draft, without forms that the clinic no longer has."""
        for code, typed in forms.items():
            if code in self._forms:
                self._typed_forms[code] = {str(name): str(value) for name, value in typed.items()}

    def forms_typed(self) -> dict[str, Typed]:
        """Return the typed values of the forms for a draft, without empty fields."""
        return {
            code: {name: text for name, text in typed.items() if text}
            for code, typed in self._typed_forms.items()
        }

    def answers_typed(
        self, visit: VisitOut
    ) -> Iterator[tuple[FormDefinition, dict[str, Any], dict[str, str]]]:
        """Return (form, answers, field -> problem) of each form that was begun."""
        facts = self._facts(visit)
        for code in list(self._typed_forms):
            form = self._forms[code]
            yield (form, *self._answers(form, facts, visit))

    def red_titles(self, visit: VisitOut) -> list[str]:
        """Return the classifications that ask for referral now."""
        facts = self._facts(visit)
        return [
            found.title
            for form, answers, _problems in self.answers_typed(visit)
            for found in suggestions(form, answers, facts, visit.service_on, language())
            if found.colour == "red"
        ]

    def _answers(
        self, form: FormDefinition, facts: Mapping[str, Any], visit: VisitOut
    ) -> tuple[dict[str, Any], dict[str, str]]:
        return read_answers(form.fields(), self._typed_forms.get(form.code, {}), facts, visit.service_on)

    # What is shown

    def show_forms_soon(self) -> None:
        """Show the lines again soon: a vital sign may offer another form, or change what a form computes."""
        if self._visit is not None:
            self.run_worker(self.show_forms(self._visit), group="forms", exit_on_error=False)

    def _facts(self, visit: VisitOut) -> dict[str, Any]:
        return visit_facts(
            birth_date=visit.patient.birth_date,
            sex=visit.patient.sex.value,
            pregnant=visit.pregnant,
            cluster=self._entry.cluster,
            day=visit.service_on,
            vitals=self.vitals_typed()[0],
            payer=visit.payer.value if self.session.clinic.asks_bpjs else "",
        )

    async def show_forms(self, visit: VisitOut) -> None:
        """Show a line for each form that is offered or was begun; nothing after the record was left."""
        if not self.is_attached:
            return
        facts = self._facts(visit)
        codes = [form.code for form in offered(self._forms, facts)]
        codes += [code for code, typed in self._typed_forms.items() if any(typed.values())]
        holder = self.query_one("#forms")
        shown = {line.form.code for line in holder.query(FormLine)}
        new = [code for code in dict.fromkeys(codes) if code not in shown and code in self._forms]
        await holder.mount_all([FormLine(self._forms[code]) for code in new])
        self._summarise_forms(visit)

    def _summarise_forms(self, visit: VisitOut) -> None:
        facts = self._facts(visit)
        for line in self.query(FormLine):
            answers, problems = self._answers(line.form, facts, visit)
            parts = [computed_text(line.form, answers, facts, visit)]
            found = suggestion_titles(line.form, answers, facts, visit)
            parts += [" ".join(found)] if found else []
            if problems:
                parts.insert(0, _("{number} fields are wrong").format(number=len(problems)))
            given = _("{number} answers").format(number=len(answers)) if answers else ""
            line.show("  ".join(part for part in parts if part) or given)

    def action_open_form(self) -> None:
        """Open a form that is possible for this patient."""
        if self._visit is None:
            return
        facts = self._facts(self._visit)
        possible = [form for form in self._forms.values() if form.possible.holds(facts)]
        if len(possible) == 1:
            self.open_form(possible[0])
            return
        if not possible:
            self.say(_("No form fits this patient."))
            return
        options = [
            (str(number), form.code, in_language(form.title, language()))
            for number, form in enumerate(possible[:9], start=1)
        ]

        def chosen(code: str | None) -> None:
            if code:
                self.open_form(self._forms[code])

        self.app.push_screen(LettersDialog(self.session, N_("Form"), options), chosen)

    @on(FormLine.Opened)
    def open_line(self, event: FormLine.Opened) -> None:
        """Open the form of this line."""
        self.open_form(event.form)

    def open_form(self, form: FormDefinition) -> None:
        """Show a form; its typed values go back into the record's draft."""
        visit = self._visit
        if visit is None:
            return

        def keep(typed: Typed) -> None:
            self._typed_forms[form.code] = typed
            self.keep_soon()

        async def back(typed: Typed | None) -> None:
            if typed is not None:
                keep(typed)
                await self.show_forms(visit)

        patient = visit.patient
        who = f"{patient.name}  {sex_letter(patient.sex)} {age_text(patient.birth_date, self.session.clinic.today)}"
        vitals = self.vitals_typed()[0]
        if vitals:
            who += "  " + vitals_line(vitals)
        screen = FormScreen(
            self.session,
            form,
            who=who,
            facts=self._facts(visit),
            typed=self._typed_forms.get(form.code, {}),
            day=visit.service_on,
            previous=visit.previous,
            keep=keep,
        )
        self.app.push_screen(screen, back)
