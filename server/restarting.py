"""The server's restart from within: it ends as after a signal, then the same process begins anew.

No supervisor is needed: systemd sees one process that goes on, a terminal keeps its `loket serve`. A server that does
not run in a process of its own, as in tests and benches, has nobody who would begin it again and says so.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence

from core.foundation import clock

log = logging.getLogger(__name__)


class Restarting:
    """Knows how this server ends, and whether it is to begin again then."""

    def __init__(self) -> None:
        self.started_at = clock.now()
        self.is_asked = False
        """Whether somebody asked for it."""
        self.words: Sequence[str] = ()
        """Words after `python -m server` with which it begins again."""
        self._end: Callable[[], None] | None = None

    @property
    def is_possible(self) -> bool:
        """True where the server begins again after its end."""
        return self._end is not None

    def offer(self, end: Callable[[], None], words: Sequence[str]) -> None:
        """Let a restart be asked for.

        Args:
            end: Ends the server after the requests that have begun; whoever runs it begins it again.
            words: Words after `python -m server` with which it begins again.
        """
        self._end, self.words = end, words

    def ask(self) -> None:
        """End the server, so that it begins again."""
        if self._end is not None:
            self.is_asked = True
            self._end()


def begin_again(arguments: Sequence[str]) -> None:
    """Become a new server in this process: nothing of the old one is left but its number and its environment.

    Args:
        arguments: Words after `python -m server`; never those of a decision that held once, such as `--new-clinic`.
    """
    log.info("the server begins again")
    logging.shutdown()
    os.execv(sys.executable, [sys.executable, "-m", "server", *arguments])  # noqa: S606  # ourselves
