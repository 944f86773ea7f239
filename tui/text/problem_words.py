"""Stable codes turned into sentences that name the field and the remedy.

The core answers in codes (`core/foundation/errors.py`, `core/foundation/codes.py`); only this module turns them
into words. Every table's values are msgids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from core.patients.fields import PATIENT_FIELDS
from core.schemas.base import Problem
from tui.text.formatting import date_text
from tui.text.translation import N_, _

FIELDS: Mapping[str, str] = {
    **{field.name: field.label for field in PATIENT_FIELDS if field.label},
    "amount": N_("Amount"),
    "breastfeeding": N_("Breast-feeding"),
    "chief_complaint": N_("Complaint"),
    "cluster": N_("Cluster"),
    "code": N_("Diagnosis code"),
    "disposition": N_("Outcome"),
    "dose_number": N_("Dose number"),
    "expires_on": N_("Expires"),
    "lot_number": N_("Lot number"),
    "vaccine": N_("Vaccine"),
    "dose": N_("Dose"),
    "frequency": N_("Frequency"),
    "late.arrived_at": N_("Arrival"),
    "late.paper_number": N_("Form or ticket"),
    "late.written_by": N_("Written by"),
    "medicine": N_("Medicine"),
    "mother_name": N_("Mother's name"),
    "override_reason": N_("Reason"),
    "password": N_("Password"),
    "patient": N_("Patient"),
    "papers": N_("Number of papers"),
    "part": N_("Ingredient"),
    "payer": N_("Payer"),
    "signa": N_("Signa"),
    "pregnant": N_("Pregnant"),
    "reason": N_("Reason"),
    "result": N_("Result"),
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
    "time_format": N_("type hours and minutes, such as 08:05"),
    "age_zero": N_("below one year: months or days, such as 8 mo or 10 d"),
    "number_format": N_("type a number, such as 36,5"),
    "name_number": N_("is a number: type the person's name"),
    "in_future": N_("lies in the future; correct it"),
    "too_long_ago": N_("lies too long ago; correct it"),
    "unknown": N_("is not known here"),
    "unknown_field": N_("is not known here"),
    "taken": N_("belongs to somebody else already; search for it"),
    "same": N_("is the same as now; choose another"),
    "too_common": N_("is one of those that are guessed first; take three or four words"),
    "own_name": N_("is made of your own name; take three or four words"),
    "wrong": N_("is wrong"),
    "last_admin": N_("would leave nobody who can administer"),
    "not_yours": N_("is not one of your clusters"),
    "not_visited": N_("has not seen this patient at this visit; choose another"),
    "fixed": N_("is part of this role and cannot be changed"),
    "not_a_first_destination": N_("takes patients from other clusters only; choose another"),
    "for_women_only": N_("is asked of women only"),
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
    "not_the_mothers": N_("is no woman's who could be the mother; look at the card"),
    "bpjs_length": N_("has 13 digits; count them again"),
    "bpjs_not_digits": N_("holds digits only"),
    "bpjs_empty": N_("must be filled in"),
    "bpjs_repeated": N_("cannot be one digit repeated"),
    "paper_unknown": N_("is neither a printed form nor a lost ticket; look again, or leave it empty"),
    "paper_used": N_("was entered before; without it the patient gets a new number"),
    "paper_returned": N_("is noted as returned unused; without it the patient gets a new number"),
    "paper_voided": N_("is noted as spoiled or lost; without it the patient gets a new number"),
    "passport_format": N_("has 5 to 20 letters and digits"),
    "village_code_format": N_("has 10 digits; count them again"),
    "family_card_length": N_("has 16 digits; count them again"),
    "family_card_not_digits": N_("holds digits only"),
    "family_card_empty": N_("must be filled in"),
    "family_card_repeated": N_("cannot be one digit repeated"),
}
"""Problem of a field -> the rest of a sentence that begins with the field's label."""

REMEDIES: Mapping[tuple[str, str], str] = {
    ("no_identifier_reason", "required"): N_("Type the NIK, or choose why there is no card."),
}
"""Field and problem -> a sentence of its own, where the remedy lies in another field."""

IDENTITY_WARNINGS: Mapping[str, str] = {
    "nik_birth_date_differs": N_("NIK says another birth date"),
    "nik_sex_differs": N_("NIK says the other sex"),
    "nik_of_adult": N_("NIK says an adult's birth date, the name is a newborn's"),
    "nik_of_patient": N_("NIK is another patient's"),
    "nik_age": N_("NIK says more than 110 years"),
    "nik_region_unknown": N_("NIK: region not in the list"),
    "nik_district_unknown": N_("NIK: district not in the list"),
    "bpjs_prefix": N_("BPJS number usually begins with 000"),
    "family_card_equals_nik": N_("family card and NIK are the same"),
    "family_card_date": N_("family card: unusual date"),
    "family_card_region_unknown": N_("family card: region not in the list"),
}
"""Problems that are shown and do not block."""

