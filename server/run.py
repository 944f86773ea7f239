"""Runs a clinic: HTTP server, SSH door and daily work, started and ended together."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import platformdirs
import uvicorn

from core.foundation import clock, garbage, log_files, logs, shared_files
from core.foundation.clinic import Clinic
from core.foundation.config import HostPort, Settings
from core.foundation.errors import SettingsError
from server import connections, encryption, first_base, ports, restarting, scheduler, starting
from server.app import create_app
from server.door_process import DoorProcess, KeptDoor, may_be_kept
from server.text import translation
from server.text.translation import _

if TYPE_CHECKING:
    from server.demo.morning import DemoAtWork

log = logging.getLogger(__name__)

GRACE_SECONDS = 10  # seconds to finish requests that have begun


class Server(uvicorn.Server):
    """Uvicorn that ends the event streams first, so that it need not wait for them, and renews its certificate."""

    _renewing: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept, and look after the certificate from then on."""
        await super().startup(sockets)
        if isinstance(self.config.ssl, ssl.SSLContext):
            settings = self.config.loaded_app_state.clinic.settings  # type: ignore[attr-defined]
            self._renewing = asyncio.create_task(encryption.keep_renewed(settings, self.config.ssl))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, end streams, finish requests."""
        self.config.loaded_app_state.follower.stop()  # type: ignore[attr-defined]
        if self._renewing is not None:
            self._renewing.cancel()
        await super().shutdown(sockets)


def make_server(settings: Settings, *, demo: bool = False) -> Server:
    """Return the HTTP server, ready to run; port 0 takes a free one."""
    app = create_app(settings, demo=demo)
    bounds = connections.bounds_of(settings)
    config = uvicorn.Config(
        app,
        host=settings.http.host,
        port=settings.http.port,
        log_level="warning",
        log_config=None,  # set by Loket: no values in tracebacks
        access_log=False,  # paths may hold search words
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        date_header=False,  # a terminal on a thin line pays for every header
        timeout_keep_alive=settings.http_idle_seconds,
        http=connections.protocol_within(bounds),
        h11_max_incomplete_event_size=bounds.head_bytes,
        # Anybody can write the header of a proxy; uvicorn believes those of this machine unless told not to.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        ssl_context_factory=encryption.factory_of(settings),
    )
    config.loaded_app_state = app.state  # type: ignore[attr-defined]
    return Server(config)


def serve(
    settings: Settings,
    *,
    demo: bool = False,
    with_door: bool = True,
    lively: bool = False,
    with_parent: bool = False,
    kept_door: str = "",
    at_once: bool = False,
) -> int:
    """Run until SIGTERM or SIGINT, or until the admin has it start again.

    Args:
        settings: Settings of the clinic.
        demo: Whether to fill the clinic with fictitious people and known passwords.
        with_door: Whether to start the SSH door too.
        lively: Whether made-up colleagues work in the demo's queues.
        with_parent: Whether to end when the process that started this one is gone, for whatever reason.
        kept_door: The SSH door that the server before this one left running in this process; empty: there is none.
        at_once: Whether people are served before the journal has a base that what they save can be restored from.

    Returns:
        The exit status.

    Raises:
        SettingsError: A port is taken, or a setting is wrong.
    """
    logs.configure_logging()
    starting.require_startable(settings, with_door=with_door and not kept_door)
    shared_files.exchange_unopened(settings, demo=demo)
    encryption.prepare(settings)
    left_behind: list[str] = []
    with ExitStack() as ending:
        door = _door_getting_ready(settings, ending, kept_door) if with_door else None
        settings = _insured(settings, ending) if demo else settings
        is_lively = demo and lively
        with garbage.not_collected():
            server = make_server(_open_now(settings) if is_lively else settings, demo=demo)
        _secure(server, at_once=at_once)
        _begin_work(server, ending, left_behind, is_lively=is_lively)
        if door is not None:
            door.open()
            ending.callback(door.stop)  # before the daily work ends, which may take its time
            log.info("ssh -p %s clerk@%s", settings.ssh.port, settings.ssh.host)
        log.info("core on %s", settings.resolved_server_url)
        if with_parent:
            threading.Thread(target=_end_with_parent, args=(server,), name="parent", daemon=True).start()
        words = _words(demo=demo, with_door=with_door, lively=lively, with_parent=with_parent)
        begins_again = _run_to_its_end(server, words)
        left = door.hand_over() if door is not None and begins_again and _keeps_door(settings) else ""
    if begins_again:
        restarting.begin_again([*words, *([f"--kept-door={left}"] if left else [])])
    _leave_at_once(left_behind)
    return 0


def _secure(server: Server, *, at_once: bool) -> None:
    """Have the journal's base made before anybody is served, unless the admin does not wait for it."""
    if not at_once:
        first_base.make(server.config.loaded_app_state.clinic)  # type: ignore[attr-defined]


