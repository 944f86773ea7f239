"""Indonesian names and other words, made comparable.

Three degrees: `fold` for any text, `name_words` for the parts of a name that identify,
`phonetic` for how one part sounds (old and new spelling, Arabic loans, doubled letters).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from string import ascii_lowercase

TITLES = frozenset(
    (
        "h hj hjh haji hajah bu pak mbak dr drg drs dra ir prof kh ust ustadz ustadzah tn ny nn an bpk ibu sdr sdri"
        " r rr rd raden rm ra gt gusti spd sh se st skm skep amd amk amkeb mkes mpd msi mm ma ag sag ssos"
        " skom shum ners ns alm almh almarhum almarhumah tuan nyonya nona bapak saudara saudari spdi sip"
        " stp ssi sfarm apt sked spog spa mkn mh mt str keb sst mth mpdi lc mba bsc phd ba se sp"
        " amdkeb amdkep amdgz amdkl amdfarm amdak strkeb strkep strgz mkep mkeb mkom mhum msos spt shi sei"
        " spdsd spdaud spsi"
    ).split()
)
"""Titles, degrees and forms of address, without dots."""

PARENT_WORDS = frozenset({"bin", "binti", "bt", "bte", "bti", "b"})

NEWBORN_WORDS = frozenset({"by", "bayi"})
"""A child without a name yet is written by its mother's: `By. Ny. Siti Aminah`."""

WIFE_WORDS = frozenset({"ny", "nyonya", "bu", "ibu", "mrs"})
"""A wife is called by her husband's name after one of these: `Ny. Budi Santoso`."""

SHORT_FORMS = {
    **dict.fromkeys(
        "muhammad mohammad mohamad muhamad mochammad mochamad mohamed muhamed muhammed muh moh moch mhd mhmd"
        " mohd muhd md mukhammad mokhamad mochamat muhamat mohamat muchammad muchamad".split(),
        "muhammad",
    ),
    **dict.fromkeys("ahmad achmad akhmad ahmed achmat ahmat akhmat ahm achm amad ahmd".split(), "ahmad"),
    **dict.fromkeys("siti sitti sity sti citi".split(), "siti"),
    **dict.fromkeys("abdul abd abdoel abdl abdur abdus abdu abdoer abdoes".split(), "abdul"),
    **dict.fromkeys("nur noor noer nor noour nurul noerul norul".split(), "nur"),
    **dict.fromkeys("sri sry srie".split(), "sri"),
    **dict.fromkeys("dewi dewie dewy".split(), "dewi"),
}
"""How a part is written -> the one form it stands for."""
SHORTEST_CALL = 3  # letters of the shortest nickname
LEAST_LEFT_OUT = (
    2  # letters by which a nickname is shorter at least than the part of the name that it stands for
)

_LED_BY = {"st": "siti", "m": "muhammad"}
"""Abbreviation before another part of a name -> the part that it is short for."""

_JOINED = re.compile(
    r"(?P<head>n(?:u|oo|oe|o)r(?:ul)?|siti|sitti|sri|muh?ammad|moc?hammad|ah?c?mad)(?P<rest>[a-z]{4,})"
)
_HEADS = frozenset({"nur", "siti", "sri", "abdul"})
_ABDUL = re.compile(r"abd(?:u|oe)(?:[rsntdzl](?=[b-df-hj-np-tv-z]))?(?P<rest>[a-z]{4,})")

_SOUNDS = (
    ("oe", "u"), ("dj", "j"), ("tj", "c"), ("nj", "ny"), ("sj", "s"), ("sy", "s"), ("sh", "s"), ("ts", "s"),
    ("kh", "h"), ("dh", "d"), ("th", "t"), ("ph", "p"), ("gh", "g"), ("bh", "b"), ("dz", "z"), ("dl", "d"),
    ("ck", "k"), ("f", "p"), ("v", "p"), ("q", "k"), ("x", "ks"), ("z", "s"), ("ae", "ai"), ("ei", "ai"),
    ("oi", "ai"), ("au", "o"), ("ou", "u"), ("ee", "i"), ("oo", "u"), ("uw", "u"), ("ie", "i"), ("iy", "i"),
    ("y", "j"),
)  # fmt: skip
"""Spelling -> sound, applied in this order."""

