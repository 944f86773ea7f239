"""The printed form on which a counter writes while no computer answers."""

from __future__ import annotations

from dataclasses import dataclass

from core.foundation.codes import PrintStyle
from core.foundation.languages import data_table, in_language
from core.printing.documents import PrintDocument, PrintLine

BLANK = "." * 32  # a row to write on that the narrowest paper holds


@dataclass(frozen=True)
class PaperForm:
    """One form, before it is written on."""

    facility: str
    cluster: str
    """Its name."""
    number: str


def form_document(form: PaperForm, language: str) -> PrintDocument:
    """Return a form as a document to print.

    Args:
        form: The form.
        language: Language of its texts.
    """
    lines: list[PrintLine] = []
    for line in data_table("paper_form.toml")["line"]:
        text = in_language(line["text"], language).format(
            facility=form.facility, cluster=form.cluster, number=form.number
        )
        lines.append(PrintLine(text=text, style=PrintStyle(line.get("style", PrintStyle.PLAIN))))
        for _row in range(line.get("blank", 0)):
            lines += [PrintLine(), PrintLine(text=BLANK)]
    return PrintDocument(lines=lines)
