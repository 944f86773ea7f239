"""The eye finds the value first: labels are faint, groups are headed, and only what endangers is strong as a whole."""

from __future__ import annotations

from rich.text import Text

from tests.tui.conftest import Counter, press, until
from tui.screens.record.record import RecordScreen
from tui.widgets import Label, TextField
from tui.widgets.banner import Banner


def parts(banner: Banner) -> list[tuple[str, bool, bool]]:
    """Text, whether it is strong, whether it is faint, for each part of the banner."""
    text = banner.content
    assert isinstance(text, Text)
    styles = [(text.plain[span.start : span.end], str(span.style)) for span in text.spans]
    return [(said, "bold" in style, "dim" in style) for said, style in styles]


async def test_labels_are_faint_and_values_are_not(counter: Counter) -> None:
    async with counter.at("clerk", (80, 24), "en") as (app, pilot):
        await press(pilot, "f2")
        label, field = app.screen.query_one("#label-name", Label), app.screen.query_one("#name", TextField)
        assert label.rich_style.dim
        assert not field.rich_style.dim
        assert "This visit" in str(app.screen.query_one("#visit-heading").content)  # type: ignore[attr-defined]
        assert app.screen.query_one("#visit-heading").rich_style.underline
        label.mark(True)
        await pilot.pause()
        assert label.rich_style.bold
        assert label.rich_style.reverse
        assert not label.rich_style.dim


async def test_the_first_line_is_strong_only_where_it_endangers(counter: Counter) -> None:
    receipt = counter.register("Ratna Kusuma", "6371014107908901", "sakit gigi", "GIGI")
    async with counter.at("dentist", (80, 24), "en") as (app, pilot):
        await press(pilot, "n", "enter")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen) and app.screen._visit is not None)
        found = parts(app.screen.query_one(Banner))
        assert ("Allergies: ", False, True) in [
            (said.lstrip(), strong, faint) for said, strong, faint in found
        ]
        strong = [said for said, is_strong, _faint in found if is_strong]
        assert len(strong) == 1
        assert "Ratna Kusuma" in strong[0]
        assert "RM" not in strong[0]
        with counter.api("dentist") as dentist:
            path = f"patients/{receipt['patient_id']}/allergies"
            dentist.post(path, json={"substance": "Penisilin"}).raise_for_status()
        await press(pilot, "escape", "enter")
        await until(pilot, lambda: "Penisilin" in str(app.screen.query_one(Banner).content))
        assert any(
            "Penisilin" in said
            for said, is_strong, _faint in parts(app.screen.query_one(Banner))
            if is_strong
        )
