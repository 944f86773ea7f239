"""`loket audit` beside a running server: a break is found, two people vouch for it, and it is named from then on."""

from __future__ import annotations

import json
from pathlib import Path

import apsw

from core.foundation.config import Settings
from server.run import Background
from tests.people import Caller
from tests.server.test_command import Command

WORDS = "baris dipulihkan teknisi sesudah disk rusak"


def change_behind(home: Path, statement: str) -> None:
    file = apsw.Connection(str(home / "loket.sqlite3"))
    file.set_busy_timeout(5000)
    triggers = file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    with file:
        for name, _sql in triggers:
            file.execute(f"DROP TRIGGER {name}")
        file.execute(statement)
        for _name, sql in triggers:
            file.execute(str(sql))
    file.close()


def test_a_break_is_vouched_for_by_two_and_never_passes_in_silence(settings: Settings) -> None:
    with Background(settings) as server, Caller(server.url, "supervisor") as supervisor:
        loket = Command(settings.home)
        code, said, _ = loket("audit", "verify")
        assert (code, "The log is whole" in said) == (0, True)
        assert (
            "There is no break that could be vouched for." in loket("audit", "vouch", "--because", WORDS)[2]
        )

        change_behind(settings.home, "UPDATE audit_event SET origin = 'elsewhere' WHERE sequence = 3")
        code, said, _ = loket("audit", "verify")
        assert (code, "Event 3 was changed afterwards." in said, "loket audit vouch" in said) == (
            1,
            True,
            True,
        )
        assert "Say in words why" in loket("audit", "vouch", "--because", "!!!")[2]
        code, said, _ = loket("audit", "vouch", "--because", WORDS, language="id")
        assert (code, "Kejadian 3" in said or "Catatan 3" in said) == (0, True), said
        assert loket("audit", "verify")[0] == 1  # one person alone vouches for nothing

        (asked,) = [row for row in supervisor.get("approvals").json() if row["kind"] == "tampering"]
        assert (asked["reason"], len(asked["detail"]["told"])) == (WORDS, 1)
        assert supervisor.post(f"approvals/{asked['id']}/approve").json()["outcome"] == "approved"
        code, said, _ = loket("audit", "verify")
        assert (code, "The log is whole" in said, "No break but those" in said) == (0, False, True)
        (known,) = [line for line in said.splitlines() if line.startswith("Known: Event 3 was changed")]
        assert WORDS in " ".join(said.split())
        assert "supervisor" in " ".join(said.split()), known
        told = json.loads(loket("audit", "verify", "--json")[1])
        assert (told["whole"], told["problems"], told["vouched"][0]["approved_by"]) == (
            False,
            [],
            "supervisor",
        )

        change_behind(settings.home, "UPDATE audit_event SET origin = 'elsewhere' WHERE sequence = 4")
        code, said, _ = loket("audit", "verify")
        assert (code, "Known: Event 3" in said, "Event 4 was changed afterwards." in said) == (1, True, True)
        watched = supervisor.get("audit", params={"watched": True}).json()
        assert [row["detail"]["approval"] for row in watched if row["kind"] == "approval"] == [
            "tampering"
        ] * 2
