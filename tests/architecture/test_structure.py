"""The structure that DESIGN and the import contracts promise."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "server", "tui")


def modules(*packages: str) -> list[Path]:
    return [
        path
        for package in packages
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations/0" not in str(path)
    ]


def test_importing_the_core_loads_neither_terminal_nor_server() -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in modules("core")
    ]
    script = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
    script += (
        "print([m for m in ('textual', 'fastapi', 'starlette', 'uvicorn', 'asyncssh') if m in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert loaded.stdout.strip() == "[]"


def test_importing_the_terminal_does_not_load_the_database() -> None:
    script = "import tui.app, tui.client.core_client, sys; print([m for m in ('peewee', 'apsw', 'core.models', 'server') if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (("--help",), ("pydantic", "peewee", "apsw", "textual", "fastapi", "core.complaints")),
        (("audit", "--help"), ("peewee", "apsw", "textual", "fastapi", "server.commands.accounts")),
        (("serve", "--nothing"), ("peewee", "fastapi", "server.run", "server.commands.accounts")),
    ],
)
def test_a_command_loads_what_it_needs(words: tuple[str, ...], unwanted: tuple[str, ...]) -> None:
    # Each would cost every command a part of its start.
    script = f"""
import sys
from server.cli import main
try:
    main({list(words)!r})
finally:
    sys.stderr.write(repr(["loaded", *(name for name in {unwanted!r} if name in sys.modules)]))
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert ended.stderr.endswith("['loaded']")


def test_import_contracts_hold() -> None:
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], capture_output=True, text=True, cwd=ROOT
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", modules(*PACKAGES), ids=lambda path: str(path.relative_to(ROOT)))
def test_public_things_have_docstrings(path: Path) -> None:
    tree = tree_of(path)
    assert ast.get_docstring(tree), f"{path}: no module docstring"
    missing = [
        node.name
        for node in tree.body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert missing == []


def test_every_setting_is_in_the_example() -> None:
    from core.foundation.config import Settings
    from core.foundation.setting_variables import variable

    example = (ROOT / ".env.example").read_text()
    assert [name for name in Settings.model_fields if f"{variable(name)}=" not in example] == []


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def calls(path: Path) -> list[tuple[str, str, set[str | None]]]:
    """The calls in a module: the place, the name that is called, and the keywords."""
    place = path.relative_to(ROOT)
    found = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call))
    return [
        (f"{place}:{node.lineno}", ast.unparse(node.func), {keyword.arg for keyword in node.keywords})
        for node in found
    ]


def test_time_and_ids_have_one_door() -> None:
    forbidden = {
        "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid4", "uuid.uuid4", "uuid1",
    }  # fmt: skip
    offenders = [
        place
        for path in modules(*PACKAGES)
        if path.name not in {"clock.py", "identifiers.py"}
        for place, name, _keywords in calls(path)
        if name in forbidden
    ]
    assert offenders == []


def test_tracebacks_are_written_in_one_place() -> None:
    """A traceback's message may hold a patient's data: `core.foundation.logs` leaves it out."""
    offenders = []
    for path in modules(*PACKAGES):
        if path == ROOT / "core/foundation/logs.py":
            continue
        if re.search(r"^\s*(import|from) traceback\b", path.read_text(), re.MULTILINE):
            offenders.append(f"{path.relative_to(ROOT)}: traceback")
        for place, name, keywords in calls(path):
            writes = re.fullmatch(r"_?log(ger)?\.exception|logging\.(exception|basicConfig)", name)
            if writes or "exc_info" in keywords:
                offenders.append(f"{place}: {name}")
    assert offenders == []
