"""A made-up district whose families come from ten regions, and the people who arrive at its clinic.

Written from `bench/town.md`, without a look at how records are compared. Everything is drawn from seeds; nobody is real.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from itertools import accumulate

from core.linkage.scoring import Person
from core.patients.national_ids import compose_nik

TODAY = date(2026, 11, 1)
UNKNOWN_DAYS = ("01-01", "07-01", "12-31")


@dataclass(frozen=True)
class Region:
    """Customs of naming of one region."""

    men: tuple[str, ...]
    women: tuple[str, ...]
    men_last: tuple[str, ...]
    women_last: tuple[str, ...]
    men_first: tuple[str, ...] = ("",)
    """Written before a man's name; empty for none."""
    women_first: tuple[str, ...] = ("",)
    single: float = 0.1
    """Share of people over fifty with one name."""
    clan: bool = False
    """True where the last word is the family's and does not change from father to child."""
    before_clan: str = ""
    """Written between a woman's name and her clan."""
    of_father: float = 0.0
    """Share of people who write `bin` or `binti` and the father's name."""
    twins: tuple[str, ...] = ("Hasan/Husin", "Rina/Rini", "Dina/Dini")
    called: tuple[str, ...] = ()
    """Words before the name by which neighbours call somebody."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


REGIONS = {
    "Java": Region(
        _words("Slamet Sutrisno Suparman Bambang Agus Joko Sugeng Supriyadi Eko Budi Wahyudi Paijo Sukarno Mulyono Dwi"),
        _words("Sumiyati Suparmi Sri Siti Tuminah Wagiyem Endang Lestari Dwi Sulastri Tri Murniati Ngatinah Rahayu"),
        _words("Santoso Setiawan Widodo Prasetyo Nugroho Wibowo Hartono Susilo Raharjo Kurniawan"),
        _words("Rahayu Lestari Wahyuni Handayani Utami Astuti Ningsih Susanti Kusumawati Purwanti"),
        single=0.55, twins=("Dwi/Tri", "Endang/Endah", "Joko/Jaka", "Sulastri/Sulastini", "Bambang/Bimbing"),
        called=("Mbah", "Pak", "Bu"),
    ),
    "Sunda": Region(
        _words("Asep Cecep Dadang Ujang Entis Dede Iwan Yayan Aceng Engkus Tatang Rahmat Deden"),
        _words("Iis Neng Euis Entin Lilis Cucu Elis Imas Teti Nenden Ai Yayah Titin"),
        _words("Sutisna Saepudin Hidayat Suryana Sobari Kosasih Hermawan Mulyana Ruhiyat Supriatna"),
        _words("Suhartini Aisyah Rohaeti Kurniasih Maryati Nurhayati Sumarni Komala Rosmiati Suryani"),
        single=0.3, twins=("Dadan/Didin", "Iis/Aas", "Nina/Nani", "Dede/Dudu"), called=("Kang", "Teh"),
    ),
    "Betawi": Region(
        _words("Nasrudin Jamaludin Sabeni Rojali Mahmud Saman Muhamad Abdullah Naseri Rohman Syafei Marzuki"),
        _words("Maimunah Rohimah Juleha Nafsiah Saodah Rodiah Zaenab Komariah Mardiyah Siti"),
        _words("Saputra Ramadhan Maulana Hakim Fadillah"), _words("Amelia Safitri Ramadhani Nuraini Fitria"),
        single=0.5, of_father=0.5, twins=("Hasan/Husen", "Saman/Salman", "Rodiah/Rokiah"), called=("Bang", "Mpok"),
    ),
    "Minangkabau": Region(
        _words("Syafrizal Afrizal Zulkifli Yusrizal Irwandi Masrul Hendri Rizaldi Nofrizal Amril Yulizar"),
        _words("Yusnidar Erniwati Desmiati Rosnidar Yulinar Nelwita Gusniati Arnida Fitriyeni Mardiana"),
        _words("Koto Chaniago Piliang Tanjung Sikumbang Guci Jambak Melayu"),
        _words("Koto Chaniago Piliang Tanjung Sikumbang Guci Jambak Melayu"),
        single=0.4, clan=True, twins=("Afrizal/Nofrizal", "Yulinar/Yusnar", "Desi/Dewi"), called=("Uda", "Uni"),
    ),
    "Batak": Region(
        _words("Parulian Tumpal Binsar Maruli Hotman Jonggi Sahat Poltak Ramses Togar Monang"),
        _words("Rotua Tiurma Lasma Duma Romaida Nurmala Hotmaida Tiodora Rosmaida Lamria"),
        _words("Simanjuntak Siregar Sihombing Nasution Lubis Harahap Panjaitan Hutapea Manurung Sitorus"),
        _words("Simanjuntak Siregar Sihombing Nasution Lubis Harahap Panjaitan Hutapea Manurung Sitorus"),
        single=0.0, clan=True, before_clan="br.", twins=("Tumpal/Tumpak", "Duma/Dumaria", "Romaida/Rosmaida"),
        called=("Amang", "Inang"),
    ),
    "Aceh": Region(
        _words("Iskandar Ibrahim Zulfahmi Mukhlis Razali Fauzi Marzuki Ilyas Hasbi Ridwan Yusuf"),
        _words("Nurjannah Cutniah Rosmawar Fauziah Mariati Ainsyah Nurlaila Zahara Safrida Khairani"),
        _words("Syah Hasballah Usman Daud Abubakar"), _words("Hanum Meutia Safiatun Husna Nurbaiti"),
        men_first=("", "", "Teuku", "Muhammad"), women_first=("", "", "Cut"), single=0.4, of_father=0.3,
        twins=("Hasan/Husen", "Nurlaila/Nurlaili", "Zulfahmi/Zulfikri"), called=("Bang", "Kak"),
    ),
    "Banjar": Region(
        _words("Syahrani Rahmadi Hidayatullah Jumadi Rusdi Anang Fahriansyah Supiani Arsyad Hairani Basuni"),
        _words("Hayati Aminah Jannah Rusmini Masitah Salasiah Maimunah Raudah Jamilah Bainah Saniah"),
        _words("Rahman Noor Anshari Effendi Syarif"), _words("Fitriani Rahmah Hidayah Azizah Munawarah"),
        men_first=("", "Muhammad", "Ahmad"), women_first=("", "Siti", "Noor"), single=0.35,
        twins=("Hasan/Husin", "Rahmi/Rahma", "Jannah/Hannah", "Rusdi/Rusda"), called=("Utuh", "Aluh", "Anang"),
    ),
    "Bugis": Region(
        _words("Baharuddin Syamsuddin Muhammad Sudirman Kamaruddin Tajuddin Rusli Nurdin Hasanuddin Amiruddin"),
        _words("Nurhaeda Hasnah Rosmini Sitti Marhuma Darmawati Hajrah Suriani Kartini Bunga"),
        _words("Mappa Palaguna Tenri Makkulau Pawellangi"), _words("Tenri Bau Besse Indo Dalle"),
        men_first=("", "", "Andi"), women_first=("", "", "Andi"), single=0.5,
        twins=("Baharuddin/Burhanuddin", "Hasnah/Husnah", "Rosmini/Rosmina"), called=("Daeng",),
    ),
    "Bali": Region(
        _words("Sudana Suarta Wirawan Artawan Sukarta Suartana Widiana Adnyana Mertayasa Budiarta"),
        _words("Suartini Widiasih Sukerti Ariani Suryani Rasmini Kertiasih Artini Sudiani Suwarni"),
        _words("Putra Yasa Dharma Wijaya"), _words("Dewi Asih Yanti Laksmi"),
        men_first=("I Wayan", "I Made", "I Nyoman", "I Ketut"), women_first=("Ni Wayan", "Ni Made", "Ni Nyoman", "Ni Ketut"),
        single=0.95, twins=("Suarta/Suarti", "Artana/Artini", "Widiana/Widiani"), called=("Bli", "Mbok"),
    ),
    "Flores": Region(
        _words("Yohanes Petrus Fransiskus Agustinus Antonius Markus Stefanus Dominikus Yoseph Paulus"),
        _words("Maria Theresia Yuliana Katarina Agnes Margareta Fransiska Elisabeth Bernadeta Veronika"),
        _words("Tukan Kelen Fernandez Lamawuran Koten Hayon Wuwur Maran"),
        _words("Tukan Kelen Fernandez Lamawuran Koten Hayon Wuwur Maran"),
        single=0.0, clan=True, twins=("Petrus/Paulus", "Maria/Marta", "Fransiskus/Fransiska"), called=("Bapa", "Mama"),
    ),
}  # fmt: skip
BAPTISED = {"Yohanes": "Yan", "Petrus": "Piter", "Fransiskus": "Frans", "Agustinus": "Agus", "Antonius": "Anton",
            "Stefanus": "Stef", "Dominikus": "Domi", "Yuliana": "Yuli", "Katarina": "Rina", "Margareta": "Greta",
            "Theresia": "Tere", "Fransiska": "Siska", "Elisabeth": "Elis", "Veronika": "Vero"}  # fmt: skip
STREETS = (
    "Veteran;Pramuka;Sultan Adam;Sungai Andai;Kuin Utara;Belitung Darat;Teluk Tiram;Pekapuran Raya;Melati;Mawar;Cempaka;"
    "Ahmad Yani;Gatot Subroto;Kenanga;Flamboyan;Diponegoro;Imam Bonjol;Merdeka;Pahlawan;Kartini;Sudirman;Hasanuddin"
).split(";")
VILLAGES = (
    "Kuin Cerucuk;Sungai Miai;Pemurus Dalam;Telaga Biru;Mantuil;Alalak;Basirih;Banua Anyar;Kelayan".split(";")
)


_HEADS = frozenset(
    _words("I Ni Wayan Made Nyoman Ketut Muhammad Muhamad Ahmad Siti Sitti Noor Teuku Cut Andi bin binti br.")
)
"""Words that twins share."""


@dataclass(frozen=True)
class Resident:
    """One person with everything that is true, and what the file knows."""

    number: int
    household: int
    region: str
    role: str
    """`father`, `mother`, `child` or `elder`."""
    true: Person
    filed: Person
    father: str = ""
    """Name of the father, where he lives in the house."""
    husband: str = ""
    twin: int | None = None


@dataclass(frozen=True)
class Arrival:
    """Somebody at the counter, as the clerk types it."""

    kind: str
    """Kind of slip, or how a new person is like one on file."""
    typed: Person
    known: int | None
    """Number of the resident; None for a new person."""
    like: int | None = None
    """The resident whom a new person is like."""


@dataclass(frozen=True)
class Said:
    """A text at the search box."""

    kind: str
    text: str
    meant: int
    bearers: int
    """People on file to whom the words apply as well as to the one meant, who counts too."""


@dataclass
class Town:
    """The file and those who arrive."""

    residents: list[Resident] = field(default_factory=list)
    known: list[Arrival] = field(default_factory=list)
    new: list[Arrival] = field(default_factory=list)
    twins: list[Arrival] = field(default_factory=list)


def build(seed: int, people: int, arriving: int = 1500, regions: Sequence[str] = tuple(REGIONS)) -> Town:
    """Return a town.

    Args:
        seed: Of everything that is drawn.
        people: On file, at least.
        arriving: Arrivals of each group.
        regions: Where the families come from.
    """
    town = Town()
    builder = _Builder(random.Random(f"town {seed}"), town, regions)
    while len(town.residents) < people:
        builder.settle()
    builder.add_namesakes(people // 100)
    clerk = _Clerk(random.Random(f"clerk {seed}"), town)
    town.known = [clerk.known() for _ in range(arriving)]
    town.new = [clerk.new() for _ in range(arriving)]
    town.twins = [clerk.twin() for _ in range(arriving)]
    return town


COMPOSED = 40  # names composed for each list of a region, besides those written out


@cache
def _pool(words: tuple[str, ...]) -> tuple[tuple[str, ...], list[float]]:
    """Return the names of a list, rarer ones composed of beginnings and ends of the common ones, and their weights."""
    made = [
        one[:at] + other[-len(other) // 2 :]
        for one in words
        for other in words
        for at in (len(one) // 2 + 1,)
        if one != other and len(other) > 4
    ]
    random.Random("pool").shuffle(made)
    pool = tuple(dict.fromkeys((*words, *made[:COMPOSED])))
    return pool, list(accumulate(1 / (rank + 2) for rank in range(len(pool))))


def _steep(chance: random.Random, words: tuple[str, ...]) -> str:
    pool, weights = _pool(words)
    return chance.choices(pool, cum_weights=weights)[0]


class _Builder:
    """Makes households."""

    def __init__(self, chance: random.Random, town: Town, regions: Sequence[str]) -> None:
        self.chance = chance
        self.town = town
        self.regions = regions
        self.households = 0
        self.serials: dict[str, int] = {}

    def settle(self) -> None:
        """Add one household."""
        chance = self.chance
        self.households += 1
        region = chance.choice(self.regions)
        home, phone, card = self.home(), self.phone(), self.card()
        born = TODAY - timedelta(days=chance.randint(22 * 365, 80 * 365))
        father, mother = self.name(region, "male", born, ""), self.name(region, "female", born, "")
        rest = {"home": home, "phone": phone, "card": card, "region": region}
        self.add(father, "male", born, "father", self.name(region, "female", date(1940, 1, 1), ""), **rest)
        self.add(mother, "female", born + timedelta(days=chance.randint(-900, 3000)), "mother",
                 self.name(region, "female", date(1940, 1, 1), ""), husband=father, **rest)  # fmt: skip
        if chance.random() < 0.12:
            old = TODAY - timedelta(days=chance.randint(62 * 365, 90 * 365))
            self.add(
                self.name(region, "female", old, ""),
                "female",
                old,
                "elder",
                self.name(region, "female", old, ""),
                **rest,
            )
        self.children(father, mother, born, rest)

    def children(self, father: str, mother: str, born: date, rest: dict) -> None:
        chance = self.chance
        day = born + timedelta(days=chance.randint(21 * 365, 30 * 365))
        for _ in range(chance.choices(range(5), (14, 26, 32, 18, 10))[0]):
            if day >= TODAY:
                return
            sex = chance.choice(("male", "female"))
            name = self.name(rest["region"], sex, day, father)
            self.add(name, sex, day, "child", mother, father=father, **rest)
            if chance.random() < 0.012:
                other = self.twin_name(name, rest["region"])
                self.add(
                    other, sex, day, "child", mother, father=father, twin=len(self.town.residents) - 1, **rest
                )
            day += timedelta(days=chance.randint(400, 2400))

    def name(self, region: str, sex: str, born: date, father: str) -> str:
        """Return a name in the way of a region; `father` empty where his name is not known."""
        customs, chance = REGIONS[region], self.chance
        given, last, first = (
            (customs.men, customs.men_last, customs.men_first) if sex == "male"
            else (customs.women, customs.women_last, customs.women_first)
        )  # fmt: skip
        words = [chance.choice(first), _steep(chance, given)]
        is_old = born.year < 1976
        if customs.clan:
            clan = father.split()[-1] if father else _steep(chance, last)
            words += [customs.before_clan if sex == "female" else "", clan]
        elif chance.random() > (customs.single if is_old else customs.single / 4):
            words.append(_steep(chance, last))
        if father and customs.of_father and chance.random() < customs.of_father:
            words += ["bin" if sex == "male" else "binti", father.split()[0]]
        return " ".join(word for word in words if word)

    def twin_name(self, name: str, region: str) -> str:
        """Return the other twin's name: the pair's word in place of the given one, or a vowel changed."""
        words = name.split()
        for pair in REGIONS[region].twins:
            one, other = pair.split("/")
            if one in words and one not in _HEADS:
                return " ".join(other if word == one else word for word in words)
        place = next((at for at, word in enumerate(words) if word not in _HEADS), len(words) - 1)
        if self.chance.random() < 0.5:  # a pair of the region, else another vowel
            return " ".join(
                (*words[:place], self.chance.choice(REGIONS[region].twins).split("/")[1], *words[place + 1 :])
            )
        word = words[place]
        at = max((i for i, c in enumerate(word) if c in "aeiou"), default=len(word) - 1)
        words[place] = word[:at] + self.chance.choice([v for v in "aiu" if v != word[at]]) + word[at + 1 :]
        return " ".join(words)

    def add(self, name: str, sex: str, born: date, role: str, mother: str, *, home: tuple[str, str, str], phone: str,
            card: str, region: str, father: str = "", husband: str = "", twin: int | None = None) -> None:  # fmt: skip
        chance = self.chance
        stem = compose_nik(f"6371{chance.randint(1, 5):02}", born, sex, 1)[:12]
        self.serials[stem] = self.serials.get(stem, 0) + 1
        written = born.isoformat()
        if born.year < 1976 and chance.random() < 0.1:
            written = f"{born.year}-{chance.choice(UNKNOWN_DAYS)}"
        own_phone = self.phone() if role != "child" and chance.random() < 0.4 else phone
        line, rt, rw = home
        true = Person(
            name=name, sex=sex, birth_date=written, nik=f"{stem}{self.serials[stem]:04}",
            bpjs_number=f"000{chance.randint(10**9, 10**10 - 1)}", family_card_number=card, mother_name=mother, phone=own_phone,
            address=line, rt=rt, rw=rw,
        )  # fmt: skip
        has_area = chance.random() < 0.5
        filed = replace(
            true, nik=true.nik if chance.random() < 0.7 else None,
            bpjs_number=true.bpjs_number if chance.random() < 0.45 else None,
            family_card_number=card if chance.random() < 0.4 else None,
            mother_name=mother if chance.random() < 0.75 else "", phone=own_phone if chance.random() < 0.8 else "",
            address=line if chance.random() < 0.95 else "", rt=rt if has_area else "", rw=rw if has_area else "",
        )  # fmt: skip
        number = len(self.town.residents)
        self.town.residents.append(
            Resident(number, self.households, region, role, true, filed, father, husband, twin)
        )
        if twin is not None:
            self.town.residents[twin] = replace(self.town.residents[twin], twin=number)

    def add_namesakes(self, count: int) -> None:
        """Give some people a namesake of the same day in another house."""
        for one in self.chance.sample(self.town.residents, count):
            self.households += 1
            born = date.fromisoformat(one.true.birth_date)
            mother = self.name(one.region, "female", date(1960, 1, 1), "")
            self.add(one.true.name, one.true.sex or "male", born, "child", mother, home=self.home(), phone=self.phone(),
                     card=self.card(), region=one.region)  # fmt: skip

    def home(self) -> tuple[str, str, str]:
        """Return the address, RT and RW."""
        chance = self.chance
        line = f"Jl. {chance.choice(STREETS)}"
        if chance.random() < 0.3:
            line += f" Gg. {chance.choice(('Damai', 'Setia', 'Rukun', 'Keluarga', 'Amanah'))}"
        if chance.random() < 0.7:
            line += f" No. {chance.randint(1, 180)}"
        if chance.random() < 0.5:
            line += f" Kel. {chance.choice(VILLAGES)}"
        return line, str(chance.randint(1, 30)), str(chance.randint(1, 6))

    def phone(self) -> str:
        return (
            f"08{self.chance.choice('12 13 21 52 57 78 95'.split())}{self.chance.randint(10**7, 10**8 - 1)}"
        )

    def card(self) -> str:
        return f"6371{self.chance.randint(1, 5):02}{self.chance.randint(10**9, 10**10 - 1)}"


class _Clerk:
    """Types who arrives."""

    def __init__(self, chance: random.Random, town: Town) -> None:
        self.chance = chance
        self.town = town
        self.builder = _Builder(chance, Town(), tuple(REGIONS))

    def known(self) -> Arrival:
        """Return somebody on file with one slip, a third of them with a second one."""
        while True:
            one = self.chance.choice(self.town.residents)
            kind = self.chance.choices(list(SLIPS), [weight for weight, _ in SLIPS.values()])[0]
            slipped = SLIPS[kind][1](self, one, self.heard(one.true, shows_card=kind in _WITH_CARD))
            if slipped is None:
                continue
            if self.chance.random() < SECOND_SLIP:
                second = self.chance.choice(_SECOND)
                slipped = SLIPS[second][1](self, one, slipped) or slipped
            return Arrival(kind, slipped, one.number)

    def heard(self, true: Person, *, shows_card: bool = False) -> Person:
        """Return what the clerk types of somebody without a slip."""
        chance = self.chance
        said = chance.random() < 0.65
        area = said and chance.random() < 0.5
        return replace(
            true, nik=true.nik if shows_card or chance.random() < 0.25 else None,
            bpjs_number=true.bpjs_number if chance.random() < 0.2 else None, family_card_number=None,
            phone=true.phone if chance.random() < 0.6 else "", mother_name=true.mother_name if chance.random() < 0.4 else "",
            address=true.address if said else "", rt=true.rt if area else "", rw=true.rw if area else "",
        )  # fmt: skip

    def new(self) -> Arrival:
        """Return somebody who is not on file."""
        kind = self.chance.choices(
            ("stranger", "sibling", "parent's name", "namesake", "namesake of the day", "twin"),
            (60, 14, 11, 12, 1, 2),
        )[0]
        if kind == "twin":
            return self.twin()
        made = self._new(kind)
        return made if made is not None else self.new()

    def _new(self, kind: str) -> Arrival | None:
        one = self.chance.choice(self.town.residents)
        person, like = self._stranger(), None
        born = date.fromisoformat(person.birth_date)
        if kind == "sibling":
            if one.role != "child":
                return None
            sex = person.sex or "male"
            name = self.builder.name(one.region, sex, born, one.father)
            if name == one.true.name:
                return None
            shift = self.chance.choice((-1, 1)) * self.chance.randint(350, 3000)
            born = min(date.fromisoformat(one.true.birth_date) + timedelta(days=shift), TODAY)
            person = self._in_house(one, name, sex, born, one.true.mother_name)
            like = one.number
        elif kind == "parent's name":
            if one.role not in ("father", "mother") or one.true.birth_date > "2001":
                return None
            born = date.fromisoformat(one.true.birth_date) + timedelta(
                days=self.chance.randint(20 * 365, 32 * 365)
            )
            person = self._in_house(one, one.true.name, one.true.sex or "male", min(born, TODAY), self.builder.name(
                one.region, "female", date(1970, 1, 1), ""))  # fmt: skip
            like = one.number
        elif kind.startswith("namesake"):
            person = replace(person, name=one.true.name, sex=one.true.sex)
            if kind == "namesake of the day":
                person = replace(person, birth_date=one.true.birth_date)
            like = one.number
        return Arrival(kind, self.heard(person), None, like)

    def twin(self) -> Arrival:
        """Return the twin, who is not on file, of somebody who is."""
        while True:
            one = self.chance.choice(self.town.residents)
            if one.twin is None and one.role == "child":
                break
        name = self.builder.twin_name(one.true.name, one.region)
        if name == one.true.name:
            return self.twin()
        born = date.fromisoformat(one.true.birth_date)
        person = self._in_house(one, name, one.true.sex or "male", born, one.true.mother_name)
        stem = (one.true.nik or "")[:12]
        serial = int((one.true.nik or "0001")[-4:]) % 9999 + 1
        return Arrival("twin", self.heard(replace(person, nik=f"{stem}{serial:04}")), None, one.number)

    def _in_house(self, one: Resident, name: str, sex: str, born: date, mother: str) -> Person:
        self.builder.add(name, sex, born, "child", mother, home=(one.true.address, one.true.rt, one.true.rw),
                         phone=one.true.phone, card=one.true.family_card_number or "", region=one.region)  # fmt: skip
        made = self.builder.town.residents[-1].true
        return replace(made, nik=f"{(made.nik or '')[:12]}{self.chance.randint(60, 900):04}")

    def _stranger(self) -> Person:
        self.builder.settle()
        made = self.chance.choice(self.builder.town.residents[-2:]).true
        return replace(made, nik=f"{(made.nik or '')[:12]}{self.chance.randint(60, 900):04}")


# Slips: each returns what is typed, or None where the slip cannot happen to this person


Slip = Callable[[_Clerk, Resident, Person], Person | None]


def _named(change: Callable[[random.Random, str], str]) -> Slip:
    def slip(clerk: _Clerk, one: Resident, typed: Person) -> Person | None:
        name = change(clerk.chance, typed.name)
        return replace(typed, name=name) if name and name != typed.name else None

    return slip


def _dated(change: Callable[[random.Random, date], date | None]) -> Slip:
    def slip(clerk: _Clerk, one: Resident, typed: Person) -> Person | None:
        try:
            born = change(clerk.chance, date.fromisoformat(typed.birth_date))
        except ValueError:
            return None
        if born is None or born > TODAY or born.isoformat() == typed.birth_date:
            return None
        return replace(typed, birth_date=born.isoformat())

    return slip


def letter_off(chance: random.Random, name: str) -> str:
    """Return a name with one letter struck, missing, doubled or swapped."""
    places = [at for at, letter in enumerate(name) if letter.isalpha() and at and name[at - 1].isalpha()]
    if not places:  # nothing but single letters
        return name
    at = chance.choice(places)
    way = chance.randrange(4)
    if way == 0:
        return name[:at] + chance.choice("aeiounrstlkmd") + name[at + 1 :]
    if way == 1:
        return name[:at] + name[at + 1 :]
    if way == 2:
        return name[:at] + name[at] + name[at:]
    return name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]


def two_off(chance: random.Random, name: str) -> str:
    """Return a name with two letters off."""
    return letter_off(chance, letter_off(chance, name))


def in_part(chance: random.Random, name: str) -> str:
    """Return a name without one of its words."""
    words = [word for word in name.split() if word not in ("bin", "binti", "br.")]
    if len(words) < 2:
        return ""
    words.pop(chance.randrange(len(words)))
    return " ".join(words)


def joined(chance: random.Random, name: str) -> str:
    """Return a name with two words run together."""
    words = name.split()
    if len(words) < 2 or {"bin", "binti", "br."} & set(words):
        return ""
    at = chance.randrange(len(words) - 1)
    return " ".join((*words[:at], words[at] + words[at + 1].lower(), *words[at + 2 :]))


def swapped(chance: random.Random, name: str) -> str:
    """Return a name with its last word first."""
    words = name.split()
    return (
        " ".join((words[-1], *words[:-1]))
        if len(words) > 1 and not {"bin", "binti", "br."} & set(words)
        else ""
    )


def _bin(clerk: _Clerk, one: Resident, typed: Person) -> Person | None:
    if any(f" {word} " in typed.name for word in ("bin", "binti")):
        return replace(typed, name=typed.name.split(" bin")[0])
    father = one.father or _steep(clerk.chance, REGIONS[one.region].men)
    return replace(
        typed, name=f"{typed.name} {'bin' if one.true.sex == 'male' else 'binti'} {father.split()[0]}"
    )


def nickname(chance: random.Random, name: str) -> str:
    """Return what somebody is called: a short baptismal name, the end or the beginning of a name, a doubled syllable."""
    words = [
        word for word in name.split() if len(word) > 4 and word not in ("Teuku", "Wayan", "Nyoman", "Ketut")
    ]
    if not words:
        return ""
    word = chance.choice(words)
    if word in BAPTISED:
        return BAPTISED[word]
    ends = [at for at in range(2, len(word) - 2) if word[at] not in "aeiou" and word[at + 1] in "aeiou"]
    way = chance.random()
    if ends and way < 0.55:
        return word[ends[-1] if len(word) - ends[-1] > 3 else ends[max(0, len(ends) - 2)] :].capitalize()
    if ends and way < 0.75:
        return (word[ends[-1] : ends[-1] + 2] + word[ends[-1] :]).capitalize()
    return word[:4]


def _nickname(clerk: _Clerk, one: Resident, typed: Person) -> Person | None:
    called = nickname(clerk.chance, one.true.name)
    before = clerk.chance.choice(("", "", *REGIONS[one.region].called))
    return replace(typed, name=f"{before} {called}".strip()) if called else None


def by_husband(chance: random.Random, husband: str) -> str:
    """Return the name of a wife who is called by her husband's."""
    return f"{chance.choice(('Ny.', 'Ny.', 'Bu', 'Ibu'))} {husband.split(' bin ')[0]}"


