"""Sign-ins: credentials, tokens and accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core.foundation.codes import Permission, RightsOutcome, Role
from core.schemas.base import Because, Line, Schema


class Credentials(Schema):
    """`POST tokens`."""

    username: Annotated[Line, Field(min_length=1, max_length=40)]
    password: Annotated[str, Field(min_length=1, max_length=200)]
    code: Annotated[str, Field(max_length=12)] = ""
    """Code of the second factor, where the account has one; it can be given afterwards."""


class AccountOut(Schema):
    """The account that is signed in."""

    id: str
    username: str
    name: str
    role: Role
    clusters: list[str] = []
    service_point: str = ""
    """The room to which the account calls patients; empty: the cluster's own."""
    rights: list[Permission] = []
    """Rights of the account; the terminal offers nothing else."""
    needs_code: bool = False
    """True if nothing is allowed but to give the code of the second factor (`POST account/code`)."""
    must_change_password: bool = False
    """Whether nothing is allowed but to choose a password (`POST account/password`)."""


class TokenOut(Schema):
    """A sign-in."""

    token: str
    expires_at: datetime
    account: AccountOut
    session_id: str = ""
    """Name of this sign-in in the change feed and in lists; opens nothing."""


class DoorKey(Schema):
    """`POST door/keys/check`: a key that the SSH door asks about, `ssh-ed25519 AAAA...`."""

    username: Annotated[Line, Field(min_length=1, max_length=40)]
    public_key: Annotated[str, Field(min_length=20, max_length=8000)]


class KeyProofIn(Schema):
    """Signature of a person's SSH client, each part in base64."""

    session_id: Annotated[str, Field(min_length=1, max_length=200)]
    signed: Annotated[str, Field(min_length=1, max_length=16_000)]
    signature: Annotated[str, Field(min_length=1, max_length=8000)]


class DoorSignIn(DoorKey):
    """`POST door/tokens`."""

    proof: KeyProofIn


class PasswordCheck(Schema):
    """`POST tokens/check`."""

    password: Annotated[str, Field(min_length=1, max_length=200)]


class RightsOut(Schema):
    """Rights of one role."""

    role: Role
    rights: list[Permission]
    defaults: list[Permission]


class RightsChangeFields(Schema):
    """`POST rights/changes`."""

    role: Role
    permission: Permission
    granted: bool
    """True gives the right, False takes it away."""
    reason: Because


class RightsChangeOut(RightsChangeFields):
    """A request to change a role's rights, and what became of it."""

    id: str
    requested_at: datetime
    requested_by: str
    decided_at: datetime | None = None
    decided_by: str | None = None
    outcome: RightsOutcome | None = None
    """Empty while it waits."""


class PasswordChange(Schema):
    """`POST account/password`: one's own."""

    old_password: Annotated[str, Field(min_length=1, max_length=200)]
    new_password: Annotated[str, Field(min_length=1, max_length=200)]


class NewAccount(Schema):
    """`POST accounts`."""

    username: Annotated[Line, Field(min_length=1, max_length=40)]
    name: Annotated[Line, Field(max_length=80)] = ""
    role: Role
    clusters: list[Annotated[Line, Field(max_length=12)]] = []
    password: Annotated[str, Field(min_length=1, max_length=200)]
    """Until the first sign-in, which chooses another."""


class AccountEdit(Schema):
    """`PATCH accounts/{username}`; what is not given stays."""

    name: Annotated[Line, Field(min_length=1, max_length=80)] | None = None
    role: Role | None = None
    clusters: list[Annotated[Line, Field(max_length=12)]] | None = None


class NewPassword(Schema):
    """`POST accounts/{username}/password`: somebody else's, until that person's next sign-in."""

    password: Annotated[str, Field(min_length=1, max_length=200)]


class NewKey(Schema):
    """`POST accounts/{username}/keys`: a line of OpenSSH's `.pub` file."""

    public_key: Annotated[str, Field(min_length=20, max_length=8000)]
    label: Annotated[Line, Field(max_length=80)] = ""


class AccountRow(AccountOut):
    """An account as the admin sees it."""

    created_at: datetime
    disabled_at: datetime | None = None


class KeyOut(Schema):
    """An SSH key of an account."""

    id: str
    label: str
    fingerprint: str
    created_at: datetime


class SignInOut(Schema):
    """A sign-in that has not ended."""

    id: str
    created_at: datetime
    expires_at: datetime
    method: str
    source: str
    is_this: bool = False
    """Whether it is the one that asks."""


class CodeGiven(Schema):
    """`POST account/code`: the code of one's second factor."""

    code: Annotated[str, Field(min_length=1, max_length=12)]


class SecondFactorOffer(Schema):
    """`POST account/second-factor`: a secret for an authenticator app; it holds once a code of it is given."""

    secret: str
    address: str
    """The same for a QR code."""


class SecondFactorFields(Schema):
    """`PUT account/second-factor`."""

    secret: Annotated[str, Field(min_length=16, max_length=64)]
    code: Annotated[str, Field(min_length=1, max_length=12)]
