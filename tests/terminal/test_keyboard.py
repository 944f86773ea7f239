"""Bytes of a keyboard to keys, however the packets cut them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from tui.terminal.keyboard import ESCAPE_SECONDS, PASTE_CHARACTERS, PASTE_SECONDS, SEQUENCE_SECONDS, KeyReader

PIECES = {
    "a": ["a"],
    "é": ["é"],
    "日": ["日"],
    "\t": ["tab"],
    "\r": ["enter"],
    "\x7f": ["backspace"],
    "\x1b[A": ["up"],
    "\x1bOP": ["f1"],
    "\x1b[[B": ["f2"],
    "\x1b[21~": ["f10"],
    "\x1b[1;5C": ["ctrl+right"],
    "\x1bx": ["alt+x"],
    "\x1b[200~one\r\ntwo \x1b[A\x1b[201~": ["<one\r\ntwo \x1b[A>"],
    "\x1b[<0;1;1M": [],
    "\x1b[I": [],
}


def names(found: list) -> list[str]:
    return [event.key if isinstance(event, events.Key) else f"<{event.text}>" for event in found]


@given(
    st.lists(st.sampled_from(list(PIECES)), max_size=12),
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
)
def test_packets_may_cut_anywhere(pieces, lengths):
    """The keys are the same however the bytes are cut into packets, as long as they follow closely."""
    data = "".join(pieces).encode()
    reader, found, position, turn = KeyReader(), [], 0, 0
    while position < len(data):
        length = lengths[turn % len(lengths)]
        found += reader.feed(data[position : position + length])
        position, turn = position + length, turn + 1
    assert names(found) == [name for piece in pieces for name in PIECES[piece]]


def test_escape_alone_is_the_key_after_a_moment():
    reader = KeyReader()
    assert reader.feed(b"\x1b") == []
    assert reader.waits_seconds == ESCAPE_SECONDS
    assert names(reader.expire()) == ["escape"]
    assert reader.waits_seconds is None


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_scanners_line_end_is_one_enter(end):
    assert names(KeyReader().feed(f"1{end}2".encode())) == ["1", "enter", "2"]


KINDS = {
    "xterm": "\x1bOP \x1bOQ \x1bOR \x1bOS \x1b[15~",
    "PuTTY": "\x1b[11~ \x1b[12~ \x1b[13~ \x1b[14~ \x1b[15~",
    "Linux console": "\x1b[[A \x1b[[B \x1b[[C \x1b[[D \x1b[[E",
}


@pytest.mark.parametrize("kind", KINDS)
def test_function_keys_of_each_kind_of_terminal(kind):
    """F1 to F5 differ from one to the other; F6 to F10 are the same."""
    sent = KINDS[kind].split() + "\x1b[17~ \x1b[18~ \x1b[19~ \x1b[20~ \x1b[21~".split()
    assert [names(KeyReader().feed(keys.encode())) for keys in sent] == [[f"f{n}"] for n in range(1, 11)]


@pytest.mark.parametrize("sent", ["\x08", "\x7f"])
def test_both_codes_of_the_backspace_key(sent):
    assert names(KeyReader().feed(sent.encode())) == ["backspace"]


def test_flow_control_is_no_key():
    """On a VT Ctrl+S stops the output and Ctrl+Q lets it go on; so does any key, lest the screen stays dead."""
    reader = KeyReader(flow_control=True)
    assert names(reader.feed(b"a\x13")) == ["a"]
    assert reader.is_held
    assert names(reader.feed(b"\x11")) == []
    assert not reader.is_held
    reader.feed(b"\x13")
    assert names(reader.feed(b"b")) == ["b"]
    assert not reader.is_held
    assert names(KeyReader().feed(b"\x13\x11")) == ["ctrl+s", "ctrl+q"]


def test_escape_before_a_control_key_is_both():
    assert names(KeyReader().feed(b"\x1b\tx")) == ["escape", "tab", "x"]


def test_escape_before_a_sequence_is_both():
    assert names(KeyReader().feed(b"\x1b\x1b[A")) == ["escape", "up"]


@pytest.mark.parametrize("begun", [b"\x1b[", b"\x1b[2", b"\x1bO", b"\x1b[1;"])
def test_an_unfinished_sequence_is_thrown_away(begun):
    """The beginning of a sequence is never typed into a field."""
    reader = KeyReader()
    assert reader.feed(begun) == []
    assert reader.waits_seconds == SEQUENCE_SECONDS
    assert reader.expire() == []
    assert names(reader.feed(b"a")) == ["a"]


def test_an_impossible_sequence_does_not_swallow_what_follows():
    assert names(KeyReader().feed(b"\x1b[\x01ab"))[-2:] == ["a", "b"]


def test_a_scanner_ending_with_two_characters_presses_enter_once():
    assert names(KeyReader().feed(b"12\r\n")) == ["1", "2", "enter"]


def test_bytes_that_are_no_text_are_no_keys():
    assert names(KeyReader().feed(b"a\xff\xfeb")) == ["a", "b"]


def test_a_paste_is_bounded():
    reader = KeyReader()
    reader.feed(b"\x1b[200~" + b"x" * (PASTE_CHARACTERS + 1000))
    (paste,) = reader.feed(b"y\x1b[201~")
    assert isinstance(paste, events.Paste)
    assert len(paste.text) == PASTE_CHARACTERS


def test_a_paste_without_an_end_gives_the_keyboard_back():
    reader = KeyReader()
    reader.feed(b"\x1b[200~abc")
    assert reader.waits_seconds == PASTE_SECONDS
    assert names(reader.expire()) == ["<abc>"]
    assert names(reader.feed(b"d")) == ["d"]


@given(st.binary(max_size=60))
def test_any_bytes_are_survived(data):
    """Noise on a serial line raises nothing and blocks nothing for good."""
    reader = KeyReader()
    reader.feed(data)
    reader.expire()
    reader.expire()
    assert names(reader.feed(b"ok")) == ["o", "k"]
