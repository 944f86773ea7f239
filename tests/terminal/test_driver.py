"""A real app on the driver: what is shown, what is sent, how keys arrive."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from random import Random

import pytest
from textual.widgets import Static

from tests.terminal.conftest import MemorySink, ServedApp, running, until
from tests.terminal.counter import FIELDS, Counter
from tui.terminal import driver
from tui.terminal.capabilities import detect
from tui.terminal.driver import LARGEST, SMALLEST, Terminal, fit_size, terminal_of
from tui.terminal.inputs import ThinInput
from tui.terminal.keyboard import hold_keys


def _shows(sink: MemorySink, text: str) -> bool:
    return text in sink.emulator.text()


def _holds(served: ServedApp, values: dict[str, str]) -> bool:
    return served.app.values() == values


def shown_by(served: ServedApp) -> Terminal:
    terminal = terminal_of(served.app)
    assert terminal is not None
    return terminal


async def test_the_first_screen_is_painted_with_the_cursor_in_the_first_field(served):
    """The app is visible and the terminal's own cursor stands in the field with the focus."""
    text = served.sink.emulator.text()
    assert "Counter of clerk" in text
    cursor = served.sink.emulator.screen.cursor
    assert (cursor.x, cursor.y, cursor.hidden) == (1, 1, False)


async def test_a_typed_letter_costs_about_a_byte(served):
    """Typing sends the letters; only the first, which also wipes the placeholder, costs more."""
    served.type("x")
    await until(lambda: served.app.values()["family"] == "x")
    await served.quiet()
    total = 0
    for letter in "Rahmawati":
        served.type(letter)
        await until(lambda: served.sink.writes, "echo")
        total += len(await served.quiet(0.02))
    assert total == len("Rahmawati")
    assert served.app.values()["family"] == "xRahmawati"
    assert served.sink.emulator.screen.cursor.x == 11


async def test_tab_moves_the_cursor_for_a_few_bytes(served):
    await served.quiet()
    served.type("\t")
    await until(lambda: served.focused_id == "given")
    data = await served.quiet()
    assert served.sink.emulator.screen.cursor.y == 2
    assert len(data) <= 6


async def test_what_one_key_changes_leaves_in_one_packet_however_slow_the_machine(
    monkeypatch: pytest.MonkeyPatch,
):
    """Focus, hint and mark of a key are one frame: at the morning's peak the line has the least room."""
    # The end of the gathering is not what is looked at, and a loaded machine may reach it.
    monkeypatch.setattr(driver, "GATHER_SECONDS", 20)

    class Slow(Counter):
        def on_descendant_focus(self, event):
            time.sleep(0.05)
            self.query_one("#list", Static).update(f"now in {event.widget.id}")

    async with running(Slow()) as served:
        await until(lambda: "now in family" in served.sink.emulator.text())
        for field in ("given", "birth", "street"):
            await served.quiet()
            served.type("\t")
            await served.shows(f"now in {field}")
            assert len(served.sink.writes) == 1


async def test_an_idle_app_sends_nothing(served):
    await served.quiet()
    await asyncio.sleep(0.7)
    assert served.sink.take() == b""


async def test_text_inserted_in_mid_field_moves_the_rest(served):
    """A letter typed in the middle of a field costs an insertion, not the rest of the field."""
    served.type("Rahmawati Kusumaningrum Hadi")
    await until(lambda: served.app.values()["family"].endswith("Hadi"))
    served.type("\x1b[H")
    await served.quiet()
    served.type("x")
    await until(lambda: served.sink.writes)
    data = await served.quiet()
    assert served.app.values()["family"].startswith("xRahmawati")
    assert "xRahmawati Kusumaningrum Hadi" in served.sink.emulator.text()
    assert len(data) <= 20


async def test_three_fields_from_one_write_200_times():
    """`Mendoza<Tab>Ana<Tab>1990` in one packet fills three fields, every time."""
    async with running() as served:
        for turn in range(200):
            served.type(f"Mendoza{turn}\tAna\t1990\x1b[Z\x1b[Z")
            await until(lambda: served.app.values()["birth"] == "1990", "third field")
            await until(lambda: served.focused_id == "family", "back at the first")
            values = served.app.values()
            assert (values["family"], values["given"], values["birth"]) == (f"Mendoza{turn}", "Ana", "1990")
            for name in ("family", "given", "birth"):
                served.app.query_one(f"#{name}", ThinInput).value = ""


class Line:
    """What editing keys do to a line of text, told in a few words."""

    def __init__(self) -> None:
        self.before, self.after = "", ""

    def press(self, key: str) -> None:
        if key == "\x7f":
            self.before = self.before[:-1]
        elif key == "\x1b[3~":
            self.after = self.after[1:]
        elif key == "\x15":
            self.before = ""
        elif key == "\x0b":
            self.after = ""
        elif key == "\x1b[D":
            self.before, self.after = self.before[:-1], self.before[-1:] + self.after
        elif key == "\x1b[C":
            self.before, self.after = self.before + self.after[:1], self.after[1:]
        elif key == "\x1b[H":
            self.before, self.after = "", self.before + self.after
        elif key == "\x1b[F":
            self.before, self.after = self.before + self.after, ""
        else:
            self.before += key


