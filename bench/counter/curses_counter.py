"""The counter drawn by ncurses: the same search box, form, dialog, panes and receipt, cell by cell.

Reads the screens from a file, as `bench.wire_bytes` saw them in Loket, and shows the next one at each key.
So it has the same words in the same places, and what it writes is what ncurses makes of it. Colours are left
out, which favours it: with `start_color` it would send the default colours with every attribute.

    python -m bench.counter.curses_counter SCREENS.json
"""

from __future__ import annotations

import curses
import json
import locale
import sys
from typing import Any

ATTRIBUTES = {"b": curses.A_BOLD, "f": curses.A_DIM, "u": curses.A_UNDERLINE, "r": curses.A_REVERSE}


def show(window: Any, screen: dict[str, Any]) -> None:
    window.erase()
    height, width = window.getmaxyx()
    for y, runs in enumerate(screen["rows"]):
        x = 0
        for text, names in runs:
            attribute = 0
            for name in names:
                attribute |= ATTRIBUTES[name]
            last = y == height - 1 and x + len(text) == width
            window.addstr(y, x, text[:-1] if last else text, attribute)
            if last:
                window.insstr(y, width - 1, text[-1], attribute)
            x += len(text)
    cursor = screen["cursor"]
    curses.curs_set(1 if cursor else 0)
    if cursor:
        window.move(cursor[1], cursor[0])
    window.refresh()


def main(window: Any, screens: list[dict[str, Any]]) -> None:
    window.keypad(True)
    window.idlok(True)
    window.idcok(True)
    for screen in screens:
        show(window, screen)
        window.get_wch()
    window.get_wch()


if __name__ == "__main__":
    locale.setlocale(locale.LC_ALL, "")
    with open(sys.argv[1]) as file:
        screens = json.load(file)
    window = curses.initscr()  # not `wrapper`, which starts colours
    curses.noecho()
    curses.cbreak()
    curses.nonl()
    try:
        main(window, screens)
    finally:
        curses.endwin()
