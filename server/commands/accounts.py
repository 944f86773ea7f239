"""`loket account`: accounts and their SSH keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from core.foundation.codes import Role
from server.commands import console
from server.commands.console import AUDIT_NAME, JsonOption, PasswordOption

if TYPE_CHECKING:
    from core.foundation.clinic import Clinic
    from core.foundation.permissions import Actor


class KeyGroup(TyperGroup):
    """`loket account key NAME FILE` adds a key, as it always did; other words are commands."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Take a word that is no command for the name of an account."""
        known = args and args[0] in self.commands
        return super().resolve_command(ctx, args if known else ["add", *args])


app = typer.Typer(no_args_is_help=True, help="Accounts, their SSH keys and sign-ins, and SSH doors.")
key_app = typer.Typer(no_args_is_help=True, cls=KeyGroup, help="SSH keys of an account.")
door_app = typer.Typer(no_args_is_help=True, help="Credentials of SSH doors on other machines.")
app.add_typer(key_app, name="key")
app.add_typer(door_app, name="door")
ClustersOption = Annotated[str | None, typer.Option(help="Codes with commas, for clinicians: UMUM,LANSIA")]


@contextmanager
def _acting() -> Iterator[Actor]:
    """Open the clinic and give the actor of the command."""
    from core.accounts import service as accounts
    from core.foundation.database import connection

    console.open_clinic()
    with connection():
        yield accounts.system_actor(AUDIT_NAME)


@app.command("add")
def account_add(
    username: str,
    role: Role,
    name: str = "",
    clusters: Annotated[str, typer.Option(help="Codes with commas, for clinicians: UMUM,LANSIA")] = "",
    password_stdin: PasswordOption = False,
) -> None:
    """Make an account; asks for its password, which the first sign-in has to change."""
    from core.accounts import service as accounts
    from core.foundation.database import connection

    clinic = console.open_clinic()
    codes = _codes(clinic, clusters)
    password = console.ask_password(password_stdin)
    with connection():
        accounts.create_account(
            username, name, role, password, codes, by=accounts.system_actor(AUDIT_NAME), must_change=True
        )
    console.print_ok(username)


@app.command("list")
def account_list(as_json: JsonOption = False) -> None:
    """All accounts."""
    from core.accounts import service as accounts
    from core.foundation.database import connection

    console.open_clinic()
    with connection():
        rows = [
            {
                "username": account.username,
                "name": account.name,
                "role": account.role,
                "clusters": ",".join(account.clusters),
                "nik": _masked(account.practitioner_nik),
                "disabled": account.disabled_at is not None,
            }
            for account in accounts.list_accounts()
        ]
    console.print_rows(rows, as_json)


def _masked(nik: str | None) -> str:
    """Return enough of a NIK to recognise it by: its district and its last four digits."""
    return "" if nik is None else f"{nik[:6]}..{nik[-4:]}"


@app.command("edit")
def account_edit(
    username: str,
    role: Role | None = None,
    name: str | None = None,
    clusters: ClustersOption = None,
) -> None:
    """Change an account's role, name or clusters; another role or other clusters end its sign-ins."""
    from core.accounts import service as accounts

    with _acting() as actor:
        codes = None if clusters is None else _codes(console.open_clinic(), clusters)
        accounts.edit_account(username, name=name, role=role, clusters=codes, by=actor)
    console.print_ok(username)


def _codes(clinic: Clinic, clusters: str) -> list[str]:
    return [clinic.clusters[code.strip().upper()].code for code in clusters.split(",") if code.strip()]


@key_app.command("add")
def account_key(username: str, file: Path, label: str = "") -> None:
    """Let an SSH public key sign an account in."""
    from core.accounts import service as accounts

    with _acting() as actor:
        accounts.add_key(username, file.read_text(), label, by=actor)
    console.print_ok(username)