def _husband(clerk: _Clerk, one: Resident, typed: Person) -> Person | None:
    return replace(typed, name=by_husband(clerk.chance, one.husband)) if one.husband else None


def _titled(chance: random.Random, name: str) -> str:
    return chance.choice((f"H. {name}", f"Hj. {name}", f"{name}, S.Pd", f"{name}, S.E."))


def _old_spelling(chance: random.Random, name: str) -> str:
    usable = [
        pair
        for pair in (("u", "oe"), ("j", "dj"), ("y", "j"), ("f", "p"), ("kh", "h"), ("sy", "s"))
        if pair[0] in name
    ]
    return name.replace(*chance.choice(usable), 1) if usable else ""


def _estimated(clerk: _Clerk, one: Resident, typed: Person) -> Person | None:
    age = TODAY.year - int(typed.birth_date[:4])
    if age < 25:
        return None
    said = age + clerk.chance.choice((-2, -1, 0, 0, 1, 2))
    if age > 50 and clerk.chance.random() < 0.4:
        said = 5 * round(age / 5)
    return replace(
        typed, birth_date=f"{TODAY.year - said}-{clerk.chance.choice(('07-01', '07-01', '01-01'))}", nik=None
    )


def _moved(clerk: _Clerk, one: Resident, typed: Person) -> Person | None:
    line, rt, rw = clerk.builder.home()
    return replace(typed, address=line, rt=rt, rw=rw)


