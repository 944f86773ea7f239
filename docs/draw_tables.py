"""Draws the tables and the states of a queue entry as Mermaid diagrams, from the code.

    python -m docs.draw_tables > docs/reference/tables.md

A test compares the page with what this prints.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import peewee

from core import models
from core.queues.transitions import TRANSITIONS

AREAS = {
    "People": ("account", "account_key", "token", "draft"),
    "Patients": ("patient", "patient_version", "patient_key", "not_duplicate", "suspected_pair", "merge", "allergy"),
    "Visits and queues": (
        "visit", "registration", "appointment", "ticket", "ticket_counter", "queue_entry", "queue_event",
        "routing_example",
    ),
}  # fmt: skip
"""Heading -> tables drawn under it; the others follow under "Records, exchange and jobs"."""

REST = "Records, exchange and jobs"


def tables() -> dict[str, type[models.Table]]:
    """Return every table of a clinic by name."""
    found = {table._meta.table_name: table for table in models.Table.__subclasses__()}
    return {name: table for name, table in sorted(found.items()) if table.__module__ == models.__name__}


def diagram(drawn: dict[str, type[models.Table]]) -> Iterator[str]:
    """Yield the lines of one entity-relationship diagram."""
    yield "```mermaid"
    yield "erDiagram"
    for name, table in drawn.items():
        for field in table._meta.sorted_fields:
            if isinstance(field, peewee.ForeignKeyField):
                optional = "|o" if field.null else "||"
                yield f"    {field.rel_model._meta.table_name} {optional}--o{{ {name} : {field.name}"
        yield f"    {name} {{"
        for field in table._meta.sorted_fields:
            yield f"        {field.field_type} {field.column_name}"
        yield "    }"
    yield "```"


def states() -> Iterator[str]:
    """Yield the lines of the state diagram of a queue entry."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield "    [*] --> waiting : issue"
    for action, transition in TRANSITIONS.items():
        for source in sorted(transition.sources):
            if transition.target is not None:
                yield f"    {source.value} --> {transition.target.value} : {action.value}"
    yield "```"


def page() -> str:
    """Return the whole page."""
    known = tables()
    named = {name for names in AREAS.values() for name in names}
    areas = {**AREAS, REST: tuple(name for name in known if name not in named)}
    lines = ["# Tables and states", "", "Drawn from the code by `python -m docs.draw_tables`.", ""]
    for heading, names in areas.items():
        lines += [f"## {heading}", "", *diagram({name: known[name] for name in names if name in known}), ""]
    lines += ["## The states of a queue entry", "", *states(), ""]
    lines += [
        "An action without a target (priority, closing) leaves or ends the entry as its own rule says.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
