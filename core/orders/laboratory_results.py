"""Reads a laboratory result as it was typed, and judges it. Pure.

A result is an interval: `7,2` one point, `<4` all below, `HI` all that the meter cannot show. It is judged
only where the whole interval lies on one side of a limit. What cannot be read, or lies on both sides, is
`unread`: never normal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from core.linkage.names import fold
from core.orders.laboratory_tests import CriticalLimits, LabTest, tests, unit_factor

UNREAD = "unread"
"""Interpretation of what cannot be read, or not be judged, in a test that has limits."""

_NUMBER = r"\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?|\d{1,9}(?:[.,]\d{1,4})?"
_SIGN = r"<=|>=|=<|=>|[<>≤≥]|kurang dari|lebih dari|di ?bawah|di ?atas"
_UNIT = r"(?:[^\W\d_]|%|/\s*[^\W\d_]|[x×*]?\s*10\s*[\^³⁴⁵⁶⁹]).*?"
"""A unit begins with a letter, a percent sign, a slash or a power of ten: `,5 (N)` is no unit but a number not read."""
_RESULT = re.compile(
    rf"(?P<sign>{_SIGN})?\s*(?P<first>{_NUMBER})(?:\s*[-–]\s*(?P<second>{_NUMBER}))?\s*(?P<unit>{_UNIT})?"
    r"(?P<flag>\s*\*|\s+\(?[hl]\)?|\([hl]\))?",
    re.IGNORECASE,
)
_RANGE = re.compile(
    rf"(?:(?P<low>{_NUMBER})\s*[-–]\s*(?P<high>{_NUMBER})|(?P<sign><=|>=|[<>≤≥])\s*(?P<edge>{_NUMBER}))"
)
_BELOW = {"<", "<=", "=<", "≤", "kurang dari", "dibawah", "di bawah"}
_INCLUSIVE = {"<=", ">=", "=<", "=>", "≤", "≥"}
_BEYOND_METER = {"hi": "high", "high": "high", "tinggi": "high", "lo": "low", "low": "low", "rendah": "low"}
"""Words of a meter for a value beyond the range that it can measure."""
_ANSWERS: Mapping[str, Sequence[str]] = {
    "neg": ("negatif", "nonreaktif"), "negative": ("negatif", "nonreaktif"), "negatif": ("negatif", "nonreaktif"),
    "negatip": ("negatif", "nonreaktif"), "-": ("negatif", "nonreaktif"), "nr": ("nonreaktif", "negatif"),
    "nonreaktif": ("nonreaktif", "negatif"), "nonreactive": ("nonreaktif", "negatif"), "pos": ("positif", "reaktif"),
    "positive": ("positif", "reaktif"), "positif": ("positif", "reaktif"), "positip": ("positif", "reaktif"),
    "reaktif": ("reaktif", "positif"), "reactive": ("reaktif", "positif"), "+": ("positif", "reaktif", "+1"),
    "++": ("+2",), "+++": ("+3",), "++++": ("+4",), "1+": ("+1",), "2+": ("+2",), "3+": ("+3",), "4+": ("+4",),
    "nihil": ("negatif",), "tidakada": ("negatif",), "tidakditemukan": ("negatif",), "r": ("reaktif",),
    "±": ("trace",), "+/-": ("trace",), "tr": ("trace",),
    "pf": ("P. falciparum",), "pv": ("P. vivax",), "mix": ("campuran",), "pf+pv": ("campuran",), "pfdanpv": ("campuran",),
    "pf/pv": ("campuran",), "mixed": ("campuran",),
}  # fmt: skip
"""Other ways to write the answer of a test that gives no number -> answers, the first that the test has."""
_IN_BRACKETS = re.compile(r"([^()]+)\(([^()]+)\)")
_DENSITY = re.compile(
    r"(?P<answer>p\.? ?(?:f|v|falciparum|vivax)\.?)[ ,(]+(?:[+\d /.]+|ring|tro[fp]o[sz]oit|s[kc]hi[sz]on|gametosit|stadium|parasit|ul|lpb|\))+"
)
"""A malaria parasite with how many of which stage were seen: it is the same parasite."""


@dataclass(frozen=True)
class Interval:
    """The values that a result may have, or that are normal; an open end does not belong to it."""

    low: float = -inf
    high: float = inf
    low_open: bool = False
    high_open: bool = False

    def is_below(self, other: Interval) -> bool:
        """Return whether every value lies below every value of the other."""
        touches = self.high == other.low and (self.high_open or other.low_open)
        return self.high < other.low or touches

    def is_within(self, other: Interval) -> bool:
        """Return whether every value lies in the other as well."""
        low_fits = self.low > other.low or (self.low == other.low and self.low_open >= other.low_open)
        high_fits = self.high < other.high or (self.high == other.high and self.high_open >= other.high_open)
        return low_fits and high_fits

    def times(self, factor: float) -> Interval:
        """Return it in another unit."""
        return Interval(self.low * factor, self.high * factor, self.low_open, self.high_open)


@dataclass(frozen=True)
class ReadResult:
    """A result as it reads."""

    interval: Interval
    unit: str = ""
    """As written beside it."""
    text: str = ""
    """Without the unit."""
    beyond: str = ""
    """`high` or `low`: the meter could not show it."""
    flag: str = ""
    """`h`, `l` or `*`: the sign that an analyser prints behind a value beside its own limits."""


@dataclass(frozen=True)
class Judgement:
    """A result as it is stored."""

    result: str
    unit: str
    interpretation: str | None
    """`low`, `high`, `abnormal`, `normal`, `unread`; None for a test without limits."""
    is_critical: bool = False
    entered_as: str = ""
    """As typed, where it was converted into the unit of the list."""
    is_possible: bool = True
    """False for a number that the test cannot give: the comma or the unit is wrong."""


def judge(
    test: str,
    typed: str,
    unit: str,
    reference: str,
    *,
    own_reference: bool,
    critical: Sequence[CriticalLimits] = (),
) -> Judgement:
    """Return a result as it is stored, with what it says.

    Args:
        test: As ordered.
        typed: The result as typed, a unit beside it or not.
        unit: Of the field beside the result; one written beside the result goes before it.
        reference: The normal range in words, see `read_range`, or normal answers separated by `/`.
        own_reference: The laboratory typed the range, in its own unit.
        critical: The patient's critical limits, in the unit of the list.
    """
    listed = tests().get(test)
    if listed is not None and listed.choices:
        return _judge_answer(listed, typed)
    read = read_result(typed)
    if read is None:
        is_numeric = read_range(reference) is not None or (listed is not None and listed.is_numeric)
        return Judgement(typed, unit, UNREAD if is_numeric else None)
    if listed is None or not listed.is_numeric:
        # Without a list there is one unit: that which the laboratory wrote.
        limits = read_range(reference)
        return Judgement(typed, unit, interpret_read(read, limits) if limits is not None else None)
    return _judge_number(listed, read, typed, unit, reference, own_reference, critical)


def _judge_number(
    listed: LabTest,
    read: ReadResult,
    typed: str,
    unit: str,
    reference: str,
    own_reference: bool,
    critical: Sequence[CriticalLimits],
) -> Judgement:
    written = read.unit or unit or listed.unit
    factor = unit_factor(listed, written)
    limits = read_range(reference)
    if factor is None:
        # No conversion is certain: the laboratory's own range speaks of the same unit, the list's does not.
        found = interpret_read(read, limits) if own_reference else UNREAD
        return Judgement(read.text, written, found)
    converted = _converted(read, factor)
    interval = _with_meter(converted, listed)
    is_critical = any(_is_critical(interval, read.beyond, item) for item in critical)
    entered_as = ""
    if factor == 1:
        shown, shown_unit, found = read.text, listed.unit, _against(converted, limits, reference)
    elif own_reference:
        shown, shown_unit, found = read.text, written, _against(read, limits, reference)
    else:
        shown, shown_unit, found = _shown(converted), listed.unit, _against(converted, limits, reference)
        entered_as = f"{read.text} {written}"
    return Judgement(shown, shown_unit, found, is_critical, entered_as, _is_possible(interval, listed))


def _against(read: ReadResult, limits: Interval | None, reference: str) -> str | None:
    """Return how a number reads; a range that was typed and cannot be read leaves it unread."""
    if limits is None and reference and not read.beyond:
        return UNREAD
    return interpret_read(read, limits)


def _converted(read: ReadResult, factor: float) -> ReadResult:
    text = read.text
    if factor < 1 and _is_thousands(text):
        # A count per microlitre has no decimals: 150.000 is 150 thousand.
        number = _amount(text, thousands=True)
        return replace(read, interval=Interval(number, number).times(factor))
    return replace(read, interval=read.interval.times(factor))


def _is_thousands(text: str) -> bool:
    return re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", text) is not None


def _shown(read: ReadResult) -> str:
    """Return a converted result as text: `7`, `<4`, `8,5`."""
    interval = read.interval
    if interval.low == interval.high:
        return _printed(interval.low)
    if interval.low == -inf:
        return ("<" if interval.high_open else "<=") + _printed(interval.high)
    if interval.high == inf:
        return (">" if interval.low_open else ">=") + _printed(interval.low)
    return f"{_printed(interval.low)}-{_printed(interval.high)}"


def _printed(number: float) -> str:
    return f"{number:.4g}".replace(".", ",")


def _with_meter(read: ReadResult, listed: LabTest) -> Interval:
    """Return what `HI` and `LO` mean on the meter of this test."""
    if not read.beyond or listed.meter is None:
        return read.interval
    lowest, highest = listed.meter
    if read.beyond == "high":
        return Interval(low=highest, low_open=True)
    return Interval(high=lowest, high_open=True)


def _is_possible(interval: Interval, listed: LabTest) -> bool:
    if listed.possible is None:
        return True
    lowest, highest = listed.possible
    ends = [end for end in (interval.low, interval.high) if abs(end) != inf]
    return all(lowest <= end <= highest for end in ends)


def _is_critical(interval: Interval, beyond: str, limits: CriticalLimits) -> bool:
    if beyond and abs(interval.low) == abs(interval.high) == inf:
        # Which number the meter ends at is not known: it must be looked at.
        return (limits.above if beyond == "high" else limits.below) is not None
    if limits.below is not None and interval.is_below(Interval(low=limits.below)):
        return True
    return limits.above is not None and Interval(high=limits.above).is_below(interval)


def _judge_answer(listed: LabTest, typed: str) -> Judgement:
    """Return the answer that was meant, of a test that gives no number."""
    answer = _answer(listed, typed)
    if answer is None:
        return Judgement(typed, "", UNREAD)
    if not listed.normal:
        return Judgement(answer, "", None)
    found = "normal" if answer in listed.normal else "abnormal"
    says_more = _DENSITY.fullmatch(typed.strip().casefold()) is not None
    return Judgement(
        answer, "", found, answer in listed.critical_choices, entered_as=typed.strip() if says_more else ""
    )


def _answer(listed: LabTest, typed: str) -> str | None:
    """Return the answer of the test that was typed; None for none, or for two that differ."""
    text = typed.strip().casefold()
    twice = _IN_BRACKETS.fullmatch(text)
    if twice is not None and _DENSITY.fullmatch(text) is None:
        said = {_answer(listed, each) for each in twice.groups()}
        return said.pop() if len(said) == 1 else None
    dense = _DENSITY.fullmatch(text)
    plain = _plain(dense["answer"] if dense is not None else text)
    for choice in listed.choices:
        if _plain(choice.casefold()) == plain:
            return choice
    meant = _ANSWERS.get(plain, ())
    return next((choice for choice in meant if choice in listed.choices), None)


def _plain(text: str) -> str:
    """Return an answer without what is written differently: blanks, dots, brackets, the hyphen of `non-`."""
    return text.strip(" ()").replace(" ", "").replace(".", "").replace("non-", "non")


def read_result(typed: str) -> ReadResult | None:
    """Return a result as a number, a bound or a span; None for anything else.

    Args:
        typed: `7,2`, `7.2 g/dL`, `<4`, `> 199 mg/dL`, `8-10`, `150.000/uL`, `HI`, `45 (L)`.
    """
    text = " ".join(typed.strip().split())
    beyond = _BEYOND_METER.get(fold(text))
    if beyond is not None:
        return ReadResult(Interval(), "", text, beyond)
    match = _RESULT.fullmatch(text)
    if match is None:
        return None
    interval = _interval(match)
    if interval is None:
        return None
    shown = text[: match.end("second") if match["second"] else match.end("first")]
    unit = (match["unit"] or "").strip()
    flag = (match["flag"] or "").strip(" ()").casefold()
    if unit.casefold() in {"h", "l", "hi", "lo", "high", "low"}:
        unit, flag = "", unit[0].casefold()
    return ReadResult(interval, unit, shown.strip(), flag=flag)


def _interval(match: re.Match[str]) -> Interval | None:
    first = _amount(match["first"])
    sign = (match["sign"] or "").casefold()
    if match["second"]:
        second = _amount(match["second"])
        return None if sign or second < first else Interval(first, second)
    if not sign:
        return Interval(first, first)
    is_open = sign not in _INCLUSIVE
    return (
        Interval(high=first, high_open=is_open) if sign in _BELOW else Interval(low=first, low_open=is_open)
    )


def _amount(text: str, *, thousands: bool = False) -> float:
    """Return a number with a comma or a point: the last one parts the decimals, unless several are alike."""
    separators = re.findall(r"[.,]", text)
    groups = thousands or (len(separators) > 1 and len(set(separators)) == 1)
    if groups:
        return float(re.sub(r"[.,]", "", text))
    whole, _mark, decimals = text.replace(",", ".").rpartition(".")
    return float(f"{whole.replace('.', '')}.{decimals}") if whole else float(text)


def read_range(text: str) -> Interval | None:
    """Return the normal values of `12-16`, `<200`, `<=199`, `>40` or `>=40`; None for anything else."""
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        return None
    if match["low"]:
        low, high = _amount(match["low"]), _amount(match["high"])
        return Interval(low, high) if low <= high else None  # a range written backwards is none
    edge, sign = _amount(match["edge"]), match["sign"]
    is_open = sign not in _INCLUSIVE
    return Interval(high=edge, high_open=is_open) if sign in _BELOW else Interval(low=edge, low_open=is_open)


def interpret_read(read: ReadResult, limits: Interval | None) -> str | None:
    """Return `low`, `high`, `normal` or `unread`; None without limits.

    Args:
        read: The result, in the unit of the limits.
        limits: The normal values.
    """
    if read.beyond:
        return read.beyond
    if limits is None:
        return None
    if read.interval.is_within(limits):
        return UNREAD if read.flag or _is_the_range(read.interval, limits) else "normal"
    found = "low" if read.interval.is_below(limits) else UNREAD
    found = "high" if limits.is_below(read.interval) else found
    # What the analyser says otherwise is of other limits, or of another patient.
    return UNREAD if read.flag in "hl" and read.flag and not found.startswith(read.flag) else found


def _is_the_range(result: Interval, limits: Interval) -> bool:
    """Return whether a span of values shares an end with the normal ones: the range was typed in place of a result."""
    is_span = result.low < result.high and -inf < result.low and result.high < inf
    return is_span and (result.low == limits.low or result.high == limits.high)


def interpret(test: str, result: str, reference: str, unit: str = "") -> str | None:
    """Return how a result reads; None where the test has no limits.

    Args:
        test: As ordered.
        result: As typed.
        reference: `12-16`, `<200`, `<=199`, `>40`, `>=40`, or normal answers separated by `/`.
        unit: Of the field beside the result.
    """
    return judge(test, result, unit, reference, own_reference=False).interpretation


def is_possible(test: str, result: str, unit: str) -> bool:
    """Return whether a result can be true; words, unlisted tests and unknown units always can.

    Args:
        test: As ordered.
        result: As typed.
        unit: As typed, or the list's.
    """
    return judge(test, result, unit, "", own_reference=False).is_possible
