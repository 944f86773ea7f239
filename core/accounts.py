"""Who may sign in: accounts, their passwords and keys, and the tokens they are given."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from core import audit, clock
from core.actors import Actor, actor_of
from core.database import connection, transaction
from core.errors import (
    NotFoundError,
    NotSignedInError,
    TooManyAttemptsError,
    ValidationError,
)
from core.identifiers import new_id, new_secret
from core.identity import Outcome, check_nik
from core.models import Account, AccountKey, Token
from core.schemas.accounts import AccountShape
from core.vocabulary import Permission as P
from core.vocabulary import Role

ATTEMPTS = 5
"""Failed sign-ins of one name before it has to wait."""
LOCKOUT = timedelta(minutes=1)
"""The wait. Counted per name, not per address: one clinic's counters share an address."""

MIN_PASSWORD = 8
SYSTEM_USERNAME = "system"

_hasher = PasswordHasher()
_dummy_hash = _hasher.hash("nobody has this password")


def choose_service_point(actor: Actor, service_point: str) -> AccountShape:
    """Remember the room where somebody calls patients from now on; empty: the cluster's own.

    Raises:
        NotAllowedError: The role works no queue.
    """
    actor.require(P.WORK_QUEUE)
    with transaction():
        Account.update(service_point=service_point).where(Account.id == actor.account_id).execute()
    return actor_of(Account.get_by_id(actor.account_id)).shape()


def system_actor(origin: str = "job") -> Actor:
    """The account under which jobs and commands act; it cannot sign in."""
    account = Account.get_or_none(Account.username == SYSTEM_USERNAME)
    if account is None:
        account = Account.create(
            id=new_id(),
            username=SYSTEM_USERNAME,
            name="Loket",
            role=Role.ADMIN,
            password_hash="!",
            created_at=clock.now(),
            disabled_at=clock.now(),
        )
    return actor_of(account, origin)


def create_account(
    username: str,
    name: str,
    role: Role,
    password: str,
    clusters: Sequence[str] = (),
    *,
    by: Actor | None = None,
    check_password: bool = True,
) -> Account:
    """Make an account.

    Raises:
        ValidationError: `username` (`required`, `taken`) or `password` (`too_short`).
    """
    username = username.strip().lower()
    problems = {}
    if not username or not username.isascii() or not username.replace("-", "").replace(".", "").isalnum():
        problems["username"] = "required"
    if check_password and len(password) < MIN_PASSWORD:
        problems["password"] = "too_short"
    if problems:
        raise ValidationError(problems)
    with transaction():
        if Account.select().where(Account.username == username).exists():
            raise ValidationError({"username": "taken"})
        account: Account = Account.create(
            id=new_id(),
            username=username,
            name=name.strip() or username,
            role=role,
            clusters=list(clusters),
            password_hash=_hasher.hash(password),
            created_at=clock.now(),
        )
        audit.record(by, "account_created", "account", account.id, role=role)
    return account


def get_account(username: str) -> Account:
    """An account by name.

    Raises:
        NotFoundError: There is none.
    """
    account: Account | None = Account.get_or_none(Account.username == username.strip().lower())
    if account is None:
        raise NotFoundError("account", username)
    return account


def list_accounts() -> list[Account]:
    """All accounts but the system's own, by name."""
    return list(Account.select().where(Account.username != SYSTEM_USERNAME).order_by(Account.username))


def _end_sign_ins(account: Account) -> None:
    Token.update(revoked_at=clock.now()).where(Token.account == account, Token.revoked_at.is_null()).execute()


def disable(username: str, by: Actor | None = None) -> None:
    """Bar an account from now on; its tokens end."""
    account = get_account(username)
    with transaction():
        account.disabled_at = clock.now()
        account.save()
        _end_sign_ins(account)
        audit.record(by, "account_disabled", "account", account.id)


def set_password(username: str, password: str, by: Actor | None = None) -> None:
    """Replace a password; every sign-in of the account ends.

    Raises:
        ValidationError: `password` is too short.
    """
    if len(password) < MIN_PASSWORD:
        raise ValidationError({"password": "too_short"})
    account = get_account(username)
    with transaction():
        account.password_hash = _hasher.hash(password)
        account.save()
        _end_sign_ins(account)
        audit.record(by, "password_set", "account", account.id)


def set_practitioner_nik(username: str, nik: str, by: Actor | None = None) -> None:
    """Note the NIK by which SATUSEHAT knows somebody; empty takes it away.

    Raises:
        ValidationError: `nik`: not one.
    """
    account = get_account(username)
    value = ""
    if nik.strip():
        check = check_nik(nik, today=clock.now().date())
        if check.outcome is Outcome.REJECT:
            raise ValidationError({"nik": check.findings[0].code})
        value = check.value
    with transaction():
        account.practitioner_nik = value or None
        account.save()
        audit.record(by, "practitioner_nik_set", "account", account.id)


def add_key(username: str, public_key: str, label: str = "", by: Actor | None = None) -> AccountKey:
    """Let an SSH public key sign an account in.

    Raises:
        ValidationError: Not an OpenSSH public key, or one already in use.
    """
    key = normalise_key(public_key)
    account = get_account(username)
    with transaction():
        if AccountKey.select().where(AccountKey.public_key == key).exists():
            raise ValidationError({"public_key": "taken"})
        added: AccountKey = AccountKey.create(
            id=new_id(), account=account, public_key=key, label=label, created_at=clock.now()
        )
        audit.record(by, "key_added", "account", account.id)
    return added


