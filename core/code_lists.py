"""Lists of codes that people search by words: ICD-10 diagnoses and procedures.

A list is searched in memory: eighteen thousand titles are a few megabytes, and only there can
hits be ordered as a clinician expects (usual ones first) and misspellings be forgiven, on SQLite
and PostgreSQL alike. `State` holds a stamp that changes with the list, so that every process
notices an import.
"""

from __future__ import annotations

import csv
import hashlib
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import nsmallest
from importlib import resources
from itertools import islice, takewhile
from math import log
from operator import itemgetter
from pathlib import Path
from typing import Any

from peewee import EXCLUDED
from rapidfuzz import fuzz, process

from core.database import connection, transaction
from core.errors import ValidationError
from core.identifiers import new_id
from core.import_rows import read_sheets
from core.models import State, Table
from core.names import fold

BATCH = 500
NO_WORD = re.compile(r"[\W_]+")
LIKE_ENOUGH = 80
"""rapidfuzz ratio from which another word is taken for a misspelling of one in the list: one letter in five."""
TITLE_WORTH = 15
"""What a word in the title counts for beside `usual` (0 to 100), compared with one it is only called by."""
WORTH_SHOWING = 0.6
"""Where words are missing: entries that say so much of what the best one says."""
FILLERS = frozenset("dan di pada yang oleh karena atau dengan and of the in with by due to".split())


@dataclass(frozen=True)
class Code:
    """One entry of a list."""

    code: str
    title_id: str
    title_en: str
    words: str
    """Folded, each word between single spaces: the titles, and what else people call it."""
    usual: int
    is_local: bool = False

    @cached_property
    def title_words(self) -> str:
        """Folded like `words`, the titles alone."""
        return spaced(f"{self.title_id} {self.title_en}")

    def title(self, language: str) -> str:
        """In Indonesian, or in English where there is an English title."""
        return self.title_en if language == "en" and self.title_en else self.title_id


@dataclass
class CodeList:
    """A list as it is searched."""

    codes: Sequence[Code]
    """The most usual first."""
    by_code: dict[str, Code] = field(init=False)

    def __post_init__(self) -> None:
        self.by_code = {item.code: item for item in self.codes}

    @cached_property
    def _holders(self) -> dict[str, list[int]]:
        """Word -> places in `codes` whose words hold it."""
        found: dict[str, list[int]] = {}
        for place, item in enumerate(self.codes):
            for word in item.words.split():
                found.setdefault(word, []).append(place)
        return found

    @cached_property
    def _vocabulary(self) -> list[str]:
        return sorted(self._holders)

    @cached_property
    def _bare_codes(self) -> list[tuple[str, Code]]:
        return sorted(((_bare(item.code), item) for item in self.codes), key=itemgetter(0))

    def find(self, text: str, limit: int) -> list[Code]:
        """Entries by the beginning of a code, or by words in any order.

        A word stands for every word that begins with it. Where nothing fits, each word that is
        not in the list is replaced by its likest, and at last some words may be missing: then the
        rarer one says more (of `sakit pinggang` the second).

        Args:
            text: As typed; empty gives the most usual entries.
            limit: At most so many, >= 1.
        """
        words = [word for word in fold(text).split() if word not in FILLERS]
        if not words:
            return list(self.codes[:limit])
        start = _bare("".join(text.split()).upper())
        if any(character.isdigit() for character in start[:3]):
            by_code = self._by_code(start, limit)
            if by_code:
                return by_code
        found = self._with_all(words, limit)
        if not found:
            words = [self._likest(word) for word in words]
            found = self._with_all(words, limit) or self._with_most(words, limit)
        return found

    def _by_code(self, start: str, limit: int) -> list[Code]:
        first = bisect_left(self._bare_codes, start, key=itemgetter(0))
        begun = takewhile(lambda pair: pair[0].startswith(start), islice(self._bare_codes, first, None))
        found = nsmallest(limit, begun, key=lambda pair: (pair[0] != start, -pair[1].usual, pair[0]))
        return [item for _bare_code, item in found]

    def _places(self, start: str) -> set[int]:
        """Places of entries with a word that begins so."""
        first = bisect_left(self._vocabulary, start)
        places: set[int] = set()
        for word in self._vocabulary[first:]:
            if not word.startswith(start):
                break
            places.update(self._holders[word])
        return places

    def _with_all(self, words: Sequence[str], limit: int) -> list[Code]:
        places = set.intersection(*(self._places(word) for word in words))
        whole = [f" {word} " for word in words]

        def rank(item: Code) -> tuple[int, int, int, str]:
            exact = sum(word in item.words for word in whole)
            in_title = sum(word in item.title_words for word in whole)
            return -exact, -item.usual - TITLE_WORTH * in_title, len(item.title_id), item.code

        return nsmallest(limit, (self.codes[place] for place in places), key=rank)

    def _with_most(self, words: Sequence[str], limit: int) -> list[Code]:
        weights: defaultdict[int, float] = defaultdict(float)
        for word in words:
            places = self._places(word)
            for place in places:
                weights[place] += log(len(self.codes) / len(places))
        best = max(weights.values(), default=0.0)
        kept = [place for place, weight in weights.items() if weight >= best * WORTH_SHOWING]

        def rank(place: int) -> tuple[float, int, str]:
            return -weights[place], -self.codes[place].usual, self.codes[place].code

        return [self.codes[place] for place in nsmallest(limit, kept, key=rank)]

    def _likest(self, word: str) -> str:
        if self._places(word):
            return word
        close = process.extractOne(word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=LIKE_ENOUGH)
        return str(close[0]) if close else word


