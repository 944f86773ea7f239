"""`loket serve`, `demo`, `tui` and `door`: commands that run until they are ended."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from core.foundation.codes import MachineRole
from server.commands import console

if TYPE_CHECKING:
    from core.foundation.config import Settings

NewClinicOption = Annotated[
    bool, typer.Option("--new-clinic", help="Begin an empty clinic where there was one; nothing is deleted.")
]
ServeAtOnceOption = Annotated[
    bool,
    typer.Option(
        "--serve-at-once",
        help="Serve before the journal has its base: what is saved until then is lost with the disk.",
    ),
]
AcceptLossOption = Annotated[
    bool, typer.Option("--accept-loss", help="Go on although the database holds less than was there.")
]


def serve(
    demo: Annotated[bool, typer.Option("--demo", help="Made-up people, known passwords.")] = False,
    door: Annotated[bool, typer.Option(help="Start the SSH door too.")] = True,
    lively: Annotated[bool, typer.Option("--lively", hidden=True)] = False,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
    kept_door: Annotated[str, typer.Option("--kept-door", hidden=True)] = "",
    instead_of: Annotated[str, typer.Option("--instead-of", hidden=True)] = "",
    new_clinic: NewClinicOption = False,
    accept_loss: AcceptLossOption = False,
    serve_at_once: ServeAtOnceOption = False,
    role: Annotated[
        MachineRole | None,
        typer.Option(
            help="What this machine is: core, or a counter that goes on without it; LOKET_ROLE otherwise."
        ),
    ] = None,
) -> None:
    """Run the clinic: core server, SSH door, daily work.

    \f

    Args:
        demo: Made-up people, known passwords.
        door: Whether the SSH door is started too.
        lively: Whether made-up colleagues work in the demo's queues.
        with_parent: Whether to end with the process that started this one.
        kept_door: The SSH door that runs already, as the server before this one named it.
        instead_of: Addresses of a running server, which this one would take over; then the start is tried only.
        new_clinic: Whether an empty clinic may begin where there was one.
        accept_loss: Whether to ask about going on with less than was there.
        serve_at_once: Whether to ask about serving before the journal has its base.
        role: What this machine is to the clinic.

    Raises:
        Exit: When the server has ended, with its status.
    """  # noqa: D301  # the form feed ends what the help shows
    from core.foundation import garbage
    from server import tls_groups

    settings = console.load_settings()
    if (role or settings.role) is MachineRole.COUNTER:
        raise typer.Exit(_serve_counter(settings, with_door=door))
    if instead_of:
        from server import starting

        starting.require_startable(settings, with_door=door, instead_of=instead_of.split(","))
        return
    tls_groups.bound(encrypted=settings.http_is_encrypted)
    with garbage.not_collected():
        from server import run

    _decide(settings, new_clinic=new_clinic, accept_loss=accept_loss)
    if serve_at_once:
        _agree_to_serve_at_once()
    status = run.serve(
        settings,
        demo=demo,
        with_door=door,
        lively=lively,
        with_parent=with_parent,
        kept_door=kept_door,
        at_once=serve_at_once,
    )
    raise typer.Exit(status)


def _serve_counter(settings: Settings, *, with_door: bool) -> int:
    """Run a counter's own machine, beside the core of LOKET_SERVER_URL."""
    from core.foundation import garbage

    with garbage.not_collected():
        from server.counter import serving

    return serving.serve(settings, with_door=with_door)


def demo(
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Empty queues, and no simulated colleagues at work.")
    ] = False,
    new_clinic: NewClinicOption = False,
) -> None:
    """Run a demo clinic in its own data folder and open the counter in this terminal, if there is one."""
    from server import run

    _decide(run.demo_settings(), new_clinic=new_clinic, accept_loss=False)
    raise typer.Exit(run.run_demo(quiet=quiet))


def _decide(settings: Settings, *, new_clinic: bool, accept_loss: bool) -> None:
    """Take the admin's decision about a lost database before the start."""
    from core.foundation import lost_data
    from server.text import lost_data_sentences as sentences

    if new_clinic and (folder := lost_data.begin_anew(settings)) is not None:
        sys.stderr.write(f"{sentences.put_aside(folder)}\n")
    if accept_loss and (missing := lost_data.what_is_missing(settings)) is not None:
        sys.stderr.write(f"{sentences.what_is_lost(missing)}\n")
        if not console.ask_words(sentences.words_to_type()):
            sys.stderr.write(f"{sentences.not_accepted()}\n")
            raise typer.Exit(1)
        lost_data.accept_loss(settings, missing)


def _agree_to_serve_at_once() -> None:
    """Ask for the words by which what is saved before there is a base may be lost with the disk.

    Raises:
        Exit: They were not typed.
    """
    from server.text import backup_sentences

    sys.stderr.write(f"{backup_sentences.before_serving_at_once()}\n")
    if not console.ask_words(backup_sentences.words_to_serve_at_once()):
        sys.stderr.write(f"{backup_sentences.not_served()}\n")
        raise typer.Exit(1)


def tui(
    server: Annotated[str, typer.Option(help="The core's address; LOKET_SERVER_URL otherwise.")] = "",
    language: Annotated[str, typer.Option(help="id or en.")] = "",
    lines: Annotated[
        bool, typer.Option("--lines", help="Questions and answers instead of a screen.")
    ] = False,
) -> None:
    """Open the counter in this terminal."""
    arguments = ["--server", server] if server else []
    arguments += ["--language", language] if language else []
    _replace_process("tui", *arguments, *(["--lines"] if lines else []))


def door() -> None:
    """Run an SSH door, here or on another machine (LOKET_SERVER_URL)."""
    _replace_process("tui.door")


def _replace_process(module: str, *arguments: str) -> None:
    """Become another Python module's process: server and terminal do not import each other."""
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606
