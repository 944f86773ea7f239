"""Records as clerks write them down: a second author's test set, never used to fit.

`bench/people.py` changes each field by itself. Here a registration happens in a *situation* that decides which
fields go wrong together: a name heard through a mask, a typed paper list, an old man without papers, the
card of another family member, a newborn registered under its mother. The names are not
Faker's but those of a clinic in South Kalimantan, drawn by rank, so that namesakes are as common as they are there.

Written without sight of the operators of `bench/people.py` and of the spellings of `core/linkage/names.py`.

The rules of `core.linkage.scoring` that a namesake of another birth date is never known, that house numbers tell houses apart
and that a slip in a common word is no rhyme came from reading what went wrong here at seed 1; that a street, a lane or
a kilometre of a road is no house and that nobody born in another year is the newborn, at seeds 1 to 3: report others.

Households hold people who must be kept apart: twins with rhyming names and neighbouring NIKs, brothers and sisters who
share their first or last word, a son with his father's name, cousins under one roof, and namesakes of the same
birth date in another street.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

from core.linkage.scoring import Person
from core.patients.national_ids import compose_nik

TODAY = date(2026, 11, 1)

MEN = (
    "Muhammad;Ahmad;Abdul;Rahmat;Agus;Hendra;Syahrul;Rudi;Rizky;Arif;Zainal;Fauzan;Husni;Ridwan;Yusuf;Bayu;Dedy;"
    "Iwan;Supian;Samsul;Masrani;Jumri;Sarwani;Bahrudin;Khairul;Fahmi;Ilham;Taufik;Wahyu;Saipul;Hasan;Husin;Ibrahim;"
    "Ismail;Junaidi;Kaspul;Lukman;Mahyudin;Norman;Rafi;Surya;Tri;Untung;Yanto;Zulkifli;Anang;Aspiani;Budiman;Gunawan;"
    "Hamdani;Imam;Joko;Kurnia;Muslim;Nasrullah;Pahriadi;Rusli;Sugeng;Slamet;Teguh;Hairudin;Jainudin;Murjani;Sukri;"
    "Wardani;Ardiansyah;Erwin;Firdaus;Gazali;Irwan;Jamhari;Kadir;Mulyadi;Nordin;Purwanto;Rosehan;Salman;Tarmizi;"
    "Usman;Yudha;Zaki;Aldi;Bambang;Candra;Dimas;Eko;Fajar;Galih;Haris;Indra;Kevin;Lutfi;Nanang;Oki;Panji;Reza;Satria;"
    "Toni;Wawan;Yoga;Dayat;Hermanto;Maskur;Riduan;Suriansyah;Akhyar;Barkatullah;Darmawan;Fitrah;Hafiz"
).split(";")
WOMEN = (
    "Siti;Noor;Sri;Rusmini;Mariani;Dewi;Rina;Nurul;Fatimah;Aisyah;Norhayati;Maslah;Hadijah;Jamilah;Kamariah;Lailatul;"
    "Mahmudah;Nadia;Rahmah;Salamah;Tuti;Umi;Wahidah;Yuliana;Zubaidah;Ernawati;Farida;Galuh;Hartini;Irma;Jumiati;"
    "Kartini;Lisnawati;Masitah;Puspita;Ratna;Sari;Tarwiyah;Vina;Winda;Yanti;Zahra;Aluh;Bainah;Diang;Fitriani;"
    "Halimah;Intan;Khairunnisa;Ludfiah;Mastura;Norjanah;Raudah;Sumiati;Syarifah;Ulfah;Arbainah;Barlian;Dahliana;"
    "Endang;Fauziah;Gita;Hamidah;Isnawati;Juhairiah;Kumala;Lina;Mursidah;Nanik;Paujiah;Rabiatul;Saudah;Tiara;Uswatun;"
    "Wiwik;Yulia;Zulaiha;Anisa;Bunga;Citra;Desy;Elma;Febri;Helda;Ida;Kasmiati;Laila;Mina;Nia;Purnama;Rusdiana;"
    "Safura;Tina;Warni;Yeni;Asmah;Badariah;Ramlah;Salasiah;Suryani;Mahrita;Nisa;Amelia;Karmila;Misnah;Nining"
).split(";")
SECOND_MEN = (
    "Fauzi;Rahman;Hidayat;Saputra;Ramadhan;Maulana;Setiawan;Hakim;Ansari;Noor;Syahputra;Pratama;Effendi;Rosyadi;"
    "Akbar;Basri;Efendy;Fikri;Ghazali;Halim;Ikhsan;Jauhari;Karim;Latif;Mubarak;Nafarin;Qadri;Rasyid;Syafi'i;Wahid;"
    "Yani;Zaini;Santoso;Wibowo;Nugroho;Simatupang;Wijaya;Kusuma;Arifin;Bakri;Hariyadi;Humaidi;Iskandar;Jamaludin;"
    "Khalid;Majid;Naufal;Permana;Rusadi;Suhaimi;Tajudin;Utama;Yasin;Zuhdi;Aulia;Hafizi;Kurniawan;Lazuardi;Mahendra;"
    "Prasetyo;Rifani;Sofyan;Syarif;Wardana;Alfarisi;Dharma;Firmansyah;Nugraha;Adha;Bahri"
).split(";")
SECOND_WOMEN = (
    "Aminah;Rahmawati;Hasanah;Wulandari;Lestari;Hidayah;Maulida;Azizah;Safitri;Anggraini;Khadijah;Mariam;Rohani;"
    "Fadillah;Ningsih;Handayani;Aulia;Hayati;Jannah;Kamilah;Latifah;Munawarah;Nabila;Oktaviani;Permatasari;Qomariah;"
    "Rosita;Sa'diah;Tania;Utami;Wardah;Yulianti;Zakiah;Sihombing;Susanti;Agustina;Apriani;Damayanti;Fitria;Hikmah;"
    "Indriani;Julaiha;Kusumawati;Listiani;Melinda;Novita;Pertiwi;Rahayu;Septiana;Trisnawati;Astuti;Budiarti;Asmawati;"
    "Herlina;Mahfuzah;Norlatifah;Putri;Ramadhani;Salsabila;Syakira;Mawaddah;Nurhaliza;Andriani;Fransiska;Maryam;"
    "Ramadhanti;Salamiah;Kirana;Azzahra;Muliani"
).split(";")
TWINS = (
    "Hasan/Husin;Hasanah/Husinah;Rina/Rini;Aldi/Aldo;Rafi/Rafa;Naila/Nabila;Zahra/Zahwa;Fahri/Fahmi;Salma/Salwa;"
    "Rizal/Rizki;Dina/Dini;Arya/Surya;Alfin/Alfan;Kayla/Keyla;Yusuf/Yunus;Aisyah/Aminah;Raihan/Raihana;Intan/Indah;"
    "Ilham/Irham;Nazwa/Najwa;Fatih/Fatiha;Rendi/Rendra;Tina/Tini;Adit/Adib;Syifa/Syafa"
).split(";")
STREETS = (
    "Kelayan A;Kelayan B;Pekapuran Raya;Sutoyo S;Veteran;Belitung Darat;Cemara Raya;Sultan Adam;Pangeran Antasari;"
    "Pramuka;A. Yani Km 5;Kuin Utara;Alalak Selatan;Rawasari;Simpang Gusti;HKSN;Lingkar Dalam Selatan;Tembus Mantuil;"
    "Banjar Indah;Prona;Ratu Zaleha;Manunggal;Gerilya;Mahligai;Soetoyo;Zafri Zam Zam;Teluk Tiram Darat;Purnasakti"
).split(";")
LANES = (
    "Gg. Damai;Gg. Rahmat;Gg. Keluarga;Gg. Mawar;Gg. Setia;Gg. 12;Gg. Swadaya;Gg. Al Amin;Gg. Serumpun;Gg. Taufik;"
    "Komp. Bumi Indah Blok C;Komp. Permata Hijau;Komp. Beringin;;;;;"
).split(";")


@dataclass(frozen=True)
class Written:
    """One record, and the person it belongs to."""

    person: int
    household: int
    likeness_of: dict[int, str]
    """Number of a person to keep apart from this one -> twin, sibling, namesake, parent, cousin."""
    written: Person


def population(seed: int, size: int, *, numbers: bool = True, again: float = 0.15) -> list[Written]:
    """Return about `size` people once each and a share of them twice; numbers=False blanks own numbers."""
    chance = random.Random(f"clerks {seed}")
    town = _Town(chance)
    while len(town.people) < size:
        town.settle()
    first = list(town.people)
    written = [_first(chance, one) for one in first]
    others = {
        one.person: _second(chance, one, first) for one in chance.sample(first, int(len(first) * again))
    }
    found = written + list(others.values())
    if not numbers:
        found = [
            replace(one, written=replace(one.written, nik=None, bpjs_number=None, phone="")) for one in found
        ]
    return found


class _Town:
    """Households with their true data."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.people: list[Written] = []
        self.serials: dict[str, int] = {}
        self.households = 0

    def settle(self) -> None:
        """Add a house: a couple, children, sometimes grandparents or a second family."""
        chance = self.chance
        self.households += 1
        home = _home(chance)
        phone, card = _phone(chance), _card(chance)
        husband, wife = _man(chance), _woman(chance)
        born = TODAY - timedelta(days=chance.randint(22 * 365, 74 * 365))
        start = len(self.people)
        self._add(husband, "male", born, home, phone, card, _woman(chance))
        self._add(
            wife,
            "female",
            born + timedelta(days=chance.randint(-1500, 3500)),
            home,
            phone,
            card,
            _woman(chance),
        )
        self._children(start, husband, wife, born, home, phone, card)
        if chance.random() < 0.08:  # a brother's family under the same roof, on its own card
            wife2, card2 = _woman(chance), _card(chance)
            self._children(
                len(self.people),
                _man(chance),
                wife2,
                born,
                home,
                chance.choice((phone, _phone(chance))),
                card2,
            )
        self._relate(start, "family")
        if chance.random() < 0.004 and len(self.people) > 50:
            self._namesake(chance.choice(self.people))

    def _children(
        self, start: int, father: str, mother: str, born: date, home: str, phone: str, card: str
    ) -> None:
        chance = self.chance
        count = chance.choices(range(6), (14, 24, 30, 18, 9, 5))[0]
        day = max(born + timedelta(days=chance.randint(21 * 365, 33 * 365)), date(1955, 1, 1))
        last = chance.choice(SECOND_MEN)
        shared = chance.random()
        while count > 0 and day < TODAY:
            sex = chance.choice(("male", "female"))
            if chance.random() < 0.025:
                self._twins(day, sex, mother, home, phone, card, last if shared < 0.5 else "")
                count -= 1
            else:
                given = {one.written.name for one in self.people[start:]} - {father}
                name = self._child_name(sex, father, shared, last)
                while name in given:
                    name = self._child_name(sex, father, shared, last)
                self._add(name, sex, day, home, phone, card, mother)
            count -= 1
            day += timedelta(days=chance.randint(340, 2600))

    def _child_name(self, sex: str, father: str, shared: float, last: str) -> str:
        chance = self.chance
        if sex == "male" and chance.random() < 0.02:
            return father
        name = _man(chance) if sex == "male" else _woman(chance)
        if shared < 0.25:
            return f"{name.split()[0]} {last}"
        if shared < 0.5:
            return ("Muhammad " if sex == "male" else "Siti ") + name.split()[-1]
        return name

    def _twins(self, day: date, sex: str, mother: str, home: str, phone: str, card: str, last: str) -> None:
        chance = self.chance
        front = "Muhammad" if sex == "male" and chance.random() < 0.5 else ""
        pair = chance.choice(TWINS).split("/")
        first = len(self.people)
        for own in pair:
            self._add(
                " ".join(word for word in (front, own, last) if word), sex, day, home, phone, card, mother
            )
        for one, other in ((first, first + 1), (first + 1, first)):
            self.people[one].likeness_of[other] = "twin"

    def _add(self, name: str, sex: str, born: date, home: str, phone: str, card: str, mother: str) -> None:
        chance = self.chance
        region = chance.choice(("637101", "637102", "637103", "637104", "637105", "630301"))
        stem = compose_nik(region, born, sex, 1)[:12]
        self.serials[stem] = self.serials.get(stem, 0) + 1
        number = len(self.people)
        age = (TODAY - born).days // 365
        own_phone = _phone(chance) if age > 15 and chance.random() < 0.4 else phone
        self.people.append(
            Written(
                number,
                self.households,
                {},
                Person(
                    name=name,
                    sex=sex,
                    birth_date=born.isoformat(),
                    nik=f"{stem}{self.serials[stem]:04}",
                    bpjs_number=f"000{chance.randint(10**9, 10**10 - 1)}" if chance.random() < 0.8 else None,
                    family_card_number=card,
                    mother_name=mother,
                    phone=own_phone,
                    address=home,
                ),
            )
        )

    def _relate(self, start: int, kind: str) -> None:
        for one in self.people[start:]:
            for other in self.people[start:]:
                if one.person != other.person and other.person not in one.likeness_of:
                    one.likeness_of[other.person] = kind

    def _namesake(self, of: Written) -> None:
        """Return another person of the same name and birth date in another house."""
        self.households += 1
        true = of.written
        self._add(
            true.name,
            true.sex or "male",
            date.fromisoformat(true.birth_date),
            _home(self.chance),
            _phone(self.chance),
            _card(self.chance),
            _woman(self.chance),
        )
        other = self.people[-1]
        other.likeness_of[of.person] = of.likeness_of[other.person] = "namesake"


