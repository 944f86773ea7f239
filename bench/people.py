"""Fictitious Indonesian households, and the ways in which a person is written down a second time.

Everything is drawn from seeds; nobody is real. A `Record` is the data of one registration; records
of one `person` are duplicates of each other.

**Households.** 1 to 6 people: parents, children, now and then a grandmother. They share address (two in
five with RT, RW and village, as on a card), phone and family card; children share the mother. 3 % of births are twins, whose names rhyme
(a vowel or the first letter differs) and whose numbers follow each other. Names follow a steep
(Zipf) distribution, so namesakes abound; one in eight has a single name; one in ten writes a title.

**Second writing.** Each field passes through *operators*, drawn by the weights below. Operators come
in two disjoint sets: weights are fitted on `FITTED` and reported on `UNSEEN`.

| field | `FITTED` | `UNSEEN` |
|---|---|---|
| name | Muh./Mohamad/M., oe/u, dj/j, doubled letter, last part dropped, parts swapped, H./Hj., letter \
replaced | Moch./Mhd/Muhamad, tj/c, sy/s, kh/h, f/p, h dropped, middle part dropped, initial, joined, \
bin/binti, degrees, letters swapped, letter dropped |
| birth date | day and month swapped, a year more, 1 January, a digit of the day | ten years less, \
1 July, 31 December, a digit of the month, a year less |
| mother | missing, last part dropped, letter replaced | missing, title, initial, letter dropped, oe/u |
| address | `Jl.` dropped, RT/RW added, moved | `Gang` written out, number dropped, moved, missing |
| number | NIK missing, a digit wrong | NIK missing, two digits swapped |
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate

from faker.providers.person.id_ID import Provider

from core.linkage.scoring import Person
from core.patients.national_ids import compose_nik

Operator = Callable[[random.Random, str], str]

MEN = [name for name in dict.fromkeys(Provider.first_names_male) if name.isalpha()]
WOMEN = [name for name in dict.fromkeys(Provider.first_names_female) if name.isalpha()]
FAMILY = list(dict.fromkeys(Provider.last_names))
WOMENS_LAST = FAMILY[FAMILY.index("Agustina") :]
MENS_LAST = FAMILY[: FAMILY.index("Agustina")]
ARABIC_MEN = (
    "Fauzi Rahmat Hidayat Syahrani Khairul Zainuddin Rusli Syarifuddin Arsyad Hasbullah Jamaluddin Fahrurazi"
    " Yusran Akhyar Ridhani Mastur Syukri Darmawan Kholid Sholeh Burhan Anwar Fadli Ilham Taufik Zulfikar"
).split()
ARABIC_WOMEN = (
    "Aminah Aisyah Khadijah Fatimah Rahmah Halimah Maimunah Jumiati Masitah Norhayati Rusmiati Salasiah"
    " Hasanah Mariatul Zubaidah Jamilah Rohani Noraida Syamsiah Raudah Helda Mardiana Kamsiah Saniah"
).split()
TWINS = (
    ("Hasan", "Husin"), ("Hasan", "Hasin"), ("Rina", "Rini"), ("Dina", "Dini"), ("Rudi", "Rodi"),
    ("Yuli", "Yula"), ("Andi", "Andra"), ("Lina", "Luna"), ("Rahma", "Rahmi"), ("Fahri", "Fahra"),
    ("Raisa", "Kaisa"), ("Indra", "Indri"), ("Arif", "Arab"), ("Nita", "Nata"), ("Salwa", "Salma"),
)  # fmt: skip
"""Names of twins; the rest of the name is shared."""
STREETS = (
    "Sungai Andai;Veteran;Kuin Utara;Pramuka;Kelayan A;Belitung Darat;Pekapuran Raya;Teluk Tiram;Antasan Kecil"
    ";Sultan Adam;Banua Anyar;Pangeran;Cemara Raya;Pekauman;Gatot Subroto;A Yani;Manggis;Melati;Mawar"
    ";Ratu Zaleha;Simpang Limau;Kampung Melayu;Tembus Mantuil;Basirih;Alalak Tengah;Saka Permai;Cempaka"
).split(";")
VILLAGES = (
    "Kuin Cerucuk;Sungai Miai;Pemurus Dalam;Kertak Baru Ilir;Telaga Biru;Seberang Mesjid;Murung Raya;Antasan Besar"
).split(";")
TODAY = date(2026, 11, 1)


@dataclass(frozen=True)
class Record:
    """One record of a registration."""

    person: int
    household: int
    twin_of: int | None
    written: Person


class Names:
    """Draws names with a steep distribution, from Faker's pools and from composed syllables."""

    HEADS = (
        "Su Har War Kus Mar Nur Pur Dar Wi Ra Her Bam Sul Kar Mul Ju Tri Yu Is Mas Ba Sa La Ri Zai".split()
    )
    MIDDLES = "di na ya si mi ti la ri no wa ha lu sa ma ni ki to ra bu da".split()
    MEN_TAILS = "yono yanto man din wan to no di adi anto syah rin lani bar".split()
    WOMEN_TAILS = "wati yanti ningsih ni ti yah ati sih lina rah dah nah mi".split()

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._men = self._pool(MEN + ARABIC_MEN, self.MEN_TAILS)
        self._women = self._pool(WOMEN + ARABIC_WOMEN, self.WOMEN_TAILS)

    def _pool(self, real: Sequence[str], tails: Sequence[str]) -> tuple[list[str], list[float]]:
        made = [f"{a}{b}{c}" for a in self.HEADS for b in ("", *self.MIDDLES) for c in tails]
        pool = list(real)
        self._chance.shuffle(pool)
        self._chance.shuffle(made)
        pool += made
        return pool, list(accumulate(1 / (rank + 8) for rank in range(len(pool))))

    def part(self, sex: str) -> str:
        """Return one given name."""
        pool, weights = self._men if sex == "male" else self._women
        return pool[min(bisect(weights, self._chance.random() * weights[-1]), len(pool) - 1)]

    def full(self, sex: str) -> str:
        """Return a full name: one to three parts, often led by Muhammad, Ahmad, Siti or Nur."""
        chance, parts = self._chance, [self.part(sex)]
        if chance.random() > 0.13:
            last = MENS_LAST if sex == "male" else WOMENS_LAST
            parts.append(chance.choice(last) if chance.random() < 0.4 else self.part(sex))
        if chance.random() < 0.22:
            lead = (
                ("Muhammad", "Muhammad", "Ahmad", "Abdul")
                if sex == "male"
                else ("Siti", "Siti", "Nur", "Sri")
            )
            parts.insert(0, chance.choice(lead))
        elif chance.random() < 0.12:
            parts.append(self.part(sex))
        return " ".join(dict.fromkeys(parts))


