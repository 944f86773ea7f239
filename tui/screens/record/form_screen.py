"""One specialised form, drawn from its description: the same code for every form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, VerticalScroll
from textual.widgets import Static

from core.foundation.languages import in_language
from core.records.forms import (
    FormDefinition,
    FormField,
    check_answer,
    computed_values,
    suggestions,
)
from core.schemas.record import PreviousValue
from tui import keymap
from tui.screens.base import LoketScreen
from tui.screens.record.vital_fields import previous_text
from tui.session import Session
from tui.text import problem_words
from tui.text.formatting import NotADateError, date_text, fit, number_text, parse_date, parse_number, wrapped
from tui.text.translation import N_, _, language
from tui.text.visit_words import COLOUR_SIGNS, value_text
from tui.widgets import Choice, ChoiceField, FieldRow, Label, TextField

Typed = dict[str, str]
"""Field -> its text, or a choice's value; `yes` and `no` for a yes-no field."""
LABEL_CELLS = 23
RESULT_ROWS = 7  # rows that `form.tcss` gives to the computed values
YES, NO = "yes", "no"


def typed_answers(form: FormDefinition, answers: Mapping[str, Any]) -> Typed:
    """Return stored answers as field texts."""
    typed: Typed = {}
    for item in form.fields():
        value = answers.get(item.name)
        if isinstance(value, bool):
            typed[item.name] = YES if value else NO
        elif item.type == "date" and value:
            typed[item.name] = date_text(date.fromisoformat(str(value)))
        elif value is not None:
            typed[item.name] = number_text(value) if isinstance(value, (int, float)) else str(value)
    return typed


def read_answers(
    fields: Sequence[FormField], typed: Typed, facts: Mapping[str, Any], day: date
) -> tuple[dict[str, Any], dict[str, str]]:
    """Read the typed values as they are stored.

    Fields that are not asked of this patient (`shown_when`) are left out.

    Args:
        fields: Fields of the form, in their order.
        typed: Field -> text.
        facts: As `core.records.forms.visit_facts`.
        day: Day of the visit.

    Returns:
        (field -> answer, field -> problem code).
    """
    answers: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for item in fields:
        text = typed.get(item.name, "").strip()
        if item.shown_when is not None and not item.shown_when.holds({**facts, **answers}):
            continue
        if not text:
            continue
        try:
            value = _value(item, text)
        except NotADateError:
            problems[item.name] = "date_format"
            continue
        except ValueError:
            problems[item.name] = "number_format"
            continue
        problem = check_answer(item, value, day)
        if problem is None:
            answers[item.name] = value
        else:
            problems[item.name] = problem
    return answers, problems


def _value(item: FormField, text: str) -> Any:
    if item.type in {"integer", "number"}:
        number = parse_number(text)
        return int(number) if number == int(number) else number
    if item.type == "date":
        return parse_date(text).isoformat()
    return text == YES if item.type == "yes_no" else text


