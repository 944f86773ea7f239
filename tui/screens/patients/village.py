"""The patient's village: found in the region list by its first letters, the clinic's own area first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.schemas.patients import VillageOut
from tui import theme
from tui.screens.record.search_dialog import SearchDialog
from tui.text.formatting import fit
from tui.text.translation import N_, _
from tui.widgets import PickRow


@dataclass(frozen=True)
class ChosenVillage:
    """The answer: a village of the list, or words that are not in it and so have no code."""

    words: str
    code: str = ""


def village_text(village: VillageOut) -> str:
    """Return village and district: `Pekauman, Banjarmasin Selatan`."""
    return ", ".join(part for part in (village.name, village.district) if part)


class VillageDialog(SearchDialog[ChosenVillage]):
    """Returns a village, or the words typed where the list has none."""

    TITLE_TEXT = N_("Kelurahan or village")

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Return the villages that begin with these words."""
        found = await self.session.client.patients.find_villages(text, self.ROWS)
        return [(village.code, village) for village in found]

    def row(self, key: str, thing: Any) -> PickRow:
        """Return a village with its district and regency."""
        return PickRow(
            key,
            [
                (fit(thing.name, 24) + " ", theme.STRONG),
                (fit(thing.district, 22) + " ", theme.PLAIN),
                (thing.regency, theme.PLAIN),
            ],
        )

    def take(self, key: str, thing: Any) -> None:
        """Return the chosen village."""
        self.dismiss(ChosenVillage(village_text(thing), key))

    def take_text(self, text: str) -> None:
        """Return the words: they stand in the address, without a code."""
        self.dismiss(ChosenVillage(text))

    def say_keys(self) -> None:
        """Show the keys."""
        self.hint(
            _("First letters    Up, down: choose    Enter: this one, or the words without code    Esc: back")
        )
