"""Signing in and out: bearer tokens, and telling every seat when one of them ends."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import peewee

from core.accounts import guessing, key_proofs, passwords, second_factor
from core.accounts.key_proofs import KeyProofGiven
from core.foundation import audit, clock, feed
from core.foundation.codes import OWN_CREDENTIAL, Permission
from core.foundation.database import connection, transaction
from core.foundation.errors import NotFoundError, NotSignedInError
from core.foundation.identifiers import new_id, new_secret
from core.foundation.permissions import Actor, actor_of
from core.foundation.statements import Statement, as_row, given
from core.models import Account, AccountKey, Token

ENDED = "account_ended"
"""Kind of the change that tells every seat of an account that sign-ins of it have ended."""
AHEAD = timedelta(hours=2)
"""Lead that a clock may have before the sign-ins of that time end: a wrong zone throws nobody out."""
PASSWORD, KEY, DOOR = "password", "key", "door"


def is_known_source(username: str, source: str) -> bool:
    """Return whether an address has signed in as this account lately.

    Raises:
        TooManyAttemptsError: This name has to wait at this address; no time is spent on the password.
    """
    username = username.strip().lower()
    guess = guessing.of_account(_account(username), username, source)
    guessing.check(guess)
    return guess.is_known


def _account(username: str) -> Account | None:
    account: Account | None = Account.get_or_none(Account.username == username)
    return account


def _verified(username: str, password: str, source: str) -> tuple[Account, guessing.Guess]:
    username = username.strip().lower()
    account = _account(username)
    guess = guessing.of_account(account, username, source)
    guessing.check(guess)
    is_usable = account is not None and account.disabled_at is None
    # An unknown name costs as much time as a wrong password.
    password_hash = account.password_hash if account is not None and is_usable else passwords.dummy_hash
    if not passwords.fits(password_hash, password) or account is None or not is_usable:
        guessing.failed(guess)
        raise NotSignedInError("wrong name or password")
    return account, guess


def _issue(
    account: Account,
    hours: float,
    *,
    origin: str,
    source: str,
    method: str,
    is_proven: bool = False,
    **about: str,
) -> tuple[str, Token]:
    secret = new_secret()
    now = clock.now()
    token = Token.create(
        id=new_id(),
        token_hash=hash_of(secret),
        account=account,
        created_at=now,
        expires_at=now + timedelta(hours=hours),
        method=method,
        source=source[:64],
        needs_code=account.second_factor is not None and not is_proven,
        **about,
    )
    audit.record(actor_of(account, origin), "signed_in", "account", account.id, method=method)
    return secret, token


def sign_in(
    username: str, password: str, *, hours: float, origin: str = "", source: str = "", code: str = ""
) -> tuple[str, Token]:
    """Check a password and issue a bearer token; one without the code of a second factor waits for it.

    Args:
        username: As typed.
        password: As typed.
        hours: Life of the token.
        origin: Terminal or address, for the audit log.
        source: The address alone, by which guesses are counted.
        code: Code of the second factor, where the account has one.

    Returns:
        The token's secret, and its row.

    Raises:
        NotSignedInError: Code, name, password or both are wrong, or the account is disabled.
        TooManyAttemptsError: Too many wrong guesses.
    """
    with connection():
        account, guess = _verified(username, password, source)
        is_proven = bool(code and account.second_factor)
        if is_proven and not second_factor.take(account, code):
            guessing.failed(guess)
            raise NotSignedInError("wrong code")
        with transaction():
            _require_unchanged(account)
            guessing.succeeded(guess)
            return _issue(account, hours, origin=origin, source=source, method=PASSWORD, is_proven=is_proven)


def _require_unchanged(account: Account) -> None:
    """Refuse an account that was disabled, or got another password, while this one was checked."""
    now = Account.get_by_id(account.id)
    if now.disabled_at is not None or now.password_hash != account.password_hash:
        raise NotSignedInError("changed meanwhile")


def check_password(actor: Actor, password: str, source: str = "") -> None:
    """Check the password of somebody who is signed in: to unlock a terminal, or to choose a new password.

    Args:
        actor: Who.
        password: As typed.
        source: Address of the person, by which guesses are counted.

    Raises:
        NotSignedInError: Wrong password.
        TooManyAttemptsError: Too many wrong guesses.
    """
    _, guess = _verified(actor.username, password, source)
    with transaction():
        guessing.succeeded(guess)
        audit.record(actor, "password_checked", "account", actor.account_id)


def key_is_known(username: str, public_key: str) -> bool:
    """Return whether this key may sign this account in."""
    return _account_of_key(username, public_key) is not None


def _account_of_key(username: str, public_key: str) -> Account | None:
    key: AccountKey | None = (
        AccountKey.select(AccountKey, Account)
        .join(Account)
        .where(
            AccountKey.public_key == key_proofs.normalise_key(public_key),
            AccountKey.revoked_at.is_null(),
            Account.username == username.strip().lower(),
            Account.disabled_at.is_null(),
        )
        .first()
    )
    return None if key is None else key.account


def sign_in_by_key(
    door: Actor,
    username: str,
    public_key: str,
    proof: KeyProofGiven,
    *,
    hours: float,
    origin: str = "",
    source: str = "",
) -> tuple[str, Token]:
    """Issue a token to whoever proves to hold a key of the account.

    Args:
        door: Actor of the SSH door.
        username: The account's.
        public_key: The key.
        proof: What the person's client has signed; accepted once.
        hours: Life of the token.
        origin: Terminal or address, for the audit log.
        source: The address alone.

    Returns:
        The token's secret, and its row.

    Raises:
        NotAllowedError: The caller is no door.
        NotSignedInError: The key is not the account's, or the signature does not fit or was used before.
    """
    door.require(Permission.OPEN_DOOR)
    with transaction():
        account = _account_of_key(username, public_key)
        if account is None:
            raise NotSignedInError("unknown key")
        key_proofs.accept(proof, username, public_key)
        guessing.succeeded(guessing.of_subject(account.id, source))
        return _issue(account, hours, origin=origin, source=source, method=KEY)


def authenticate(secret: str, origin: str = "", source: str | None = None) -> Actor:
    """Return the actor of a bearer token.

    Args:
        secret: The token.
        origin: Terminal or address, for the audit log.
        source: Address of the caller, for tokens that are bound to one; None: not looked at.

    Raises:
        NotSignedInError: Unknown, expired or revoked, or the account is disabled.
    """
    token = live_token(secret)
    if source is not None and token.bound_to and token.bound_to != source:
        raise NotSignedInError("bound to another address")
    return actor_for(token, origin)


def actor_for(token: Token, origin: str = "") -> Actor:
    """Return the actor of a sign-in; one by key needs no password, and so no better one."""
    actor = actor_of(token.account, origin)
    must_change = actor.must_change_password and token.method == PASSWORD
    return replace(actor, session_id=token.id, must_change_password=must_change, needs_code=token.needs_code)


def live_token(secret: str) -> Token:
    """Return the row of a token that is good now.

    Raises:
        NotSignedInError: Unknown, expired or revoked, or the account is disabled.
    """
    token = _token_of(hash_of(secret))
    if token is None or token.expires_at <= clock.now():
        raise NotSignedInError("no valid token")
    is_machine = token.account.role in OWN_CREDENTIAL
    # A door gets another credential by itself, and is not left outside meanwhile.
    if is_unreal(token) and not is_machine:
        raise NotSignedInError("made by a clock that ran ahead")
    if token.account.disabled_at is not None and not is_machine:
        raise NotSignedInError("account disabled")
    return token


_TOKEN_COLUMNS = tuple(Token._meta.sorted_field_names)
_ACCOUNT_COLUMNS = tuple(Account._meta.sorted_field_names)
_TOKEN = Statement(
    lambda: (
        Token.select(Token, Account)
        .join(Account)
        .where(Token.token_hash == given("hash"), Token.revoked_at.is_null())
    )
)


def _token_of(token_hash: str) -> Token | None:
    """Return the row of a token that was not revoked, with its account."""
    cells = _TOKEN.first(hash=token_hash)
    if cells is None:
        return None
    token = as_row(Token, _TOKEN_COLUMNS, cells[: len(_TOKEN_COLUMNS)])
    token.account = as_row(Account, _ACCOUNT_COLUMNS, cells[len(_TOKEN_COLUMNS) :])
    return token


def is_unreal(token: Token) -> bool:
    """Return whether a token was made by a clock that ran ahead by more than `AHEAD`: it would be good for too long."""
    return token.created_at > clock.now() + AHEAD


def end_unreal() -> int:
    """Revoke the sign-ins that a clock that ran ahead has made, so that they are not good again when their time comes.

    Returns:
        Number of sign-ins revoked.
    """
    with transaction():
        found = unreal()
        for token in found:
            _revoke([token], "ended")
    return len(found)


def unreal() -> list[Token]:
    """Return the sign-ins that a clock that ran ahead has made and that are not ended; a door's credential is renewed apart."""
    ahead = Token.select(Token, Account).join(Account)
    return list(
        ahead.where(
            Token.revoked_at.is_null(),
            Token.created_at > clock.now() + AHEAD,
            Account.role.not_in(OWN_CREDENTIAL),
        )
    )


