"""The encoder against an independent terminal: what it sends always leads to what was wanted."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.terminal.screens import Emulator, expected
from tui.terminal.capabilities import Capabilities, Colours, detect
from tui.terminal.encoder import Encoder
from tui.terminal.grid import (
    BOLD,
    DEFAULT_COLOUR,
    PLAIN,
    REVERSE,
    RGB,
    STRIKE,
    UNDERLINE,
    Grid,
    Rendition,
    fit,
)

TERMINALS = [
    "xterm-256color",
    "putty",
    "linux",
    "screen",
    "tmux-256color",
    "vt220",
    "vt100",
    "ansi",
    "unheard-of",
]
COLOURS = [DEFAULT_COLOUR, 0, 1, 4, 7, 8, 12, 15, 17, 208, 255, RGB | 0x102030, RGB | 0xFFEE00]
RENDITIONS = st.one_of(
    st.just(PLAIN),
    st.builds(
        Rendition,
        st.sampled_from(COLOURS),
        st.sampled_from(COLOURS),
        st.sampled_from([0, 0, 0, BOLD, UNDERLINE, REVERSE, STRIKE, BOLD | REVERSE, BOLD | UNDERLINE]),
    ),
)
GRAPHEMES = st.sampled_from([*"abcXYZ019  .-│─┌█é", "日", "本", "e\u0301", "a\u0323\u0301", "ф"])


def capabilities() -> st.SearchStrategy[Capabilities]:
    fixed = {"utf8", "addressable", "alternate_screen", "bracketed_paste"}
    switches = [
        field.name for field in fields(Capabilities) if field.type == "bool" and field.name not in fixed
    ]
    anything = st.builds(
        Capabilities,
        colours=st.sampled_from(list(Colours)),
        utf8=st.sampled_from([True, True, False]),
        **{name: st.booleans() for name in switches},
    )
    return st.one_of(st.sampled_from([detect(term) for term in TERMINALS]), anything)


def write(grid: Grid, column: int, row: int, text: list[str], rendition: Rendition) -> None:
    cells: list[str] = []
    for grapheme in text:
        cells += fit(grapheme, 2 if grapheme in {"日", "本"} else 1)
    grid.put(column, row, cells, [rendition] * len(cells))


@st.composite
def changes(draw: st.DrawFn) -> list[tuple]:
    """A frame's worth of changes: text, blanks, rows and characters that move, everything anew."""
    kinds = ["text", "text", "text", "blank", "up", "down", "insert", "delete", "clear", "nothing"]
    found: list[tuple[Any, ...]] = []
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(kinds))
        place = (draw(st.integers(0, 40)), draw(st.integers(0, 15)))
        rendition = draw(RENDITIONS)
        what: Any
        if kind == "text":
            what = draw(st.lists(GRAPHEMES, min_size=1, max_size=30))
        else:
            what = draw(st.integers(1, 12))
        found.append((kind, place, what, rendition))
    return found


def apply(grid: Grid, change: tuple) -> None:
    kind, (x, y), what, rendition = change
    x, y = x % grid.width, y % grid.height
    if kind == "text":
        write(grid, x, y, what, rendition)
    elif kind == "blank":
        write(grid, x, y, [" "] * what * 4, rendition)
    elif kind == "clear":
        grid.clear(rendition)
    elif kind in {"up", "down"}:
        last = min(grid.height - 1, y + what)
        both: list[tuple[list[Any], list[Any]]] = [
            (grid.characters, [" "] * grid.width),
            (grid.renditions, [PLAIN] * grid.width),
        ]
        for rows, blank in both:
            if kind == "up":
                rows.insert(last, list(blank))
                del rows[y]
            else:
                del rows[last]
                rows.insert(y, list(blank))
        grid.dirty.update(range(y, last + 1))
    elif kind in {"insert", "delete"}:
        end = min(grid.width, x + what + 8)
        row, renditions = grid.characters[y], grid.renditions[y]
        if "" in row:
            return
        if kind == "insert":
            row.insert(x, "i")
            renditions.insert(x, renditions[x])
            del row[end], renditions[end]
        else:
            row.insert(end, " ")
            renditions.insert(end, PLAIN)
            del row[x], renditions[x]
        grid.dirty.add(y)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    capabilities=capabilities(),
    size=st.tuples(st.integers(20, 50), st.integers(5, 20)),
    frames=st.lists(changes(), min_size=1, max_size=8),
    cursors=st.lists(
        st.one_of(st.none(), st.tuples(st.integers(0, 49), st.integers(0, 19))), min_size=8, max_size=8
    ),
)
def test_the_terminal_shows_exactly_what_was_wanted(capabilities, size, frames, cursors):
    """After every frame, each cell's character and rendition and the cursor are as the app wants them."""
    width, height = size
    grid, encoder, terminal = (
        Grid(width, height),
        Encoder(capabilities, width, height),
        Emulator(width, height),
    )
    # What stood on the client's screen before must not matter.
    terminal.feed(b"\x1b[31;44mleft over\r\n" * 30)
    terminal.feed(encoder.enter())
    for frame, cursor in zip(frames, cursors, strict=False):
        for change in frame:
            apply(grid, change)
        terminal.feed(encoder.frame(grid, cursor))
        assert terminal.cells() == expected(grid, capabilities)
        assert terminal.screen.cursor.hidden is (cursor is None)
        if cursor is not None:
            x, y = min(cursor[0], width - 1), min(cursor[1], height - 1)
            assert (terminal.screen.cursor.x, terminal.screen.cursor.y) == (x, y)
        assert encoder.frame(grid, cursor) == b""


