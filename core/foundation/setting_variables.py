"""The variables of the settings as they are written: in `.env`, and in the environment over it.

What they mean is in `core.foundation.config`. The language alone can be read here: the help of the `loket` command,
and the line that says which setting is wrong, need nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from core.foundation.catalogues import installed_languages
from core.foundation.languages import DEFAULT_LANGUAGE

PREFIX = "LOKET_"
ENV_FILE = Path(".env")
"""Read from the folder in which the command was started."""
NOT_SETTINGS = {"LOKET_DOOR_TOKEN", "LOKET_ACTOR"}
"""Variables that are read elsewhere and are not settings of the clinic."""


def variable(name: str) -> str:
    """Return the environment variable of a setting: `LOKET_HOME` for `home`."""
    return PREFIX + name.upper()


def written(environment: Mapping[str, str], env_file: Path) -> dict[str, str]:
    """Return variable -> value of the settings in `.env`, with the environment over it.

    A variable without a value is not set, whatever `.env` says of it.
    """
    both = {**dotenv_values(env_file, encoding="utf-8"), **environment}
    return {
        name: value
        for name, value in both.items()
        if name.startswith(PREFIX) and name not in NOT_SETTINGS and value and value.strip()
    }


def language_wanted() -> str:
    """Return the language in which to report that another setting is wrong."""
    wanted = written(os.environ, ENV_FILE).get(variable("language"))
    return wanted if wanted is not None and wanted in installed_languages() else DEFAULT_LANGUAGE