def spaced(text: str) -> str:
    """Its words folded, each once and between single spaces."""
    return f" {' '.join(dict.fromkeys(fold(text).split()))} "


def _bare(code: str) -> str:
    return code.replace(".", "")


@dataclass(frozen=True)
class Source:
    """Where a list is kept and what ships with Loket."""

    kind: str
    table: type[Table]
    file: str
    """In `core/data`: code, title_id, title_en, usual, and optionally words: what else people call it."""

    @property
    def state_key(self) -> str:
        """The row of `State` with the list's stamp."""
        return f"codes:{self.kind}"


_loaded: dict[str, tuple[str, CodeList]] = {}
"""Kind -> (stamp, list). Shared by all requests; replaced as a whole, never changed."""


def load(source: Source) -> CodeList:
    """The list as it is now; read again only after it has changed."""
    with connection():
        state = State.get_or_none(State.key == source.state_key)
        stamp = str(state.value["stamp"]) if state is not None else ""
        known = _loaded.get(source.kind)
        if known is not None and stamp and known[0] == stamp:
            return known[1]
        table: Any = source.table
        rows = table.select().order_by(table.usual.desc(), table.code)
        codes = [
            Code(
                row.code, row.title_id, row.title_en, f" {row.words} ", row.usual,
                bool(getattr(row, "is_local", False)),
            )
            for row in rows
        ]  # fmt: skip
    found = CodeList(codes)
    _loaded[source.kind] = (stamp, found)
    return found


def shipped(source: Source) -> list[dict[str, str]]:
    """The rows that ship with Loket."""
    text = resources.files("core.data").joinpath(source.file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def load_shipped(source: Source) -> None:
    """Bring in what ships with Loket and is not there yet; titles that a clinic imported stay."""
    rows = shipped(source)
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    state = State.get_or_none(State.key == source.state_key)
    facts = state.value if state is not None else {}
    if facts.get("shipped") == digest:
        return
    if facts.get("imported"):
        table: Any = source.table
        kept = {row.code: row for row in table.select(table.code, table.title_id, table.title_en)}
        rows = [
            {**row, "title_id": kept[row["code"]].title_id, "title_en": kept[row["code"]].title_en}
            if row["code"] in kept
            else row
            for row in rows
        ]
    with transaction():
        _store(source, rows)
        _stamp(source, {"shipped": digest})


def _stamp(source: Source, facts: Mapping[str, object]) -> None:
    state = State.get_or_none(State.key == source.state_key)
    value = {**(state.value if state is not None else {}), **facts, "stamp": new_id()}
    State.insert(key=source.state_key, value=value).on_conflict(
        conflict_target=[State.key], update={State.value: value}
    ).execute()


def read_file(path: Path, columns: Mapping[str, Sequence[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    """Read a list of codes from CSV or XLSX with a header row.

    Args:
        path: The file.
        columns: `code`, `title_id`, `title_en` -> headings they are known by, lower case, `_` between words.

    Yields:
        (line number, values by our column, trimmed); empty lines are left out.

    Raises:
        ValidationError: `file`: `unreadable`, or `columns`: none for the code or for a title.
    """
    try:
        lines = read_sheets(path.read_bytes())[0]
    except OSError:
        raise ValidationError({"file": "unreadable"}) from None
    cells = [["" if cell is None else str(cell).strip() for cell in line] for line in lines]
    headings = [NO_WORD.sub("_", heading.lower()).strip("_") for heading in cells[0]] if cells else []
    places = {
        ours: next((headings.index(name) for name in names if name in headings), None)
        for ours, names in columns.items()
    }
    if places["code"] is None or (places["title_id"] is None and places["title_en"] is None):
        raise ValidationError({"file": "columns"})
    for number, line in enumerate(cells[1:], start=2):
        if any(line):
            found = {
                ours: line[at] if at is not None and at < len(line) else "" for ours, at in places.items()
            }
            yield number, found


def store_imported(source: Source, rows: Sequence[Mapping[str, str]]) -> None:
    """Add a clinic's own entries, or give known ones its titles; the words that ship stay searchable.

    Args:
        source: Which list.
        rows: code, title_id, title_en, and optionally is_local; checked already.
    """
    with transaction():
        _store(source, rows)
        _stamp(source, {"imported": True})


def _store(source: Source, rows: Sequence[Mapping[str, str]]) -> None:
    table: Any = source.table
    ours = {row["code"]: row for row in shipped(source)}
    has_local = "is_local" in table._meta.fields
    values: list[dict[str, object]] = []
    for row in rows:
        own = ours.get(row["code"], {})
        titles = [row["title_id"], row.get("title_en", "")]
        said = [*titles, own.get("title_id", ""), own.get("title_en", ""), own.get("words", "")]
        values.append(
            {
                "code": row["code"],
                "title_id": titles[0][:200],
                "title_en": titles[1][:200],
                "words": spaced(" ".join(said)).strip(),
                "usual": int(own.get("usual") or 0),
                **({"is_local": (row.get("is_local") or own.get("is_local")) == "1"} if has_local else {}),
            }
        )
    renewed = [table.title_id, table.title_en, table.words, table.usual]
    for start in range(0, len(values), BATCH):
        table.insert_many(values[start : start + BATCH]).on_conflict(
            conflict_target=[table.code],
            update={column: getattr(EXCLUDED, column.name) for column in renewed},
        ).execute()
