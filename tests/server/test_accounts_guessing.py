"""Guessing: who guesses waits longer and longer, and nobody is kept out by others' guesses."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import httpx
import pytest

from core.accounts import guessing
from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.errors import TooManyAttemptsError
from core.models import AuditEvent, KnownSource, SignInFailure
from server.run import Background


class Guesser:
    """Somebody at an address, who comes through a door."""

    def __init__(self, server: Background, settings: Settings) -> None:
        self.url = f"{server.url}/api/v1/tokens"
        self.door = settings.door_token_file.read_text().strip()

    def __call__(self, username: str, password: str, address: str) -> httpx.Response:
        headers = {"X-Loket-Door": self.door, "X-Loket-Origin": f"ssh {address}"}
        body = {"username": username, "password": password}
        return httpx.post(self.url, json=body, headers=headers, timeout=120)

    def statuses(self, username: str, address: str, number: int) -> list[int]:
        return [self(username, "wrong", address).status_code for _ in range(number)]


@pytest.fixture
def guess(server: Background, settings: Settings) -> Guesser:
    return Guesser(server, settings)


def failures(subject: str, source: str, number: int, ago: timedelta = timedelta(0)) -> None:
    for _ in range(number):
        SignInFailure.create(subject=subject, source=source, at=clock.now() - ago)


def test_guesses_from_elsewhere_keep_a_known_counter_not_out(guess: Guesser) -> None:
    assert guess("pharmacist", "demo", "10.0.0.1").status_code == 201
    assert guess.statuses("pharmacist", "10.6.6.6", 6) == [401] * 5 + [429]
    assert guess("pharmacist", "demo", "10.0.0.1").status_code == 201
    with connection():
        failures(KnownSource.get(KnownSource.source == "10.0.0.1").subject, "10.6.6.7", 90)
    assert guess("pharmacist", "demo", "10.6.6.8").status_code == 429  # an address that nobody knows
    assert guess("pharmacist", "demo", "10.0.0.1").status_code == 201


def test_the_wait_grows(guess: Guesser) -> None:
    guess.statuses("doctor", "10.6.6.6", 5)
    waits = []
    for _ in range(4):
        refused = guess("doctor", "wrong", "10.6.6.6")
        waits.append(int(refused.headers["Retry-After"]))
        assert refused.json()["details"]["retry_after_seconds"] == waits[-1]
        later = clock.now() + timedelta(seconds=waits[-1] + 1)
        with clock.frozen(partial(datetime.fromtimestamp, later.timestamp(), UTC)):
            assert guess("doctor", "wrong", "10.6.6.6").status_code == 401
        with connection():
            newest = SignInFailure.select().order_by(SignInFailure.at.desc()).get()
            newest.at = clock.now()
            newest.save()
    assert waits[0] in range(55, 61)
    assert [round(later / earlier) for earlier, later in pairwise(waits)] == [2, 2, 2]


def test_a_restart_forgives_nobody(settings: Settings) -> None:
    with Background(settings) as server:
        assert Guesser(server, settings).statuses("doctor", "10.6.6.6", 5) == [401] * 5
    with Background(settings) as server:
        assert Guesser(server, settings)("doctor", "demo", "10.6.6.6").status_code == 429


def test_at_most_a_hundred_wrong_guesses_an_hour(server: Background) -> None:
    """From ever new addresses, and from those that are known."""
    with connection():
        KnownSource.create(subject="somebody", source="10.0.0.1", at=clock.now())
        looked_at = 0
        for number in range(400):
            tried = guessing.of_subject("somebody", "10.0.0.1" if number % 2 else f"10.1.{number}.1")
            try:
                guessing.check(tried)
            except TooManyAttemptsError:
                continue
            looked_at += 1
            guessing.failed(tried)
        assert guessing.STRANGERS_AN_HOUR <= looked_at <= 100


def test_one_address_does_not_try_all_names(server: Background) -> None:
    with connection():
        looked_at = 0
        for number in range(150):
            tried = guessing.of_account(None, f"name{number}", "10.6.6.6")
            try:
                guessing.check(tried)
            except TooManyAttemptsError:
                continue
            looked_at += 1
            guessing.failed(tried)
    assert looked_at == guessing.SOURCE_AN_HOUR


def test_failed_sign_ins_are_written_down_without_password_or_made_up_name(guess: Guesser) -> None:
    guess.statuses("doctor", "10.7.7.7", 7)
    guess("nobody-here", "geheim", "10.7.7.7")
    rows = [
        (event.action, event.target, str(event.detail))
        for event in AuditEvent.select().where(AuditEvent.action.startswith("sign_in_"))
    ]
    assert [action for action, _, _ in rows] == ["sign_in_failed"] * 5 + ["sign_in_refused", "sign_in_failed"]
    assert rows[0][1]
    assert not rows[-1][1]
    assert "10.7.7.7" in rows[0][2]
    assert not any(word in str(rows) for word in ("geheim", "nobody-here", "wrong"))


def test_a_known_counter_signs_in_beside_sixty_who_guess(guess: Guesser) -> None:
    assert guess("clerk", "demo", "10.0.0.1").status_code == 201
    began = time.monotonic()
    assert guess("clerk", "demo", "10.0.0.1").status_code == 201
    alone = time.monotonic() - began
    ends = threading.Event()

    def guesses(number: int) -> None:
        while not ends.is_set():
            guess(f"made-up-{number}-{time.monotonic_ns()}", "wrong", f"10.6.{number}.1")

    threads = [threading.Thread(target=guesses, args=(number,), daemon=True) for number in range(60)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(2)
        began = time.monotonic()
        assert guess("clerk", "demo", "10.0.0.1").status_code == 201
        took = time.monotonic() - began
    finally:
        ends.set()
    assert took < 2 + 4 * alone, (took, alone)  # on a machine that others use too
    for thread in threads:
        thread.join()


def test_what_somebody_may_not_do_is_written_down(server: Background, clerk: httpx.Client) -> None:
    assert clerk.get("audit").status_code == 403
    event = AuditEvent.select().where(AuditEvent.action == "request_refused").get()
    assert event.target.endswith("/audit")
    assert event.account is not None
    assert event.account.username == "clerk"
