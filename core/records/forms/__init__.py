"""Specialised forms as data: fields, values computed from them, and suggestions of the rules.

A form is one TOML file (`core/data/forms/`, or the clinic's own in `LOKET_HOME/forms/`). Nothing
here knows a form by name: a new one needs no code. Rules suggest and never decide; the clinician
reads them beside the form. Pure: facts in, values and suggestions out.

Rules ask for *facts*: the form's answers and computed values, the vital signs of the note, and
`age_months`, `age_years`, `sex`, `pregnant`, `cluster`, `payer` of the visit.
"""

from core.records.forms.answers import check_answer, check_answers, computed_values
from core.records.forms.definitions import (
    AnswerOption,
    Computed,
    FormDefinition,
    FormField,
    FormRule,
    LetterKind,
    Section,
)
from core.records.forms.form_files import check_file, load_forms, read_form
from core.records.forms.form_rules import FormSuggestion, offered, suggestions, visit_facts

__all__ = [
    "AnswerOption",
    "Computed",
    "FormDefinition",
    "FormField",
    "FormRule",
    "FormSuggestion",
    "LetterKind",
    "Section",
    "check_answer",
    "check_answers",
    "check_file",
    "computed_values",
    "load_forms",
    "offered",
    "read_form",
    "suggestions",
    "visit_facts",
]
