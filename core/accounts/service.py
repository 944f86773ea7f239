"""Accounts: who may sign in, as what, with which password and keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.accounts import guessing, passwords, sign_ins
from core.accounts.key_proofs import normalise_key
from core.foundation import audit, clock
from core.foundation.codes import MACHINE_ROLES, OWN_CREDENTIAL, Permission, Role
from core.foundation.database import transaction
from core.foundation.errors import NotFoundError, NotSignedInError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import SYSTEM_USERNAME, Actor, actor_of
from core.models import Account, AccountKey
from core.patients.national_ids import Outcome, check_nik
from core.schemas.accounts import AccountOut

NO_PASSWORD_NEEDED = MACHINE_ROLES
"""Roles of machines: nobody sits there who could choose another password at the first sign-in."""


def choose_service_point(actor: Actor, service_point: str) -> AccountOut:
    """Store the room to which the actor calls patients from now on; empty: the cluster's own.

    Raises:
        NotAllowedError: The role works no queue.
    """
    actor.require(Permission.WORK_QUEUE)
    with transaction():
        Account.update(service_point=service_point).where(Account.id == actor.account_id).execute()
    return actor_of(Account.get_by_id(actor.account_id)).shape()


def system_actor(origin: str = "job") -> Actor:
    """Return the account under which jobs and commands act; it cannot sign in."""
    account = Account.get_or_none(Account.username == SYSTEM_USERNAME)
    if account is None:
        with transaction():
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
    must_change: bool = False,
) -> Account:
    """Create an account.

    Args:
        username: ASCII letters, digits, dots and dashes; stored in lower case.
        name: As shown; the username where empty.
        role: The role with its permissions.
        password: In clear; only its hash is stored.
        clusters: Codes of the clusters whose queues it works.
        by: Actor of the audit event; None for a command.
        check_password: Refuse a password that others guess.
        must_change: Whether the first sign-in has to choose another password.

    Raises:
        ValidationError: `username` (`required`, `taken`), `password` (`too_short`, `too_common`, `own_name`) or
            `role` (`not_a_choice`).
    """
    username = username.strip().lower()
    problems = {}
    letters = username.replace("-", "").replace(".", "")
    if not (letters.isascii() and letters.isalnum()):
        problems["username"] = "required"
    weakness = passwords.problem_of(password, username, name) if check_password else None
    if weakness is not None:
        problems["password"] = weakness
    if role in OWN_CREDENTIAL:
        problems["role"] = "not_a_choice"  # a machine has a credential of its own, and no password
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
            password_hash=passwords.hasher.hash(password),
            must_change_password=must_change and role not in NO_PASSWORD_NEEDED,
            created_at=clock.now(),
        )
        audit.record(by, "account_created", "account", account.id, username=account.username, role=role)
    return account


def get_account(username: str) -> Account:
    """Return an account by name.

    Raises:
        NotFoundError: There is no such account.
    """
    account: Account | None = Account.get_or_none(Account.username == username.strip().lower())
    if account is None:
        raise NotFoundError("account", username)
    return account


def list_accounts() -> list[Account]:
    """Return all accounts but the system's own, by name."""
    return list(Account.select().where(Account.username != SYSTEM_USERNAME).order_by(Account.username))


def edit_account(
    username: str,
    *,
    name: str | None = None,
    role: Role | None = None,
    clusters: Sequence[str] | None = None,
    by: Actor | None = None,
) -> Account:
    """Change what an account is called and may do; another role or other clusters end its sign-ins.

    Args:
        username: The account's.
        name: As shown; None keeps it.
        role: None keeps it.
        clusters: Codes; None keeps them.
        by: Actor of the audit event; None for a command.

    Raises:
        NotFoundError: There is no such account.
        ValidationError: `role`: `not_a_choice` for or of a door, `last_admin` when nobody could administer then;
            `account`: `not_a_choice` for the system's own.
    """
    account = get_account(username)
    if account.username == SYSTEM_USERNAME:
        _require_a_person(account)
    wanted: dict[str, Any] = {
        "name": account.name if name is None else (name.strip() or account.name),
        "role": account.role if role is None else role,
        "clusters": account.clusters if clusters is None else list(clusters),
    }
    with transaction():
        changed = {field: value for field, value in wanted.items() if getattr(account, field) != value}
        if "role" in changed:
            _require_change_of_role(account, Role(wanted["role"]))
        if not changed:
            return account
        audit.about_to_change("account", account.id)
        for field, value in changed.items():
            setattr(account, field, value)
        account.save()
        if changed.keys() & {"role", "clusters"}:
            sign_ins.end_all(account, "role")
        facts = {"username": account.username, **_facts(changed)}
        audit.record(by, "account_edited", "account", account.id, **facts)
    return account


