"""Patient fields: one table from which columns, merging, import, duplicate check and screens are derived. Pure.

A new field needs a column in `core/models.py`, a migration, a row here, its type in
`core/schemas/patients.py`, its label in the catalogue, and a place of its own on a screen only where the
derived one does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from core.foundation.codes import NoIdentifierReason
from core.patients.national_ids import (
    BPJS_LENGTH,
    FAMILY_CARD_LENGTH,
    NIK_LENGTH,
    NumberCheck,
    check_bpjs_number,
    check_family_card_number,
    check_nik,
    check_passport_number,
)


class FieldKind(StrEnum):
    """Form of a field's value."""

    TEXT = "text"
    """Words."""
    NUMBER = "number"
    """An identifier or a code; separators do not count."""
    AREA_NUMBER = "area_number"
    """RT or RW: up to three digits."""
    DATE = "date"
    CHOICE = "choice"
    FLAG = "flag"
    COUNT = "count"
    CODED = "coded"
    """A code of `core.patients.identity_values`, asked after the save; `refused`, or empty: nobody asked."""
    REFERENCE = "reference"
    """Id of another patient."""


@dataclass(frozen=True, kw_only=True)
class PatientField:
    """One field of a patient's record.

    Attributes:
        name: Name of the column, of the request's field and of the form's field.
        kind: Form of its value.
        label: msgid of its label in the terminal; empty for a field that no form holds.
        hint: msgid of its help in line mode; empty where it is asked as part of another field.
        required: No record is stored without it.
        nullable: A missing value is null, else the empty text.
        identifying: Tells who a person is: a changed value is checked for duplicates.
        personal: A number of one person: two records with different values are two people.
        unique: At most one active patient has a value.
        compared: Evidence of the duplicate check.
        mergeable: A survivor takes over the value that it does not have itself.
        household: Shared by mother and newborn.
        headings: Headings in patient lists, folded, usual ones first; empty for a field that lists do not bring.
        fhir: Element of the FHIR Patient resource that carries it; empty for none.
        identifier: The kind of identifier it is in SATUSEHAT's systems, `nik` of `.../id/nik`; empty for none.
        check: Tells whether a text can be such a number; None for what is no number of a card.
        checked_with: What `check` takes too: fields, or `today`.
        digits: Length of the number; 0 where it varies.
        jkn: Name under which Mobile JKN sends it; empty where it does not.
        jkn_refused: What a patient at Mobile JKN reads when it is refused.
        only_for: The reason for a missing NIK with which the form asks for it; None: always.
    """

    name: str
    kind: FieldKind
    label: str = ""
    hint: str = ""
    required: bool = False
    nullable: bool = False
    identifying: bool = False
    personal: bool = False
    unique: bool = False
    compared: bool = False
    mergeable: bool = False
    household: bool = False
    headings: tuple[str, ...] = ()
    fhir: str = ""
    identifier: str = ""
    check: Callable[..., NumberCheck] | None = None
    checked_with: tuple[str, ...] = ()
    digits: int = 0
    jkn: str = ""
    jkn_refused: str = ""
    only_for: NoIdentifierReason | None = None

    @property
    def is_typed(self) -> bool:
        """Return whether a form holds it as text."""
        return bool(self.label) and self.kind in TYPED_KINDS

    def checked(self, text: str, values: Mapping[str, Any], today: date) -> NumberCheck:
        """Return what its check says of a text beside the other values of a record.

        Args:
            text: As typed.
            values: Field -> value, those of `checked_with` among them.
            today: The clinic's calendar day.
        """
        assert self.check is not None
        known = {**values, "today": today}
        return self.check(text, **{name: known[name] for name in self.checked_with})


TYPED_KINDS = frozenset({FieldKind.TEXT, FieldKind.NUMBER, FieldKind.AREA_NUMBER})


def _headings(text: str) -> tuple[str, ...]:
    return tuple(text.split(";"))


