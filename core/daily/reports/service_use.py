"""Reports on the use of services: visits by payer and cluster, waits, wrong routing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from statistics import median

from core.daily.reports.report_tables import (
    PAYERS,
    TOTAL,
    Cell,
    ReportTable,
    entries_of,
    late_entries_of,
    month_of,
    period_text,
    sums_of,
    visits_of,
)
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryStatus, Payer
from core.models import QueueEntry, RoutingExample, Visit
from core.queues.routing_examples import TRANSFER_SOURCE
from core.visits import appointments


def payers(clinic: Clinic, day: date) -> ReportTable:
    """Build the visits of the month by payer and cluster."""
    first, last = month_of(day)
    served: dict[str, set[str]] = {}
    for entry in entries_of(first, last):
        if entry.served_at is not None:
            served.setdefault(entry.visit_id, set()).add(entry.cluster)
    clusters = list(clinic.clusters)
    table = {payer: [0] * (len(clusters) + 1) for payer in Payer}
    for visit in visits_of(first, last):
        row = table[Payer(visit.payer)]
        row[-1] += 1
        for index, cluster in enumerate(clusters):
            row[index] += cluster in served.get(visit.id, ())
    rows: list[tuple[Cell, ...]] = [(PAYERS[payer], *table[payer]) for payer in Payer]
    rows.append((TOTAL, *sums_of(table.values(), len(clusters) + 1)))
    return ReportTable(
        f"Kunjungan menurut cara bayar {first:%Y-%m}",
        f"Kunjungan {period_text(first, last)}. Kolom poli: kunjungan yang dilayani di poli itu (satu kunjungan "
        "dapat dilayani di beberapa poli); kolom terakhir: semua kunjungan.",
        "Cara bayar di pendaftaran; pelayanan menurut antrean.",
        ("Cara bayar", *clusters, "Kunjungan"),
        rows,
    )


def missed_returns(clinic: Clinic, day: date) -> ReportTable:
    """Build the return dates of the month at which nobody came, and whose patients were not here since."""
    first, last = month_of(day)
    rows: list[tuple[Cell, ...]] = [
        (
            row.service_on.isoformat(),
            row.cluster,
            row.number,
            row.patient.medical_record_number,
            row.patient.name,
            row.patient.phone,
            row.chief_complaint,
        )
        for row in sorted(
            appointments.missed_between(first, last),
            key=lambda row: (row.service_on, row.cluster, row.sequence),
        )
    ]
    given = appointments.given_between(first, last)
    rows.append((TOTAL, len(rows), f"dari {given}", "", "", "", ""))
    return ReportTable(
        f"Tidak datang kembali {first:%Y-%m}",
        f"Janji kontrol yang diberikan di ruang periksa untuk {period_text(first, last)}, yang pasiennya tidak datang "
        "pada hari itu dan sejak itu belum datang; tanpa yang meninggal dan yang dibatalkan.",
        "Janji kontrol di rekam medis; kedatangan menurut pendaftaran.",
        ("Tanggal", "Poli", "Nomor", "No. RM", "Nama", "Telepon", "Untuk"),
        rows,
    )


def waits(clinic: Clinic, day: date) -> ReportTable:
    """Build the waits and service times of a day by cluster."""
    entries = entries_of(day, day)
    groups: list[tuple[str, list[QueueEntry]]] = [
        (cluster, [entry for entry in entries if entry.cluster == cluster]) for cluster in clinic.clusters
    ]
    late = late_entries_of(day, day).keys()
    rows = [(name, *_wait_figures(group, late)) for name, group in [*groups, (TOTAL, entries)]]
    return ReportTable(
        f"Waktu tunggu dan pelayanan {day.isoformat()}",
        "Menit dari masuk antrean sampai dipanggil, dan dari mulai sampai selesai dilayani, menurut catatan "
        "antrean hari itu. P90: sembilan dari sepuluh pasien tidak lebih lama. Susulan: nomor yang diketik dari "
        "kertas; waktunya tidak diketahui dan tidak ikut dihitung.",
        "Kejadian antrean; batas SPM 60 menit untuk rawat jalan.",
        (
            "Poli", "Nomor", "Dipanggil", "Tunggu median", "Tunggu P90", "Tunggu terlama", "Dilayani",
            "Pelayanan median", "Pergi", "Dibatalkan", "Susulan",
        ),
        rows,
    )  # fmt: skip


def _wait_figures(entries: Sequence[QueueEntry], late: Collection[str]) -> tuple[Cell, ...]:
    """Return one row of `waits` without the cluster's name.

    Args:
        entries: Those of one cluster.
        late: Ids of visits that were entered late: when they were called and served on paper is not known.
    """
    timed = [row for row in entries if row.visit_id not in late]
    waited = _minutes((row.started_at, row.called_at) for row in timed)
    served = _minutes((row.served_at, row.ended_at) for row in timed)
    statuses = Counter(row.status for row in entries)
    return (
        len(entries),
        len(waited),
        _median(waited),
        _ninth_decile(waited),
        round(waited[-1], 1) if waited else 0,
        sum(row.served_at is not None for row in entries),
        _median(served),
        statuses[EntryStatus.LEFT],
        statuses[EntryStatus.CANCELLED],
        len(entries) - len(timed),
    )


def _minutes(spans: Iterable[tuple[datetime | None, datetime | None]]) -> list[float]:
    """Return the lengths of the spans that have both ends, in minutes, shortest first; never below zero."""
    return sorted(
        max(0.0, (end - start).total_seconds() / 60)
        for start, end in spans
        if start is not None and end is not None
    )


def _median(ordered: Sequence[float]) -> float:
    return round(median(ordered), 1) if ordered else 0


def _ninth_decile(ordered: Sequence[float]) -> float:
    """Return the smallest value that nine tenths of the values do not exceed; zero when there is none."""
    if not ordered:
        return 0
    rank = math.ceil(9 * len(ordered) / 10)
    return round(ordered[rank - 1], 1)


def misrouting(clinic: Clinic, day: date) -> ReportTable:
    """Build how often each routing rule was wrong in the month."""
    first, last = month_of(day)
    moved = {
        row.visit_id
        for row in RoutingExample.select(RoutingExample.visit)
        .join(Visit)
        .where(RoutingExample.source == TRANSFER_SOURCE, Visit.service_on >= first, Visit.service_on <= last)
    }
    table: dict[str, list[int]] = {}
    for visit in visits_of(first, last):
        reasons = (visit.routing or {}).get("reasons") or []
        rule = str(reasons[0][0]) if reasons else "-"
        row = table.setdefault(rule, [0, 0, 0])
        row[0] += 1
        row[1] += visit.override_reason is not None
        row[2] += visit.id in moved
    rows: list[tuple[Cell, ...]] = [
        (rule, *table[rule], _share(table[rule]))
        for rule in sorted(table, key=lambda rule: (-table[rule][2], rule))
    ]
    whole = sums_of(table.values(), 3)
    rows.append((TOTAL, *whole, _share(whole)))
    return ReportTable(
        f"Salah poli menurut aturan {first:%Y-%m}",
        f"Kunjungan {period_text(first, last)} menurut aturan pertama yang mengusulkan poli. Dipilih lain: "
        "petugas loket mempertahankan poli lain dengan alasan. Dipindah: klinisi memindahkan pasien dari "
        "poli pertama; persen dari kunjungan aturan itu.",
        "Keputusan perute yang disimpan pada kunjungan, dan pemindahan yang dicatat antrean.",
        ("Aturan", "Kunjungan", "Dipilih lain", "Dipindah", "% dipindah"),
        rows,
    )


def _share(row: Sequence[int]) -> float:
    return round(100 * row[2] / row[0], 1) if row[0] else 0.0