def _new_phone(clerk: _Clerk, one: Resident, typed: Person) -> Person | None:
    return replace(typed, phone=clerk.builder.phone())


def _mother(clerk: _Clerk, one: Resident, typed: Person) -> Person | None:
    mother = one.true.mother_name
    way = clerk.chance.choice((in_part, letter_off, nickname))
    said = way(clerk.chance, mother)
    return replace(typed, mother_name=said) if said else None


def _nik_digits(count: int) -> Slip:
    def slip(clerk: _Clerk, one: Resident, typed: Person) -> Person | None:
        if not typed.nik:
            return None
        digits = list(typed.nik)
        for at in clerk.chance.sample(range(6, 16), count):
            digits[at] = str((int(digits[at]) + clerk.chance.randint(1, 9)) % 10)
        return replace(typed, nik="".join(digits))

    return slip


def _relatives_nik(clerk: _Clerk, one: Resident, typed: Person) -> Person | None:
    around = clerk.town.residents[max(0, one.number - 6) : one.number + 6]
    family = [other for other in around if other.household == one.household and other.number != one.number]
    return replace(typed, nik=clerk.chance.choice(family).true.nik) if family else None


def _same(clerk: _Clerk, one: Resident, typed: Person) -> Person | None:
    return typed


def _day(chance: random.Random, day: date) -> date:
    return day.replace(day=chance.randint(1, 28))


