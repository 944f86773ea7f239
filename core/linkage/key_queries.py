"""Queries for patients by search keys and by indexed columns, in SQL written by hand.

Hundreds of probes are made while a clerk types, and building them with Peewee costs more than running them.
No text of a user is part of a statement: kinds, columns and limits are constants, all else is a parameter.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from peewee import OP, SQL, Expression

from core.foundation.database import database, is_sqlite

_LISTED = "(SELECT value FROM json_each(?))"


class KeyQuery(NamedTuple):
    """SQL that selects ids of patients by a range or a list of values of one index."""

    sql: str
    parameters: list[Any]
    limit: int
    """Highest number of ids."""


def keyed(kind: str, values: Sequence[str], limit: int) -> KeyQuery:
    """Return the query for patients with one of these keys.

    Args:
        kind: The kind of key.
        values: The keys looked for.
        limit: At most so many patients.
    """
    sql, parameter = one_of("value", values)
    return KeyQuery(f"SELECT patient_id FROM patient_key WHERE kind = '{kind}' AND {sql}", [parameter], limit)  # noqa: S608


def between(kind: str, first: str, last: str, limit: int, *, whole: bool = False) -> KeyQuery:
    """Return the query for patients with a key in a range.

    Args:
        kind: Kind of the key.
        first: Lowest value.
        last: Highest value, included.
        limit: Highest number of ids.
        whole: Select none where there are more than the limit.
    """
    mark = "?" if is_sqlite() else "%s"
    those = f"FROM patient_key WHERE kind = '{kind}' AND value BETWEEN {mark} AND {mark}"
    parameters = [first, last]
    if whole:
        # Counted and read only so far: a frequent value has tens of thousands.
        first_few = f"(SELECT patient_id {those} LIMIT {limit + 1})"
        few = f"(SELECT COUNT(*) FROM {first_few} AS counted) <= {limit}"  # noqa: S608
        return KeyQuery(f"SELECT patient_id FROM {first_few} AS first_few WHERE {few}", parameters * 2, limit)  # noqa: S608
    return KeyQuery(f"SELECT patient_id {those}", parameters, limit)


def in_column(column: str, values: Sequence[str], limit: int) -> KeyQuery:
    """Return the query for active patients by a column; the indexes of NIK and BPJS number hold no others.

    Args:
        column: The column of the patient.
        values: The keys looked for.
        limit: At most so many patients.
    """
    sql, parameter = one_of(column, values)
    return KeyQuery(f"SELECT id FROM patient WHERE {sql} AND voided_at IS NULL", [parameter], limit)  # noqa: S608


def one_of(column: str, values: Sequence[str]) -> tuple[str, Any]:
    """Return the condition `column IN values` as SQL, and all values as one parameter."""
    if is_sqlite():
        return f"{column} IN {_LISTED}", json.dumps(list(values))
    return f"{column} = ANY(%s)", list(values)


def among(column: Any, values: Sequence[str]) -> Any:
    """Return the condition `column IN values` for Peewee, with all values as one parameter."""
    if is_sqlite():
        return column.in_(SQL(_LISTED, [json.dumps(list(values))]))
    return Expression(column, OP.EQ, SQL("ANY(%s)", [list(values)]))


def united(probes: Sequence[KeyQuery], joined: str = "UNION ALL") -> tuple[str, list[Any]]:
    """Return all queries as one statement, in their order, and its parameters."""
    blocks = [
        f"SELECT * FROM ({probe.sql} LIMIT {probe.limit}) AS block{number}"  # noqa: S608
        for number, probe in enumerate(probes)
    ]
    return f" {joined} ".join(blocks), [value for probe in probes for value in probe.parameters]


def patient_ids(probes: Sequence[KeyQuery], enough: int | None = None) -> dict[str, None]:
    """Return the ids that the queries select, each once, in their order; at most `enough`."""
    found: dict[str, None] = {}
    if probes:
        for row in database.execute_sql(*united(probes)):
            found[row[0]] = None
            if len(found) == enough:
                break
    return found


def add_keys(keys: Sequence[tuple[str, str, str]]) -> None:
    """Store search keys: (kind, value, patient id)."""
    if not keys:
        return
    parameters: list[Any]
    if is_sqlite():
        rows = (
            "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')"
            " FROM json_each(?)"
        )
        parameters = [json.dumps(keys)]
    else:
        rows = "SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])"
        parameters = [list(column) for column in zip(*keys, strict=True)]
    database.execute_sql(f"INSERT INTO patient_key (kind, value, patient_id) {rows}", parameters)


def active_rows(ids: Sequence[str], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return columns of the active ones of these patients."""
    if not ids:
        return []
    sql, parameter = one_of("id", ids)
    rows: list[tuple[Any, ...]] = database.execute_sql(
        f"SELECT {', '.join(columns)} FROM patient WHERE {sql} AND voided_at IS NULL",  # noqa: S608
        [parameter],
    ).fetchall()
    return rows
