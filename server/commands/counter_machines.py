"""`loket counter`: the machines of counters that go on without the core."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.commands import console
from server.commands.console import AUDIT_NAME, JsonOption

app = typer.Typer(no_args_is_help=True, help="Counters' own machines, which go on while the core is away.")

NameArgument = Annotated[str, typer.Argument(help="What people call the counter.")]


@app.command("add")
def counter_add(name: NameArgument) -> None:
    """Print the credential of a new machine, once."""
    from core.accounts.service import system_actor
    from core.counters import machines
    from core.foundation.database import connection

    console.open_clinic()
    with connection():
        print(machines.add(name, by=system_actor(AUDIT_NAME)))


@app.command("list")
def counter_list(as_json: JsonOption = False) -> None:
    """List the machines: last contact, what waits there, and how many cards each holds."""
    from core.counters import machines
    from core.foundation.database import connection
    from core.models import Counter

    console.open_clinic()
    with connection():
        found = [machines.shape(machine) for machine in Counter.select().order_by(Counter.name)]
    console.print_rows([machine.model_dump(mode="json", exclude={"id"}) for machine in found], as_json)


@app.command("lost")
def counter_lost(
    name: NameArgument,
    to: Annotated[
        Path | None, typer.Option(help="Write the notice to this file; standard output otherwise.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke a machine that is lost or stolen, list whose data it held, and draft the notice that the law asks for."""
    from core.accounts.service import system_actor
    from core.counters import machines
    from core.foundation.database import connection
    from server.text import counter_sentences

    clinic = console.open_clinic()
    with connection():
        machine, people = machines.lose(name, by=system_actor(AUDIT_NAME))
        if as_json:
            rows = [
                {"medical_record_number": one.medical_record_number, "name": one.name, "phone": one.phone}
                for one in people
            ]
            console.print_json({"counter": machine.name, "lost_at": machine.lost_at, "people": rows})
            return
        notice = counter_sentences.notice(clinic, machine, people)
    if to is None:
        print(notice, end="")
    else:
        to.write_text(notice, "utf-8")
        console.print_ok(str(to))