def _begin_work(server: Server, ending: ExitStack, left_behind: list[str], *, is_lively: bool) -> None:
    """Begin the daily work, the log in the data folder and, in a demo, its colleagues' work.

    Args:
        server: Ready to run.
        ending: It ends them.
        left_behind: Takes what did not end in time.
        is_lively: Whether made-up colleagues work in the demo's queues.
    """
    clinic: Clinic = server.config.loaded_app_state.clinic  # type: ignore[attr-defined]
    log_files.keep(clinic.settings.home)
    at_work = _demo_at_work(clinic) if is_lively else None
    running = scheduler.start(clinic)
    ending.callback(lambda: left_behind.append("daily work") if scheduler.stop(running) else None)
    if at_work is not None:
        at_work.start()
        ending.callback(at_work.stop)


def _words(*, demo: bool, with_door: bool, lively: bool, with_parent: bool) -> list[str]:
    """Return the words after `python -m server` with which the same server begins again."""
    said = {"--demo": demo, "--no-door": not with_door, "--lively": lively, "--with-parent": with_parent}
    return [word for word, is_said in said.items() if is_said]


def _leave_at_once(left_behind: Sequence[str]) -> None:
    """End this process without its threads, for which the interpreter would wait, if one waits for a slow service."""
    if not left_behind:
        return
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _run_to_its_end(server: Server, words: Sequence[str]) -> bool:
    """Serve until a signal, or until somebody asks for a restart; return whether the server is to begin again."""
    restart: restarting.Restarting = server.config.loaded_app_state.restarting  # type: ignore[attr-defined]
    restart.offer(lambda: setattr(server, "should_exit", True), words)
    # Uvicorn raises the signal again when it is done; the door and the jobs must still be ended then.
    ended_by: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: ended_by.append(number))
    server.run()
    return restart.is_asked and not ended_by


def _keeps_door(settings: Settings) -> bool:
    """Return whether the door's terminals stay where they are while the server starts again."""
    try:
        return may_be_kept(settings, Settings.load())
    except SettingsError:
        return False


def _door_getting_ready(settings: Settings, ending: ExitStack, kept: str) -> DoorProcess:
    """Return the door's process, which loads its code beside the core's own start, or runs already."""
    door = DoorProcess(settings, KeptDoor.named(kept) if kept else None)
    ending.callback(door.stop)
    door.get_ready()
    return door


def _insured(settings: Settings, ending: ExitStack) -> Settings:
    """Return settings with which the demo's people are insured at a made-up BPJS: of the real one nothing is known here."""
    if settings.bpjs_url:
        return settings
    from server.bpjs_stand_in import demo_books

    stand_in, settings = demo_books.start(settings)
    ending.callback(stand_in.close)
    return settings


def _demo_at_work(clinic: Clinic) -> DemoAtWork:
    """Return the demo's clinic with its morning behind it."""
    from server.demo.morning import DemoAtWork

    at_work = DemoAtWork(clinic)
    at_work.play_the_morning()
    return at_work


