"""Reads and checks the TOML files of forms."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import ValidationError as SchemaError

from core.foundation.errors import SettingsError
from core.foundation.toml_lines import at_line
from core.records.forms.definitions import FormDefinition


@cache
def read_form(text: str) -> FormDefinition:
    """Return a form from its TOML; each text is read once, since a form never changes.

    Raises:
        SettingsError: The text is no TOML, or no form; says where and why.
    """
    try:
        return FormDefinition.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"no valid TOML: {error}") from error
    except SchemaError as error:
        raise SettingsError("; ".join(_problems(error, text))) from error


def _problems(error: SchemaError, text: str) -> list[str]:
    """Return what is wrong with a form, each with its line."""
    found = []
    for problem in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in problem["loc"])
        where = at_line(text, problem["loc"])
        found.append(f"{where}{place}: {problem['msg']}" if place else str(problem["msg"]))
    return found


def check_file(path: Path) -> list[str]:
    """Return the problems of a form's file, for its author; empty when it can be used."""
    try:
        read_form(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return [f"cannot be read: {type(error).__name__}"]
    except SettingsError as error:
        return str(error).split("; ")
    return []


def load_forms(folder: Path | None = None) -> dict[str, FormDefinition]:
    """Return by code the forms that ship with Loket, and the clinic's own; one of the same code replaces ours.

    Args:
        folder: The clinic's own; it need not exist.

    Raises:
        SettingsError: A file is wrong; names it.
    """
    found: dict[str, FormDefinition] = {}
    for name, text in _texts(folder):
        try:
            form = read_form(text)
        except SettingsError as error:
            raise SettingsError(f"{name}: {error}") from error
        found[form.code] = form
    return found


def _texts(folder: Path | None) -> Iterable[tuple[str, str]]:
    """Yield the name and text of each file, the clinic's own last."""
    ours = resources.files("core.data").joinpath("forms")
    for source in sorted(ours.iterdir(), key=lambda item: item.name):
        if source.name.endswith(".toml"):
            yield source.name, source.read_text(encoding="utf-8")
    if folder is not None and folder.is_dir():
        for path in sorted(folder.glob("*.toml")):
            yield path.name, path.read_text(encoding="utf-8")
