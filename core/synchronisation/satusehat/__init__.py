"""SATUSEHAT, the ministry's FHIR R4 server, as a target.

`access` keeps token, rate and errors; `forms` makes resources as it wants them; `identities` remembers
which id it gave to what; `target` keeps the order. Source: indonesia.md 5. What that marks as
uncertain is a setting (`LOKET_SATUSEHAT_...`).
"""

from core.synchronisation.satusehat.target import SatusehatTarget

__all__ = ["SatusehatTarget"]
