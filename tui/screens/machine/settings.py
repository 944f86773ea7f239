"""The clinic's settings: each with its value and its origin; those that may be are changed here."""

from __future__ import annotations

from textual import work

from core.schemas.machine import SettingOut
from tui import keymap, theme
from tui.client.errors import RefusedError
from tui.screens.item_list import ItemList
from tui.screens.reasons import LineDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import machine_words, problem_words
from tui.text.formatting import fit
from tui.text.translation import N_, _
from tui.widgets.painting import Line

TITLE_CELLS = 32
SOURCE_CELLS = 8
LONGEST = 400  # characters of a value


class SettingsScreen(ItemList[SettingOut]):
    """A row for each setting; what may be changed here comes first."""

    AREA = "settings"
    TITLE_TEXT = N_("Settings")
    HELP_TEXT = N_(
        "Every setting with its value and where it comes from. Those with a '>' are changed by Enter: the value is "
        "checked as at a start, a wrong one is told and nothing is written; it applies at the next start (X on the "
        "screen before). Empty means the default. The others decide where the data lie, where records go and who may "
        "connect: they are changed on the machine only."
    )
    BINDINGS = [keymap.BACK, keymap.REFRESH]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._file = ""

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self) -> None:
        """Read the settings."""
        with self.saying_refusals():
            await self._read()
            self.hint(_("Enter changes the chosen one in {file}").format(file=self._file))

    async def _read(self) -> None:
        found = await self.session.client.machine.settings()
        self._file = found.file
        self._items = {setting.variable: setting for setting in found.settings}
        self._show()

    def _row(self, item: SettingOut) -> Line:
        mark = " " if item.fixed else ">"
        source = problem_words.word(machine_words.SOURCES, item.source)
        head = f" {mark} {fit(machine_words.title(item), TITLE_CELLS)} {fit(source, SOURCE_CELLS)} "
        style = theme.STRONG if item.waits else theme.PLAIN
        return [(head + machine_words.value_text(item), style)]

    def on_pick_list_picked(self) -> None:
        """Enter asks for another value, or says why there is none to ask for."""
        setting = self._chosen
        if setting is None:
            return
        if setting.fixed:
            words = _(machine_words.FIXED[setting.fixed])
            self.say(words.format(name=setting.variable), "warning")
            return

        def given(value: str | None) -> None:
            if value is not None:
                self._change(setting.variable, value)

        title = machine_words.TITLES.get(setting.variable, setting.variable)
        dialog = LineDialog(self.session, title, value=setting.value, shortest=0, longest=LONGEST)
        self.app.push_screen(dialog, given)

    @work(exclusive=True, group="do", exit_on_error=False)
    async def _change(self, name: str, value: str) -> None:
        with self.saying_refusals(), hold_keys(self.app):
            try:
                changed = await self.session.client.machine.change_setting(name, value)
            except RefusedError as refusal:
                if refusal.code != "setting_refused":
                    raise
                words = str(refusal.problem.details["words"])
                self.say(_("Nothing was written. {words}").format(words=words), "error")
                return
            await self._read()
            if changed.waits:
                self.say(_("Written; it applies at the next start."), "good")
            else:
                self.say(_("Written; the server has this value already."), "good")
