"""Forms described in data: what is computed, what is suggested, and what a wrong file is told."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.foundation.errors import SettingsError, ValidationError
from core.records.forms import (
    FormDefinition,
    check_answers,
    check_file,
    computed_values,
    load_forms,
    offered,
    read_form,
    suggestions,
    visit_facts,
)
from core.records.forms.computed import naegele, trimester, weeks_and_days, weeks_since

DAY = date(2026, 11, 24)
FORMS = load_forms()
PREGNANCY, SICK_CHILD = FORMS["pregnancy"], FORMS["sick_child"]
DATES = st.dates(date(1950, 1, 1), date(2090, 12, 31))


def facts(
    *, born: date = date(1998, 3, 2), sex: str = "female", pregnant: bool = True, **vitals: float
) -> dict[str, Any]:
    return visit_facts(birth_date=born, sex=sex, pregnant=pregnant, cluster="KIA", day=DAY, vitals=vitals)


def child(months: int, **vitals: float) -> dict[str, Any]:
    year, month = divmod(DAY.year * 12 + DAY.month - 1 - months, 12)
    return facts(born=date(year, month + 1, 1), sex="male", pregnant=False, **vitals)


def codes(form: FormDefinition, answers: dict[str, Any], known: dict[str, Any]) -> list[str]:
    return [item.code for item in suggestions(form, answers, known, DAY)]


@pytest.mark.parametrize(
    ("last_period", "due"),
    [
        (date(2026, 5, 1), date(2027, 2, 8)),
        (date(2026, 1, 10), date(2026, 10, 17)),
        (date(2025, 12, 28), date(2026, 10, 5)),
        (date(2026, 5, 31), date(2027, 3, 10)),
        (date(2023, 5, 29), date(2024, 3, 7)),
    ],
)
def test_naegeles_rule(last_period: date, due: date) -> None:
    assert naegele(last_period, today=DAY) == due


@given(last_period=DATES)
def test_the_due_date_is_forty_weeks_on_within_the_calendars_unevenness(last_period: date) -> None:
    """A year on, three months back, seven days on is 280 days, give or take the lengths of months."""
    days = (naegele(last_period, today=DAY) - last_period).days
    assert 278 <= days <= 283


@given(first=DATES, second=DATES)
def test_a_later_last_period_never_gives_an_earlier_due_date_by_more_than_a_month_end(
    first: date, second: date
) -> None:
    """Days that a month does not have roll on, so only the very ends of months may cross."""
    earlier, later = sorted((first, second))
    assert naegele(later, today=DAY) >= naegele(earlier, today=DAY) - timedelta(days=3)


@given(start=DATES, days=st.integers(0, 400))
def test_weeks_and_days_say_how_many_days_have_passed(start: date, days: int) -> None:
    today = start + timedelta(days=days)
    weeks, rest = map(int, str(weeks_and_days(start, today=today)).split("+"))
    assert weeks * 7 + rest == days
    assert 0 <= rest < 7
    assert weeks_since(start, today=today) == weeks
    assert trimester(start, today=today) == (1 if days < 13 * 7 else 2 if days < 28 * 7 else 3)


@given(start=DATES, days=st.integers(1, 400))
def test_a_date_in_the_future_gives_no_weeks(start: date, days: int) -> None:
    today = start - timedelta(days=days)
    assert weeks_since(start, today=today) is None
    assert weeks_and_days(start, today=today) is None
    assert trimester(start, today=today) is None


def test_a_pregnancys_numbers() -> None:
    answers = {"gravida": 2, "para": 1, "abortus": 0, "last_period": "2026-05-01"}
    values = computed_values(PREGNANCY, answers, facts(), DAY)
    assert values["gpa_text"] == "G2P1A0"
    assert values["gestation"] == "29+4"
    assert values["due_date"] == date(2027, 2, 8)
    assert "gravida_differs" not in codes(PREGNANCY, answers, facts())
    assert "gravida_differs" in codes(PREGNANCY, answers | {"gravida": 3}, facts())


@given(answers=st.dictionaries(st.sampled_from(["gravida", "para", "abortus"]), st.integers(0, 20)))
def test_what_lacks_an_answer_is_not_computed(answers: dict[str, int]) -> None:
    values = computed_values(PREGNANCY, answers, facts(), DAY)
    assert ("gpa_text" in values) == (len(answers) == 3)
    assert "due_date" not in values


@pytest.mark.parametrize(
    ("months", "breaths", "is_fast"),
    [(2, 49, False), (2, 50, True), (11, 50, True), (12, 39, False), (12, 40, True), (59, 40, True)],
)
def test_fast_breathing_depends_on_the_age(months: int, breaths: int, is_fast: bool) -> None:
    found = codes(SICK_CHILD, {"cough": True}, child(months, respiration=breaths))
    assert found[0] == ("pneumonia" if is_fast else "no_pneumonia")


@pytest.mark.parametrize(
    ("answers", "vitals", "expected"),
    [
        ({"cough": True, "chest_indrawing": True}, {"respiration": 30}, "severe_pneumonia"),
        ({"cough": True}, {"oxygen_saturation": 89}, "severe_pneumonia"),
        ({"convulsed": True}, {}, "very_severe"),
        ({"diarrhoea": True}, {}, "no_dehydration"),
        ({"diarrhoea": True, "sunken_eyes": True}, {}, "no_dehydration"),
        ({"diarrhoea": True, "sunken_eyes": True, "thirsty": True}, {}, "some_dehydration"),
        ({"diarrhoea": True, "sunken_eyes": True, "skin_pinch": "very_slow"}, {}, "severe_dehydration"),
        ({"diarrhoea": True, "blood_in_stool": True}, {}, "dysentery"),
        ({"diarrhoea": True, "diarrhoea_days": 14}, {}, "persistent_diarrhoea"),
        ({"fever": True, "stiff_neck": True}, {}, "severe_febrile"),
        ({}, {"temperature": 37.5}, "fever_other"),
        ({"fever": True, "malaria_test": "positive"}, {}, "malaria"),
        ({"fever": True, "measles_rash": True, "measles_with": True}, {}, "measles"),
        ({"fever": True, "petechiae": True}, {}, "dengue_possible"),
        ({"fever": True, "shock": True}, {}, "dengue"),
        ({"ear_problem": True, "ear_discharge_days": 14}, {}, "chronic_ear"),
        ({"palm_pallor": "some"}, {}, "anaemia_child"),
        ({}, {"arm_circumference": 11.4}, "severe_malnutrition"),
        ({}, {"arm_circumference": 12.4}, "moderate_malnutrition"),
    ],
)
def test_a_sick_child_is_classified(answers: dict[str, Any], vitals: dict[str, float], expected: str) -> None:
    assert expected in codes(SICK_CHILD, answers, child(24, **vitals))


def test_each_group_says_one_thing_the_most_urgent_first() -> None:
    answers = {"cough": True, "diarrhoea": True, "palm_pallor": "severe"}
    found = suggestions(SICK_CHILD, answers, child(24, respiration=50), DAY)
    assert [item.colour for item in found] == sorted(
        (item.colour for item in found), key=["red", "yellow", "green"].index
    )
    assert len({item.group for item in found}) == len(found)


@pytest.mark.parametrize(
    ("answers", "vitals", "expected"),
    [
        ({}, {"systolic": 160, "diastolic": 100}, "severe_preeclampsia"),
        ({"severe_headache": True}, {"systolic": 140, "diastolic": 90}, "severe_preeclampsia"),
        (
            {"urine_protein": "1+", "last_period": "2026-05-01"},
            {"systolic": 140, "diastolic": 80},
            "preeclampsia",
        ),
        ({}, {"systolic": 130, "diastolic": 90}, "hypertension"),
        ({"bleeding": True}, {}, "danger_sign"),
        ({"haemoglobin": 10.9}, {}, "anaemia"),
        ({"haemoglobin": 6.9}, {}, "severe_anaemia"),
        ({}, {"arm_circumference": 23.4}, "energy_deficiency"),
        ({"fetal_heart_rate": 119}, {}, "fetal_distress"),
        ({"fetal_heart_rate": 161}, {}, "fetal_distress"),
        ({"hiv": "reactive"}, {}, "triple_reactive"),
        ({"fundal_height": 20, "last_period": "2026-05-01"}, {}, "fundus_differs"),
    ],
)
def test_a_pregnancys_dangers(answers: dict[str, Any], vitals: dict[str, Any], expected: str) -> None:
    assert expected in codes(PREGNANCY, answers, facts(**vitals))


@pytest.mark.parametrize(("rate", "said"), [(120, False), (160, False)])
def test_a_usual_fetal_heart_rate_is_not_remarked_on(rate: int, said: bool) -> None:
    assert ("fetal_distress" in codes(PREGNANCY, {"fetal_heart_rate": rate}, facts())) is said


@given(data=st.data())
def test_nothing_is_suggested_of_what_is_not_known(data: st.DataObject) -> None:
    """No answers and usual vital signs suggest nothing, for whomever the form is for."""
    months = data.draw(st.integers(2, 59))
    assert codes(SICK_CHILD, {}, child(months, temperature=36.8)) == []


def test_forms_are_offered_to_whom_they_fit() -> None:
    assert [form.code for form in offered(FORMS, facts())] == ["pregnancy"]
    assert [form.code for form in offered(FORMS, facts(pregnant=False))] == []
    assert [form.code for form in offered(FORMS, facts(sex="male"))] == []
    assert [form.code for form in offered(FORMS, child(2))] == ["sick_child"]
    assert [form.code for form in offered(FORMS, child(1))] == []
    assert [form.code for form in offered(FORMS, child(60))] == []


@pytest.mark.parametrize(
    ("answers", "problems"),
    [
        ({"gravida": 21}, {"form.pregnancy.gravida": "out_of_range"}),
        ({"gravida": 1.5}, {"form.pregnancy.gravida": "number_format"}),
        ({"gravida": True}, {"form.pregnancy.gravida": "number_format"}),
        ({"last_period": "2026-11-25"}, {"form.pregnancy.last_period": "in_future"}),
        ({"last_period": "2026-01-12"}, {"form.pregnancy.last_period": "too_long_ago"}),
        ({"last_period": "soon"}, {"form.pregnancy.last_period": "date_format"}),
        ({"bleeding": "yes"}, {"form.pregnancy.bleeding": "unknown"}),
        ({"hiv": "maybe"}, {"form.pregnancy.hiv": "unknown"}),
        ({"mood": "good"}, {"form.pregnancy.mood": "unknown"}),
    ],
)
def test_an_impossible_answer_is_refused_by_name(answers: dict[str, Any], problems: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        check_answers(FORMS, {"pregnancy": answers}, DAY)
    assert refused.value.fields == problems


def test_an_unknown_form_is_refused_and_an_empty_one_dropped() -> None:
    with pytest.raises(ValidationError) as refused:
        check_answers(FORMS, {"astrology": {"sign": "leo"}}, DAY)
    assert refused.value.fields == {"form.astrology": "unknown"}
    assert check_answers(FORMS, {"pregnancy": {"gravida": None, "hiv": ""}}, DAY) == {}


SMALL = """
code = "feet"
title = { id = "Kaki diabetes" }
possible = { fact = "age_years", at_least = 18 }
offered = { fact = "glucose", at_least = 200 }

