"""The codes that Loket sends against those that public integrations send for the same facts.

Facts from satusehat-integration 4.14.1 (PyPI, MIT; terminology/immunization_terminology.py), read by hand: its wheel cannot be
imported, since it imports `src.*`, which it does not hold.
"""

from __future__ import annotations

import pytest

from core.exchange.fhir.systems import CVX
from core.exchange.satusehat.official_displays import KFA, shipped
from core.exchange.satusehat.vaccinations import codes

SENT_ELSEWHERE = {
    "vaksin dpt-hb-hib": ({"VG17": "HIB", "VG45": "HepB", "VG107": "DTAP"}, ("198", "DTP-hepB-Hib Pentavalent Non-US")),
    "vaksin bcg": ({"VG19": "BCG"}, ("19", "BCG")),
    "vaksin polio oral": ({"VG89": "POLIO"}, ("178", "OPV bivalent")),
    "vaksin polio inaktif": ({"VG89": "POLIO"}, ("10", "IPV")),
    "vaksin campak rubela": ({"VG03": "MMR"}, ("4", "M/R")),
    "vaksin pcv": ({"VG152": "PneumoPCV"}, ("152", "Pneumococcal Conjugate, unspecified formulation")),
    "vaksin hpv": ({"VG137": "HPV"}, ("62", "HPV, quadrivalent")),
    "vaksin rabies": ({"VG90": "RABIES"}, ("18", "rabies, intramuscular injection")),
}  # fmt: skip
"""Vaccine -> groups with their texts, CVX code with its text. Of hepatitis B it has the adults' product alone."""


@pytest.mark.parametrize("vaccine", SENT_ELSEWHERE)
def test_a_vaccine_has_the_codes_and_texts_that_others_send(vaccine: str) -> None:
    groups, (cvx, name) = SENT_ELSEWHERE[vaccine]
    ours = codes()[vaccine]
    assert ours["groups"].split(";") == list(groups)
    assert {code: shipped()[KFA, code] for code in groups} == groups
    # CDC writes two figures, `04`; that integration one.
    assert ours["cvx"].lstrip("0") == cvx
    assert shipped()[CVX, ours["cvx"]] == name
