"""The village of a patient as Mobile JKN sends it: by its code, else by its names, else in words after the address."""

from __future__ import annotations

from collections.abc import Mapping

from core.foundation.clinic import Clinic
from core.foundation.permissions import Actor
from core.linkage.names import fold
from core.patients import villages

NAMES = ("namakel", "namakec", "namadati2", "namaprop")
LABELS = {"namakel": "Kel. {}", "namakec": "Kec. {}", "namadati2": "{}", "namaprop": "{}"}


def region_of(clinic: Clinic, actor: Actor, body: Mapping[str, str]) -> dict[str, str]:
    """Return `kodekel` of the list, and `alamat` with the region's names where no village of the list is meant.

    Args:
        clinic: The clinic.
        actor: Who reads the list.
        body: What was sent.
    """
    known = villages.village_of(body.get("kodekel", ""))
    if known is not None:
        return {"kodekel": known.code}
    names = {name: body[name] for name in NAMES if body.get(name)}
    if not names:
        return {"kodekel": ""}
    if found := _by_names(clinic, actor, names):
        return {"kodekel": found}
    parts = [body.get("alamat", ""), *(LABELS[name].format(text) for name, text in names.items())]
    return {"kodekel": "", "alamat": ", ".join(filter(None, parts))}


def _by_names(clinic: Clinic, actor: Actor, names: Mapping[str, str]) -> str:
    """Return the code of the only village with these names; empty without one, or where several are meant."""
    village = names.get("namakel", "")
    if not village or len(names) == 1:
        return ""  # villages of one name are many
    wanted = " ".join(names[name] for name in ("namakel", "namakec", "namadati2") if name in names)
    found = [item for item in villages.find(clinic, actor, wanted) if fold(item.name) == fold(village)]
    return found[0].code if len(found) == 1 else ""