def households(seed: int, people: int) -> list[Record]:
    """Return at least `people` first records, household by household."""
    chance = random.Random(seed)
    names = Names(chance)
    made: list[Record] = []
    taken: set[str] = set()
    number = 0
    while len(made) < people:
        number += 1
        made += _household(chance, names, number, len(made), taken)
    return made


def _household(chance: random.Random, names: Names, number: int, first: int, taken: set[str]) -> list[Record]:
    street = chance.choice(STREETS)
    address = f"{chance.choice(('Jl.', 'Jl.', 'Gg.', 'Komp.'))} {street} No. {chance.randrange(1, 150)}"
    if chance.random() < 0.4:
        address = _with_rt(chance, address) + f" Kel. {chance.choice(VILLAGES)}"
    home = {
        "address": address,
        "phone": f"08{chance.choice('12 13 15 21 52 53 57 78 95'.split())}{chance.randrange(10**6, 10**8)}",
        "family_card_number": f"63710{chance.randrange(1, 6)}{chance.randrange(1, 29):02d}0{chance.randrange(1, 9)}"
        f"{chance.randrange(8, 25):02d}{chance.randrange(1, 9999):04d}",
    }
    own_phones = chance.random() < 0.4
    members: list[tuple[str, str, date, str, int | None]] = []
    mother_name, father_name = names.full("female"), names.full("male")
    mother_born = TODAY - timedelta(days=chance.randrange(20 * 365, 75 * 365))
    members.append((mother_name, "female", mother_born, names.full("female"), None))
    if chance.random() < 0.85:
        born = mother_born - timedelta(days=chance.randrange(-3 * 365, 9 * 365))
        members.append((father_name, "male", born, names.full("female"), None))
    youngest = mother_born + timedelta(days=18 * 365)
    while chance.random() < 0.72 and len(members) < 7:
        youngest += timedelta(days=chance.randrange(400, 1800))
        if youngest >= TODAY:
            break
        members += _children(chance, names, mother_name, father_name, youngest, first + len(members))
    records: list[Record] = []
    for index, (name, sex, born, mother, twin) in enumerate(members):
        before = records[-1].written.nik if twin is not None else None
        nik = _nik(chance, born, sex, taken, before)
        phone = home["phone"]
        if own_phones and index < 3:
            phone = phone[:-3] + f"{chance.randrange(1000):03d}"
        titled = born.year < 1985 and chance.random() < 0.12
        written = Person(
            name=("H. " if sex == "male" else "Hj. ") * titled + name,
            sex=sex,
            birth_date=born.isoformat(),
            nik=nik,
            bpjs_number=_bpjs_number(first + index) if chance.random() < 0.6 else None,
            family_card_number=home["family_card_number"] if chance.random() < 0.5 else None,
            mother_name=mother if chance.random() < 0.8 else "",
            phone=phone if chance.random() < 0.85 else "",
            address=home["address"],
        )
        if born.year < 1965 and chance.random() < 0.15:
            written = replace(written, birth_date=f"{born.year}-{chance.choice(('01-01', '12-31', '07-01'))}")
        records.append(Record(first + index, number, twin, written))
    return records


