"""Signing in, by password and by key, and being kept out."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from unittest import mock

import httpx
import pytest
from argon2 import PasswordHasher, extract_parameters

from core.accounts import passwords
from core.accounts import service as accounts
from core.foundation import audit_check, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Role
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.errors import DatabaseError, SettingsError
from server.run import Background
from tests.people import Caller


def test_wrong_name_and_wrong_password_look_the_same(server: Background) -> None:
    answers = [
        httpx.post(f"{server.url}/api/v1/tokens", json={"username": name, "password": "wrong"})
        for name in ("clerk", "nobody-here")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


def test_a_name_that_nobody_has_costs_as_much_as_a_wrong_password() -> None:
    real = PasswordHasher().hash("a password")
    assert extract_parameters(passwords.dummy_hash) == extract_parameters(real)
    assert not passwords.fits(passwords.dummy_hash, "")
    assert not passwords.fits(passwords.dummy_hash, "nobody has this password")


def test_five_failures_and_the_name_waits_a_minute(server: Background) -> None:
    for _ in range(5):
        httpx.post(f"{server.url}/api/v1/tokens", json={"username": "doctor", "password": "wrong"})
    locked = httpx.post(f"{server.url}/api/v1/tokens", json={"username": "doctor", "password": "demo"})
    assert locked.status_code == 429
    assert 1 <= int(locked.headers["Retry-After"]) <= 60
    # Others at the same counter are not kept out.
    Caller(server.url, "clerk").close()
    later = clock.now() + timedelta(seconds=61)
    with clock.frozen(lambda: later):
        Caller(server.url, "doctor").close()


def test_a_token_ends_when_signed_out_or_expired_or_the_account_is_disabled(
    server: Background, clerk: Caller
) -> None:
    with Caller(server.url, "clerk") as other:
        other.delete("tokens")
        assert other.get("clusters").status_code == 401
    later = clock.now() + timedelta(hours=13)
    with clock.frozen(lambda: later):
        assert clerk.get("clusters").status_code == 401
    assert clerk.get("clusters").status_code == 200
    accounts.disable("clerk")
    assert clerk.get("clusters").status_code == 401


def test_the_demo_stays_on_loopback(settings: Settings) -> None:
    from server.app import create_app

    exposed = Settings.load({"LOKET_HOME": str(settings.home), "LOKET_HTTP": "0.0.0.0:8460"})
    with pytest.raises(SettingsError, match=r"127\.0\.0\.1"):
        create_app(exposed, demo=True)


def test_first_start_makes_an_admin_whose_password_is_shown_once(
    tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    from server.app import create_app

    settings = Settings.load({"LOKET_HOME": f"{tmp_path}/fresh"})
    create_app(settings)
    shown = capsys.readouterr().err
    assert "admin" in shown
    assert [account.username for account in accounts.list_accounts() if account.role != Role.DOOR] == [
        "admin"
    ]
    create_app(settings)
    assert capsys.readouterr().err == ""


def test_the_audit_chain_stays_whole_while_people_work(clerk: Caller) -> None:
    for _ in range(3):
        clerk.registered()
    assert audit_check.verify().problems == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LOKET_HTTP", "8460", "LOKET_HTTP: must be host:port"),
        ("LOKET_TIMEZONE", "Mars", "LOKET_TIMEZONE: must be a time zone"),
        ("LOKET_LANGUAGE", "fr", "LOKET_LANGUAGE: must be id or en"),
        ("LOKET_CLOSE_AT", "25:00", "LOKET_CLOSE_AT: must be a time of day"),
        ("LOKET_CLOSE_AT", "15:00+08:00", "LOKET_CLOSE_AT: must be a time of day"),
        ("LOKET_HTTP", "127.0.0.1:²", "LOKET_HTTP: must be host:port"),
        ("LOKET_SSH", "127.0.0.1:65536", "LOKET_SSH: must be at most 65535"),
        ("LOKET_OFFICE_URL", "office.example", "LOKET_OFFICE_URL: must be a web address"),
        ("LOKET_SERVER_URL", "127.0.0.1:8460", "LOKET_SERVER_URL: must be a web address"),
        ("LOKET_DATABASE_URL", "mysql://x", "LOKET_DATABASE_URL: must begin with"),
        ("LOKET_PRIORITY_RATIO", "0", "LOKET_PRIORITY_RATIO"),
        ("LOKET_TYPO", "1", "LOKET_TYPO: there is no such setting"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load({name: value})
    assert str(refused.value).startswith(words)
    assert "\n" not in str(refused.value)


def test_files_and_databases_that_cannot_be_used_stop_the_start(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("no database, no words and no folder\n" * 100)
    for setting, value in (
        ("LOKET_HOME", str(other)),
        ("LOKET_DATABASE_URL", f"sqlite:///{other}/below.sqlite3"),
        ("LOKET_CLUSTERS", str(other)),
        ("LOKET_VOCABULARY", str(tmp_path / "nothing.toml")),
        ("LOKET_VOCABULARY", str(other)),
    ):
        given = {"LOKET_HOME": str(tmp_path / "home"), setting: value}
        with pytest.raises(SettingsError, match=rf"^{setting}: .+$"):
            Clinic.open(Settings.load(given)).read_files()
    for url in (f"sqlite:///{other}", "postgresql://loket:geheim@127.0.0.1:1/loket"):
        given = {"LOKET_HOME": str(tmp_path / "home"), "LOKET_DATABASE_URL": url}
        with pytest.raises(DatabaseError) as unusable:
            Clinic.open(Settings.load(given))
        assert "geheim" not in str(unusable.value)


def test_what_is_written_is_its_owners_alone(tmp_path: Path) -> None:
    """In a folder that was made before, as systemd makes it."""
    tmp_path.chmod(0o755)
    environment = {**os.environ, "LOKET_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-m", "server.cli", "account", "list"], env=environment, check=True)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert "loket.sqlite3" in modes
    assert {mode & 0o077 for mode in modes.values()} == {0}, modes


def test_a_new_password_ends_the_waiting(server: Background) -> None:
    def sign_in(password: str) -> int:
        body = {"username": "siti", "password": password}
        return httpx.post(f"{server.url}/api/v1/tokens", json=body).status_code

    with connection():
        accounts.create_account("siti", "Siti", Role.CLERK, "sandi yang lama")
    assert [sign_in("wrong") for _ in range(5)] == [401] * 5
    assert sign_in("sandi yang lama") == 429
    with connection():  # as `loket account password` does it, in another process
        accounts.set_password("siti", "sandi yang baru")
    assert sign_in("sandi yang baru") == 201


def test_many_sign_ins_at_once_leave_workers_to_the_counters(server: Background, clerk: Caller) -> None:
    """A check costs 64 MiB, and there are forty workers."""
    checked: list[int] = []
    together = 0
    guard, most = threading.Lock(), []
    verify = passwords.hasher.verify

    def counted(*given: str) -> bool:
        nonlocal together
        with guard:
            together += 1
            most.append(together)
        try:
            return verify(*given)
        finally:
            with guard:
                together -= 1

    def guess(number: int) -> None:
        body = {"username": f"nobody{number}", "password": "wrong"}
        checked.append(httpx.post(f"{server.url}/api/v1/tokens", json=body, timeout=120).status_code)

    with mock.patch.object(passwords, "hasher", mock.Mock(verify=counted)):
        guesses = [threading.Thread(target=guess, args=(number,)) for number in range(16)]
        for thread in guesses:
            thread.start()
        assert clerk.register().status_code == 201
        for thread in guesses:
            thread.join()
    assert len(checked) == 16
    assert set(checked) <= {401, 429}, "wrong, or told to wait: one address fills no queue"
    assert 401 in checked
    assert max(most) <= 2
