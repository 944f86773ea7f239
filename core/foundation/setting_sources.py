"""The sources of the settings: the environment over `.env`, and secrets from files of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource

from core.foundation.errors import SettingsError
from core.foundation.setting_variables import variable, written

SECRET = "in a file as well"
"""Mark of a setting that can stand in a file of its own: `LOKET_OFFICE_TOKEN_FILE=/path`."""


def secrets(settings: type[BaseSettings]) -> tuple[str, ...]:
    """Return the names of the settings that are marked `SECRET`."""
    return tuple(name for name, field in settings.model_fields.items() if SECRET in field.metadata)


class WrittenSettings(DotEnvSettingsSource):
    """`.env` with the environment over it."""

    def __init__(
        self, settings_cls: type[BaseSettings], environment: Mapping[str, str], env_file: Path
    ) -> None:
        super().__init__(settings_cls, env_file=None)
        self.env_vars = written(environment, env_file)


class SecretFiles(PydanticBaseSettingsSource):
    """The secrets that stand in files of their own, which nobody else may read.

    Takes the variables that name such a file out of what is written: they are no settings themselves.
    """

    def __init__(self, settings_cls: type[BaseSettings], written: WrittenSettings) -> None:
        super().__init__(settings_cls)
        named = {name: f"{variable(name)}_FILE" for name in secrets(settings_cls)}
        self._files = {
            name: written.env_vars[file] for name, file in named.items() if file in written.env_vars
        }
        written.env_vars = {
            name: value for name, value in written.env_vars.items() if name not in named.values()
        }

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return (the file's text, variable, False); None where no file is named."""
        file = self._files.get(field_name)
        text = None if file is None else _secret(f"{variable(field_name)}_FILE", Path(file))
        return text, variable(field_name), False

    def __call__(self) -> dict[str, Any]:
        """Return variable -> secret."""
        fields = self.settings_cls.model_fields
        return {variable(name): self.get_field_value(fields[name], name)[0] for name in self._files}


def _secret(setting: str, file: Path) -> str:
    """Return a secret from its file, which nobody else may read.

    Raises:
        SettingsError: The file cannot be read, or others can read it.
    """
    try:
        if file.stat().st_mode & 0o077:
            raise SettingsError(
                "{setting}: others can read {file}; run: chmod 600 {file}", setting=setting, file=file
            )
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(
            "{setting}: {file} cannot be read ({why})", setting=setting, file=file, why=error.strerror
        ) from None