PROBLEMS: Mapping[str, str] = {
    "not_signed_in": N_("Sign in again: the name or password is wrong, or the sign-in has ended."),
    "too_many_streams": N_("This account or this address has too many screens open. Close some of them."),
    "too_many_attempts": N_("Too many wrong passwords. Wait a minute and try again."),
    "too_many_drafts": N_("Too many half-typed forms are kept: finish or drop some of them."),
    "password_change_required": N_("Choose a password of your own first: sign in again."),
    "not_allowed": N_("Your account may not do this."),
    "reason_required": N_("This patient is not in your queue: say in a few words why you open the record."),
    "paper_ended": N_("Form {number} is used or ended already."),
    "approval_required": N_("This names patients: the head of the clinic has to release it first."),
    "names_nobody": N_("This report names nobody: it needs no leave."),
    "roster_changed": N_("{name} has saved the roster meanwhile: look again, then change it."),
    "roster_in_file": N_("The roster stands in a file on the machine and is changed there."),
    "session_twice": N_("The hours {hours} of {name} stand twice on a day."),
    "already_requested": N_("The same is asked for already and waits for a decision."),
    "not_found": N_("That is not there any more. Refresh with F5."),
    "changed_meanwhile": N_("Somebody was faster. The list is fresh now; look again."),
    "already_in_queue": N_("The patient already holds number {number} in {cluster}."),
    "both_in_queue": N_("Both wait in {cluster} ({number}, {other}): end one place first, then merge."),
    "registration_id_reused": N_("This registration was saved before as {number}."),
    "override_reason_required": N_("The complaint points to another cluster: a reason is needed."),
    "cluster_blocked": N_("This cannot be saved as it is; correct the marked field."),
    "nik_of_another": N_("The NIK is plainly another person's: say whose it is."),
    "duplicate_decision_required": N_("Somebody very like this is known: look at the list first."),
    "duplicate_check_failed": N_(
        "The check for known patients failed. Nothing is lost: F10 tries again; tell the administrator."
    ),
    "undo_too_late": N_("Too late to undo: two minutes have passed."),
    "not_closing_yet": N_("The day closes at {closes}; this can be answered from ten minutes before on."),
    "undo_not_possible": N_("Cannot be undone: the patient has moved on."),
    "not_possible_now": N_("{number} is {status}: that step is not possible now."),
    "nothing_to_undo": N_("There is no step to take back."),
    "already_undone": N_("This was undone already."),
    "judged_two_people": N_("Somebody has judged these to be two people; they cannot become one record."),
    "no_way_back": N_("There is no cluster to go back to."),
    "patient_deceased": N_("This patient is recorded as deceased on {day}."),
    "diagnosis_sex": N_("{code_given} is a diagnosis of the other sex."),
    "diagnosis_age": N_("{code_given} does not fit the patient's age."),
    "not_critical": N_("This result is not critical any more. Refresh with F5."),
    "second_factor_required": N_("The code of the second factor is to be given first."),
    "approver_of_today": N_(
        "Who asks has changed this account within a day: another head of the clinic decides, or tomorrow."
    ),
    "own_second_factor": N_("Another administrator takes your second factor away, not you."),
    "not_locked": N_("This record can still be corrected as it is."),
    "no_referral": N_("Nobody has chosen where to refer: F2 J in the record."),
    "record_locked": N_("This record is closed for corrections; add an addendum."),
    "allergy": N_("The patient is allergic to {substances}."),
    "allergy_known": N_("That allergy is recorded already: {substance}."),
    "no_clash": N_("No allergy speaks against it any more. Refresh with F5."),
    "allergies_recorded": N_("Allergies are recorded: {substances}. Strike them out first."),
    "vaccine_expired": N_("This vaccine has expired: {day}."),
    "contraindication": N_("This medicine should not be given to this patient."),
    "dose_not_positive": N_("The dose or the amount is nothing or less; correct it."),
    "dose_impossible": N_("The dose, the frequency or the amount cannot be meant; correct it."),
    "dose_too_much": N_("The dose is too high."),
    "dose_too_little": N_("The dose is too low."),
    "weight_needed": N_("A child's dose goes by weight: enter the weight first."),
    "medicine_twice": N_("The patient gets this ingredient already: {substances}."),
    "interaction": N_("Not together with {substances}."),
    "too_large": N_("That is too much text."),
    "validation": N_("Something is not right; check the fields."),
    "setting_refused": N_("The settings are not right: {words}"),
    "restart_not_possible": N_(
        "This server was not started by `loket serve`: nothing would start it again. Restart it where it was started."
    ),
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
    "database_unread": N_(
        "Not saved: the server could not read its database. Try again; tell the administrator."
    ),
    "disk_error": N_(
        "Not saved: the server's disk fails. What you typed is kept; tell the administrator at once."
    ),
    "database_denied": N_(
        "Not saved: the server may not write its database. Tell the administrator at once."
    ),
    "database_pooler": N_(
        "Not saved: the server does not reach its database directly. Tell the administrator."
    ),
    "database_unreachable": N_(
        "Not saved: the server's database does not answer. Try again; tell the administrator."
    ),
    "core_away": N_("The core does not answer; this waits until it is back. Registering goes on."),
    "store_closed": N_(
        "The core does not answer and this counter is closed: whoever signed in here lately can open it."
    ),
    "away_too_long": N_("The core has been away for 12 hours: go on with paper forms until it is back."),
    "numbers_ended": N_(
        "This counter has no numbers left for this cluster without the core: take a paper form."
    ),
    "account_unknown": N_("The core does not know the account that registered this."),
    "counter_lost": N_("This counter was reported lost."),
    "database_busy": N_("Not saved: the server's database is busy. Try again in a moment."),
    "superseded": N_("Not saved: another machine is the core now. What you typed is kept; do it once more."),
    "standby": N_("Not saved: that machine only stands by. What you typed is kept; do it once more."),
    "internal": N_("The server has a fault; nothing was changed. Try again."),
    "http_error": N_("The server answered in an unknown way. Try again."),
}
"""Code of a refusal -> a sentence."""

