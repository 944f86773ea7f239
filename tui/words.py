"""Stable codes turned into sentences that name the field and the remedy.

The core speaks in codes (`core/errors.py`, `core/vocabulary.py`); this is the only place where
they become words. Every table's values are msgids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.schemas.base import Problem
from tui.text import N_, _

FIELDS: Mapping[str, str] = {
    "address": N_("Address"),
    "amount": N_("Amount"),
    "birth_date": N_("Birth date"),
    "bpjs_number": N_("BPJS number"),
    "chief_complaint": N_("Complaint"),
    "cluster": N_("Cluster"),
    "code": N_("Diagnosis code"),
    "disposition": N_("Outcome"),
    "dose": N_("Dose"),
    "family_card_number": N_("Family card"),
    "frequency": N_("Frequency"),
    "medicine": N_("Medicine"),
    "mother_name": N_("Mother's name"),
    "name": N_("Name"),
    "nik": N_("NIK"),
    "no_identifier_reason": N_("Without card"),
    "override_reason": N_("Reason"),
    "password": N_("Password"),
    "patient": N_("Patient"),
    "payer": N_("Payer"),
    "phone": N_("Phone"),
    "pregnant": N_("Pregnant"),
    "reason": N_("Reason"),
    "result": N_("Result"),
    "rt": N_("RT"),
    "rw": N_("RW"),
    "sex": N_("Sex"),
    "substance": N_("Substance"),
    "test": N_("Test"),
    "text": N_("Text"),
    "username": N_("User name"),
    "vitals.systolic": N_("Systolic"),
    "vitals.diastolic": N_("Diastolic"),
    "vitals.pulse": N_("Pulse"),
    "vitals.respiration": N_("Respiration"),
    "vitals.temperature": N_("Temperature"),
    "vitals.oxygen_saturation": N_("SpO2"),
    "vitals.weight": N_("Weight"),
    "vitals.height": N_("Height"),
    "vitals.waist": N_("Waist"),
    "vitals.arm_circumference": N_("Arm circumference"),
    "vitals.head_circumference": N_("Head circumference"),
    "vitals.glucose": N_("Glucose"),
}
"""Field -> its label."""

FIELD_PROBLEMS: Mapping[str, str] = {
    "required": N_("must be filled in"),
    "too_long": N_("is too long; shorten it"),
    "too_short": N_("is too short"),
    "not_a_choice": N_("choose one of the offered values"),
    "control_characters": N_("holds invisible characters; type it again"),
    "format": N_("cannot be read; type it again"),
    "date_format": N_("type day-month-year, such as 31-12-1990"),
    "number_format": N_("type a number, such as 36,5"),
    "in_future": N_("lies in the future; correct it"),
    "too_long_ago": N_("lies too long ago; correct it"),
    "unknown": N_("is not known here"),
    "unknown_field": N_("is not known here"),
    "taken": N_("belongs to somebody else already; search for it"),
    "same": N_("is the same as now; choose another"),
    "not_yours": N_("is not one of your clusters"),
    "not_a_first_destination": N_("takes patients from other clusters only; choose another"),
    "out_of_range": N_("is impossible; measure or type it again"),
    "not_above_diastolic": N_("must be above the diastolic pressure"),
    "birth_date_in_future": N_("lies in the future; correct it"),
    "birth_date_too_old": N_("gives more than 120 years; correct it"),
    "nik_length": N_("has 16 digits; count them again"),
    "nik_not_digits": N_("holds digits only"),
    "nik_empty": N_("must be filled in"),
    "nik_repeated": N_("cannot be one digit repeated"),
    "nik_placeholder": N_("is no real number; leave it empty and give a reason"),
    "nik_birth_day": N_("has an impossible day of birth (digits 7 and 8)"),
    "nik_birth_month": N_("has an impossible month of birth (digits 9 and 10)"),
    "nik_birth_date": N_("has an impossible birth date (digits 7 to 12)"),
    "nik_serial": N_("cannot end in 0000"),
    "bpjs_length": N_("has 13 digits; count them again"),
    "bpjs_not_digits": N_("holds digits only"),
    "bpjs_empty": N_("must be filled in"),
    "bpjs_repeated": N_("cannot be one digit repeated"),
    "family_card_length": N_("has 16 digits; count them again"),
    "family_card_not_digits": N_("holds digits only"),
    "family_card_empty": N_("must be filled in"),
    "family_card_repeated": N_("cannot be one digit repeated"),
}
"""What is wrong with a field; reads on after the field's label."""

