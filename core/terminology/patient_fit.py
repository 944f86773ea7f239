"""Tests whether a diagnosis fits a patient, by sex and age. Pure; the groups are data (`core/data/icd10_patients.toml`)."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict

from core.foundation.codes import Sex


class CodeGroup(BaseModel):
    """Codes that only some patients can have."""

    model_config = ConfigDict(extra="forbid")

    begins: str
    """Beginnings of codes, between spaces."""
    sex: Sex | None = None
    from_years: float | None = None
    under_years: float | None = None

    @property
    def beginnings(self) -> tuple[str, ...]:
        """The beginnings, one by one."""
        return tuple(self.begins.split())


@cache
def groups() -> tuple[CodeGroup, ...]:
    """Return the groups that ship with Loket."""
    text = resources.files("core.data").joinpath("icd10_patients.toml").read_text(encoding="utf-8")
    return tuple(CodeGroup.model_validate(item) for item in tomllib.loads(text)["group"])


def unfit(code: str, sex: str | None, age_years: float | None) -> str | None:
    """Return `sex` or `age` when a code cannot be of this patient; None when it can, or is not known not to.

    Args:
        code: ICD-10 code.
        sex: `Sex` code; None when not known.
        age_years: Age with its fraction; None when not known.
    """
    found = None
    for group in groups():
        if not code.startswith(group.beginnings):
            continue
        if group.sex is not None and sex not in {None, group.sex}:
            return "sex"
        if age_years is not None and not _fits_age(group, age_years):
            found = "age"
    return found


def _fits_age(group: CodeGroup, age_years: float) -> bool:
    if group.from_years is not None and age_years < group.from_years:
        return False
    return group.under_years is None or age_years < group.under_years
