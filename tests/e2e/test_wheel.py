"""The built wheel is complete: Loket runs from it outside the checkout, in Indonesian, on each Python it is for."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
import zipfile
from functools import cache
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 240.0
PYTHONS = ("3.11", "3.12", "3.13")
UV = shutil.which("uv")
"""Installs in seconds what pip takes a minute for."""

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None or importlib.util.find_spec("pip") is None,
    reason="hatchling builds the wheel",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True, cwd=folder)
    (built,) = folder.glob("loket-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """A folder that holds what the wheel installs."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(wheel.parent / "site")
    return wheel.parent / "site"


@cache
def interpreter(version: str) -> str | None:
    """The Python of a version on this machine, as a command that runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    places = [shutil.which(f"python{version}"), *map(str, pyenv.glob(f"versions/{version}.*/bin/python"))]
    for place in filter(None, places):  # a shim of pyenv is there for versions that it does not run
        if subprocess.run([place, "-c", "import venv"], capture_output=True).returncode == 0:
            return place
    return None


def install(python: str, wheel: Path, folder: Path) -> Path:
    """Install the wheel and what the lock names into an environment of its own; give the folder of commands.

    One pip serves all environments, and of what others wrote only what is imported is compiled: both are most of
    the time of an installation.
    """
    commands = str(folder / "bin/python")
    if UV:
        subprocess.run([UV, "venv", "--quiet", "--no-config", "--python", python, str(folder)], check=True)
        pip = [UV, "pip", "install", "--quiet", "--no-config", "--python", commands]
        uncompiled = []
    else:
        subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            commands,
            "--disable-pip-version-check",
            "--quiet",
            "install",
        ]
        uncompiled = ["--no-compile"]
    subprocess.run([*pip, *uncompiled, "--require-hashes", "-r", str(ROOT / "requirements.lock")], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    return folder / "bin"


def environment(installed: Path, home: Path, **variables: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(installed), "LOKET_HOME": str(home), **variables}


def test_every_file_of_the_packages_is_in_the_wheel(installed: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "core", "server", "tui"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    present = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    assert len(present) > 300
    assert [name for name in present if not (installed / name).is_file()] == []


def test_the_version_is_that_of_the_package(installed: Path) -> None:
    (metadata,) = installed.glob("loket-*.dist-info/METADATA")
    script = "import core; print(core.__file__); print(core.__version__)"
    told = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, check=True,
        cwd=installed.parent, env=environment(installed, installed / "home"),
    )  # fmt: skip
    file, version = told.stdout.splitlines()
    assert Path(file).is_relative_to(installed)
    assert f"\nVersion: {version}\n" in metadata.read_text()


def test_the_command_speaks_indonesian(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server.cli", "account", "--help"]
    told = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment(installed, tmp_path / "home")
    )
    assert told.returncode == 0, told.stderr
    assert "Tampilkan" in told.stdout


def shows_its_pages(command: list[str], folder: Path, environ: dict[str, str]) -> None:
    """Start the demo and ask for its pages."""
    ports = free_port(), free_port()
    variables = {"LOKET_HTTP": f"127.0.0.1:{ports[0]}", "LOKET_SSH": f"127.0.0.1:{ports[1]}"}
    server = subprocess.Popen(
        [*command, "demo"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd=folder, env={**environ, **variables},
    )  # fmt: skip
    url = f"http://127.0.0.1:{ports[0]}"
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            assert server.poll() is None, server.communicate()[0].decode()
            assert time.monotonic() < until, "the demo did not start"
            try:
                if httpx.get(f"{url}/readyz", timeout=1).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        assert httpx.get(f"{url}/display").status_code == 200
        assert "Antrean" in httpx.get(f"{url}/t/none", headers={"Accept-Language": "id"}).text
    finally:
        server.terminate()
        output = server.communicate(timeout=60)[0].decode()
    assert "the rehearsal failed" not in output, output


def test_the_demo_starts_and_shows_its_pages(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server.cli"]
    shows_its_pages(command, tmp_path, environment(installed, tmp_path / "home"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", PYTHONS)
def test_it_installs_and_runs_on_each_python(wheel: Path, version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    commands = install(python, wheel, tmp_path / "environment")
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environ["LOKET_HOME"] = str(tmp_path / "home")
    where = "import core, sys; print(core.__file__, '%d.%d' % sys.version_info[:2])"
    told = subprocess.run(
        [commands / "python", "-c", where],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environ,
    )
    file, running = told.stdout.split()
    assert Path(file).is_relative_to(tmp_path)
    assert running == version
    loket = str(commands / "loket")
    told = subprocess.run(
        [loket, "account", "--help"], capture_output=True, text=True, cwd=tmp_path, env=environ
    )
    assert "Tampilkan" in told.stdout, told.stderr
    shows_its_pages([loket], tmp_path, environ)
