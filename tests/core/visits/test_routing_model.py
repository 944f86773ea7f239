"""Learning in a clinic's own tables: corrections beside accepted visits, taken into use only when it helps."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from core.accounts import service as accounts
from core.complaints.facts import RoutingFacts
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Sex, Verdict
from core.foundation.identifiers import new_id
from core.models import RoutingExample, Visit
from core.routing import route
from core.visits.routing_model import current_model, learn, switch_off
from tests.core.days import Days, open_clinic

DAY = date(2026, 3, 2)
BORN = DAY - timedelta(days=30 * 366)
LOCAL = RoutingFacts("galumbir", age_days=30 * 366)


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return open_clinic(tmp_path / "clinic")


def visit(days: Days, complaint: str, cluster: str) -> Visit:
    patient = days.patient(birth_date=BORN, sex=Sex.MALE)
    return days.visit(DAY, patient, cluster=cluster, chief_complaint=complaint, full=False)


def correct(of: Visit, chosen: str, source: str = "transfer") -> None:
    RoutingExample.create(
        id=new_id(), complaint=of.chief_complaint, age_days=(DAY - BORN).days, sex="male", pregnant=False,
        proposed=of.suggested_cluster, chosen=chosen, source=source, visit=of, at=clock.now(),
    )  # fmt: skip


def answer(clinic: Clinic) -> str | None:
    return route(LOCAL, None, clinic.clusters, clinic.vocabulary, current_model(clinic)).proposal


def test_what_clinicians_corrected_is_learnt_and_can_be_switched_off(clinic: Clinic, days: Days) -> None:
    actor = accounts.system_actor("test")
    for _ in range(20):
        correct(visit(days, "galumbir", "UMUM"), "GIGI")
        visit(days, "batuk pilek", "UMUM")
    assert answer(clinic) is None
    figures = learn(clinic, actor)
    assert (figures.passed, figures.helped, figures.harmed) == (True, 20, 0)
    assert answer(clinic) == "GIGI"
    switch_off(clinic, actor)
    assert answer(clinic) is None


def test_a_model_that_no_longer_helps_goes_out_of_use(clinic: Clinic, days: Days) -> None:
    actor = accounts.system_actor("test")
    moved = [visit(days, "galumbir", "UMUM") for _ in range(20)]
    for one in moved:
        correct(one, "GIGI")
        visit(days, "batuk pilek", "UMUM")
    assert learn(clinic, actor).passed
    # From here on the same word is treated in all sorts of places.
    for number in range(60):
        correct(visit(days, "galumbir", "UMUM"), ("IGD", "LAB", "KIA")[number % 3])
    assert not learn(clinic, actor).passed
    assert current_model(clinic) is None


def test_accepted_visits_keep_a_few_odd_corrections_from_moving_everyone(clinic: Clinic, days: Days) -> None:
    """Judged on corrections alone, these would look like a habit."""
    for number in range(80):
        visit(days, "batuk pilek", "UMUM")
        if number % 10 == 0:
            correct(visit(days, "batuk pilek", "UMUM"), "GIGI")
    learn(clinic, accounts.system_actor("test"))
    decision = route(
        RoutingFacts("batuk pilek", age_days=30 * 366),
        None,
        clinic.clusters,
        clinic.vocabulary,
        current_model(clinic),
    )
    assert decision.proposal == "UMUM"


def test_the_last_word_on_a_visit_is_its_label(clinic: Clinic, days: Days) -> None:
    """An override that was moved on after all was not kept."""
    for _ in range(20):
        of = visit(days, "galumbir", "UMUM")
        correct(of, "LAB", source="override")
        correct(of, "GIGI")
        visit(days, "batuk pilek", "UMUM")
    assert learn(clinic, accounts.system_actor("test")).passed
    assert answer(clinic) == "GIGI"


def test_what_says_too_little_stays_a_question_however_often_it_was_answered(
    clinic: Clinic, days: Days
) -> None:
    for _ in range(30):
        correct(visit(days, "sakit sudah 3 hari", "UMUM"), "GIGI")
        correct(visit(days, "galumbir", "UMUM"), "GIGI")
        visit(days, "batuk pilek", "UMUM")
    assert learn(clinic, accounts.system_actor("test")).passed
    model = current_model(clinic)
    decision = route(
        RoutingFacts("sakit sudah 3 hari", age_days=11_000), None, clinic.clusters, clinic.vocabulary, model
    )
    assert decision.verdict is Verdict.UNSURE
