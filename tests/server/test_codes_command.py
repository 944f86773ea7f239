"""`loket codes`: texts are imported, and what is missing is named, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from tests.server.test_command import Command, loket  # noqa: F401  (a fixture)


def test_texts_are_imported_and_the_missing_ones_named(loket: Command, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "icd10.csv"
    file.write_text("icd10_code,icd10_en,icd10_id\nJ06.9,An official text,Teks\n12,x,y\n", encoding="utf-8")
    code, said, _ = loket("codes", "import", file)
    assert code == 0
    assert "1 official texts stored; 0 records wait to be sent again." in said
    assert "3: 12" in said
    code, said, _ = loket("codes", "import", file, "--list", "icd10", "--json")
    assert json.loads(said) == {"taken": 1, "refused": ["3: 12"], "waiting_again": 0}
    code, said, _ = loket("codes", "check", language="id")
    assert (code, said.strip()) == (0, "Setiap kode di rekam medis punya teks resminya.")


def test_an_unknown_list_is_refused(loket: Command, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "x.csv"
    file.write_text("code,display\nJ06.9,x\n", encoding="utf-8")
    code, said, failed = loket("codes", "import", file, "--list", "kfa")
    assert code != 0
    assert (said + failed).strip()
