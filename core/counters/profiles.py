"""The clinic's words and rules as a counter's machine needs them: settings and files, so that both decide alike."""

from __future__ import annotations

from pathlib import Path

from core.foundation.clinic import Clinic
from core.foundation.setting_editing import text_of
from core.schemas.counters import ProfileOut

SETTINGS = (
    "timezone", "language", "close_at", "close_latest", "facility_code", "facility_name", "catchment", "clusters",
    "priority_ratio", "regular_wait_limit_minutes", "wait_warning_minutes", "skip_returns_after", "calls_before_skip",
    "undo_seconds", "token_hours", "idle_lock_minutes", "jkn_horizon_days",
)  # fmt: skip
"""Settings that decide at the counter too."""
FILES = ("clusters", "vocabulary", "roster")
"""Settings that may name a file of the clinic's own."""


def profile(clinic: Clinic) -> ProfileOut:
    """Return the settings and files of a clinic."""
    settings = clinic.settings
    values = {name: text_of(getattr(settings, name)) for name in SETTINGS}
    files = {}
    for name in FILES:
        text = str(getattr(settings, name))
        if text and Path(text).is_file():
            files[name] = Path(text).read_text("utf-8")
    return ProfileOut(settings=values, files=files, demo=clinic.demo)