SLIPS: dict[str, tuple[int, Slip]] = {
    "none": (20, _same),
    "one letter": (9, _named(letter_off)),
    "two letters": (7, _named(two_off)),
    "in part": (8, _named(in_part)),
    "joined": (4, _named(joined)),
    "swapped": (4, _named(swapped)),
    "bin": (4, _bin),
    "nickname": (3, _nickname),
    "husband's name": (2, _husband),
    "title": (4, _named(_titled)),
    "old spelling": (3, _named(_old_spelling)),
    "day wrong": (4, _dated(_day)),
    "month wrong": (3, _dated(lambda c, day: day.replace(month=c.randint(1, 12)))),
    "day and month swapped": (2, _dated(lambda c, day: date(day.year, day.day, day.month))),
    "year wrong": (4, _dated(lambda c, day: day.replace(year=day.year + c.choice((-1, 1, -10, 10, -2, 2))))),
    "estimated date": (8, _estimated),
    "moved house": (6, _moved),
    "new phone": (4, _new_phone),
    "mother's name": (3, _mother),
    "NIK one digit": (1, _nik_digits(1)),
    "NIK two digits": (1, _nik_digits(2)),
    "relative's NIK": (1, _relatives_nik),
}
"""Kind -> how often, and what is typed."""
SECOND_SLIP = 0.35  # share of known arrivals with a second slip
_SECOND = ("one letter", "title", "moved house", "new phone", "mother's name", "in part", "day wrong")
_WITH_CARD = ("NIK one digit", "NIK two digits", "relative's NIK")


