"""Reads the shorthand of a prescription: `s.2.d.d. tab I pc`, `3 dd 1`, `3x1`, `prn`. Pure.

What cannot be read is named, never left out: the pharmacist must see it as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

UNITS = {
    "tab": "tablet", "tabs": "tablet", "tablet": "tablet", "tb": "tablet", "cap": "kapsul", "caps": "kapsul",
    "kap": "kapsul", "kaps": "kapsul", "kapsul": "kapsul", "pulv": "bungkus", "bks": "bungkus", "bungkus": "bungkus",
    "puyer": "bungkus", "sach": "sachet", "sachet": "sachet", "cth": "sendok takar", "sdt": "sendok takar",
    "cp": "sendok bubur", "c": "sendok makan", "sdm": "sendok makan", "gtt": "tetes", "tts": "tetes", "tetes": "tetes",
    "ml": "ml", "cc": "ml", "mg": "mg", "supp": "supositoria", "suppo": "supositoria", "puff": "semprot", "amp": "ampul",
    "fls": "vial", "unit": "unit", "iu": "unit", "oles": "oles", "kaplet": "kaplet",
}  # fmt: skip
"""Unit as it is written -> word on the label."""
DIRECTIONS = {
    "ac": "sebelum makan", "pc": "sesudah makan", "dc": "bersama makan", "prn": "bila perlu", "uc": "pemakaian diketahui",
    "ue": "obat luar", "hs": "sebelum tidur", "mane": "pagi", "vesp": "sore", "noct": "malam", "met": "pagi dan malam",
    "mv": "pagi dan sore", "od": "mata kanan", "os": "mata kiri", "ods": "kedua mata", "adl": "telinga kiri dan kanan",
    "sl": "di bawah lidah", "po": "diminum", "pr": "lewat dubur", "pv": "lewat vagina", "sc": "di bawah kulit",
    "im": "di otot", "iv": "di pembuluh darah", "imm": "serahkan ke tangan dokter", "pim": "berbahaya bila ditunda",
    "sos": "bila perlu", "cito": "segera", "statim": "segera", "lc": "di tempat sakit", "sprn": "bila perlu",
}  # fmt: skip
"""Abbreviation, dots left out -> what it says on the label."""
WORDS = {
    "pagi", "siang", "sore", "malam", "sebelum", "sesudah", "setelah", "bersama", "makan", "tidur", "bila", "kalau", "jika",
    "demam", "nyeri", "sakit", "mual", "perlu", "batuk", "sesak", "gatal", "pusing", "perut", "kosong", "habiskan", "oleskan",
    "dioleskan", "tipis", "saat", "mata", "telinga", "kanan", "kiri", "kedua", "luka", "kulit", "hidung", "dan",
    "dikunyah", "diminum", "dihisap", "muntah", "diare", "bab", "cair", "kejang", "obat", "luar", "di", "yang", "dalam", "air",
    "dilarutkan", "sekali",
}  # fmt: skip
"""Words of the language that are copied to the label as they stand."""
_IGNORED = {"s", "signa", "da", "in", "sehari", "hari", "x", "kali", "per"}
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10}
_LONGEST_JOINED = 3
"""Single letters, parted by dots or blanks, that may be one abbreviation."""
_DOTS = re.compile(r"(?<!\d)\.|\.(?!\d)")
_APART = re.compile(r"(?<=\d)(?=[a-z])|(?<=[a-z])(?=\d)")
_HALVES = {"½": "1/2", "¼": "1/4", "¾": "3/4", "×": "x"}
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?(?:/\d+)?(?:-\d+(?:[.,]\d+)?)?")
_BY_TIME = re.compile(r"(\d+(?:/\d+)?)-(\d+(?:/\d+)?)-(\d+(?:/\d+)?)(?:-(\d+(?:/\d+)?))?")
_TIMES_OF_DAY = ("pagi", "siang", "malam", "tidur")
HOURS_OF_DAY = range(1, 25)


@dataclass(frozen=True, slots=True)
class Signa:
    """Directions as they read."""

    dose: str = ""
    frequency: str = ""
    instructions: str = ""
    unread: tuple[str, ...] = ()
    """Words that could not be read, as they were typed."""

    @property
    def is_read(self) -> bool:
        """Return whether it says how often or when, and nothing of it is unread."""
        return bool(self.frequency or self.instructions) and not self.unread


@dataclass(slots=True)
class _State:
    """Findings while the words are read from the left."""

    words: list[str]
    at: int = 0
    times: str = ""
    hours: str = ""
    number: str = ""
    unit: str = ""
    said: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def word(self, ahead: int = 0) -> str:
        """Return a word from here on; empty past the end."""
        at = self.at + ahead
        return self.words[at] if at < len(self.words) else ""


def read_signa(text: str, unit: str = "") -> Signa:
    """Return what a shorthand says.

    Args:
        text: As typed.
        unit: The unit of a bare number: `tablet` for tablets, `bungkus` for papers; empty leaves it bare.
    """
    state = _State(_words(text))
    while state.at < len(state.words):
        if not any(read(state) for read in _READERS):
            state.unread.append(state.word())
            state.at += 1
    return _result(state, unit)


def _result(state: _State, unit: str) -> Signa:
    dose = f"{state.number} {state.unit or unit}".strip() if state.number else ""
    frequency = f"{state.times}x sehari" if state.times else ""
    if state.hours:
        frequency = f"tiap {state.hours} jam"
    if "bila perlu" in state.said and not frequency:
        frequency = "bila perlu"
    said = " ".join(part for part in state.said if part != frequency)
    return Signa(dose, frequency, said, tuple(state.unread))


def _words(text: str) -> list[str]:
    """Return the words: dots and blanks between single letters left out, letters and numbers parted."""
    plain = text.lower()
    for sign, written in _HALVES.items():
        plain = plain.replace(sign, written)
    plain = _DOTS.sub(" ", plain).replace(";", " ").replace(":", " ")
    plain = re.sub(r",(?!\d)", " ", plain)
    parts = [part for word in plain.split() for part in _parted(word)]
    if "".join(parts) in DIRECTIONS:
        return ["".join(parts)]
    if parts[:2] == ["s", "c"]:
        # Under the skin, or "signa, a tablespoon": nobody may guess.
        return ["s.c.", *_joined(parts[2:])]
    return _joined(parts[1:] if parts[:1] == ["s"] else parts)


def _parted(word: str) -> list[str]:
    return [word] if _BY_TIME.fullmatch(word) else _APART.sub(" ", word).split()


def _joined(parts: Sequence[str]) -> list[str]:
    """Return the words with single letters run together where that is an abbreviation: `d d` -> `dd`."""
    found: list[str] = []
    at = 0
    while at < len(parts):
        for length in range(_LONGEST_JOINED, 1, -1):
            run = parts[at : at + length]
            if len(run) == length and all(len(each) == 1 and each.isalpha() for each in run):
                key = "".join(run)
                if key == "dd" or key in DIRECTIONS:
                    found.append(key)
                    at += length
                    break
        else:
            found.append(parts[at])
            at += 1
    return found


def _number_at(state: _State, ahead: int = 0) -> str:
    """Return the number at a word, also a Roman one; empty for none."""
    word = state.word(ahead)
    if _NUMBER.fullmatch(word):
        return word.replace(",", ".")
    return str(_ROMAN[word]) if word in _ROMAN else ""


def _read_times(state: _State) -> bool:
    """Read `3 dd`, `3 x sehari`, `3 x 1`."""
    times, mark = _number_at(state), state.word(1)
    if not times or mark not in {"dd", "x", "kali"} or state.times:
        return False
    state.times, state.at = times, state.at + 2
    return True


def _read_hours(state: _State) -> bool:
    """Read `tiap 8 jam`, `q 8 h`, `/ 8 jam`, `o 8 h`."""
    hours, mark = state.word(1), state.word(2)
    if state.word() not in {"tiap", "setiap", "q", "/", "o", "omni"} or mark not in {"jam", "h", "hora"}:
        return False
    if not hours.isdigit() or int(hours) not in HOURS_OF_DAY:
        return False
    state.hours, state.at = hours, state.at + 3
    return True


def _read_by_time(state: _State) -> bool:
    """Read `1-0-1`: the same amount at some times of the day; different amounts stay unread."""
    match = _BY_TIME.fullmatch(state.word())
    if match is None:
        return False
    given = [
        (time, number)
        for time, number in zip(_TIMES_OF_DAY, match.groups(), strict=True)
        if number not in {None, "0"}
    ]
    amounts = {number for _time, number in given}
    if len(amounts) != 1:
        return False
    state.times, state.number = str(len(given)), str(amounts.pop())
    state.said.append(", ".join(time for time, _number in given))
    state.at += 1
    return True


def _read_duration(state: _State) -> bool:
    """Read `5 hari`, `selama 5 hari`, `iter 2 x`."""
    if state.word() == "iter":
        times = _number_at(state, 1)
        state.said.append(f"iter {times}x" if times else "iter")
        state.at += 1 + bool(times) + (state.word(2) in {"x", "kali"} and bool(times))
        return True
    skipped = int(state.word() == "selama")
    days, mark = _number_at(state, skipped), state.word(skipped + 1)
    if not days or mark not in {"hari", "minggu"}:
        return False
    state.said.append(f"selama {days} {mark}")
    state.at += skipped + 2
    return True


def _read_while(state: _State) -> bool:
    """Read `30 menit sebelum makan`, `1 jam sesudah makan`."""
    number, mark, side = _number_at(state), state.word(1), state.word(2)
    if not number or mark not in {"jam", "menit"} or side not in {"sebelum", "sesudah", "setelah"}:
        return False
    state.said.append(f"{number} {mark} {side}")
    state.at += 3
    return True


def _read_dose(state: _State) -> bool:
    """Read `tab I`, `1 tab`, `I`: a number with its unit on either side; the first one counts."""
    if state.number:
        return False
    first, second = state.word(), state.word(1)
    if first in UNITS and _number_at(state, 1):
        state.number, state.unit, length = _number_at(state, 1), UNITS[first], 2
    elif _number_at(state) and second in UNITS:
        state.number, state.unit, length = _number_at(state), UNITS[second], 2
    elif _number_at(state) and (state.times or state.hours):
        state.number, length = _number_at(state), 1
    else:
        return False
    state.at += length
    return True


def _read_direction(state: _State) -> bool:
    """Read an abbreviation, or copy a word of the language."""
    word = state.word()
    if word == "m" and state.word(1) == "et" and state.word(2) in {"v", "n"}:
        state.said.append("pagi dan malam" if state.word(2) == "n" else "pagi dan sore")
        state.at += 3
        return True
    if word in DIRECTIONS or word in WORDS:
        state.said.append(DIRECTIONS.get(word, word))
    elif word not in _IGNORED and not (word in UNITS and state.number):
        return False
    state.at += 1
    return True


_READERS: tuple[Callable[[_State], bool], ...] = (
    _read_times, _read_hours, _read_by_time, _read_duration, _read_while, _read_dose, _read_direction,
)  # fmt: skip
"""Tried in this order at each word."""


def with_signa(dose: str, frequency: str, instructions: str, read: Signa) -> Signa:
    """Return the directions as typed in their fields, the empty ones filled from the shorthand.

    Args:
        dose: As typed in its field.
        frequency: As typed in its field.
        instructions: As typed in its field.
        read: The shorthand as it reads.
    """
    said = ", ".join(part for part in (read.instructions, instructions) if part)
    return replace(read, dose=dose or read.dose, frequency=frequency or read.frequency, instructions=said)