PATIENT_FIELDS = (
    PatientField(
        name="name", kind=FieldKind.TEXT, label="Name", hint="The full name as on the card; after ALIAS what else they are called.",
        required=True, identifying=True, compared=True, fhir="name", jkn="nama", jkn_refused="Nama harus diisi",
        headings=_headings("nama;nama pasien;nama lengkap;nama px;nm pasien;nm;name;pasien;full name;nama lgkp;patient name;nama peserta"),
    ),
    PatientField(
        name="other_names", kind=FieldKind.TEXT, label="Also called", compared=True, mergeable=True, fhir="name",
        headings=_headings("alias;nama alias;panggilan;nama panggilan;nama lain;nama lama;dikenal sebagai;nickname;also known as;former name"),
    ),
    PatientField(
        name="sex", kind=FieldKind.CHOICE, label="Sex", hint="M or F.",
        required=True, compared=True, fhir="gender",
        headings=_headings("jk;jenis kelamin;kelamin;l p;lp;sex;gender;jns kelamin;jenkel;j k;jenis klmin;kd jenis kelamin"),
    ),
    PatientField(
        name="birth_date", kind=FieldKind.DATE, label="Birth date",
        hint="Day, month, year: 31121990, 31-12-1990; not known: age 45, 8 mo, 10 d",
        required=True, identifying=True, compared=True, fhir="birthDate", jkn_refused="Tanggal lahir tidak sah",
        headings=_headings(
            "tanggal lahir;tgl lahir;tgl lhr;tgllahir;tanggallahir;lahir;dob;birth date;date of birth;birthdate;ttl"
            ";tempat tanggal lahir;tempat tgl lahir;tempat dan tanggal lahir"
        ),
    ),
    PatientField(name="birth_date_estimated", kind=FieldKind.FLAG, required=True),
    PatientField(
        name="nik", kind=FieldKind.NUMBER, label="NIK",
        hint="The 16 digits of the identity card; Enter when there is none.",
        nullable=True, identifying=True, personal=True, unique=True, compared=True, mergeable=True,
        fhir="identifier", identifier="nik", digits=NIK_LENGTH,
        check=check_nik, checked_with=("birth_date", "sex", "today"),
        jkn="nik", jkn_refused="NIK tidak sah; periksa kembali 16 angkanya",
        headings=_headings(
            "nik;no ktp;nomor ktp;ktp;no nik;nomor induk kependudukan;no identitas;no ktp nik;nik ktp"
            ";national id;national identifier;no pengenal"
        ),
    ),
    PatientField(
        name="bpjs_number", kind=FieldKind.NUMBER, label="BPJS number", hint="13 digits; Enter when there is none.",
        nullable=True, identifying=True, personal=True, unique=True, compared=True, mergeable=True,
        fhir="identifier", identifier="bpjs-number", digits=BPJS_LENGTH, check=check_bpjs_number,
        jkn="nomorkartu", jkn_refused="Nomor kartu tidak sah; harus 13 angka",
        headings=_headings(
            "bpjs;no bpjs;nomor bpjs;no kartu;nokartu;no kartu bpjs;noka;no jkn;jkn;kis;no kis;no bpjs kis"
            ";no peserta;no kartu peserta;no asuransi"
        ),
    ),
    PatientField(
        name="family_card_number", kind=FieldKind.NUMBER, label="Family card",
        hint="16 digits; Enter when there is none.",
        nullable=True, identifying=True, compared=True, mergeable=True, household=True,
        fhir="identifier", identifier="kk", digits=FAMILY_CARD_LENGTH,
        check=check_family_card_number, checked_with=("nik",),  # the same digits in both fields are a slip
        jkn="nomorkk", jkn_refused="Nomor KK tidak sah; harus 16 angka",
        headings=_headings("kk;no kk;nomor kk;kartu keluarga;no kartu keluarga;nokk"),
    ),
    PatientField(
        name="passport_number", kind=FieldKind.NUMBER, label="Passport",
        hint="5 to 20 letters and digits; Enter when there is none.",
        nullable=True, identifying=True, personal=True, unique=True, mergeable=True,
        fhir="identifier", identifier="paspor",
        check=check_passport_number,
        headings=_headings("paspor;no paspor;passport;passport number"), only_for=NoIdentifierReason.FOREIGNER,
    ),
    PatientField(
        name="mother_name", kind=FieldKind.TEXT, label="Mother", hint="The mother's name; Enter skips.",
        compared=True, mergeable=True,
        headings=_headings("nama ibu;ibu kandung;nama ibu kandung;ibu;nm ibu;mother;mother name;nama lgkp ibu;mothers name;name of mother"),
    ),
    PatientField(name="mother_id", kind=FieldKind.REFERENCE, nullable=True, mergeable=True),
    PatientField(
        name="mother_nik", kind=FieldKind.NUMBER, label="Mother's NIK", nullable=True, mergeable=True, check=check_nik, checked_with=("today",), fhir="identifier",
        headings=_headings("nik ibu;no ktp ibu;ktp ibu;nik ibu kandung;mother nik"),
    ),
    PatientField(
        name="guardian_nik", kind=FieldKind.NUMBER, label="Guardian's NIK", nullable=True, mergeable=True, check=check_nik, checked_with=("today",),
        headings=_headings("nik wali;nik penanggung jawab;nik pj;ktp penanggung jawab;no ktp penanggung jawab"),
    ),
    PatientField(
        name="birth_order", kind=FieldKind.COUNT, nullable=True, mergeable=True, fhir="multipleBirthInteger"
    ),
    PatientField(
        name="phone", kind=FieldKind.NUMBER, label="Phone", hint="A phone number; Enter skips.",
        compared=True, mergeable=True, household=True, fhir="telecom", jkn="nohp",
        headings=_headings(
            "hp;no hp;nohp;telepon;telp;no telp;no telepon;no telpon;nomor hp;wa;no wa;kontak;phone;handphone;no tlp;tlp;phone number;telephone number;mobile"
        ),
    ),
    PatientField(
        name="address", kind=FieldKind.TEXT, label="Address",
        hint="Street and number, kel. and its name, RT and RW at the end: Jl. Mawar 5 kel. Pekauman RT 3/2. Enter skips.",
        compared=True, mergeable=True, household=True, fhir="address", jkn="alamat",
        headings=_headings("alamat;alamat rumah;alamat lengkap;address;alamat domisili;alamat ktp;jalan;address1;address 1;address line1"),
    ),
    PatientField(
        name="rt", kind=FieldKind.AREA_NUMBER, label="RT", compared=True, mergeable=True, household=True,
        fhir="address", jkn="rt", headings=_headings("rt;no rt"),
    ),
    PatientField(
        name="rw", kind=FieldKind.AREA_NUMBER, label="RW", compared=True, mergeable=True, household=True,
        fhir="address", jkn="rw", headings=_headings("rw;no rw"),
    ),
    PatientField(
        name="village_code", kind=FieldKind.NUMBER, label="Village code", hint="10 digits; Enter skips.",
        mergeable=True, fhir="address", jkn="kodekel", jkn_refused="Kode kelurahan tidak sah",
        headings=_headings("kode kelurahan;kode desa;kode wilayah"),
        only_for=NoIdentifierReason.FOREIGNER,
    ),
    PatientField(
        name="no_identifier_reason", kind=FieldKind.CHOICE, label="Without card",
        hint="Why there is no NIK: type the number.", nullable=True,
    ),
    PatientField(
        name="religion", kind=FieldKind.CODED, label="Religion", mergeable=True,
        headings=_headings("agama;agama pasien;religion"),
    ),
    PatientField(
        name="education", kind=FieldKind.CODED, label="Education", mergeable=True,
        headings=_headings("pendidikan;pendidikan terakhir;pendidikan pasien;education"),
    ),
    PatientField(
        name="occupation", kind=FieldKind.CODED, label="Occupation", mergeable=True,
        headings=_headings("pekerjaan;pekerjaan pasien;jenis pekerjaan;occupation;job"),
    ),
    PatientField(
        name="marital_status", kind=FieldKind.CODED, label="Marital status", mergeable=True, fhir="maritalStatus",
        headings=_headings("status perkawinan;status pernikahan;status kawin;status nikah;sts kawin;marital status"),
    ),
)  # fmt: skip
"""In the order of the columns."""