# What is said at the search box


def searches(town: Town, seed: int, count: int) -> list[Said]:
    """Return texts as they are said, `count` of each kind."""
    chance = random.Random(f"said {seed}")
    bearing = _Bearing(town)
    return [
        said for kind, say in SAYINGS.items() for said in _of_kind(kind, say, town, chance, count, bearing)
    ]


class _Bearing:
    """Counts who bears the words that were meant."""

    def __init__(self, town: Town) -> None:
        self._having: dict[str, set[int]] = {}
        self._born: dict[int, str] = {}
        for one in town.residents:
            self._born[one.number] = one.filed.birth_date
            for word in one.filed.name.lower().split():
                self._having.setdefault(word, set()).add(one.number)

    def count(self, words: Sequence[str], born: str = "") -> int:
        """Return the number of people with all words and, where it is given, the birth date."""
        sets = [self._having.get(word, set()) for word in words]
        found = set.intersection(*sets) if sets else set()
        return sum(1 for number in found if not born or self._born[number] == born)


Saying = Callable[[random.Random, Resident], tuple[str, str] | None]
"""Returns the text, and the words of it as they stand on file; None where it cannot be said of somebody."""


def _of_kind(
    kind: str, say: Saying, town: Town, chance: random.Random, count: int, bearing: _Bearing
) -> list[Said]:
    found: list[Said] = []
    while len(found) < count:
        one = chance.choice(town.residents)
        said = say(chance, one)
        if said is None:
            continue
        text, meant = said
        words = [word for word in meant.lower().split() if word not in ("bin", "binti", "br.")]
        born = one.filed.birth_date if kind.startswith("date") else ""
        found.append(Said(kind, text, one.number, max(1, bearing.count(words, born))))
    return found


