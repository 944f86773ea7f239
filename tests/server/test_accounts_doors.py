"""Doors: a key signs in only who proves to hold it, and a door's credential alone signs in nobody."""

from __future__ import annotations

import base64
import stat
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.accounts import doors
from core.accounts import service as accounts
from core.daily.backup import home_files
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection
from core.models import AuditEvent
from server import first_start
from server.run import Background
from tests.people import Caller

SESSION = b"session of one connection, 32 b."


def text(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def public_line(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def number(value: int) -> bytes:
    return text(value.to_bytes(value.bit_length() // 8 + 1, "big"))


def signature_of(key: Any, data: bytes) -> tuple[bytes, bytes]:
    """The algorithm, and its signature as SSH sends it."""
    if isinstance(key, Ed25519PrivateKey):
        return b"ssh-ed25519", key.sign(data)
    if isinstance(key, rsa.RSAPrivateKey):
        return b"rsa-sha2-256", key.sign(data, padding.PKCS1v15(), SHA256())
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
    return b"ecdsa-sha2-nistp256", number(r) + number(s)


def proof(key: Any, username: str, session: bytes = SESSION) -> dict[str, str]:
    """What the client of somebody who holds the key sends."""
    blob = base64.b64decode(public_line(key).split()[1])
    algorithm = signature_of(key, b"")[0]
    signed = (
        b"\x32" + text(username.encode()) + text(b"ssh-connection") + text(b"publickey")
        + b"\x01" + text(algorithm) + text(blob)
    )  # fmt: skip
    signature = text(algorithm) + text(signature_of(key, text(session) + signed)[1])
    parts = {"session_id": session, "signed": signed, "signature": signature}
    return {name: base64.b64encode(part).decode() for name, part in parts.items()}


class Door(httpx.Client):
    """A door's own calls."""

    def __init__(self, url: str, secret: str) -> None:
        super().__init__(base_url=f"{url}/api/v1/", headers={"Authorization": f"Bearer {secret}"}, timeout=30)

    def sign_in(self, username: str, key: Any, given: dict[str, str] | None) -> httpx.Response:
        body = {"username": username, "public_key": public_line(key)}
        return self.post("door/tokens", json=body if given is None else {**body, "proof": given})


@pytest.fixture
def door(server: Background, settings: Settings) -> Door:
    return Door(server.url, settings.door_token_file.read_text().strip())


KEYS = {
    "ed25519": Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "nistp256": lambda: ec.generate_private_key(ec.SECP256R1()),
}


@pytest.mark.parametrize("kind", KEYS)
def test_who_proves_to_hold_a_key_is_signed_in_once(door: Door, clerk: Caller, kind: str) -> None:
    key = KEYS[kind]()
    accounts.add_key("dentist", f"{public_line(key)} maya@laptop")
    shown = proof(key, "dentist")
    token = door.sign_in("dentist", key, shown)
    assert token.json()["account"]["username"] == "dentist"
    assert door.sign_in("dentist", key, shown).status_code == 401  # the same again
    assert door.sign_in("dentist", key, proof(key, "dentist", b"another session")).status_code == 201
    assert clerk.post("door/tokens", json={
        "username": "dentist", "public_key": public_line(key), "proof": proof(key, "dentist", b"a third")
    }).status_code == 403  # fmt: skip


def test_a_public_key_alone_signs_nobody_in(door: Door) -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    accounts.add_key("admin", public_line(key))
    accounts.add_key("dentist", public_line(other))
    assert door.sign_in("admin", key, None).status_code == 422
    for_dentist = proof(other, "dentist")
    forged = proof(key, "admin") | {"signature": proof(other, "admin")["signature"]}
    another_name = proof(key, "dentist")
    cut = {name: value[:-8] for name, value in proof(key, "admin").items()}
    empty = proof(key, "admin", b"")
    for given in (
        for_dentist,
        forged,
        another_name,
        cut,
        empty,
        dict.fromkeys(cut, "AAAA"),
        dict.fromkeys(cut, "?"),
    ):
        assert door.sign_in("admin", key, given).status_code in {401, 422}, given


def test_a_door_asks_about_keys_and_reads_no_patients(door: Door, settings: Settings) -> None:
    key = Ed25519PrivateKey.generate()
    accounts.add_key("dentist", public_line(key))
    assert stat.S_IMODE(settings.door_token_file.stat().st_mode) == 0o600
    body = {"username": "dentist", "public_key": public_line(key)}
    assert door.post("door/keys/check", json=body).json() == {"known": True}
    assert door.post("door/keys/check", json={**body, "username": "doctor"}).json() == {"known": False}
    assert door.get("patients", params={"q": "a"}).status_code == 403


def test_a_removed_key_signs_nobody_in(door: Door) -> None:
    key = Ed25519PrivateKey.generate()
    accounts.add_key("dentist", public_line(key), "laptop")
    token = door.sign_in("dentist", key, proof(key, "dentist")).json()["token"]
    accounts.remove_key("dentist", "laptop")
    assert door.sign_in("dentist", key, proof(key, "dentist", b"later")).status_code == 401
    assert door.get("accounts/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    accounts.add_key("doctor", public_line(key))
    assert door.sign_in("doctor", key, proof(key, "doctor")).status_code == 201


def test_each_door_has_a_credential_that_ends_and_can_be_revoked(server: Background) -> None:
    with connection():
        first, second = Door(server.url, doors.add("lobby")), Door(server.url, doors.add("back"))
        elsewhere = Door(server.url, doors.add("elsewhere", address="10.9.9.9"))
    assert [each.get("clusters").status_code for each in (first, second, elsewhere)] == [200, 200, 401]
    with connection():
        doors.revoke("lobby")
    assert [each.get("clusters").status_code for each in (first, second)] == [401, 200]
    later = clock.now() + timedelta(days=91)
    with clock.frozen(lambda: later):
        assert second.get("clusters").status_code == 401


def test_the_servers_own_door_gets_another_credential_before_the_old_one_ends(
    server: Background, settings: Settings
) -> None:
    file = settings.door_token_file
    before = file.read_text()
    clinic = Clinic.open(settings)
    with connection():
        first_start.renew_door_token(clinic)
    assert file.read_text() == before
    later = clock.now() + timedelta(days=50)
    with clock.frozen(lambda: later), connection():
        first_start.renew_door_token(clinic)
        assert file.read_text() != before
        assert (
            Door(server.url, before.strip()).get("clusters").status_code == 200
        )  # the door reads the new one soon
        assert Door(server.url, file.read_text().strip()).get("clusters").status_code == 200


def test_no_backup_holds_a_doors_credential(settings: Settings) -> None:
    assert settings.door_token_file.exists()
    assert "home/door.token" not in [name for _, name in home_files.files_of(settings.home)]


def test_nobody_makes_a_door_that_signs_in_by_password(server: Background) -> None:
    from core.foundation.codes import Role
    from core.foundation.errors import ValidationError

    with connection(), pytest.raises(ValidationError, match="role"):
        accounts.create_account("x", "", Role.DOOR, "gerbong hijau sepeda")


def test_only_a_door_says_where_somebody_sits(server: Background, settings: Settings) -> None:
    """Anybody may write a header; only one with a door's credential is believed."""
    said = {"X-Loket-Origin": "ssh 10.9.9.9"}
    door = {"X-Loket-Door": settings.door_token_file.read_text().strip()}

    def origin_of(headers: dict[str, Any]) -> str:
        body = {"username": "clerk", "password": "demo"}
        assert (
            httpx.post(f"{server.url}/api/v1/tokens", json=body, headers=headers, timeout=60).status_code
            == 201
        )
        return AuditEvent.select().where(AuditEvent.action == "signed_in").order_by(
            AuditEvent.sequence.desc()
        ).get().origin  # fmt: skip

    assert origin_of(said) == "127.0.0.1"
    assert origin_of(said | {"X-Loket-Door": "x"}) == "127.0.0.1"
    assert origin_of(said | door) == "127.0.0.1 ssh 10.9.9.9"
    assert origin_of({"X-Loket-Origin": b"ssh \x9b10.9.9.9"} | door) == "127.0.0.1"
