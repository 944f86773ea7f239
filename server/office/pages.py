"""The city at a glance: one HTML page with SVG drawn here, and the same figures as CSV.

In the language the browser asks for, otherwise in that of the settings.
"""

from __future__ import annotations

import base64
import csv
import hmac
import io
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from core.catalogues import catalogue
from core.config import Settings
from core.errors import NotFoundError
from core.identifiers import new_secret
from server.office.figures import Figures, collect

LANGUAGES = ("id", "en")
SILENT_HOURS = 24  # a clinic unheard for longer is marked

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b2733;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d5dde5}
td.n{text-align:right;font-variant-numeric:tabular-nums}
svg{max-width:100%;height:auto}rect{fill:#2b6c8f}text{font:12px system-ui,sans-serif;fill:#1b2733}
.none{color:#5a6875}
"""


def viewer_password(settings: Settings) -> str:
    """The office's own reading password, made at the first start and kept in `office.password` (0600)."""
    path = settings.home / "office.password"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("utf-8").strip()
    password = new_secret()
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(password + "\n")
    return password


def install(app: FastAPI, viewer: str, *, loopback: bool, settings: Settings) -> None:
    """Add the page and its CSV files.

    Args:
        app: The office's application.
        viewer: Password for people at other machines (user name `office`).
        loopback: Whether the office listens on this machine only; then no password is asked,
            unless a proxy passes others' requests on.
        settings: The language for browsers that ask for neither of ours, and the time zone.
    """

    def allowed(request: Request) -> bool:
        if loopback and "x-forwarded-for" not in request.headers and "forwarded" not in request.headers:
            return True
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(value).decode() if scheme.lower() == "basic" else ""
        except ValueError:
            return False
        return hmac.compare_digest(given.encode(), f"office:{viewer}".encode())

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
                "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            },
        )

    @app.get("/csv/{name}.csv", response_model=None, include_in_schema=False)
    def table(name: str, request: Request) -> Response:
        if not allowed(request):
            return denied
        return Response(to_csv(collect(), name), media_type="text/csv; charset=utf-8")


def language_of(accepted: str, otherwise: str) -> str:
    """The first of ours that an Accept-Language header names; browsers list them by preference.

    >>> language_of("en-GB,en;q=0.9,id;q=0.5", "id")
    'en'
    """
    for part in accepted.split(","):
        found = part.partition(";")[0].strip().lower().partition("-")[0]
        if found in LANGUAGES:
            return found
    return otherwise


def to_csv(figures: Figures, name: str) -> str:
    """One table of the page.

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
        "diseases": (("icd10", "cases"), list(figures.diseases)),
        "waits": (
            ("clinic", "mean_wait_minutes"),
            [(code, round(mean, 1)) for code, mean in figures.waits],
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
    """A name that begins like a formula must not become one in a spreadsheet."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t"} else cell


Words = Callable[[str], str]
"""English -> the page's language."""


def bars(rows: Sequence[tuple[str, float]], title: str, _: Words) -> str:
    """A horizontal bar chart; every bar carries its number, so that no colour has to be read."""
    if not rows:
        return _nothing(_("There is no data yet."))
    top = max(value for _label, value in rows) or 1
    height = 22 * len(rows)
    lines = [f'<svg viewBox="0 0 640 {height}" role="img" aria-label="{escape(title)}">']
    for index, (label, value) in enumerate(rows):
        y = 22 * index
        width = round(430 * value / top, 1)
        lines.append(
            f'<text x="0" y="{y + 15}">{escape(label)}</text>'
            f'<rect x="130" y="{y + 3}" width="{width}" height="16"/>'
            f'<text x="{135 + width}" y="{y + 15}">{value:g}</text>'
        )
    return "".join([*lines, "</svg>"])


def render(figures: Figures, language: str, zone: ZoneInfo) -> str:
    """The page, in Indonesian (`id`) or English (`en`), times in the office's zone."""
    _ = catalogue("server", language).gettext
    title = escape(_("City Health Office"))
    charts = (
        (_("Visits a day"), [(day.isoformat(), float(count)) for day, count in figures.days]),
        (_("Most frequent diseases (ICD-10)"), [(code, float(count)) for code, count in figures.diseases]),
        (_("Mean wait (minutes)"), [(code, round(mean, 1)) for code, mean in figures.waits]),
    )
    files = {
        "clinics": _("clinics"),
        "visits": _("visits"),
        "diseases": _("diseases"),
        "waits": _("waits"),
        "duplicates": _("duplicate NIKs"),
    }
    parts = [
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width">',
        f"<style>{STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        _part(_("Clinics"), _clinics(figures, zone, _)),
        *(_part(name, bars(rows, name, _)) for name, rows in charts),
        _part(_("One NIK in more than one record"), _duplicates(figures, _)),
        "<p>CSV: ",
        " · ".join(f'<a href="/csv/{name}.csv">{escape(label)}</a>' for name, label in files.items()),
        "</p></body></html>",
    ]
    return "".join(parts)


def _part(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>{content}"


def _nothing(words: str) -> str:
    return f'<p class="none">{escape(words)}</p>'


def _row(cells: Sequence[str], tag: str = "td") -> str:
    """A table row; cells that are numbers stand to the right."""
    made = (f"<{tag}{' class=n' if cell.isdigit() else ''}>{cell}</{tag}>" for cell in cells)
    return f"<tr>{''.join(made)}</tr>"


def _clinics(figures: Figures, zone: ZoneInfo, _: Words) -> str:
    if not figures.clinics:
        hint = _("There is no clinic yet:")
        return f'<p class="none">{escape(hint)} <code>loket office --add-clinic CODE</code></p>'
    states = {None: "–", True: _("agrees"), False: _("DOES NOT AGREE")}
    rows = []
    for line in figures.clinics:
        late = line.hours_silent is None or line.hours_silent > SILENT_HOURS
        heard = _("never")
        if line.last_heard:
            heard = f"{datetime.fromisoformat(line.last_heard).astimezone(zone):%d-%m-%Y %H:%M}"
        rows.append(
            _row(
                (
                    escape(line.code),
                    escape(line.name),
                    f"<b>! {escape(heard)}</b>" if late else escape(heard),
                    escape(line.newest_day),
                    str(line.visits),
                    escape(states[line.agrees]),
                    str(line.refused),
                )
            )
        )
    heads = (
        _("Code"), _("Name"), _("Last heard"), _("Newest day"), _("Visits"), _("Manifest"), _("Refused"),
    )  # fmt: skip
    return f"<table>{_row([escape(head) for head in heads], 'th')}{''.join(rows)}</table>"


def _duplicates(figures: Figures, _: Words) -> str:
    if not figures.duplicates:
        return _nothing(_("There is none."))
    rows = "".join(_row((escape(nik), escape(", ".join(held)))) for nik, held in figures.duplicates)
    heads = _row(("NIK", escape(_("Clinics and record numbers"))), "th")
    return f"<table>{heads}{rows}</table>"
