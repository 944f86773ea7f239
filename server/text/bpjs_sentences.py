"""Sentences of `loket bpjs`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from server.text.translation import N_, _

TRIED = {
    "settings": N_("Settings"),
    "sign_in": N_("Sign-in and encryption"),
    "clock": N_("This machine's clock"),
    "poli": N_("List of polis"),
    "doctor": N_("List of doctors"),
    "consciousness": N_("List of levels of consciousness"),
    "prognosis": N_("List of prognoses"),
    "leaving": N_("List of ways of leaving"),
    "allergy_food": N_("List of allergies to food"),
    "allergy_air": N_("List of allergies in the air"),
    "allergy_drug": N_("List of allergies to medicines"),
    "procedure": N_("List of procedures"),
    "provider": N_("List of facilities"),
    "specialist": N_("List of specialists"),
    "means": N_("List of means for referrals"),
    "clusters": N_("Polis of the clusters"),
    "registrations": N_("Registrations of today"),
    "content_type": N_("Content type of a body"),
    "queue": N_("Queue of Mobile JKN"),
    "visit_path": N_("Path of a visit"),
    "temperature": N_("Temperature"),
}
"""Names of the facts that `core.exchange.bpjs.service_check` tries."""


def run_done(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the outcome of one run."""
    yield _("{settled} visits are at BPJS as they are here, {set_aside} set aside, {waiting} wait.").format(
        settled=document["settled"], set_aside=document["set_aside"], waiting=document["waiting"]
    )


def comparison(days: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each day that was compared, and its differences below it."""
    for day in days:
        verdict = _("agrees") if day["agrees"] else _("DIFFERS")
        yield _("{day}: {verdict}; {here} registrations here, {there} at BPJS").format(
            day=day["day"], verdict=verdict, here=day["here"], there=day["there"]
        )
        if day["missing"]:
            yield "  " + _("{number} were missing at BPJS and are sent again").format(
                number=len(day["missing"])
            )
        if day["only_there"]:
            yield "  " + _("only at BPJS: {numbers}").format(numbers=", ".join(day["only_there"]))
        if day["open_here"]:
            yield "  " + _("{number} wait here or were set aside: F7, B at the counter").format(
                number=len(day["open_here"])
            )


def check(findings: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Yield a line for each thing that was tried at the real service."""
    marks = {
        "ok": _("confirmed"),
        "differs": _("DIFFERENT"),
        "untried": _("not tried"),
        "failed": _("FAILED"),
    }
    for finding in findings:
        yield f"{marks[finding['outcome']]:<12} {_(TRIED[finding['what']])}: {finding['found']}"
