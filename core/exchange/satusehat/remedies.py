"""The remedies for refused records, by the words of the refusal.

Source: docs/reference/indonesia.md 5.7 (SATUSEHAT's rule numbers).
"""

from __future__ import annotations

CORRECT_AND_SAVE = "correct_and_save"
"""The remedy for a refusal that holds no known mark."""

REMEDIES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("display-missing",), "import_displays"),
    (("region-missing",), "complete_the_address"),
    (("nik-missing",), "complete_the_nik"),
    (("practitioner-missing",), "complete_the_practitioner"),
    (("diagnosis-missing", "10457"), "enter_a_diagnosis"),
    (("too-old",), "nothing_to_do"),
    (("ambiguous", "duplicate"), "look_for_the_other_record"),
    (("10001", "code has no icd-10", "icd-10"), "choose_another_code"),
    (("10117", "20003"), "check_the_settings"),
    (("mapping", "10002", "10105", "10124", "10132", "10134", "10254", "10263"), "tell_the_maintainer"),
    (("not-found", "does not resolve"), "send_the_patient_first"),
    (("nik", "birthdate", "patient.", "gender"), "correct_the_patient"),
)
"""Marks in a refusal's words, in lower case, and the remedy. The first row that has a mark counts."""


def remedy(error: str) -> str:
    """Return the stable code of the remedy for a refusal, from the receiver's own words."""
    words = error.lower()
    for marks, code in REMEDIES:
        if any(mark in words for mark in marks):
            return code
    return CORRECT_AND_SAVE
