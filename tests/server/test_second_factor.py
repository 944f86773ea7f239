"""The second factor over HTTP: nothing opens without the code, each code is taken once, another admin resets it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest

from core.accounts import second_factor
from core.accounts import service as accounts
from core.foundation import audit_check, clock
from core.foundation.codes import Role
from core.foundation.database import connection
from core.models import Account, AuditEvent
from server.run import Background
from tests.people import Caller


@contextmanager
def later(seconds: float) -> Iterator[float]:
    """Some seconds on, with the time that an authenticator shows."""
    then = clock.now() + timedelta(seconds=seconds)
    with clock.frozen(lambda: then):
        yield then.timestamp()


@pytest.fixture
def secret(admin: Caller) -> str:
    """The admin's second factor, set up."""
    offer = admin.post("account/second-factor").json()
    assert offer["address"] == f"otpauth://totp/Loket:admin?secret={offer['secret']}"
    wrong = admin.put("account/second-factor", json={"secret": offer["secret"], "code": "000000"})
    assert wrong.json()["fields"] == {"code": "wrong"}
    code = second_factor.code_at(offer["secret"], clock.now().timestamp())
    assert (
        admin.put("account/second-factor", json={"secret": offer["secret"], "code": code}).status_code == 204
    )
    return str(offer["secret"])


@contextmanager
def signed_in(server: Background, code: str = "") -> Iterator[httpx.Client]:
    body = {"username": "admin", "password": "demo", **({"code": code} if code else {})}
    answer = httpx.post(f"{server.url}/api/v1/tokens", json=body)
    assert answer.status_code == 201, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    with httpx.Client(base_url=f"{server.url}/api/v1/", headers=headers) as client:
        assert client.get("accounts/me").json()["needs_code"] is not bool(code)
        yield client


def test_a_password_alone_opens_nothing(server: Background, secret: str) -> None:
    with signed_in(server) as half:
        for path in ("accounts", "audit", "patients", "queues/UMUM", "changes"):
            refused = half.get(path)
            assert refused.status_code == 403, (path, refused.text[:80])
            assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required"), path
        body = {"old_password": "demo", "new_password": "sebuah kalimat panjang"}
        assert half.post("account/password", json=body).json()["code"] == "second_factor_required"
        with later(60) as now:
            assert half.post("account/code", json={"code": "000000"}).status_code == 401
            good = second_factor.code_at(secret, now)
            assert half.post("account/code", json={"code": good}).status_code == 204
            assert half.get("accounts").status_code == 200


def test_a_code_is_taken_once_and_one_of_before_never(server: Background, secret: str) -> None:
    with later(90) as now:
        code = second_factor.code_at(secret, now)
        with signed_in(server, code):
            pass
        for again in (code, second_factor.code_at(secret, now - 30)):
            body = {"username": "admin", "password": "demo", "code": again}
            assert httpx.post(f"{server.url}/api/v1/tokens", json=body).status_code == 401
    with connection():
        failed = AuditEvent.select().where(AuditEvent.action == "sign_in_failed").count()
    assert failed == 2


def test_wrong_codes_have_to_wait_as_wrong_passwords_do(server: Background, secret: str) -> None:
    with signed_in(server) as half:
        answers = [half.post("account/code", json={"code": f"{n:06}"}).status_code for n in range(8)]
    assert 429 in answers


def test_another_admin_takes_it_away_and_never_oneself(
    server: Background, admin: Caller, secret: str
) -> None:
    own = admin.delete("accounts/admin/second-factor")
    assert (own.status_code, own.json()["code"]) == (403, "own_second_factor")
    with connection():
        accounts.create_account("rudi", "Rudi", Role.ADMIN, "panjang sekali 1")
    with Caller(server.url, "rudi", "panjang sekali 1") as other:
        assert other.delete("accounts/admin/second-factor").status_code == 204
        watched = other.get("audit", params={"watched": True}).json()
    assert watched[0]["action"] == "second_factor_reset"
    body = {"username": "admin", "password": "demo"}
    assert httpx.post(f"{server.url}/api/v1/tokens", json=body).json()["account"]["needs_code"] is False
    assert audit_check.verify().problems == []


def test_only_admin_and_supervisor_have_one(clerk: Caller) -> None:
    assert clerk.post("account/second-factor").status_code == 403


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, for SHA-1, cut to six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    expected = {
        59: "287082",
        1111111109: "081804",
        1111111111: "050471",
        1234567890: "005924",
        2000000000: "279037",
    }
    assert {at: second_factor.code_at(secret, at) for at in expected} == expected


def test_a_secret_that_is_none_is_refused(admin: Caller) -> None:
    for wrong in ("A" * 31 + "1", "A" * 16, "A" * 33):
        answer = admin.put("account/second-factor", json={"secret": wrong, "code": "000000"})
        assert answer.json()["fields"] == {"secret": "format"}
    with connection():
        assert Account.get(Account.username == "admin").second_factor is None
