"""The specialised forms of a record: a line for each that fits the patient, opened and summed up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from textual import on
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from core.forms import Form, offered, suggestions, visit_facts
from core.schemas.queues import EntryShape
from core.schemas.record import VisitShape
from tui import theme
from tui.formatting import age_text, sex_letter
from tui.screens.keeping import KeepsDraft
from tui.screens.reasons import LettersDialog
from tui.screens.record.additions import Additions
from tui.screens.record.form import FormScreen, Typed, read_answers, typed_answers
from tui.screens.record.reading import computed_text, suggestion_titles, vitals_line
from tui.session import Session
from tui.text import N_, _, language
from tui.widgets.lines import paint, plain


class FormLine(Widget, can_focus=True):
    """A form that fits this patient, in one line; Enter opens it."""

    DEFAULT_CSS = """
    FormLine { height: 1; width: 1fr; }
    """
    BINDINGS = [Binding("enter", "open", show=False)]

    class Opened(Message):
        """Enter was pressed."""

        def __init__(self, form: Form) -> None:
            super().__init__()
            self.form = form

    def __init__(self, form: Form) -> None:
        super().__init__(id=f"form-{form.code}")
        self.form = form
        self._summary = ""

    def show(self, summary: str) -> None:
        """Say what is in it."""
        if summary != self._summary:
            self._summary = summary
            self.refresh()

    def action_open(self) -> None:
        """Open it."""
        self.post_message(self.Opened(self.form))

    def render_line(self, y: int) -> Strip:
        """Title and summary, reversed while focused."""
        title = self.form.title_en if language() == "en" and self.form.title_en else self.form.title_id
        text = self._summary or _("not filled in; Enter opens it")
        parts = [(f" > {title}: ", theme.STRONG), (text, theme.PLAIN)]
        if self.has_focus:
            return paint(plain(parts), self.size.width, theme.CURSOR)
        return paint(parts, self.size.width)


class RecordForms(KeepsDraft[str], Additions):
    """The part of the record's screen that keeps its forms."""

    def __init__(self, session: Session, entry: EntryShape, reason: str = "") -> None:
        super().__init__(session, entry, reason)
        self._typed_forms: dict[str, Typed] = {}

    def vitals_typed(self) -> tuple[dict[str, float], dict[str, str]]:
        """The vital signs as typed, and what is wrong with which."""
        raise NotImplementedError

    # What was typed

    def take_answers(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        """Begin with what the note holds; form's code -> answers."""
        self._typed_forms = {
            code: typed_answers(self._forms[code], given)
            for code, given in answers.items()
            if code in self._forms
        }

    def take_typed(self, forms: Mapping[str, Mapping[str, Any]]) -> None:
        """Go on with a draft; a form that the clinic no longer has is left out."""
        for code, typed in forms.items():
            if code in self._forms:
                self._typed_forms[code] = {str(name): str(value) for name, value in typed.items()}

    def forms_typed(self) -> dict[str, Typed]:
        """What stands in the forms, empty fields left out, for a draft."""
        return {
            code: {name: text for name, text in typed.items() if text}
            for code, typed in self._typed_forms.items()
        }

    def answers_typed(self, visit: VisitShape) -> Iterator[tuple[Form, dict[str, Any], dict[str, str]]]:
        """(form, answers, field -> problem) of each form that was begun."""
        facts = self._facts(visit)
        for code in list(self._typed_forms):
            form = self._forms[code]
            yield (form, *self._answers(form, facts, visit))

    def red_titles(self, visit: VisitShape) -> list[str]:
        """The classifications that say: refer now."""
        facts = self._facts(visit)
        return [
            found.title
            for form, answers, _problems in self.answers_typed(visit)
            for found in suggestions(form, answers, facts, visit.service_on, language())
            if found.colour == "red"
        ]

    def _answers(
        self, form: Form, facts: Mapping[str, Any], visit: VisitShape
    ) -> tuple[dict[str, Any], dict[str, str]]:
        return read_answers(form.fields(), self._typed_forms.get(form.code, {}), facts, visit.service_on)

    # What is shown

    def show_forms_soon(self) -> None:
        """Show the lines anew: a vital sign may offer another form, or change what follows from one."""
        if self._visit is not None:
            self.run_worker(self.show_forms(self._visit), group="forms", exit_on_error=False)

    def _facts(self, visit: VisitShape) -> dict[str, Any]:
        return visit_facts(
            birth_date=visit.patient.birth_date,
            sex=visit.patient.sex.value,
            pregnant=visit.pregnant,
            cluster=self._entry.cluster,
            day=visit.service_on,
            vitals=self.vitals_typed()[0],
        )

    async def show_forms(self, visit: VisitShape) -> None:
        """A line for each form that is offered or was begun; nothing once the record was left."""
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

    def _summarise_forms(self, visit: VisitShape) -> None:
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
            (str(number), form.code, form.title_en if language() == "en" and form.title_en else form.title_id)
            for number, form in enumerate(possible[:9], start=1)
        ]

        def chosen(code: str | None) -> None:
            if code:
                self.open_form(self._forms[code])

        self.app.push_screen(LettersDialog(self.session, N_("Form"), options), chosen)

    @on(FormLine.Opened)
    def open_line(self, event: FormLine.Opened) -> None:
        """Open this one."""
        self.open_form(event.form)

    def open_form(self, form: Form) -> None:
        """Fill a form in; what was typed comes back into the record's draft."""
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
