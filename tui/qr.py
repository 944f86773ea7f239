"""QR codes drawn in a terminal: two modules in each cell, by half blocks."""

from __future__ import annotations

import segno

QUIET = 2  # modules of margin; the standard asks for four, every reader is content with two
_HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


def qr_rows(text: str, *, draws_light: bool) -> list[str]:
    """Return a QR code of a text as rows of equal width.

    Args:
        text: Best in capitals and digits: 47 of them take 25 by 25 modules, 15 rows of 29 cells.
        draws_light: Draw the light modules instead of the dark ones, for a terminal whose background is
            dark and which shows no colours; otherwise the rows are to be painted black on white.
    """
    code = segno.make_qr(text, error="l", boost_error=False)
    dark = [[module == 1 for module in row] for row in code.matrix_iter(border=QUIET)]
    if len(dark) % 2:
        dark.append([False] * len(dark[0]))
    return [
        "".join(
            _HALVES[above != draws_light, below != draws_light] for above, below in zip(*pair, strict=True)
        )
        for pair in zip(dark[::2], dark[1::2], strict=True)
    ]
