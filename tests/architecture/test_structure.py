"""The structure that DESIGN and the import contracts promise."""

from __future__ import annotations

import ast
import subprocess
import sys
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
    script = "import tui.app, tui.client, sys; print([m for m in ('peewee', 'apsw', 'core.models', 'server') if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert loaded.stdout.strip() == "[]"


def test_import_contracts_hold() -> None:
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], capture_output=True, text=True, cwd=ROOT
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", modules(*PACKAGES), ids=lambda path: str(path.relative_to(ROOT)))
def test_public_things_have_docstrings(path: Path) -> None:
    tree = ast.parse(path.read_text())
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
    from core.config import PREFIX, Settings

    example = (ROOT / ".env.example").read_text()
    assert [name for name in Settings.model_fields if f"{PREFIX}{name.upper()}=" not in example] == []


def test_time_and_ids_have_one_door() -> None:
    offenders = []
    for path in modules("core", "server"):
        if path.name in {"clock.py", "identifiers.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "datetime.utcnow", "datetime.today", "date.today", "uuid4", "uuid.uuid4", "uuid1",
            }:  # fmt: skip
                offenders.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert offenders == []
