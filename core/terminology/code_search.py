"""Lists of codes searched by words: ICD-10 diagnoses and procedures.

A list is searched in memory: eighteen thousand titles are a few megabytes, and only in memory can
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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

from core.foundation.database import connection, transaction
from core.foundation.errors import ValidationError
from core.foundation.identifiers import new_id
from core.foundation.languages import DEFAULT_LANGUAGE, SOURCE_LANGUAGE, LocalizedText, in_language
from core.foundation.spreadsheets import read_content, read_sheets
from core.linkage.names import fold
from core.models import State, Table

BATCH = 500  # rows an INSERT
TITLE_LENGTH = 200  # characters that a title holds
NO_WORD = re.compile(r"[\W_]+")
LIKE_ENOUGH = 80
"""rapidfuzz ratio (0 to 100) from which a word counts as a misspelling of one in the list: one letter in five."""
TITLE_WORTH = 15
"""Points that a word of the title adds to `usual` (0 to 100), over a word that is only a synonym."""
WORTH_SHOWING = 0.6
"""Where words are missing: share of the best entry's weight from which another is shown."""
TITLE_COLUMNS = {language: f"title_{language}" for language in (DEFAULT_LANGUAGE, SOURCE_LANGUAGE)}
"""Language -> column of the tables that holds the titles in it; those of further languages stand in `other_titles`."""
TITLE_COLUMN = re.compile(r"title_([a-z]{2,3})")
"""Column of a file that holds the titles in a language: `title_` and its ISO 639 code."""
FILLERS = frozenset(
    "dan di pada yang oleh karena atau dengan kalau bila jika saat waktu sejak and of the in with by due to".split()
)
SAME_WORDS = tuple(
    frozenset(words.split())
    for words in (
        "sakit nyeri", "pendarahan perdarahan", "sesudah setelah pasca habis", "bengkak pembengkakan", "luka cedera",
        "gangguan kelainan", "kaku beku",
    )
)  # fmt: skip
"""Words of which patients say one and titles the other; each finds what the others name."""


PART_OF_WORD = 0.5
"""Share of a word's weight that an entry gets which only has a word beginning so."""
MENTIONING = ("Z11", "Z12", "Z13", "Z20", "Z23", "Z24", "Z25", "Z26", "Z27")
"""Codes of prevention and screening, which name an illness that the patient does not have."""
ASKING = frozenset(
    "imunisasi vaksin vaksinasi skrining screening cek tes kontak iva pap smear sadanis suntik".split()
)
ASIDE = 60
_BRACKETS = re.compile(r"[(),/]")


@dataclass(frozen=True)
class Code:
    """One entry of a list."""

    code: str
    titles: LocalizedText
    words: str
    """Folded, each word between single spaces: the titles and the synonyms."""
    usual: int
    is_local: bool = False

    @cached_property
    def title_words(self) -> str:
        """The words of the titles alone, folded like `words`."""
        return spaced(" ".join(self.titles.values()))

    @cached_property
    def names(self) -> frozenset[frozenset[str]]:
        """Every name the titles give, each as its words: before a bracket, and inside one."""
        parts = [part for title in self.titles.values() for part in _BRACKETS.split(title)]
        named = (
            frozenset(_plain(word) for word in fold(part).split() if word not in FILLERS) for part in parts
        )
        return frozenset(words for words in named if words)

    def title(self, language: str) -> str:
        """Return the title in a language, or in the default one where it is missing."""
        return in_language(self.titles, language)


Fits = Callable[[Code], bool]