def _nik(chance: random.Random, born: date, sex: str, taken: set[str], before: str | None) -> str:
    """Return an unused number; the second twin's is the next after the first's where that is free."""
    if before is not None:
        nik = compose_nik(before[:6], born, sex, int(before[-4:]) % 9999 + 1)
    else:
        nik = compose_nik(f"63710{chance.randrange(1, 6)}", born, sex, chance.randrange(1, 60))
    while nik in taken:
        nik = compose_nik(nik[:6], born, sex, chance.randrange(1, 9999))
    taken.add(nik)
    return nik


def _bpjs_number(person: int) -> str:
    """Return an unused number, more than one slip away from every other."""
    return f"000{(person + 1) * 7_919_000_033 % 10**10:010d}"


def _children(
    chance: random.Random, names: Names, mother: str, father: str, born: date, person: int
) -> list[tuple[str, str, date, str, int | None]]:
    sex = chance.choice(("male", "female"))
    family = father.split()[-1] if chance.random() < 0.25 else ""
    if chance.random() < 0.03:
        one, other = chance.choice(TWINS)
        rest = names.part(sex) if chance.random() < 0.5 else family
        return [
            (f"{one} {rest}".strip(), sex, born, mother, None),
            (f"{other} {rest}".strip(), sex, born, mother, person),
        ]
    name = names.full(sex)
    return [(f"{name} {family}".strip() if len(name.split()) < 3 else name, sex, born, mother, None)]


# Operators on names


def _replacing(*pairs: tuple[str, str]) -> Operator:
    def operate(chance: random.Random, text: str) -> str:
        lowered = text.lower()
        usable = [pair for pair in pairs if pair[0] in lowered]
        if not usable:
            return text
        old, new = chance.choice(usable)
        place = lowered.index(old)
        changed = text[:place] + new + text[place + len(old) :]
        return changed.title() if place == 0 or text[place - 1] == " " else changed

    return operate


def _leading(words: Sequence[str], forms: Sequence[str]) -> Operator:
    def operate(chance: random.Random, text: str) -> str:
        parts = text.split()
        return " ".join([chance.choice(forms), *parts[1:]]) if len(parts) > 1 and parts[0] in words else text

    return operate


def _drop(place: int) -> Operator:
    def operate(chance: random.Random, text: str) -> str:
        parts = text.split()
        if len(parts) < (3 if place == 1 else 2):
            return text
        return " ".join(part for index, part in enumerate(parts) if index != place % len(parts))

    return operate


def _swap_parts(chance: random.Random, text: str) -> str:
    parts = text.split()
    return " ".join([*parts[1:], parts[0]])


