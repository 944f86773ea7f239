"""What a log line tells of a failure, and of what libraries say."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from core.foundation.logs import PlacesOnlyFormatter, describe_failure

SECRET = "Siti Aminah"


def raised() -> ValueError:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise ValueError(SECRET) from error
    except ValueError as error:
        return error


def record(message: str, *arguments: Any, failure: BaseException | None = None) -> logging.LogRecord:
    about = (type(failure), failure, failure.__traceback__) if failure else None
    return logging.LogRecord("test", logging.ERROR, __file__, 1, message, arguments, about)


def test_a_failure_is_told_with_its_causes_and_places() -> None:
    described = describe_failure(raised())
    assert SECRET not in described
    assert "builtins.ValueError at core/foundation/test_logs.py:" in described
    assert "; caused by builtins.KeyError at core/foundation/test_logs.py:" in described


def test_a_failure_that_was_never_raised_has_no_place() -> None:
    assert describe_failure(ValueError(SECRET)) == "builtins.ValueError at an unknown place"


def test_a_line_holds_neither_message_nor_appended_values() -> None:
    line = PlacesOnlyFormatter().format(
        record("Task exception was never retrieved\nfuture: %r", raised(), failure=raised())
    )
    assert SECRET not in line
    assert "ERROR test Task exception was never retrieved\n  builtins.ValueError at" in line


def test_a_traceback_that_another_format_left_behind_is_not_used() -> None:
    failed = record("failed", failure=raised())
    assert SECRET in logging.Formatter().format(failed)
    assert SECRET not in PlacesOnlyFormatter().format(failed)


def test_a_line_that_cannot_be_made_is_told_without_its_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from core.foundation.logs import _StandardErrorHandler

    _StandardErrorHandler().handle(record("%d", SECRET))
    written = capsys.readouterr().err
    assert "could not be written" in written
    assert SECRET not in written
