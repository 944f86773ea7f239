"""Words for the rows of the audit logs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from core.daily.reports.registry import REPORTS
from core.foundation.codes import ApprovalKind
from core.foundation.languages import in_language
from core.schemas.counters import FlaggedDelivery
from core.schemas.oversight import ApprovalOut, AuditLineOut
from tui.text import problem_words
from tui.text.formatting import date_text, instant_text
from tui.text.translation import N_, _, language

ACTIONS: Mapping[str, str] = {
    "account_created": N_("added an account"),
    "account_disabled": N_("barred an account"),
    "account_edited": N_("changed an account"),
    "account_enabled": N_("let an account in again"),
    "addendum_written": N_("added to a note"),
    "allergy_added": N_("recorded an allergy"),
    "allergy_voided": N_("struck an allergy"),
    "approval_approved": N_("APPROVED"),
    "approval_refused": N_("REFUSED"),
    "approval_requested": N_("asks for approval"),
    "appointment_booked": N_("booked"),
    "appointment_cancelled": N_("cancelled a booking"),
    "appointments_read": N_("saw the numbers from home"),
    "audit_examined": N_("examined the log"),
    "audit_read": N_("read this log"),
    "booking_read": N_("told of a booking"),
    "broken_glass_read": N_("saw who broke the glass"),
    "bpjs_code_mapped": N_("mapped a code of BPJS"),
    "bpjs_sent_again": N_("sent a visit to BPJS again"),
    "payer_changed": N_("changed who pays for a visit"),
    "bpjs_set_aside_read": N_("saw what BPJS refused"),
    "call_next_read": N_("called the next"),
    "chain_broken": N_("LOG BROKEN"),
    "chain_keyed": N_("the log got its key"),
    "chain_opened": N_("the log was opened"),
    "check_read": N_("looked for look-alikes"),
    "contact_begun": N_("began a note"),
    "copy_given": N_("GAVE THE PATIENT A COPY"),
    "critical_told": N_("told a critical result"),
    "database_restored": N_("RESTORED A BACKUP"),
    "diagnosis_added": N_("added a diagnosis"),
    "diagnosis_moved_up": N_("changed the main diagnosis"),
    "dispensed": N_("handed medicine out"),
    "door_added": N_("added a door"),
    "door_revoked": N_("closed a door"),
    "duplicates_read": N_("looked for look-alikes"),
    "encounter_written": N_("wrote a note"),
    "entry_call": N_("called"),
    "entry_cancel": N_("cancelled"),
    "entry_finish": N_("ended the service"),
    "entry_leave": N_("noted as gone"),
    "entry_read": N_("saw a ticket"),
    "entry_skip": N_("skipped"),
    "entry_start": N_("began the service"),
    "entry_transfer": N_("moved on"),
    "danger_signed": N_("signed a danger sign"),
    "danger_signature_taken_back": N_("took a signature back"),
    "entry_undo": N_("took a step back"),
    "glass_broken": N_("BROKE THE GLASS"),
    "history_read": N_("saw the visits"),
    "insurance_asked": N_("asked BPJS about a person"),
    "judged_two_people": N_("judged: two people"),
    "key_added": N_("added an SSH key"),
    "key_removed": N_("removed an SSH key"),
    "kinds_bound": N_("the log binds more"),
    "log_unprotected": N_("LOG WAS UNPROTECTED"),
    "letter_issued": N_("issued a letter"),
    "repaired": N_("mended by the doctor"),
    "setting_changed": N_("changed a setting"),
    "server_restarted": N_("restarted the server"),
    "database_moved": N_("moved to another database"),
    "loss_accepted": N_("ACCEPTED LOST DATA"),
    "merge_undone": N_("undid a merge"),
    "merges_read": N_("saw the merges"),
    "no_known_allergies": N_("recorded: no allergies"),
    "no_known_allergies_taken_back": N_('took "no allergies" back'),
    "ordered": N_("ordered a test"),
    "promoted": N_("MADE ANOTHER MACHINE THE CORE"),
    "paper_printed": N_("printed paper forms"),
    "paper_ended": N_("ended a paper form"),
    "pane_read": N_("saw the queue"),
    "outcome_undone": N_("took an outcome back"),
    "password_changed": N_("changed the own password"),
    "password_checked": N_("unlocked"),
    "password_set": N_("gave a password"),
    "patient_created": N_("made a card"),
    "patient_edited": N_("changed the card"),
    "patient_filled": N_("completed the card"),
    "patient_read": N_("opened the card"),
    "patients_merged": N_("MERGED TWO RECORDS"),
    "patients_merged_by_card": N_("merged by the card's NIK"),
    "patients_searched": N_("searched"),
    "practitioner_nik_set": N_("set a clinician's NIK"),
    "prescribed": N_("prescribed"),
    "immunisation_added": N_("recorded a vaccine"),
    "procedure_added": N_("added a procedure"),
    "recent_read": N_("saw the last patients"),
    "record_released": N_("RELEASED A RECORD"),
    "releases_read": N_("saw the releases"),
    "registered": N_("registered"),
    "report_exported": N_("TOOK A FILE WITH PATIENTS"),
    "report_read": N_("read a report"),
    "request_refused": N_("WAS REFUSED"),
    "result_corrected": N_("corrected a result"),
    "result_entered": N_("entered a result"),
    "result_voided": N_("voided a result"),
    "rights_change_approved": N_("approved rights"),
    "rights_change_refused": N_("refused rights"),
    "rights_change_requested": N_("asked for rights"),
    "rights_change_withdrawn": N_("withdrew a request"),
    "second_factor_given": N_("gave the code"),
    "second_factor_reset": N_("TOOK A SECOND FACTOR"),
    "second_factor_set": N_("set a second factor"),
    "session_ended": N_("ended a sign-in"),
    "sessions_ended": N_("ended all sign-ins"),
    "sharing_agreed": N_("agreed to SATUSEHAT"),
    "sharing_refused": N_("REFUSED SATUSEHAT"),
    "sign_in_failed": N_("WRONG PASSWORD"),
    "sign_in_refused": N_("sign-in refused: wait"),
    "signed_in": N_("signed in"),
    "signed_out": N_("signed out"),
    "suspected_read": N_("saw the look-alikes"),
    "two_people_taken_back": N_("took a judgement back"),
    "unverified_read": N_("saw the verify-later list"),
    "visit_read": N_("OPENED THE RECORD"),
    "work_read": N_("saw the work for a visit"),
    "worklist_read": N_("saw the worklist"),
}
"""Action of an audit row -> its words; what opens a record or weighs as much is in capitals."""

ACCESS_REASONS: Mapping[str, str] = {
    "emergency": N_("Emergency"),
    "treatment": N_("Goes on with the treatment"),
    "colleague": N_("Asked by the clinician who treats"),
    "patient": N_("Asked by the patient"),
    "correction": N_("Completes or corrects the record"),
    "review": N_("Coding, audit or a complaint"),
    "other": N_("Another reason"),
}
"""Reasons for opening a record outside one's own queue, by code."""

