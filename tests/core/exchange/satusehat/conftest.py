"""A clinic that sends to SATUSEHAT's stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.foundation.clinic import Clinic
from core.foundation.database import connection
from core.models import Account
from tests.core.days import Days, open_clinic
from tests.core.exchange.satusehat.sending import DOCTOR_NIK, changed, import_icd10, settings_for
from tests.server.satusehat import Satusehat


@pytest.fixture
def ministry() -> Iterator[Satusehat]:
    running = Satusehat()
    running.practitioners[DOCTOR_NIK] = "N10000001"
    yield running
    running.stop()


@pytest.fixture
def clinic(tmp_path: Path, ministry: Satusehat) -> Clinic:
    made = open_clinic(tmp_path / "clinic", **settings_for(ministry))
    return changed(made, satusehat_per_minute=600_000)  # no test but that of the rate has to wait for it


@pytest.fixture
def days(clinic: Clinic, ministry: Satusehat) -> Iterator[Days]:
    with connection():
        made = Days(clinic)
        import_icd10()
        Account.update(practitioner_nik=DOCTOR_NIK).where(Account.id == made.account.id).execute()
        yield made
