"""Statements whose SQL is built once and kept: the ones that every save, call and pane runs.

Peewee builds the text of a query anew each time, which costs more than running it. A `Statement` is an
ordinary query of Peewee's in which `given(name)` stands for each value that changes from run to run. Its
text and the conversions of its values are kept per kind of database; only values are filled in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import peewee

from core.foundation.database import DayField, InstantField, database, is_sqlite

Convert = Callable[[Any], Any]
TableT = TypeVar("TableT", bound=peewee.Model)

PLAIN_FIELDS = frozenset(
    {peewee.CharField, peewee.TextField, peewee.IntegerField, peewee.BigIntegerField, peewee.AutoField}
)
"""Columns whose stored values are what rows show."""


class Given(peewee.Node):
    """The place of a value in a statement."""

    def __init__(self, name: str, convert: Convert | None = None) -> None:
        self.name = name
        self.convert = convert
        """Turns the value into what is stored; None: as the column does with which it is compared."""

    def __sql__(self, ctx: Any) -> Any:  # Peewee's own protocol
        """Write the place, and note whose value belongs there."""
        ctx._values.append(Given(self.name, self.convert or ctx.state.converter))
        return ctx.literal(ctx.state.param or "?")


def given(name: str) -> Any:
    """Return the place of a value in a statement.

    In a comparison with a column the value is stored as the column stores its own.
    """
    return Given(name)


def given_for(field: Any, name: str) -> Any:
    """Return the place of a value that is written into a column, or compared with a converted one.

    Args:
        field: The column.
        name: The value's name.
    """
    return Given(name, field.db_value)


def among(column: Any, name: str) -> Any:
    """Return the condition that a column is one of several values, given as one: the text stays the same.

    Args:
        column: The column.
        name: Name of the values, a list of texts.
    """
    if is_sqlite():
        listed = peewee.NodeList(
            (peewee.SQL("(SELECT value FROM json_each("), Given(name, json.dumps), peewee.SQL("))")), glue=""
        )
        return peewee.Expression(column, peewee.OP.IN, listed)
    array = peewee.NodeList((peewee.SQL("ANY("), Given(name, list), peewee.SQL(")")), glue="")
    return peewee.Expression(column, peewee.OP.EQ, array)


@dataclass(frozen=True)
class _Compiled:
    """A statement for one kind of database."""

    sql: str
    parameters: tuple[Any, ...]
    """In their order, with those that are always the same."""
    places: tuple[tuple[int, str, Convert | None, type | None], ...]
    """Number, name and conversion of each parameter whose value is given; type of a value that needs no conversion."""
    readers: tuple[tuple[int, Convert], ...]
    """Column number -> how its stored value is read, for those that are not read as they are."""


class Statement:
    """A query that is built at its first run.

    Args of the constructor:
        build: Gives the query: one of Peewee's, or SQL in which `:name` stands for each value, stored as it is
            given. It is asked once a kind of database.
    """

    def __init__(self, build: Callable[[], Any]) -> None:
        self._build = build
        self._compiled: dict[bool, _Compiled] = {}

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run it with these values; return its rows, each column as its field reads it."""
        compiled = self._for_database()
        found: list[tuple[Any, ...]] = _execute(compiled, values).fetchall()
        if not compiled.readers or not found:
            return found
        return [_read(row, compiled.readers) for row in found]

    def first(self, **values: Any) -> tuple[Any, ...] | None:
        """Run it with these values; return the first row, None when there is none."""
        rows = self.rows(**values)
        return rows[0] if rows else None

    def value(self, **values: Any) -> Any:
        """Run it with these values; return the first column of the first row, None when there is none."""
        row = self.first(**values)
        return row[0] if row else None

    def change(self, **values: Any) -> int:
        """Run it with these values; return how many rows it has changed."""
        return int(database.rows_affected(_execute(self._for_database(), values)))

    def _for_database(self) -> _Compiled:
        kind = is_sqlite()
        if (known := self._compiled.get(kind)) is None:
            known = self._compiled[kind] = _compile(self._build())
        return known


_PLACE = re.compile(r":(\w+)")


def _compile(query: Any) -> _Compiled:
    if isinstance(query, str):
        mark = "?" if is_sqlite() else "%s"
        return _compiled(_PLACE.sub(mark, query), [Given(name) for name in _PLACE.findall(query)], ())
    sql, parameters = database.get_sql_context().sql(query).query()
    columns = getattr(query, "_returning", None) or ()
    readers = ((number, _reader(column)) for number, column in enumerate(columns))
    return _compiled(sql, parameters, tuple((number, read) for number, read in readers if read is not None))


