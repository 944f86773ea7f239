"""Documents as bytes: what a printer gets, and what it never gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.foundation.codes import PrintStyle
from core.foundation.identifiers import new_id
from core.printing.documents import PrintDocument, PrintLine, to_text
from core.printing.escpos import to_escpos
from core.queues.ticket_codes import ALPHABET, id_tail, ticket_address, ticket_code

printable = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn", "Zl", "Zp", "Cf"]), max_size=300
)


def document(*lines: PrintLine) -> PrintDocument:
    return PrintDocument(lines=list(lines))


def test_plain_text_is_broken_centred_and_ended():
    data = to_text(
        document(
            PrintLine(text="Puskesmas Kelayan", style=PrintStyle.HEADING),
            PrintLine(text="satu dua tiga empat lima enam tujuh"),
            PrintLine(text="HTTP://X/T/1", style=PrintStyle.QR),
        ),
        24,
    )
    assert data == (
        b"   Puskesmas Kelayan\r\nsatu dua tiga empat lima\r\nenam tujuh\r\n      HTTP://X/T/1\r\n\r\n\r\n\f"
    )


def test_a_number_is_drawn_by_characters_where_a_printer_knows_letters_only():
    line = PrintLine(text="0114U1631226Y000003", style=PrintStyle.DRAWN_QR)
    rows = to_text(document(line), 72).decode("ascii").split("\r\n")
    drawn = [row for row in rows if "##" in row]
    assert len(drawn) == 21, "the smallest code holds the number"
    assert {row.replace("##", "").strip() for row in drawn} == {""}, "nothing but whole modules"
    assert drawn[0].strip().startswith("#" * 14), "the finder pattern"
    assert to_text(document(line), 24).startswith(b"0114U1631226Y000003"), "too narrow: the number alone"
    assert b"0114U1631226Y000003" in to_escpos(document(line), 42)


def test_escpos_switches_what_it_switched_on_off_again():
    data = to_escpos(
        document(PrintLine(text="B-007", style=PrintStyle.BIG), PrintLine(text="biasa")), 32
    )  # fmt: skip
    assert data == b"\x1b@\x1ba\x01\x1d!\x11B-007\n\x1d!\x00\x1ba\x00biasa\n\n\n\n\x1dV\x42\x00"


def test_a_qr_code_carries_its_text_with_the_right_length():
    address = "HTTP://192.168.1.10:8460/T/0123456789"
    data = to_escpos(document(PrintLine(text=address, style=PrintStyle.QR)), 32)
    stored = b"\x1d(k" + bytes([len(address) + 3, 0]) + b"1P0" + address.encode()
    assert stored in data
    assert data.index(stored) < data.index(b"\x1d(k\x03\x001Q0")


@given(
    st.lists(st.builds(PrintLine, text=printable, style=st.sampled_from(PrintStyle)), min_size=1),
    st.integers(24, 136),
)
def test_no_text_becomes_a_command_and_no_row_is_too_long(lines: list[PrintLine], columns: int):
    text = to_text(PrintDocument(lines=lines), columns)
    assert text.isascii()
    rows = text.removesuffix(b"\f").split(b"\r\n")
    assert all(len(row) <= columns for row in rows)
    assert not any(byte < 32 for row in rows for byte in row)
    # Every escape in the other form is one of ours: the texts alone hold none.
    plain = [line for line in lines if line.style is PrintStyle.PLAIN]
    if plain:
        body = to_escpos(PrintDocument(lines=plain), columns)
        assert body.count(b"\x1b") == 1 + len(plain)
        assert b"\x1b[4i" not in body


@pytest.mark.parametrize("text", ["a\x1b[4i", "a\nb", "\x1d!\x11", "\u202egnorw", "a\x00"])
def test_control_characters_are_refused(text: str):
    with pytest.raises(ValidationError):
        PrintLine(text=text)


@given(st.integers(0, (1 << 48) - 1))
def test_a_code_is_read_back_however_it_is_typed(tail: int):
    entry_id = f"01890a5d-ac96-774b-bcce-{tail:012x}"
    code = ticket_code(entry_id)
    assert set(code) <= set(ALPHABET)
    assert id_tail(code) == id_tail(code.lower()) == f"{tail:012x}"
    assert id_tail(f"{code[:5]}-{code[5:]}") == f"{tail:012x}"
    assert id_tail(code.replace("0", "o").replace("1", "l")) == f"{tail:012x}"


@pytest.mark.parametrize("code", ["", "A", "0123456789A", "ZZZZZZZZZZ", "01234 6789", "../../etc/", "U" * 10])
def test_what_is_no_code_is_none(code: str):
    assert id_tail(code) is None


def test_codes_made_in_one_millisecond_do_not_follow_from_each_other():
    codes = [ticket_code(new_id()) for _ in range(200)]
    assert len(set(codes)) == 200
    assert len({code[5:] for code in codes}) == 200


def test_an_address_with_a_path_keeps_its_letters():
    entry_id = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert ticket_address("http://loket.lan:8460", entry_id).startswith("HTTP://LOKET.LAN:8460/T/")
    assert ticket_address("https://x.go.id/Loket", entry_id).startswith("https://x.go.id/Loket/T/")