@dataclass
class CodeList:
    """A list of codes in memory, with the indexes that the search needs."""

    codes: Sequence[Code]
    """The most usual first."""
    by_code: dict[str, Code] = field(init=False)

    def __post_init__(self) -> None:
        self.by_code = {item.code: item for item in self.codes}

    @cached_property
    def _holders(self) -> dict[str, list[int]]:
        """Word -> places in `codes` of the entries that have it."""
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

    def find(self, text: str, limit: int, fits: Fits | None = None) -> list[Code]:
        """Return entries by the beginning of a code, or by words in any order.

        A word matches every word that begins with it. Where nothing matches, each word that is not
        in the list is replaced by the most similar one, and at last some words may be missing: then
        the rarer one weighs more (of `sakit pinggang` the second).

        Args:
            text: As typed; empty returns the most usual entries.
            limit: Most entries returned, >= 1.
            fits: Whether an entry can be meant; others are found by their code alone.
        """
        return self.find_with_doubt(text, limit, fits)[0]

    def find_with_doubt(self, text: str, limit: int, fits: Fits | None = None) -> tuple[list[Code], bool]:
        """Return entries as `find` does, and whether they are a guess: a word was replaced, or is missing.

        Args:
            text: As typed.
            limit: Most entries returned, >= 1.
            fits: Whether an entry can be meant.
        """
        words = [word for word in fold(text).split() if word not in FILLERS]
        if not words:
            return [item for item in self.codes if fits is None or fits(item)][:limit], False
        found = self._by_code(_bare("".join(text.split()).upper()), limit)
        found = found or self._with_all(words, limit, fits)
        if found:
            return found, False
        words = [self._most_similar(word) for word in words]
        return self._with_all(words, limit, fits) or self._with_most(words, limit, fits), True

    def _by_code(self, start: str, limit: int) -> list[Code]:
        """Return the entries whose code begins so; none for a text without a digit in its first three letters."""
        if not any(character.isdigit() for character in start[:3]):
            return []
        first = bisect_left(self._bare_codes, start, key=itemgetter(0))
        begun = takewhile(lambda pair: pair[0].startswith(start), islice(self._bare_codes, first, None))
        found = nsmallest(limit, begun, key=lambda pair: (pair[0] != start, -pair[1].usual, pair[0]))
        return [item for _bare_code, item in found]

    def _places_of_word(self, word: str) -> set[int]:
        """Return the places of entries with a word that begins so, or with one that says the same."""
        return set().union(self._places(word), *(self._holders.get(other, ()) for other in _said_as(word)))

    def _places(self, start: str) -> set[int]:
        """Return the places of entries with a word that begins so."""
        first = bisect_left(self._vocabulary, start)
        places: set[int] = set()
        for word in self._vocabulary[first:]:
            if not word.startswith(start):
                break
            places.update(self._holders[word])
        return places

    def _with_all(self, words: Sequence[str], limit: int, fits: Fits | None) -> list[Code]:
        """Return the entries that match every word, the best first."""
        places = set.intersection(*(self._places_of_word(word) for word in words))
        whole = [[f" {one} " for one in (word, *_said_as(word))] for word in words]
        meant = frozenset(map(_plain, words))

        def rank(item: Code) -> tuple[bool, int, int, int, str]:
            exact = sum(any(one in item.words for one in same) for same in whole)
            in_title = sum(any(one in item.title_words for one in same) for same in whole)
            title = item.titles[DEFAULT_LANGUAGE]
            return (
                meant not in item.names,
                -exact,
                -item.usual + _aside(item, words) - TITLE_WORTH * in_title,
                len(title),
                item.code,
            )

        found = (self.codes[place] for place in places)
        return nsmallest(limit, (item for item in found if fits is None or fits(item)), key=rank)

    def _with_most(self, words: Sequence[str], limit: int, fits: Fits | None) -> list[Code]:
        """Return the entries that match the words of most weight; a rare word weighs more than a common one."""
        weights: defaultdict[int, float] = defaultdict(float)
        for word in words:
            places = self._places_of_word(word)
            whole = set().union(*(self._holders.get(one, ()) for one in (word, *_said_as(word))))
            for place in places:
                if fits is None or fits(self.codes[place]):
                    weight = log(len(self.codes) / len(places))
                    weights[place] += weight if place in whole else weight * PART_OF_WORD
        best = max(weights.values(), default=0.0)
        kept = [place for place, weight in weights.items() if weight >= best * WORTH_SHOWING]

        def rank(place: int) -> tuple[float, int, str]:
            return -weights[place], -self.codes[place].usual, self.codes[place].code

        return [self.codes[place] for place in nsmallest(limit, kept, key=rank)]

    def _most_similar(self, word: str) -> str:
        if self._places(word):
            return word
        close = process.extractOne(word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=LIKE_ENOUGH)
        return str(close[0]) if close else word


def _plain(word: str) -> str:
    """Return one word for all that say the same."""
    return next((min(group) for group in SAME_WORDS if word in group), word)


def _said_as(word: str) -> list[str]:
    """Return the other words that say the same."""
    return [other for group in SAME_WORDS if word in group for other in sorted(group - {word})]


def _aside(item: Code, words: Sequence[str]) -> int:
    """Return the points by which an entry goes back that only mentions the illness: to prevent or to look for it."""
    mentions = item.code.startswith(MENTIONING)
    return ASIDE if mentions and not ASKING.intersection(words) else 0


