"""BPJS: who is insured, and every visit of an insured person in P-Care.

`bpjs_keys` and `envelope` speak its form, `bpjs_link` carries it, `lz_string` is the compression
inside the encryption.

Source: docs/reference/bpjs.md. The facts marked there as uncertain are settings (`LOKET_BPJS_...`).
"""
