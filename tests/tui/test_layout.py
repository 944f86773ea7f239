"""Every screen fits 80x24: nothing is cut off, nothing overlaps, the focus can be seen."""

from __future__ import annotations

import pytest

from core.records.forms import FormDefinition, load_forms
from tests.tui.conftest import Counter, press, settle, type_text
from tests.tui.looking import pane_of, save_picture, screen_text
from tui.screens.record.form_screen import LABEL_CELLS
from tui.widgets import ChoiceField, KeyBar, Label, StatusLine, TextField, TitleBar

ROLES = {
    "clerk": ["f2", "escape", "f3"],
    "dentist": ["f3", "f4"],
    "lab": ["f3"],
    "pharmacist": [],
    "admin": ["f2", "f3"],
    "display": [],
}


def faults(app) -> list[str]:
    """What is wrong with the layout of the screen shown."""
    screen, found = app.screen, []
    width, height = app.size
    fixed = [*screen.query(TitleBar), *screen.query(StatusLine), *screen.query(KeyBar)]
    if fixed:
        rows = [bar.region.y for bar in fixed]
        keys = fixed[-1].region.height
        if rows != [0, height - 1 - keys, height - keys] or keys != getattr(screen, "KEY_ROWS", 1):
            found.append(f"bars stand in rows {rows}")
    regions = []
    for widget in [*screen.query(TextField), *screen.query(ChoiceField), *screen.query(Label)]:
        region = widget.region
        if not widget.display or region.area == 0:
            continue
        if region.right > width or region.bottom > height - 2:
            found.append(f"{widget.id} reaches {region}")
        regions.append((widget.id, region))
    for index, (name, region) in enumerate(regions):
        found += [f"{name} overlaps {other}" for other, it in regions[index + 1 :] if region.overlaps(it)]
    for label in screen.query(Label):
        if "…" in str(label.render()):
            found.append(f"{label.id} is cut off")
    return found


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("role", list(ROLES))
async def test_every_screen_fits(counter: Counter, role, size, language):
    async with counter.at(role, size=size, language=language) as (app, pilot):
        assert faults(app) == []
        for key in ROLES[role]:
            await press(pilot, key)
            assert faults(app) == [], screen_text(app)
            lines = screen_text(app).splitlines()
            assert len(lines) == size[1]


@pytest.mark.parametrize("language", ["id", "en"])
async def test_the_record_fits(counter: Counter, language):
    nik = {"id": "6371014107900123", "en": "6371014207900124"}[language]
    name = {"id": "Ratna Sari", "en": "Dewi Kusuma"}[language]
    receipt = counter.register(name, nik, "sakit gigi", "GIGI")
    async with counter.at("dentist", language=language) as (app, pilot):
        await settle(pilot)
        pane_of(app).choose(receipt["ticket"]["id"])
        await press(pilot, "enter")
        assert faults(app) == [], screen_text(app)
        assert name in screen_text(app)


async def test_the_focus_is_seen_without_colour(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        for _ in range(12):
            focused = app.screen.focused
            assert getattr(focused, "cursor_screen_offset", None) is not None, focused
            await press(pilot, "tab")


async def test_help_and_commands_name_the_screens_keys(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f1")
        assert "Sign out" in screen_text(app)
        await press(pilot, "escape", "ctrl+p")
        await type_text(pilot, "queu")
        await press(pilot, "enter")
        assert "Queues" in screen_text(app).splitlines()[0]


async def test_a_locked_terminal_hides_the_form_and_keeps_it(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f2")
        await type_text(pilot, "6371014107900129")
        await app.run_action("lock")
        await settle(pilot)
        assert "6371014107900129" not in screen_text(app)
        await press(pilot, "f3")
        assert "Locked" in screen_text(app)
        await type_text(pilot, "wrong")
        await press(pilot, "enter")
        assert "Wrong password" in screen_text(app)
        await type_text(pilot, "demo")
        await press(pilot, "enter")
        assert "6371014107900129" in screen_text(app)


async def test_a_picture_can_be_made_of_a_screen(counter: Counter, tmp_path):
    async with counter.at("clerk") as (app, _pilot):
        path = save_picture(app, tmp_path / "search.png")
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("form", load_forms().values(), ids=lambda form: form.code)
def test_the_questions_of_a_shipped_form_are_read_whole(form: FormDefinition) -> None:
    room = LABEL_CELLS - 2  # the sign of a wrong answer before it, a space behind it
    labels = [label for item in form.fields() for label in item.label.values()]
    assert [label for label in labels if len(label) > room] == []