@settings(max_examples=60, deadline=None)
@given(
    capabilities=capabilities(),
    before=st.lists(changes(), min_size=1, max_size=3),
    after=st.lists(changes(), min_size=1, max_size=3),
    sizes=st.tuples(*[st.tuples(st.integers(20, 200), st.integers(5, 60))] * 2),
)
def test_a_resized_terminal_is_painted_whole(capabilities, before, after, sizes):
    """After a change of size nothing of the old screen is left."""
    terminal = Emulator(*sizes[0])
    for size, frames in zip(sizes, (before, after), strict=True):
        terminal.resize(*size)
        grid, encoder = Grid(*size), Encoder(capabilities, *size)
        terminal.feed(encoder.enter())
        for frame in frames:
            for change in frame:
                apply(grid, change)
            terminal.feed(encoder.frame(grid, None))
            assert terminal.cells() == expected(grid, capabilities)


def typed(encoder: Encoder, grid: Grid, row: int, column: int, text: str, rendition: Rendition) -> list[int]:
    sizes = []
    for offset, character in enumerate(text):
        write(grid, column + offset, row, [character], rendition)
        sizes.append(len(encoder.frame(grid, (column + offset + 1, row))))
    return sizes


def form(capabilities: Capabilities) -> tuple[Grid, Encoder]:
    grid, encoder = Grid(80, 24), Encoder(capabilities, 80, 24)
    for row in range(10):
        write(grid, 2, row + 2, list(f"Field {row}"), PLAIN)
        write(grid, 20, row + 2, [" "] * 30, Rendition(attributes=UNDERLINE))
    encoder.enter()
    encoder.frame(grid, (20, 2))
    return grid, encoder


def test_a_letter_costs_one_byte():
    """Typing at the cursor sends the letter and nothing else, after the first has set the rendition."""
    grid, encoder = form(detect("xterm"))
    sizes = typed(encoder, grid, 2, 20, "Siti Rahmawati", Rendition(attributes=UNDERLINE))
    assert sizes[1:] == [1] * 13
    assert sizes[0] <= 5


def test_a_removed_row_moves_the_others():
    """A row taken out of a full-width list costs a line deletion, not a repaint."""
    grid, encoder = Grid(80, 24), Encoder(detect("xterm"), 80, 24)
    for row in range(4, 20):
        write(grid, 0, row, list(f"A{row:03}  Patient number {row:02}  waiting {row} minutes"), PLAIN)
    encoder.enter()
    encoder.frame(grid, None)
    grid.characters.insert(20, [" "] * 80)
    del grid.characters[4]
    grid.dirty.update(range(24))
    assert len(encoder.frame(grid, None)) <= 20


def test_the_right_side_of_a_frame_is_drawn_down_the_screen():
    encoder, grid = Encoder(detect("xterm"), 80, 24), Grid(80, 24)
    for row in range(5, 11):
        write(grid, 2, row, [*f"Question {row}"], PLAIN)
        write(grid, 78, row, ["|"], PLAIN)
    encoder.enter()
    emulator = Emulator(80, 24)
    data = encoder.frame(grid, None)
    emulator.feed(data)
    assert emulator.text() == "\n".join(grid.text())
    assert b"|" + b"\n\b|" * 5 in data


def test_nothing_changed_sends_nothing():
    grid, encoder = form(detect("xterm"))
    grid.dirty.update(range(24))
    assert encoder.frame(grid, (20, 2)) == b""


@pytest.mark.parametrize("term", TERMINALS)
def test_ascii_terminals_get_ascii(term):
    """A terminal without UTF-8 never gets a byte above 127."""
    capabilities = replace(detect(term), utf8=False)
    grid, encoder = Grid(40, 5), Encoder(capabilities, 40, 5)
    write(grid, 0, 0, list("┌──日本é✓…"), PLAIN)
    data = encoder.enter() + encoder.frame(grid, (3, 3)) + encoder.leave()
    assert data.isascii()
    assert b"+--????ev." in data
