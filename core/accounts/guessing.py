"""Wrong guesses: how long who must wait, kept in the database so that a restart forgives nobody.

Failures are counted by account and by the address they came from. An address that has signed in as the
account lately waits for its own failures only: nobody else's can keep it out. All other addresses together
have `STRANGERS_AN_HOUR` guesses an hour, which leaves the known ones their share of `MOST_AN_HOUR`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee

from core.foundation import audit, clock
from core.foundation.database import transaction
from core.foundation.errors import TooManyAttemptsError
from core.foundation.networks import network_of
from core.models import Account, KnownSource, SignInFailure

FREE = 5
"""Failures of one account from one address before it has to wait."""
FIRST_WAIT = timedelta(minutes=1)
"""The wait after that; doubled by each further failure."""
LONGEST_WAIT = timedelta(hours=1)
LONGEST_WAIT_OF_KNOWN = timedelta(minutes=15)
HOUR = timedelta(hours=1)
MOST_AN_HOUR = 100
"""Wrong guesses an hour at one account, from anywhere."""
STRANGERS_AN_HOUR = 60
"""Those of them that addresses may use up which have not signed in as the account lately."""
SOURCE_AN_HOUR = 100
"""Wrong guesses an hour from one address, at accounts which it has not signed in as."""
KEPT = timedelta(days=1)
KNOWN_FOR = timedelta(days=30)
MOST_SOURCES = 10_000
"""Sources that a door is told of."""
REFUSALS_TOLD_EVERY = timedelta(minutes=1)
"""A flood of refused tries is one row a minute in the audit log."""
MOST_TOLD = 1_000

_told: dict[tuple[str, str], datetime] = {}


@dataclass(frozen=True)
class Guess:
    """A try to sign in.

    Attributes:
        subject: The account's id, or a hash of a name that nobody has.
        source: Address it comes from.
        is_known: Whether that address has signed in as this account lately.
        is_counted_together: Whether guesses of strangers, all together, have a bound.
    """

    subject: str
    source: str
    is_known: bool
    is_counted_together: bool = True


def of_account(account: Account | None, username: str, source: str) -> Guess:
    """Return the try of a name, which an account may or may not have.

    Args:
        account: Account of that name, if any.
        username: Name as typed, in small letters.
        source: Address it comes from.
    """
    if account is not None:
        return of_subject(account.id, source)
    return Guess("?" + hashlib.sha256(username.encode()).hexdigest()[:32], network_of(source), is_known=False)


def of_subject(subject: str, source: str, *, counted_together: bool = True) -> Guess:
    """Return the try of somebody who is known by an id.

    Args:
        subject: The id.
        source: Address it comes from.
        counted_together: False where strangers' guesses must never keep the right one out.
    """
    source = network_of(source)
    lately = clock.now() - KNOWN_FOR
    known = (
        KnownSource.select()
        .where(KnownSource.subject == subject, KnownSource.source == source, KnownSource.at > lately)
        .exists()
    )
    return Guess(subject, source, known, counted_together)


def has_signed_in(source: str) -> bool:
    """Return whether any account has signed in from a source lately."""
    lately = clock.now() - KNOWN_FOR
    found = KnownSource.select().where(KnownSource.source == network_of(source), KnownSource.at > lately)
    return bool(found.exists())


def known_sources() -> list[str]:
    """Return the sources that have signed in lately as any account, the latest last."""
    newest = peewee.fn.MAX(KnownSource.at)
    rows = (
        KnownSource.select(KnownSource.source)
        .where(
            KnownSource.at > clock.now() - KNOWN_FOR,
            KnownSource.source != "",
            KnownSource.subject.in_(Account.select(Account.id)),
        )
        .group_by(KnownSource.source)
        .order_by(newest.desc())
        .limit(MOST_SOURCES)
    )
    return [row.source for row in reversed(list(rows))]


def check(guess: Guess) -> None:
    """Let a try pass.

    Raises:
        TooManyAttemptsError: With the seconds left.
    """
    waits = [_own_wait(guess)]
    if guess.is_counted_together:
        bound = MOST_AN_HOUR if guess.is_known else STRANGERS_AN_HOUR
        waits.append(_wait_of(SignInFailure.subject == guess.subject, bound))
    if not guess.is_known:
        waits.append(_wait_of(SignInFailure.source == guess.source, SOURCE_AN_HOUR))
    seconds = max(waits)
    if seconds > 0:
        _tell_refusal(guess)
        raise TooManyAttemptsError(max(1, round(seconds)))


def _own_wait(guess: Guess) -> float:
    """Return the seconds that this address has to wait for its own failures at this account."""
    own = SignInFailure.select().where(
        SignInFailure.subject == guess.subject,
        SignInFailure.source == guess.source,
        SignInFailure.at > clock.now() - KEPT,
    )
    count = own.count()
    if count < FREE:
        return 0.0
    longest = LONGEST_WAIT_OF_KNOWN if guess.is_known else LONGEST_WAIT
    wait = min(FIRST_WAIT * 2 ** min(count - FREE, 10), longest)
    last = own.order_by(SignInFailure.at.desc()).get().at
    left = last + wait - clock.now()
    # More than the whole wait is left only when the clock was set back.
    return left.total_seconds() if left <= wait else 0.0


def _wait_of(those: peewee.Expression, bound: int) -> float:
    """Return the seconds until fewer than `bound` of the failures are younger than an hour."""
    since = clock.now() - HOUR
    query = SignInFailure.select().where(those, SignInFailure.at > since).order_by(SignInFailure.at.desc())
    over = query.offset(bound - 1).limit(1).first()
    return 0.0 if over is None else min((over.at - since).total_seconds(), HOUR.total_seconds())


def failed(guess: Guess) -> None:
    """Count one more, and write it into the audit log: without the name where nobody has it."""
    exists = not guess.subject.startswith("?")
    now = clock.now()
    with transaction():
        SignInFailure.delete().where(SignInFailure.at < now - KEPT).execute()
        SignInFailure.create(subject=guess.subject, source=guess.source, at=now)
        audit.refused("sign_in_failed", guess.subject if exists else "", guess.source)


def succeeded(guess: Guess) -> None:
    """Forget this address's failures and remember the address; in the caller's transaction."""
    with transaction():
        SignInFailure.delete().where(
            SignInFailure.subject == guess.subject, SignInFailure.source == guess.source
        ).execute()
        KnownSource.insert(subject=guess.subject, source=guess.source, at=clock.now()).on_conflict(
            conflict_target=[KnownSource.subject, KnownSource.source], update={"at": clock.now()}
        ).execute()


def forgive(subject: str) -> None:
    """Forget all failures at an account, which has a new password; in the caller's transaction."""
    SignInFailure.delete().where(SignInFailure.subject == subject).execute()


def _tell_refusal(guess: Guess) -> None:
    """Write a refused try into the audit log, at most once a minute for an account and an address."""
    key, now = (guess.subject, guess.source), clock.now()
    told = _told.get(key)
    if told is not None and abs(now - told) < REFUSALS_TOLD_EVERY:
        return
    if len(_told) >= MOST_TOLD:
        _told.clear()
    _told[key] = now
    exists = not guess.subject.startswith("?")
    audit.refused("sign_in_refused", guess.subject if exists else "", guess.source)
