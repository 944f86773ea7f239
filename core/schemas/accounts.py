"""Who signs in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core.schemas.base import Line, Shape
from core.vocabulary import Role


class Credentials(Shape):
    """`POST tokens`."""

    username: Annotated[Line, Field(min_length=1, max_length=40)]
    password: Annotated[str, Field(min_length=1, max_length=200)]


class AccountShape(Shape):
    """Who is signed in."""

    id: str
    username: str
    name: str
    role: Role
    clusters: list[str] = []
    service_point: str = ""
    """The room where this person calls patients; empty: the cluster's own."""


class TokenShape(Shape):
    """A sign-in."""

    token: str
    expires_at: datetime
    account: AccountShape


class DoorKey(Shape):
    """What the SSH door asks about a key: `ssh-ed25519 AAAA...`."""

    username: Annotated[Line, Field(min_length=1, max_length=40)]
    public_key: Annotated[str, Field(min_length=20, max_length=8000)]


class PasswordCheck(Shape):
    """`POST tokens/check`."""

    password: Annotated[str, Field(min_length=1, max_length=200)]