def _ranked(chance: random.Random, words: list[str]) -> str:
    """Draw by rank: the first of the list is far more common than the last, 1 in 12 against 1 in 200."""
    return chance.choices(words, [1 / (rank + 4) for rank in range(len(words))])[0]


def _man(chance: random.Random) -> str:
    first = _ranked(chance, MEN)
    if chance.random() < 0.22 and first not in ("Abdul", "Muhammad", "Tri"):
        return first
    second = _ranked(chance, SECOND_MEN) if chance.random() < 0.6 else chance.choice(MEN)
    third = f" {chance.choice(SECOND_MEN)}" if chance.random() < 0.15 else ""
    return f"{first} {second}{third}"


def _woman(chance: random.Random) -> str:
    first = _ranked(chance, WOMEN)
    if chance.random() < 0.28 and first not in ("Siti", "Noor", "Nurul", "Sri"):
        return first
    second = _ranked(chance, SECOND_WOMEN) if chance.random() < 0.7 else chance.choice(WOMEN)
    return f"{first} {second}"


def _home(chance: random.Random) -> str:
    parts = [f"Jl. {chance.choice(STREETS)}", chance.choice(LANES)]
    parts.append(f"No. {chance.randint(1, 140)}" if chance.random() < 0.75 else "")
    parts.append(
        f"RT {chance.randint(1, 45):02} RW {chance.randint(1, 9):02}" if chance.random() < 0.85 else ""
    )
    return " ".join(part for part in parts if part)


