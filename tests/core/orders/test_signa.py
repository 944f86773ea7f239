"""The shorthand of prescriptions: read as it is meant, or said to be unread; nothing typed is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.orders.medicines.quantities import read_amount, read_frequency
from core.orders.medicines.signa import DIRECTIONS, UNITS, WORDS, read_signa, with_signa


@pytest.mark.parametrize(
    ("typed", "dose", "frequency", "instructions"),
    [("3 dd 1", "1 tablet", "3x sehari", ""), ("3dd1", "1 tablet", "3x sehari", ""),
     ("s.2.d.d. tab I pc", "1 tablet", "2x sehari", "sesudah makan"),
     ("S 3 d.d. tab I a.c.", "1 tablet", "3x sehari", "sebelum makan"), ("prn", "", "bila perlu", ""),
     ("s.p.r.n. 3 dd 1", "1 tablet", "3x sehari", "bila perlu"), ("3x1", "1 tablet", "3x sehari", ""),
     ("3 x 1 tab", "1 tablet", "3x sehari", ""), ("2x1 sesudah makan", "1 tablet", "2x sehari", "sesudah makan"),
     ("3x sehari 1 kapsul", "1 kapsul", "3x sehari", ""), ("s 3 dd cth II", "2 sendok takar", "3x sehari", ""),
     ("3 dd C I", "1 sendok makan", "3x sehari", ""), ("4 dd gtt II", "2 tetes", "4x sehari", ""),
     ("3 dd gtt I o.d.s.", "1 tetes", "3x sehari", "kedua mata"), ("2 dd pulv I", "1 bungkus", "2x sehari", ""),
     ("1 dd 1 h.s.", "1 tablet", "1x sehari", "sebelum tidur"), ("3 dd 1/2", "1/2 tablet", "3x sehari", ""),
     ("3 dd ½ tab", "1/2 tablet", "3x sehari", ""), ("tiap 8 jam 1 tab", "1 tablet", "tiap 8 jam", ""),
     ("q8h", "", "tiap 8 jam", ""), ("1-1-1", "1 tablet", "3x sehari", "pagi, siang, malam"),
     ("1-0-1", "1 tablet", "2x sehari", "pagi, malam"), ("0-0-1", "1 tablet", "1x sehari", "malam"),
     ("3 dd 1 selama 5 hari", "1 tablet", "3x sehari", "selama 5 hari"), ("s.u.e.", "", "", "obat luar"),
     ("2 dd 1 iter 1x", "1 tablet", "2x sehari", "iter 1x"), ("s.o.s.", "", "bila perlu", ""),
     ("2 dd 1 puff", "1 semprot", "2x sehari", ""), ("1 dd 1 pagi", "1 tablet", "1x sehari", "pagi"),
     ("IV dd I", "1 tablet", "4x sehari", ""), ("3 dd 1 30 menit sebelum makan", "1 tablet", "3x sehari", "30 menit sebelum makan"), ("2,5 ml 3x sehari", "2.5 ml", "3x sehari", "")],
)  # fmt: skip
def test_the_usual_shorthand_is_read(typed: str, dose: str, frequency: str, instructions: str) -> None:
    read = read_signa(typed, "tablet")
    assert (read.dose, read.frequency, read.instructions, read.unread) == (dose, frequency, instructions, ())
    assert not dose or read_amount(read.dose) is not None
    if frequency not in {"", "bila perlu"}:
        assert read_frequency(frequency) is not None, "the check of the dose reads it too"


@pytest.mark.parametrize(
    ("typed", "unread"),
    [("3 dd 1 xyz", ("xyz",)), ("2-0-1", ("2-0-1",)), ("b.d.d. 1", ("b", "dd", "1")), ("s.c. 10 unit", ("s.c.",)),
     ("99 dd", ()), ("tiap 30 jam 1 tab", ("tiap", "30", "jam")), ("3 dd 1 2", ("2",)), ("tid", ("tid",)), ("bid 1", ("bid", "1")),
     ("3 dd ?", ("?",)), ("ekstra", ("ekstra",)), ("3 dd 1 pcc", ("pcc",))],
)  # fmt: skip
def test_what_cannot_be_read_is_named(typed: str, unread: tuple[str, ...]) -> None:
    assert [word for word in read_signa(typed, "tablet").unread if word in unread] == list(unread)


def test_a_typed_field_goes_before_the_shorthand() -> None:
    read = with_signa("2 tablet", "", "habiskan", read_signa("3 dd 1 pc", "tablet"))
    assert (read.dose, read.frequency, read.instructions) == (
        "2 tablet",
        "3x sehari",
        "sesudah makan, habiskan",
    )


@given(st.text(max_size=60))
def test_anything_is_read_without_a_fault(text: str) -> None:
    read_signa(text, "tablet")


@given(st.lists(st.sampled_from([*UNITS, *DIRECTIONS, *WORDS, "3", "dd", "1", "zzq", "I", "x"]), max_size=8))
def test_a_word_that_says_nothing_known_is_never_left_out(words: list[str]) -> None:
    assert read_signa(" ".join(words)).unread.count("zzq") == words.count("zzq")
