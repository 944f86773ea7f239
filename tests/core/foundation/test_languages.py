"""Texts of the data files: which language is shown, and what a file that cannot be read says."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.foundation import languages


@pytest.mark.parametrize(
    ("texts", "language", "shown"),
    [
        ({"id": "Laporan", "en": "Report", "jv": "Laporane"}, "jv", "Laporane"),
        ({"id": "Laporan", "en": "Report", "jv": ""}, "jv", "Report"),
        ({"id": "Laporan"}, "en", "Laporan"),
        ({}, "id", ""),
    ],
)
def test_a_missing_text_is_shown_in_english_then_in_indonesian(
    texts: dict[str, str], language: str, shown: str
) -> None:
    assert languages.in_language(texts, language) == shown


def test_a_name_that_is_taken_is_told_with_file_and_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "twice.toml").write_text('[waits]\ntitle.id = "a"\n\n[waits]\n')
    monkeypatch.setattr("core.foundation.languages.resources.files", lambda _: tmp_path)
    with pytest.raises(ValueError, match=r"core/data/twice\.toml: .*waits.* line 4"):
        languages.data_table("twice.toml")