def _compiled(sql: str, parameters: Sequence[Any], readers: tuple[tuple[int, Convert], ...]) -> _Compiled:
    places = [
        (number, parameter.name, parameter.convert, _bare_type(parameter.convert))
        for number, parameter in enumerate(parameters)
        if isinstance(parameter, Given)
    ]
    return _Compiled(sql, tuple(parameters), tuple(places), readers)


def _reader(column: Any) -> Convert | None:
    """Return how a column's stored value is read; None where it is read as it is."""
    field = getattr(column, "field", column)  # an alias stands for the field of its table
    while isinstance(field, peewee.ForeignKeyField):
        field = field.rel_field
    if not isinstance(field, peewee.Field) or type(field) in PLAIN_FIELDS:
        return None
    read: Convert = field.python_value
    return read


def _read(row: Sequence[Any], readers: Sequence[tuple[int, Convert]]) -> tuple[Any, ...]:
    cells = list(row)
    for number, read in readers:
        if cells[number] is not None:
            cells[number] = read(cells[number])
    return tuple(cells)


def _execute(compiled: _Compiled, values: Mapping[str, Any]) -> Any:
    filled = list(compiled.parameters)
    for number, name, convert, bare in compiled.places:
        value = values[name]
        is_stored = value is None or type(value) is bare
        filled[number] = value if is_stored or convert is None else convert(value)
    return database.execute_sql(compiled.sql, filled)


def _bare_type(convert: Convert | None) -> type | None:
    """Return the type of values that a column stores as they are: a text in a column of texts, most often."""
    field = getattr(convert, "__self__", None)
    while isinstance(field, peewee.ForeignKeyField):
        field = field.rel_field
    if isinstance(field, (InstantField, DayField)) or type(field) in {peewee.CharField, peewee.TextField}:
        return str
    return int if type(field) in {peewee.IntegerField, peewee.AutoField} else None


@lru_cache(maxsize=256)
def _inserting(table: type[peewee.Model], names: tuple[str, ...]) -> Statement:
    """Return the statement that stores one row with these columns."""

    def build() -> Any:
        fields = [table._meta.fields[name] for name in names]
        query = table.insert({field: given_for(field, field.name) for field in fields})
        return query.returning(table._meta.primary_key) if _is_numbered(table) else query

    return Statement(build)


def _is_numbered(table: type[peewee.Model]) -> bool:
    """Return whether the database numbers the rows of a table."""
    return isinstance(table._meta.primary_key, peewee.AutoField)


def create(table: type[TableT], **values: Any) -> TableT:
    """Store a row, as `table.create` does; return it.

    Args:
        table: Its table.
        values: Its columns; those left out have their defaults.
    """
    row: Any = table(__no_default__=True)
    data = row.__data__ = table._meta.get_default_dict()
    for name, value in values.items():
        if isinstance(value, peewee.Model):
            row.__rel__[name] = value
            data[name] = _key_of(value)
        else:
            data[name] = value
    stored = _inserting(table, tuple(data)).rows(**data)
    if stored:
        row._pk = stored[0][0]
        row._dirty.clear()
    stored_row: TableT = row
    return stored_row


def _key_of(row: Any) -> Any:
    return row._pk


@lru_cache(maxsize=64)
def _finding(table: type[peewee.Model]) -> Statement:
    """Return the statement that reads one whole row by its key."""
    return Statement(lambda: table.select().where(table._meta.primary_key == given("key")))


def find(table: type[TableT], key: Any) -> TableT | None:
    """Return the row of a table with this key; None when it is not there."""
    row = _finding(table).first(key=key)
    return None if row is None else as_row(table, table._meta.sorted_field_names, row)


@lru_cache(maxsize=64)
def _finding_each(table: type[peewee.Model]) -> Statement:
    """Return the statement that reads several whole rows by their keys."""
    return Statement(lambda: table.select().where(among(table._meta.primary_key, "keys")))


def find_each(table: type[TableT], keys: Sequence[str]) -> list[TableT]:
    """Return the rows of a table with these keys, in no order; those that are not there are left out."""
    names = table._meta.sorted_field_names
    return [as_row(table, names, row) for row in _finding_each(table).rows(keys=keys)]


def as_row(table: type[TableT], names: Sequence[str], cells: Sequence[Any]) -> TableT:
    """Return a row of a table as it was read.

    Args:
        table: The table.
        names: Its columns that were read.
        cells: Their values.
    """
    row = table(__no_default__=True)
    row.__data__ = dict(zip(names, cells, strict=True))
    return row
