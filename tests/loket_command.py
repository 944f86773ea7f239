"""The `loket` command in a process of its own, forked from one that has read its modules already.

Each call is what `python -m server.cli` is: a process with an environment, a folder, files and an exit status of
its own, in which nothing was opened yet. Only reading the modules, most of the time of a short command, happens
once for all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.processes import PROCESSES

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
        running = PROCESSES.Process(
            target=_run, args=(words, environment, str(folder), list(map(str, files)))
        )
        running.start()
        running.join()
        assert running.exitcode is not None
        said, complained = (file.read_text(encoding="utf-8") for file in files[1:])
    return subprocess.CompletedProcess(["loket", *words], running.exitcode, said, complained)


def _run(words: list[str], environment: dict[str, str], folder: str, files: list[str]) -> None:
    """Become the command: in the forked process, with nothing of the tests' environment left."""
    for number, (file, flags) in enumerate(
        zip(files, (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT] * 2), strict=True)
    ):
        opened = os.open(file, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8", closefd=False)
        for number, mode in enumerate(("r", "w", "w"))
    )
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["loket", *words]
    sys.modules["__main__"].__package__ = ""  # the help names the program by it
    from server import cli

    cli.main()
