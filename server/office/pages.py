"""The city at a glance: one HTML page with SVG drawn here, and the same figures as CSV.

In the language the browser asks for, otherwise in that of the settings.
"""

from __future__ import annotations

import base64
import csv
import hmac
import io
import os
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from html import escape
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from core.foundation.catalogues import catalogue
from core.foundation.config import Settings
from core.foundation.errors import NotFoundError
from core.foundation.identifiers import new_secret
from server.office import guards
from server.office.statistics import CityFigures, ClinicLine, collect, disease_titles
from server.text import dates
from server.text.translation import LANGUAGES

SILENT_HOURS = 24  # a clinic unheard for longer is marked

STYLE = """
:root{--ink:#1b2733;--soft:#5a6875;--line:#d5dde5;--bar:#2b6c8f;--bad:#a3261b}
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1.2rem;color:var(--ink);background:#fff}
h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:0 0 .6rem}
header p{margin:.2rem 0 1.4rem;color:var(--soft)}
.sums{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:1rem;margin:0 0 1.6rem;padding:0;list-style:none}
.sums li{border:1px solid var(--line);border-radius:.5rem;padding:.6rem 1.1rem}
.sums b{display:block;font-size:1.7rem;line-height:1.2;font-variant-numeric:tabular-nums}
.sums span{color:var(--soft);font-size:.9rem}
.bad,.bad b{color:var(--bad)}
section{margin:0 0 2rem;overflow-x:auto}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:0 2.5rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line)}
td:not(:last-child),th{white-space:nowrap}
th{color:var(--soft);font-weight:600;font-size:.9rem}
.n{text-align:right;font-variant-numeric:tabular-nums}
svg{display:block;width:100%;max-width:40rem;height:auto}rect{fill:var(--bar)}
text{font:13px system-ui,sans-serif;fill:var(--ink)}text.v{font-variant-numeric:tabular-nums}
.none,footer{color:var(--soft)}a{color:var(--bar)}
@media print{body{margin:0;max-width:none}section{break-inside:avoid}}
"""


def viewer_password(settings: Settings) -> str:
    """Return the office's own reading password, made at the first start and kept in `office.password` (0600)."""
    path = settings.home / "office.password"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("utf-8").strip()
    password = new_secret()
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(password + "\n")
    return password


def install(app: FastAPI, viewer: str, *, settings: Settings) -> None:
    """Add the page and its CSV files; user name `office`.

    Args:
        app: The office's application.
        viewer: Password, asked of everybody: whoever passes others' requests on sits on this machine too.
        settings: The language for browsers that ask for neither of ours, and the time zone.
    """

    def allowed(request: Request) -> bool:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if not value:
            return False  # a browser that has yet to ask for the password
        guards.require_patience(request)
        try:
            given = base64.b64decode(value).decode() if scheme.lower() == "basic" else ""
        except ValueError:
            given = ""
        if hmac.compare_digest(given.encode(), f"office:{viewer}".encode()):
            return True
        guards.guessed_wrong(request)
        return False

    denied = Response(
        "password needed", 401, {"WWW-Authenticate": 'Basic realm="Loket office", charset="UTF-8"'}
    )

    @app.get("/", response_model=None, include_in_schema=False)
    def page(request: Request) -> Response:
        if not allowed(request):
            return denied
        return HTMLResponse(
            render(
                collect(),
                language_of(request.headers.get("accept-language", ""), settings.language),
                settings.timezone,
            ),
            headers={
                "Vary": "Accept-Language",
                "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
                "X-Content-Type-Options": "nosniff",
            },
        )

    @app.get("/csv/{name}.csv", response_model=None, include_in_schema=False)
    def table(name: str, request: Request) -> Response:
        if not allowed(request):
            return denied
        return Response(to_csv(collect(), name), media_type="text/csv; charset=utf-8")


def language_of(accepted: str, otherwise: str) -> str:
    """Return the first of our languages that an Accept-Language header names; browsers list them by preference.

    >>> language_of("id-ID,id;q=0.9,de;q=0.5", "de")
    'id'
    """
    for part in accepted.split(","):
        found = part.partition(";")[0].strip().lower().partition("-")[0]
        if found in LANGUAGES:
            return found
    return otherwise


