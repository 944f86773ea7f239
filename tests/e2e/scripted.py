"""One registration of a new patient, everything typed: what tests and benches have a clerk do."""

from __future__ import annotations

from dataclasses import dataclass

NAME = "Siti Rahmawati"
NIK = "6371015507900003"
COMPLAINT = "sakit gigi geraham sejak tiga hari"


@dataclass(frozen=True)
class Step:
    """A field, or a key that leads on.

    Attributes:
        name: What is done.
        keys: As `Terminal.press` takes them.
        shows: What stands on the screen once it is done.
    """

    name: str
    keys: str
    shows: str


def birth_date_in(nik: str) -> str:
    """Day and month of birth, which a NIK fills in once it is whole; a woman's day has 40 added."""
    return f"{int(nik[6:8]) % 40:02d}-{nik[8:10]}-"


def registration(name: str = NAME, nik: str = NIK) -> list[Step]:
    """The steps from the search box to the receipt."""
    return [
        Step("new patient", "<F2>", "Card seen"),
        Step("NIK", nik, birth_date_in(nik)),
        Step("name", f"<Tab><Tab>{name}", name),
        Step("BPJS number", "<Tab><Tab><Tab>0001234567890", "0001234567890"),
        Step("family card", "<Tab>6371010101120007", "6371010101120007"),
        Step("mother", "<Tab>Aminah", "Aminah"),
        Step("phone", "<Tab>081234567890", "081234567890"),
        Step("address", "<Tab>Jl. Veteran No. 12", "Jl. Veteran No. 12"),
        Step("RT", "<Tab>004", "RT |004"),
        Step("RW", "<Tab>011", "RW |011"),
        Step("card seen", "<Tab>y", "[Yes"),
        Step("complaint", f"<Tab>{COMPLAINT}", COMPLAINT),
        Step("payer", "<Tab>2", "[JKN PBI"),
        Step("confirmation", "<F10>", "Confirm before saving"),
        Step("save", "<Enter>", "Saved"),
    ]


def all_keys(steps: list[Step]) -> str:
    """The same typed without looking up."""
    return "".join(step.keys for step in steps)
