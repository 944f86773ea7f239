"""The label (*etiket*) of a medicine that is handed out: for whom, what, how to take it."""

from __future__ import annotations

from core.foundation.codes import PrintStyle
from core.orders.medicines.signa import read_signa
from core.printing.documents import PrintDocument, PrintLine
from core.schemas.clinic import ClinicOut
from core.schemas.queues import EntryPatient
from core.schemas.record import PrescriptionOut
from tui.text.formatting import date_text
from tui.text.translation import _


def label_document(clinic: ClinicOut, patient: EntryPatient, item: PrescriptionOut) -> PrintDocument:
    """Return the label of one medicine as a document to print.

    Args:
        clinic: The clinic's settings.
        patient: Whose it is.
        item: The prescription; a compounded one with its ingredients.
    """
    lines = [
        PrintLine(text=clinic.facility_name, style=PrintStyle.CENTRED),
        PrintLine(
            text=f"{date_text(clinic.today)}  RM {patient.medical_record_number}", style=PrintStyle.CENTRED
        ),
        PrintLine(text=patient.name, style=PrintStyle.HEADING),
        PrintLine(text=directions(item), style=PrintStyle.HEADING),
    ]
    if item.instructions:
        lines.append(PrintLine(text=item.instructions, style=PrintStyle.CENTRED))
    unread = read_signa(item.signa).unread if item.signa else ()
    if unread:
        # What Loket could not read the patient must not have to guess: it stands as the prescriber wrote it.
        lines.append(PrintLine(text=_("As written: {signa}").format(signa=item.signa)))
    lines.append(PrintLine())
    lines.append(PrintLine(text=f"{item.medicine}  {item.dispensed_amount or item.amount}".strip()))
    lines += [PrintLine(text=f"  {line}") for line in item.lines]
    return PrintDocument(lines=lines)


def directions(item: PrescriptionOut) -> str:
    """Return how often and how much in one line: `3x sehari 1 bungkus`; the shorthand where there is nothing else."""
    said = " ".join(part for part in (item.frequency, item.dose) if part)
    return said or item.signa or _("Directions: ask the pharmacist")