def to_csv(figures: CityFigures, name: str) -> str:
    """Return one table of the page.

    Raises:
        NotFoundError: Not `clinics`, `visits`, `diseases`, `waits` or `duplicates`.
    """
    tables: dict[str, tuple[Sequence[str], list[Sequence[object]]]] = {
        "clinics": (
            ("code", "name", "last_heard", "visits", "newest_day", "manifest_agrees", "refused"),
            [
                (c.code, c.name, c.last_heard, c.visits, c.newest_day, c.agrees, c.refused)
                for c in figures.clinics
            ],
        ),
        "visits": (("day", "visits"), [(day.isoformat(), count) for day, count in figures.days]),
        "diseases": (
            ("icd10", "cases", "title"),
            [(code, cases, disease_titles("id").get(code, "")) for code, cases in figures.diseases],
        ),
        "waits": (
            ("clinic", "mean_wait_minutes", "name"),
            [(code, round(mean, 1), figures.name_of(code)) for code, mean in figures.waits],
        ),
        "duplicates": (("nik", "held_by"), [(nik, "; ".join(held)) for nik, held in figures.duplicates]),
    }
    if name not in tables:
        raise NotFoundError("table", name)
    columns, rows = tables[name]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return out.getvalue()


def _plain(cell: object) -> object:
    """Return a name that a spreadsheet does not take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t"} else cell


Words = Callable[[str], str]
"""English -> the page's language."""


LABEL_WIDTH, BAR_WIDTH, VALUE_WIDTH, ROW_HEIGHT = 230, 320, 50, 24
"""Of a chart, in the units of its own drawing."""
LABEL_LETTERS = 28


def bars(rows: Sequence[tuple[str, float]], title: str, _: Words) -> str:
    """Return a horizontal bar chart; every bar carries its number, so that no colour has to be read.

    Args:
        rows: (label, value) of each bar.
        title: Title for screen readers.
        _: Translates into the page's language.
    """
    if not rows:
        return _nothing(_("There is no data yet."))
    top = max(value for _label, value in rows) or 1
    width, height = LABEL_WIDTH + BAR_WIDTH + VALUE_WIDTH, ROW_HEIGHT * len(rows)
    lines = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">']
    for index, (label, value) in enumerate(rows):
        y = ROW_HEIGHT * index
        length = round(BAR_WIDTH * value / top, 1)
        short = label if len(label) <= LABEL_LETTERS else f"{label[: LABEL_LETTERS - 1]}…"
        lines.append(
            f'<text x="0" y="{y + 16}"><title>{escape(label)}</title>{escape(short)}</text>'
            f'<rect x="{LABEL_WIDTH}" y="{y + 4}" width="{length}" height="{ROW_HEIGHT - 8}" rx="2"/>'
            f'<text class="v" x="{LABEL_WIDTH + length + 6}" y="{y + 16}">{value:g}</text>'
        )
    return "".join([*lines, "</svg>"])


def render(figures: CityFigures, language: str, zone: ZoneInfo) -> str:
    """Return the page.

    Args:
        figures: Figures of the city.
        language: One of `LANGUAGES`.
        zone: The office's time zone.
    """
    _ = catalogue("server", language).gettext
    title = escape(_("City Health Office"))
    days = [(dates.with_weekday(day, language), float(count)) for day, count in figures.days]
    titles = disease_titles(language)
    diseases = [(f"{code} {titles.get(code, '')}".strip(), float(count)) for code, count in figures.diseases]
    waits = [(figures.name_of(code), round(mean, 1)) for code, mean in figures.waits]
    period = ""
    if figures.days:
        first, last = (dates.in_full(figures.days[end][0], language) for end in (0, -1))
        period = f"{first} – {last}"
    files = {
        "clinics": _("clinics"),
        "visits": _("visits"),
        "diseases": _("diseases"),
        "waits": _("waits"),
        "duplicates": _("duplicate NIKs"),
    }
    parts = [
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{STYLE}</style></head><body>",
        f"<header><h1>{title}</h1><p>{escape(period)}</p></header>",
        _sums(figures, _),
        _part(_("Clinics"), _clinics(figures, zone, language, _)),
        '<div class="two">',
        _part(_("Visits a day"), bars(days, _("Visits a day"), _)),
        _part(_("Most frequent diseases (ICD-10)"), bars(diseases, _("Most frequent diseases (ICD-10)"), _)),
        _part(_("Mean wait (minutes)"), bars(waits, _("Mean wait (minutes)"), _)),
        _part(_("One NIK in more than one record"), _duplicates(figures, _)),
        "</div><footer>CSV: ",
        " · ".join(f'<a href="/csv/{name}.csv">{escape(label)}</a>' for name, label in files.items()),
        "</footer></body></html>",
    ]
    return "".join(parts)


