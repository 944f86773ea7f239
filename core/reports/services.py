"""Services: visits by payer and cluster, waits, and how often the routing was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from statistics import median

from core.clinic import Clinic
from core.models import QueueEntry, RoutingExample, Visit
from core.reports.tables import (
    PAYERS,
    TOTAL,
    Cell,
    Report,
    entries_of,
    month_of,
    period_text,
    sums_of,
    visits_of,
)
from core.vocabulary import EntryStatus, Payer


def payers(clinic: Clinic, day: date) -> Report:
    """Visits of the month by payer and cluster."""
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
    return Report(
        f"Kunjungan menurut cara bayar {first:%Y-%m}",
        f"Kunjungan {period_text(first, last)}. Kolom poli: kunjungan yang dilayani di poli itu (satu kunjungan "
        "dapat dilayani di beberapa poli); kolom terakhir: semua kunjungan.",
        "Cara bayar di pendaftaran; pelayanan menurut antrean.",
        ("Cara bayar", *clusters, "Kunjungan"),
        rows,
    )


def waits(clinic: Clinic, day: date) -> Report:
    """Waits and service times of a day by cluster."""
    entries = entries_of(day, day)
    groups: list[tuple[str, list[QueueEntry]]] = [
        (cluster, [entry for entry in entries if entry.cluster == cluster]) for cluster in clinic.clusters
    ]
    rows = [(name, *_wait_figures(group)) for name, group in [*groups, (TOTAL, entries)]]
    return Report(
        f"Waktu tunggu dan pelayanan {day.isoformat()}",
        "Menit dari masuk antrean sampai dipanggil, dan dari mulai sampai selesai dilayani, menurut catatan "
        "antrean hari itu. P90: sembilan dari sepuluh pasien tidak lebih lama.",
        "Kejadian antrean; batas SPM 60 menit untuk rawat jalan.",
        (
            "Poli", "Nomor", "Dipanggil", "Tunggu median", "Tunggu P90", "Tunggu terlama", "Dilayani",
            "Pelayanan median", "Pergi", "Dibatalkan",
        ),
        rows,
    )  # fmt: skip


def _wait_figures(entries: Sequence[QueueEntry]) -> tuple[Cell, ...]:
    waited = sorted(_minutes(row.started_at, row.called_at) for row in entries if row.called_at is not None)
    served = [
        _minutes(row.served_at, row.ended_at)
        for row in entries
        if row.served_at is not None and row.ended_at is not None
    ]
    return (
        len(entries),
        len(waited),
        round(median(waited), 1) if waited else 0,
        round(waited[max(0, -(-9 * len(waited) // 10) - 1)], 1) if waited else 0,
        round(waited[-1], 1) if waited else 0,
        sum(row.served_at is not None for row in entries),
        round(median(served), 1) if served else 0,
        sum(row.status == EntryStatus.LEFT for row in entries),
        sum(row.status == EntryStatus.CANCELLED for row in entries),
    )


def _minutes(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds() / 60)


def misrouting(clinic: Clinic, day: date) -> Report:
    """How often each routing rule was wrong in the month."""
    first, last = month_of(day)
    moved = {
        row.visit_id
        for row in RoutingExample.select(RoutingExample.visit)
        .join(Visit)
        .where(RoutingExample.source == "transfer", Visit.service_on >= first, Visit.service_on <= last)
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
    return Report(
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
