"""A candidate update of a terminal's screen.

The encoder computes several candidates for the same change (write the differences, move lines first, clear and
repaint) and sends the shortest. Each keeps a model of the terminal: its cells, its cursor and its rendition.
"""

from __future__ import annotations

from tui.terminal.attributes import sgr
from tui.terminal.capabilities import Capabilities
from tui.terminal.grid import DEFAULT_COLOUR, PLAIN, SEEN_ON_BLANKS, Rendition, blank_rendition

Texts = list[str]
Renditions = list[Rendition]

UNKNOWN_RENDITION = Rendition(-2, -2)  # of a cell whose rendition is not known; equal to no wanted one
LONGEST_OVERWRITE = 6  # cells written again to get across, rather than a move of 3 bytes or more


class ScreenDiff:
    """A model of the terminal and the output that leads to it.

    Row lists are never changed in place, only replaced, so that copies are cheap.

    Attributes:
        texts: Per row, the cells' texts as in `Grid.characters`.
        renditions: Per row, the cells' renditions, blanks normalised by `blank_rendition`.
        row: The cursor's row, None when not known.
        column: The cursor's column, None when not known (also after the last column was written: terminals
            differ in where they leave the cursor).
        rendition: The terminal's rendition, None when not known.
        output: Pieces of output so far.
    """

    __slots__ = (
        "capabilities",
        "column",
        "height",
        "output",
        "rendition",
        "renditions",
        "row",
        "texts",
        "width",
    )

    def __init__(self, capabilities: Capabilities, width: int, height: int) -> None:
        self.capabilities = capabilities
        self.width = width
        self.height = height
        self.texts: list[Texts] = [[" "] * width for _ in range(height)]
        self.renditions: list[Renditions] = [[PLAIN] * width for _ in range(height)]
        self.row: int | None = None
        self.column: int | None = None
        self.rendition: Rendition | None = None
        self.output: list[str] = []

    def copy(self) -> ScreenDiff:
        """Return a copy that can be continued without changing this one."""
        other = ScreenDiff.__new__(ScreenDiff)
        other.capabilities = self.capabilities
        other.width, other.height = self.width, self.height
        other.texts, other.renditions = list(self.texts), list(self.renditions)
        other.row, other.column, other.rendition = self.row, self.column, self.rendition
        other.output = list(self.output)
        return other

    def size(self) -> int:
        """Return the number of characters of output, a close measure of its bytes."""
        return sum(map(len, self.output))

    # Cursor

    def move(self, row: int, column: int) -> None:
        """Move the cursor to a cell by the shortest output."""
        if row == self.row and column == self.column:
            return
        self.output.append(self._route(row, column, self.rendition))
        self.row, self.column = row, column

    def move_to_write(self, row: int, column: int, rendition: Rendition) -> None:
        """Move the cursor to a cell and select a rendition; the rendition first where that makes the output shorter.

        Args:
            row: Row, >= 0.
            column: Column, >= 0.
            rendition: The rendition of the text to come.
        """
        if row != self.row or column != self.column:
            way = self._route(row, column, self.rendition)
            if rendition != self.rendition:
                with_rendition = self._route(row, column, rendition)
                if len(with_rendition) < len(way):
                    way = with_rendition
                    self.select(rendition)
            self.output.append(way)
            self.row, self.column = row, column
        self.select(rendition)

    def _route(self, row: int, column: int, rendition: Rendition | None) -> str:
        """Return the shortest output that leads to a cell; cells on the way may be written again."""
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
        horizontal = self._horizontal(row, column, rendition)
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

    def _horizontal(self, row: int, column: int, rendition: Rendition | None) -> str | None:
        if column == self.column:
            return ""
        options = ["\r" + way for way in self._rightward(row, 0, column, rendition)]
        if self.capabilities.row_column_address:
            options.append(f"\x1b[{column + 1}G" if column else "\x1b[G")
        if self.column is not None and column > self.column:
            options += self._rightward(row, self.column, column, rendition)
        elif self.column is not None:
            distance = self.column - column
            options.append("\b" * distance if distance <= 4 else f"\x1b[{distance}D")
        return min(options, key=len)

    def _rightward(self, row: int, start: int, column: int, rendition: Rendition | None) -> list[str]:
        """List the ways from one column to another in the same row."""
        distance = column - start
        if not distance:
            return [""]
        ways = [f"\x1b[{'' if distance == 1 else distance}C"]
        if distance <= LONGEST_OVERWRITE:
            again = self._overwrite(row, start, column, rendition)
            if again is not None:
                ways.append(again)
        return ways

    def _overwrite(self, row: int, start: int, end: int, rendition: Rendition | None) -> str | None:
        """Return the text shown between two columns, if writing it with the rendition would not change it."""
        if rendition is None:
            return None
        texts, renditions = self.texts[row][start:end], self.renditions[row][start:end]
        blank = blank_rendition(rendition)
        for text, there in zip(texts, renditions, strict=True):
            if not text.isascii() or not text or there != (blank if text == " " else rendition):
                return None
        if end < self.width and self.texts[row][end] == "":
            return None
        return "".join(texts)

    # Rendition

    def select(self, rendition: Rendition) -> None:
        """Select a rendition."""
        if rendition != self.rendition:
            self.output.append(sgr(self.rendition, rendition, self.capabilities.attribute_off))
            self.rendition = rendition

    def select_for_erasing(self, rendition: Rendition) -> None:
        """Select a rendition with the background that erased cells are to have."""
        now = self.rendition
        if now is None or now.background != rendition.background or now.attributes & SEEN_ON_BLANKS:
            self.select(rendition)

    def can_erase(self, rendition: Rendition) -> bool:
        """Return whether erasing leaves blanks of this rendition on this terminal."""
        return not rendition.attributes and (
            rendition.background == DEFAULT_COLOUR or self.capabilities.background_erase
        )

    # Whole screen and whole lines

    def clear(self, rendition: Rendition) -> None:
        """Erase the screen to a background, from its first cell on."""
        self.select_for_erasing(rendition)
        self.move(0, 0)
        self.output.append("\x1b[J")
        blank = blank_rendition(rendition)
        self.texts = [[" "] * self.width for _ in range(self.height)]
        self.renditions = [[blank] * self.width for _ in range(self.height)]

    def shift_rows(self, first: int, last: int, distance: int) -> None:
        """Move rows `first + distance` to `last + distance` to rows `first` to `last`.

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
        blank_renditions: list[Renditions] = [[PLAIN] * self.width for _ in range(count)]
        span = slice(top, bottom + 1)
        texts, renditions = self.texts[span], self.renditions[span]
        if distance > 0:
            self.texts[span], self.renditions[span] = (
                texts[count:] + blank_texts,
                renditions[count:] + blank_renditions,
            )
        else:
            self.texts[span], self.renditions[span] = (
                blank_texts + texts[:-count],
                blank_renditions + renditions[:-count],
            )

    def _shift_by_lines(self, top: int, bottom: int, distance: int) -> None:
        count = abs(distance)
        number = "" if count == 1 else str(count)
        last = bottom - count + 1
        delete_at, insert_at = (top, last) if distance > 0 else (last, top)
        # At the bottom of the screen one of the two is enough: deleting pulls blank lines in from below, and
        # inserting pushes the last lines out.
        reaches_bottom = bottom == self.height - 1
        steps = []
        if distance > 0 or not reaches_bottom:
            steps.append((delete_at, "M"))
        if distance < 0 or not reaches_bottom:
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

        Args:
            row: Row, >= 0.
            column: First column, >= 0.
            count: Cells, not zero.
        """
        if count < 0:
            self.select_for_erasing(PLAIN)
        self.move(row, column)
        number = "" if abs(count) == 1 else str(abs(count))
        texts, renditions = self.texts[row], self.renditions[row]
        if count > 0:
            self.output.append(f"\x1b[{number}@")
            self.texts[row] = (texts[:column] + ["?"] * count + texts[column:])[: self.width]
            self.renditions[row] = (renditions[:column] + [UNKNOWN_RENDITION] * count + renditions[column:])[
                : self.width
            ]
        else:
            self.output.append(f"\x1b[{number}P")
            self.texts[row] = texts[:column] + texts[column - count :] + [" "] * -count
            self.renditions[row] = renditions[:column] + renditions[column - count :] + [PLAIN] * -count

    def paint_cell(self, row: int, column: int, text: str, rendition: Rendition) -> None:
        """Write one narrow character.

        Args:
            row: Row, >= 0.
            column: Column, >= 0.
            text: The character with its marks.
            rendition: Its rendition.
        """
        self.move_to_write(row, column, rendition)
        self.output.append(text)
        self.column = column + 1 if column + 1 < self.width else None
        texts, renditions = self.texts[row], self.renditions[row]
        self.texts[row] = [*texts[:column], text, *texts[column + 1 :]]
        self.renditions[row] = [*renditions[:column], rendition, *renditions[column + 1 :]]

    def paint_row(self, row: int, texts: Texts, renditions: Renditions) -> None:
        """Write the cells of a row that differ from those on the terminal.

        Args:
            row: Row, >= 0.
            texts: The wanted texts, one for each column.
            renditions: The wanted renditions.
        """
        spans = differing_spans(self.texts[row], self.renditions[row], texts, renditions)
        if not spans:
            return
        erase_from = self._erase_from(spans, texts, renditions)
        for start, end in spans:
            if erase_from is not None and end > erase_from:
                end = erase_from
            if start < end:
                self._write(row, start, end, texts, renditions)
        if erase_from is not None:
            self.select_for_erasing(renditions[erase_from])
            self.move(row, erase_from)
            self.output.append("\x1b[K")
        self.texts[row], self.renditions[row] = texts, renditions

    def _erase_from(self, spans: list[tuple[int, int]], texts: Texts, renditions: Renditions) -> int | None:
        """Return the column from which erasing to the end of the row is shorter than writing blanks."""
        rendition = renditions[-1]
        if texts[-1] != " " or not self.can_erase(rendition):
            return None
        tail = self.width
        while tail and texts[tail - 1] == " " and renditions[tail - 1] == rendition:
            tail -= 1
        first = next((max(start, tail) for start, end in spans if end > tail), None)
        if first is None or spans[-1][1] - first <= 3:
            return None
        return first

    def _write(self, row: int, start: int, end: int, texts: Texts, renditions: Renditions) -> None:
        """Write the cells `start` to `end` (exclusive), erasing long blanks where that is shorter."""
        column = start
        while column < end:
            if texts[column] == " ":
                stop = column + 1
                while stop < end and texts[stop] == " " and renditions[stop] == renditions[column]:
                    stop += 1
                if self._erase_blanks(row, column, stop, renditions[column], last=stop == end):
                    column = stop
                    continue
            else:
                stop = column + 1
                while stop < end and texts[stop] != " ":
                    stop += 1
            self.move_to_write(row, column, self._rendition_for(column, end, texts, renditions))
            self._put(column, stop, end, texts, renditions)
            column = stop
            self.column = stop if stop < self.width else None

    def _erase_blanks(self, row: int, start: int, end: int, rendition: Rendition, *, last: bool) -> bool:
        count = end - start
        cost = 3 + len(str(count))
        if not last:
            cost *= 2  # the cursor does not move along
        if not self.capabilities.erase_characters or count <= cost or not self.can_erase(rendition):
            return False
        self.select_for_erasing(rendition)
        self.move(row, start)
        self.output.append(f"\x1b[{count}X")
        return True

    def _put(self, start: int, stop: int, end: int, texts: Texts, renditions: Renditions) -> None:
        for column in range(start, stop):
            if texts[column]:
                self.select(self._rendition_for(column, end, texts, renditions))
                self.output.append(texts[column])

    def _rendition_for(self, column: int, end: int, texts: Texts, renditions: Renditions) -> Rendition:
        """Choose the rendition for a cell; a blank takes the current one if that looks the same."""
        if texts[column] != " ":
            return renditions[column]
        if self.rendition is not None and blank_rendition(self.rendition) == renditions[column]:
            return self.rendition
        return _rendition_ahead(column, end, texts, renditions)


def _rendition_ahead(column: int, end: int, texts: Texts, renditions: Renditions) -> Rendition:
    """Choose for a blank the rendition of the text after it, if that looks the same on a blank."""
    wanted = renditions[column]
    for ahead in range(column + 1, end):
        if texts[ahead] not in {" ", ""}:
            return renditions[ahead] if blank_rendition(renditions[ahead]) == wanted else wanted
        if renditions[ahead] != wanted:
            break
    return wanted


def differing_spans(
    old_texts: Texts, old_renditions: Renditions, texts: Texts, renditions: Renditions
) -> list[tuple[int, int]]:
    """Find the cells of a row that must be written.

    Both halves of a wide character belong together, in the old row as in the new: a terminal blanks the other
    half when one is written over.

    Args:
        old_texts: Texts on the terminal, one for each column.
        old_renditions: Renditions on the terminal.
        texts: The wanted texts.
        renditions: The wanted renditions.

    Returns:
        Ranges `(start, end)`, end exclusive, in order and not touching.
    """
    if old_texts == texts and old_renditions == renditions:
        return []
    differing = [
        column
        for column, (old_text, text) in enumerate(zip(old_texts, texts, strict=True))
        if old_text != text or old_renditions[column] != renditions[column]
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
