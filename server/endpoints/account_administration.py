"""Accounts for the admin: who may sign in, as what, with which keys, and who is signed in."""

from __future__ import annotations

from fastapi import Response

from core.accounts import second_factor, sign_ins
from core.accounts import service as accounts
from core.accounts.key_proofs import fingerprint
from core.foundation.clinic import Clinic
from core.foundation.database import connection
from core.foundation.errors import ValidationError
from core.foundation.permissions import actor_of
from core.models import Account, AccountKey
from core.schemas.accounts import AccountEdit, AccountRow, KeyOut, NewAccount, NewKey, NewPassword, SignInOut
from server.resources import resource
from server.security import AdminNow, ClinicNow

router = resource("accounts", "/accounts")


def _row(account: Account) -> AccountRow:
    shown = actor_of(account).shape().model_dump()
    return AccountRow(**shown, created_at=account.created_at, disabled_at=account.disabled_at)


def _key(key: AccountKey) -> KeyOut:
    return KeyOut(
        id=key.id, label=key.label, fingerprint=fingerprint(key.public_key), created_at=key.created_at
    )


def _codes(clinic: Clinic, clusters: list[str]) -> list[str]:
    """Return the clusters as they are written.

    Raises:
        ValidationError: `clusters`: `unknown`.
    """
    codes = [code.upper() for code in clusters]
    if any(code not in clinic.clusters for code in codes):
        raise ValidationError({"clusters": "unknown"})
    return codes


@router.get("")
def list_accounts(actor: AdminNow) -> list[AccountRow]:
    """Return all accounts, by user name."""
    with connection():
        return [_row(account) for account in accounts.list_accounts()]


@router.post("", status_code=201)
def add_account(body: NewAccount, actor: AdminNow, clinic: ClinicNow) -> AccountRow:
    """Add an account, whose first sign-in has to choose another password.

    Args:
        body: What is asked for.
        actor: Who asks.
        clinic: The clinic.
    """
    with connection():
        added = accounts.create_account(
            body.username, body.name, body.role, body.password, _codes(clinic, body.clusters),
            by=actor, must_change=True,
        )  # fmt: skip
        return _row(added)


@router.patch("/{username}")
def edit_account(username: str, body: AccountEdit, actor: AdminNow, clinic: ClinicNow) -> AccountRow:
    """Change name, role or clusters; another role or other clusters end the sign-ins.

    Args:
        username: User name of the account.
        body: What is asked for.
        actor: Who asks.
        clinic: The clinic.
    """
    with connection():
        clusters = None if body.clusters is None else _codes(clinic, body.clusters)
        edited = accounts.edit_account(username, name=body.name, role=body.role, clusters=clusters, by=actor)
        return _row(edited)


@router.post("/{username}/disable", status_code=204)
def disable(username: str, actor: AdminNow) -> Response:
    """Bar an account; its sign-ins end."""
    with connection():
        accounts.disable(username, actor)
    return Response(status_code=204)


@router.post("/{username}/enable", status_code=204)
def enable(username: str, actor: AdminNow) -> Response:
    """Let a disabled account sign in again."""
    with connection():
        accounts.enable(username, actor)
    return Response(status_code=204)


@router.post("/{username}/password", status_code=204)
def reset_password(username: str, body: NewPassword, actor: AdminNow) -> Response:
    """Give a password that the next sign-in has to change; the sign-ins end.

    Args:
        username: User name of the account.
        body: What is asked for.
        actor: Who asks.
    """
    with connection():
        accounts.set_password(username, body.password, actor, must_change=True)
    return Response(status_code=204)


@router.delete("/{username}/second-factor", status_code=204)
def reset_second_factor(username: str, actor: AdminNow) -> Response:
    """Take another person's second factor away, whose telephone is lost."""
    with connection():
        second_factor.reset(actor, username)
    return Response(status_code=204)


@router.get("/{username}/keys")
def keys(username: str, actor: AdminNow) -> list[KeyOut]:
    """Return the SSH keys that sign an account in."""
    with connection():
        return [_key(key) for key in accounts.keys_of(username)]


@router.post("/{username}/keys", status_code=201)
def add_key(username: str, body: NewKey, actor: AdminNow) -> KeyOut:
    """Let an SSH key sign an account in.

    Args:
        username: User name of the account.
        body: What is asked for.
        actor: Who asks.
    """
    with connection():
        return _key(accounts.add_key(username, body.public_key, body.label, actor))


@router.delete("/{username}/keys/{key_id}", status_code=204)
def remove_key(username: str, key_id: str, actor: AdminNow) -> Response:
    """Let a key sign nobody in any longer; sign-ins by key end.

    Args:
        username: User name of the account.
        key_id: Id of the key.
        actor: Who asks.
    """
    with connection():
        accounts.remove_key(username, key_id, actor)
    return Response(status_code=204)


@router.get("/{username}/sessions")
def sessions(username: str, actor: AdminNow) -> list[SignInOut]:
    """Return the sign-ins of an account that have not ended, newest first."""
    with connection():
        return [
            SignInOut(
                id=token.id,
                created_at=token.created_at,
                expires_at=token.expires_at,
                method=token.method,
                source=token.source,
                is_this=token.id == actor.session_id,
            )
            for token in sign_ins.live_sessions(accounts.get_account(username))
        ]


@router.delete("/{username}/sessions", status_code=204)
def end_sessions(username: str, actor: AdminNow) -> Response:
    """End all sign-ins of an account."""
    with connection():
        sign_ins.end_every_session(accounts.get_account(username), actor)
    return Response(status_code=204)


@router.delete("/{username}/sessions/{session_id}", status_code=204)
def end_session(username: str, session_id: str, actor: AdminNow) -> Response:
    """End one sign-in.

    Args:
        username: User name of the account.
        session_id: Id of the sign-in.
        actor: Who asks.
    """
    with connection():
        sign_ins.end_session(accounts.get_account(username), session_id, actor)
    return Response(status_code=204)