def sign_out(secret: str, origin: str = "") -> None:
    """Revoke one token; an unknown one is no error."""
    with transaction():
        token = Token.get_or_none(Token.token_hash == hash_of(secret), Token.revoked_at.is_null())
        if token is None:
            return
        _revoke([token], "signed_out")
        audit.record(actor_of(token.account, origin), "signed_out", "account", token.account_id)


def end_all(account: Account, why: str, *, but: str = "", method: str = "") -> None:
    """End all sign-ins of an account; in the caller's transaction.

    Args:
        account: The account.
        why: `disabled`, `password`, `role`, `key` or `ended`.
        but: Id of a sign-in that goes on.
        method: Only sign-ins by this method; empty: all.
    """
    tokens = [token for token in live_sessions(account) if token.id != but and method in {"", token.method}]
    _revoke(tokens, why)


def live_count() -> int:
    """Return the number of sign-ins of people that have not ended."""
    live = (
        Token.select()
        .join(Account)
        .where(
            Token.revoked_at.is_null(), Token.expires_at > clock.now(), Account.role.not_in(OWN_CREDENTIAL)
        )
    )
    return int(live.count())


def live_sessions(account: Account) -> list[Token]:
    """Return the sign-ins of an account that have not ended, the newest first."""
    return list(_live(account).order_by(Token.created_at.desc()))


