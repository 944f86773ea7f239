"""BPJS's answer about the person in a form, asked once for the same numbers."""

from __future__ import annotations

from core.foundation.codes import InsuranceStatus
from core.patients.national_ids import BPJS_LENGTH, NIK_LENGTH, normalise_number
from core.schemas.insurance import InsuranceOut
from tui.client.core_client import CoreClient
from tui.registration.form_values import FormValues
from tui.text.formatting import date_text
from tui.text.translation import N_, _

Numbers = tuple[str, str]
"""A NIK and a card's number; an incomplete one is empty."""

STATUSES = {
    InsuranceStatus.ACTIVE: N_("ACTIVE"),
    InsuranceStatus.INACTIVE: N_("NOT ACTIVE"),
    InsuranceStatus.UNKNOWN: N_("BPJS knows nobody with this number"),
    InsuranceStatus.NO_ANSWER: N_("no answer; it is asked again by itself"),
}


class ParticipantCheck:
    """The last answer of BPJS about a form.

    Attributes:
        answer: What BPJS said; None before it did, and where it is not asked.
    """

    def __init__(self, client: CoreClient) -> None:
        self._client = client
        self._asked: Numbers | None = None
        self.answer: InsuranceOut | None = None

    @property
    def status(self) -> str:
        """The code of BPJS's answer; empty before it."""
        return self.answer.status.value if self.answer is not None else ""

    def numbers(self, facts: FormValues) -> Numbers | None:
        """Return the numbers to ask about; None when there are none, or they were asked about."""
        if facts.patient is not None:
            nik, card = facts.patient.nik or "", facts.patient.bpjs_number or ""
        else:
            nik, card = normalise_number(facts.text("nik")), normalise_number(facts.text("bpjs_number"))
        found = (_whole(nik, NIK_LENGTH), _whole(card, BPJS_LENGTH))
        return found if any(found) and not self._is_asked(found) else None

    def _is_asked(self, numbers: Numbers) -> bool:
        """Return whether these were asked about, or only a number that BPJS itself gave is new."""
        if self._asked is None or numbers == self._asked:
            return self._asked is not None
        known = self.answer
        given = (known.nik, known.bpjs_number) if known is not None else ("", "")
        pairs = zip(numbers, self._asked, given, strict=True)
        return all(number in {"", asked, told} for number, asked, told in pairs)

    async def ask(self, numbers: Numbers) -> None:
        """Ask; the core answers within some seconds, whatever BPJS does.

        Raises:
            RefusedError: The core refuses the question.
            UnreachableError: The core does not answer.
        """
        self._asked, self.answer = numbers, None
        answer = await self._client.insurance.check(*numbers)
        if self._asked == numbers:
            self.answer = None if answer.status is InsuranceStatus.NOT_SET_UP else answer


def values_of(answer: InsuranceOut, facts: FormValues) -> dict[str, str]:
    """Return the form's fields as BPJS has them; of a known patient only the payer."""
    payer = answer.payer.value if answer.payer and answer.status is InsuranceStatus.ACTIVE else ""
    person = {
        "name": answer.name,
        "birth_date": date_text(answer.birth_date) if answer.birth_date else "",
        "sex": answer.sex.value if answer.sex else "",
        "nik": answer.nik,
        "bpjs_number": answer.bpjs_number,
    }
    found = {"payer": payer, **(person if facts.patient is None else {})}
    return {name: value for name, value in found.items() if value}


def differing(answer: InsuranceOut, facts: FormValues) -> dict[str, str]:
    """Return the fields whose value in the form is another than BPJS's; upper case is no difference."""
    return {
        name: value
        for name, value in values_of(answer, facts).items()
        if facts.text(name).casefold() != value.casefold()
    }


def sentence(answer: InsuranceOut) -> str:
    """Return the answer as a line, what matters first: 80 columns may end before the class."""
    parts = [_(STATUSES[answer.status]), answer.reason]
    if answer.is_own_member is False:
        parts.append(_("NOT OUR MEMBER: three visits a month"))
    if answer.back_referral:
        parts.append(_("REFERRED BACK (PRB)"))
    if answer.facility_name:
        parts.append(_("registered at {facility}").format(facility=answer.facility_name))
    parts += [answer.kind, answer.class_name]
    return "BPJS: " + ", ".join(part for part in parts if part)


def person_line(answer: InsuranceOut) -> str:
    """Return the person as BPJS has them, on one line."""
    born = date_text(answer.birth_date) if answer.birth_date else ""
    return ", ".join(part for part in (answer.name, born, answer.nik, answer.bpjs_number) if part)


def _whole(number: str, length: int) -> str:
    return number if len(number) == length and number.isascii() and number.isdigit() else ""