def _sums(figures: CityFigures, _: Words) -> str:
    """Return the boxes with the most important figures."""
    sending = [line for line in figures.clinics if not line.barred]
    late = sum(_is_late(line) for line in sending)
    apart = sum(line.agrees is False for line in sending)
    boxes = [
        (f"{len(sending) - late} / {len(sending)}", _("clinics heard in the last 24 hours"), late > 0),
        (str(sum(count for _day, count in figures.days)), _("visits in these 14 days"), False),
        (str(apart), _("clinics whose days do not agree"), apart > 0),
        (str(len(figures.duplicates)), _("NIKs in more than one record"), False),
    ]
    items = (
        f"<li{' class=bad' if bad else ''}><b>{escape(number)}</b><span>{escape(words)}</span></li>"
        for number, words, bad in boxes
    )
    return f'<ul class="sums">{"".join(items)}</ul>'


def _is_late(line: ClinicLine) -> bool:
    return line.hours_silent is None or line.hours_silent > SILENT_HOURS


def _part(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _nothing(words: str) -> str:
    return f'<p class="none">{escape(words)}</p>'


def _row(cells: Sequence[str], numbers: Collection[int] = (), tag: str = "td", kind: str = "") -> str:
    """Return a table row; the columns in `numbers` are aligned to the right."""
    made = (f"<{tag}{' class=n' if at in numbers else ''}>{cell}</{tag}>" for at, cell in enumerate(cells))
    return f"<tr{f' class={kind}' if kind else ''}>{''.join(made)}</tr>"


def _clinics(figures: CityFigures, zone: ZoneInfo, language: str, _: Words) -> str:
    """Return the table of clinics, those that need a call first."""
    if not figures.clinics:
        hint = _("There is no clinic yet:")
        return f'<p class="none">{escape(hint)} <code>loket office --add-clinic CODE</code></p>'
    order = sorted(figures.clinics, key=lambda line: (line.barred, not _is_late(line), line.code))
    rows = [_clinic_row(line, zone, language, _) for line in order]
    heads = (
        _("Name"), _("Code"), _("Last heard"), _("Newest day"), _("Visits"), _("Manifest"), _("Refused"),
    )  # fmt: skip
    return f"<table>{_row([escape(head) for head in heads], NUMBER_COLUMNS, 'th')}{''.join(rows)}</table>"


NUMBER_COLUMNS = (4, 6)
"""Columns of the table of clinics that hold numbers."""


def _clinic_row(line: ClinicLine, zone: ZoneInfo, language: str, _: Words) -> str:
    late = _is_late(line) and not line.barred
    states = {None: "–", True: _("agrees"), False: _("DOES NOT AGREE")}
    state = _("barred") if line.barred else states[line.agrees]
    if line.audit_refused:
        state = f"{state}, {_('AUDIT LOG CUT OR CHANGED')}"
    heard = escape(_last_heard(line, zone, language) or _("never"))
    newest = "–"
    if line.newest_day:
        newest = dates.short(date.fromisoformat(line.newest_day), language)
    return _row(
        (
            escape(line.name),
            escape(line.code),
            f"<b>! {heard}</b>" if late else heard,
            escape(newest),
            str(line.visits),
            escape(state),
            str(line.refused),
        ),
        NUMBER_COLUMNS,
        kind="bad" if late or line.agrees is False or line.audit_refused else "",
    )


def _last_heard(line: ClinicLine, zone: ZoneInfo, language: str) -> str:
    """Return when a clinic last sent something; empty when it never did."""
    if not line.last_heard:
        return ""
    at = datetime.fromisoformat(line.last_heard).astimezone(zone)
    return f"{dates.short(at, language)} {at:%H:%M}"


def _duplicates(figures: CityFigures, _: Words) -> str:
    if not figures.duplicates:
        return _nothing(_("There is none."))
    rows = "".join(_row((escape(nik), escape(", ".join(held)))) for nik, held in figures.duplicates)
    heads = _row(("NIK", escape(_("Clinics and record numbers"))), tag="th")
    return f"<table>{heads}{rows}</table>"