REMEDIES: Mapping[tuple[str, str], str] = {
    ("no_identifier_reason", "required"): N_("Type the NIK, or choose why there is no card."),
}
"""Field and problem -> a sentence of its own, where the remedy lies in another field."""

IDENTITY_WARNINGS: Mapping[str, str] = {
    "nik_birth_date_differs": N_("NIK says another birth date"),
    "nik_sex_differs": N_("NIK says the other sex"),
    "nik_age": N_("NIK says more than 110 years"),
    "nik_region_unknown": N_("NIK: region not in the list"),
    "nik_district_unknown": N_("NIK: district not in the list"),
    "bpjs_prefix": N_("BPJS number usually begins with 000"),
    "family_card_equals_nik": N_("family card and NIK are the same"),
    "family_card_date": N_("family card: unusual date"),
    "family_card_region_unknown": N_("family card: region not in the list"),
}
"""Worth a look, and no hindrance."""

PROBLEMS: Mapping[str, str] = {
    "not_signed_in": N_("Sign in again: the name or password is wrong, or the sign-in has ended."),
    "too_many_attempts": N_("Too many wrong passwords. Wait a minute and try again."),
    "not_allowed": N_("Your account may not do this."),
    "reason_required": N_("This patient is not in your queue: a reason is needed."),
    "not_found": N_("That is not there any more. Refresh with F5."),
    "changed_meanwhile": N_("Somebody was faster. The list is fresh now; look again."),
    "already_in_queue": N_("The patient already holds number {number} in {cluster}."),
    "registration_id_reused": N_("This registration was saved before as {number}."),
    "override_reason_required": N_("The complaint points to another cluster: a reason is needed."),
    "cluster_blocked": N_("This cannot be saved as it is; correct the marked field."),
    "duplicate_decision_required": N_("Somebody very like this is known: look at the list first."),
    "duplicate_check_failed": N_(
        "The check for known patients failed. Nothing is lost: F10 tries again; tell the administrator."
    ),
    "undo_too_late": N_("Too late to undo: two minutes have passed."),
    "undo_not_possible": N_("Cannot be undone: the patient has moved on."),
    "not_possible_now": N_("{number} is {status}: that step is not possible now."),
    "nothing_to_undo": N_("There is no step to take back."),
    "already_undone": N_("This was undone already."),
    "judged_two_people": N_("Somebody has judged these to be two people; they cannot become one record."),
    "no_way_back": N_("There is no cluster to go back to."),
    "record_locked": N_("This record is closed for corrections; add an addendum."),
    "allergy": N_("The patient is allergic to {substances}."),
    "too_large": N_("That is too much text."),
    "validation": N_("Something is not right; check the fields."),
    "sync": N_("The City Health Office could not be reached."),
    "no_printer": N_("There is no printer. Set LOKET_PRINTER, or write the number down."),
    "printer_unreachable": N_(
        "Not printed: the printer does not answer. Is it on and connected? Print it again then."
    ),
    "printer_no_paper": N_("Not printed: the printer has no paper. Put in a roll and print it again."),
    "printer_busy": N_("Not printed: the printer is busy. Print it again in a moment."),
    "backup": N_("The backup could not be made; see `loket doctor`."),
    "disk_full": N_("Not saved: the server's disk is full. What you typed is kept; tell the administrator."),
    "database_damaged": N_("Not saved: the server's database is damaged. Tell the administrator at once."),
    "database_denied": N_(
        "Not saved: the server may not write its database. Tell the administrator at once."
    ),
    "database_unreachable": N_(
        "Not saved: the server's database does not answer. Try again; tell the administrator."
    ),
    "database_busy": N_("Not saved: the server's database is busy. Try again in a moment."),
    "internal": N_("The server has a fault; nothing was changed. Try again."),
    "http_error": N_("The server answered in an unknown way. Try again."),
}
"""A refusal as a whole."""