def _phone(chance: random.Random) -> str:
    return chance.choice(("0812", "0813", "0821", "0852", "0878", "0895")) + str(
        chance.randint(10**6, 10**8 - 1)
    )


def _card(chance: random.Random) -> str:
    return f"6371{chance.randint(1, 5):02}{chance.randint(1, 28):02}{chance.randint(1, 12):02}{chance.randint(8, 25):02}{chance.randint(1, 9999):04}"


# Second records of the same person


def _first(chance: random.Random, one: Written) -> Written:
    """Return the first record: carefully written, but incomplete."""
    true = one.written
    return replace(
        one,
        written=replace(
            true,
            nik=true.nik if chance.random() < 0.85 else None,
            bpjs_number=true.bpjs_number if chance.random() < 0.7 else None,
            family_card_number=true.family_card_number if chance.random() < 0.6 else None,
            mother_name=true.mother_name if chance.random() < 0.75 else "",
            phone=true.phone if chance.random() < 0.8 else "",
            name=true.name.upper() if chance.random() < 0.3 else true.name,
        ),
    )


def _second(chance: random.Random, one: Written, everybody: list[Written]) -> Written:
    age = (TODAY - date.fromisoformat(one.written.birth_date)).days // 365
    situation = chance.choices(
        (_from_card, _heard, _from_list, _no_papers, _wrong_card, _moved_away),
        (30, 30, 16, 10 if age > 45 else 2, 4, 10),
    )[0]
    relatives = [
        everybody[n].written
        for n, kind in one.likeness_of.items()
        if kind in ("family", "twin") and n < len(everybody)
    ]
    if age < 1 and chance.random() < 0.5:
        return replace(one, written=_newborn(chance, one.written))
    return replace(one, written=situation(chance, one.written, relatives))


