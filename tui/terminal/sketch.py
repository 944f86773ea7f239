"""One way of changing a terminal's screen, tried out on paper.

The encoder draws several sketches of the same change (write the differences, move lines first, clear and
repaint) and sends the shortest. A sketch keeps a model of the terminal: its cells, its cursor and its pen.
"""

from __future__ import annotations

from tui.terminal.capabilities import Capabilities
from tui.terminal.grid import DEFAULT_COLOUR, PLAIN, SEEN_ON_BLANKS, Pen, blank_pen
from tui.terminal.pens import sgr

Texts = list[str]
Pens = list[Pen]

UNKNOWN_PEN = Pen(-2, -2)  # of a cell whose look is not known; equal to no pen that is wanted
LONGEST_OVERWRITE = 6  # cells written again to get across, rather than a move of 3 bytes or more


class Sketch:
    """A model of the terminal and the output that leads to it.

    Row lists are never changed in place, only replaced, so that copies are cheap.

    Attributes:
        texts: Per row, the cells' texts as in `Grid.characters`.
        pens: Per row, the cells' pens, blanks normalised by `blank_pen`.
        row: The cursor's row, None when not known.
        column: The cursor's column, None when not known (also after the last column was written: terminals
            differ in where they leave the cursor).
        pen: The terminal's pen, None when not known.
        output: Pieces of output so far.
    """

    __slots__ = ("capabilities", "column", "height", "output", "pen", "pens", "row", "texts", "width")

    def __init__(self, capabilities: Capabilities, width: int, height: int) -> None:
        self.capabilities = capabilities
        self.width = width
        self.height = height
        self.texts: list[Texts] = [[" "] * width for _ in range(height)]
        self.pens: list[Pens] = [[PLAIN] * width for _ in range(height)]
        self.row: int | None = None
        self.column: int | None = None
        self.pen: Pen | None = None
        self.output: list[str] = []

    def copy(self) -> Sketch:
        """Give a sketch that can be continued without changing this one."""
        other = Sketch.__new__(Sketch)
        other.capabilities = self.capabilities
        other.width, other.height = self.width, self.height
        other.texts, other.pens = list(self.texts), list(self.pens)
        other.row, other.column, other.pen = self.row, self.column, self.pen
        other.output = list(self.output)
        return other

    def size(self) -> int:
        """Count the characters of output; nearly its bytes, and the same characters cost alike everywhere."""
        return sum(map(len, self.output))

    # Cursor

    def move(self, row: int, column: int) -> None:
        """Bring the cursor to a cell by the cheapest way."""
        if row == self.row and column == self.column:
            return
        self.output.append(self._route(row, column, self.pen))
        self.row, self.column = row, column

    def move_to_write(self, row: int, column: int, pen: Pen) -> None:
        """Bring the cursor to a cell and take up a pen; the pen first where that makes the way shorter."""
        if row != self.row or column != self.column:
            way = self._route(row, column, self.pen)
            if pen != self.pen:
                with_pen = self._route(row, column, pen)
                if len(with_pen) < len(way):
                    way = with_pen
                    self.select(pen)
            self.output.append(way)
            self.row, self.column = row, column
        self.select(pen)

    def _route(self, row: int, column: int, pen: Pen | None) -> str:
        """Give the shortest output that leads to a cell; cells on the way may be written again with the pen."""
        if row == self.row and column == self.column:
            return ""
        if row == 0 == column:
            best = "\x1b[H"
        elif column == 0:
            best = f"\x1b[{row + 1}H"
        else:
            best = f"\x1b[{row + 1};{column + 1}H"
        if self.row is None:
            return best
        # A vertical move first: it never changes the column.
        vertical = self._vertical(self.row, row)
        horizontal = self._horizontal(row, column, pen)
        if horizontal is not None and len(vertical) + len(horizontal) < len(best):
            best = vertical + horizontal
        return best

    def _vertical(self, start: int, row: int) -> str:
        distance = row - start
        if distance == 0:
            return ""
        number = "" if abs(distance) == 1 else str(abs(distance))
        if distance > 0:
            best = "\n" * distance if distance < 4 else f"\x1b[{number}B"
        else:
            best = "\x1bM" if distance == -1 else f"\x1b[{number}A"
        if self.capabilities.row_column_address:
            absolute = f"\x1b[{row + 1}d" if row else "\x1b[d"
            best = min(best, absolute, key=len)
        return best

    def _horizontal(self, row: int, column: int, pen: Pen | None) -> str | None:
        if column == self.column:
            return ""
        options = ["\r" + way for way in self._rightward(row, 0, column, pen)]
        if self.capabilities.row_column_address:
            options.append(f"\x1b[{column + 1}G" if column else "\x1b[G")
        if self.column is not None and column > self.column:
            options += self._rightward(row, self.column, column, pen)
        elif self.column is not None:
            distance = self.column - column
            options.append("\b" * distance if distance <= 4 else f"\x1b[{distance}D")
        return min(options, key=len)

    def _rightward(self, row: int, start: int, column: int, pen: Pen | None) -> list[str]:
        """List the ways from one column to another in the same row."""
        distance = column - start
        if not distance:
            return [""]
        ways = [f"\x1b[{'' if distance == 1 else distance}C"]
        if distance <= LONGEST_OVERWRITE:
            again = self._overwrite(row, start, column, pen)
            if again is not None:
                ways.append(again)
        return ways

    def _overwrite(self, row: int, start: int, end: int, pen: Pen | None) -> str | None:
        """Give the text already standing between two columns, if the pen at hand would not change it."""
        if pen is None:
            return None
        texts, pens = self.texts[row][start:end], self.pens[row][start:end]
        blank = blank_pen(pen)
        for text, there in zip(texts, pens, strict=True):
            if not text.isascii() or not text or there != (blank if text == " " else pen):
                return None
        if end < self.width and self.texts[row][end] == "":
            return None
        return "".join(texts)

    # Pen

    def select(self, pen: Pen) -> None:
        """Take up a pen."""
        if pen != self.pen:
            self.output.append(sgr(self.pen, pen, self.capabilities.attribute_off))
            self.pen = pen

    def select_for_erasing(self, pen: Pen) -> None:
        """Take up a pen whose background erased cells are to have."""
        now = self.pen
        if now is None or now.background != pen.background or now.attributes & SEEN_ON_BLANKS:
            self.select(pen)

    def can_erase(self, pen: Pen) -> bool:
        """Tell whether erasing leaves blanks of this pen on this terminal."""
        return not pen.attributes and (pen.background == DEFAULT_COLOUR or self.capabilities.background_erase)

    # Whole screen and whole lines

    def clear(self, pen: Pen) -> None:
        """Erase the screen to a background, from its first cell on."""
        self.select_for_erasing(pen)
        self.move(0, 0)
        self.output.append("\x1b[J")
        blank = blank_pen(pen)
        self.texts = [[" "] * self.width for _ in range(self.height)]
        self.pens = [[blank] * self.width for _ in range(self.height)]

    def shift_rows(self, first: int, last: int, distance: int) -> None:
        """Move what stands in rows `first + distance` to `last + distance` to rows `first` to `last`.

        Rows beyond the two ranges stay as they are; rows uncovered become blank.

        Args:
            first: First row moved to, >= 0.
            last: Last row moved to, < height.
            distance: Rows; positive moves text up, negative down.
        """
        self.select_for_erasing(PLAIN)
        top, bottom = min(first, first + distance), max(last, last + distance)
        if self.capabilities.insert_delete_lines:
            self._shift_by_lines(top, bottom, distance)
        else:
            self._shift_by_region(top, bottom, distance)
        count = abs(distance)
        blank_texts: list[Texts] = [[" "] * self.width for _ in range(count)]
        blank_pens: list[Pens] = [[PLAIN] * self.width for _ in range(count)]
        span = slice(top, bottom + 1)
        texts, pens = self.texts[span], self.pens[span]
        if distance > 0:
            self.texts[span], self.pens[span] = texts[count:] + blank_texts, pens[count:] + blank_pens
        else:
            self.texts[span], self.pens[span] = blank_texts + texts[:-count], blank_pens + pens[:-count]

    def _shift_by_lines(self, top: int, bottom: int, distance: int) -> None:
        count = abs(distance)
        number = "" if count == 1 else str(count)
        delete_at = top if distance > 0 else bottom - count + 1
        insert_at = bottom - count + 1 if distance > 0 else top
        # Deleting and inserting the last lines of the screen is one and the same: they come out blank.
        steps = [(delete_at, "M")] if bottom < self.height - 1 or distance > 0 else []
        if bottom < self.height - 1 or distance < 0:
            steps.append((insert_at, "L"))
        for row, final in steps:
            if row != self.row:
                self.move(row, self.column if self.column is not None else 0)
            self.output.append(f"\x1b[{number}{final}")
            self.column = None  # some terminals return to the first column, some do not

    def _shift_by_region(self, top: int, bottom: int, distance: int) -> None:
        self.output.append(f"\x1b[{top + 1};{bottom + 1}r")
        self.row = self.column = None  # where setting the region leaves the cursor differs
        if distance > 0:
            self.move(bottom, 0)
            self.output.append("\n" * distance)
        else:
            self.move(top, 0)
            self.output.append("\x1bM" * -distance)
        self.output.append("\x1b[r")
        self.row = self.column = None

    # One row

    def shift_cells(self, row: int, column: int, count: int) -> None:
        """Insert (`count` > 0) or delete (`count` < 0) cells; the rest of the row moves.

        Inserted cells count as unknown, so that they are always written: terminals differ in how they look.
        """
        if count < 0:
            self.select_for_erasing(PLAIN)
        self.move(row, column)
        number = "" if abs(count) == 1 else str(abs(count))
        texts, pens = self.texts[row], self.pens[row]
        if count > 0:
            self.output.append(f"\x1b[{number}@")
            self.texts[row] = (texts[:column] + ["?"] * count + texts[column:])[: self.width]
            self.pens[row] = (pens[:column] + [UNKNOWN_PEN] * count + pens[column:])[: self.width]
        else:
            self.output.append(f"\x1b[{number}P")
            self.texts[row] = texts[:column] + texts[column - count :] + [" "] * -count
            self.pens[row] = pens[:column] + pens[column - count :] + [PLAIN] * -count

    def paint_cell(self, row: int, column: int, text: str, pen: Pen) -> None:
        """Write one narrow character."""
        self.move_to_write(row, column, pen)
        self.output.append(text)
        self.column = column + 1 if column + 1 < self.width else None
        texts, pens = self.texts[row], self.pens[row]
        self.texts[row] = [*texts[:column], text, *texts[column + 1 :]]
        self.pens[row] = [*pens[:column], pen, *pens[column + 1 :]]

    def paint_row(self, row: int, texts: Texts, pens: Pens) -> None:
        """Write the cells of a row that differ from what the terminal shows."""
        spans = differing_spans(self.texts[row], self.pens[row], texts, pens)
        if not spans:
            return
        erase_from = self._erase_from(spans, texts, pens)
        for start, end in spans:
            if erase_from is not None and end > erase_from:
                end = erase_from
            if start < end:
                self._write(row, start, end, texts, pens)
        if erase_from is not None:
            self.select_for_erasing(pens[erase_from])
            self.move(row, erase_from)
            self.output.append("\x1b[K")
        self.texts[row], self.pens[row] = texts, pens

    def _erase_from(self, spans: list[tuple[int, int]], texts: Texts, pens: Pens) -> int | None:
        """Find the column from which erasing to the end of the row is cheaper than writing blanks."""
        pen = pens[-1]
        if texts[-1] != " " or not self.can_erase(pen):
            return None
        tail = self.width
        while tail and texts[tail - 1] == " " and pens[tail - 1] == pen:
            tail -= 1
        first = next((max(start, tail) for start, end in spans if end > tail), None)
        if first is None or spans[-1][1] - first <= 3:
            return None
        return first

    def _write(self, row: int, start: int, end: int, texts: Texts, pens: Pens) -> None:
        """Write the cells `start` to `end` (exclusive), erasing long blanks where that is shorter."""
        column = start
        while column < end:
            if texts[column] == " ":
                stop = column + 1
                while stop < end and texts[stop] == " " and pens[stop] == pens[column]:
                    stop += 1
                if self._erase_blanks(row, column, stop, pens[column], last=stop == end):
                    column = stop
                    continue
            else:
                stop = column + 1
                while stop < end and texts[stop] != " ":
                    stop += 1
            self.move_to_write(row, column, self._pen_for(column, end, texts, pens))
            self._put(column, stop, end, texts, pens)
            column = stop
            self.column = stop if stop < self.width else None

    def _erase_blanks(self, row: int, start: int, end: int, pen: Pen, *, last: bool) -> bool:
        count = end - start
        cost = 3 + len(str(count))
        if not last:
            cost *= 2  # the cursor does not move along
        if not self.capabilities.erase_characters or count <= cost or not self.can_erase(pen):
            return False
        self.select_for_erasing(pen)
        self.move(row, start)
        self.output.append(f"\x1b[{count}X")
        return True

    def _put(self, start: int, stop: int, end: int, texts: Texts, pens: Pens) -> None:
        for column in range(start, stop):
            if texts[column]:
                self.select(self._pen_for(column, end, texts, pens))
                self.output.append(texts[column])

    def _pen_for(self, column: int, end: int, texts: Texts, pens: Pens) -> Pen:
        """Choose the pen to write a cell with: for a blank, the one at hand if that looks the same."""
        if texts[column] != " ":
            return pens[column]
        if self.pen is not None and blank_pen(self.pen) == pens[column]:
            return self.pen
        return _pen_ahead(column, end, texts, pens)


