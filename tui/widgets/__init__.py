"""Widgets of the screens."""

from tui.widgets.bars import DialogTitle, KeyBar, StatusLine, TitleBar
from tui.widgets.fields import Choice, ChoiceField, FieldRow, Label, TextField, choices, labelled
from tui.widgets.painting import set_text
from tui.widgets.pick_list import PickList, PickRow
from tui.widgets.plot import DayPlot
from tui.widgets.queue_pane import QueuePane

__all__ = [
    "Choice",
    "ChoiceField",
    "DayPlot",
    "DialogTitle",
    "FieldRow",
    "KeyBar",
    "Label",
    "PickList",
    "PickRow",
    "QueuePane",
    "StatusLine",
    "TextField",
    "TitleBar",
    "choices",
    "labelled",
    "set_text",
]
