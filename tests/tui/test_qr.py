"""The drawn code is the code: reading the half blocks back gives every module."""

from __future__ import annotations

import pytest
import segno

from tui.qr import QUIET, qr_rows

TOP, BOTTOM = set("█▀"), set("█▄")


@pytest.mark.parametrize("draws_light", [False, True])
@pytest.mark.parametrize(
    "text", ["HTTP://192.168.100.100:8460/T/0123456789", "https://antrean.example.go.id/loket/T/ABCDEFGHJK"]
)
def test_rows_hold_every_module(text: str, draws_light: bool):
    rows = qr_rows(text, draws_light=draws_light)
    assert len({len(row) for row in rows}) == 1
    drawn = [[cell in half for cell in row] for row in rows for half in (TOP, BOTTOM)]
    dark = [[cell != draws_light for cell in row] for row in drawn]
    code = segno.make_qr(text, error="l", boost_error=False)
    expected = [[module == 1 for module in row] for row in code.matrix_iter(border=QUIET)]
    assert dark[: len(expected)] == expected


def test_a_clinics_own_address_takes_fifteen_rows():
    rows = qr_rows("HTTP://192.168.100.100:8460/T/0123456789", draws_light=False)
    assert (len(rows), len(rows[0])) == (15, 29)
