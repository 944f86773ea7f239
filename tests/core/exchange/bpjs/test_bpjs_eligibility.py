"""Who is insured, as a counter asks: every answer of BPJS, and none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.exchange.bpjs import eligibility
from core.foundation.clinic import Clinic
from core.foundation.codes import InsuranceStatus, Payer, Role, Sex
from core.foundation.config import Settings
from core.foundation.errors import NotAllowedError
from core.foundation.permissions import Actor
from core.queues.clusters import load_clusters
from core.schemas.insurance import InsuranceOut, InsuranceQuery
from server.bpjs_stand_in import PcareHost
from tests.core.exchange.bpjs.conftest import CARD, NIK

CLERK = Actor("1", "clerk", "Clerk", Role.CLERK)


def asked(pcare: PcareHost | None, actor: Actor = CLERK, **query: Any) -> InsuranceOut:
    settings = Settings(**(pcare.settings() if pcare else {}), bpjs_wait_seconds=0.5)
    return eligibility.check(Clinic(settings, load_clusters("poli")), actor, InsuranceQuery(**query))


def test_an_active_member_by_card_and_by_nik(pcare: PcareHost) -> None:
    for query in ({"bpjs_number": CARD}, {"nik": NIK}, {"bpjs_number": "0001-2345-67890", "nik": "x"}):
        answer = asked(pcare, CLERK, **query)
        assert (answer.status, answer.name, answer.birth_date, answer.sex) == (
            InsuranceStatus.ACTIVE, "SITI AMINAH", date(1990, 7, 1), Sex.FEMALE,
        )  # fmt: skip
        assert (answer.bpjs_number, answer.nik, answer.payer) == (CARD, NIK, Payer.JKN_PBI)
        assert (answer.class_name, answer.facility_name, answer.is_own_member) == (
            "KELAS III",
            "PUSKESMAS LOKET",
            True,
        )


def test_why_a_membership_is_not_active_and_where_the_person_is_registered(pcare: PcareHost) -> None:
    pcare.books.participants[CARD].update(
        aktif=False, ketAktif="PREMI", kdProviderPst={"kdProvider": "0114U999", "nmProvider": "PKM LAIN"},
        jnsPeserta={"nama": "NON PBI - PEGAWAI SWASTA"},
    )  # fmt: skip
    answer = asked(pcare, bpjs_number=CARD)
    assert (answer.status, answer.reason, answer.is_own_member) == (InsuranceStatus.INACTIVE, "PREMI", False)
    assert answer.payer is Payer.JKN_NON_PBI


def test_nobody_with_this_number(pcare: PcareHost) -> None:
    assert asked(pcare, bpjs_number="0009999999999").status is InsuranceStatus.UNKNOWN


@pytest.mark.parametrize("fault", ["html", "error_500", "lose_request", "lose_answer", "cut"])
def test_whatever_goes_wrong_there_is_no_answer(pcare: PcareHost, fault: str) -> None:
    pcare.mischief.append(fault)
    assert asked(pcare, bpjs_number=CARD).status is InsuranceStatus.NO_ANSWER


def test_an_answer_that_comes_too_late_is_none(pcare: PcareHost) -> None:
    pcare.delay = 3.0
    assert asked(pcare, bpjs_number=CARD).status is InsuranceStatus.NO_ANSWER


def test_a_clinic_without_keys_asks_nobody() -> None:
    assert asked(None, bpjs_number=CARD).status is InsuranceStatus.NOT_SET_UP


def test_only_who_registers_may_ask(pcare: PcareHost) -> None:
    with pytest.raises(NotAllowedError):
        asked(pcare, Actor("2", "doctor", "Doctor", Role.CLINICIAN), bpjs_number=CARD)


@pytest.mark.parametrize(
    "body",
    [{}, {"tglLahir": "31-02-1990", "sex": "X", "kdProviderPst": None, "jnsPeserta": "PBI", "noKTP": "1"}],
)
def test_what_cannot_be_read_is_left_empty(body: dict[str, Any]) -> None:
    answer = eligibility.read_participant(body, "0114U163")
    assert (answer.birth_date, answer.sex, answer.nik, answer.payer, answer.is_own_member) == (None,) * 2 + (
        "",
        None,
        None,
    )
