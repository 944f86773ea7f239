"""The start that nobody sees before a door opens."""

from __future__ import annotations

import logging

import pytest

from tui.app import LoketApp
from tui.door.warm_up import rehearse
from tui.screens.base import LoketScreen
from tui.screens.registration.registration_form import RegistrationScreen
from tui.screens.registration.search import SearchScreen


async def test_a_rehearsal_paints_counter_and_form_and_ends(caplog, monkeypatch):
    """What is rehearsed is what a clerk's app does first: other screens would prepare nothing."""
    caplog.set_level(logging.WARNING)
    painted: list[LoketScreen] = []
    render = LoketScreen.render_lines

    def watched(screen, crop):
        if screen not in painted:
            painted.append(screen)
        return render(screen, crop)

    monkeypatch.setattr(LoketScreen, "render_lines", watched)
    await rehearse("id")
    assert [type(screen) for screen in painted] == [SearchScreen, RegistrationScreen]
    assert not any(screen.is_running for screen in painted)
    assert not caplog.records


@pytest.mark.parametrize("method", ["__init__", "on_mount", "run_async"])
async def test_a_rehearsal_that_fails_is_told_and_keeps_nobody_out(caplog, monkeypatch, method):
    def broken(app: LoketApp, *given: object, **named: object) -> None:
        raise ValueError

    monkeypatch.setattr(LoketApp, method, broken)
    await rehearse("id")
    assert "the rehearsal failed: builtins.ValueError" in caplog.text