def _live(account: Account) -> peewee.ModelSelect[Token]:
    return Token.select().where(
        Token.account == account, Token.revoked_at.is_null(), Token.expires_at > clock.now()
    )


def end_session(account: Account, session_id: str, by: Actor | None) -> None:
    """End one sign-in of an account.

    Args:
        account: The account.
        session_id: Id of the sign-in.
        by: Actor of the audit event; None for a command.

    Raises:
        NotFoundError: It has ended, or is another account's.
    """
    with transaction():
        token = _live(account).where(Token.id == session_id).first()
        if token is None:
            raise NotFoundError("session", session_id)
        _revoke([token], "ended")
        audit.record(by, "session_ended", "account", account.id)


def end_every_session(account: Account, by: Actor | None) -> None:
    """End all sign-ins of an account."""
    with transaction():
        end_all(account, "ended")
        audit.record(by, "sessions_ended", "account", account.id)


def _revoke(tokens: Sequence[Token], why: str) -> None:
    """Revoke tokens of one account and tell every seat; in the caller's transaction."""
    if not tokens:
        return
    ids = [token.id for token in tokens]
    Token.update(revoked_at=clock.now()).where(Token.id.in_(ids)).execute()
    feed.append(ENDED, account=tokens[0].account_id, sessions=ids, why=why)


def hash_of(secret: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(secret.encode()).hexdigest()
