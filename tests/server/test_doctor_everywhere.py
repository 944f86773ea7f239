"""The doctor for the admin over HTTP and on the screen: the findings of `loket doctor`, and the metrics beside it."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.daily.backup import drills
from core.foundation import clock
from core.foundation.config import Settings
from server import doctor
from server.doctor import backup_checks, machine_checks
from server.run import Background
from tests.people import Caller


def examined(url: str) -> dict[str, Any]:
    with Caller(url, "admin") as admin:
        assert admin.post("doctor/run").status_code == 202
        until = time.monotonic() + 120
        while (found := admin.get("doctor").json())["running"]:
            assert time.monotonic() < until, "the examination does not end"
            time.sleep(0.2)
    return dict(found)


def test_the_admin_gets_the_findings_of_the_command(settings: Settings) -> None:
    with Background(settings) as server:
        found = examined(server.url)
    assert found["ran_at"]
    subjects = {finding["subject"] for finding in found["findings"]}
    assert {"disk", "memory", "zone", "clock", "database", "audit", "backup", "closing", "sync"} <= subjects
    assert subjects <= set(doctor.SUBJECTS)
    assert all(finding["title"] and finding["words"] for finding in found["findings"])


def test_the_metrics_tell_of_backup_disk_sign_ins_and_feed(settings: Settings) -> None:
    with Background(settings) as server, Caller(server.url, "admin") as admin:
        text = admin.get(f"{server.url}/metrics").text
    told = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line.startswith("loket_")}
    assert {"loket_backup_age_seconds", "loket_disk_free_bytes", "loket_sign_ins", "loket_feed_sequence",
            "loket_ready", "loket_outbox_pending", "loket_days_not_closed"} <= told  # fmt: skip
    assert "loket_ready 1.0" in text
    board = json.loads(Path("deploy/grafana-loket.json").read_text("utf-8"))
    asked = {
        name
        for panel in board["panels"]
        for name in re.findall(r"loket_[a-z_]+", panel["targets"][0]["expr"])
    }
    assert asked <= told, "the dashboard asks for what the server does not tell"


def test_a_drill_with_the_recovery_key_is_remembered(settings: Settings) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    assert [finding.level for finding in backup_checks.check_drill(settings)] == ["warning"]
    drills.note_drill(settings.home, Path("loket-x.age"))
    assert list(backup_checks.check_drill(settings)) == []
    later = clock.now() + timedelta(days=100)
    with clock.frozen(lambda: later):
        assert [finding.level for finding in backup_checks.check_drill(settings)] == ["warning"]
    (settings.home / drills.FILE).write_text("{")
    assert drills.last_drill(settings.home) is None


@pytest.mark.parametrize("printer", ["127.0.0.1:9", "/nowhere/lp0"])
def test_a_printer_that_is_not_there_is_told(settings: Settings, printer: str) -> None:
    found = list(machine_checks.check_printer(settings.model_copy(update={"printer": printer})))
    assert [finding.level for finding in found] == ["warning"]
    assert printer in found[0].words