BY_NAME = {field.name: field for field in PATIENT_FIELDS}
COLUMNS = tuple(BY_NAME)
REQUIRED = frozenset(field.name for field in PATIENT_FIELDS if field.required)
NULLABLE = frozenset(field.name for field in PATIENT_FIELDS if field.nullable)
IDENTIFYING = frozenset(field.name for field in PATIENT_FIELDS if field.identifying)
PERSONAL_NUMBERS = tuple(field.name for field in PATIENT_FIELDS if field.personal)
UNIQUE_NUMBERS = tuple(field.name for field in PATIENT_FIELDS if field.unique)
MERGEABLE = tuple(field.name for field in PATIENT_FIELDS if field.mergeable)
HOUSEHOLD = tuple(field.name for field in PATIENT_FIELDS if field.household)
IMPORTABLE = tuple(field for field in PATIENT_FIELDS if field.headings)
IMPORT_FILLED = tuple(field.name for field in IMPORTABLE if field.mergeable)
"""Fields that a known patient takes over from a list where its own value is empty."""
TYPED = tuple(field.name for field in PATIENT_FIELDS if field.is_typed)
"""Fields that a form holds as text."""
CODED = tuple(field.name for field in PATIENT_FIELDS if field.kind is FieldKind.CODED)
"""Fields that are asked after the save, in order."""
EMPTY_TEXTS = (
    frozenset(field.name for field in PATIENT_FIELDS if field.kind in {*TYPED_KINDS, FieldKind.CODED})
    - NULLABLE
)
"""Columns whose missing value is the empty text."""
CHECKED = tuple(field for field in PATIENT_FIELDS if field.check)
IDENTIFIERS = {field.name: field.identifier for field in PATIENT_FIELDS if field.identifier}
OF_MOBILE_JKN = tuple(field for field in PATIENT_FIELDS if field.jkn)
