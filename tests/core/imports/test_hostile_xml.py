"""Workbooks whose XML declares entities: nothing is fetched, nothing grows, and the file is refused.

Tried with and without `defusedxml`, which openpyxl takes where it happens to be installed: a clinic has it not.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from core.foundation.errors import ValidationError
from core.foundation.spreadsheets import read_sheets

SECRET = "isi-berkas-rahasia"  # what must not be read
PARTS = (
    "xl/worksheets/sheet1.xml",
    "_rels/.rels",
    "xl/workbook.xml",
    "[Content_Types].xml",
    "xl/styles.xml",
)
BOMB = "".join(f'<!ENTITY b{n + 1} "{f"&b{n};" * 10}">' for n in range(9))
DECLARATIONS = {
    "an entity of its own": '<!DOCTYPE x [<!ENTITY a "made">]>',
    "entities of entities": f'<!DOCTYPE x [<!ENTITY b0 "0123456789">{BOMB}<!ENTITY a "&b9;">]>',
    "a file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file://{file}">]>',
    "an address": '<!DOCTYPE x [<!ENTITY a SYSTEM "http://127.0.0.1:9/x">]>',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file://{file}"> %p; <!ENTITY a "x">]>',
    "a document type elsewhere": '<!DOCTYPE x SYSTEM "file://{file}">',
    "after a long comment": "<!--" + "x" * 70_000 + '--><!DOCTYPE x [<!ENTITY a "made">]>',
}


def workbook(part: str, declaration: str, encoding: str = "utf-8") -> bytes:
    """A list of one patient, one part of which begins with a declaration and uses it where it has text."""
    plain, hostile, reached = io.BytesIO(), io.BytesIO(), False
    book = Workbook()
    book.worksheets[0].append(["nama", "SITI", 1])
    book.save(plain)
    with ZipFile(plain) as before, ZipFile(hostile, "w", ZIP_DEFLATED) as after:
        for item in before.infolist():
            content = before.read(item)
            if item.filename == part:
                reached = True
                text = (
                    content.decode("utf-8").partition("?>")[2]
                    if content.startswith(b"<?xml")
                    else content.decode()
                )
                used = "&a;" if "ENTITY a" in declaration else ""
                text = text.replace(">SITI<", f">{used}SITI<")
                content = f'<?xml version="1.0" encoding="{encoding}"?>{declaration}{text}'.encode(encoding)
            after.writestr(item.filename, content)
    assert reached
    return hostile.getvalue()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "rahasia.txt"
    file.write_text(SECRET)
    return file


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", DECLARATIONS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_workbook_with_a_document_type_is_refused(
    secret: Path, part: str, name: str, encoding: str
) -> None:
    content = workbook(part, DECLARATIONS[name].replace("{file}", str(secret)), encoding)
    with pytest.raises(ValidationError, match="unreadable"):
        read_sheets(content)


def test_the_same_workbook_without_one_is_read() -> None:
    for part in PARTS:
        assert read_sheets(workbook(part, ""))[0][0] == ["nama", "SITI", 1]


READ = """
import json, sys
from pathlib import Path
from openpyxl import DEFUSEDXML, load_workbook
from core.foundation import spreadsheets
spreadsheets._refuse_document_type = lambda stream: None
def peak():
    # Of this program alone: getrusage still counts what the test's process held before it became this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
for file in sys.argv[1:]:
    try:
        found = spreadsheets.read_sheets(Path(file).read_bytes())
    except Exception as error:
        found = str(error)
    print(json.dumps([DEFUSEDXML, peak(), str(found)[:2000]]))
"""


@pytest.mark.parametrize("defused", [True, False])
def test_behind_that_the_parser_fetches_nothing_and_grows_by_nothing(
    secret: Path, tmp_path: Path, defused: bool
) -> None:
    """The second line of defence, where the first is taken away."""
    files = []
    for number, declaration in enumerate(DECLARATIONS.values()):
        file = tmp_path / f"{number}.xlsx"
        file.write_bytes(workbook("_rels/.rels", declaration.replace("{file}", str(secret))))
        files.append(str(file))
    done = subprocess.run(
        [sys.executable, "-c", READ, *files],
        env={**os.environ, "OPENPYXL_DEFUSEDXML": str(defused)},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(files)
    assert {is_defused for is_defused, _memory, _found in told} == {defused}
    assert all(SECRET not in found for _defused, _memory, found in told)
    assert max(memory for _defused, memory, _found in told) < 400 * 1024  # KiB: a bomb would be 10 GB