KEYS = ["\x7f", "\x1b[3~", "\x15", "\x0b", "\x1b[D", "\x1b[C", "\x1b[H", "\x1b[F", *"abcdefgh"]


async def test_letters_and_editing_keys_act_in_the_order_typed(served):
    """In packets of any length, with Tab between: each field is as if its keys had come one by one."""
    random = Random(20260)
    for _ in range(10):
        expected: dict[str, str] = {}
        sent = ""
        for field in FIELDS:
            line = Line()
            for key in random.choices(KEYS, k=random.randint(0, 25)):
                line.press(key)
                sent += key
            expected[field] = line.before + line.after
            sent += "\t"
        while sent:
            length = random.choice([1, 2, 3, 7, 200])
            served.type(sent[:length])
            sent = sent[length:]
            await asyncio.sleep(0)
        await until(partial(_holds, served, expected), "the fields")
        await until(lambda: served.focused_id == FIELDS[0], "the first field again")
        for field in FIELDS:
            served.app.query_one(f"#{field}", ThinInput).value = ""


@pytest.mark.parametrize("gap_seconds", [0, 0.001, 0.005])
async def test_a_whole_registration_typed_ahead(served, gap_seconds):
    """Ten fields, the dialog and Enter on it, then the next patient: all of it typed ahead."""
    first = "\t".join(f"first{n}" for n in range(10))
    second = "\t".join(f"second{n}" for n in range(10))
    keys = f"{first}\x1bOQ\r{second}\x1bOQ\r"
    if gap_seconds:
        for piece in [keys[i : i + 7] for i in range(0, len(keys), 7)]:
            served.type(piece)
            await asyncio.sleep(gap_seconds)
    else:
        served.type(keys)
    await until(lambda: len(served.app.saved) == 2, "two patients saved")
    assert list(served.app.saved[0].values()) == [f"first{n}" for n in range(10)]
    assert list(served.app.saved[1].values()) == [f"second{n}" for n in range(10)]


async def test_an_escape_sequence_survives_a_busy_process(served):
    """Its second half came in time, but the process was busy until after the wait for it."""
    loop = asyncio.get_running_loop()
    served.type("\x1b")
    loop.call_later(0.001, lambda: loop.call_soon(served.type, "OQ"))
    time.sleep(0.5)  # noqa: ASYNC251  # busy
    await until(lambda: "Save this" in served.sink.emulator.text())


async def test_escape_alone_closes_the_dialog(served):
    """A lone ESC is the key, although sequences begin with it."""
    served.type("\x1bOQ")
    await until(lambda: "Save this" in served.sink.emulator.text())
    served.type("\x1b")
    await until(lambda: "Save this" not in served.sink.emulator.text(), "dialog closed")
    assert served.app.saved == []


async def test_keys_wait_while_they_are_held(served):
    """What is typed ahead goes to the field that the held work leads to."""
    served.type("a")
    await until(lambda: served.app.values()["family"] == "a")
    with hold_keys(served.app):
        served.type("bc")
        await asyncio.sleep(0.2)
        assert served.app.values()["family"] == "a"
        served.app.query_one("#remark").focus()
    await until(lambda: served.app.values()["remark"] == "bc")


async def test_a_paste_lands_in_one_field(served):
    """Line ends inside a paste are not Enter; the paste goes to the field with the focus."""
    served.type("\t\x1b[200~Ana Maria\x1b[201~\tx")
    await until(lambda: served.app.values()["birth"] == "x")
    assert served.app.values()["given"] == "Ana Maria"


async def test_wide_and_marked_letters(served):
    """What was typed is what is shown, whatever its width."""
    served.type("日本 e\u0301 ok")
    await until(lambda: "ok" in served.sink.emulator.text())
    await served.quiet()
    assert served.sink.emulator.text().splitlines()[1].startswith("|日本 é ok")
    assert served.sink.emulator.screen.cursor.x == 10


async def test_control_sequences_in_a_value_never_reach_the_terminal(served):
    """A name with an escape sequence in it shows as text and does nothing."""
    served.app.query_one("#list").update("\x1b]52;c;ZXZpbA==\x07\x1b[5i owned \u202e")
    data = await served.quiet()
    assert b"52;c" not in data
    assert b"[5i" not in data
    assert "\u202e".encode() not in data


async def test_frames_are_skipped_while_the_line_is_full(served):
    """A line that does not drain gets nothing more, and then the newest state only."""
    await served.quiet()
    served.sink.pending = 5000
    for number in range(30):
        served.app.query_one("#list").update(f"waiting {number}")
        await asyncio.sleep(0.01)
    assert served.sink.take() == b""
    assert served.terminal.frames_skipped > 0
    served.sink.pending = 0
    await until(lambda: "waiting 29" in served.sink.emulator.text())
    assert b"waiting 28" not in served.sink.take()