def _from_card(chance: random.Random, true: Person, relatives: list[Person]) -> Person:
    """Return a record typed from the identity card in a hurry: neighbouring keys hit."""
    return replace(
        true,
        name=_key_slips(chance, true.name, chance.choice((0, 0, 1, 1, 2))),
        nik=_number_slip(chance, true.nik or "", 0.12) or None,
        bpjs_number=true.bpjs_number if chance.random() < 0.4 else None,
        family_card_number=None,
        birth_date=_typed_date(chance, true.birth_date, 0.07),
        mother_name="" if chance.random() < 0.6 else _heard_name(chance, true.mother_name),
        phone=true.phone if chance.random() < 0.45 else "",
        address=_other_address(chance, true.address, 0.5),
    )


def _heard(chance: random.Random, true: Person, relatives: list[Person]) -> Person:
    """Return a record told through a mask and written by ear, without a card."""
    return replace(
        true,
        name=_heard_name(chance, _called(chance, true.name, 0.15)),
        nik=None,
        bpjs_number=true.bpjs_number if chance.random() < 0.15 else None,
        family_card_number=None,
        birth_date=_typed_date(chance, true.birth_date, 0.12),
        mother_name=_heard_name(chance, _called(chance, true.mother_name, 0.3))
        if chance.random() < 0.7
        else "",
        phone=_some_phone(chance, true, relatives),
        address=_other_address(chance, true.address, 0.8),
    )