BLOCKS: Mapping[str, str] = {
    "birth_date_in_future": N_("The birth date lies in the future."),
    "age_impossible": N_("The birth date gives more than 120 years."),
    "pregnant_male": N_("A man cannot be marked as pregnant."),
    "pregnant_age": N_("Pregnancy does not fit this age."),
    "service_for_women": N_("The complaint asks for a service for women, but the patient is male."),
    "adult_in_infant_immunisation": N_("An adult cannot go to infant immunisation."),
    "born_today_in_adult_cluster": N_("Born today cannot go to a cluster for adults."),
}
"""Why a registration is blocked."""

RED_FLAGS: Mapping[str, str] = {
    "acute_abdomen": N_("acute abdomen"),
    "airway": N_("airway in danger"),
    "anaphylaxis": N_("severe allergic reaction"),
    "asthma_attack": N_("asthma attack"),
    "belly_injury": N_("injury of the belly"),
    "birth_now": N_("the baby is coming"),
    "bite": N_("bite on the face, head or neck"),
    "black_stool": N_("black stool"),
    "bleeding_in_pregnancy": N_("bleeding in pregnancy"),
    "blind_sudden": N_("sudden loss of sight"),
    "blue": N_("turning blue"),
    "breathless": N_("breathless"),
    "chemical_eye": N_("chemical in the eye"),
    "chest_injury": N_("injury of the chest"),
    "chest_pain": N_("chest pain"),
    "child_not_drinking": N_("child does not drink"),
    "child_weak": N_("child is limp"),
    "choking": N_("choking"),
    "cold_sweat": N_("cold sweat"),
    "confusion": N_("sudden confusion"),
    "convulsion_in_pregnancy": N_("convulsion in pregnancy"),
    "corrosive": N_("burn by a chemical"),
    "coughing_blood": N_("coughing blood"),
    "critical": N_("critical condition"),
    "dehydration": N_("dehydration"),
    "dengue_warning": N_("warning signs of dengue"),
    "diphtheria": N_("signs of diphtheria"),
    "drowning": N_("drowning"),
    "ectopic": N_("signs of ectopic pregnancy"),
    "electrocution": N_("electric shock"),
    "eye_injury": N_("injury of the eye"),
    "eye_pain": N_("severe pain in the eye"),
    "fetal_movement": N_("the baby moves less"),
    "fever_in_pregnancy": N_("high fever in pregnancy"),
    "head_injury": N_("head injury"),
    "heart_attack": N_("signs of a heart attack"),
    "heat_stroke": N_("heat stroke"),
    "heavy_bleeding": N_("heavy bleeding"),
    "high_fever": N_("very high fever"),
    "high_sugar": N_("very high blood sugar"),
    "hyperemesis": N_("keeps nothing down in pregnancy"),
    "hypertension_crisis": N_("very high blood pressure"),
    "limb": N_("limb without blood"),
    "low_oxygen": N_("low oxygen saturation"),
    "low_pressure": N_("very low blood pressure"),
    "low_sugar": N_("low blood sugar"),
    "low_temperature": N_("low body temperature"),
    "membranes_ruptured": N_("waters have broken"),
    "meningitis": N_("signs of meningitis"),
    "newborn_cold": N_("newborn is cold"),
    "newborn_fever": N_("newborn with fever"),
    "newborn_jaundice": N_("newborn with jaundice and other signs"),
    "newborn_not_feeding": N_("newborn does not feed"),
    "newborn_weak": N_("newborn is limp"),
    "nosebleed": N_("nosebleed that does not stop"),
    "open_fracture": N_("open fracture"),
    "poisoning": N_("poisoning"),
    "postpartum_bleeding": N_("bleeding after childbirth"),
    "postpartum_fever": N_("fever after childbirth"),
    "preeclampsia": N_("signs of preeclampsia"),
    "pulse": N_("dangerous pulse"),
    "rabies": N_("bite that may carry rabies"),
    "seizure": N_("seizure"),
    "sepsis": N_("signs of sepsis"),
    "severe_anaemia": N_("severe anaemia"),
    "severed": N_("severed limb"),
    "snake_bite": N_("snake bite"),
    "spinal_injury": N_("injury of the spine"),
    "stab_trunk": N_("stab wound of the trunk"),
    "stroke": N_("signs of a stroke"),
    "suicide": N_("danger of suicide"),
    "swallowed_sharp": N_("swallowed something sharp"),
    "tetanus": N_("signs of tetanus"),
    "thunderclap_headache": N_("sudden severe headache"),
    "torsion": N_("acute pain of the testicle"),
    "unconscious": N_("unconscious"),
    "violence": N_("victim of violence"),
    "violent_behaviour": N_("danger to others"),
    "vomiting_blood": N_("vomiting blood"),
    "wide_burn": N_("large burn"),
}
"""Danger signs by code."""