_SPOKEN_I = re.compile(r"(?<=[b-df-hj-np-tv-xz])y(?![aeiou])")
"""The last letter of `Rizky` and `Desy`, the second of `Sylvia`."""
_CH_AS_H = re.compile(r"^ch(?=air|oir|ol|us|ot|al|um|od|ad)")
_CH_FIRST = re.compile(r"^ch")
_DOUBLED = re.compile(r"(.)\1+")
_LISTED = re.compile(r"[,;/]")
_SEPARATED = re.compile(r"[\s,;/()]+")


_PLAIN = "".join(letter.lower() if letter.isalnum() else " " for letter in map(chr, range(128)))


def fold(text: str) -> str:
    """Lower case, without accents and signs, words parted by single spaces."""
    if text.isascii():
        kept = text.translate(_PLAIN)
    else:
        # Twice: folding `𝕬` needs its plain letter first, and folding `İ` leaves a mark behind.
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.split())


_ALIAS = re.compile(r"\s+(?:alias|als\.?|a\.?k\.?a\.?)\s+", re.IGNORECASE)
"""Between a name and another name of the same person: `Siti Aminah alias Mbak Minah`."""


def without_alias(name: str) -> tuple[str, str]:
    """Return a name as it was typed without the other names behind it, and these."""
    found = _ALIAS.search(name)
    if found is None or not fold(name[: found.start()]):
        return name, ""
    return name[: found.start()].strip(), name[found.end() :].strip()


def listed_names(text: str) -> list[str]:
    """Return the names of a list that is parted by commas, semicolons or slashes, each once."""
    if not text:  # asked of every candidate, and nearly always so
        return []
    return list(dict.fromkeys(name.strip() for name in _LISTED.split(text) if fold(name)))


def joined_names(*texts: str) -> str:
    """Return the names of several lists as one, each once however it is written."""
    names = [name for text in texts for name in listed_names(text)]
    first_written = {fold(name): name for name in reversed(names)}
    return ", ".join(first_written[key] for key in dict.fromkeys(map(fold, names)))


def own_name(name: str) -> str:
    """A name without the father's that follows `bin` or `binti`; the name itself when there is none."""
    lowered = name.lower()
    if "bi" not in lowered and "bt" not in lowered:  # asked of every candidate, and nearly always no
        return name
    tokens = name.split()
    for index, token in enumerate(tokens[1:-1], start=1):
        if token.strip(".,").lower() in {"bin", "binti", "bte", "bti"}:
            return " ".join(tokens[:index])
    return name


@lru_cache(maxsize=50_000)
def name_words(name: str) -> tuple[str, ...]:
    """The identifying parts of a name, in order: titles and `bin`/`binti` gone, short forms written out.

    A name that is nothing but titles is kept as it is; `St.` before another part is Siti, `M.`
    Muhammad. `Nurhayati` is parted like `Nur Hayati`, `Abdurrahman` like `Abdul Rahman`.
    """
    words = written_words(name)
    return tuple([part for word in words for part in identifying(word)] or words)


def written_words(name: str) -> list[str]:
    """The words of a name, folded, titles too; what is short for another word stands for it where it leads."""
    words = _undotted(name)
    for index, word in enumerate(words[:-1]):
        if word in _LED_BY:
            words[index] = _LED_BY[word]
        if identifying(word):
            break
    return words


@lru_cache(maxsize=50_000)
def identifying(word: str) -> tuple[str, ...]:
    """The parts of a name that one word stands for; none for a title."""
    if word in TITLES or word in PARENT_WORDS or word in NEWBORN_WORDS:
        return ()
    return tuple(_parted(word))


def is_newborn_name(name: str) -> bool:
    """Return whether a name only says whose child this is: `By. Ny. Siti`, `Bayi Aminah`."""
    if name.lstrip()[:2].lower() not in {"by", "ba"}:  # asked of every candidate, and nearly always no
        return False
    words = _undotted(name)
    return len(words) > 1 and words[0] in NEWBORN_WORDS


def is_wifes_name(name: str) -> bool:
    """Return whether a name may be the husband's: `Ny. Budi Santoso`."""
    if name[:1].lower() not in {"n", "b", "i", "m"}:  # asked of every name compared, and nearly always no
        return False
    words = _undotted(name)
    return len(words) > 1 and words[0] in WIFE_WORDS


def is_nickname(called: str, name: str) -> bool:
    """Return whether somebody of this name may be called so: its end, its beginning or a doubled syllable of it.

    `Yati` and `Yayati` for `Nurhayati`, `Man` for `Sulaiman`, `Kiki` for `Rizki`. Both are sounds of one word.
    """
    if len(called) < SHORTEST_CALL:
        return False
    if len(name) - len(called) >= LEAST_LEFT_OUT and (name.endswith(called) or name.startswith(called)):
        return True
    rest = called[2:]
    return rest.startswith(called[:2]) and rest in name and rest != name