def spaced(text: str) -> str:
    """Return the words of the text folded, each once and between single spaces."""
    return f" {' '.join(dict.fromkeys(fold(text).split()))} "


def _bare(code: str) -> str:
    return code.replace(".", "")


@dataclass(frozen=True)
class Source:
    """A list's table and the file that ships with Loket."""

    kind: str
    table: type[Table]
    file: str
    """In `core/data`: code, a title a language, usual, and optionally words (synonyms)."""

    @property
    def state_key(self) -> str:
        """The row of `State` with the list's stamp."""
        return f"codes:{self.kind}"


_loaded: dict[str, tuple[str, CodeList]] = {}
"""Kind -> (stamp, list). Shared by all requests; replaced as a whole, never changed."""


def load(source: Source) -> CodeList:
    """Return the list as it is now; it is read again only after it has changed."""
    with connection():
        state = State.get_or_none(State.key == source.state_key)
        stamp = str(state.value["stamp"]) if state is not None else ""
        known = _loaded.get(source.kind)
        if known is not None and stamp and known[0] == stamp:
            return known[1]
        table: Any = source.table
        rows = table.select().order_by(table.usual.desc(), table.code).dicts()
        codes = [
            Code(row["code"], titles_of(row), f" {row['words']} ", row["usual"], bool(row.get("is_local")))
            for row in rows
        ]
    found = CodeList(codes)
    _loaded[source.kind] = (stamp, found)
    return found


def titles_of(row: Mapping[str, Any]) -> LocalizedText:
    """Return the titles of a row of a list's table or file; that of a column of the table may be empty."""
    titles: dict[str, str] = dict.fromkeys(TITLE_COLUMNS, "") | (row.get("other_titles") or {})
    for column, text in row.items():
        named = TITLE_COLUMN.fullmatch(column)
        if named and text:
            titles[named[1]] = text
    return titles


def _file_columns(titles: LocalizedText) -> dict[str, str]:
    """Return titles as the columns of a file."""
    return {f"title_{language}": title for language, title in titles.items()}


def _table_columns(titles: LocalizedText) -> dict[str, object]:
    """Return titles as the columns of a table."""
    kept = {language: title[:TITLE_LENGTH] for language, title in titles.items() if title}
    own = {column: kept.pop(language, "") for language, column in TITLE_COLUMNS.items()}
    return {**own, "other_titles": kept}