[[sections]]
title = { id = "Pemeriksaan" }

[[sections.fields]]
name = "numb"
type = "yes_no"
label = { id = "Kebas" }

[[rules]]
group = "risk"
code = "at_risk"
colour = "yellow"
title = { id = "Kaki berisiko" }
when = { fact = "numb", equals = true }
"""


def one_key_a_language(text: str) -> str:
    """The same form as clinics wrote it for earlier versions."""
    return re.sub(r'(title|label) = \{ id = ("[^"]*") \}', r"\1_id = \2", text)


def test_a_file_with_one_key_a_language_is_read_as_before() -> None:
    earlier = one_key_a_language(SMALL).replace(
        'label_id = "Kebas"', 'label_id = "Kebas"\nlabel_en = "Numb"\nlabel_jv = "Gringgingen"'
    )
    assert 'title_id = "Kaki diabetes"' in earlier
    form = read_form(earlier)
    assert form.title == {"id": "Kaki diabetes"}
    assert form.fields()[0].label == {"id": "Kebas", "en": "Numb", "jv": "Gringgingen"}


def test_the_api_has_one_field_a_language() -> None:
    document = read_form(SMALL).model_dump(mode="json")
    assert (document["title_id"], document["title_en"]) == ("Kaki diabetes", "")
    assert "title" not in document
    assert FormDefinition.model_validate(document).model_dump(mode="json") == document


def test_a_clinics_own_form_needs_no_code(tmp_path: Path) -> None:
    (tmp_path / "feet.toml").write_text(SMALL)
    forms = load_forms(tmp_path)
    known = facts(pregnant=False, glucose=250.0)
    assert [form.code for form in offered(forms, known)] == ["feet"]
    assert codes(forms["feet"], {"numb": True}, known) == ["at_risk"]


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ('fact = "numb", equals = true', 'fact = "cold", equals = true', "at_risk: there is no cold"),
        ('fact = "numb", equals = true', 'fact = "numb"', "compares it with nothing"),
        ('type = "yes_no"', 'type = "maybe"', "sections.0.fields.0.type"),
        ('type = "yes_no"', 'type = "choice"', "choices belong to a choice field"),
        ('name = "numb"', 'name = "glucose"', "vital signs or facts of the visit already: glucose"),
        ('colour = "yellow"', 'colour = "pink"', "rules.0.colour"),
        ('code = "feet"', 'code = "feet"\nmood = 1', "mood"),
        ('code = "feet"', "code = ", "no valid TOML"),
        ('{ id = "Kebas" }', '{ en = "Numb" }', "label: the text in `id` is missing"),
        ('{ id = "Kebas" }', '"Kebas"\nlabel_en = "Numb"', "sections.0.fields.0.label"),
    ],
)
def test_a_wrong_file_is_told_where_and_why(tmp_path: Path, wrong: str, right: str, told: str) -> None:
    file = tmp_path / "feet.toml"
    file.write_text(SMALL.replace(wrong, right))
    assert told in "; ".join(check_file(file))
    with pytest.raises(SettingsError, match=r"feet\.toml"):
        load_forms(tmp_path)


def test_the_forms_that_ship_are_right() -> None:
    assert read_form(SMALL).code == "feet"
    for form in FORMS.values():
        assert form.title["en"]
        for item in form.fields():
            assert item.label["id"]
            keys = [choice.key for choice in item.choices if choice.key]
            assert len(keys) == len(set(keys)), item.name
