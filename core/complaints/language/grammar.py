"""The roles that words of grammar play, as the vocabulary files and the reader know them.

In:  "riwayat" in the list `past` of `[grammar]`.
Out: `GrammarRole.HISTORICAL`, which opens a history in `core.complaints.reading.scope`.
"""

from __future__ import annotations

from enum import StrEnum


class GrammarRole(StrEnum):
    """A list of `[grammar]`. The value is its key in the files, which clinics' own files use as well.

    The names are those of the ConText algorithm (negated, historical, hypothetical, terminate, pseudo)
    where it has one.
    """

    NEGATION = "negation"
    """"tidak": the next finding is negated."""
    CONTRAST = "contrast"
    """"bukan": everything up to the end of the clause is negated."""
    NOT_YET = "not_yet"
    """"belum": before "sembuh", cancels the recovery (a pseudo-negation)."""
    IDIOM = "idiom"
    """A phrase whose single words mean something else: "darah tinggi"."""
    OR = "or"
    """"atau": continues a negation."""
    TERMINATE = "break"
    """"dan", "karena", "tapi": ends every open scope."""
    SEGMENT = "joins"
    """"dan", "lalu": begins another segment."""
    FILLER = "filler"
    """A word left out of phrases."""
    HISTORICAL = "past"
    """"riwayat", "pernah": the findings after it are historical."""
    HISTORICAL_TIME = "past_time"
    """"waktu kecil": the findings before it are historical, or else those after it."""
    NEW_STATEMENT = "turn"
    """"dengan", "mengeluh", "tapi": ends a history or a worry; a new statement begins."""
    RECENT = "recent"
    """"sekarang", "tadi": of today."""
    WORSENING = "worsening"
    """"makin", "tambah": an old complaint that is worse today."""
    ONSET = "onset"
    """"sejak", "mulai": the time that follows is a beginning."""
    HYPOTHETICAL = "worry"
    """"takut kena": the next finding is hypothetical."""
    ASKED_ABOUT = "about"
    """"mau tanya soal": the next finding is asked about."""
    FEARED = "fear"
    """"takut": a disease named next is hypothetical, a visible sign is not."""
    QUESTION_TOPIC = "manifest"
    """"gejalanya", "bedanya": with `QUESTION_WORD` in one clause, a question about a disease in general."""
    QUESTION_WORD = "which"
    """"apa", "gimana"."""
    PREVENTION = "purpose"
    """"biar tidak", "mencegah": everything up to the end of the clause is hypothetical."""
    FOLLOWUP = "followup"
    """"kontrol", "obat habis": the findings beside it are already being treated."""
    REQUEST = "request"
    """"rujukan", "surat": an errand."""
    RESOLVED = "resolved"
    """"sembuh", "membaik": the finding before it is negated."""
    GONE = "gone"
    """"hilang": resolved at the end of a clause or before a time."""
    RELAPSE = "again"
    """"kambuh", "lagi": cancels the recovery just before."""
    NORMAL = "fine"
    """"normal", "bagus": the finding just before is no complaint."""
    AGE_MARKER = "age_marker"
    """"umur", "anak": the time that follows is an age."""
    GESTATION_MARKER = "gestation_marker"
    """"hamil": the time that follows is the age of a pregnancy."""
    OVERDUE = "overdue"
    """"telat": a period that does not come."""
    VALUE_LINK = "value_link"
    """"turun jadi", "tinggal": stands between the name of a measurement and its value."""
    COUNTED = "counted"
    """"biji", "kilo": the number before it is no measured value."""
    LESS = "less"
    """"kurang": the time that follows is an upper limit."""
