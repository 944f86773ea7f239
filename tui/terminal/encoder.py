"""Sends the least that makes the client's screen show what the app wants.

The encoder knows what the terminal shows (it has sent all of it) and is given what it should show. Of the
ways to get there it takes the shortest: writing the differing cells, moving lines or characters first, or
clearing and painting anew. "Repeat" (`CSI n b`) is never used: tmux repeats a multi-byte character once only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tui.terminal.capabilities import Capabilities
from tui.terminal.grid import PLAIN, SEEN_ON_BLANKS, Grid, Pen
from tui.terminal.pens import Palette, ascii_cell
from tui.terminal.sketch import Pens, Sketch, Texts, differing_spans

SHIFTS_TRIED = 2  # most promising line shifts encoded in full
EDGES_TRIED = 3  # longest edges down the screen that are tried
SHORTEST_EDGE = 3  # rows; a shorter one saves nothing
LONGEST_CELL_SHIFT = 4  # characters inserted or deleted at once that are looked for


class Encoder:
    """Keeps one terminal's screen equal to a grid.

    Attributes:
        capabilities: What the terminal can do.
        width: Columns of the terminal.
        height: Rows of the terminal.
    """

    def __init__(self, capabilities: Capabilities, width: int, height: int) -> None:
        self.capabilities = capabilities
        self.width = width
        self.height = height
        self._palette = Palette(capabilities)
        self._shown = Sketch(capabilities, width, height)
        self._known = False
        self._cursor_shown: bool | None = None
        self._cursor_row: int | None = None
        self._texts: list[Texts] = [[" "] * width for _ in range(height)]
        self._pens: list[Pens] = [[PLAIN] * width for _ in range(height)]
        self._fresh = True

    def enter(self) -> bytes:
        """Give the sequences that prepare a terminal; its screen counts as unknown afterwards."""
        self.forget()
        if not self.capabilities.addressable:
            return b""
        modes = ["25"]  # the cursor is seen, whatever a connection that broke has left behind
        if self.capabilities.alternate_screen:
            modes.insert(0, "1049")
        if self.capabilities.bracketed_paste:
            modes.append("2004")
        self._cursor_shown = True
        # No automatic wrap: the last column can be written without care.
        return f"\x1b[?{';'.join(modes)}h\x1b[?7l".encode()

    def leave(self) -> bytes:
        """Give the sequences that hand the terminal back: plain pen, wrapping, cursor, the old screen."""
        if not self.capabilities.addressable:
            return b""
        epilogue = "\x1b[m\x1b[?7h"
        if self._cursor_shown is not True:
            epilogue += "\x1b[?25h"
        if self.capabilities.bracketed_paste:
            epilogue += "\x1b[?2004l"
        if self.capabilities.alternate_screen:
            epilogue += "\x1b[?1049l"
        else:
            epilogue += "\x1b[2J\x1b[H"
        self.forget()
        return epilogue.encode()

    def forget(self) -> None:
        """Take nothing about the terminal for granted: the next frame paints all."""
        self._shown = Sketch(self.capabilities, self.width, self.height)
        self._known = False
        self._cursor_shown = None
        self._cursor_row = None
        self._fresh = True

    def frame(self, wanted: Grid, cursor: tuple[int, int] | None) -> bytes:
        """Give the bytes that bring the terminal from what it shows to what is wanted.

        Args:
            wanted: What the app shows; must have this encoder's size. Its `dirty` rows are taken and cleared.
            cursor: Column and row of the terminal's cursor, or None to hide it.

        Returns:
            The output; empty when the terminal already shows it.
        """
        changed = self._take(wanted)
        if not self._known:
            best = min((self._repaint(fill) for fill in self._fills()), key=Sketch.size)
            self._known = True
        elif changed:
            best = self._cheapest(changed)
        else:
            best = self._shown
        if cursor is not None:
            column, row = cursor
            row, column = min(max(row, 0), self.height - 1), min(max(column, 0), self.width - 1)
            if self._cursor_row not in {None, row} and self._pens[row][column].attributes & SEEN_ON_BLANKS:
                # Another field: what is typed into it will look like this.
                best.move_to_write(row, column, self._pens[row][column])
            else:
                best.move(row, column)
            self._cursor_row = row
        if self._cursor_shown is not (cursor is not None):
            self._cursor_shown = cursor is not None
            best.output.append("\x1b[?25h" if cursor is not None else "\x1b[?25l")
        output = "".join(best.output)
        best.output = []
        self._shown = best
        return output.encode("utf-8" if self.capabilities.utf8 else "ascii", "replace")

    def _take(self, wanted: Grid) -> list[int]:
        """Translate the rows that were written and list those that differ from the screen."""
        rows = range(self.height) if self._fresh else sorted(wanted.dirty)
        self._fresh = False
        for row in rows:
            self._texts[row], self._pens[row] = self._translate(wanted.characters[row], wanted.pens[row])
        wanted.dirty.clear()
        shown = self._shown
        return [
            row for row in rows if self._texts[row] != shown.texts[row] or self._pens[row] != shown.pens[row]
        ]

    def _translate(self, texts: Texts, pens: Pens) -> tuple[Texts, Pens]:
        if self.capabilities.utf8:
            texts = list(texts)
        else:
            texts = [
                ascii_cell(text) if text else ascii_cell(texts[column - 1])
                for column, text in enumerate(texts)
            ]
        drawn, blank = self._palette.drawn, self._palette.blank
        return texts, [
            blank[pen] if text == " " else drawn[pen] for text, pen in zip(texts, pens, strict=True)
        ]

    def _cheapest(self, changed: list[int]) -> Sketch:
        best = self._paint(self._shown.copy(), changed)
        if len(changed) > 1:
            for first, last, distance in self._shifts(changed):
                sketch = self._shown.copy()
                sketch.shift_rows(first, last, distance)
                best = min(best, self._paint(sketch, range(self.height)), key=Sketch.size)
        # Each character of the screen costs a byte at least when it is painted anew.
        if len(changed) > self.height // 2 and best.size() > sum(map(_count_written, self._texts)):
            for fill in self._fills():
                best = min(best, self._repaint(fill), key=Sketch.size)
        return best

    def _paint(self, sketch: Sketch, rows: Sequence[int]) -> Sketch:
        """Bring rows of a sketch to what is wanted, edges that run down the screen first where that is shorter."""
        edges = self._edges(sketch, rows)
        best = self._paint_rows(sketch.copy(), rows)
        for column, down in edges:
            with_edge = sketch.copy()
            for row in down:
                with_edge.paint_cell(row, column, self._texts[row][column], self._pens[row][column])
            painted = self._paint_rows(with_edge.copy(), rows)
            if painted.size() < best.size():
                best, sketch = painted, with_edge
        return best

    def _paint_rows(self, sketch: Sketch, rows: Sequence[int]) -> Sketch:
        for row in rows:
            texts, pens = self._texts[row], self._pens[row]
            if self.capabilities.insert_delete_characters:
                self._move_cells(sketch, row, texts, pens)
            sketch.paint_row(row, texts, pens)
        return sketch

    def _edges(self, sketch: Sketch, rows: Sequence[int]) -> list[tuple[int, list[int]]]:
        """Find equal characters one below the other that stand alone in their rows: the right side of a frame.

        From one to the next it is two bytes down the column, but five and more through the rows.

        Returns:
            Columns, each with its rows in order, the longest first.
        """
        alone: dict[tuple[int, str, Pen], list[int]] = {}
        for row in rows:
            texts, pens = self._texts[row], self._pens[row]
            for start, end in differing_spans(sketch.texts[row], sketch.pens[row], texts, pens):
                if end - start == 1 and texts[start] not in {" ", ""}:
                    alone.setdefault((start, texts[start], pens[start]), []).append(row)
        edges = [(column, down) for (column, _, _), down in alone.items() if len(down) >= SHORTEST_EDGE]
        return sorted(edges, key=lambda edge: -len(edge[1]))[:EDGES_TRIED]

    def _fills(self) -> list[Pen]:
        """Name the backgrounds worth clearing to: the terminal's own, and the most common one."""
        fills = [PLAIN]
        if self.capabilities.background_erase:
            counts = Counter(pen.background for pens in self._pens for pen in pens)
            common = Pen(background=counts.most_common(1)[0][0])
            if common != PLAIN:
                fills.append(common)
        return fills

    def _repaint(self, fill: Pen) -> Sketch:
        sketch = self._shown.copy()
        sketch.clear(fill)
        return self._paint(sketch, range(self.height))

    # Rows that moved

    def _shifts(self, changed: list[int]) -> list[tuple[int, int, int]]:
        """Find ranges of rows that already stand elsewhere on the screen.

        Returns:
            `(first, last, distance)` as for `Sketch.shift_rows`, most rows first.
        """
        capabilities = self.capabilities
        if not (capabilities.insert_delete_lines or capabilities.scroll_region):
            return []
        shown = self._shown
        places: dict[tuple[str, ...], list[int]] = {}
        for row, texts in enumerate(shown.texts):
            if any(text != " " for text in texts):
                places.setdefault(tuple(texts), []).append(row)
        votes: Counter[int] = Counter()
        for row in changed:
            for place in places.get(tuple(self._texts[row]), ()):
                if place != row:
                    votes[place - row] += 1
        return [found for distance, _ in votes.most_common(SHIFTS_TRIED) if (found := self._range(distance))]

    def _range(self, distance: int) -> tuple[int, int, int] | None:
        """Find the longest run of rows that stand `distance` rows below where they are wanted."""
        best: tuple[int, int] | None = None
        start: int | None = None
        for row in range(self.height + 1):
            source = row + distance
            fits = (
                row < self.height
                and 0 <= source < self.height
                and self._texts[row] == self._shown.texts[source]
                and self._pens[row] == self._shown.pens[source]
            )
            if fits and start is None:
                start = row
            elif not fits and start is not None:
                if best is None or row - 1 - start > best[1] - best[0]:
                    best = (start, row - 1)
                start = None
        return None if best is None else (*best, distance)

    # Characters that moved within a row

    def _move_cells(self, sketch: Sketch, row: int, texts: Texts, pens: Pens) -> None:
        """Insert or delete characters in a row where that leaves less to write.

        Only where the whole difference is a shift by a few cells, as when somebody types or deletes in the
        middle of a field.
        """
        old_texts, old_pens = sketch.texts[row], sketch.pens[row]
        if "" in old_texts or "" in texts:
            return
        spans = differing_spans(old_texts, old_pens, texts, pens)
        if not spans:
            return
        first, last = spans[0][0], spans[-1][1] - 1
        if last - first < LONGEST_CELL_SHIFT + 1:
            return
        ways = _cell_shifts(first, last, (old_texts, old_pens), (texts, pens))
        if not ways:
            return
        plain = sketch.copy()
        plain.paint_row(row, texts, pens)
        best = plain.size()
        chosen: Sketch | None = None
        for way in ways:
            attempt = sketch.copy()
            for column, count in way:
                attempt.shift_cells(row, column, count)
            before = attempt.copy()
            attempt.paint_row(row, texts, pens)
            if attempt.size() < best:
                best, chosen = attempt.size(), before
        if chosen is not None:
            sketch.texts, sketch.pens, sketch.output = chosen.texts, chosen.pens, chosen.output
            sketch.row, sketch.column, sketch.pen = chosen.row, chosen.column, chosen.pen


def _count_written(texts: Texts) -> int:
    """Count the cells of a row that hold more than a blank."""
    return len(texts) - texts.count(" ") - texts.count("")


def _cell_shifts(
    first: int, last: int, old: tuple[Texts, Pens], new: tuple[Texts, Pens]
) -> list[list[tuple[int, int]]]:
    """List the insertions and deletions that explain a difference between two rows.

    Returns:
        Ways, each a list of `(column, count)` for `Sketch.shift_cells`: one that lets the rest of the row
        move, and one that puts the rest back in its place.
    """
    for count in range(1, LONGEST_CELL_SHIFT + 1):
        head, tail = slice(first, last + 1 - count), slice(first + count, last + 1)
        if new[0][tail] == old[0][head] and new[1][tail] == old[1][head]:
            return [[(first, count)], [(last + 1 - count, -count), (first, count)]]
        if new[0][head] == old[0][tail] and new[1][head] == old[1][tail]:
            return [[(first, -count)], [(first, -count), (last + 1 - count, count)]]
    return []
