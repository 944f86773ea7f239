"""An allergy travels with how grave it was; a struck-out one is entered in error."""

from __future__ import annotations

from typing import Any

import pytest

from core.exchange.fhir import people
from core.exchange.fhir.systems import Names
from core.foundation import clock
from core.models import Allergy


def sent(**columns: Any) -> dict[str, Any]:
    row = Allergy(id="a", substance="penisilin", recorded_at=clock.now(), **columns)
    return dict(people.allergy(Names("1234567"), row, "00000001"))


@pytest.mark.parametrize(
    ("severity", "criticality"), [("mild", "low"), ("moderate", "low"), ("severe", "high"), ("", None)]
)
def test_how_grave_it_was_travels_with_it(severity: str, criticality: str | None) -> None:
    resource = sent(reaction="sesak", severity=severity)
    assert resource.get("criticality") == criticality
    [reaction] = resource["reaction"]
    assert reaction.get("severity", "") == severity
    assert reaction["manifestation"] == [{"text": "sesak"}]
    assert "reaction" not in sent(severity=severity), "FHIR wants a manifestation in every reaction"


def test_one_entered_in_error_says_so() -> None:
    resource = sent(severity="severe", voided_at=clock.now())
    assert resource["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert "clinicalStatus" not in resource