def _facts(changed: dict[str, Any]) -> dict[str, Any]:
    """Return what the audit log says of a change: what was given, and of a name only that it changed."""
    told = {field: value for field, value in changed.items() if field != "name"}
    return told | {"fields": sorted(changed)}


def _require_change_of_role(account: Account, role: Role) -> None:
    if OWN_CREDENTIAL & {role, Role(account.role)}:
        raise ValidationError({"role": "not_a_choice"})
    _require_another_admin(account, "role")


def _require_another_admin(account: Account, field: str) -> None:
    """Refuse to take the last account away that can administer."""
    others = Account.select().where(
        Account.role == Role.ADMIN,
        Account.disabled_at.is_null(),
        Account.username != SYSTEM_USERNAME,
        Account.id != account.id,
    )
    if account.role == Role.ADMIN and account.disabled_at is None and not others.exists():
        raise ValidationError({field: "last_admin"})


def _require_a_person(account: Account) -> None:
    """Refuse the accounts of doors and of the system itself: nobody signs in as them.

    Raises:
        ValidationError: `account`: `not_a_choice`.
    """
    if account.role in OWN_CREDENTIAL or account.username == SYSTEM_USERNAME:
        raise ValidationError({"account": "not_a_choice"})


def disable(username: str, by: Actor | None = None) -> None:
    """Disable an account; its sign-ins end.

    Raises:
        NotFoundError: There is no such account.
        ValidationError: `account`: `last_admin`.
    """
    account = get_account(username)
    with transaction():
        _require_another_admin(account, "account")
        audit.about_to_change("account", account.id)
        account.disabled_at = clock.now()
        account.save()
        sign_ins.end_all(account, "disabled")
        audit.record(by, "account_disabled", "account", account.id, username=account.username)


def enable(username: str, by: Actor | None = None) -> None:
    """Let a disabled account sign in again.

    Raises:
        NotFoundError: There is no such account.
        ValidationError: `account`: `not_a_choice` for a door's or the system's own account.
    """
    account = get_account(username)
    _require_a_person(account)
    with transaction():
        audit.about_to_change("account", account.id)
        account.disabled_at = None
        account.save()
        guessing.forgive(account.id)
        audit.record(by, "account_enabled", "account", account.id, username=account.username)


def set_password(username: str, password: str, by: Actor | None = None, *, must_change: bool = False) -> None:
    """Replace somebody's password; all sign-ins of the account end.

    Args:
        username: The account's.
        password: In clear; only its hash is stored.
        by: Actor of the audit event; None for a command.
        must_change: Whether the next sign-in has to choose another password.

    Raises:
        NotFoundError: There is no such account.
        ValidationError: `password` is one that others guess.
    """
    account = get_account(username)
    passwords.require_good(password, account.username, account.name)
    _require_a_person(account)
    with transaction():
        _store_password(account, password, must_change=must_change)
        sign_ins.end_all(account, "password")
        audit.record(by, "password_set", "account", account.id, username=account.username)