def _pen_ahead(column: int, end: int, texts: Texts, pens: Pens) -> Pen:
    """Choose, for a blank, the pen of the text after it if that looks the same on a blank."""
    wanted = pens[column]
    for ahead in range(column + 1, end):
        if texts[ahead] not in {" ", ""}:
            return pens[ahead] if blank_pen(pens[ahead]) == wanted else wanted
        if pens[ahead] != wanted:
            break
    return wanted


def differing_spans(old_texts: Texts, old_pens: Pens, texts: Texts, pens: Pens) -> list[tuple[int, int]]:
    """Find the cells of a row to be written again.

    Both halves of a wide character belong together, in the old row as in the new: a terminal blanks the other
    half when one is written over.

    Returns:
        Ranges `(start, end)`, end exclusive, in order and not touching.
    """
    if old_texts == texts and old_pens == pens:
        return []
    differing = [
        column
        for column, (old_text, text) in enumerate(zip(old_texts, texts, strict=True))
        if old_text != text or old_pens[column] != pens[column]
    ]
    if "" in old_texts or "" in texts:
        differing = _with_whole_characters(differing, old_texts, texts)
    spans: list[tuple[int, int]] = []
    start = previous = differing[0]
    for column in differing[1:]:
        if column != previous + 1:
            spans.append((start, previous + 1))
            start = column
        previous = column
    spans.append((start, previous + 1))
    return spans


def _with_whole_characters(differing: list[int], *rows: Texts) -> list[int]:
    found = set(differing)
    todo = list(differing)
    while todo:
        column = todo.pop()
        for texts in rows:
            if texts[column] == "" and column - 1 not in found:
                found.add(column - 1)
                todo.append(column - 1)
            if column + 1 < len(texts) and texts[column + 1] == "" and column + 1 not in found:
                found.add(column + 1)
                todo.append(column + 1)
    return sorted(found)