def _from_list(chance: random.Random, true: Person, relatives: list[Person]) -> Person:
    """Return a record from a health post's paper list: capitals, narrow columns, titles, last name first."""
    name = true.name
    roll = chance.random()
    if roll < 0.2 and " " in name:
        name = name.rpartition(" ")[2] + ", " + name.rpartition(" ")[0]
    elif roll < 0.4:
        name = name[:14].strip()
    elif roll < 0.5 and " " in name:
        head, _, tail = name.rpartition(" ")
        name = f"{head} {tail[0]}"
    age = (TODAY - date.fromisoformat(true.birth_date)).days // 365
    before = {"male": ("Sdr. ", "Bpk. ", "H. ", ""), "female": ("Sdri. ", "Ibu ", "Hj. ", "Ny. ")}[
        true.sex or "male"
    ]
    title = ("An. " if age < 12 else chance.choice(before)) if chance.random() < 0.5 else ""
    after = chance.choice((" S.Pd", " SE", " S.Kep., Ns")) if age > 24 and chance.random() < 0.1 else ""
    return replace(
        true,
        name=(title + name + after).upper(),
        nik=true.nik if chance.random() < 0.5 else None,
        bpjs_number=None,
        family_card_number=true.family_card_number if chance.random() < 0.3 else None,
        birth_date=_typed_date(chance, true.birth_date, 0.15),
        mother_name="",
        phone="",
        address=_other_address(chance, true.address, 0.7),
    )