QUESTIONS: Mapping[str, str] = {
    "which_complaint": N_("What is the complaint? Which part of the body, since when?"),
    "where": N_("Where does it hurt?"),
    "what_for": N_("Control or check-up of what?"),
    "which_medicine": N_("Medicine for which illness?"),
    "age": N_("How old is the patient? Fill in the birth date."),
}
"""The one question that would settle an unsure complaint."""

LIKENESS: Mapping[str, str] = {
    "meant_as_well": N_("fits as well"),
    "same_nik": N_("same NIK"),
    "nik_one_digit": N_("NIK differs in one digit"),
    "same_bpjs_number": N_("same BPJS number"),
    "bpjs_one_digit": N_("BPJS number differs in one digit"),
    "same_birth_date": N_("same birth date"),
    "same_usual_date": N_("same birth date"),
    "birth_date_two_parts": N_("birth date partly the same"),
    "same_birth_year": N_("same birth year"),
    "birth_date_swapped": N_("day and month swapped"),
    "birth_date_one_digit": N_("birth date differs in one digit"),
    "birth_date_estimated": N_("estimated birth date fits"),
    "same_name": N_("same name"),
    "same_short_name": N_("same name"),
    "similar_name": N_("similar name"),
    "rhyming_name": N_("name sounds alike"),
    "distant_name": N_("name a little alike"),
    "shared_name": N_("part of the name"),
    "shared_first_name": N_("part of the name"),
    "shared_distant_name": N_("name a little alike"),
    "newborn_name": N_("newborn not named yet"),
    "same_newborn_name": N_("newborn of the same mother"),
    "part_of_name": N_("part of the name"),
    "similar_part_of_name": N_("part of the name"),
    "same_mother": N_("same mother"),
    "same_mother_of_family": N_("same mother"),
    "similar_mother": N_("mother's name alike"),
    "similar_mother_of_family": N_("mother's name alike"),
    "same_phone": N_("same phone"),
    "same_phone_of_family": N_("same phone"),
    "same_address": N_("same address"),
    "same_address_of_family": N_("same address"),
    "same_long_address": N_("same address"),
    "same_long_address_of_family": N_("same address"),
    "similar_long_address": N_("address alike"),
    "similar_long_address_of_family": N_("address alike"),
    "similar_address": N_("address alike"),
    "similar_address_of_family": N_("address alike"),
    "same_street": N_("same street"),
    "same_street_of_family": N_("same street"),
    "same_family_card": N_("same family card"),
    "same_family_card_of_family": N_("same family card"),
}
"""Why somebody may be the same person."""

STATUSES: Mapping[str, str] = {
    "waiting": N_("waiting"),
    "called": N_("CALLED"),
    "in_service": N_("in service"),
    "on_hold": N_("on hold"),
    "skipped": N_("skipped"),
    "done": N_("done"),
    "left": N_("left"),
    "cancelled": N_("cancelled"),
    "transferred": N_("moved on"),
}
"""Where a queue entry stands."""

PRIORITIES: Mapping[str, str] = {
    "red": N_("RED"),
    "yellow": N_("YELLOW"),
    "elderly": N_("elderly"),
    "pregnant": N_("pregnant"),
    "disability": N_("disability"),
    "toddler": N_("toddler"),
    "regular": "",
}
"""Urgency classes."""

PRIORITY_SIGNS: Mapping[str, str] = {"red": "!!", "yellow": "! ", "regular": "  "}
"""Two cells before a name, so that urgency is seen without colour; `* ` for the protected groups."""

