"""Sentences of `loket serve` when the database holds less than was there."""

from __future__ import annotations

from pathlib import Path

from core.foundation.errors import DatabaseError
from server.text.problem_words import sentence
from server.text.translation import _


def put_aside(folder: Path) -> str:
    """Return where the files of the earlier clinic are."""
    return _("What belonged to the earlier clinic is now in {folder}.").format(folder=folder)


def what_is_lost(missing: DatabaseError) -> str:
    """Return what is missing, and what going on means."""
    going_on = _(
        "Going on leaves 20 numbers out in each cluster, so that none is given out twice. "
        "What is missing must be entered again from paper. Type these words to go on:"
    )
    return f"{sentence(str(missing))}\n{going_on}"


def words_to_type() -> str:
    """Return the words by which the loss is accepted."""
    return _("I accept the loss")


def not_accepted() -> str:
    """Return that nothing was done."""
    return _("Not accepted; nothing was changed.")
