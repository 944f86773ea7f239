"""`loket bpjs check` against services whose uncertain facts differ; secrets in no line that is written."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core.exchange.bpjs import eligibility, service_check
from core.foundation import logs
from core.foundation.clinic import Clinic
from core.foundation.codes import Role
from core.foundation.config import Settings
from core.foundation.errors import SettingsError
from core.foundation.permissions import Actor
from core.queues.clusters import load_clusters
from core.schemas.insurance import InsuranceQuery
from server import cli
from server.bpjs_stand_in import PcareHost, Unconfirmed
from tests.core.exchange.bpjs.conftest import CARD

CONTENT_TYPES = ("application/x-www-form-urlencoded", "application/json", "text/plain")


def findings(pcare: PcareHost, **changes: Any) -> dict[str, service_check.Finding]:
    clinic = Clinic(Settings(**pcare.settings()).model_copy(update=changes), load_clusters("poli"))
    return {finding.what: finding for finding in service_check.check(clinic)}


@pytest.mark.parametrize("wanted", CONTENT_TYPES)
@pytest.mark.parametrize("follows", [True, False])
def test_the_content_type_that_is_asked_for_is_found(pcare: PcareHost, wanted: str, follows: bool) -> None:
    pcare.books.facts = Unconfirmed(content_type=wanted, http_status_follows=follows)
    found = findings(pcare, bpjs_content_type="text/plain")
    assert found["content_type"].outcome == ("ok" if wanted == "text/plain" else "differs")
    if wanted != "text/plain":
        assert (found["content_type"].setting, found["content_type"].value) == (
            "LOKET_BPJS_CONTENT_TYPE",
            wanted,
        )
    assert [found[name].outcome for name in ("sign_in", "poli", "doctor", "prognosis", "registrations")] == [
        "ok"
    ] * 5
    assert pcare.books.registrations == {}


def test_a_wrong_key_and_missing_settings_are_named(pcare: PcareHost) -> None:
    assert findings(pcare, bpjs_secret="wrong")["sign_in"].outcome == "failed"
    missing = findings(pcare, bpjs_password="", bpjs_user_key="")["settings"]
    assert (missing.outcome, missing.found) == ("failed", "LOKET_BPJS_USER_KEY, LOKET_BPJS_PASSWORD")


def test_the_queue_of_mobile_jkn_is_asked_with_its_own_key(pcare: PcareHost) -> None:
    assert "queue" not in findings(pcare)
    found = findings(pcare, **pcare.queue_settings())
    assert (found["sign_in"].outcome, found["queue"].outcome) == ("ok", "ok")
    wrong = {**pcare.queue_settings(), "bpjs_queue_user_key": pcare.keys.user_key}
    assert findings(pcare, **wrong)["queue"].outcome == "failed"


def test_the_command_writes_what_it_found(
    pcare: PcareHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pcare.books.facts = Unconfirmed(content_type="application/json")
    secret = tmp_path / "secret"
    secret.write_text(pcare.keys.secret)
    secret.chmod(0o600)
    monkeypatch.chdir(tmp_path)
    settings = {name: value for name, value in pcare.settings().items() if name != "bpjs_secret"}
    lines = [f"LOKET_{name.upper()}={value}" for name, value in settings.items()]
    (tmp_path / ".env").write_text("\n".join([*lines, f"LOKET_BPJS_SECRET_FILE={secret}"]) + "\n")
    done = CliRunner().invoke(cli.composed(), ["bpjs", "check", "--write"])
    assert done.exit_code == 0, done.output
    assert pcare.keys.secret not in done.output
    assert "LOKET_BPJS_CONTENT_TYPE=application/json" in (tmp_path / ".env").read_text()
    assert Settings.load({}, tmp_path / ".env").bpjs_content_type == "application/json"
    assert Settings.load({}, tmp_path / ".env").bpjs_secret == pcare.keys.secret


def test_a_secret_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o644)
    with pytest.raises(SettingsError):
        Settings.load({"LOKET_BPJS_SECRET_FILE": str(secret)}, tmp_path / ".env")


def test_neither_secrets_nor_numbers_of_people_are_logged(
    pcare: PcareHost, caplog: pytest.LogCaptureFixture
) -> None:
    for name in logs.CHATTY:  # as `configure_logging` does, without its hooks
        caplog.set_level(logging.WARNING, logger=name)
    clinic = Clinic(Settings(**pcare.settings(), bpjs_wait_seconds=1), load_clusters("poli"))
    with caplog.at_level(logging.INFO):
        for fault in ("html", "lose_answer", "cut"):
            pcare.mischief.append(fault)
            eligibility.check(clinic, Actor("1", "c", "C", Role.CLERK), InsuranceQuery(bpjs_number=CARD))
    assert "did not answer" in caplog.text
    written = caplog.text + repr(clinic.settings.model_dump(include={"home"}))
    keys = pcare.keys
    assert not [
        word
        for word in (CARD, keys.secret, keys.user_key, keys.password)
        if word in written and word != "demo"
    ]
