"""A second independent terminal: tmux shows what was wanted, characters and renditions."""

from __future__ import annotations

import random
import shlex
import shutil
import subprocess
import tempfile
import time
import uuid

import pytest

from tests.terminal.test_encoder import COLOURS, apply
from tui.terminal.attributes import reduce_rendition
from tui.terminal.capabilities import detect
from tui.terminal.encoder import Encoder
from tui.terminal.grid import BOLD, REVERSE, UNDERLINE, Grid, Rendition, blank_rendition
from tui.terminal.parsing import TextualOutput

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

KINDS = ["text", "text", "text", "blank", "up", "down", "insert", "delete", "clear"]
LETTERS = [*"abcXYZ019  .-│─┌█é", "日", "e\u0301"]


def frames(seed: int, width: int, height: int) -> tuple[Grid, bytes]:
    """Make thirty random frames, and what the encoder sends for them."""
    chance = random.Random(seed)
    capabilities = detect("tmux-256color")
    grid, encoder = Grid(width, height), Encoder(capabilities, width, height)
    data = encoder.enter() + encoder.frame(grid, None)
    for _ in range(30):
        for _ in range(chance.randint(0, 5)):
            kind = chance.choice(KINDS)
            place = (chance.randrange(width), chance.randrange(height))
            attributes = chance.choice([0, 0, BOLD, UNDERLINE, REVERSE])
            rendition = Rendition(chance.choice(COLOURS[:-2]), chance.choice(COLOURS[:-2]), attributes)
            what = (
                chance.choices(LETTERS, k=chance.randint(1, 30)) if kind == "text" else chance.randint(1, 9)
            )
            apply(grid, (kind, place, what, rendition))
        data += encoder.frame(grid, (chance.randrange(width), chance.randrange(height)))
    return grid, data


@pytest.mark.parametrize(("seed", "size"), [(1, (60, 20)), (2, (80, 24)), (3, (20, 5)), (4, (200, 60))])
def test_tmux_shows_exactly_what_was_wanted(tmp_path, seed, size):
    """After thirty frames of every kind of change, each cell of a real tmux pane is as wanted."""
    grid, data = frames(seed, *size)
    (tmp_path / "output").write_bytes(data)
    name = f"loket-{uuid.uuid4().hex}"
    sockets = tempfile.mkdtemp(prefix="lk", dir="/tmp")  # a socket's path may have about 100 characters
    tmux = ["tmux", "-u", "-L", name, "-f", "/dev/null"]
    script = (
        f"stty raw -echo; cat {shlex.quote(str(tmp_path / 'output'))}; touch {tmp_path / 'done'}; sleep 60"
    )
    subprocess.run(
        [*tmux, "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), script],
        check=True,
        env={
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TMUX_TMPDIR": sockets,
            "TERM": "xterm-256color",
        },
    )
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMUX_TMPDIR": sockets}
    try:
        subprocess.run([*tmux, "set", "status", "off"], check=True, env=environment)
        while not (tmp_path / "done").exists():
            time.sleep(0.02)
        shown = capture(tmux, environment, size)
        wanted = [row.rstrip() for row in grid.text()]
        for _ in range(100):
            if [row.rstrip() for row in shown.text()] == wanted:
                break
            time.sleep(0.02)
            shown = capture(tmux, environment, size)
        assert [row.rstrip() for row in shown.text()] == wanted
        compare_renditions(shown, grid)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, env=environment)


def capture(tmux: list[str], environment: dict[str, str], size: tuple[int, int]) -> Grid:
    text = subprocess.run(
        [*tmux, "capture-pane", "-p", "-e", "-N"], check=True, env=environment, capture_output=True
    ).stdout.decode()
    grid = Grid(*size)
    output = TextualOutput(grid)
    for number, line in enumerate(text.split("\n")[: size[1]], 1):
        output.write(f"\x1b[{number};1H{line}")
    return grid


def compare_renditions(shown: Grid, wanted: Grid) -> None:
    capabilities = detect("tmux-256color")
    for row in range(wanted.height):
        for column, text in enumerate(wanted.characters[row]):
            if text == "":
                continue
            rendition, there = (
                reduce_rendition(wanted.renditions[row][column], capabilities),
                shown.renditions[row][column],
            )
            if text == " ":
                rendition, there = blank_rendition(rendition), blank_rendition(there)
            assert there == rendition, (row, column, text)
