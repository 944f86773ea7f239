"""`loket import medicines`: a preview, a question, and what could not be read, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.core.orders.test_kfa import HEADER, ROWS
from tests.server.test_command import Command, loket  # noqa: F401  (a fixture)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "kfa.csv"
    file.write_text("\n".join((HEADER, *ROWS)) + "\n", encoding="utf-8")
    return file


def test_the_preview_asks_before_anything_is_stored(loket: Command, table: Path) -> None:  # noqa: F811
    code, said, _ = loket("import", "medicines", table, typed="n\n")
    assert code == 0
    assert "10 rows read: 5 are medicines known here, 1 are others, 1 ended by KFA." in said
    assert "7: Ibuprofenum forte compositum 200 mg Tablet" in said
    assert "Nothing was stored." in said
    code, said, _ = loket("import", "medicines", table, typed="y\n", language="id")
    assert "Tersimpan." in said


def test_a_script_gets_json(loket: Command, table: Path) -> None:  # noqa: F811
    code, said, _ = loket("import", "medicines", table, "--dry-run", "--json")
    assert (code, json.loads(said)["stored"]) == (0, False)
    code, said, _ = loket("import", "medicines", table, "--yes", "--json")
    document = json.loads(said)
    assert (document["taken"], document["unread_count"], document["stored"]) == (5, 1, True)
    assert document["refused"] == ["9: 9390000", "10: 93900009"]


@pytest.mark.parametrize("text", ["kolom;lain\n1;2\n", ""])
def test_a_file_of_another_kind_is_refused_in_one_line(loket: Command, tmp_path: Path, text: str) -> None:  # noqa: F811
    file = tmp_path / "lain.csv"
    file.write_text(text, encoding="utf-8")
    code, said, failed = loket("import", "medicines", file, "--yes")
    assert code != 0
    assert (said + failed).strip()