def _open_now(settings: Settings) -> Settings:
    """Return settings with which the clinic is open whenever the demo is started."""
    is_over = clock.now().astimezone(settings.timezone).time() >= settings.close_at
    return settings.model_copy(update={"close_at": LATEST_CLOSING}) if is_over else settings


def _end_with_parent(server: Server) -> None:
    """End the server when the other end of standard input is closed: the parent holds it and never writes."""
    while os.read(sys.stdin.fileno(), 64):
        pass
    server.should_exit = True


DEMO_ACCOUNTS = "clerk, nurse, doctor, dentist, midwife, lab, pharmacist, records, supervisor, admin, display"
START_SECONDS = 240.0  # of patience: an old machine makes the database and plays the morning
LATEST_CLOSING = dt.time(23, 59)
"""Hour at which the demo's day ends where it was started after the clinic's own."""


def demo_settings() -> Settings:
    """Return the demo's settings, in a data folder of its own unless LOKET_HOME is set."""
    settings = Settings.load()
    if "LOKET_HOME" in os.environ:
        return settings
    return settings.model_copy(update={"home": Path(platformdirs.user_data_path("loket-demo"))})


def run_demo(*, quiet: bool = False) -> int:
    """Start the demo's server; open the counter if this is a terminal, else serve until ended.

    Args:
        quiet: Whether the queues are empty and nobody works in them.
    """
    settings = demo_settings()
    translation.speak(settings.language)
    text = _demo_text(settings)
    sys.stderr.write(text)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return serve(settings, demo=True, lively=not quiet)
    ports.must_be_free(settings.http, "LOKET_HTTP")
    ports.must_be_free(settings.ssh, "LOKET_SSH")
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    environment = {**os.environ, "LOKET_HOME": str(settings.home)}
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)  # the terminal was closed: what was started here ends with it
    command = [sys.executable, "-m", "server", "--demo", "--with-parent", *([] if quiet else ["--lively"])]
    with (settings.home / "server.log").open("ab") as record:
        server = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stderr=record,
            stdout=record,
            start_new_session=True,
        )
    try:
        if not _wait_ready(settings, server):
            failed = _("The server did not start; see {file}").format(file=settings.home / "server.log")
            sys.stderr.write(failed + "\n")
            return 1
        code = _run_counter(settings, environment)
        sys.stderr.write(text)
        return code
    finally:
        server.terminate()
        server.wait()


def _demo_text(settings: Settings) -> str:
    """Return what somebody who starts the demo has to know."""
    lines = [
        "",
        _("Loket demo: a made-up clinic. Everybody's password is: demo"),
        f"  {DEMO_ACCOUNTS}",
        "",
        "  "
        + _("A second terminal: {command}").format(
            command=f"ssh -p {settings.ssh.port} dentist@{settings.ssh.host}"
        ),
        "  " + _("Data folder: {folder}").format(folder=settings.home),
        "",
    ]
    return "\n".join(lines)


def _run_counter(settings: Settings, environment: dict[str, str]) -> int:
    """Run the counter in this terminal until it ends, or this process is told to."""
    arguments = ["-m", "tui", "--server", settings.http.url, "--username", "clerk", "--demo"]
    counter = subprocess.Popen([sys.executable, *arguments], env=environment)
    try:
        return counter.wait()
    finally:
        counter.terminate()
        counter.wait()


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _wait_ready(settings: Settings, server: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(f"{settings.http.url}/readyz", timeout=1).status_code == 200:
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    return False


class Background:
    """Runs a server in a thread of this process, for tests and benches; on a free port unless one is given."""

    def __init__(self, settings: Settings, *, demo: bool = True, port: int = 0) -> None:
        settings = settings.model_copy(update={"http": HostPort(host="127.0.0.1", port=port)})
        self._server = make_server(settings, demo=demo)
        self.clinic = self._server.config.loaded_app_state.clinic  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.url = ""
        """The server's address, once started."""

    def __enter__(self) -> Background:
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
