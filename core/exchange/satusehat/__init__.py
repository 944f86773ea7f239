"""SATUSEHAT, the ministry's FHIR R4 server, as a target.

`requests` keeps token, rate and errors; `resources` makes resources in its form; `identities` keeps
the id that it gave to each; `satusehat_target` keeps the order; `remedies` reads its refusals.

Source: docs/reference/indonesia.md 5. The points marked there as uncertain are settings
(`LOKET_SATUSEHAT_...`).
"""

__all__ = ["remedies", "satusehat_target"]