def mother_in(name: str) -> str:
    """The mother's name in a newborn's, folded: `siti aminah` of `By. Ny. St. Aminah`; empty in any other name."""
    return " ".join(name_words(name)) if is_newborn_name(name) else ""


def _undotted(name: str) -> list[str]:
    """Folded words; a dotted token that is a title as a whole (`S.Pd`) stays one word, others are split."""
    if name.isascii() and name.replace(" ", "").isalpha():
        return name.lower().split()
    words: list[str] = []
    for token in _SEPARATED.split(re.sub(r"['`’‘]", "", name)):
        whole = fold(token.replace(".", ""))
        if "." in token.strip(".") and whole not in TITLES:
            words += fold(token).split()
        else:
            words += whole.split()
    return words


def _parted(word: str) -> list[str]:
    if word in SHORT_FORMS:
        return [SHORT_FORMS[word]]
    if word[:3] == "abd" and not word.startswith(("abdula", "abdull", "abdoel", "abdulo")):
        joined = _ABDUL.fullmatch(word)
        if joined:
            return ["abdul", joined["rest"]]
    joined = _JOINED.fullmatch(word)
    if joined and joined["head"] in SHORT_FORMS:
        return [SHORT_FORMS[joined["head"]], joined["rest"]]
    return [word]


def as_one(words: tuple[str, ...]) -> list[str]:
    """Parts that are also written as one, `nur` and `hayati` as `nurhayati`: a slip hides where to part them."""
    return [a + b for a, b in pairwise(words) if a in _HEADS]


@lru_cache(maxsize=50_000)
def phonetic(word: str) -> str:
    """Return the sound of one word; the same for `Djoemiati` and `Jumiyati`, `Rachmat` and `Rahmad`."""
    sound = _CH_FIRST.sub("c", _CH_AS_H.sub("h", word))
    sound = _SPOKEN_I.sub("i", sound[:1] + sound[1:].replace("ch", "h"))
    for spelled, spoken in _SOUNDS:
        if spelled in sound:
            sound = sound.replace(spelled, spoken)
    sound = _DOUBLED.sub(r"\1", sound)
    if len(sound) > 2 and sound[-1] == "d":
        sound = sound[:-1] + "t"
    # An h inside or at the end is written or not as one likes; dropping it may double a vowel.
    return _DOUBLED.sub(r"\1", sound[:1] + sound[1:].replace("h", ""))


_READ_AS_ONE = re.compile("|".join((*(spelled for spelled, _ in _SOUNDS if len(spelled) == 2), r"(.)\1")))


def meant_sounds(word: str) -> set[str]:
    """Return how a word would sound without the slip that made two of its letters read as one.

    `Glauh` for `Galuh`, `Caurangga` for `Caturangga`, `Dartoo` for `Dartono`: a letter left out, struck for another
    or swapped brings two together that are read as one, and the sound is far from what was meant.
    """
    meant: set[str] = set()
    for match in _READ_AS_ONE.finditer(word):
        at = match.start()
        before, first, second, behind = word[:at], word[at], word[at + 1], word[at + 2 :]
        meant |= {f"{before}{first}{letter}{second}{behind}" for letter in ascii_lowercase}
        meant |= {f"{before}{letter}{second}{behind}" for letter in ascii_lowercase}
        meant |= {f"{before}{first}{letter}{behind}" for letter in ascii_lowercase}
        meant |= {f"{before}{second}{first}{behind}", f"{before}{first}{behind}", f"{before}{second}{behind}"}
        if before:
            meant.add(f"{before[:-1]}{first}{before[-1]}{second}{behind}")
        if behind:
            meant.add(f"{before}{first}{behind[0]}{second}{behind[1:]}")
    return {phonetic(other)[:40] for other in meant} - {phonetic(word)[:40]}


@lru_cache(maxsize=50_000)
def name_sounds(name: str) -> tuple[str, ...]:
    """Return the sounds of the identifying parts of a name, in order."""
    return tuple(sound for word in name_words(name) if (sound := phonetic(word)[:40]))


COMMON_SOUNDS = frozenset(
    phonetic(word) for word in ("muhammad", "siti", "nur", "abdul", "ahmad", "sri", "dewi", "ayu", "haji")
)
"""Parts worn by so many that they hardly tell people apart."""
