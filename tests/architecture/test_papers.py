"""Pages that the code relies on: sources that resolve, drawings that are current, decisions in one form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import draw_tables

ROOT = Path(__file__).parents[2]

PAGE = re.compile(r"(?<![\w/.-])((?:[\w-]+/)*[\w-]+\.md)(?: (\d+(?:\.\d+)*[A-Z]?|[A-Z])(?![\w-]))?")
"""A cited page and, where one follows, its section: `docs/reference/indonesia.md 5.4`."""

NAMED = re.compile(r"`((?:core|server|tui|tests|bench|docs|deploy)/[\w./-]+)`")
"""A file or folder of the repository, named by its whole path."""
PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def cited() -> Iterator[tuple[str, str, str]]:
    """Yield (citing file, page, section) of every citation in code and data."""
    for folder in ("core", "server", "tui"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in {".py", ".toml"} and "migrations/0" not in str(file):
                for page, section in PAGE.findall(file.read_text(encoding="utf-8")):
                    yield str(file.relative_to(ROOT)), page, section


CITED = sorted(set(cited()))


def resolved(citing: str, page: str) -> Path | None:
    """Return the cited file, looked for at the root and beside the file that cites it."""
    places = (ROOT / page, (ROOT / citing).parent / page)
    return next((place for place in places if place.exists()), None)


@pytest.mark.parametrize(("citing", "page", "section"), CITED, ids=[" ".join(entry) for entry in CITED])
def test_a_cited_page_and_its_section_are_in_the_repository(citing: str, page: str, section: str) -> None:
    found = resolved(citing, page)
    assert found is not None, f"{citing} cites {page}, which is not in the repository"
    if section:
        headings = re.findall(
            r"^#+ ([0-9A-Z][0-9.A-Z]*)[. ]", found.read_text(encoding="utf-8"), re.MULTILINE
        )
        assert section in {heading.rstrip(".") for heading in headings}, f"{page} has no section {section}"


def test_there_are_citations_to_resolve() -> None:
    assert len(CITED) > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_drawn_page_of_tables_is_current() -> None:
    drawn = (ROOT / "docs/reference/tables.md").read_text(encoding="utf-8")
    assert drawn == draw_tables.page(), "run: python -m docs.draw_tables > docs/reference/tables.md"


@pytest.mark.parametrize("file", sorted((ROOT / "docs/adr").glob("0*.md")), ids=lambda file: file.name)
def test_decisions_have_one_form(file: Path) -> None:
    parts = re.findall(r"^\*\*(\w+)\.\*\*", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences"]


def test_the_licence_that_is_declared_is_there() -> None:
    assert "AFFERO" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert 'license = "AGPL-3.0-or-later"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