async def test_a_new_connection_gets_the_screen_with_one_paint(served):
    """Cut in mid-word and connected again at another size: same text, same focus, and typing goes on."""
    served.type("Mendoza\tAn\x1b[")
    await until(lambda: served.app.values()["given"] == "An")
    served.terminal.detach()
    served.app.query_one("#list").update("three wait")
    await asyncio.sleep(0.05)
    for size in ((80, 24), (100, 30)):
        sink = MemorySink(*size)
        served.terminal.attach(sink, detect("xterm"), size)
        await until(partial(_shows, sink, "three wait"), f"repaint at {size}")
        assert "Mendoza" in sink.emulator.text()
        assert sink.emulator.screen.cursor.y == 2
        if size == (80, 24):
            assert sum(map(len, sink.writes)) <= 500
    served.type("a")
    await until(lambda: served.app.values()["given"] == "Ana")


async def test_a_spoilt_screen_can_be_painted_anew(served):
    """Noise of a serial line or a stranger's message stays until the screen is asked for again."""
    await served.quiet()
    wanted = served.sink.emulator.text()
    served.sink.emulator.feed(b"\x1b[2;3HBroadcast message\r\n\n{{{\x1b[?7h")
    served.terminal.repaint()
    await until(lambda: served.sink.emulator.text() == wanted)
    assert b"\x1b[?7l" in await served.quiet()


async def test_a_terminal_that_asks_for_silence_gets_it():
    """A VT whose buffer or printer is full sends XOFF: nothing is sent, tickets neither, until XON."""
    async with running(capabilities=detect("vt220", overrides={"printer": True})) as served:
        await served.quiet()
        served.terminal.receive(b"abc\x13")
        await until(lambda: served.app.values()["family"] == "abc")
        assert shown_by(served).print_local(b"A001")
        await asyncio.sleep(0.1)
        assert served.sink.take() == b""
        served.terminal.receive(b"\x11")
        await until(lambda: "abc" in served.sink.emulator.text())
        assert b"A001" in served.sink.take()


async def test_a_resize_paints_the_new_layout_once(served):
    await served.quiet()
    served.sink.emulator.resize(60, 20)
    served.terminal.resize((60, 20))
    await until(lambda: served.sink.writes)
    await served.quiet()
    assert "Counter of clerk" in served.sink.emulator.text()
    assert served.app.size == (60, 20)


async def test_idleness_is_told_once():
    """The app hears once that nobody has typed for a while, and again only after a key."""
    async with running(idle_seconds=0.15) as served:
        await until(lambda: served.app.locked == 1)
        await asyncio.sleep(0.4)
        assert served.app.locked == 1
        served.type("x")
        await until(lambda: served.app.locked == 2)


async def test_printing_never_falls_into_a_frame():
    """A ticket goes to the printer in one piece, with the printer switched on and off around it."""
    async with running(capabilities=detect("xterm", overrides={"printer": True})) as served:
        served.sink.pending = 5000
        served.type("abc")
        assert shown_by(served).print_local(b"A001\r\n\x1dV0")
        await asyncio.sleep(0.05)
        served.sink.pending = 0
        await until(lambda: any(b"A001" in write for write in served.sink.writes))
        assert b"\x1b[5iA001\r\n\x1dV0\x1b[4i" in served.sink.writes
        with pytest.raises(ValueError, match="printer"):
            served.terminal.print_local(b"\x1b[4i")


async def test_without_a_printer_nothing_is_printed(served):
    assert shown_by(served).print_local(b"A001") is False


async def test_the_screen_is_given_back_at_the_end():
    async with running() as served:
        served.type("\x1b[21~")
        await served.task
        assert served.sink.take().endswith(b"\x1b[?1049l")


async def test_no_mode_is_asked_for_that_costs_bytes(served):
    """Mouse, focus, kitty keyboard, synchronised output and in-band resize are never switched on."""
    data = await served.quiet()
    for mode in (b"1000", b"1002", b"1003", b"1006", b"1004", b"2048", b"2026", b">"):
        assert b"\x1b[" + mode not in data
        assert b"?" + mode + b"h" not in data


def test_claimed_sizes_are_bounded():
    assert fit_size((0, 0)) == (80, 24)
    assert fit_size((1, 1)) == SMALLEST
    assert fit_size((65535, 65535)) == LARGEST


@pytest.mark.parametrize(
    "term", ["xterm-256color", "putty", "linux", "screen", "tmux-256color", "vt220", "vt100"]
)
async def test_the_counter_on_every_kind_of_terminal(term):
    """Field, dialog and save work on each; the screens equal what a full paint would show."""
    async with running(capabilities=detect(term)) as served:
        served.type("Mendoza\tAna\x1bOQ")
        await until(lambda: "Save this" in served.sink.emulator.text())
        await served.quiet()
        seen = served.sink.emulator.text()
        again = MemorySink()
        served.terminal.attach(again, detect(term), (80, 24))
        await until(lambda: again.emulator.text() == seen)
        served.type("\r")
        await until(lambda: served.app.saved)
        assert served.app.saved[0]["given"] == "Ana"
