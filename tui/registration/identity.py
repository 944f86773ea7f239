"""Questions about an identity that are still open for whoever was just registered."""

from __future__ import annotations

from core.foundation.ages import age_in_years
from core.patients.fields import CODED
from core.patients.identity_values import still_to_ask
from tui.registration.form_values import FormValues
from tui.session import Session


def identity_to_ask(session: Session, facts: FormValues) -> list[str]:
    """Return the fields that the clinic asks and nobody has asked this person about.

    Args:
        session: The session, for what the clinic asks.
        facts: The form that was saved.
    """
    known = {name: getattr(facts.patient, name) for name in CODED} if facts.patient is not None else {}
    born = facts.birth_date
    age = age_in_years(born, session.clinic.today) if born is not None else None
    return still_to_ask(session.clinic.asks_identity, known, age)
