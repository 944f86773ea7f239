"""Describes an exception for the log without a word of what it was about.

Messages and local variables of an exception in a screen hold names, numbers and complaints of patients. The
log gets the types and the places in the code; that is what a maintainer needs.
"""

from __future__ import annotations

import traceback
from pathlib import Path

FRAMES_SHOWN = 8  # innermost frames of each exception in the chain


def describe_failure(error: BaseException) -> str:
    """Give one line: the types in the chain of causes, each with where it was raised, innermost last."""
    parts: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        frames = traceback.extract_tb(link.__traceback__)[-FRAMES_SHOWN:]
        places = " > ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames)
        parts.append(f"{type(link).__module__}.{type(link).__qualname__} at {places or 'an unknown place'}")
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "; caused by ".join(parts)


def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-3:])