def normalise_key(public_key: str) -> str:
    """`ssh-ed25519 AAAA...` without options and comment.

    Raises:
        ValidationError: That is not what it looks like.
    """
    words = public_key.split()
    if (
        len(words) < 2
        or not words[0].startswith(("ssh-", "ecdsa-", "sk-"))
        or not words[1].startswith("AAAA")
    ):
        raise ValidationError({"public_key": "format"})
    return f"{words[0]} {words[1]}"


class Attempts:
    """Failed sign-ins per name and password to be guessed, in memory: a restart forgives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: dict[str, tuple[int, datetime]] = {}

    def check(self, tried: str) -> None:
        """Let another try be made.

        Raises:
            TooManyAttemptsError: Not before some seconds have passed.
        """
        with self._lock:
            count, last = self._failed.get(tried, (0, clock.now()))
        left = last + LOCKOUT - clock.now()
        # More than the whole wait is left only when the clock was set back.
        if count >= ATTEMPTS and timedelta(0) < left <= LOCKOUT:
            raise TooManyAttemptsError(max(1, round(left.total_seconds())))

    def failed(self, tried: str) -> None:
        """Count one more."""
        with self._lock:
            if len(self._failed) > 10_000:  # names made up by a scanner must not fill the memory
                self._failed.clear()
            count, _ = self._failed.get(tried, (0, clock.now()))
            self._failed[tried] = (count + 1, clock.now())

    def forget(self, tried: str) -> None:
        """Begin anew after a success."""
        with self._lock:
            self._failed.pop(tried, None)


_attempts = Attempts()


def _verified(username: str, password: str) -> Account:
    username = username.strip().lower()
    account = Account.get_or_none(Account.username == username)
    # By the hash: a new password, set by a command in another process, ends the waiting.
    tried = account.password_hash if account is not None else username
    _attempts.check(tried)
    usable = account is not None and account.disabled_at is None
    try:
        # An unknown name costs as much time as a wrong password.
        _hasher.verify(account.password_hash if account is not None and usable else _dummy_hash, password)
    except VerificationError:
        usable = False
    if account is None or not usable:
        _attempts.failed(tried)
        raise NotSignedInError("wrong name or password")
    _attempts.forget(tried)
    return account


def _issue(account: Account, hours: float, origin: str) -> tuple[str, Token]:
    secret = new_secret()
    with transaction():
        token = Token.create(
            id=new_id(),
            token_hash=_hash(secret),
            account=account,
            created_at=clock.now(),
            expires_at=clock.now() + timedelta(hours=hours),
        )
        audit.record(actor_of(account, origin), "signed_in", "account", account.id)
    return secret, token


def sign_in(username: str, password: str, *, hours: float, origin: str = "") -> tuple[str, Token]:
    """Check a password and issue a bearer token that lasts `hours`.

    Raises:
        NotSignedInError: Name, password or both are wrong, or the account is disabled.
        TooManyAttemptsError: Too many failures of this name within a minute.
    """
    with connection():
        return _issue(_verified(username, password), hours, origin)


def check_password(actor: Actor, password: str) -> None:
    """Unlock an idle terminal.

    Raises:
        NotSignedInError: Wrong password.
        TooManyAttemptsError: Too many tries.
    """
    _verified(actor.username, password)


def key_is_known(username: str, public_key: str) -> bool:
    """Whether this key may sign this account in."""
    return _account_of_key(username, public_key) is not None


def _account_of_key(username: str, public_key: str) -> Account | None:
    key: AccountKey | None = (
        AccountKey.select(AccountKey, Account)
        .join(Account)
        .where(
            AccountKey.public_key == normalise_key(public_key),
            AccountKey.revoked_at.is_null(),
            Account.username == username.strip().lower(),
            Account.disabled_at.is_null(),
        )
        .first()
    )
    return None if key is None else key.account


def sign_in_by_key(
    door: Actor, username: str, public_key: str, *, hours: float, origin: str = ""
) -> tuple[str, Token]:
    """Issue a token for a key whose possession the door has proved.

    Raises:
        NotAllowedError: The caller is no door.
        NotSignedInError: The key is not the account's.
    """
    door.require(P.OPEN_DOOR)
    account = _account_of_key(username, public_key)
    if account is None:
        raise NotSignedInError("unknown key")
    return _issue(account, hours, origin)


def authenticate(secret: str, origin: str = "") -> Actor:
    """Who a bearer token stands for.

    Raises:
        NotSignedInError: Unknown, expired or revoked, or the account is disabled.
    """
    token = (
        Token.select(Token, Account)
        .join(Account)
        .where(Token.token_hash == _hash(secret), Token.revoked_at.is_null())
        .first()
    )
    if token is None or token.expires_at <= clock.now():
        raise NotSignedInError("no valid token")
    is_door = token.account.role == Role.DOOR
    if token.account.disabled_at is not None and not is_door:
        raise NotSignedInError("account disabled")
    return actor_of(token.account, origin)


def sign_out(secret: str) -> None:
    """End one token; unknown ones are no error."""
    with transaction():
        Token.update(revoked_at=clock.now()).where(Token.token_hash == _hash(secret)).execute()


def issue_door_token(days: int = 3650) -> str:
    """A credential for an SSH door: it may turn proved keys into tokens and read the feed."""
    with transaction():
        account = Account.get_or_none(Account.username == "door")
        if account is None:
            account = Account.create(
                id=new_id(),
                username="door",
                name="SSH",
                role=Role.DOOR,
                password_hash="!",
                created_at=clock.now(),
                disabled_at=clock.now(),  # no password will ever sign it in
            )
    return _issue(account, days * 24, "door")[0]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
