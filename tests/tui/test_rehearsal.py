"""The start that nobody sees before a door opens."""

from __future__ import annotations

import logging

from tui.app import LoketApp
from tui.door.rehearsal import rehearse
from tui.screens.registration.search import SearchScreen


async def test_a_rehearsal_paints_the_counter_and_ends(caplog, monkeypatch):
    """What is rehearsed is what a clerk's app does: another first screen would prepare nothing."""
    caplog.set_level(logging.WARNING)
    painted: list[SearchScreen] = []
    render = SearchScreen.render_lines

    def watched(screen, crop):
        painted.append(screen)
        return render(screen, crop)

    monkeypatch.setattr(SearchScreen, "render_lines", watched)
    await rehearse("id")
    assert painted
    assert not painted[0].is_running
    assert not caplog.records


async def test_a_rehearsal_that_fails_is_told_and_keeps_nobody_out(caplog, monkeypatch):
    def broken(app: LoketApp) -> None:
        raise ValueError

    monkeypatch.setattr(LoketApp, "on_mount", broken)
    await rehearse("id")
    assert "the rehearsal failed: builtins.ValueError" in caplog.text
