"""Durations and ages in complaints."""

import pytest

from core.complaints.reading.reader import read
from core.complaints.reading.timeline import LONG_DAYS
from core.complaints.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()


@pytest.mark.parametrize(
    ("complaint", "days"),
    [
        ("batuk 3 minggu", 21),
        ("batuk sudah 2mgg", 14),
        ("batuk, 10 hari", 10),
        ("sudah tiga minggu batuk", 21),
        ("batuk sebulan", 30),
        ("batuk sapakan", 7),
        ("batuk kurang dari 2 minggu", 14),
        ("batuk kurang 2 minggu", 13),
        ("batuk <2 minggu", 13),
        ("batuk 2-3 minggu", 21),
        ("batuk lama", LONG_DAYS),
        ("batuk tidak sembuh-sembuh", LONG_DAYS),
        ("batuk hari ke-5", 5),
        ("batuk hari kelima", 5),
        ("batuk 2 mingguan", 14),
        ("demam 2 hari batuk 3 minggu", 21),
        ("batuk 3 minggu demam 2 hari", 21),
        ("hamil 8 bulan batuk", None),
        ("batuk", None),
    ],
)
def test_durations_belong_to_what_they_were_said_of(complaint, days):
    reading = read(complaint, VOCABULARY)
    coughs = [occurrence for occurrence in reading.occurrences if "cough" in occurrence.concepts]
    assert [cough.days for cough in coughs] == [days]


def test_an_age_in_the_complaint_is_no_duration():
    reading = read("anak umur 3 tahun demam", VOCABULARY)
    assert reading.age_days == 3 * 365
    assert all(occurrence.days is None for occurrence in reading.occurrences)


def test_an_age_of_years_and_months_is_one():
    assert read("anak 4 tahun 11 bulan batuk", VOCABULARY).age_days == 4 * 365 + 11 * 30
    assert all(o.days is None for o in read("an. 4 th 11 bln batuk", VOCABULARY).occurrences)