APPROVALS: Mapping[str, str] = {
    "release": N_("Leave to correct"),
    "export": N_("File with patients"),
    "restore": N_("Backup restored"),
    "tampering": N_("Break of the log"),
}
"""Requests and deeds of another person, by kind."""


FLAGS: Mapping[str, str] = {"account_disabled": N_("without the core; its account was disabled")}
"""Flag of a delivery that the head of the clinic should look at -> why."""


def delivery_flag(flagged: FlaggedDelivery) -> str:
    """Return why a delivery is to be looked at."""
    return problem_words.word(FLAGS, flagged.flag)


def approval_subject(asked: ApprovalOut, zone: str) -> str:
    """Return what a request is about: whose record, which report of which day, the backup of when.

    Args:
        asked: The request.
        zone: The clinic's time zone.
    """
    if asked.person is not None:
        return asked.person.name
    first, _space, rest = asked.target.partition(" ")
    if asked.kind is ApprovalKind.EXPORT and first in REPORTS:
        return f"{date_text(date.fromisoformat(rest))} {in_language(REPORTS[first].titles, language())}"
    if asked.kind is ApprovalKind.RESTORE:
        return instant_text(datetime.fromisoformat(first), zone)
    if asked.kind is ApprovalKind.TAMPERING:
        return _("{number} breaks").format(number=asked.target)
    return asked.target


def approval_details(asked: ApprovalOut) -> list[str]:
    """Return the further facts of a request, a fact a line; of breaks the sentences that tell them."""
    if asked.kind is ApprovalKind.TAMPERING:
        return [str(line) for line in (asked.detail.get("by", ""), *asked.detail.get("told", []))]
    return [f"{name}: {value}" for name, value in asked.detail.items()]


TOLD_FIRST = (
    "username",
    "setting",
    "after",
    "approval",
    "code",
    "reason",
    "q",
    "sought",
    "role",
    "permission",
    "granted",
    "date",
    "cluster",
    "path",
)
"""Details that the row itself shows, in this order; the rest stand in the row's own dialog."""


def action_text(action: str) -> str:
    """Return what was done; the code itself, spaced, where there are no words."""
    return problem_words.word(ACTIONS, action) if action in ACTIONS else action.replace("_", " ")


def people_text(line: AuditLineOut) -> str:
    """Return whom a row is about: the name of one, the number of several."""
    if len(line.people) == 1:
        return line.people[0].name
    return _("{number} people").format(number=len(line.people)) if line.people else ""


def detail_text(line: AuditLineOut) -> str:
    """Return the details that matter at a glance, in one line."""
    values = (_value_text(name, line.detail[name]) for name in TOLD_FIRST if name in line.detail)
    return "; ".join(value for value in values if value)


def detail_lines(line: AuditLineOut) -> list[str]:
    """Return all details, one a line."""
    return [f"{name}: {_value_text(name, value)}" for name, value in line.detail.items()]


def _value_text(name: str, value: Any) -> str:
    if name == "code":
        return problem_words.word(ACCESS_REASONS, str(value))
    if name == "approval":
        return problem_words.word(APPROVALS, str(value))
    if name == "granted":
        return _("to be given") if value else _("to be taken away")
    if name == "permission":
        return problem_words.word(problem_words.RIGHTS, str(value))
    if name == "role":
        return problem_words.word(problem_words.ROLES, str(value))
    if isinstance(value, Mapping):
        return ", ".join(str(part) for part in value.values())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