def _initial(chance: random.Random, text: str) -> str:
    parts = text.split()
    return " ".join([*parts[:-1], f"{parts[-1][0]}."]) if len(parts) > 1 else text


def _join(chance: random.Random, text: str) -> str:
    parts = text.split()
    return " ".join([parts[0] + parts[1].lower(), *parts[2:]]) if len(parts) > 1 else text


def _before(*words: str) -> Operator:
    return lambda chance, text: f"{chance.choice(words)} {text}" if text else text


def _after(*words: str) -> Operator:
    return lambda chance, text: f"{text}{chance.choice(words)}"


def _bin(chance: random.Random, text: str) -> str:
    return f"{text} {chance.choice(('bin', 'binti'))} {chance.choice(MEN)}"


def _letter(chance: random.Random, text: str, change: Callable[[str, int], str]) -> str:
    places = [index for index, letter in enumerate(text) if letter.isalpha() and index > 0]
    return change(text, chance.choice(places)) if places else text


def _letter_replaced(chance: random.Random, text: str) -> str:
    return _letter(chance, text, lambda t, i: t[:i] + chance.choice("aeiounrstkl") + t[i + 1 :])


def _letter_doubled(chance: random.Random, text: str) -> str:
    return _letter(chance, text, lambda t, i: t[: i + 1] + t[i:])


def _letter_dropped(chance: random.Random, text: str) -> str:
    return _letter(chance, text, lambda t, i: t[:i] + t[i + 1 :])


def _letters_swapped(chance: random.Random, text: str) -> str:
    return _letter(chance, text, lambda t, i: t[: i - 1] + t[i] + t[i - 1] + t[i + 1 :])


def _same(chance: random.Random, text: str) -> str:
    return text


def _missing(chance: random.Random, text: str) -> str:
    return ""


# Operators on birth dates


def _date(change: Callable[[random.Random, date], date]) -> Operator:
    def operate(chance: random.Random, text: str) -> str:
        try:
            return min(change(chance, date.fromisoformat(text)), TODAY).isoformat()
        except ValueError:
            return text

    return operate


