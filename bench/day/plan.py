"""Plan of the day: arrivals and each visit's course; the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tests.people import patient

SHARES = {"UMUM": 0.42, "GIGI": 0.12, "KIA": 0.16, "LAB": 0.08, "LANSIA": 0.15, "IGD": 0.07}
ARRIVALS = ((0, 120, 0.6), (120, 240, 0.3), (240, 300, 0.1))
"""From minute, to minute, share: the peak lies between 08:00 and 10:00."""
COMPLAINTS = {
    "UMUM": ("batuk pilek 3 hari", "demam sejak kemarin", "pusing", "nyeri ulu hati"),
    "GIGI": ("sakit gigi geraham", "gusi bengkak"),
    "KIA": ("kontrol hamil", "periksa kehamilan"),
    "LAB": ("cek gula darah",),
    "LANSIA": ("kontrol tensi", "nyeri lutut"),
    "IGD": ("luka robek di tangan", "digigit anjing"),
}
MINUTES = {"UMUM": 5.0, "GIGI": 6.0, "KIA": 5.0, "LAB": 3.0, "LANSIA": 5.0, "IGD": 8.0, "FARMASI": 1.2}
"""Usual length of a service in minutes."""


@dataclass
class Person:
    """Course of one visit, if nothing comes between."""

    arrives: float
    """Minutes after eight."""
    cluster: str
    registration: dict[str, Any]
    """Arguments of `tests.people.registration`."""
    answers_call: int
    """The call of their number at which they answer; 99 for never."""
    goes_away_after: float | None
    """Minutes of waiting after which they tell the counter that they leave."""
    laboratory: bool
    pharmacy: bool
    moves_to: str | None
    """Cluster in which they belong after all."""
    registered_twice: bool
    """The terminal loses the first answer and sends the same registration again."""
    taken_back: bool
    """The clerk undoes the registration at once."""


def plan(visits: int, seed: int) -> list[Person]:
    """Return the day's people in order of arrival."""
    chance = random.Random(seed)
    clusters = chance.choices(list(SHARES), list(SHARES.values()), k=visits)
    windows = chance.choices(ARRIVALS, [share for _start, _end, share in ARRIVALS], k=visits)
    people = [
        _person(chance, chance.uniform(start, end), cluster)
        for cluster, (start, end, _share) in zip(clusters, windows, strict=True)
    ]
    return sorted(people, key=lambda person: person.arrives)


def plan_late(number: int) -> list[Person]:
    """Return people for UMUM who come when no room has time for them."""
    body = _registration(random.Random(number), "UMUM")
    return [
        Person(0, "UMUM", {**body, "patient": patient(), "priority": "regular"}, 1, None, False, False, None, False, False)
        for _ in range(number)
    ]  # fmt: skip


def _person(chance: random.Random, arrives: float, cluster: str) -> Person:
    general = cluster in {"UMUM", "LANSIA", "KIA"}
    answers = chance.choices([1, 2, 4, 99], [0.88, 0.05, 0.04, 0.03])[0]
    return Person(
        arrives=arrives,
        cluster=cluster,
        registration=_registration(chance, cluster),
        answers_call=answers,
        goes_away_after=chance.uniform(5, 60) if chance.random() < 0.03 else None,
        laboratory=general and chance.random() < 0.2,
        pharmacy=cluster != "LAB" and chance.random() < 0.55,
        moves_to=chance.choice(["GIGI", "IGD"]) if cluster == "UMUM" and chance.random() < 0.06 else None,
        registered_twice=chance.random() < 0.05,
        taken_back=chance.random() < 0.015,
    )


def _registration(chance: random.Random, cluster: str) -> dict[str, Any]:
    born = {"LANSIA": (1945, 1962), "KIA": (1988, 2002)}.get(cluster, (1970, 2012))
    birth_date = f"{chance.randint(*born)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
    person = patient(sex="female" if cluster == "KIA" else chance.choice(["male", "female"]))
    body: dict[str, Any] = {
        "patient": {**person, "birth_date": birth_date},
        "cluster": cluster,
        "chief_complaint": chance.choice(COMPLAINTS[cluster]),
        "pregnant": cluster == "KIA",
        "override_reason": "simulated day",
    }
    if cluster == "IGD":
        body["priority"] = chance.choice(["red", "yellow", "yellow"])
    elif cluster == "UMUM":
        body["priority"] = chance.choices(["yellow", "disability", "toddler", "regular"], [3, 12, 12, 73])[0]
    return body