@key_app.command("list")
def key_list(username: str, as_json: JsonOption = False) -> None:
    """The SSH keys that sign an account in."""
    from core.accounts import service as accounts
    from core.accounts.key_proofs import fingerprint

    with _acting():
        rows = [
            {
                "id": key.id,
                "label": key.label,
                "fingerprint": fingerprint(key.public_key),
                "since": key.created_at.date(),
            }
            for key in accounts.keys_of(username)
        ]
    console.print_rows(rows, as_json)


@key_app.command("remove")
def key_remove(
    username: str, key: Annotated[str, typer.Argument(help="Its id or label, as listed.")]
) -> None:
    """Let a key sign nobody in any longer; sign-ins by key end."""
    from core.accounts import service as accounts

    with _acting() as actor:
        accounts.remove_key(username, key, by=actor)
    console.print_ok(username)


@app.command("sessions")
def account_sessions(
    username: str,
    end: Annotated[str, typer.Option(help="End this one, by its id.")] = "",
    end_all: Annotated[bool, typer.Option("--end-all", help="End all of them.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The sign-ins of an account that have not ended; or end them."""
    from core.accounts import service as accounts
    from core.accounts import sign_ins

    with _acting() as actor:
        account = accounts.get_account(username)
        if end:
            sign_ins.end_session(account, end, actor)
        if end_all:
            sign_ins.end_every_session(account, actor)
        rows = [
            {
                "id": token.id,
                "since": token.created_at,
                "until": token.expires_at,
                "method": token.method,
                "source": token.source,
            }
            for token in sign_ins.live_sessions(account)
        ]
    console.print_rows(rows, as_json)


@door_app.command("add")
def door_add(
    name: Annotated[str, typer.Argument(help="What people call the machine.")],
    address: Annotated[str, typer.Option(help="The one address that may use it; empty: any.")] = "",
    days: Annotated[int, typer.Option(min=1, max=90, help="Its life.")] = 90,
) -> None:
    """Print the credential of a door on another machine, once."""
    from core.accounts import doors

    with _acting() as actor:
        print(doors.add(name, address=address, days=days, by=actor))


@door_app.command("list")
def door_list(as_json: JsonOption = False) -> None:
    """The doors whose credentials have not ended."""
    from core.accounts import doors

    with _acting():
        rows = [
            {
                "name": door.label,
                "since": door.created_at.date(),
                "until": door.expires_at.date(),
                "address": door.bound_to,
            }
            for door in doors.list_doors()
        ]
    console.print_rows(rows, as_json)


@door_app.command("revoke")
def door_revoke(name: str) -> None:
    """End a door's credential; its screens lock."""
    from core.accounts import doors

    with _acting() as actor:
        doors.revoke(name, by=actor)
    console.print_ok(name)


@app.command("password")
def account_password(username: str, password_stdin: PasswordOption = False) -> None:
    """Set a new password, which the next sign-in has to change; the account's sign-ins end."""
    from core.accounts import service as accounts
    from core.foundation.database import connection

    console.open_clinic()
    password = console.ask_password(password_stdin)
    with connection():
        accounts.set_password(username, password, by=accounts.system_actor(AUDIT_NAME), must_change=True)
    console.print_ok(username)


@app.command("nik")
def account_nik(
    username: str, nik: Annotated[str, typer.Argument(help="16 digits; empty takes it away.")]
) -> None:
    """Note a clinician's NIK: SATUSEHAT takes visits only with one who is known there."""
    from core.accounts import service as accounts
    from core.foundation.database import connection

    console.open_clinic()
    with connection():
        accounts.set_practitioner_nik(username, nik, by=accounts.system_actor(AUDIT_NAME))
    console.print_ok(username)


@app.command("disable")
def account_disable(username: str) -> None:
    """Bar an account; its sign-ins end."""
    from core.accounts import service as accounts
    from core.foundation.database import connection

    console.open_clinic()
    with connection():
        accounts.disable(username, by=accounts.system_actor(AUDIT_NAME))
    console.print_ok(username)


@app.command("enable")
def account_enable(username: str) -> None:
    """Let a disabled account sign in again."""
    from core.accounts import service as accounts

    with _acting() as actor:
        accounts.enable(username, by=actor)
    console.print_ok(username)
