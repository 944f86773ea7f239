"""LZString as BPJS compresses its answers: the variant `encodeURIComponent`, six bits a letter.

The package `lzstring` is not used: its last release is of 2018, comes as source only and needs `future`.
A text is handled as JavaScript does, in UTF-16 code units.

Source: docs/reference/bpjs.md 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-$"
BITS = 6
"""Bits in one letter of the alphabet."""
BYTE, WIDE, END = 0, 1, 2
"""Codes that are no words: a new unit of 8 bits, a new unit of 16 bits, the end."""
MAX_UNITS = 32_000_000
"""Longest text that is unpacked, in UTF-16 units: an answer of 500 visits has one of a million."""


def compress(text: str) -> str:
    """Return a text in LZString's form for addresses."""
    bits = list(_bits_of(_units(text)))
    bits += [0] * (BITS - len(bits) % BITS)
    groups = (bits[start : start + BITS] for start in range(0, len(bits), BITS))
    return "".join(ALPHABET[int("".join(map(str, group)), 2)] for group in groups)


def decompress(packed: str) -> str:
    """Return the text that `compress` or npm's `lz-string` packed.

    Raises:
        ValueError: It is not in that form, is cut off, or is too long.
    """
    reader = _Reader(packed.replace(" ", "+"))
    first = reader.take(2)
    if first == END:
        return ""
    previous = reader.new_unit(first)
    words = ["", "", "", previous]
    found, size = [previous], 1
    width = _Width(count=4)
    while (code := reader.take(width.bits)) != END:
        if code in (BYTE, WIDE):
            words.append(reader.new_unit(code))
            code = len(words) - 1
            width.grow()
        if code > len(words):
            raise ValueError("lz-string: a word that is not there yet")
        # The word that is being made at this moment may be asked for already.
        word = words[code] if code < len(words) else previous + previous[0]
        found.append(word)
        size += len(word)
        if size > MAX_UNITS:
            raise ValueError("lz-string: too long")
        words.append(previous + word[0])
        width.grow()
        previous = word
    return _text("".join(found))


class _Width:
    """The bits of the next code: one more each time the words have doubled."""

    def __init__(self, count: int, bits: int = 3) -> None:
        self.bits = bits
        self._left = count

    def grow(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._left = 1 << self.bits
            self.bits += 1


class _Reader:
    """Bits of a packed text, each number's lowest bit first."""

    def __init__(self, packed: str) -> None:
        values = {letter: index for index, letter in enumerate(ALPHABET)}
        try:
            self._values = [values[letter] for letter in packed]
        except KeyError:
            raise ValueError("lz-string: a letter outside its alphabet") from None
        self._at = 0

    def take(self, count: int) -> int:
        """Return the next number of `count` bits.

        Raises:
            ValueError: There are not as many left.
        """
        number = 0
        for power in range(count):
            place, within = divmod(self._at, BITS)
            if place >= len(self._values):
                raise ValueError("lz-string: cut off")
            number |= (self._values[place] >> (BITS - 1 - within) & 1) << power
            self._at += 1
        return number

    def new_unit(self, code: int) -> str:
        """Return the UTF-16 unit that a code of 8 or 16 bits announces.

        Raises:
            ValueError: The code announces none.
        """
        if code not in (BYTE, WIDE):
            raise ValueError("lz-string: no such beginning")
        return chr(self.take(8 if code == BYTE else 16))


def _bits_of(units: str) -> Iterator[int]:
    """Yield the bits of a packed text, without those that fill its last letter."""
    known: dict[str, int] = {}
    new: set[str] = set()
    width = _Width(count=2, bits=2)

    def emit(word: str) -> Iterable[int]:
        if word not in new:
            yield from _number(known[word], width.bits)
        else:
            new.discard(word)
            wide = ord(word) > 0xFF
            yield from _number(WIDE if wide else BYTE, width.bits)
            yield from _number(ord(word), 16 if wide else 8)
            width.grow()
        width.grow()

    word = ""
    for unit in units:
        if unit not in known:
            known[unit] = len(known) + 3
            new.add(unit)
        if word + unit in known:
            word += unit
            continue
        yield from emit(word)
        known[word + unit] = len(known) + 3
        word = unit
    if word:
        yield from emit(word)
    yield from _number(END, width.bits)


def _number(value: int, count: int) -> Iterator[int]:
    return (value >> power & 1 for power in range(count))


def _units(text: str) -> str:
    """Return a text with a letter for each UTF-16 unit."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(raw[at] | raw[at + 1] << 8) for at in range(0, len(raw), 2))


def _text(units: str) -> str:
    """Return the text of UTF-16 units; halves of a pair that stand alone stay as they are."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