def _no_papers(chance: random.Random, true: Person, relatives: list[Person]) -> Person:
    """Return a record of an old person who knows only the approximate age: the date is made up from it."""
    born = date.fromisoformat(true.birth_date)
    year = born.year + chance.choice((-2, -1, -1, 0, 0, 0, 1, 1, 2))
    stands_for = chance.choice(((1, 1), (7, 1), (12, 31), (TODAY.month, TODAY.day)))
    return replace(
        true,
        name=_heard_name(chance, _called(chance, true.name, 0.35)),
        nik=None,
        bpjs_number=None,
        family_card_number=None,
        birth_date=date(year, *stands_for).isoformat(),
        mother_name=_heard_name(chance, true.mother_name) if chance.random() < 0.3 else "",
        phone=_some_phone(chance, true, relatives),
        address=_other_address(chance, true.address, 0.6),
    )


def _wrong_card(chance: random.Random, true: Person, relatives: list[Person]) -> Person:
    """Return a record with the insurance card of another family member; the rest was asked."""
    heard = _heard(chance, true, relatives)
    cards = [one.bpjs_number for one in relatives if one.bpjs_number]
    return replace(heard, bpjs_number=chance.choice(cards) if cards else None)


def _moved_away(chance: random.Random, true: Person, relatives: list[Person]) -> Person:
    """Return a record after a move: new phone; the card is shown half of the time."""
    typed = _from_card(chance, true, relatives)
    return replace(
        typed, address=_home(chance), phone=_phone(chance), nik=typed.nik if chance.random() < 0.5 else None
    )


def _newborn(chance: random.Random, true: Person) -> Person:
    """Return a newborn's record, from before the child had its own name."""
    mother = true.mother_name
    return replace(
        true,
        name=chance.choice((f"By. Ny. {mother}", f"Bayi {mother}", f"BY NY {mother}")),
        nik=None,
        bpjs_number=None,
        family_card_number=None,
        phone=true.phone if chance.random() < 0.6 else "",
        address=_other_address(chance, true.address, 0.4),
    )


_EAR: tuple[tuple[str, str], ...] = (
    ("v", "p"), ("f", "p"), ("p", "f"), ("z", "j"), ("z", "s"), ("kh", "k"), ("kh", "h"), ("sy", "s"), ("q", "k"),
    ("dh", "d"), ("ai", "ae"), ("nur", "noor"), ("noor", "nor"), ("nor", "nur"), ("uddin", "udin"), ("udin", "uddin"),
    ("ah", "a"), ("a'", "a"), ("i'i", "ii"), ("i'i", "ie"), ("y", "i"), ("u", "oe"), ("ll", "l"), ("ss", "s"), ("nn", "n"),
    ("ff", "f"), ("th", "t"), ("hy", "y"), ("ia", "iya"), ("iyah", "iah"), ("ua", "uwa"), ("ks", "x"), ("rr", "r"),
    ("abdul r", "abdurr"), ("ri", "rie"), ("wi", "wie"), ("ky", "ki"), ("fik", "fiq"), ("c", "tj"), ("j", "dj"), ("d", "dd"),
    ("muhammad", "muhamad"), ("muhammad", "mohammad"), ("muhammad", "moh."), ("muhammad", "muh."), ("muhammad", "m."),
    ("ahmad", "achmad"), ("ahmad", "akhmad"), ("ahmad", "a."), ("siti", "st."), ("siti", "sity"), ("abdul", "abd."),
    ("o", "u"), ("e", "i"), ("wati", " wati"), ("yudin", "yuddin"), ("ullah", "ulah"), ("h ", " "),
)  # fmt: skip


