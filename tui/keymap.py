"""All keys with their meanings: the same key does the same on all screens.

Function keys up to F10 exist on a VT220, a Linux console and PuTTY; keys beyond F10 are in the
command palette as well. Letters act only where no field is typed into.
"""

from __future__ import annotations

from textual.binding import Binding

from tui.text.translation import N_

HELP = Binding("f1", "app.help", N_("Help"))
REGISTER = Binding("f2", "app.register", N_("Register"))
QUEUES = Binding("f3", "app.queues", N_("Queues"))
WORK = Binding("f4", "app.work", N_("My queue"))
BOARD = Binding("f4", "app.board", N_("Board"))
"""F4 leads to one's own work: a clinician's queue, a supervisor's board."""
REFRESH = Binding("f5", "refresh_data", N_("Refresh"))
ADMINISTER = Binding("f6", "app.administer", N_("System"))
OVERSIGHT = Binding("f6", "app.oversight", N_("Today's list"))
"""F6 leads to what one watches over: the admin's system, the supervisor's list of the day."""
PALETTE = Binding("ctrl+p", "app.palette", N_("Commands"))
LANGUAGE = Binding("f12", "app.other_language", N_("Language"), show=False)
SIGN_OUT = Binding("ctrl+q,ctrl+o", "app.sign_out", N_("Sign out"), priority=True)
"""Ctrl+O as well: on a VT, Ctrl+Q belongs to the line."""
REPAINT = Binding("ctrl+l", "app.repaint", N_("Repaint the screen"), show=False)
BACK = Binding("escape", "back", N_("Back"))

NEW_PATIENT = Binding("f2", "new_patient", N_("New patient"))
DRAFT = Binding("f8", "continue_draft", N_("Draft"))
LISTS = Binding("f7", "lists", N_("Lists"))
LOOK_ALIKES = Binding("f7", "look_at_duplicates", N_("Look-alikes"))
COMPLAINT = Binding("f4", "to_complaint", N_("Complaint"))
MOTHER = Binding("f8", "find_mother", N_("Mother"))
VILLAGE = Binding("f6", "find_village", N_("Kelurahan"), show=False)
"""Told in the help and, on wide terminals, where the address has the focus: no place in the key bar is spent on it."""
LATE = Binding("ctrl+t", "late_entry", N_("Late entry"), show=False)
"""Told in the help and on the printed forms: needed after an outage only."""
EDIT = Binding("f9", "edit_patient", N_("Correct card"))
TAKE_INSURANCE = Binding("f5", "take_insurance", N_("Take BPJS's"))
SHARING = Binding("f4", "sharing", N_("SATUSEHAT"))
ASK_SHARING = Binding("s", "sharing", N_("SATUSEHAT"))
ASK_IDENTITY = Binding("i", "identity", N_("Identity"))
IDENTITY = Binding("f8", "identity", N_("Identity"))
IS_ALIVE = Binding("f5", "take_death_back", N_("Is alive"))
SEND_AGAIN = Binding("a", "send_again", N_("Send again"))
CHECK_IN = Binding("enter", "check_in", N_("Has come"))
SAME = Binding("s", "same", N_("Same person"))
NOT_SAME = Binding("n", "not_same", N_("Not the same"))
LATER = Binding("l", "later", N_("Later"))
OTHER_STAYS = Binding("x", "other_stays", N_("Other stays"))
SAVE = Binding("f10", "save", N_("Save"))
UNDO = Binding("z", "undo", N_("Undo"))
MOVE = Binding("m", "move", N_("Move"))
QR = Binding("q", "show_qr", N_("QR"))
PRINT = Binding("p", "print_ticket", N_("Print"))
NEXT = Binding("enter", "next", N_("Next patient"))

LAST_PATIENT = Binding("space", "last_patient", N_("Last patient"))

CALL_NEXT = Binding("n", "call_next", N_("Call next"))
CALL = Binding("c", "call", N_("Call this one"))
REPAIR = Binding("r", "repair", N_("Mend"))
RECALL = Binding("r", "recall", N_("Recall"))
SKIP = Binding("s", "skip", N_("Skip"))
HOLD = Binding("h", "hold", N_("Hold"))
OPEN = Binding("enter", "open", N_("Open"))
MEASURE = Binding("enter", "measure", N_("Vital signs"))
DONE = Binding("d", "finish", N_("Done"))
TRANSFER = Binding("t", "transfer", N_("Transfer"))
UNDO_STEP = Binding("u", "undo_step", N_("Undo"))
SENT_BACK = Binding("b", "send", N_("Send and back"))
LEFT = Binding("l", "leave", N_("Has left"))
CANCEL = Binding("x", "cancel_entry", N_("Cancel"))
PRIORITY = Binding("p", "prioritise", N_("Priority"))
ROOM = Binding("o", "room", N_("Room"))
REFERRALS = Binding("j", "referrals", N_("Referrals"))
PRINT_LETTER = Binding("p", "print_letter", N_("Print"))
DAY_END = Binding("e", "day_end", N_("Day's end"))

# A text area has F6 and F7 of its own; the record's go before them.
HISTORY = Binding("f6", "history", N_("Visits"), priority=True)
DIAGNOSIS = Binding("f7", "diagnosis", N_("Diagnosis"), priority=True)
PRESCRIBE = Binding("f8", "prescribe", N_("Medicine"))
ORDER = Binding("f9", "order", N_("Lab"))
SAVE_ONLY = Binding("ctrl+s", "save_only", N_("Save"))
SAVE_VITALS = Binding("f10", "save_vitals", N_("Save"))
SAVE_FINISH = Binding("f10", "save_finish", N_("Finish"))
HAND_BACK = Binding("f10", "hand_back", N_("Save, send back"))
LABELS = Binding("f7", "print_labels", N_("Labels"))
MORE = Binding("f2", "more", N_("More"))
FIND = Binding("f2", "app.find_patient", N_("Find patient"))
WORKLIST = Binding("f2", "app.worklist", N_("Worklist"))

KEEP = Binding("exclamation_mark", "keep", N_("Keep"), show=False)
"""No letter: every letter may be a cluster's."""

NAMES = {"escape": "Esc", "enter": "Enter", "space": "Spc", "left": "←", "right": "→", "ctrl": "^"}


def key_name(key: str) -> str:
    """Return a key's name for the key bar: `F2`, `^Q`, `Esc`, `N`."""
    first = key.split(",")[0]
    if first.startswith("ctrl+"):
        return "^" + first[5:].upper()
    return NAMES.get(first, first.upper())
