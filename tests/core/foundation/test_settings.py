"""Settings are read from the environment over `.env`, secrets from files; made by hand they read nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.foundation.config import SECRETS, Settings
from core.foundation.errors import SettingsError
from core.foundation.setting_variables import variable


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    file = tmp_path / ".env"
    file.write_text(
        "# as in .env.example\n"
        "LOKET_FACILITY_NAME=Puskesmas Sungai Jingah\n"
        "LOKET_PRIORITY_RATIO=3\n"
        "LOKET_PRINTER=\n"
        "PATH_OF_ANOTHER_PROGRAM=1\n"
        "loket_token_hours=1\n"
    )
    return file


def test_the_environment_goes_over_the_file(env_file: Path) -> None:
    settings = Settings.load({"LOKET_PRIORITY_RATIO": "4", "HOME": "/root"}, env_file)
    assert settings.facility_name == "Puskesmas Sungai Jingah"
    assert settings.priority_ratio == 4


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_variable_means_the_default_whatever_the_file_says(env_file: Path, blank: str) -> None:
    settings = Settings.load({"LOKET_FACILITY_NAME": blank}, env_file)
    assert settings.facility_name == Settings.model_fields["facility_name"].default


def test_only_the_names_of_the_example_count(env_file: Path) -> None:
    settings = Settings.load({"loket_lock_hours": "1", "LOCK_HOURS": "1"}, env_file)
    assert (settings.lock_hours, settings.token_hours) == (48, 12)


def test_the_variables_of_the_commands_are_no_settings(env_file: Path) -> None:
    Settings.load({"LOKET_ACTOR": "rina", "LOKET_DOOR_TOKEN": "x"}, env_file)


def test_a_name_that_does_not_exist_is_told_before_a_wrong_value(env_file: Path) -> None:
    with pytest.raises(SettingsError, match=r"^LOKET_PRIORITY_RATO: there is no such setting"):
        Settings.load({"LOKET_TOKEN_HOURS": "many", "LOKET_ZZZ": "1", "LOKET_PRIORITY_RATO": "2"}, env_file)


def test_settings_made_by_hand_read_nothing_else(
    env_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(env_file.parent)
    monkeypatch.setenv("LOKET_PRIORITY_RATIO", "7")
    assert Settings(home=tmp_path).priority_ratio == 2
    assert Settings.load().priority_ratio == 7


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_can_stand_in_a_file_of_its_own(name: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("geheim\n")
    file.chmod(0o600)
    given = {variable(name): "elsewhere", f"{variable(name)}_FILE": str(file)}
    assert getattr(Settings.load(given, tmp_path / "no.env"), name) == "geheim"


def test_only_a_secret_has_a_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^LOKET_HOME_FILE: there is no such setting"):
        Settings.load({"LOKET_HOME_FILE": str(tmp_path)}, tmp_path / "no.env")


def test_a_secret_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("geheim")
    file.chmod(0o640)
    with pytest.raises(SettingsError, match=r"^LOKET_JKN_PASSWORD_FILE: .*chmod 600") as refused:
        Settings.load({"LOKET_JKN_PASSWORD_FILE": str(file)}, tmp_path / "no.env")
    assert "geheim" not in str(refused.value)
    with pytest.raises(SettingsError, match=r"^LOKET_JKN_PASSWORD_FILE: .*cannot be read"):
        Settings.load({"LOKET_JKN_PASSWORD_FILE": str(tmp_path / "none")}, tmp_path / "no.env")