def _heard_name(chance: random.Random, name: str) -> str:
    """Change up to three sounds of a name, as a listener does."""
    text = name.lower()
    possible = [change for change in _EAR if change[0] in text]
    for before, after in chance.sample(possible, min(len(possible), chance.choice((0, 1, 1, 2, 3)))):
        text = text.replace(before, after, 1)
    return " ".join(word.capitalize() for word in text.split())


def _called(chance: random.Random, name: str, share: float) -> str:
    """Return the name in daily use: one of the words, or the end of one (Udin, Yah)."""
    words = name.split()
    if chance.random() > share:
        return name
    if len(words) > 1:
        return chance.choice((words[-1], words[0], f"{words[0]} {words[-1]}"))
    return words[0]


_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {
    row[i]: [row[j] for j in (i - 1, i + 1) if 0 <= j < len(row)] for row in _ROWS for i in range(len(row))
}


def _key_slips(chance: random.Random, text: str, slips: int) -> str:
    for _ in range(slips):
        at = chance.randrange(len(text))
        before, letter, after = text[:at], text[at].lower(), text[at + 1 :]
        slipped = chance.choice(
            (
                before + chance.choice(_BESIDE.get(letter, [letter])) + after,
                before + after,
                before + letter + text[at] + after,
                before + after[:1] + text[at] + after[1:],
                text.replace(" ", "", 1),
            )
        )
        text = slipped.strip() or text
    return text


def _typed_date(chance: random.Random, written: str, share: float) -> str:
    if chance.random() > share:
        return written
    born = date.fromisoformat(written)
    roll = chance.random()
    try:
        if roll < 0.3:
            wrong = born.replace(day=born.month, month=born.day)
        elif roll < 0.5:
            wrong = born + timedelta(days=chance.choice((-1, 1, 10, -10, 30, -30)))
        elif roll < 0.7:
            wrong = born.replace(year=born.year + chance.choice((-1, 1, -10, 10, 2, -3)))
        elif roll < 0.85:
            wrong = born.replace(month=chance.randint(1, 12))
        else:
            wrong = born.replace(month=1, day=1)
    except ValueError:
        wrong = born - timedelta(days=1)
    return min(wrong, TODAY).isoformat()


def _number_slip(chance: random.Random, number: str, share: float) -> str:
    if not number or chance.random() > share:
        return number
    place = chance.randrange(12, len(number)) if chance.random() < 0.6 else chance.randrange(6)
    if chance.random() < 0.4 and place + 1 < len(number):
        return number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    return number[:place] + str((int(number[place]) + chance.choice((1, 3, 7, 9))) % 10) + number[place + 1 :]


def _some_phone(chance: random.Random, true: Person, relatives: list[Person]) -> str:
    roll = chance.random()
    if roll < 0.45:
        return true.phone
    if roll < 0.65 and relatives:
        return chance.choice(relatives).phone
    return _phone(chance) if roll < 0.8 else ""


def _other_address(chance: random.Random, home: str, share: float) -> str:
    if chance.random() > share:
        return home
    roll = chance.random()
    words = home.replace("Jl. ", chance.choice(("Jln ", "Jalan ", "", "JL."))).split(" ")
    if roll < 0.25:
        words = [word for word in words if not word.isdigit() and word not in ("RT", "RW", "No.")]
    elif roll < 0.45:
        words = " ".join(words).replace("RT ", "RT.").replace(" RW ", "/").replace("No. ", "No").split(" ")
    elif roll < 0.65:
        words = words[: max(2, len(words) // 2)]
    elif roll < 0.8:
        words = _key_slips(chance, " ".join(words), 2).split(" ")
    elif roll < 0.9:
        return ""
    else:
        return _home(chance)
    return " ".join(words)