SEXES: Mapping[str, str] = {"male": N_("Male"), "female": N_("Female")}
PAYERS: Mapping[str, str] = {
    "general": N_("General"),
    "jkn_pbi": N_("JKN PBI"),
    "jkn_non_pbi": N_("JKN non-PBI"),
    "jamkesda": N_("Jamkesda"),
    "other": N_("Other"),
}
NO_IDENTIFIER_REASONS: Mapping[str, str] = {
    "newborn": N_("Newborn"),
    "none_yet": N_("No card yet"),
    "forgotten": N_("Card left at home"),
    "foreigner": N_("Foreigner"),
    "unknown_person": N_("Unknown person"),
}
DISPOSITIONS: Mapping[str, str] = {
    "home": N_("Home"),
    "referred": N_("Referred to hospital"),
    "internal_referral": N_("To another cluster"),
    "admitted": N_("Admitted"),
    "left_against_advice": N_("Left against advice"),
    "died": N_("Died"),
}
ROLES: Mapping[str, str] = {
    "clerk": N_("Registration"),
    "clinician": N_("Clinician"),
    "lab": N_("Laboratory"),
    "pharmacist": N_("Pharmacy"),
    "admin": N_("Administrator"),
    "display": N_("Waiting room"),
    "door": N_("Door"),
}
VISIT_STATUSES: Mapping[str, str] = {
    "arrived": N_("waiting"),
    "in-progress": N_("in service"),
    "finished": N_("done"),
    "cancelled": N_("cancelled"),
}
OVERRIDE_REASONS: tuple[str, ...] = (
    N_("The patient's own wish, after explanation"),
    N_("Referred here by a clinician"),
    N_("Control by this cluster's clinician"),
    N_("The proposed cluster is closed today"),
    N_("The complaint was entered too briefly"),
)
"""The short list of reasons for keeping another cluster than the proposed one."""


CANCEL_REASONS: tuple[str, ...] = (
    N_("Registered by mistake"),
    N_("The patient's own wish"),
    N_("Seen elsewhere meanwhile"),
)
"""The short list of reasons for cancelling an entry."""

PRIORITY_REASONS: tuple[str, ...] = (
    N_("Got worse while waiting"),
    N_("Judged so by triage"),
    N_("Registered with the wrong priority"),
)
"""The short list of reasons for another urgency class."""


def word(table: Mapping[str, str], code: str) -> str:
    """The translated word for a code; the code itself when the table does not have it."""
    msgid = table.get(code, code)
    return _(msgid) if msgid else ""


def likeness(codes: Sequence[str]) -> list[str]:
    """Why two records may be one person, in words; what is said twice is said once."""
    return list(dict.fromkeys(word(LIKENESS, code) for code in codes))


def field_name(path: str) -> str:
    """A field's label from its path in a request: `patient.nik` -> NIK."""
    path = path.removeprefix("patient.") if path != "patient" else path
    return word(FIELDS, path)


def field_problem(path: str, code: str) -> str:
    """One sentence: the field, what is wrong, what to do."""
    remedy = REMEDIES.get((path.removeprefix("patient."), code))
    if remedy is not None:
        return _(remedy)
    problem = word(FIELD_PROBLEMS, code) if code in FIELD_PROBLEMS else word(BLOCKS, code)
    return f"{field_name(path)}: {problem}"


def problem_text(problem: Problem) -> str:
    """A refusal as one sentence for the status line."""
    if problem.code == "changed_meanwhile" and problem.details.get("changed_by"):
        return _who_was_faster(problem.details)
    if problem.fields:
        path, code = next(iter(problem.fields.items()))
        return field_problem(path, code)
    return _filled(PROBLEMS.get(problem.code, N_("The server refused this ({code}).")), problem)


def _who_was_faster(details: Mapping[str, Any]) -> str:
    now = details.get("now") or {}
    msgid = (
        N_("{person} was faster: {number} is {status} now: {there}.")
        if now
        else N_("{person} was faster: {number} is {status} now.")
    )
    return _(msgid).format(
        person=details["changed_by"],
        number=details.get("number", ""),
        status=word(STATUSES, str(details.get("status", ""))),
        there=f"{now.get('number', '')} {now.get('cluster', '')}",
    )


def _filled(msgid: str, problem: Problem) -> str:
    details: dict[str, Any] = dict(problem.details)
    receipt = details.get("receipt") or {}
    values = {
        "code": problem.code,
        "number": details.get("number") or receipt.get("ticket", {}).get("number", ""),
        "cluster": details.get("cluster", ""),
        "status": word(STATUSES, str(details.get("status", ""))),
        "substances": ", ".join(details.get("substances", [])),
    }
    return _(msgid).format(**values)


UNREACHABLE = N_("The server does not answer. What you typed is still here; try again.")
"""Said for every call but a save, which goes on trying."""