def change_own_password(actor: Actor, old: str, new: str, source: str = "") -> None:
    """Replace one's own password; one's other sign-ins end.

    Args:
        actor: Who.
        old: The password until now.
        new: Only its hash is stored.
        source: Address of the person, by which guesses are counted.

    Raises:
        ValidationError: `old_password`: `wrong`; `new_password`: `too_short`, `too_common`, `own_name` or `same`.
        TooManyAttemptsError: Too many wrong guesses at the old one.
    """
    passwords.require_good(new, actor.username, actor.name, field="new_password")
    if new == old:
        raise ValidationError({"new_password": "same"})
    try:
        sign_ins.check_password(actor, old, source)
    except NotSignedInError:
        raise ValidationError({"old_password": "wrong"}) from None
    account = get_account(actor.username)
    with transaction():
        _store_password(account, new, must_change=False)
        sign_ins.end_all(account, "password", but=actor.session_id)
        audit.record(actor, "password_changed", "account", account.id)


def _store_password(account: Account, password: str, *, must_change: bool) -> None:
    audit.about_to_change("account", account.id)
    account.password_hash = passwords.hasher.hash(password)
    account.must_change_password = must_change and account.role not in NO_PASSWORD_NEEDED
    account.save()
    guessing.forgive(account.id)


def set_practitioner_nik(username: str, nik: str, by: Actor | None = None) -> None:
    """Store the NIK by which SATUSEHAT knows a practitioner; an empty one is removed.

    Args:
        username: The account's.
        nik: National identity number, or empty.
        by: Actor of the audit event; None for a command.

    Raises:
        NotFoundError: There is no such account.
        ValidationError: `nik` is not valid; the code of the first finding.
    """
    account = get_account(username)
    value = ""
    if nik.strip():
        check = check_nik(nik, today=clock.now().date())
        if check.outcome is Outcome.REJECT:
            raise ValidationError({"nik": check.findings[0].code})
        value = check.value
    with transaction():
        audit.about_to_change("account", account.id)
        account.practitioner_nik = value or None
        account.save()
        audit.record(by, "practitioner_nik_set", "account", account.id)


def add_key(username: str, public_key: str, label: str = "", by: Actor | None = None) -> AccountKey:
    """Add an SSH public key that signs an account in.

    Args:
        username: The account's.
        public_key: A line of OpenSSH's `.pub` file.
        label: Name of the key, for people.
        by: Actor of the audit event; None for a command.

    Raises:
        NotFoundError: There is no such account.
        ValidationError: `public_key`: `format`, or `taken`; `account`: `not_a_choice` for a door's or the system's own.
    """
    key = normalise_key(public_key)
    account = get_account(username)
    _require_a_person(account)
    with transaction():
        earlier = AccountKey.get_or_none(AccountKey.public_key == key)
        if earlier is not None and earlier.revoked_at is None:
            raise ValidationError({"public_key": "taken"})
        if earlier is not None:
            audit.about_to_change("account_key", earlier.id)
        added = earlier or AccountKey(id=new_id(), public_key=key)
        added.account, added.label, added.created_at, added.revoked_at = account, label, clock.now(), None
        added.save(force_insert=earlier is None)
        audit.record(by, "key_added", "account_key", added.id, username=account.username)
    return added


def keys_of(username: str) -> list[AccountKey]:
    """Return the keys that sign an account in, the oldest first.

    Raises:
        NotFoundError: There is no such account.
    """
    query = AccountKey.select().where(
        AccountKey.account == get_account(username), AccountKey.revoked_at.is_null()
    )
    return list(query.order_by(AccountKey.created_at))


def remove_key(username: str, key_id: str, by: Actor | None = None) -> None:
    """Let a key sign nobody in any longer; sign-ins by key of the account end.

    Args:
        username: The account's.
        key_id: Id of the key, or its label.
        by: Actor of the audit event; None for a command.

    Raises:
        NotFoundError: There is no such account, or it has no such key.
    """
    account = get_account(username)
    with transaction():
        named = [key for key in keys_of(username) if key_id in {key.id, key.label}]
        if len(named) != 1:
            raise NotFoundError("key", key_id)
        audit.about_to_change("account_key", named[0].id)
        named[0].revoked_at = clock.now()
        named[0].save()
        sign_ins.end_all(account, "key", method=sign_ins.KEY)
        audit.record(by, "key_removed", "account_key", named[0].id, username=account.username)