def shipped(source: Source) -> list[dict[str, str]]:
    """Return the rows that ship with Loket."""
    text = resources.files("core.data").joinpath(source.file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def load_shipped(source: Source) -> None:
    """Store the entries that ship with Loket and are not there yet; titles that a clinic imported stay."""
    rows = shipped(source)
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    state = State.get_or_none(State.key == source.state_key)
    facts = state.value if state is not None else {}
    if facts.get("shipped") == digest:
        return
    if facts.get("imported"):
        table: Any = source.table
        kept = {row["code"]: _file_columns(titles_of(row)) for row in table.select().dicts()}
        rows = [{**row, **kept.get(row["code"], {})} for row in rows]
    with transaction():
        _store(source, rows)
        _stamp(source, {"shipped": digest})


def _stamp(source: Source, facts: Mapping[str, object]) -> None:
    state = State.get_or_none(State.key == source.state_key)
    value = {**(state.value if state is not None else {}), **facts, "stamp": new_id()}
    State.insert(key=source.state_key, value=value).on_conflict(
        conflict_target=[State.key], update={State.value: value}
    ).execute()


def read_file(
    path: Path, columns: Mapping[str, Sequence[str]], is_code: Callable[[str], bool] | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read a list of codes from CSV or XLSX with a header row.

    Args:
        path: The file.
        columns: Our column (`code`, and the `TITLE_COLUMNS`) -> headings it is known by, lower case,
            `_` between words. Titles of a further language are known by `title_` and its code.
        is_code: Whether a cell holds a code: finds the columns of a list without a header row; None: it must have one.

    Yields:
        (line number, values by our column, trimmed); empty lines are left out.

    Raises:
        ValidationError: `file`: `unreadable`, or `columns`: none for the code or for a title.
    """
    lines = read_sheets(read_content(path))[0]
    cells = [_texts(line) for line in lines]
    first = cells[0] if cells else []
    has_header = is_code is None or not any(is_code(cell) for cell in first)
    places = _column_places(first, columns) if has_header else _places_by_content(first, columns, is_code)
    for number, line in enumerate(cells[has_header:], start=1 + has_header):
        if any(line):
            yield number, {ours: _cell(line, place) for ours, place in places.items()}


def _texts(line: Iterable[object]) -> list[str]:
    return ["" if cell is None else str(cell).strip() for cell in line]


def _column_places(header: Sequence[str], columns: Mapping[str, Sequence[str]]) -> dict[str, int | None]:
    """Return our column -> its place in the header; None where the file lacks it.

    Raises:
        ValidationError: `file`: `columns`: none for the code or for a title.
    """
    headings = [NO_WORD.sub("_", heading.lower()).strip("_") for heading in header]
    places = {
        ours: next((headings.index(name) for name in names if name in headings), None)
        for ours, names in columns.items()
    }
    titled = {heading: place for place, heading in enumerate(headings) if TITLE_COLUMN.fullmatch(heading)}
    places |= {heading: titled[heading] for heading in sorted(titled.keys() - places.keys())}
    found = {ours for ours, place in places.items() if place is not None}
    if "code" not in found or not any(map(TITLE_COLUMN.fullmatch, found)):
        raise ValidationError({"file": "columns"})
    return places


def _places_by_content(
    line: Sequence[str], columns: Mapping[str, Sequence[str]], is_code: Callable[[str], bool] | None
) -> dict[str, int | None]:
    """Return our column -> its place, where the first line is an entry: the code, and the text after it as a title.

    Raises:
        ValidationError: `file`: `columns`: no text stands beside the code.
    """
    codes = [place for place, cell in enumerate(line) if is_code is not None and is_code(cell)]
    titles = [
        place for place, cell in enumerate(line) if place not in codes and re.search(r"[^\W\d_]{3}", cell)
    ]
    if not codes or not titles:
        raise ValidationError({"file": "columns"})
    return {**dict.fromkeys(columns), "code": codes[0], TITLE_COLUMNS[SOURCE_LANGUAGE]: titles[0]}


def imported_titles(row: Mapping[str, str]) -> dict[str, str]:
    """Return the titles of a row that was read; the default language's is taken from another where it is missing."""
    titles = {column: text.strip() for column, text in row.items() if TITLE_COLUMN.fullmatch(column)}
    any_title = next((title for title in titles.values() if title), "")
    own = TITLE_COLUMNS[DEFAULT_LANGUAGE]
    return {**titles, own: titles[own] or any_title}


def _cell(line: Sequence[str], place: int | None) -> str:
    return line[place] if place is not None and place < len(line) else ""


def store_imported(source: Source, rows: Sequence[Mapping[str, str]]) -> None:
    """Add a clinic's own entries, or give known ones its titles; the synonyms that ship stay searchable.

    Args:
        source: The list.
        rows: code, the titles' columns, and optionally is_local; checked already.
    """
    with transaction():
        _store(source, rows)
        _stamp(source, {"imported": True})


def _store(source: Source, rows: Sequence[Mapping[str, str]]) -> None:
    table: Any = source.table
    ours = {row["code"]: row for row in shipped(source)}
    has_local = "is_local" in table._meta.fields
    values = [_values(row, ours.get(row["code"], {}), has_local) for row in rows]
    titles = [getattr(table, column) for column in (*TITLE_COLUMNS.values(), "other_titles")]
    renewed = [table.words, table.usual, *titles]
    for start in range(0, len(values), BATCH):
        table.insert_many(values[start : start + BATCH]).on_conflict(
            conflict_target=[table.code],
            update={column: getattr(EXCLUDED, column.name) for column in renewed},
        ).execute()


def _of_further_languages(titles: LocalizedText) -> LocalizedText:
    """Return the titles that a clinic's own list seldom has, and that stay where it has none."""
    return {language: title for language, title in titles.items() if language not in TITLE_COLUMNS}


def _values(row: Mapping[str, str], ours: Mapping[str, str], has_local: bool) -> dict[str, object]:
    """Return the columns of one entry.

    Args:
        row: The entry to store.
        ours: The entry of the same code that ships; empty where there is none.
        has_local: The table has the column `is_local`.
    """
    shipped_titles = titles_of(ours)
    titles = {**_of_further_languages(shipped_titles), **titles_of(row)}
    searched = [*titles.values(), *shipped_titles.values(), ours.get("words", "")]
    values: dict[str, object] = {
        "code": row["code"],
        **_table_columns(titles),
        "words": spaced(" ".join(searched)).strip(),
        "usual": int(ours.get("usual") or 0),
    }
    if has_local:
        values["is_local"] = (row.get("is_local") or ours.get("is_local")) == "1"
    return values
