"""Sentences of `loket move-database`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from core.daily.moving import Moved
from server.text.translation import N_, _

DOING = {"copy": N_("{table}: {done} of {total} rows copied"), "compare": N_("{table}: {done} of {total} rows compared")}  # fmt: skip


class Told:
    """Writes how far a move is: a line that changes on a terminal, one for each table elsewhere."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_terminal = out.isatty()

    def __call__(self, doing: str, table: str, done: int, total: int) -> None:
        """Tell of one step."""
        words = _(DOING[doing]).format(table=table, done=done, total=total)
        if self._is_terminal:
            self._out.write(f"\r{words[:78]:78}" + ("\n" if done >= total else ""))
        elif done >= total:
            self._out.write(f"{words}\n")
        self._out.flush()


def moved(outcome: Moved, target: str) -> Iterator[str]:
    """Yield the outcome, and what is left to do."""
    if outcome.resumed:
        yield _("Went on with a move that had been cut off.")
    for table in outcome.copied_again:
        yield _("{table} changed meanwhile and was copied again.").format(table=table)
    yield _("{tables} tables with {rows} rows are equal in both databases.").format(
        tables=len(outcome.rows), rows=sum(outcome.rows.values())
    )
    yield _(
        "Set LOKET_DATABASE_URL={target} in .env, then start the server. The database before stays as it is."
    ).format(target=target)
