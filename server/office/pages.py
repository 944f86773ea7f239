"""The city at a glance: one HTML page with SVG drawn here, and the same figures as CSV."""

from __future__ import annotations

import base64
import csv
import hmac
import io
import os
from collections.abc import Sequence
from html import escape

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from core.config import Settings
from core.errors import NotFoundError
from core.identifiers import new_secret
from server.office.figures import Figures, collect

SILENT_HOURS = 24  # a clinic unheard for longer is marked

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b2733;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d5dde5}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
svg{max-width:100%;height:auto}rect{fill:#2b6c8f}text{font:12px system-ui,sans-serif;fill:#1b2733}
.late{font-weight:600}.none{color:#5a6875}
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


def install(app: FastAPI, viewer: str, *, loopback: bool) -> None:
    """Add the page and its CSV files.

    Args:
        app: The office's application.
        viewer: Password for people at other machines (user name `office`).
        loopback: Whether the office listens on this machine only; then no password is asked,
            unless a proxy passes others' requests on.
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
            render(collect()),
            headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
        )

    @app.get("/csv/{name}.csv", response_model=None, include_in_schema=False)
    def table(name: str, request: Request) -> Response:
        if not allowed(request):
            return denied
        return Response(to_csv(collect(), name), media_type="text/csv; charset=utf-8")


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


def bars(rows: Sequence[tuple[str, float]], title: str) -> str:
    """A horizontal bar chart; every bar carries its number, so that no colour has to be read."""
    if not rows:
        return '<p class="none">Belum ada data.</p>'
    top = max(value for _, value in rows) or 1
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


def render(figures: Figures) -> str:
    """The page."""
    parts = [
        '<!doctype html><html lang="id"><head><meta charset="utf-8"><title>Dinas Kesehatan Kota</title>',
        '<meta name="viewport" content="width=device-width">',
        f"<style>{STYLE}</style></head><body>",
        "<h1>Dinas Kesehatan Kota</h1>",
        "<h2>Puskesmas</h2>",
        _clinics(figures),
        "<h2>Kunjungan per hari</h2>",
        bars([(day.isoformat(), count) for day, count in figures.days], "Kunjungan per hari"),
        "<h2>Penyakit terbanyak (ICD-10)</h2>",
        bars(figures.diseases, "Penyakit terbanyak"),
        "<h2>Rata-rata waktu tunggu (menit)</h2>",
        bars([(code, round(mean, 1)) for code, mean in figures.waits], "Waktu tunggu"),
        "<h2>Satu NIK pada lebih dari satu rekam</h2>",
        _duplicates(figures),
        "<p>CSV: ",
        " · ".join(
            f'<a href="/csv/{name}.csv">{label}</a>'
            for name, label in (
                ("clinics", "puskesmas"),
                ("visits", "kunjungan"),
                ("diseases", "penyakit"),
                ("waits", "waktu tunggu"),
                ("duplicates", "NIK ganda"),
            )
        ),
        "</p></body></html>",
    ]
    return "".join(parts)


def _clinics(figures: Figures) -> str:
    if not figures.clinics:
        return '<p class="none">Belum ada puskesmas: <code>loket office --add-clinic KODE</code></p>'
    rows = []
    for line in figures.clinics:
        late = line.hours_silent is None or line.hours_silent > SILENT_HOURS
        heard = line.last_heard or "belum pernah"
        state = {None: "–", True: "cocok", False: "TIDAK COCOK"}[line.agrees]
        rows.append(
            f"<tr><td>{escape(line.code)}</td><td>{escape(line.name)}</td>"
            f"<td{' class=late' if late else ''}>{'! ' if late else ''}{escape(heard)}</td>"
            f'<td>{escape(line.newest_day)}</td><td class="n">{line.visits}</td>'
            f'<td>{state}</td><td class="n">{line.refused}</td></tr>'
        )
    head = (
        "<tr><th>Kode</th><th>Nama</th><th>Terakhir terdengar</th><th>Hari terakhir</th>"
        '<th class="n">Kunjungan</th><th>Manifes</th><th class="n">Ditolak</th></tr>'
    )
    return f"<table>{head}{''.join(rows)}</table>"


def _duplicates(figures: Figures) -> str:
    if not figures.duplicates:
        return '<p class="none">Tidak ada.</p>'
    rows = "".join(
        f"<tr><td>{escape(nik)}</td><td>{escape(', '.join(held))}</td></tr>"
        for nik, held in figures.duplicates
    )
    return f"<table><tr><th>NIK</th><th>Puskesmas dan nomor RM</th></tr>{rows}</table>"
