"""Match weights: each comparison level, its weight in natural log-odds, and why it weighs so. Pure.

A level with a positive weight is also a reason that is shown.

Fitted by `bench/duplicates.py --fit` on generated households whose second records come from one set of error operators and on
FEBRL 1 and 2. What FEBRL and those households hardly hold (placeholders, the household of one name, nicknames, numbers two
digits off) was then set by hand with seeds 1 to 4 of `bench/town.py` in view and is reported on other seeds.
"""

from __future__ import annotations

from typing import NamedTuple


class Weight(NamedTuple):
    """One comparison level."""

    code: str
    weight: float
    reason: str


WEIGHTS = (
    Weight("prior", -7.5, "Two records that a block brings together, before they are compared."),
    # Numbers that belong to one person.
    Weight("same_nik", 12.0, "One person's number; a relative's card is held back by the name."),
    Weight("nik_one_digit", 2.2, "A slip of the hand, or children of one day."),
    Weight("nik_two_digits", 0.4, "Two slips; with name and date more likely one person than two."),
    Weight("nik_neighbour", -5.0, "Twins, or two people of one day and district: the serial only differs."),
    Weight("other_nik", -3.3, "Another person, or a relative's card."),
    Weight("same_bpjs_number", 10.1, "One person's number; families carry each other's cards."),
    Weight("bpjs_one_digit", 3.0, "A slip: these numbers do not follow each other in a family."),
    Weight("other_bpjs_number", -5.0, "Another person; cards are seldom issued anew."),
    # Birth date.
    Weight("same_birth_date", 4.9, "One in 25,000 by chance."),
    Weight("same_first_of_month", 4.0, "Also written where only the month is known."),
    Weight("same_usual_date", 2.3, "A placeholder tells the year and little more."),
    Weight("birth_date_swapped", 3.4, "Day and month change places in one field of three."),
    Weight("birth_date_one_digit", 2.9, "One key, or a year or ten beside."),
    Weight("birth_date_estimated", 1.2, "An age that was told is a year or two off."),
    Weight("birth_date_rounded", 0.3, "An old age is told in fives and tens."),
    Weight("birth_date_two_parts", 1.3, "One of day, month and year was misheard; two agree by chance once in 400."),
    Weight("birthday_of_another_year", 0.6, "Day and month agree: one in 365 by chance."),
    Weight("same_birth_year", 0.2, "One in sixty by chance."),
    Weight("other_birth_date", -2.6, "Another person, or a date nobody knew."),
    Weight("other_generation", -3.6, "A parent's namesake: no slip makes so many years."),
    # Name.
    Weight("same_name", 7.1, "All parts, in any order and spelling."),
    Weight("same_short_name", 5.8, "One part, or common parts, have many namesakes."),
    Weight("mistyped_name", 6.8, "A slip of the hand: nobody, no twin either, is named so."),
    Weight("similar_name", 6.5, "All parts but for a slip."),
    Weight("same_other_name", 5.0, "A name that somebody is known by besides."),
    Weight("rhyming_name", 0.4, "As twins are named."),
    Weight("part_of_name", 4.6, "A part was left out."),
    Weight("similar_part_of_name", 4.5, "A part was left out, with a slip."),
    Weight("nickname", 2.4, "The end, the beginning or a doubled syllable of a name."),
    Weight("distant_name", 0.1, "Letters in common, no part."),
    Weight("newborn_name", 1.5, "A child without a name is written by its mother's."),
    Weight("same_newborn_name", 6.2, "The mother's name, which twins share."),
    Weight("shared_distant_name", 1.4, "One part agrees, another nearly."),
    Weight("shared_first_name", 1.4, "The first part agrees, as for sisters."),
    Weight("shared_name", 0.9, "One part agrees, as in a family."),
    Weight("husbands_name", 0.1, "A wife may be called by her husband's name: it tells nothing of hers."),
    Weight("other_name", -3.8, "Another person, unless called by a name that is not on file."),
    # The household, where the names agree.
    Weight("same_mother", 2.4, "Namesakes rarely have mothers of one name."),
    Weight("similar_mother", 1.6, "Mothers are known by several names."),
    Weight("other_mother", -5.0, "Another person; mothers are misheard more seldom than they differ."),
    Weight("same_family_card", 2.2, "One house."),
    Weight("same_phone", 2.2, "One house."),
    Weight("other_phone", -0.2, "People change their number; namesakes have another."),
    Weight("same_long_address", 6.3, "One house: street, number and village or RT and RW."),
    Weight("same_address", 3.7, "One house, perhaps: too short to be sure."),
    Weight("similar_long_address", 6.3, "The same, with parts left out."),
    Weight("similar_address", 3.7, "The same, with parts left out."),
    Weight("same_street", 2.0, "The street without the house, or another house of it."),
    Weight("other_address", -0.5, "People move."),
    # The household, where the names differ: it tells of the family and not of the person.
    Weight("same_mother_of_family", 0.1, "Brothers and sisters."),
    Weight("similar_mother_of_family", 0.1, "Brothers and sisters."),
    Weight("same_family_card_of_family", 0.1, "Everybody of the house."),
    Weight("same_phone_of_family", 0.1, "Everybody of the house."),
    Weight("same_long_address_of_family", 8.8, "With the same date: twins, or another name of one person."),
    Weight("same_address_of_family", 3.7, "The same, of a short address."),
    Weight("similar_long_address_of_family", 7.6, "The same, with parts left out."),
    Weight("similar_address_of_family", 3.7, "The same, of a short address with parts left out."),
    Weight("same_street_of_family", 1.0, "Neighbours."),
    Weight("other_sex", -3.7, "A slip in one form of a hundred."),
)  # fmt: skip
"""Every comparison level."""

MATCH_WEIGHTS = {level.code: level.weight for level in WEIGHTS}
"""Comparison level -> match weight."""

RISING_LEVELS = (
    ("other_nik", "nik_two_digits", "nik_one_digit", "same_nik"),
    ("other_bpjs_number", "bpjs_one_digit", "same_bpjs_number"),
    (
        "other_generation",
        "other_birth_date",
        "same_birth_year",
        "birthday_of_another_year",
        "birth_date_two_parts",
        "birth_date_one_digit",
        "same_birth_date",
    ),
    ("other_birth_date", "birth_date_rounded", "birth_date_estimated", "same_usual_date", "same_first_of_month",
     "same_birth_date"),
    ("birth_date_two_parts", "birth_date_swapped", "same_birth_date"),
    ("other_name", "distant_name", "nickname", "similar_part_of_name", "part_of_name", "same_short_name", "same_name"),
    ("other_name", "husbands_name", "same_other_name", "same_short_name"),
    ("other_name", "shared_name", "shared_distant_name", "similar_name", "mistyped_name", "same_name"),
    ("other_phone", "same_phone"),
    ("shared_name", "shared_first_name", "similar_name"),
    ("rhyming_name", "similar_name"),
    ("other_mother", "similar_mother", "same_mother"),
    ("other_address", "same_street", "similar_address", "same_address", "same_long_address"),
    ("similar_address", "similar_long_address", "same_long_address"),
    ("similar_mother_of_family", "same_mother_of_family"),
    ("same_street_of_family", "similar_address_of_family", "same_address_of_family"),
    ("same_address_of_family", "same_long_address_of_family"),
    ("similar_address_of_family", "similar_long_address_of_family", "same_long_address_of_family"),
)  # fmt: skip
"""Comparison levels in increasing order of agreement; match weights are monotone along each."""
