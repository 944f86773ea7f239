"""The people who come to the demo clinic, and what they say at the counter."""

from __future__ import annotations

import random
from dataclasses import dataclass

from core.foundation.ages import age_in_years
from core.foundation.clinic import Clinic
from core.foundation.codes import Payer, Sex, Verdict
from core.foundation.errors import CoreError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import Patient
from core.schemas.registration import RegistrationRequest, RoutingQuery
from core.visits import routing_check
from core.visits.registration import register


@dataclass(frozen=True)
class Said:
    """A complaint, and who may have it.

    Attributes:
        words: The words at the counter.
        weight: How often it is said.
        sex: Who says it; None: anybody.
        ages: First and last age in years.
        pregnant: Whether she is pregnant.
    """

    words: str
    weight: int = 2
    sex: Sex | None = None
    ages: tuple[int, int] = (5, 120)
    pregnant: bool = False


COMPLAINTS = (
    Said("batuk pilek tiga hari", 5),
    Said("demam sejak kemarin", 3),
    Said("kontrol tekanan darah tinggi, obat habis", 5, ages=(40, 120)),
    Said("kontrol kencing manis", 3, ages=(40, 120)),
    Said("gatal di tangan"),
    Said("nyeri lutut kalau jalan", 3, ages=(45, 120)),
    Said("sakit kepala"),
    Said("nyeri ulu hati"),
    Said("minta surat keterangan sehat", 2, ages=(16, 50)),
    Said("gigi geraham sakit", 4),
    Said("gusi bengkak", 2),
    Said("cabut gigi", 2),
    Said("tambal gigi"),
    Said("kontrol hamil", 5, sex=Sex.FEMALE, ages=(18, 42), pregnant=True),
    Said("suntik KB", 3, sex=Sex.FEMALE, ages=(18, 45)),
    Said("imunisasi", 3, ages=(0, 2)),
    Said("batuk pilek", 4, ages=(0, 4)),
    Said("mencret sejak tadi malam", 2, ages=(0, 4)),
    Said("periksa gula darah", 3, ages=(30, 120)),
    Said("cek kolesterol dan asam urat", 2, ages=(30, 120)),
    Said("kaki luka kena seng", 1, ages=(6, 70)),
)


def arrive(clinic: Clinic, clerk: Actor, chance: random.Random) -> bool:
    """Register one of the demo's people; return whether somebody came.

    Args:
        clinic: The demo clinic.
        clerk: The colleague at the counter.
        chance: Draws the person and the complaint.
    """
    patient = chance.choice(list(Patient.select().where(Patient.voided_at.is_null())))
    said = _said_by(clinic, patient, chance)
    if said is None:
        return False
    query = RoutingQuery(
        chief_complaint=said.words,
        birth_date=patient.birth_date,
        sex=Sex(patient.sex),
        pregnant=said.pregnant,
    )
    decision = routing_check.check_routing(clinic, query)
    if decision.verdict is Verdict.BLOCKED or not decision.suggestions:
        return False
    request = RegistrationRequest(
        id=new_id(),
        patient_id=patient.id,
        chief_complaint=said.words,
        pregnant=said.pregnant,
        payer=Payer.JKN_PBI if patient.bpjs_number else Payer.GENERAL,
        cluster=decision.suggestions[0].cluster,
    )
    try:
        register(clinic, clerk, request)
    except CoreError:
        return False  # in a queue already, or the rules ask a person: somebody else comes
    return True


def _said_by(clinic: Clinic, patient: Patient, chance: random.Random) -> Said | None:
    age = age_in_years(patient.birth_date, clinic.today())
    fitting = [
        said for said in COMPLAINTS if said.sex in (None, patient.sex) and said.ages[0] <= age <= said.ages[1]
    ]
    if not fitting:
        return None
    return chance.choices(fitting, weights=[said.weight for said in fitting])[0]