_swap_days = _date(lambda chance, day: date(day.year, day.day, day.month))
_years: Callable[[int], Operator] = lambda shift: _date(lambda c, day: day.replace(year=day.year + shift))  # noqa: E731
_on: Callable[[int, int], Operator] = lambda month, d: _date(  # noqa: E731
    lambda c, day: date(day.year + c.choice((-2, -1, 0, 0, 1, 2)), month, d)
)
_day_digit = _date(
    lambda c, day: day.replace(day=c.choice([day.day // 10 * 10 + d for d in range(10)] or [1]))
)
_month_digit = _date(
    lambda c, day: day.replace(month=c.choice((day.month % 9 + 1, (day.month + 9) % 12 + 1)))
)

# Operators on addresses and numbers


def _moved(chance: random.Random, text: str) -> str:
    return f"Jl. {chance.choice(STREETS)} No. {chance.randrange(1, 150)}"


def _without_prefix(chance: random.Random, text: str) -> str:
    return text.replace("Jl. ", "").replace("Gg. ", "").replace("No. ", "no ")


def _with_rt(chance: random.Random, text: str) -> str:
    if " RT " in text:
        return text
    return f"{text} RT {chance.randrange(1, 30)} RW {chance.randrange(1, 5)}"


def _written_out(chance: random.Random, text: str) -> str:
    return text.replace("Jl.", "Jalan").replace("Gg.", "Gang").replace("Komp.", "Komplek").replace("No. ", "")


def _without_number(chance: random.Random, text: str) -> str:
    return text.split(" No.")[0]


def _digit_wrong(chance: random.Random, text: str) -> str:
    place = chance.randrange(len(text)) if text else 0
    return (
        text[:place] + str((int(text[place]) + chance.randrange(1, 9)) % 10) + text[place + 1 :]
        if text
        else ""
    )


def _digits_swapped(chance: random.Random, text: str) -> str:
    place = chance.randrange(1, len(text)) if text else 0
    return text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :] if text else ""


@dataclass(frozen=True)
class Operators:
    """Per field: (weight, operator); and how often a name gets a second one."""

    name: tuple[tuple[float, Operator], ...]
    birth_date: tuple[tuple[float, Operator], ...]
    mother_name: tuple[tuple[float, Operator], ...]
    address: tuple[tuple[float, Operator], ...]
    nik: tuple[tuple[float, Operator], ...]
    second: float = 0.25


FITTED = Operators(
    name=(
        (30, _same), (12, _leading(("Muhammad",), ("Muh.", "Mohamad", "M."))), (6, _replacing(("u", "oe"))),
        (5, _replacing(("j", "dj"))), (6, _letter_doubled), (10, _drop(-1)), (5, _swap_parts),
        (6, _before("H.", "Hj.")), (10, _letter_replaced),
    ),
    birth_date=((72, _same), (8, _swap_days), (7, _years(1)), (7, _on(1, 1)), (6, _day_digit)),
    mother_name=((60, _same), (25, _missing), (8, _drop(-1)), (7, _letter_replaced)),
    address=((45, _same), (15, _without_prefix), (15, _with_rt), (25, _moved)),
    nik=((58, _same), (35, _missing), (7, _digit_wrong)),
)  # fmt: skip
UNSEEN = Operators(
    name=(
        (30, _same), (12, _leading(("Muhammad",), ("Moch.", "Mhd", "Muhamad", "Mohammad"))),
        (4, _replacing(("c", "tj"))), (6, _replacing(("sy", "s"), ("kh", "h"), ("f", "p"), ("s", "sy"))),
        (4, _replacing(("h", ""))), (8, _drop(1)), (5, _initial), (4, _join), (4, _bin),
        (5, _after(", S.Pd", ", A.Md.Keb", ", SE")), (6, _letters_swapped), (8, _letter_dropped),
    ),
    birth_date=(
        (72, _same), (6, _years(-10)), (5, _on(7, 1)), (4, _on(12, 31)), (6, _month_digit), (7, _years(-1)),
    ),
    mother_name=(
        (58, _same), (25, _missing), (5, _before("Ibu", "Hj.")), (4, _initial), (5, _letter_dropped),
        (3, _replacing(("u", "oe"))),
    ),
    address=((45, _same), (15, _written_out), (10, _without_number), (22, _moved), (8, _missing)),
    nik=((58, _same), (35, _missing), (7, _digits_swapped)),
)  # fmt: skip


def _drawn(chance: random.Random, choices: tuple[tuple[float, Operator], ...]) -> Operator:
    return chance.choices([c[1] for c in choices], [c[0] for c in choices])[0]


def again(record: Record, operators: Operators, chance: random.Random, *, numbers: bool = True) -> Record:
    """Write the same person a second time; without `numbers` NIK, BPJS number and phone are missing."""
    was = record.written
    name = _drawn(chance, operators.name)(chance, was.name)
    if chance.random() < operators.second:
        name = _drawn(chance, operators.name)(chance, name)
    now = replace(
        was,
        name=name,
        birth_date=_drawn(chance, operators.birth_date)(chance, was.birth_date),
        mother_name=_drawn(chance, operators.mother_name)(chance, was.mother_name),
        address=_drawn(chance, operators.address)(chance, was.address),
        nik=(_drawn(chance, operators.nik)(chance, was.nik or "") or None) if numbers else None,
        bpjs_number=was.bpjs_number if numbers and chance.random() < 0.5 else None,
        family_card_number=was.family_card_number if chance.random() < 0.6 else None,
        phone=was.phone if numbers and chance.random() < 0.55 else (_new_phone(chance) if numbers else ""),
        sex=was.sex if chance.random() < 0.99 else {"male": "female", "female": "male"}[was.sex or "male"],
    )
    return replace(record, written=now)


def _new_phone(chance: random.Random) -> str:
    return f"0851{chance.randrange(10**7, 10**8)}" if chance.random() < 0.8 else ""


def population(
    seed: int, people: int, operators: Operators, *, share: float = 0.15, numbers: bool = True
) -> list[Record]:
    """Return first records, then the second ones of `share` of the people."""
    first = households(seed, people)
    chance = random.Random(seed * 7919 + 1)
    twice = chance.sample(first, int(share * len(first)))
    return first + [again(record, operators, chance, numbers=numbers) for record in twice]
