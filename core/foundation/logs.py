"""Writes logs that hold no patient data: a failure is told by its types and its places in the code.

The messages and the local variables of an exception may hold names, numbers and complaints. So nothing else
in Loket prints a traceback, and every process calls `configure_logging` before it does anything: server,
worker process, office, `loket` command, SSH door and terminal.
"""

from __future__ import annotations

import copy
import logging
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
CHATTY = ("apscheduler", "asyncssh", "httpcore", "httpx")
"""Libraries that log addresses and input, which may hold search words, below the level of warnings."""
FRAMES_SHOWN = 8  # innermost frames of each exception in the chain: enough to find the fault
PATH_PARTS_SHOWN = 3  # of a file's path: package, folder and module

_log = logging.getLogger(__name__)


def configure_logging(level: int = logging.INFO) -> None:
    """Send this process's logs to standard error, and its unhandled exceptions and warnings to the logs.

    May be called again, to change the level.
    """
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _StandardErrorHandler)]:
        root.removeHandler(handler)
    root.addHandler(_StandardErrorHandler())
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)
    sys.excepthook = _unhandled
    sys.unraisablehook = _unraisable
    threading.excepthook = _unhandled_in_thread


def describe_failure(error: BaseException) -> str:
    """Return one line: the types in the chain of causes, each with the frames that led to it, innermost last."""
    parts: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        parts.append(f"{type(link).__module__}.{type(link).__qualname__} at {_places(link.__traceback__)}")
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "; caused by ".join(parts)


def _places(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-FRAMES_SHOWN:]
    places = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    return " > ".join(places) or "an unknown place"


def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-PATH_PARTS_SHOWN:])


class PlacesOnlyFormatter(logging.Formatter):
    """A log format that tells exceptions by type and place, and messages by their first line.

    Libraries append the representation of objects, a traceback or a rejected value to their messages on
    lines of their own: asyncio does so for tasks that failed, pydantic for values of a wrong type.
    """

    def __init__(self) -> None:
        super().__init__(FORMAT)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, and a second one for its exception."""
        record = copy.copy(record)
        lines = record.getMessage().splitlines()
        record.msg, record.args = lines[0] if lines else "", None
        record.exc_text = None  # another format may have left a full traceback here
        return super().format(record)

    def formatException(self, ei: Any) -> str:
        """Return types and places of the exception of a record."""
        return f"  {describe_failure(ei[1])}"


class _StandardErrorHandler(logging.Handler):
    """Writes to whatever standard error is at the time."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(PlacesOnlyFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say where a line was lost; Python's own way would print its arguments."""
        try:
            sys.stderr.write(
                f"a log line of {_short(record.pathname)}:{record.lineno} could not be written\n"
            )
        except (OSError, ValueError):  # standard error is closed
            return


def _unhandled(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("interrupted\n")
        return
    _log.critical("the process ends: %s", describe_failure(error))


def _unhandled_in_thread(failed: threading.ExceptHookArgs) -> None:
    # A thread's SystemExit ends that thread only, on purpose.
    if failed.exc_value is not None and not issubclass(failed.exc_type, SystemExit):
        _log.error("a thread failed: %s", describe_failure(failed.exc_value))


def _unraisable(failed: sys.UnraisableHookArgs) -> None:
    if failed.exc_value is not None:
        _log.error("a failure that nothing could handle: %s", describe_failure(failed.exc_value))