class FormScreen(LoketScreen[Typed]):
    """Shows the questions, and below them the computed values and suggestions."""

    TITLE_TEXT = N_("Form")
    HELP_TEXT = N_(
        "Enter or Tab leads on. Y and T, a letter or a digit pick an answer; Backspace takes it away. "
        "Below stands what follows from the answers: '!!' refer now, '!' treat here. These are "
        "suggestions; you decide. F10 and Esc both go back to the record, which keeps what you typed."
    )
    BINDINGS = [Binding("f10", "done", N_("Back to the record")), keymap.BACK]
    CSS_PATH = "form.tcss"

    def __init__(
        self,
        session: Session,
        form: FormDefinition,
        *,
        who: str,
        facts: Mapping[str, Any],
        typed: Typed,
        day: date,
        previous: Mapping[str, PreviousValue],
        keep: Callable[[Typed], None],
    ) -> None:
        """Args: `who` is the top line; `facts` as `core.records.forms.visit_facts`; `keep` takes drafts."""
        super().__init__(session)
        self._form = form
        self._who = who
        self._facts = facts
        self._typed = dict(typed)
        self._day = day
        self._previous = previous
        self._keep = keep
        self._fields = {item.name: item for item in form.fields() if item.is_typed}

    def compose_body(self) -> ComposeResult:
        """Yield the patient's line, the questions by section, and the computed values."""
        yield Static(f" {self._who}", id="who", markup=False)
        with VerticalScroll(id="questions", can_focus=False):
            for section in self._form.sections:
                title = in_language(section.title, language())
                yield Static(f" {title}", classes="group", markup=False)
                with Container(classes="grid"):
                    for item in section.fields:
                        if item.is_typed:
                            yield from self._cell(item)
        yield Static("", id="results", markup=False)

    def _cell(self, item: FormField) -> ComposeResult:
        label = in_language(item.label, language())
        with FieldRow(id=f"cell-{item.name}"):
            yield Label(item.name, label, cells=LABEL_CELLS)
            if item.type in {"yes_no", "choice"}:
                yield ChoiceField(item.name, self._options(item), optional=True)
            else:
                yield TextField(item.name, cells=13, longest=200 if item.type == "text" else 10)
                yield Static(item.unit, classes="unit", markup=False)

    def _options(self, item: FormField) -> list[Choice]:
        if item.type == "yes_no":
            return [Choice(YES, N_("yes"), "y"), Choice(NO, N_("no"), "t")]
        return [
            Choice(
                choice.value,
                in_language(choice.label, language()),
                choice.key or str(number),
            )
            for number, choice in enumerate(item.choices, start=1)
        ]

    def on_mount(self) -> None:
        """Show the answers so far."""
        self.title_bar.set_title(in_language(self._form.title, language()))
        self.fill(self._typed)
        self._judge()
        self._first().focus()

    def after_language(self) -> None:
        """Show the form in the new language."""
        self._judge()

    def _first(self) -> TextField | ChoiceField:
        name = next(iter(self._fields))
        return next(iter(self.query(f"#{name}")))  # type: ignore[return-value]

    # Judging

    def _judge(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Show the computed values, and only the questions that apply."""
        shown = {name: value for name, value in self.field_values().items() if name in self._fields}
        self._typed |= shown  # what a dialog of its own has answered stays
        answers, problems = read_answers(self._form.fields(), self._typed, self._facts, self._day)
        known = {**self._facts, **answers, **computed_values(self._form, answers, self._facts, self._day)}
        for item in self._form.fields():
            if item.shown_when is not None and item.is_typed:
                self.query_one(f"#cell-{item.name}").display = item.shown_when.holds(known)
        self.query_one("#results", Static).update("\n".join(self._results(answers)))
        self.call_after_refresh(self._say_what_is_below)
        return answers, problems

    def _say_what_is_below(self) -> None:
        """Say that there are more questions than the screen shows."""
        questions = self.query_one("#questions")
        more = questions.scroll_offset.y < questions.max_scroll_y
        self.query_one("#results").border_title = _("more questions below") if more else ""

    def _results(self, answers: Mapping[str, Any]) -> list[str]:
        values = computed_values(self._form, answers, self._facts, self._day)
        computed = "   ".join(
            f"{in_language(item.label, language())} {value_text(values[item.name])} {item.unit}".strip()
            for item in self._form.computed
            if item.shown and item.name in values
        )
        lines = [f" {computed}"] if computed else []
        width = max(20, self.size.width - 1)
        found = suggestions(self._form, answers, self._facts, self._day, language())
        for place, item in enumerate(found, start=1):
            advice = f": {item.advice}" if item.advice else ""
            first, *more = wrapped(f"{item.title}{advice}", width - 4)
            # All of them are seen; when space is short, only the beginning of the later ones.
            if len(lines) + len(more) + 1 + len(found) - place > RESULT_ROWS:
                first, more = fit(f"{item.title}{advice}", width - 4).rstrip(), []
            lines += [f" {COLOUR_SIGNS[item.colour]} {first}", *(f"    {line.strip()}" for line in more)]
        return lines

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show which values a field takes, its usual range, and its earlier value."""
        self.call_after_refresh(self._say_what_is_below)
        item = self._fields.get(event.widget.id or "")
        if item is None:
            return
        parts = []
        if isinstance(event.widget, ChoiceField):
            parts.append(event.widget.hint())
        if item.type == "date":
            parts.append(_("ddmmyyyy"))
        if item.soft:
            parts.append(
                _("usual {low}-{high}").format(low=number_text(item.soft[0]), high=number_text(item.soft[1]))
            )
        before = self._previous.get(item.name)
        if before is not None:
            text = value_text(before.value) if isinstance(before.value, bool) else previous_text(before)
            parts.append(_("before: {value} on {day}").format(value=text, day=date_text(before.service_on)))
        self.hint("   ".join(parts))

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Judge the field that was left, and save the draft."""
        item = self._fields.get(event.widget.id or "")
        if item is None:
            return
        before = dict(self._typed)
        answers, problems = self._judge()
        problem = problems.get(item.name)
        for label in self.query(f"#label-{item.name}").results(Label):
            label.mark(problem is not None)
        if problem is not None:
            self.say(self._problem_text(item, problem), "error")
        elif item.soft and item.name in answers and not item.soft[0] <= answers[item.name] <= item.soft[1]:
            label_text = in_language(item.label, language())
            self.say(
                _("{field}: {value} is unusual").format(
                    field=label_text, value=number_text(answers[item.name])
                ),
                "warning",
            )
        if self._typed != before:
            self._keep(dict(self._typed))

    async def keep_now(self) -> None:
        """Pass the typed values to the record, which saves the draft."""
        self._judge()
        self._keep(dict(self._typed))

    def _problem_text(self, item: FormField, problem: str) -> str:
        label = in_language(item.label, language())
        limits = item.hard
        extra = (
            f" ({number_text(limits[0])}-{number_text(limits[1])})"
            if problem == "out_of_range" and limits
            else ""
        )
        return f"{label}: {problem_words.word(problem_words.FIELD_PROBLEMS, problem)}{extra}"

    @on(TextField.Changed)
    @on(ChoiceField.Changed)
    def typed(self) -> None:
        """Clear an error that was read."""
        self.settle_status()

    @on(ChoiceField.Changed)
    def chosen(self) -> None:
        """Judge a choice at once: it may open further questions."""
        if self.is_mounted and self.query("#results"):
            self._judge()

    @on(TextField.Submitted)
    @on(ChoiceField.Submitted)
    def lead_on(self) -> None:
        """Go to the next field on Enter."""
        self.focus_next()

    # Leaving

    def action_done(self) -> None:
        """Leave, unless an answer cannot be stored."""
        _answers, problems = self._judge()
        for name, problem in problems.items():
            if name not in self._fields:
                continue  # answered elsewhere, and said there
            for label in self.query(f"#label-{name}").results(Label):
                label.mark(True)
            text = self._problem_text(self._fields[name], problem)
            self.say(text, "error")
            self.query_one(f"#{name}").focus()
            # Again, once the field that loses the focus has been judged: it may have said something of its own.
            self.call_after_refresh(self.say, text, "error")
            return
        self.dismiss(self._typed)

    def action_back(self) -> None:
        """Leave with the typed values: nothing is lost."""
        self._judge()
        self.dismiss(self._typed)
