"""The parts screens are made of."""

from tui.widgets.bars import DialogTitle, KeyBar, StatusLine, TitleBar
from tui.widgets.fields import Choice, ChoiceField, Label, Row, TextField, choices, labelled
from tui.widgets.lines import set_text
from tui.widgets.pick_list import PickList, PickRow
from tui.widgets.plot import DayPlot
from tui.widgets.queue_pane import QueuePane

__all__ = [
    "Choice",
    "ChoiceField",
    "DayPlot",
    "DialogTitle",
    "KeyBar",
    "Label",
    "PickList",
    "PickRow",
    "QueuePane",
    "Row",
    "StatusLine",
    "TextField",
    "TitleBar",
    "choices",
    "labelled",
    "set_text",
]
