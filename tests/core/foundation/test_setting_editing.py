"""A setting that is changed from the screen: `.env` is replaced as a whole, or stays as it is."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.foundation import setting_editing
from core.foundation.config import SECRETS, Settings
from core.foundation.errors import SettingsError
from core.foundation.setting_variables import variable

BEFORE = """# The clinic's own words
LOKET_TIMEZONE=Asia/Jakarta
  # of the office
LOKET_OFFICE_TOKEN='a secret # with a sign'

LOKET_TIMEZONE=Asia/Makassar  # the last one counts
OTHER="of another program"
"""


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    file = tmp_path / ".env"
    file.write_text(BEFORE)
    return file


def changed(env_file: Path, name: str, value: str) -> tuple[str, str]:
    return setting_editing.change(name, value, {}, env_file)


def test_one_value_is_replaced_and_everything_else_stays(env_file: Path) -> None:
    assert changed(env_file, "timezone", "Asia/Jayapura") == ("Asia/Makassar", "Asia/Jayapura")
    assert Settings.load({}, env_file).timezone.key == "Asia/Jayapura"
    text = env_file.read_text()
    assert text.count("LOKET_TIMEZONE") == 1
    for kept in ("# The clinic's own words", "'a secret # with a sign'", 'OTHER="of another program"'):
        assert kept in text
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    assert [file.name for file in env_file.parent.iterdir()] == [".env"]


def test_an_empty_value_is_the_default(env_file: Path) -> None:
    assert changed(env_file, "timezone", "") == ("Asia/Makassar", "Asia/Makassar")
    assert "LOKET_TIMEZONE" not in env_file.read_text()


def test_a_file_that_is_not_there_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    changed(tmp_path / ".env", "facility_name", "Puskesmas Contoh")
    assert (tmp_path / ".env").read_text() == "LOKET_FACILITY_NAME='Puskesmas Contoh'\n"
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_a_link_leads_to_the_file_that_is_replaced(env_file: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.mkdir()
    (program / ".env").symlink_to(env_file)
    program.chmod(0o500)
    setting_editing.change("close_at", "14:30", {}, program / ".env")
    program.chmod(0o700)
    assert (program / ".env").is_symlink()
    assert "LOKET_CLOSE_AT=14:30" in env_file.read_text()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("timezone", "Asia/Banjarmasin", "must be a time zone such as Asia/Makassar"),
        ("close_at", "25:61", "must be a time of day such as 15:00"),
        ("priority_ratio", "99", "must be at most 20"),
        ("priority_ratio", "two", "must be a whole number"),
        ("close_latest", "09:00", "must not be before LOKET_CLOSE_AT"),
        ("facility_name", "x" * 81, "must be at most 80 letters long"),
        ("facility_name", "Puskesmas ${HOME}", "reads in another way"),
        ("facility_name", "Contoh\nLOKET_OFFICE_URL=http://evil.example", "reads in another way"),
        ("printer", "/srv/loket/data/loket.sqlite3", "must be address:port of the house"),
        ("printer", "/dev/../etc/passwd", "must be address:port of the house"),
        ("printer", "/dev/sda", "must be address:port of the house"),
        ("printer", "/dev/fd/12", "must be address:port of the house"),
        ("printer", "/dev/shm/x.txt", "must be address:port of the house"),
        ("printer", "203.0.113.5x:9100", "must be address:port of the house"),
        ("printer", "8.8.8.8:9100", "must be address:port of the house"),
        ("printer", "printer.example:9100", "must be address:port of the house"),
        ("backup_second", "", "must be the whole path"),
        ("backup_second", "/nowhere/at/all", "cannot be written"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_written(
    env_file: Path, name: str, value: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        changed(env_file, name, value)
    assert env_file.read_text() == BEFORE
    assert [file.name for file in env_file.parent.iterdir()] == [".env"]


def test_a_second_place_in_the_data_folder_is_none(env_file: Path, tmp_path: Path) -> None:
    (tmp_path / "home" / "inner").mkdir(parents=True)
    with pytest.raises(SettingsError, match="lies in the data folder"):
        setting_editing.change(
            "backup_second",
            str(tmp_path / "home" / "inner"),
            {"LOKET_HOME": str(tmp_path / "home")},
            env_file,
        )
    (tmp_path / "other").mkdir()
    changed(env_file, "backup_second", str(tmp_path / "other"))
    assert Settings.load({}, env_file).backup_second == str(tmp_path / "other")


@pytest.mark.parametrize(
    "name",
    [
        "home", "database_url", "http", "ssh", "office_url", "office_token", "satusehat_url", "bpjs_url",
        "backup_command", "journal_dir", "trusted_proxies", "plain_http", "lock_hours", "backup_keep_daily",
    ],
)  # fmt: skip
def test_what_leads_data_elsewhere_or_lets_people_in_is_the_machines(env_file: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="on the machine only"):
        changed(env_file, name, "1")
    assert env_file.read_text() == BEFORE


def test_no_secret_is_changed_or_shown_here(env_file: Path) -> None:
    assert not set(SECRETS) & set(setting_editing.CHANGEABLE)
    found = {now.variable: now for now in setting_editing.settings_now(Settings(), {}, env_file)}
    assert set(found) == {variable(name) for name in Settings.model_fields}
    for name in SECRETS:
        assert found[variable(name)].value == found[variable(name)].running == ""
    assert found["LOKET_OFFICE_TOKEN"].is_set


def test_the_environment_goes_over_the_file(env_file: Path) -> None:
    for blank_or_not in ("Asia/Jakarta", ""):
        with pytest.raises(SettingsError, match="environment of the service"):
            setting_editing.change("timezone", "Asia/Jayapura", {"LOKET_TIMEZONE": blank_or_not}, env_file)
    assert env_file.read_text() == BEFORE


def test_each_value_says_where_it_comes_from_and_whether_it_waits(env_file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "bpjs.secret"
    secret.write_text("x")
    secret.chmod(0o600)
    environment = {
        "LOKET_LANGUAGE": "en", "LOKET_BPJS_SECRET_FILE": str(secret),
        "LOKET_DATABASE_URL": "postgresql://loket:geheim@127.0.0.1/loket",
    }  # fmt: skip
    found = {now.variable: now for now in setting_editing.settings_now(Settings(), environment, env_file)}
    assert found["LOKET_TIMEZONE"].source == "file"
    assert not found["LOKET_TIMEZONE"].waits
    assert (found["LOKET_LANGUAGE"].source, found["LOKET_LANGUAGE"].fixed) == ("environment", "environment")
    assert found["LOKET_LANGUAGE"].waits
    assert found["LOKET_BPJS_SECRET"].source == "secret_file"
    assert found["LOKET_CLOSE_AT"].source == "default"
    assert found["LOKET_CLOSE_AT"].value == "15:00"
    assert found["LOKET_HTTP"].value == "127.0.0.1:8460"
    assert found["LOKET_SSH_STARTS"].value == "40:30:200"
    assert "geheim" not in found["LOKET_DATABASE_URL"].value


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=60))
def test_whatever_is_written_is_read_back_as_it_was_given(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    env_file = tmp_path_factory.mktemp("env") / ".env"
    env_file.write_text(BEFORE)
    wanted = " ".join(name.split())
    try:
        changed(env_file, "facility_name", wanted)
    except SettingsError:
        assert env_file.read_text() == BEFORE
        assert "$" in wanted
    else:
        settings = Settings.load({}, env_file)
        assert settings.facility_name == (wanted or "Puskesmas Loket")
        assert settings.office_token == "a secret # with a sign"  # made up


@pytest.mark.parametrize("printer", ["192.168.1.20:9100", "/dev/usb/lp0", "/dev/ttyUSB1"])
def test_a_printer_of_the_house_is_taken(env_file: Path, printer: str) -> None:
    changed(env_file, "printer", printer)
    assert f"LOKET_PRINTER={printer}" in env_file.read_text()


def test_a_setting_of_which_another_is_made_stays_with_the_machine(env_file: Path) -> None:
    env_file.write_text("LOKET_FACILITY_NAME=Contoh\nLOKET_BACKUP_COMMAND=cp {file} ${LOKET_FACILITY_NAME}\n")
    before = env_file.read_text()
    with pytest.raises(SettingsError, match="is made of it"):
        changed(env_file, "facility_name", "Lain")
    assert env_file.read_text() == before