BLOCKS: Mapping[str, str] = {
    "birth_date_in_future": N_("The birth date lies in the future."),
    "age_impossible": N_("The birth date gives more than 120 years."),
    "pregnant_male": N_("A man cannot be marked as pregnant."),
    "pregnant_age": N_("Pregnancy does not fit this age."),
    "service_for_women": N_("The complaint asks for a service for women, but the patient is male."),
    "adult_in_infant_immunisation": N_("An adult cannot go to infant immunisation."),
    "born_today_in_adult_cluster": N_("Born today cannot go to a cluster for adults."),
}
"""Reasons for which a registration is blocked."""

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
    "clot": N_("clot in a leg"),
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
    "malaria_risk": N_("fever after a malaria region"),
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
    "suspected": N_("emergency, found by asking"),
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
"""The question that would settle an unsure complaint, by code."""

LIKENESS: Mapping[str, str] = {
    "meant_as_well": N_("fits as well"),
    "same_nik": N_("same NIK"),
    "nik_one_digit": N_("NIK differs in one digit"),
    "nik_two_digits": N_("NIK differs in two digits"),
    "same_bpjs_number": N_("same BPJS number"),
    "same_passport_number": N_("same passport"),
    "bpjs_one_digit": N_("BPJS number differs in one digit"),
    "same_birth_date": N_("same birth date"),
    "same_usual_date": N_("same birth date"),
    "same_first_of_month": N_("same birth date"),
    "birth_date_rounded": N_("estimated birth date fits"),
    "birth_date_two_parts": N_("birth date partly the same"),
    "birthday_of_another_year": N_("birth date partly the same"),
    "same_birth_year": N_("same birth year"),
    "birth_date_swapped": N_("day and month swapped"),
    "birth_date_one_digit": N_("birth date differs in one digit"),
    "birth_date_estimated": N_("estimated birth date fits"),
    "same_name": N_("same name"),
    "same_short_name": N_("same name"),
    "similar_name": N_("similar name"),
    "mistyped_name": N_("similar name"),
    "same_other_name": N_("same by another name"),
    "nickname": N_("may be a nickname"),
    "husbands_name": N_("may be the husband's name"),
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
"""Evidence that two records are one person, by code."""

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
"""Status of a queue entry."""

PAPER_STATUSES: Mapping[str, str] = {
    "lent": N_("printed"),
    "used": N_("entered"),
    "returned": N_("returned"),
    "voided": N_("voided"),
}
"""State of a printed form."""

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
PAYER_SOURCES: Mapping[str, str] = {
    "bpjs": N_("BPJS says so"),
    "number": N_("from the BPJS number"),
    "last_visit": N_("as at the last visit"),
}
"""Origin of a payer that the clerk did not choose."""
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
FINISH_WARNINGS: Mapping[str, str] = {
    "no_note": N_("Nothing is written in the record."),
    "no_diagnosis": N_("There is no diagnosis yet (F7)."),
    "tacc": N_("BPJS: a primary-care diagnosis; a referral needs a TACC (form BPJS)."),
}
"""What a visit lacks that is about to end."""
TRANSFER_WARNINGS: Mapping[str, str] = {
    "against_complaint": N_("The complaint points elsewhere; U takes it back"),
}
"""Warnings about a move that was done."""
BPJS_QUESTIONS: Mapping[str, str] = {
    "consciousness": N_("consciousness"),
    "prognosis": N_("prognosis"),
    "refer_provider": N_("hospital"),
    "refer_subspecialist": N_("subspecialist"),
    "refer_on": N_("referral date"),
    "tacc_reason": N_("reason of the TACC"),
}
"""Open questions of the form BPJS."""
ROLES: Mapping[str, str] = {
    "clerk": N_("Registration"),
    "nurse": N_("Triage"),
    "clinician": N_("Clinician"),
    "lab": N_("Laboratory"),
    "pharmacist": N_("Pharmacy"),
    "records": N_("Medical records"),
    "supervisor": N_("Head of the clinic"),
    "admin": N_("Administrator"),
    "display": N_("Waiting room"),
    "door": N_("Door"),
    "counter": N_("Counter's machine"),
}
RIGHTS: Mapping[str, str] = {
    "register": N_("Register patients"),
    "read_patients": N_("See patients' cards"),
    "edit_patients": N_("Correct patients' cards"),
    "merge_patients": N_("Merge records"),
    "read_queues": N_("See the queues"),
    "read_complaints": N_("See all complaints"),
    "work_queue": N_("Call and serve patients"),
    "read_records": N_("Open records"),
    "read_notes": N_("Read whole notes"),
    "write_records": N_("Write notes"),
    "write_vitals": N_("Write vital signs"),
    "enter_results": N_("Enter results"),
    "dispense": N_("Hand medicines out"),
    "release_records": N_("Release locked records"),
    "read_reports": N_("Read reports"),
    "read_audit": N_("Read the audit log"),
    "approve": N_("Approve requests"),
    "administer": N_("Run the system"),
    "read_display": N_("See the waiting room"),
    "print": N_("Print"),
    "reserve_numbers": N_("Print numbered forms"),
    "open_door": N_("Open a door"),
    "serve_counter": N_("Serve a counter without the core"),
}
"""Rights, by code."""
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


STRAY_KEYS = {
    "closed": N_("{key} set aside: another screen has only just closed. Press again if meant."),
    "typing": N_("{key} set aside: that looked like typing, and no field is open here."),
    "not_shown": N_("{key} set aside: it came before the choice was in view. Press again if meant."),
    "changed": N_("{key} set aside: another patient has moved up here. Press again if meant."),
    "unknown": N_("{key} set aside: it means nothing here."),
}
"""Reason for which a key acted on nobody -> sentence; the codes are those of `tui.screens.stray_keys`."""

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
    """Return the translated word for a code; the code itself when the table does not have it."""
    msgid = table.get(code, code)
    return _(msgid) if msgid else ""


def likeness(codes: Sequence[str]) -> list[str]:
    """Return the evidence that two records are one person, in words, each once."""
    return list(dict.fromkeys(word(LIKENESS, code) for code in codes))


def field_name(path: str) -> str:
    """Return a field's label from its path in a request: `patient.nik` -> NIK."""
    path = path.removeprefix("patient.") if path != "patient" else path
    return word(FIELDS, path)


def field_problem(path: str, code: str) -> str:
    """Return one sentence: the field, its problem, the remedy."""
    remedy = REMEDIES.get((path.removeprefix("patient."), code))
    if remedy is not None:
        return _(remedy)
    problem = word(FIELD_PROBLEMS, code) if code in FIELD_PROBLEMS else word(BLOCKS, code)
    return f"{field_name(path)}: {problem}"


def problem_text(problem: Problem) -> str:
    """Return a refusal as one sentence for the status line."""
    if problem.code == "changed_meanwhile" and problem.details.get("changed_by"):
        return _who_was_faster(problem.details)
    if problem.fields:
        path, code = next(iter(problem.fields.items()))
        return field_problem(path, code)
    return _filled(PROBLEMS.get(problem.code, N_("The server refused this ({code}).")), problem)


def _who_was_faster(details: Mapping[str, Any]) -> str:
    if details.get("test"):
        return _("{person} was faster: {test} has another result. Look again.").format(
            person=details["changed_by"], test=details["test"]
        )
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
        "code_given": details.get("diagnosis", ""),
        "number": details.get("number") or receipt.get("ticket", {}).get("number", ""),
        "other": details.get("other", ""),
        "cluster": details.get("cluster", ""),
        "closes": details.get("closes", ""),
        "status": word(STATUSES, str(details.get("status", ""))),
        "day": date_text(day)
        if (day := _day(details.get("deceased_on") or details.get("expires_on")))
        else "",
        "substances": ", ".join(details.get("substances", [])),
        "substance": details.get("substance", ""),
        "words": details.get("words", ""),
        "name": details.get("name", ""),
        "hours": details.get("hours", ""),
    }
    return _(msgid).format(**values)


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None


UNREACHABLE = N_("The server does not answer. What you typed is still here; try again.")
"""The sentence for every call but a save, which is repeated."""
