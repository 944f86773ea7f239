"""A day of sixty visits through the API, sent to SATUSEHAT's stand-in: counted by type, refused by no oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from core.exchange import outbox
from core.exchange import service as synchronisation
from core.exchange.fhir.systems import ICD10
from core.foundation import clock
from core.foundation.database import connection
from core.models import Account, MedicineCode, OfficialDisplay, Outbox, SharingDecision, Visit
from server.run import Background
from tests import fhir_validator, medplum_validator
from tests.core.exchange.satusehat.sending import QUICK, changed, settings_for
from tests.people import Caller
from tests.people import patient as a_patient
from tests.server.satusehat import Satusehat, official_icd10

ROUNDS = 4
VILLAGE = "6371011001"
CODES = ("J06.9", "I10", "K04.0", "Z34.9", "Z27.8", "R51", "T14.1", "A09", "J00", "P59.9")
PEOPLE = ("clerk", "doctor", "dentist", "midwife", "lab", "pharmacist", "nurse")


def nik(born: date, sex: str, serial: int) -> str:
    day = born.day + (40 if sex == "female" else 0)
    return f"637101{day:02d}{born:%m%y}{serial:04d}"


class Day:
    """People who work at the clinic, and the visits that they make."""

    def __init__(self, callers: dict[str, Caller], today: date) -> None:
        self.callers = callers
        self.today = today
        self.serial = 0

    def person(self, years: float, sex: str = "female", **changes: Any) -> dict[str, Any]:
        self.serial += 1
        born = self.today - timedelta(days=int(years * 365.25) + self.serial % 20)
        fields = {"nik": nik(born, sex, self.serial), "no_identifier_reason": None, **changes}
        return a_patient(
            birth_date=born.isoformat(),
            sex=sex,
            address="Jl. Contoh 1",
            rt="001",
            rw="002",
            village_code=VILLAGE,
            **fields,
        )

    def register(self, cluster: str, complaint: str, **changes: Any) -> dict[str, Any]:
        return self.callers["clerk"].registered(
            cluster=cluster, chief_complaint=complaint, override_reason="uji", doubt_answer="no", **changes
        )

    def open(self, who: str, receipt: dict[str, Any], *, vitals: dict[str, float], **record: Any) -> str:
        """Call and serve a patient, and write what was found; return the visit."""
        caller, entry, visit = self.callers[who], receipt["ticket"]["id"], receipt["visit_id"]
        for action in ("call", "start"):
            done = caller.act(entry, action)
            assert done.is_success, done.text
        written = caller.put(
            f"visits/{visit}/encounter", json={"vitals": vitals, "subjective": "seperti di atas", **record}
        )
        assert written.is_success, written.text
        return str(visit)

    def add(self, who: str, path: str, **body: Any) -> dict[str, Any]:
        made = self.callers[who].post(path, json=body)
        assert made.is_success, made.text
        return dict(made.json())

    def end(self, who: str, receipt: dict[str, Any], disposition: str = "home") -> None:
        done = self.callers[who].act(receipt["ticket"]["id"], "finish", disposition=disposition)
        assert done.is_success, done.text

    # The visits

    def adult_with_medicine(self) -> None:
        receipt = self.register(
            "UMUM", "batuk, demam 3 hari", patient=self.person(40, "male", marital_status="2")
        )
        visit = self.open(
            "doctor", receipt, vitals={"systolic": 150, "diastolic": 95, "pulse": 90, "temperature": 38.2}
        )
        self.add("doctor", f"visits/{visit}/diagnoses", code="J06.9")
        self.add("doctor", f"visits/{visit}/diagnoses", code="I10", case_kind="old")
        item = self.add(
            "doctor", f"visits/{visit}/prescriptions", medicine="Amlodipin 5 mg tablet", dose="1 tablet",
            frequency="1x sehari", amount="30 tablet",
        )  # fmt: skip
        self.add("pharmacist", f"prescriptions/{item['id']}/dispense")
        self.end("doctor", receipt)

    def with_laboratory(self) -> None:
        receipt = self.register("UMUM", "lemas", patient=self.person(30))
        visit = self.open("doctor", receipt, vitals={"pulse": 88, "weight": 50, "height": 155})
        self.add("doctor", f"visits/{visit}/diagnoses", code="R51")
        for test, result in (("Hemoglobin", "9,5"), ("Protein urin", "+1"), ("Gula darah sewaktu", "120")):
            order = self.add("doctor", f"visits/{visit}/orders", test=test)
            self.add("lab", f"orders/{order['id']}/result", result=result)
        self.add("doctor", f"visits/{visit}/orders", test="Kreatinin")
        self.end("doctor", receipt)

    def child(self) -> None:
        receipt = self.register("KIA", "diare", patient=self.person(2.5, "male"))
        visit = self.open(
            "midwife",
            receipt,
            vitals={"weight": 12, "height": 88, "temperature": 37, "respiration": 30},
            plan="oralit; kontrol 2 hari lagi",
        )
        self.add("midwife", f"visits/{visit}/diagnoses", code="A09")
        self.end("midwife", receipt)

    def pregnancy_of_an_insured(self) -> None:
        receipt = self.register(
            "KIA", "periksa hamil", patient=self.person(27, bpjs_number=f"00012345{self.serial:05d}"), pregnant=True,
            payer="jkn_pbi",
        )  # fmt: skip
        visit = self.open(
            "midwife", receipt, vitals={"systolic": 110, "diastolic": 70, "arm_circumference": 26},
            form={"bpjs": {"consciousness": "01", "prognosis": "02"}, "pregnancy": {"gravida": 2}},
        )  # fmt: skip
        self.add("midwife", f"visits/{visit}/diagnoses", code="Z34.9")
        self.end("midwife", receipt)

    def newborn(self) -> None:
        mother = self.register("KIA", "kontrol nifas", patient=self.person(25))
        visit = self.open("midwife", mother, vitals={"pulse": 80})
        self.add("midwife", f"visits/{visit}/diagnoses", code="Z34.9")
        self.end("midwife", mother)
        born = (self.today - timedelta(days=3)).isoformat()
        baby = self.person(
            0, "male", nik=None, no_identifier_reason="newborn", mother_id=mother["patient_id"], birth_order=0
        )
        receipt = self.register("KIA", "bayi kuning", patient=baby | {"birth_date": born})
        visit = self.open("midwife", receipt, vitals={"weight": 3.1, "height": 49, "head_circumference": 34})
        self.add("midwife", f"visits/{visit}/diagnoses", code="P59.9")
        self.end("midwife", receipt)

    def dental_procedure(self) -> None:
        receipt = self.register("GIGI", "sakit gigi", patient=self.person(33))
        visit = self.open("dentist", receipt, vitals={})
        self.add("dentist", f"visits/{visit}/diagnoses", code="K04.0")
        self.add("dentist", f"visits/{visit}/procedures", code="23.09", note="46")
        self.end("dentist", receipt)

    def immunisation(self) -> None:
        receipt = self.register("KIA", "imunisasi", patient=self.person(0.5))
        visit = self.open("midwife", receipt, vitals={"weight": 7})
        self.add("midwife", f"visits/{visit}/diagnoses", code="Z27.8")
        keeps = (self.today + timedelta(days=90)).isoformat()
        for vaccine in ("Vaksin DPT-HB-Hib", "Vaksin polio oral (OPV) tetes"):
            self.add(
                "midwife", f"visits/{visit}/immunisations", vaccine=vaccine, dose_number=3, lot_number="L-7",
                expires_on=keeps, site="RT" if "DPT" in vaccine else None,
            )  # fmt: skip
        self.end("midwife", receipt)

    def referral(self) -> None:
        receipt = self.register("UMUM", "nyeri dada", patient=self.person(55, "male"))
        visit = self.open(
            "doctor", receipt, vitals={"systolic": 190, "diastolic": 110, "oxygen_saturation": 91}
        )
        self.add("doctor", f"visits/{visit}/diagnoses", code="I10")
        letter = {"hospital": "RSUD Contoh", "department": "Penyakit Dalam", "reason": "krisis hipertensi"}
        self.add("doctor", f"visits/{visit}/letters", kind="referral", answers=letter)
        self.end("doctor", receipt, "referred")

    def death(self) -> None:
        receipt = self.register("IGD", "tidak sadar", patient=self.person(70, "male"), priority="red")
        visit = self.open("doctor", receipt, vitals={"oxygen_saturation": 60})
        self.add("doctor", f"visits/{visit}/diagnoses", code="T14.1")
        self.end("doctor", receipt, "died")

    def foreigner(self) -> None:
        person = self.person(
            35, "male", nik=None, passport_number=f"X{self.serial:07d}", no_identifier_reason="foreigner"
        )
        receipt = self.register("UMUM", "demam", patient=person)
        visit = self.open("doctor", receipt, vitals={"temperature": 38})
        self.add("doctor", f"visits/{visit}/diagnoses", code="J00")
        self.end("doctor", receipt)

    def refused_consent(self) -> None:
        receipt = self.register("UMUM", "pusing", patient=self.person(45))
        clerk = self.callers["clerk"]
        answer = clerk.put(f"patients/{receipt['patient_id']}/sharing", json={"agreed": False})
        assert answer.json()["agreed"] is False
        assert "TIDAK SETUJU" in answer.json()["text"]
        visit = self.open("doctor", receipt, vitals={"pulse": 80})
        self.add("doctor", f"visits/{visit}/diagnoses", code="R51")
        self.end("doctor", receipt)

    def allergic(self) -> None:
        receipt = self.register("UMUM", "gatal", patient=self.person(38))
        visit = self.open("doctor", receipt, vitals={"pulse": 80, "waist": 90, "glucose": 110})
        self.add(
            "doctor",
            f"patients/{receipt['patient_id']}/allergies",
            substance="Amoksisilin",
            reaction="bengkak",
            severity="severe",
        )
        self.add("doctor", f"visits/{visit}/diagnoses", code="J00")
        self.end("doctor", receipt)

    def against_advice(self) -> None:
        receipt = self.register("UMUM", "sakit kepala", patient=self.person(29))
        visit = self.open("doctor", receipt, vitals={"pulse": 80})
        self.add("doctor", f"visits/{visit}/diagnoses", code="R51")
        self.end("doctor", receipt, "left_against_advice")

    def gone_before_service(self) -> None:
        receipt = self.register("GIGI", "sakit gigi", patient=self.person(31))
        done = self.callers["clerk"].act(receipt["ticket"]["id"], "cancel", reason="pulang")
        assert done.is_success, done.text

    def visits(self) -> list[Callable[[], None]]:
        return [
            self.adult_with_medicine, self.with_laboratory, self.child, self.pregnancy_of_an_insured, self.newborn,
            self.dental_procedure, self.immunisation, self.referral, self.death, self.foreigner, self.refused_consent,
            self.allergic, self.against_advice, self.gone_before_service,
        ]  # fmt: skip


@pytest.fixture
def ministry() -> Iterator[Satusehat]:
    running = Satusehat(now=clock.now() + timedelta(days=1))
    yield running
    running.stop()


@pytest.fixture
def day(server: Background, ministry: Satusehat) -> Iterator[Day]:
    with connection():
        Outbox.delete().execute()  # the demo's own patients, who live nowhere
        for number, account in enumerate(Account.select().where(Account.username.in_(PEOPLE)), 1):
            own = nik(date(1980, 1, number), "male", 9000 + number)
            Account.update(practitioner_nik=own).where(Account.id == account.id).execute()
            ministry.practitioners[own] = f"N{number:08d}"
        OfficialDisplay.insert_many(
            {
                "system": ICD10,
                "code": code,
                "display": official_icd10(code),
                "source": "x",
                "imported_at": clock.now(),
            }
            for code in CODES
        ).execute()
        MedicineCode.create(
            code="93900004", name="Amlodipine Besylate 5 mg Tablet", brand="TENSILOWA", ingredients=["amlodipin"],
            form="Tablet", form_code="BS066",
        )  # fmt: skip
        ministry.products["93900004"] = "Amlodipine Besylate 5 mg Tablet (TENSILOWA)"
        for code, name, brand, ingredient in (
            ("93001282", "Vaksin DTP - HB - Hib 0,5 mL", "PENTABIO, 1", "vaksin dpt-hb-hib"),
            ("93004972", "Vaksin Poliomyelitis Oral Bivalent", "BIO FARMA", "vaksin polio oral"),
        ):
            MedicineCode.create(code=code, name=name, brand=brand, ingredients=[ingredient])
            ministry.products[code] = f"{name} ({brand})"
        today = server.clinic.today()
    with ExitStack() as stack:
        yield Day({name: stack.enter_context(Caller(server.url, name)) for name in PEOPLE}, today)


def test_a_day_of_sixty_visits_is_taken_whole(day: Day, server: Background, ministry: Satusehat) -> None:
    for _ in range(ROUNDS):
        for visit in day.visits():
            visit()
    clinic = changed(server.clinic, **{**settings_for(ministry), "satusehat_per_minute": 600_000})
    with connection():
        assert Visit.select().count() == 15 * ROUNDS
        outcome = synchronisation.run(clinic, pace=QUICK)
        assert (outcome.error, outcome.refused, outcome.pending) == (None, 0, 0), outbox.status(
            clinic
        ).refusals
        patients = Outbox.select().where(Outbox.kind == "patient").count()
        refused = SharingDecision.select().where(~SharingDecision.agreed).count()
    counted = Counter({kind: len(ministry.of(kind)) for kind in ministry.resources if ministry.of(kind)})
    del counted["Location"], counted["Organization"]
    each = {kind: count / ROUNDS for kind, count in counted.items()}
    assert each == {
        "Encounter": 13, "Condition": 22, "Observation": 32, "Procedure": 1, "Immunization": 2, "ServiceRequest": 6, "Specimen": 3,
        "DiagnosticReport": 3, "Medication": 1, "MedicationRequest": 1, "MedicationDispense": 1,
        "AllergyIntolerance": 1, "ClinicalImpression": 1, "Composition": 13,
    }  # fmt: skip
    assert len(ministry.population) == patients - refused
    everything = [resource for kind in counted for resource in ministry.of(kind)]
    for resource in everything:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    for oracle in (fhir_validator, medplum_validator):
        assert [problem for listed in oracle.problems(everything) for problem in listed] == []
    with connection():
        again = synchronisation.run(clinic, pace=QUICK)
    assert (again.sent, again.error) == (0, None)
