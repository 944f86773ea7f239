"""Numbered paper forms for the hours without a computer."""

from __future__ import annotations

from core.foundation.codes import NumberStatus
from core.printing.paper_form import PaperForm, form_document
from core.queues import paper_forms as forms
from core.schemas.queues import PaperFormEnd, PaperFormOut, PaperFormsAsked, PaperFormsMade
from server.resources import resource
from server.security import ActorNow, ClinicNow, LanguageNow

router = resource("printing")


@router.get("/paper-forms")
def paper_forms(actor: ActorNow, status: NumberStatus | None = None) -> list[PaperFormOut]:
    """Return the forms, those printed last first."""
    return forms.listed(actor, status)


@router.post("/paper-forms", status_code=201)
def make_paper_forms(
    body: PaperFormsAsked, actor: ActorNow, clinic: ClinicNow, language: LanguageNow
) -> PaperFormsMade:
    """Reserve numbers for forms that are printed now; whoever asks prints each document once."""
    made = forms.print_forms(clinic, actor, body.cluster, body.count)
    name = clinic.clusters[body.cluster].name
    facility = clinic.settings.facility_name
    return PaperFormsMade(
        forms=forms.shapes(made),
        documents=[form_document(PaperForm(facility, name, row.number), language) for row in made],
    )


@router.post("/paper-forms/{number}/end")
def end_paper_form(number: str, body: PaperFormEnd, actor: ActorNow, clinic: ClinicNow) -> PaperFormOut:
    """End a form that nobody will use: returned, or spoiled, lost or not printed."""
    return forms.shapes([forms.end(clinic, actor, number, body.outcome, body.reason)])[0]