def _saying(change: Callable[[random.Random, str], str]) -> Saying:
    def say(chance: random.Random, one: Resident) -> tuple[str, str] | None:
        text = change(chance, one.filed.name)
        return (text, one.filed.name) if text else None

    return say


def _part_said(chance: random.Random, one: Resident) -> tuple[str, str] | None:
    text = in_part(chance, one.filed.name)
    return (text, text) if text else None


def _bin_said(chance: random.Random, one: Resident) -> tuple[str, str] | None:
    if not one.father or " bin" in one.filed.name:
        return None
    word = "bin" if one.true.sex == "male" else "binti"
    return f"{one.filed.name} {word} {one.father.split()[0]}", one.filed.name


def _husband_said(chance: random.Random, one: Resident) -> tuple[str, str] | None:
    return (by_husband(chance, one.husband), one.husband) if one.husband else None


def _nickname_said(chance: random.Random, one: Resident) -> tuple[str, str] | None:
    words = one.filed.name.split()
    if len(words) < 2:
        return None
    called = nickname(chance, words[0])
    return (f"{called} {words[-1]}", one.filed.name) if called else None


def _with_date(change: Callable[[random.Random, date], date]) -> Saying:
    def say(chance: random.Random, one: Resident) -> tuple[str, str] | None:
        try:
            born = change(chance, date.fromisoformat(one.filed.birth_date))
        except ValueError:
            return None
        return f"{one.filed.name} {born:%d-%m-%Y}", one.filed.name

    return say


SAYINGS: dict[str, Saying] = {
    "whole": _saying(lambda c, name: name),
    "one letter off": _saying(letter_off),
    "two letters off": _saying(two_off),
    "in part": _part_said,
    "joined": _saying(joined),
    "swapped": _saying(swapped),
    "bin": _bin_said,
    "husband's name": _husband_said,
    "nickname and last": _nickname_said,
    "date exact": _with_date(lambda c, day: day),
    "date a day off": _with_date(lambda c, day: day + timedelta(days=c.choice((-1, 1, -3, 7, 10)))),
    "date a year off": _with_date(lambda c, day: day.replace(year=day.year + c.choice((-1, 1)))),
    "date swapped": _with_date(lambda c, day: date(day.year, day.day, day.month)),
    "date estimated": _with_date(
        lambda c, day: date(day.year + c.choice((-1, 0, 1)), *c.choice(((1, 1), (7, 1))))
    ),
}
