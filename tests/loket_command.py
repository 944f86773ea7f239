"""The `loket` command in a process of its own, forked from one that has read its modules already.

Each call is what `python -m server.cli` is: a process with an environment, a folder, files and an exit status of
its own, in which nothing was opened yet. Only reading the modules, most of the time of a short command, happens
once for all of them.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def loket(
    *arguments: object, environment: dict[str, str], folder: Path = ROOT, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `loket` to its end, as `subprocess.run` would.

    Args:
        arguments: Words after `loket`.
        environment: All of its environment.
        folder: Its working directory.
        typed: What it reads from standard input.
    """
    words = list(map(str, arguments))
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch, name) for name in ("stdin", "stdout", "stderr")]
        files[0].write_text(typed, encoding="utf-8")
        status = _ask(
            {
                "arguments": words,
                "environment": environment,
                "folder": str(folder),
                "files": list(map(str, files)),
            }
        )
        said, complained = (file.read_text(encoding="utf-8") for file in files[1:])
    return subprocess.CompletedProcess(["loket", *words], status, said, complained)


@functools.cache
def _forker() -> subprocess.Popen[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.loket_command"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=plain,
    )  # fmt: skip
    atexit.register(running.communicate)
    return running


def _ask(request: dict[str, Any]) -> int:
    running = _forker()
    assert running.stdin is not None
    assert running.stdout is not None
    print(json.dumps(request), file=running.stdin, flush=True)
    return int(running.stdout.readline())


def _answer_requests() -> None:
    """Fork a process for each request and answer with its exit status; return in the forked one only."""
    importlib.import_module("tests.read_ahead")
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
            return
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    sys.exit(0)


def _become(request: dict[str, Any]) -> None:
    for number, (file, flags) in enumerate(
        zip(request["files"], (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT] * 2), strict=True)
    ):
        opened = os.open(file, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8", closefd=False)
        for number, mode in enumerate(("r", "w", "w"))
    )
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["loket", *request["arguments"]]
    sys.modules["__main__"].__package__ = ""  # the help names the program by it


if __name__ == "__main__":
    _answer_requests()
    from server import cli

    cli.main()
