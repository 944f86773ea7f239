"""The list of reports: name, titles, and the function that builds each.

It imports no report and no table, so that the terminal and the command's help can list the
reports without loading the database.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.foundation.languages import LocalizedText, data_table


@dataclass(frozen=True)
class Report:
    """One report that Loket can make."""

    name: str
    """Stable name in addresses, file names and the `loket report` command."""
    titles: LocalizedText
    """As chosen from a list."""
    builder: str
    """`module:function` of the function `(clinic, day) -> ReportTable`."""
    has_names: bool = False
    """True if it names patients."""
    clinical: tuple[str, ...] = ()
    """Columns with clinical text about those it names."""


REPORTS = {
    name: Report(
        name, row["title"], row["builder"], row.get("has_names", False), tuple(row.get("clinical", ()))
    )
    for name, row in data_table("reports.toml").items()
}
"""Name -> report, in the order in which they are offered: the rows of `core/data/reports.toml`."""
