"""Running a clinic: HTTP server, SSH door and daily work, started and ended together."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import platformdirs
import uvicorn

from core.config import Address, Settings
from core.errors import SettingsError
from server import apart, scheduler
from server.app import create_app
from server.door import Door
from server.problems import PlacesOnly

log = logging.getLogger(__name__)

GRACE_SECONDS = 10  # a request that was begun is finished


class Server(uvicorn.Server):
    """Uvicorn that ends the event streams first, so that it need not wait for them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, end streams, finish requests."""
        self.config.loaded_app_state.follower.stop()  # type: ignore[attr-defined]
        await super().shutdown(sockets)


def make_server(settings: Settings, *, demo: bool = False) -> Server:
    """The HTTP server, ready to run; port 0 takes a free one."""
    app = create_app(settings, demo=demo)
    config = uvicorn.Config(
        app,
        host=settings.http.host,
        port=settings.http.port,
        log_level="warning",
        log_config=None,  # ours: no values in tracebacks
        access_log=False,  # paths may hold search words
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        date_header=False,  # a terminal across a thin line pays for every header
        timeout_keep_alive=75,
    )
    config.loaded_app_state = app.state  # type: ignore[attr-defined]
    return Server(config)


def _must_be_free(address: Address, name: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise SettingsError(
                "{setting}: cannot listen on {address} ({why}). Does another server run? "
                "End it, or set another port.",
                setting=name,
                address=f"{address.host}:{address.port}",
                why=error.strerror,
            ) from None


def serve(settings: Settings, *, demo: bool = False, with_door: bool = True) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code.

    Raises:
        SettingsError: A port is taken, or a setting is wrong.
    """
    record = logging.StreamHandler()
    record.setFormatter(PlacesOnly("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[record])
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    _must_be_free(settings.http, "LOKET_HTTP")
    if with_door:
        _must_be_free(settings.ssh, "LOKET_SSH")
    server = make_server(settings, demo=demo)
    jobs = scheduler.start(server.config.loaded_app_state.clinic)  # type: ignore[attr-defined]
    door = Door(settings) if with_door else None
    if door is not None:
        door.start()
    log.info("core on %s", settings.http.url)
    if door is not None:
        log.info("ssh -p %s clerk@%s", settings.ssh.port, settings.ssh.host)
    # Uvicorn raises the signal again when it is done; the door and the jobs must still be ended then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        server.run()
    finally:
        if door is not None:
            door.stop()
        apart.end_all()
        jobs.shutdown(wait=True)
    return 0


DEMO_TEXT = """
Loket demo: a made-up clinic. Everybody's password is: demo
  clerk, doctor, dentist, midwife, lab, pharmacist, admin, display

  A second terminal:   ssh -p {port} dentist@{host}
  Data folder:         {home}
"""
START_SECONDS = 60.0


def demo_settings() -> Settings:
    """The demo's own data folder, unless LOKET_HOME says otherwise."""
    settings = Settings.load()
    if "LOKET_HOME" in os.environ:
        return settings
    return settings.model_copy(update={"home": Path(platformdirs.user_data_path("loket-demo"))})


def run_demo() -> int:
    """Start the demo's server; open the counter here if this is a terminal, else serve until ended."""
    settings = demo_settings()
    text = DEMO_TEXT.format(port=settings.ssh.port, host=settings.ssh.host, home=settings.home)
    sys.stderr.write(text)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return serve(settings, demo=True)
    _must_be_free(settings.http, "LOKET_HTTP")
    _must_be_free(settings.ssh, "LOKET_SSH")
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    environment = {**os.environ, "LOKET_HOME": str(settings.home)}
    with (settings.home / "server.log").open("ab") as record:
        server = subprocess.Popen(
            [sys.executable, "-m", "server", "--demo"], env=environment, stderr=record, stdout=record,
            start_new_session=True,
        )  # fmt: skip
    try:
        if not _wait_ready(settings, server):
            sys.stderr.write(f"The server did not start; see {settings.home / 'server.log'}\n")
            return 1
        terminal = [
            sys.executable,
            "-m",
            "tui",
            "--server",
            settings.http.url,
            "--username",
            "clerk",
            "--demo",
        ]
        code = subprocess.call(terminal, env=environment)
        sys.stderr.write(text)
        return code
    finally:
        server.terminate()
        server.wait()


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
    """A server in a thread of this process, on a free port unless one is given: for tests and benches."""

    def __init__(self, settings: Settings, *, demo: bool = True, port: int = 0) -> None:
        settings = settings.model_copy(update={"http": Address(host="127.0.0.1", port=port)})
        self._server = make_server(settings, demo=demo)
        self.clinic = self._server.config.loaded_app_state.clinic  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.url = ""
        """Where it listens, once started."""

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
