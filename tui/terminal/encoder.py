"""Computes the shortest output that makes the client's screen show the app's grid.

The encoder knows what the terminal shows, since it has sent all of it, and compares that with the grid. It tries
several updates and sends the shortest: writing the differing cells, moving lines or characters first, or
clearing and painting again. "Repeat" (`CSI n b`) is never used: tmux repeats a multi-byte character once only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tui.terminal.attributes import Palette, ascii_cell
from tui.terminal.capabilities import Capabilities
from tui.terminal.grid import PLAIN, SEEN_ON_BLANKS, Grid, Rendition
from tui.terminal.screen_diff import Renditions, ScreenDiff, Texts, differing_spans

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
        self._shown = ScreenDiff(capabilities, width, height)
        self._known = False
        self._cursor_shown: bool | None = None
        self._cursor_row: int | None = None
        self._texts: list[Texts] = [[" "] * width for _ in range(height)]
        self._renditions: list[Renditions] = [[PLAIN] * width for _ in range(height)]
        self._fresh = True

    def enter(self) -> bytes:
        """Return the sequences that prepare a terminal; its screen counts as unknown afterwards."""
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
        """Return the sequences that hand the terminal back: plain rendition, wrapping, cursor, the old screen."""
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
        """Treat the terminal's screen as unknown: the next frame paints all of it."""
        self._shown = ScreenDiff(self.capabilities, self.width, self.height)
        self._known = False
        self._cursor_shown = None
        self._cursor_row = None
        self._fresh = True

    def frame(self, wanted: Grid, cursor: tuple[int, int] | None) -> bytes:
        """Return the bytes that bring the terminal from what it shows to the grid.

        Args:
            wanted: The app's grid; must have this encoder's size. Its `dirty` rows are taken and cleared.
            cursor: Column and row of the terminal's cursor, or None to hide it.

        Returns:
            The output; empty when the terminal already shows it.
        """
        changed = self._take(wanted)
        if not self._known:
            best = min((self._repaint(fill) for fill in self._fills()), key=ScreenDiff.size)
            self._known = True
        elif changed:
            best = self._cheapest(changed)
        else:
            best = self._shown
        if cursor is not None:
            column, row = cursor
            row, column = min(max(row, 0), self.height - 1), min(max(column, 0), self.width - 1)
            if (
                self._cursor_row not in {None, row}
                and self._renditions[row][column].attributes & SEEN_ON_BLANKS
            ):
                # Another field: what is typed into it will look like this.
                best.move_to_write(row, column, self._renditions[row][column])
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
            self._texts[row], self._renditions[row] = self._translate(
                wanted.characters[row], wanted.renditions[row]
            )
        wanted.dirty.clear()
        shown = self._shown
        return [
            row
            for row in rows
            if self._texts[row] != shown.texts[row] or self._renditions[row] != shown.renditions[row]
        ]

    def _translate(self, texts: Texts, renditions: Renditions) -> tuple[Texts, Renditions]:
        if self.capabilities.utf8:
            texts = list(texts)
        else:
            texts = [
                ascii_cell(text) if text else ascii_cell(texts[column - 1])
                for column, text in enumerate(texts)
            ]
        drawn, blank = self._palette.drawn, self._palette.blank
        return texts, [
            blank[rendition] if text == " " else drawn[rendition]
            for text, rendition in zip(texts, renditions, strict=True)
        ]

    def _cheapest(self, changed: list[int]) -> ScreenDiff:
        best = self._paint(self._shown.copy(), changed)
        if len(changed) > 1:
            for first, last, distance in self._shifts(changed):
                diff = self._shown.copy()
                diff.shift_rows(first, last, distance)
                best = min(best, self._paint(diff, range(self.height)), key=ScreenDiff.size)
        # Each character of the screen costs a byte at least when it is painted again.
        if len(changed) > self.height // 2 and best.size() > sum(map(_count_written, self._texts)):
            for fill in self._fills():
                best = min(best, self._repaint(fill), key=ScreenDiff.size)
        return best

    def _paint(self, diff: ScreenDiff, rows: Sequence[int]) -> ScreenDiff:
        """Update rows of a diff to the wanted ones; vertical edges go first where that is shorter."""
        edges = self._edges(diff, rows)
        best = self._paint_rows(diff.copy(), rows)
        for column, down in edges:
            with_edge = diff.copy()
            for row in down:
                with_edge.paint_cell(row, column, self._texts[row][column], self._renditions[row][column])
            painted = self._paint_rows(with_edge.copy(), rows)
            if painted.size() < best.size():
                best, diff = painted, with_edge
        return best

    def _paint_rows(self, diff: ScreenDiff, rows: Sequence[int]) -> ScreenDiff:
        for row in rows:
            texts, renditions = self._texts[row], self._renditions[row]
            if self.capabilities.insert_delete_characters:
                self._move_cells(diff, row, texts, renditions)
            diff.paint_row(row, texts, renditions)
        return diff

    def _edges(self, diff: ScreenDiff, rows: Sequence[int]) -> list[tuple[int, list[int]]]:
        """Find equal characters one below the other that alone differ in their rows, as in the right side of a frame.

        From one to the next it is two bytes down the column, but five and more through the rows.

        Returns:
            Columns, each with its rows in order, the longest first.
        """
        alone: dict[tuple[int, str, Rendition], list[int]] = {}
        for row in rows:
            texts, renditions = self._texts[row], self._renditions[row]
            for start, end in differing_spans(diff.texts[row], diff.renditions[row], texts, renditions):
                if end - start == 1 and texts[start] not in {" ", ""}:
                    alone.setdefault((start, texts[start], renditions[start]), []).append(row)
        edges = [(column, down) for (column, _, _), down in alone.items() if len(down) >= SHORTEST_EDGE]
        return sorted(edges, key=lambda edge: -len(edge[1]))[:EDGES_TRIED]

    def _fills(self) -> list[Rendition]:
        """List the backgrounds worth clearing to: the terminal's own, and the most common one."""
        fills = [PLAIN]
        if self.capabilities.background_erase:
            counts = Counter(
                rendition.background for renditions in self._renditions for rendition in renditions
            )
            common = Rendition(background=counts.most_common(1)[0][0])
            if common != PLAIN:
                fills.append(common)
        return fills

    def _repaint(self, fill: Rendition) -> ScreenDiff:
        diff = self._shown.copy()
        diff.clear(fill)
        return self._paint(diff, range(self.height))

    # Rows that moved

    def _shifts(self, changed: list[int]) -> list[tuple[int, int, int]]:
        """Find ranges of rows that the screen already shows elsewhere.

        Returns:
            `(first, last, distance)` as for `ScreenDiff.shift_rows`, most rows first.
        """
        capabilities = self.capabilities
        if not (capabilities.insert_delete_lines or capabilities.scroll_region):
            return []
        votes: Counter[int] = Counter()
        places = self._places_shown()
        for row in changed:
            for place in places.get(tuple(self._texts[row]), ()):
                if place != row:
                    votes[place - row] += 1
        ranges = [self._range(distance) for distance, _ in votes.most_common(SHIFTS_TRIED)]
        return [found for found in ranges if found is not None]

    def _places_shown(self) -> dict[tuple[str, ...], list[int]]:
        """Index the rows on the terminal that are not blank by their texts."""
        places: dict[tuple[str, ...], list[int]] = {}
        for row, texts in enumerate(self._shown.texts):
            if any(text != " " for text in texts):
                places.setdefault(tuple(texts), []).append(row)
        return places

    def _range(self, distance: int) -> tuple[int, int, int] | None:
        """Find the longest run of rows shown `distance` rows below their wanted place."""
        best: tuple[int, int] | None = None
        start: int | None = None
        for row in range(self.height + 1):
            if self._is_shown_at(row, row + distance):
                start = row if start is None else start
            elif start is not None:
                if best is None or row - 1 - start > best[1] - best[0]:
                    best = (start, row - 1)
                start = None
        return None if best is None else (*best, distance)

    def _is_shown_at(self, row: int, source: int) -> bool:
        """Return whether a wanted row is what the terminal shows in row `source`; False beyond the edges."""
        if row >= self.height or not 0 <= source < self.height:
            return False
        is_same_text = self._texts[row] == self._shown.texts[source]
        return is_same_text and self._renditions[row] == self._shown.renditions[source]

    # Characters that moved within a row

    def _move_cells(self, diff: ScreenDiff, row: int, texts: Texts, renditions: Renditions) -> None:
        """Insert or delete characters in a row where that leaves less to write.

        Only where the whole difference is a shift by a few cells, as when a person types or deletes in the
        middle of a field.
        """
        old_texts, old_renditions = diff.texts[row], diff.renditions[row]
        if "" in old_texts or "" in texts:
            return
        spans = differing_spans(old_texts, old_renditions, texts, renditions)
        if not spans:
            return
        first, last = spans[0][0], spans[-1][1] - 1
        if last - first < LONGEST_CELL_SHIFT + 1:
            return
        ways = _cell_shifts(first, last, (old_texts, old_renditions), (texts, renditions))
        if not ways:
            return
        plain = diff.copy()
        plain.paint_row(row, texts, renditions)
        best = plain.size()
        chosen: ScreenDiff | None = None
        for way in ways:
            attempt = diff.copy()
            for column, count in way:
                attempt.shift_cells(row, column, count)
            before = attempt.copy()
            attempt.paint_row(row, texts, renditions)
            if attempt.size() < best:
                best, chosen = attempt.size(), before
        if chosen is not None:
            diff.texts, diff.renditions, diff.output = chosen.texts, chosen.renditions, chosen.output
            diff.row, diff.column, diff.rendition = chosen.row, chosen.column, chosen.rendition


def _count_written(texts: Texts) -> int:
    """Count the cells of a row that hold more than a blank."""
    return len(texts) - texts.count(" ") - texts.count("")


def _cell_shifts(
    first: int, last: int, old: tuple[Texts, Renditions], new: tuple[Texts, Renditions]
) -> list[list[tuple[int, int]]]:
    """List the insertions and deletions that explain a difference between two rows.

    Returns:
        Ways, each a list of `(column, count)` for `ScreenDiff.shift_cells`: one that lets the rest of the row
        move, and one that puts the rest back in its place.
    """
    for count in range(1, LONGEST_CELL_SHIFT + 1):
        head, tail = slice(first, last + 1 - count), slice(first + count, last + 1)
        if new[0][tail] == old[0][head] and new[1][tail] == old[1][head]:
            return [[(first, count)], [(last + 1 - count, -count), (first, count)]]
        if new[0][head] == old[0][tail] and new[1][head] == old[1][tail]:
            return [[(first, -count)], [(first, -count), (last + 1 - count, count)]]
    return []
